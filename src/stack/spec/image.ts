import {isAbsolute, join, normalize} from 'node:path/posix';
import {
  asText,
  type Entry,
  type Fields,
  type Findings,
  type Ignored,
  isEmpty,
  readEntries,
  readFields,
  readFlag,
  readText,
  readTexts,
  show,
  type TextNode,
} from '../yaml/index.ts';
import {readInfoCommands, readTests} from './commands.ts';
import {readRepository} from './repository.ts';
import type {ImageSpec, InfoCommand} from './types.ts';

/** One image as read from its own keys; what it has to do with others is checked later. */
export interface ImageDraft {
  /** Without parents. */
  readonly image: ImageSpec;
  readonly dependsOn: readonly TextNode[];
  /** Of its key. */
  readonly offset: number;
}

export interface ImageSurroundings {
  readonly findings: Findings;
  readonly ignored: Ignored;
  readonly stackDir: string;
  readonly tagPrefix: string;
  readonly registry: string | undefined;
  readonly commands: ReadonlyMap<string, InfoCommand>;
}

const imageKeys = [
  'image_name',
  'depend_on',
  'build_args',
  'info_cmds',
  'integration_tests',
  'prune',
  'prepull',
  'context',
  'dockerfile',
  'target',
  'platforms',
  'secrets',
  'watch',
  'publish',
  'allow_failure',
  'tests',
] as const;

/** Undefined when the node is no image at all; every mistake in it is a finding. */
export function readImage(
  around: ImageSurroundings,
  key: string,
  {keyOffset, value}: Entry,
): ImageDraft | undefined {
  const {findings, ignored} = around;
  checkName(findings, 'image', key, keyOffset);
  const owner = `image "${key}"`;
  if (isEmpty(value)) {
    findings.mistake(
      keyOffset,
      `${owner} is empty. Give it an image_name, or write {} for one below "registry".`,
    );
    return undefined;
  }
  const fields = readFields({findings, ignored, owner}, value, imageKeys);
  if (fields === undefined) return undefined;
  const folder = join(around.stackDir, key);
  const dependsOn = readTexts(fields, 'depend_on');
  const args = readBuildArgs(fields);
  return {
    image: {
      name: key,
      key,
      track: undefined,
      tagPrefix: around.tagPrefix,
      repository: readRepository(fields, {key, offset: keyOffset, registry: around.registry}),
      parents: [],
      ...readPaths(fields, folder),
      folder,
      buildArgs: dependsOn.length > 0 ? withoutBase(fields, args) : args,
      target: readTarget(fields),
      platforms: readPlatforms(fields),
      secrets: readSecrets(fields),
      watch: readTexts(fields, 'watch').flatMap((node) => resolveGlob(fields, node, folder) ?? []),
      publish: readFlag(fields, 'publish', true),
      allowFailure: readFlag(fields, 'allow_failure', false),
      integrationTests: readFlag(fields, 'integration_tests', false),
      prune: readFlag(fields, 'prune', false),
      prepull: readFlag(fields, 'prepull', true),
      infoCommands: readInfoCommands(fields, around.commands),
      tests: readTests(fields, ignored),
      position: findings.positionOf(keyOffset),
    },
    dependsOn,
    offset: keyOffset,
  };
}

const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Names of images and tracks become folders, file names and keys of the plan. */
export function checkName(findings: Findings, what: string, name: string, offset: number): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name) && !refusedNames.has(name)) return;
  const rule = 'Use letters, digits, "_", "." and "-"; the first is a letter, a digit or "_".';
  findings.mistake(
    offset,
    `"${name}" cannot be the name of ${what === 'image' ? 'an' : 'a'} ${what}. ${rule}`,
  );
}

/** `context` is relative to the image's folder and `dockerfile` to the context, as in docker compose. */
function readPaths(fields: Fields, folder: string): Pick<ImageSpec, 'context' | 'dockerfile'> {
  const context = readText(fields, 'context');
  const dockerfile = readText(fields, 'dockerfile');
  const base = (context && resolvePath(fields, 'context', {node: context, base: folder})) ?? folder;
  const file = dockerfile && resolvePath(fields, 'dockerfile', {node: dockerfile, base});
  return {context: base, dockerfile: file ?? join(base, 'Dockerfile')};
}

const argName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const secretWord =
  /(?:^|_)(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|SECRETS|CREDENTIAL|CREDENTIALS|PAT|(?:API|ACCESS|PRIVATE|SECRET|SSH|SIGNING|ENCRYPTION|DEPLOY)_?KEY)(?:_|$)/;
/** `TOKEN_URL` or `PASSWORD_FILE` say where a secret is, and are none. */
const harmlessEnd = /_(?:VERSION|URL|FILE|PATH|DIR|NAME)$/;

/**
 * `build_args`: every value with the characters of the source. A key without a value is left out and said aloud:
 * docker compose would take it from the environment, which a fingerprint cannot see.
 */
