import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {parseReference} from '../../../src/image/reference.ts';
import {findUses, readDockerfile} from '../../../src/stack/dockerfile/index.ts';

export interface Question {
  readonly text: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  /** The ONBUILD instructions of images, by reference in full. */
  readonly onbuild?: Readonly<Record<string, readonly string[]>>;
}

/** What BuildKit, or our own reader, says of a Dockerfile. References in full, everything sorted. */
export interface Reading {
  readonly error: string | undefined;
  readonly refs: readonly string[];
  readonly base: string;
  readonly sources: readonly string[];
  /** Only ours: some source cannot be known without the base image. */
  readonly unresolved: string | undefined;
}

interface Answer {
  readonly error?: string;
  readonly refs: readonly string[] | null;
  readonly base: string;
  readonly sources:
    | readonly {
        readonly path: string;
        readonly includes: readonly string[] | null;
        readonly excludes: readonly string[] | null;
        readonly mount: boolean;
      }[]
    | null;
}

const program = fileURLToPath(new URL('../../../.tools/bin/buildkit-oracle', import.meta.url));

/** Asks BuildKit's own frontend, all questions in one process. */
export function askBuildKit(questions: readonly Question[]): readonly Reading[] {
  if (!existsSync(program)) throw new Error(`${program} is missing: run scripts/install-tools`);
  const input = questions.map((question) => JSON.stringify(question)).join('\n');
  const output = execFileSync(program, {input, maxBuffer: 1 << 30, encoding: 'utf8'});
  return output.trimEnd().split('\n').map(readAnswer);
}

function readAnswer(line: string): Reading {
  // The program is ours, so its answers are trusted.
  const {error, refs, base, sources}: Answer = JSON.parse(line);
  return {
    error,
    refs: (refs ?? []).toSorted(),
    base,
    sources: distinct((sources ?? []).map(describeSource)),
    unresolved: undefined,
  };
}

type Source = NonNullable<Answer['sources']>[number];

function describeSource({path, includes, excludes, mount}: Source): string {
  const parts = [path, ...(includes ?? [])].flatMap((part) => part.split('/'));
  const clean = parts.filter((part) => part !== '' && part !== '.').join('/');
  return JSON.stringify([mount ? 'mount' : 'copy', clean, excludes ?? []]);
}

/** Our own reader, in the same words. */
export function askOurselves({text, args, target, platform, onbuild}: Question): Reading {
  const dockerfile = readDockerfile(text);
  const uses = findUses(dockerfile, {
    args: new Map(Object.entries(args ?? {})),
    target,
    platforms: platform === undefined ? [] : [platform],
    onBuild: (reference) => onbuild?.[fullReference(reference)] ?? [],
  });
  const [problem] = [...dockerfile.problems, ...uses.problems];
  if (problem !== undefined) {
    const error = `${problem.line}: ${problem.message}`;
    return {error, refs: [], base: '', sources: [], unresolved: uses.context.unresolved};
  }
  const base = uses.images.find(({isBase}) => isBase);
  return {
    error: undefined,
    refs: distinct(uses.images.map(({reference}) => fullReference(reference))),
    base: base === undefined ? '' : fullReference(base.reference),
    sources: distinct(
      uses.context.sources.map(({path, excludes, kind}) =>
        JSON.stringify([kind === 'mount' ? 'mount' : 'copy', path, excludes]),
      ),
    ),
    unresolved: uses.context.unresolved,
  };
}

function fullReference(text: string): string {
  const reference = parseReference(text);
  if (reference === undefined) return text;
  const {registry, repository, tag, digest} = reference;
  const name = `${registry}/${repository}`;
  if (digest !== undefined) return `${name}${tag === undefined ? '' : `:${tag}`}@${digest}`;
  return `${name}:${tag ?? 'latest'}`;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted();
}

/** Where two readings differ, in words; undefined where they agree. */
export function disagreement(ours: Reading, buildKit: Reading): string | undefined {
  const isRefused = ours.error !== undefined;
  if (isRefused !== (buildKit.error !== undefined)) {
    // A value of the base image may make right what is wrong without it, or the other way round.
    if (ours.unresolved !== undefined && !isRefused) return undefined;
    return `we say ${ours.error ?? 'good'}; BuildKit says ${buildKit.error ?? 'good'}`;
  }
  if (isRefused) return undefined;
  const ourWords = {...ours, unresolved: undefined};
  const same = ours.unresolved === undefined ? ourWords : {...ourWords, sources: buildKit.sources};
  if (JSON.stringify(same) === JSON.stringify(buildKit)) return undefined;
  return `we say ${JSON.stringify(same)}; BuildKit says ${JSON.stringify(buildKit)}`;
}
