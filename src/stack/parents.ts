import {parseReference} from '../image/reference.ts';
import {type Dockerfile, findUses, type ImageUse, readDockerfile} from './dockerfile/index.ts';
import {type ImageSpec, nameInTrack, type Spec} from './spec/index.ts';
import type {Position} from './yaml/index.ts';

/** A Dockerfile and the name that messages give it. */
export interface DockerfileText {
  /** Relative to the workspace. */
  readonly file: string;
  readonly text: string;
}

/** What the Dockerfiles say about `depend_on`. Every image has an entry in both maps. */
export interface ParentCheck {
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** References, expanded and in full, that this run does not build; a stack image at a fixed tag is one. */
  readonly externalBases: ReadonlyMap<string, readonly string[]>;
  /** Names of the parents whose layers the image begins with: none or one. */
  readonly bases: ReadonlyMap<string, readonly string[]>;
}

interface Context {
  readonly spec: Spec;
  readonly tagOf: (image: ImageSpec) => string;
  /** Keys by registry and repository. */
  readonly keys: ReadonlyMap<string, string>;
  readonly parse: (text: string) => Dockerfile;
}

/**
 * Holds `depend_on` against every FROM, COPY --from and RUN --mount of the Dockerfiles (DESIGN.md section 2), with
 * ARG defaults, build_args, and the BASE_TAG and BASE_IMAGE that the action gives to children. `dockerfiles` is by
 * name; an image that has none there is left out.
 */
export function checkParents(
  spec: Spec,
  dockerfiles: ReadonlyMap<string, DockerfileText>,
  tagOf: (image: ImageSpec) => string,
): ParentCheck {
  const context = {spec, tagOf, keys: keysByRepository(spec), parse: rememberParsed()};
  // Tracks share their Dockerfiles, so most findings of a track are those of the stack again.
  const mistakes = new Set<string>();
  const warnings = new Set<string>();
  const externalBases = new Map<string, readonly string[]>();
  const bases = new Map<string, readonly string[]>();
  for (const image of spec.images.values()) {
    const dockerfile = dockerfiles.get(image.name);
    const found = dockerfile === undefined ? undefined : checkImage(context, image, dockerfile);
    for (const mistake of found?.mistakes ?? []) mistakes.add(mistake);
    for (const warning of found?.warnings ?? []) warnings.add(warning);
    externalBases.set(image.name, found?.external ?? []);
    bases.set(image.name, found?.bases ?? []);
  }
  return {mistakes: [...mistakes], warnings: [...warnings], externalBases, bases};
}

function keysByRepository(spec: Spec): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const {track, key, repository} of spec.images.values()) {
    if (track === undefined) keys.set(normalRepository(repository), key);
  }
  return keys;
}

function normalRepository(ref: string): string {
  const reference = parseReference(ref);
  return `${reference?.registry}/${reference?.repository}`;
}

function rememberParsed(): (text: string) => Dockerfile {
  const parsed = new Map<string, Dockerfile>();
  return (text) => {
    const dockerfile = parsed.get(text) ?? readDockerfile(text);
    parsed.set(text, dockerfile);
    return dockerfile;
  };
}

interface ImageFindings {
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  readonly external: readonly string[];
  readonly bases: readonly string[];
}

function checkImage(
  context: Context,
  image: ImageSpec,
  {file, text}: DockerfileText,
): ImageFindings {
  const dockerfile = context.parse(text);
  const found = findUses(dockerfile, {...image, args: argsOf(context, image)});
  const place = ({line, column}: Position): string => `${file}:${line}:${column}`;
  const mistakes = [...dockerfile.problems, ...found.problems].map(
    ({position, message}) => `${place(position)}: ${message}`,
  );
  const external = new Set<string>();
  const named = new Map<string, ImageUse | undefined>();
  for (const use of found.uses) {
    const key = context.keys.get(normalRepository(use.ref));
    const parent = key === undefined ? undefined : parentOf(context, image, key);
    // An image may take files from its own last release.
    if (key === undefined || key === image.key) external.add(use.ref);
    else if (parent === undefined)
      mistakes.push(`${place(use.position)}: ${undeclared(context, image, use, key)}`);
    else if (use.ref === refOf(context, parent)) named.set(parent.name, undefined);
    else {
      external.add(use.ref);
      if (!named.has(parent.name)) named.set(parent.name, use);
    }
  }
  const warnings = image.parents.flatMap((name) => {
    const parent = context.spec.images.get(name);
    const use = named.get(name);
    if (parent === undefined || mistakes.length > 0) return [];
    if (!named.has(name))
      return [`${place({line: 1, column: 1})}: ${neverNamed(context, image, parent)}`];
    return use === undefined ? [] : [`${place(use.position)}: ${fixedTag(image, parent, use)}`];
  });
  const bases = image.parents.filter((name) => {
    const parent = context.spec.images.get(name);
    return parent !== undefined && found.base === refOf(context, parent);
  });
  return {mistakes, warnings, external: [...external], bases};
}

function argsOf(context: Context, image: ImageSpec): ReadonlyMap<string, string> {
  const parent = context.spec.images.get(image.parents[0] ?? '');
  if (parent === undefined) return image.buildArgs;
  return new Map([
    ...image.buildArgs,
    ['BASE_TAG', context.tagOf(image)],
    ['BASE_IMAGE', refOf(context, parent)],
  ]);
}

/** The declared parent with this key, in the image's own track. */
function parentOf(context: Context, image: ImageSpec, key: string): ImageSpec | undefined {
  const name = image.track === undefined ? key : nameInTrack(key, image.track);
  return image.parents.includes(name) ? context.spec.images.get(name) : undefined;
}

function refOf({tagOf}: Context, image: ImageSpec): string {
  return `${image.repository}:${tagOf(image)}`;
}

function declaration({spec}: Context, {key, position}: ImageSpec): string {
  return `depend_on of "${key}" (${spec.file}:${position.line}:${position.column})`;
}

function undeclared(context: Context, image: ImageSpec, use: ImageUse, key: string): string {
  return `${use.how} ${use.written} is the image "${key}" of this stack, but ${declaration(context, image)} does not name it. Add it.`;
}

function neverNamed(context: Context, image: ImageSpec, parent: ImageSpec): string {
  return `${declaration(context, image)} names "${parent.key}", but no FROM, COPY --from or RUN --mount names ${parent.repository}. Remove it there, or write FROM ${parent.repository}:\${BASE_TAG}.`;
}

function fixedTag(image: ImageSpec, parent: ImageSpec, use: ImageUse): string {
  return `${use.how} ${use.written} is the image "${parent.key}" at a fixed tag, so "${image.key}" does not stand on the one built here. Write "ARG BASE_TAG" and FROM ${parent.repository}:\${BASE_TAG}.`;
}
