import {join} from 'node:path/posix';
import {
  type Fields,
  type Ignored,
  isEmpty,
  readFields,
  readFlag,
  readText,
  readTexts,
} from '../yaml/fields.ts';
import type {Findings} from '../yaml/findings.ts';
import type {Entry, TextNode} from '../yaml/index.ts';
import {readInfoCommands, readTests} from './commands.ts';
import {readRepository} from './repository.ts';
import {readBuildArgs, readPlatforms, readSecrets, readTarget, withoutBase} from './spec-build.ts';
import {resolveGlob, resolvePath} from './spec-paths.ts';
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
