import {randomBytes} from 'node:crypto';
import {chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {type GitRepository, makeRepository} from './git-repository.ts';

const projectRoot = resolve(import.meta.dirname, '../../..');

/** A throw-away repository with the sample stack, whose images nobody else has in the registry. */
export interface SampleStack extends GitRepository {
  /** `127.0.0.1:5000/act-1a2b3c4d` */
  readonly imagePrefix: string;
}

/** Copies `images/`, the workflows that users copy and the one of the tests into a new repository. */
export function copySampleStack(): SampleStack {
  const repository = makeRepository();
  const folder = repository.path;
  const imagePrefix = `127.0.0.1:5000/act-${randomBytes(4).toString('hex')}`;
  cpSync(join(projectRoot, 'images'), join(folder, 'images'), {recursive: true});
  for (const file of readdirSync(folder, {recursive: true, encoding: 'utf8'})) {
    if (!/(?:Dockerfile|spec\.yml)$/.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    writeFileSync(join(folder, file), text.replaceAll('127.0.0.1:5000/stack-action', imagePrefix));
  }
  const workflows = join(folder, '.github/workflows');
  cpSync(join(projectRoot, 'docs/workflows'), workflows, {recursive: true});
  cpSync(join(projectRoot, '__tests__/fixtures/workflows'), workflows, {recursive: true});
  mkdirSync(join(folder, 'scripts'));
  writeFileSync(join(folder, 'scripts/gate'), '#!/bin/sh\ntest "$1" = 2026.3-main\n');
  chmodSync(join(folder, 'scripts/gate'), 0o755);
  // act copies no empty folder: a repository whose references are packed would not be one there.
  repository.git('config', 'gc.auto', '0');
  return {...repository, imagePrefix};
}
