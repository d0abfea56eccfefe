import {basename, dirname} from 'node:path/posix';
import {refusedNames} from '../stack/spec/index.ts';

/** Folders that hold copies, examples for tests or tools, never an image of the stack. */
const ignoredFolders =
  /(?:^|\/)(?:\.[^/]+|node_modules|vendor|third_party|testdata|fixtures|__tests__|__fixtures__|site-packages)\//;
/** `Dockerfile.md` is about a Dockerfile, and `Dockerfile.dockerignore` belongs to one. */
const otherEnds =
  /\.(?:dockerignore|md|rst|txt|adoc|bak|orig|old|swp|tmp|sh|py|js|ts|json|ya?ml|lock|log|diff|patch)$|~$/i;
const templateEnds = /\.(?:j2|jinja2?|tmpl|tpl|template|in|erb|ejs|mustache|m4|gotmpl|hbs|epp)$/i;
const dockerfileName =
  /^(?:dockerfile|containerfile)(?:[._-].+)?$|^.+[._-](?:dockerfile|containerfile)$/i;

/** Whether a file is a Dockerfile by its name, or the template of one. */
export function kindOf(path: string): 'dockerfile' | 'template' | undefined {
  const name = basename(path);
  if (name.startsWith('.') || ignoredFolders.test(path)) return undefined;
  const plain = name.replace(templateEnds, '');
  if (plain !== name) return dockerfileName.test(plain) ? 'template' : undefined;
  if (otherEnds.test(name) || !dockerfileName.test(name)) return undefined;
  return 'dockerfile';
}

/** Folders whose name says nothing about the image in them. */
const plainFolders = new Set([
  '.',
  'build',
  'ci',
  'container',
  'containers',
  'docker',
  'dockerfile',
  'dockerfiles',
  'image',
  'images',
  'src',
]);
/** `3.11`, `v2`, `22.04`, `jammy`, `cuda12`: which of several, not what. */
const variantName =
  /^(?:v?\d[\w.-]*|(?:cuda|py|python|node|jdk|java)-?\d[\w.]*|cpu|gpu|cuda|slim|alpine|debian|ubuntu|bionic|focal|jammy|noble|buster|bullseye|bookworm|trixie|amd64|arm64|dev|prod|latest|stable)$/i;

/** What the file's own name adds: `web` of `web.Dockerfile`, `Dockerfile.web` and `dockerfile-web`. */
function fileWord(path: string): string {
  const name = basename(path);
  const behind = /^(?:dockerfile|containerfile)[._-](.+)$/i.exec(name)?.[1];
  return behind ?? /^(.+)[._-](?:dockerfile|containerfile)$/i.exec(name)?.[1] ?? '';
}

/**
 * The key of each Dockerfile: the shortest of its names that no other one has. `images/web/Dockerfile` is `web`;
 * `web/Dockerfile.gpu` is `web-gpu`, and two folders of one name get the folder above in front.
 */
export function keysOf(
  paths: readonly string[],
  top: string,
): {readonly keys: ReadonlyMap<string, string>; readonly shared: readonly string[]} {
  const folders = new Set(paths.map((path) => dirname(path)));
  const names = new Map(paths.map((path) => [path, namesOf(path, folders, top)]));
  const shared = new Set<string>();
  const depth = new Map(paths.map((path) => [path, 0]));
  const nameAt = (path: string): string => {
    const all = names.get(path) ?? [];
    return all[Math.min(depth.get(path) ?? 0, all.length - 1)] ?? path;
  };
  for (;;) {
    const groups = Map.groupBy(paths, (path) => nameAt(path).toLowerCase());
    const clashes = [...groups.values()].filter((group) => group.length > 1);
    const longer = clashes.flat().filter((path) => {
      return (depth.get(path) ?? 0) < (names.get(path)?.length ?? 1) - 1;
    });
    for (const group of clashes)
      if ((depth.get(group[0] ?? '') ?? 0) === 0) shared.add(nameAt(group[0] ?? ''));
    if (longer.length === 0) break;
    for (const path of longer) depth.set(path, (depth.get(path) ?? 0) + 1);
  }
  return {keys: numbered(paths.map((path) => [path, nameAt(path)])), shared: [...shared]};
}

/** From the shortest name to the one with the whole path. */
function namesOf(path: string, folders: ReadonlySet<string>, top: string): readonly string[] {
  const parts = dirname(path)
    .split('/')
    .filter((part) => part !== '.');
  const word = fileWord(path);
  const telling = parts.filter((part) => !plainFolders.has(part.toLowerCase()));
  // A file name of its own in a folder that says nothing, or holds several such files, is the whole name.
  const own = word !== '' && !variantName.test(word) && isFolderOfFiles(parts);
  const last = telling.at(-1);
  let least = own || last === undefined ? 0 : 1;
  while (least > 0 && least < telling.length && needsParent(telling, least, parts, folders))
    least += 1;
  const names: string[] = [];
  for (let count = least; count <= telling.length; count += 1) {
    const above = count === 0 ? [] : telling.slice(-count);
    const name = [...above, ...(word === '' ? [] : [word])].map(keyText).join('-');
    names.push(name === '' ? keyText(top) : name);
  }
  return names.length > 0 ? names : [keyText(top)];
}

function isFolderOfFiles(parts: readonly string[]): boolean {
  return parts.length === 0 || plainFolders.has(parts.at(-1)?.toLowerCase() ?? '');
}

/** `python/3.11` is `python-3.11`, and `torch/cuda12` below `torch/Dockerfile` is `torch-cuda12`. */
function needsParent(
  telling: readonly string[],
  count: number,
  parts: readonly string[],
  folders: ReadonlySet<string>,
): boolean {
  const first = telling.at(-count) ?? '';
  if (variantName.test(first)) return true;
  const at = parts.lastIndexOf(first);
  return at > 0 && folders.has(parts.slice(0, at).join('/'));
}

/** Keys become folders and parts of references: lower case letters, digits and `._-`. */
export function keyText(text: string): string {
  const key = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .replace(/[._-]{2,}/g, '-');
  if (key === '') return 'image';
  return refusedNames.has(key) ? `${key}-image` : key;
}

/** A repository has 255 characters with its host and owner, and so have the names of files. */
export function shortKey(key: string): string {
  return key.slice(0, 80).replace(/[^a-z0-9]+$/, '');
}

/** What is left of clashes: `Dockerfile` and `dockerfile` in one folder. */
function numbered(entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const used = new Set<string>();
  const keys = new Map<string, string>();
  for (const [path, whole] of entries) {
    const name = shortKey(whole);
    let key = name;
    for (let count = 2; used.has(key); count += 1) key = `${name}-${count}`;
    used.add(key);
    keys.set(path, key);
  }
  return keys;
}
