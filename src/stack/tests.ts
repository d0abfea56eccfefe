import {byFolder, foldersOf, isPytestFile} from '../util/globs.ts';
import type {ImageSpec, Spec} from './spec/index.ts';

/** Folders of an image whose files are tests: they are in no fingerprint. */
export const testFolders = ['test', 'tests', 'integration_tests'] as const;

/** Whether a changed file holds tests of this image: its own, or those of every image. */
export function isTestFile(stackDir: string, image: ImageSpec, file: string): boolean {
  const common =
    stackDir === '.'
      ? ['tests_common/', 'conftest.py']
      : [`${stackDir}/tests_common/`, `${stackDir}/conftest.py`];
  const own = testFolders.map((folder) => `${image.folder}/${folder}/`);
  const more = image.tests.paths.flatMap((path) => [path, `${path}/`]);
  return [...common, ...own, ...more].some((path) =>
    path.endsWith('/') ? file.startsWith(path) : file === path,
  );
}

const mostNames = 3;

/** One mistake for each image with tests that are in the commit and not in the checkout. */
export function omittedTests(
  omitted: readonly string[],
  spec: Spec,
  stackDir: string,
): readonly string[] {
  if (omitted.length === 0) return [];
  const images = [...spec.images.values()].filter(({track}) => track === undefined);
  return images.flatMap((image) => {
    const files = omitted.filter((file) => isTestFile(stackDir, image, file));
    if (files.length === 0) return [];
    const {line, column} = image.position;
    return [
      `${spec.file}:${line}:${column}: tests of image "${image.key}" are not checked out: ${some(files)}. Without them it would pass. Add them to "sparse-checkout" of actions/checkout.`,
    ];
  });
}

function some(files: readonly string[]): string {
  const more = files.length > mostNames ? ` and ${files.length - mostNames} more` : '';
  return `${files.slice(0, mostNames).join(', ')}${more}`;
}

/**
 * One warning for each image that has tests where nothing runs them: beside its Dockerfile, in a folder that is called
 * almost as it should be, or in integration_tests/ without the key. Deeper folders may be an application's own.
 */
export function strayTests(files: readonly string[], spec: Spec): readonly string[] {
  const images = [...spec.images.values()].filter(({track, tests}) => {
    return track === undefined && tests.words === undefined;
  });
  const listed = new Set(images.flatMap(({tests}) => tests.paths));
  const tests = byFolder(files.filter(isPytestFile));
  return images.flatMap((image) => {
    const {folder, key, position} = image;
    const stray = (tests.get(folder) ?? []).filter(
      (file) =>
        isStray(image, file) && ![file, ...foldersOf(file)].some((path) => listed.has(path)),
    );
    if (stray.length === 0) return [];
    const names = some(stray);
    const isIntegration = stray.every((file) => file.startsWith(`${folder}/integration_tests/`));
    const mend = isIntegration
      ? 'Write "integration_tests: true" there.'
      : `Move them to ${folder}/test/, or list them in "tests.paths".`;
    return [
      `${spec.file}:${position.line}:${position.column}: tests of image "${key}" are not run: ${names}. ${mend}`,
    ];
  });
}

/** @param file one below the folder of the image */
function isStray({folder, integrationTests}: ImageSpec, file: string): boolean {
  const [first = '', ...rest] = file.slice(folder.length + 1).split('/');
  if (rest.length === 0) return true;
  if (first === 'integration_tests') return !integrationTests;
  const isOwn = testFolders.some((name) => name === first);
  return !isOwn && /test/i.test(first);
}
