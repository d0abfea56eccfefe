import {join, normalize} from 'node:path/posix';
import {platformPattern} from '../../image/platforms.ts';
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
import {problemOf, resolveGlob, resolvePath} from './paths.ts';
import {isSamePlatform, platformMend} from './platforms.ts';
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
  'variant',
] as const;

/** Undefined when the node does not describe an image; every mistake in it is a finding. */
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
  return {
    image: {
      name: key,
      key,
      track: undefined,
      tagPrefix: around.tagPrefix,
      variant: readVariant(fields),
      repository: readRepository(fields, {key, offset: keyOffset, registry: around.registry}),
      parents: [],
      dependOn: dependsOn.length > 0 ? 'listed' : isEmptyList(fields) ? 'empty' : 'missing',
      ...readPaths(fields, folder),
      folder,
      buildArgs: readBuildArgs(fields),
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

/** `depend_on: []` declares that there is no parent; `depend_on:` declares nothing. */
function isEmptyList(fields: Fields): boolean {
  return fields.get('depend_on')?.value.kind === 'list';
}

/** Keys that every object has: tools that read the plan would find their own in its place. */
export const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

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
/** `TOKEN_URL` or `PASSWORD_FILE` tell where a secret is; they are not secrets. */
const harmlessEnd = /_(?:VERSION|URL|FILE|PATH|DIR|NAME)$/;

/**
 * `build_args`: every value with the characters of the source. A key without a value is omitted, with a warning:
 * docker compose would take it from the environment, which a fingerprint cannot see.
 */
export function readBuildArgs(fields: Fields): ReadonlyMap<string, string> {
  const {findings, owner} = fields;
  const args = new Map<string, string>();
  for (const [name, {keyOffset, value}] of readEntries(fields, 'build_args')) {
    if (!argName.test(name)) {
      findings.mistake(keyOffset, `"${name}" in build_args of ${owner} is not a valid ARG name.`);
    } else if (looksSecret(name)) {
      findings.mistake(
        keyOffset,
        `"${name}" in build_args of ${owner} looks like a secret, and build args are visible in the image's history. Use "secrets: [id=${name.toLowerCase()},env=${name}]" with RUN --mount=type=secret.`,
      );
    } else if (isEmpty(value)) {
      findings.warning(
        keyOffset,
        `"${name}" in build_args of ${owner} has no value, so the Dockerfile's default is used. Write ${name}: "" for an empty value.`,
      );
    } else if (value.kind === 'text') args.set(name, value.text);
    else {
      const message = `"${name}" in build_args of ${owner} must be text, not ${show(value)}.`;
      findings.mistake(value.offset, message);
    }
  }
  return args;
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
  const platforms: string[] = [];
  for (const {text, offset} of readTexts(fields, 'platforms')) {
    const twin = platforms.find((one) => isSamePlatform(one, text));
    if (twin !== undefined) {
      const message = `platforms of ${fields.owner} has "${text}", which is ${twin} again. Remove one of them.`;
      fields.findings.mistake(offset, message);
    } else if (platformPattern.test(text)) platforms.push(text);
    else {
      const message = `platforms of ${fields.owner} has "${text}". ${platformMend(text)}`;
      fields.findings.mistake(offset, message);
    }
  }
  return platforms;
}

/** Variables of the runner and of this action; a build that got one of them could act as the job. */
const ownVariables = /^(?:INPUT_|STATE_|ACTIONS_)/i;

/** `secrets`: what `docker build --secret` takes, without what it would read otherwise than it looks. */
export function readSecrets(fields: Fields): readonly string[] {
  const {findings, owner} = fields;
  return readTexts(fields, 'secrets').flatMap(({text, offset}) => {
    if (!isSecret(text)) {
      const message = `secrets of ${owner} has "${text}". Write "id=NAME,env=VARIABLE" or "id=NAME,src=FILE".`;
      findings.mistake(offset, message);
      return [];
    }
    const {variable, file} = secretSource(text);
    if (ownVariables.test(variable ?? '')) {
      const message = `secrets of ${owner} has "${text}", which is a variable of the runner or of this action. Put the value into a variable of its own with "env:" in the workflow.`;
      findings.mistake(offset, message);
      return [];
    }
    if (file !== undefined && problemOf(file, normalize(file)) !== undefined) {
      const message = `secrets of ${owner} has "${text}", but a secret file must be inside the workspace. Write a path relative to its root.`;
      findings.mistake(offset, message);
      return [];
    }
    return [text];
  });
}

/**
 * One id and at most one source, each once. Docker takes the last of several, takes the id for an empty source, and
 * with `type=env` takes `src` for the name of a variable: a source that was checked would not be the one that is read.
 */
function isSecret(text: string): boolean {
  const parts = text.split(',').map((part) => /^(id|env|src|source|type)=([^"\r\n]+)$/i.exec(part));
  const values = new Map(parts.map((part) => [part?.[1]?.toLowerCase() ?? '', part?.[2] ?? '']));
  const sources = ['env', 'src', 'source'].filter((name) => values.has(name));
  const [source] = sources;
  if (values.has('') || values.size < parts.length || !values.has('id') || sources.length > 1)
    return false;
  const type = values.get('type');
  if (type === undefined) return true;
  return source === undefined
    ? /^(?:env|file)$/.test(type)
    : type === (source === 'env' ? 'env' : 'file');
}

/** Where docker reads the value of a `--secret`: a variable, or a file relative to the workspace. */
export function secretSource(secret: string): {
  readonly variable: string | undefined;
  readonly file: string | undefined;
} {
  const value = (name: string): string | undefined =>
    new RegExp(`(?:^|,)${name}=([^,]*)`, 'i').exec(secret)?.[1];
  const file = value('src') ?? value('source');
  return {variable: value('env') ?? (file === undefined ? value('id') : undefined), file};
}

/** `variant`: what the tags of one of several images in a repository begin with. */
function readVariant(fields: Fields): string | undefined {
  const node = readText(fields, 'variant');
  if (node === undefined || /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(node.text)) return node?.text;
  const message = `variant of ${fields.owner} is "${node.text}", which cannot begin a tag. Use at most 32 letters, digits, "_", "." and "-".`;
  fields.findings.mistake(node.offset, message);
  return undefined;
}

export function readTarget(fields: Fields): string | undefined {
  const value = fields.get('target')?.value;
  if (value === undefined) return undefined;
  const node = asText(fields, 'target', value);
  if (node === undefined || /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(node.text)) return node?.text;
  const message = `target of ${fields.owner} is "${node.text}", which is not a valid stage name.`;
  fields.findings.mistake(node.offset, message);
  return undefined;
}
