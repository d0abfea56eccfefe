import {createHash} from 'node:crypto';
import {basename, join, normalize} from 'node:path/posix';
import type {BuildContext, HashOptions, PathsHash} from '../adapters/build-context/index.ts';
import {fail, ok, type Result} from '../failure.ts';
import {testFolders} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {foldersOf, normalPath} from '../util/globs.ts';
import {contextChanged} from './inputs.ts';

export interface TestsRequest {
  readonly stackDir: string;
  readonly image: Pick<ImageSpec, 'folder' | 'tests' | 'integrationTests'>;
  /** Whether git knows a file or folder of the workspace; where nobody can tell, it does. */
  readonly isTracked?: ((file: string) => Promise<boolean>) | undefined;
}

export interface TestsHash {
  /** `sha256:<64 hex>` */
  readonly digest: string;
  readonly files: number;
  /** Those of `tests.paths` that do not exist. */
  readonly missing: readonly string[];
  readonly entries: PathsHash['entries'];
}

/** Changes whenever the same tests would be hashed otherwise: then they are run again. */
const testsVersion = 1;

/** What pytest leaves behind. */
const leftovers = ['__pycache__', '*.pyc', '.pytest_cache'];

/** What pytest reads in the folder of a test and in every folder above it. */
const configurations = [
  'conftest.py',
  'pytest.ini',
  '.pytest.ini',
  'pytest.toml',
  '.pytest.toml',
  'pyproject.toml',
  'tox.ini',
  'setup.cfg',
  '__init__.py',
];

/**
 * The hash of an image's tests: its test folders, `tests_common`, what pytest reads on the way to them, `tests.paths`,
 * the files that `tests.command` names, the key `tests` and `integration_tests`. Links are followed, because the tests
 * that they lead to are run.
 */
export async function hashTests(
  contexts: BuildContext,
  {stackDir, image, isTracked = async () => true}: TestsRequest,
  options: HashOptions = {},
): Promise<Result<TestsHash>> {
  const {words, paths, where, timeoutMinutes} = image.tests;
  const folders = testFolders.map((folder) => join(image.folder, folder));
  const common = join(stackDir, 'tests_common');
  const named: string[] = [];
  // A program that a step before installed into the checkout is not of the commit.
  for (const path of pathsIn(words ?? [], image.folder))
    if (await isTracked(path)) named.push(path);
  const above = new Set([...folders, common, ...paths, ...named].flatMap(foldersOf));
  const found = await contexts.hashPaths(
    {
      paths: [
        ...[...above].flatMap((folder) => configurations.map((name) => join(folder, name))),
        ...folders,
        common,
        ...paths,
        ...named,
      ],
      skip: leftovers,
    },
    options,
  );
  if (!found.ok) return found;
  const {digest, files, missing, entries} = found.value;
  const all = {
    testsVersion,
    files: digest,
    tests: {words, where, timeoutMinutes},
    integrationTests: image.integrationTests,
    paths: paths.toSorted(),
  };
  const hash = createHash('sha256').update(JSON.stringify(all)).digest('hex');
  const gone = paths.filter((path) => missing.includes(normalPath(path)));
  return ok({digest: `sha256:${hash}`, files, missing: gone, entries});
}

/** Words of a command that may be files of the checkout. A folder with the whole image in it says nothing about its tests. */
function pathsIn(words: readonly string[], imageFolder: string): readonly string[] {
  return words
    .filter((word) => /^[^-/]/.test(word) && !word.includes('\0'))
    .map((word) => normalPath(normalize(word)))
    .filter((path) => !/^\.\.?(?:\/|$)/.test(path) && !`${imageFolder}/`.startsWith(`${path}/`));
}

/**
 * Just before tests run: good when they are still those that were planned. A test of another image may have written
 * into them, and what passes then is proved by other tests. Files of data count where git knows them: tests may write
 * their own. A file that nobody can tell about counts.
 */
export async function checkTests(
  contexts: BuildContext,
  request: TestsRequest & {readonly name: string},
  planned: TestsHash,
): Promise<Result<void>> {
  const {isTracked = async () => true} = request;
  const now = await hashTests(contexts, request, {fresh: true});
  if (!now.ok) return fail({...now.error, class: 'context-changed'});
  if (now.value.digest === planned.digest) return ok();
  const [before, after] = [planned, now.value].map(({entries}) => filesOf(entries));
  const changed: string[] = [];
  for (const [file, entry] of before ?? []) {
    if (after?.get(file) === entry) continue;
    if (isCode(file, entry) || (await isTracked(file))) changed.push(file);
  }
  // A new test makes the tests stricter; what pytest is told by a new file may switch them off.
  const added = [...(after ?? [])].flatMap(([file]) =>
    before?.has(file) || !configurations.includes(basename(file)) ? [] : [file],
  );
  const files = [...changed, ...added].toSorted();
  return files.length === 0 ? ok() : fail(contextChanged(`tests of ${request.name}`, files));
}

function filesOf(entries: TestsHash['entries']): ReadonlyMap<string, string> {
  return new Map(entries.flatMap((some) => [...some]));
}

function isCode(file: string, entry: string): boolean {
  return (
    /\.(?:py|sh|bats)$/.test(file) ||
    entry.startsWith('program ') ||
    configurations.includes(basename(file))
  );
}
