import {fail, ok, type Result} from '../failure.ts';
import {parseReference, repositoryKey} from '../image/reference.ts';
import {readDockerfile} from '../stack/dockerfile/index.ts';
import {isSamePlatform, pathProblem} from '../stack/spec/index.ts';
import {findCandidates} from './candidates.ts';
import {findEdges} from './edges.ts';
import {kindOf} from './names.ts';
import {isDeclaring, readDeclarations} from './read/index.ts';
import {nameRepositories, type Repository} from './repositories.ts';
import {specText} from './spec-text.ts';
import type {Candidate, Edge, Origin, SourceTree, Todo} from './types.ts';
import {workflowText} from './workflow-text.ts';

export type {Edge, Origin, SourceTree, Todo} from './types.ts';

export interface InferRequest {
  readonly tree: SourceTree;
  readonly stackDir: string;
  readonly origin: Origin;
  /** Name of the folder, for an image whose Dockerfile is at the top. */
  readonly folder: string;
  readonly defaultBranch: string;
}

export interface InferredStack {
  readonly spec: string;
  readonly workflow: string;
  /** Keys, parents first. */
  readonly images: readonly string[];
  readonly edges: readonly Edge[];
  readonly todos: readonly Todo[];
}

/**
 * A tree of Dockerfiles -> what spec.yml and a workflow have to say about it.
 * Enters: the names of all files, and the texts that `isWanted` asks for.
 * Leaves: both texts, the edges with the place where each was read, and what a person has to look at; or one
 * sentence that says why there is nothing to write.
 * Not here: reading and writing files (modes/init.ts). Nothing is guessed: no edge is better than a wrong one.
 */
export function inferStack(request: InferRequest): Result<InferredStack, string> {
  const {tree, stackDir, origin} = request;
  const paths = tree.files.filter((path) => kindOf(path) === 'dockerfile').toSorted(inOrder);
  const templates = tree.files.filter((path) => kindOf(path) === 'template').toSorted(inOrder);
  const {dockerfiles, todos} = readable(paths, tree);
  if (dockerfiles.size === 0) return fail(nothingFound(paths, templates, todos));
  const declarations = readDeclarations(tree, origin);
  const top = origin.repo || request.folder;
  const found = findCandidates({dockerfiles, declarations, files: tree.files, top});
  const linked = findEdges({images: found.images, dockerfiles, origin});
  const cycle = findCycle(found.images, linked.edges);
  if (cycle.length > 0) return fail(cycleSentence(cycle));
  const images = withPlatforms(parentsFirst(found.images, linked.edges), linked.edges);
  const repositories = nameRepositories({images, edges: linked.edges, origin});
  const all = [
    ...todos,
    ...templates.map((path) => templateTodo(path)),
    ...found.shared.map((name) => sharedTodo(name, found.images)),
    ...linked.todos,
    ...linked.edges.flatMap((edge) => untracedTodo(edge, repositories)),
  ];
  const hosts = [...repositories.values()].flatMap(
    ({name}) => parseReference(name)?.registry ?? [],
  );
  return ok({
    spec: specText({images, edges: linked.edges, repositories, todos: all, stackDir}),
    workflow: workflowText({
      stackDir,
      defaultBranch: request.defaultBranch,
      registries: [...new Set(hosts)],
      platforms: [
        ...new Set(images.flatMap(({platforms}) => (platforms.length > 1 ? platforms : []))),
      ],
    }),
    images: images.map(({key}) => key),
    edges: linked.edges,
    todos: all,
  });
}

/** Whether the text of a file says something about images. */
export function isWanted(path: string): boolean {
  return kindOf(path) === 'dockerfile' || isDeclaring(path);
}

function readable(
  paths: readonly string[],
  {texts}: SourceTree,
): {readonly dockerfiles: ReadonlyMap<string, string>; readonly todos: readonly Todo[]} {
  const dockerfiles = new Map<string, string>();
  const todos: Todo[] = [];
  for (const path of paths) {
    const read = texts.get(path) ?? fail('it was not read');
    const why = read.ok ? whyNot(path, read.value) : read.error;
    if (why === undefined && read.ok) dockerfiles.set(path, read.value);
    else
      todos.push({
        key: undefined,
        sentence: `${path} is left out: ${why} Mend or remove it, and add its image by hand.`,
      });
  }
  return {dockerfiles, todos};
}

const windowsBase =
  /^[ \t]*FROM[ \t]+(?:--platform=windows\b|\S*(?:\/windows\/|nanoserver|servercore|dotnet\/framework))/im;

/** What docker refuses whatever the values are: one such file would keep all others from being planned. */
function whyNot(path: string, text: string): string | undefined {
  // From whichever folder it is written.
  const ends = path.split('/').map((_, index, parts) => parts.slice(index).join('/'));
  const [odd] = ends.flatMap((end) => pathProblem(end) ?? []);
  if (odd !== undefined) return `it has a name ${odd}.`;
  if (text.includes('\0')) return 'it is not a text file.';
  if (windowsBase.test(text)) return 'it is of a Windows image, which no Linux runner builds.';
  const [first] = readDockerfile(text).problems;
  return first === undefined ? undefined : `line ${first.line}: ${first.message}`;
}

