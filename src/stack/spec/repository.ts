import {parseReference, repositoryKey} from '../../image/reference.ts';
import {fileNameOf, globalStableTag, stableTag, tagStart} from '../../image/tags.ts';
import {type Fields, type Findings, readText, type TextNode} from '../yaml/index.ts';
import type {ImageSpec} from './types.ts';

/** `registry`: host and path that images without `image_name` are below. Undefined when missing or wrong. */
export function readRegistry(top: Fields): string | undefined {
  const node = readText(top, 'registry');
  if (node === undefined) return undefined;
  const registry = node.text.replace(/\/$/, '');
  // Without a host it would be a path on Docker Hub, so anything that is valid before "/name" is fine.
  const problem = problemOf(`${registry}/name`);
  if (problem === undefined) return registry;
  top.findings.mistake(
    node.offset,
    `registry is "${node.text}", ${problem}. Write for example ghcr.io/owner.`,
  );
  return undefined;
}

/** The repository of an image: its `image_name`, or its key below `registry`. Empty after a mistake. */
export function readRepository(
  fields: Fields,
  image: {readonly key: string; readonly offset: number; readonly registry: string | undefined},
): string {
  const node: TextNode | undefined = readText(fields, 'image_name');
  if (node !== undefined) return checkName(fields, node);
  const {key, offset, registry} = image;
  if (fields.get('image_name') !== undefined) return '';
  if (registry === undefined) {
    const message = `${fields.owner} has no image_name. Add "image_name: ghcr.io/owner/${key.toLowerCase()}", or "registry: ghcr.io/owner" at the top for all images.`;
    fields.findings.mistake(offset, message);
    return '';
  }
  const problem = problemOf(`${registry}/${key}`);
  if (problem !== undefined) {
    const message = `${fields.owner} would be ${registry}/${key}, ${problem}. Add an image_name.`;
    fields.findings.mistake(offset, message);
  }
  return `${registry}/${key}`;
}

function checkName({findings, owner}: Fields, node: TextNode): string {
  const reference = parseReference(node.text);
  const extra = reference?.digest !== undefined ? 'a digest' : reference?.tag && 'a tag';
  const problem = problemOf(node.text);
  if (problem !== undefined) {
    findings.mistake(node.offset, `image_name of ${owner} is "${node.text}", ${problem}.`);
  } else if (extra) {
    const message = `image_name of ${owner} is "${node.text}", which has ${extra}. Write the repository alone: the tag is made from tag.prefix and the branch.`;
    findings.mistake(node.offset, message);
  }
  return problem === undefined && !extra ? node.text : '';
}

/** What keeps a name from being a repository by the grammar of distribution/reference. */
function problemOf(name: string): string | undefined {
  // Docker takes an upper-case first part for a host; in a spec it is an owner with a wrong case.
  const isOwner = /^[^/.:A-Z]*[A-Z][^/.:]*\//.test(name);
  if (parseReference(name) !== undefined && !isOwner) return undefined;
  if (/^[a-z]+:\/\//i.test(name)) return 'which is a URL. Omit "https://"';
  if (parseReference(name.toLowerCase()) === undefined)
    return 'which is not a valid name of an image repository';
  return `which has upper case letters, and registries allow none: "${name.toLowerCase()}"`;
}

/** No two images may share a reference, nor the name of their log, result and manifest files. */
export function checkReferences(
  findings: Findings,
  images: Iterable<ImageSpec>,
  offsetOf: (key: string) => number,
): void {
  const byReference = new Map<string, ImageSpec>();
  const byFile = new Map<string, ImageSpec>();
  const byPromotion = new Map<string, ImageSpec>();
  for (const image of images) {
    if (image.repository === '') continue;
    const full = `${repositoryKey(image.repository)}:${tagStart(image)}`;
    // Case is no difference: on some disks, and in a wiki, it would be one file.
    const file = fileNameOf(`${image.repository}:${tagStart(image)}`).toLowerCase();
    const twin = byReference.get(full);
    const neighbour = byFile.get(file);
    const describe = (other: ImageSpec): string =>
      `"${other.name}" (${findings.placeOf(offsetOf(other.key))})`;
    if (twin !== undefined) {
      const message = `image "${image.name}" has the same reference as ${describe(twin)}: ${image.repository}:${tagStart(image)}-…. Give one of them another image_name, or a variant.`;
      findings.mistake(offsetOf(image.key), message);
    } else if (neighbour !== undefined) {
      const message = `the files of image "${image.name}" would have the same name as those of ${describe(neighbour)}: ${file}-…. Give one of them another image_name.`;
      findings.mistake(offsetOf(image.key), message);
    }
    byReference.set(full, twin ?? image);
    byFile.set(file, neighbour ?? image);
    for (const tag of [stableTag(image), globalStableTag(image)]) {
      const promoted = `${repositoryKey(image.repository)}:${tag}`;
      const owner = byPromotion.get(promoted);
      // The tracks of an image take turns at its global stable tag.
      if (owner !== undefined && owner.key !== image.key && twin === undefined) {
        const message = `image "${image.name}" would get the stable tag of ${describe(owner)}: ${image.repository}:${tag}. Give one of them another variant or prefix.`;
        findings.mistake(offsetOf(image.key), message);
      }
      byPromotion.set(promoted, owner ?? image);
    }
  }
}
