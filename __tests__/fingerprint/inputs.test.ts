import {renameSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type BuildContext, openContexts} from '../../src/adapters/build-context/index.ts';
import {type Failure, ok} from '../../src/failure.ts';
import {
  checkInputs,
  hashInputs,
  ownFilesWarning,
  wholeContext,
} from '../../src/fingerprint/inputs.ts';
import {imageSpec} from '../support/builders/stack.ts';
import {makeWorkspace} from '../support/rig/runner.ts';

const image = imageSpec('a');
let root: string;
let contexts: BuildContext;

beforeEach(async () => {
  root = await makeWorkspace({
    'images/a/Dockerfile': 'FROM x\nCOPY . /\n',
    'images/a/one': 'one',
    'images/a/two': 'two',
    'images/b/Dockerfile': 'FROM x\nCOPY . /\n',
  });
  contexts = openContexts(root, ['logs']);
});

afterEach(() => rmSync(root, {recursive: true, force: true}));

const file = (name: string): string => join(root, 'images/a', name);

async function plan(): Promise<string> {
  const found = await hashInputs(contexts, image, wholeContext);
  if (!found.ok) throw new Error(found.error.message);
  return found.value.digest;
}

/** Why the build is stopped; undefined when nothing changed. */
async function changeSince(planned: string): Promise<Failure | undefined> {
  const checked = await checkInputs(contexts, image, wholeContext, planned);
  return checked.ok ? undefined : checked.error;
}

/** Of the age that a file has when it was checked out some time before. */
function makeOld(name: string): void {
  utimesSync(file(name), 1_000_000_000, 1_000_000_000);
}

describe('just before a build', () => {
  it('finds the same hash where nothing changed', async () => {
    const planned = await plan();
    expect(await checkInputs(contexts, image, wholeContext, planned)).toEqual(ok());
  });

  it.each<[string, () => void]>([
    ['another size', () => writeFileSync(file('one'), 'longer')],
    ['the same size', () => writeFileSync(file('one'), 'ONE')],
    [
      'the same size and time',
      () => {
        const {atimeMs, mtimeMs} = statSync(file('one'));
        writeFileSync(file('one'), 'ONE');
        utimesSync(file('one'), atimeMs / 1000, mtimeMs / 1000);
      },
    ],
    [
      'another file of the same size and time in its place',
      () => {
        writeFileSync(file('../other'), 'ONE');
        const {atimeMs, mtimeMs} = statSync(file('one'));
        utimesSync(file('../other'), atimeMs / 1000, mtimeMs / 1000);
        renameSync(file('../other'), file('one'));
      },
    ],
  ])('sees a change to %s', async (_, change) => {
    makeOld('one');
    const planned = await plan();
    change();
    const failure = await changeSince(planned);
    expect(failure?.class).toBe('context-changed');
    expect(failure?.message).toBe(
      'The files of a changed after this run was planned: images/a/one.',
    );
  });

  it.each<[string, () => void, string]>([
    ['a new file', () => writeFileSync(file('new'), ''), 'images/a/new'],
    ['a file that is gone', () => rmSync(file('two')), 'some were removed'],
    ['the Dockerfile', () => writeFileSync(file('Dockerfile'), 'FROM y\n'), 'images/a/Dockerfile'],
    [
      'many files',
      () => {
        for (let at = 1; at <= 7; at++) writeFileSync(file(`n${at}`), '');
      },
      'images/a/n1, images/a/n2, images/a/n3, images/a/n4, images/a/n5 and 2 more',
    ],
  ])('names %s', async (_, change, named) => {
    const planned = await plan();
    change();
    const failure = await changeSince(planned);
    expect(failure?.message).toBe(`The files of a changed after this run was planned: ${named}.`);
  });

  it('sees a change again after it was made and looked at once, and its end', async () => {
    const planned = await plan();
    for (const [text, isSeen] of [
      ['ONE', true],
      ['one', false],
      ['One', true],
    ] as const) {
      writeFileSync(file('one'), text);
      const failure = await changeSince(planned);
      expect(failure?.class).toBe(isSeen ? 'context-changed' : undefined);
    }
  });

  it('does not mind what the image does not use', async () => {
    const planned = await plan();
    writeFileSync(join(root, 'images/b/new'), '');
    expect(await checkInputs(contexts, image, wholeContext, planned)).toEqual(ok());
  });

  it('fails with the reason when the files cannot be read any more', async () => {
    const planned = await plan();
    rmSync(file('Dockerfile'));
    const failure = await changeSince(planned);
    expect(failure?.class).toBe('context-changed');
    expect(failure?.message).toContain('images/a/Dockerfile');
  });
});

describe('a context that sends what never counts', () => {
  it('gets one warning with the lines to add', () => {
    const own = ['.git', 'logs'];
    expect(ownFilesWarning({context: '.'}, {own, ignoreFile: '.dockerignore'})).toBe(
      'The build context . sends .git, logs to the build, which are never part of a fingerprint. Add these lines to .dockerignore: ".git", "logs".',
    );
    expect(ownFilesWarning({context: '.'}, {own: [], ignoreFile: '.dockerignore'})).toBeUndefined();
  });
});