function nothingFound(
  paths: readonly string[],
  templates: readonly string[],
  todos: readonly Todo[],
): string {
  const names = 'Dockerfile, *.Dockerfile, Dockerfile.*, dockerfile-* or Containerfile';
  if (paths.length > 0) {
    return [
      'No Dockerfile can be read, so nothing was written.',
      ...todos.map(({sentence}) => sentence),
    ].join('\n');
  }
  if (templates.length > 0) {
    return `There are only templates of Dockerfiles (${templates.slice(0, 3).join(', ')}), so nothing was written. Write the Dockerfiles from them, and run init again.`;
  }
  return `No Dockerfile was found below this folder, so nothing was written. Add one named ${names}, or run init in the folder that has them.`;
}

function templateTodo(path: string): Todo {
  const sentence = `${path} is left out: it is a template. Write the Dockerfile from it, and add its image by hand.`;
  return {key: undefined, sentence};
}

function sharedTodo(name: string, images: readonly Candidate[]): Todo {
  const mine = images.filter(
    ({key}) => key !== name && (key.endsWith(`-${name}`) || key.startsWith(`${name}-`)),
  );
  const keys = mine.map(({key, dockerfile}) => `${key} (${dockerfile})`).join(', ');
  const sentence = `several folders are named "${name}", so their images have longer keys: ${keys}. Rename them here if you like.`;
  return {key: undefined, sentence};
}

/** A run finds a parent by its repository, or by its key where `depend_on` lists it: other names only their build knows. */
function untracedTodo(
  {child, parent, readAt, ref}: Edge,
  repositories: ReadonlyMap<string, Repository>,
): readonly Todo[] {
  const name = repositories.get(parent)?.name ?? '';
  const short = ref.replace(/[:@].*/, '');
  const isNickname = !ref.includes('/') && (short === parent || name.endsWith(`/${short}`));
  if (isNickname || repositoryKey(ref) === repositoryKey(name)) return [];
  const sentence = `${readAt}: ${ref} is "${parent}" here, but only by a name that its build gave it. Write ${parent} or ${name} there.`;
  return [{key: child, sentence}];
}

/** The edges of one circle, in order; none where there is no circle. */
function findCycle(images: readonly Candidate[], edges: readonly Edge[]): readonly Edge[] {
  const parents = Map.groupBy(edges, ({child}) => child);
  const done = new Set<string>();
  const walk = (key: string, way: readonly Edge[]): readonly Edge[] => {
    const start = way.findIndex(({child}) => child === key);
    if (start >= 0) return way.slice(start);
    if (done.has(key)) return [];
    for (const edge of parents.get(key) ?? []) {
      const found = walk(edge.parent, [...way, edge]);
      if (found.length > 0) return found;
    }
    done.add(key);
    return [];
  };
  for (const {key} of images) {
    const found = walk(key, []);
    if (found.length > 0) return found;
  }
  return [];
}

function cycleSentence(cycle: readonly Edge[]): string {
  const [first] = cycle;
  const way = [...cycle.map(({child}) => child), first?.child].join(' -> ');
  const places = cycle.map(({readAt, ref}) => `${readAt} (${ref})`).join(', ');
  return `The Dockerfiles form a cycle, so nothing was written: ${way}. Remove one of these, or pin it by digest: ${places}.`;
}

function parentsFirst(images: readonly Candidate[], edges: readonly Edge[]): readonly Candidate[] {
  const parents = Map.groupBy(edges, ({child}) => child);
  const byKey = new Map(images.map((image) => [image.key, image]));
  const order = new Set<Candidate>();
  const add = (image: Candidate | undefined): void => {
    if (image === undefined || order.has(image)) return;
    for (const {parent} of parents.get(image.key) ?? []) add(byKey.get(parent));
    order.add(image);
  };
  for (const image of images) add(image);
  return [...order];
}

/** An image is built for all platforms of those that are built on it; where it has one alone, it is the runner's. */
function withPlatforms(images: readonly Candidate[], edges: readonly Edge[]): readonly Candidate[] {
  const children = Map.groupBy(edges, ({parent}) => parent);
  const platforms = new Map<string, readonly string[]>();
  for (const {key, platforms: own} of images.toReversed()) {
    const all = [...(own.length > 1 ? own : [])];
    for (const {child} of children.get(key) ?? [])
      for (const platform of platforms.get(child) ?? [])
        if (!all.some((one) => isSamePlatform(one, platform))) all.push(platform);
    platforms.set(key, all);
  }
  return images.map((image) => ({...image, platforms: platforms.get(image.key) ?? []}));
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
