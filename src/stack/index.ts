import {dirname, join} from 'node:path/posix';
import type {Workspace} from '../adapters/files/index.ts';
import {foldersOf} from '../util/globs.ts';
import {inTurn} from '../util/in-turn.ts';
import {docsUrl} from '../util/text.ts';
import {checkParents, type DockerfileText, type ParentCheck} from './parents.ts';
import {
  buildTree,
  type ChangeRules,
  type ImageSpec,
  onePlatform,
  parseChangeRules,
  parseSpec,
  refuseLargeSpec,
  type Spec,
  type Tree,
  withOnePlatform,
} from './spec/index.ts';
import {SpecError} from './yaml/index.ts';

export {lackingParents} from './platforms.ts';
export {isTestFile, omittedTests, strayTests, testFolders} from './tests.ts';
export {SpecError} from './yaml/index.ts';

/** What the repository declares, checked: spec.yml, change_ignore.json and the Dockerfiles agree. */
export interface Stack extends Omit<ParentCheck, 'mistakes'> {
  readonly rules: ChangeRules;
  /** By image, where else its files are: tests elsewhere, and what links lead to. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** Made of depend_on and of the Dockerfiles. */
  readonly tree: Tree;
}

export interface StackRequest {
  readonly stackDir: string;
  readonly tagPrefix: string | undefined;
  /** Images of several platforms are built for this one only. */
  readonly platform?: string | undefined;
  /** The tag that an image gets in this run. */
  readonly tagOf: (image: ImageSpec) => string;
}

/**
 * The stack of a repository: what it declares, checked.
 * Enters: the workspace, the folder of the images, the tag that each image gets.
 * Leaves: Stack, the images with all their parents, change rules, and what the Dockerfiles use; or every mistake at once.
 * Not here: parsing YAML and Dockerfiles (yaml/, spec/, dockerfile/), hashing (fingerprint/), what changed (changes/).
 * @throws {SpecError} with every mistake of the spec, or of the Dockerfiles, at once
 */
export async function loadStack(workspace: Workspace, request: StackRequest): Promise<Stack> {
  const file = join(request.stackDir, 'spec.yml');
  const size = await workspace.size(file);
  if (size === undefined) {
    throw new SpecError([
      `${file}:1:1: no such file. Is actions/checkout missing before this step? Otherwise write one (an example: ${docsUrl('spec')}), or set the input "stack-dir" to the folder that has it.`,
    ]);
  }
  if (!(await workspace.isInside(file)))
    throw new SpecError([
      `${file}:1:1: points outside the workspace. Replace the link by the file itself.`,
    ]);
  refuseLargeSpec(file, size);
  const text = (await workspace.read(file)) ?? '';
  const {stackDir, tagPrefix} = request;
  const spec = await fromRepository(
    workspace,
    stackDir,
    parseSpec({file, text, stackDir, tagPrefix}),
  );
  const rules = await readRules(workspace, join(request.stackDir, 'change_ignore.json'));
  const {dockerfiles, mistakes} = await readDockerfiles(workspace, spec, file);
  const {platform} = request;
  // Dockerfiles are read for all their platforms, so that every runner hashes the same files.
  const tagOf = (image: ImageSpec): string => request.tagOf(onePlatform(image, platform));
  const whole = checkParents(spec, dockerfiles, tagOf);
  const checked = {...whole, spec: withOnePlatform(whole.spec, platform)};
  const all = [...mistakes, ...checked.mistakes];
  if (all.length > 0) throw new SpecError(all);
  return {
    ...checked,
    rules: {...rules, places: await findCommonPlaces(workspace, request.stackDir, rules)},
    places: await findPlaces(workspace, checked.spec.images.values()),
    tree: buildTree(checked.spec.images),
    warnings: [...spec.warnings, ...checked.warnings],
  };
}

/**
 * `watch` and `tests.paths` are written from the top of the repository, which may be checked out below the workspace or
 * be a submodule. Who wrote them from the top of the workspace is understood too.
 */
