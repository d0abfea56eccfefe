import type {Result} from '../failure.ts';

/** The files of a repository, as far as they matter here. Paths are relative to it, `/` separated. */
export interface SourceTree {
  readonly files: readonly string[];
  /** By path, those that `isWanted` asks for; an error says why one cannot be read. */
  readonly texts: ReadonlyMap<string, Result<string, string>>;
}

/** What is known about the repository itself; empty text where nothing is. */
export interface Origin {
  readonly owner: string;
  readonly repo: string;
}

/** A build that a bake file, a workflow, a Makefile, a script or a compose file describes. */
export interface Declaration {
  readonly source: 'bake' | 'workflow' | 'command' | 'compose';
  /** `docker-bake.hcl:12` */
  readonly place: string;
  /** Of the bake target or the service; undefined for a command. */
  readonly name: string | undefined;
  /** Undefined when it is not a folder of the repository, or nobody says. */
  readonly context: string | undefined;
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly args: ReadonlyMap<string, string>;
  /** References with or without a tag. */
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
  /** Named contexts that are other declarations of the same source: what a FROM says -> their name. */
  readonly contexts: ReadonlyMap<string, string>;
}

/** An image that the spec will have. */
export interface Candidate {
  readonly key: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly target: string | undefined;
  readonly args: ReadonlyMap<string, string>;
  readonly platforms: readonly string[];
  /** References that something in the repository gives to the image. */
  readonly tags: readonly string[];
  readonly declaration: Declaration | undefined;
}

/** Who stands on whom, and where that was read. */
export interface Edge {
  readonly child: string;
  readonly parent: string;
  /** `FROM in images/a/Dockerfile:1` */
  readonly readAt: string;
  /** As the Dockerfile writes it, variables expanded. */
  readonly ref: string;
}

/** Something that a person has to look at; one sentence with what to do. */
export interface Todo {
  /** The image that it is about; undefined for one that is not in the spec. */
  readonly key: string | undefined;
  readonly sentence: string;
}