export function readBuildArgs(fields: Fields): ReadonlyMap<string, string> {
  const {findings, owner} = fields;
  const args = new Map<string, string>();
  for (const [name, {keyOffset, value}] of readEntries(fields, 'build_args')) {
    if (!argName.test(name)) {
      findings.mistake(keyOffset, `"${name}" in build_args of ${owner} is no name of an ARG.`);
    } else if (looksSecret(name)) {
      findings.mistake(
        keyOffset,
        `"${name}" in build_args of ${owner} looks like a secret, and build args stand in the image's history. Use "secrets: [id=${name.toLowerCase()},env=${name}]" with RUN --mount=type=secret.`,
      );
    } else if (isEmpty(value)) {
      findings.warning(
        keyOffset,
        `"${name}" in build_args of ${owner} has no value, so the Dockerfile's default is used. Write ${name}: "" for empty text.`,
      );
    } else if (value.kind === 'text') args.set(name, value.text);
    else {
      const message = `"${name}" in build_args of ${owner} must be text, not ${show(value)}.`;
      findings.mistake(value.offset, message);
    }
  }
  return args;
}

/** Without what the action gives to every child itself: a value in the spec would fight with it. */
export function withoutBase(
  {findings, owner, get}: Fields,
  args: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const own = ['BASE_TAG', 'BASE_IMAGE'].filter((name) => args.has(name));
  if (own.length === 0) return args;
  findings.warning(
    get('build_args')?.keyOffset ?? 0,
    `${own.join(' and ')} in build_args of ${owner} is not used: an image with depend_on gets it from the action.`,
  );
  return new Map([...args].filter(([name]) => !own.includes(name)));
}

/** `apiToken` and `API_TOKEN` read the same. */
export function looksSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[.-]/g, '_')
    .toUpperCase();
  return secretWord.test(words) && !harmlessEnd.test(words);
}

/** `platforms`, as docker names them: `linux/arm64`, `linux/arm/v7`. */
export function readPlatforms(fields: Fields): readonly string[] {
  return readTexts(fields, 'platforms').flatMap(({text, offset}) => {
    if (/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(text)) return [text];
    const message = `platforms of ${fields.owner} has "${text}". Write os/architecture, such as linux/amd64.`;
    fields.findings.mistake(offset, message);
    return [];
  });
}

/** `secrets`: what `docker build --secret` takes. */
export function readSecrets(fields: Fields): readonly string[] {
  return readTexts(fields, 'secrets').flatMap(({text, offset}) => {
    const parts = text.split(',').map((part) => part.split('=')[0] ?? '');
    const isKnown = parts.every((part) => ['id', 'env', 'src', 'source', 'type'].includes(part));
    if (isKnown && /(?:^|,)id=[^,]/.test(text)) return [text];
    const message = `secrets of ${fields.owner} has "${text}". Write "id=NAME,env=VARIABLE" or "id=NAME,src=FILE".`;
    fields.findings.mistake(offset, message);
    return [];
  });
}

export function readTarget(fields: Fields): string | undefined {
  const value = fields.get('target')?.value;
  if (value === undefined) return undefined;
  const node = asText(fields, 'target', value);
  if (node === undefined || /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(node.text)) return node?.text;
  const message = `target of ${fields.owner} is "${node.text}", which is no name of a stage.`;
  fields.findings.mistake(node.offset, message);
  return undefined;
}

/** A folder relative to the workspace, without `./` and a slash at the end: `images`. */
export function normalFolder(folder: string): string {
  return normalize(folder).replace(/(?<=.)\/+$/, '') || '.';
}

/**
 * A path of the spec, relative to `base`, as one relative to the workspace. Whether symbolic links lead out of the
 * workspace is for those who read files. Undefined after a mistake.
 */
export function resolvePath(
  fields: Fields,
  name: string,
  {node, base}: {readonly node: TextNode; readonly base: string},
): string | undefined {
  const path = normalFolder(join(base, node.text));
  const problem = problemOf(node.text, path);
  if (problem === undefined) return path;
  fields.findings.mistake(
    node.offset,
    `${name} of ${fields.owner} is "${node.text}", ${problem}. Write a path relative to ${base}/.`,
  );
  return undefined;
}

/**
 * A glob of `watch`. From the top of the repository, as `paths:` of a workflow; `../` at its beginning starts from
 * the image's folder, since nothing else could be meant.
 */
export function resolveGlob(fields: Fields, node: TextNode, folder: string): string | undefined {
  const isFromFolder = node.text.startsWith('../');
  const glob = isFromFolder ? join(folder, node.text) : node.text.replace(/^(?:\.\/)+/, '');
  const problem = node.text.startsWith('!')
    ? 'which excludes; watch can only add'
    : problemOf(node.text, normalize(glob));
  if (problem === undefined) return glob;
  fields.findings.mistake(
    node.offset,
    `watch of ${fields.owner} is "${node.text}", ${problem}. Write a glob relative to the repository, such as "shared/**".`,
  );
  return undefined;
}

function problemOf(text: string, path: string): string | undefined {
  if (isAbsolute(text) || /^[A-Za-z]:[\\/]/.test(text)) return 'which is absolute';
  if (text.startsWith('-')) return 'which docker would take for an option';
  if (path === '..' || path.startsWith('../')) return 'which leads out of the repository';
  return undefined;
}