async function fromRepository(workspace: Workspace, stackDir: string, spec: Spec): Promise<Spec> {
  const isThere = async (path: string) => (await workspace.size(path)) !== undefined;
  let top = stackDir;
  for (const outer of foldersOf(stackDir)) {
    if (top === '.' || (await isThere(join(top, '.git')))) break;
    top = outer;
  }
  if (top === '.') return spec;
  const images = await inTurn(spec.images, async ([name, image]): Promise<[string, ImageSpec]> => {
    const {tests} = image;
    const watch = [...image.watch, ...image.watch.map((glob) => join(top, glob))];
    const paths = tests.paths.map(async (path) =>
      (await isThere(join(top, path))) ? join(top, path) : path,
    );
    return [name, {...image, watch, tests: {...tests, paths: await Promise.all(paths)}}];
  });
  return {...spec, images: new Map(images)};
}

async function findPlaces(
  workspace: Workspace,
  images: Iterable<ImageSpec>,
): Promise<Stack['places']> {
  const found = await inTurn(images, async ({name, folder, context, dockerfile, tests}) => {
    const own = [...new Set([folder, context, dockerfile, ...tests.paths])];
    // What lies in the image's folder is found with it.
    const others = own.filter((path) => dirname(path) !== folder);
    const linked = await Promise.all(others.map((path) => workspace.linkedPlaces(path)));
    return [name, [...tests.paths, ...linked.flat()]] as const;
  });
  return new Map(found);
}

/** git names a file behind a link by where it really is. */
async function findCommonPlaces(
  workspace: Workspace,
  stackDir: string,
  {buildAll}: ChangeRules,
): Promise<readonly string[]> {
  const [spec, ...named] = await Promise.all(
    ['spec.yml', ...buildAll].map((name) => workspace.linkedPlaces(join(stackDir, name))),
  );
  // The whole folder may be behind a link, and then a name that is gone was there too.
  const gone = (spec ?? []).flatMap((place) => buildAll.map((name) => join(dirname(place), name)));
  return [...new Set([...named.flat(), ...gone])];
}

/** A repository without the file ignores nothing; only spec.yml itself then rebuilds everything. */
async function readRules(workspace: Workspace, file: string): Promise<ChangeRules> {
  const text = await workspace.read(file);
  return text === undefined ? {ignore: [], buildAll: ['spec.yml']} : parseChangeRules(file, text);
}

interface Dockerfiles {
  readonly dockerfiles: ReadonlyMap<string, DockerfileText>;
  readonly mistakes: readonly string[];
}

async function readDockerfiles(
  workspace: Workspace,
  spec: Spec,
  specFile: string,
): Promise<Dockerfiles> {
  const dockerfiles = new Map<string, DockerfileText>();
  const mistakes: string[] = [];
  const texts = await inTurn(spec.images.values(), async (image) => ({
    image,
    ...(await readDockerfile(workspace, image)),
  }));
  for (const {image, text, mistake} of texts) {
    const {line, column} = image.position;
    if (text !== undefined) dockerfiles.set(image.name, {file: image.dockerfile, text});
    else if (image.track === undefined) {
      mistakes.push(`${specFile}:${line}:${column}: image "${image.key}": ${mistake}`);
    }
  }
  return {dockerfiles, mistakes};
}

async function readDockerfile(
  workspace: Workspace,
  image: ImageSpec,
): Promise<{text: string | undefined; mistake: string}> {
  const none = (mistake: string) => ({text: undefined, mistake});
  if (!(await workspace.isFolder(image.context))) {
    return none(
      `there is no folder ${image.context}. Create it, or remove the image from the spec.`,
    );
  }
  for (const path of [image.context, image.dockerfile]) {
    if (!(await workspace.isInside(path)))
      return none(`${path} points outside the workspace. Replace the link by what it links to.`);
  }
  const text = await workspace.read(image.dockerfile);
  return text === undefined
    ? none(`there is no file ${image.dockerfile}. Create it, or set "dockerfile".`)
    : {text, mistake: ''};
}
