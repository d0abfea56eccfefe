import type {Lookup, Registry} from '../adapters/registry/index.ts';
import {inspectProof} from '../fingerprint/index.ts';
import {checkKeys, InputError, type Run} from '../run/index.ts';
import {loadStack, type Stack} from '../stack/index.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {proofOf, type TagFacts, type TagNames, tagNames} from './plan.ts';

/** What is to be promoted, from which tag to which. */
export interface TagRequest {
  readonly stack: Stack;
  readonly names: Extract<TagNames, {ok: true}>;
  /** Parents first. */
  readonly images: readonly ImageSpec[];
}

/**
 * Reads the spec and the wish. An older prefix than the spec's promotes the images of the main track.
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function readTagRequest({inputs, workspace}: Run): Promise<TagRequest> {
  const stack = await loadStack(workspace, {
    stackDir: inputs.stackDir,
    tagPrefix: inputs.tagPrefix,
    // Which tag the parents have does not matter here, only that it is the same for all.
    tagOf: () => 'promoted',
  });
  const all = stack.tree.order.flatMap((name) => stack.spec.images.get(name) ?? []);
  checkKeys(inputs, all);
  const prefixes = [...new Set(all.map((image) => image.tagPrefix))];
  const names = tagNames(inputs.target, inputs.sourceTag ?? '', prefixes);
  if (!names.ok) throw new InputError(names.error);
  const images = all.filter(
    (image) =>
      image.publish &&
      (inputs.images.length === 0 ||
        [image.key, image.name].some((one) => inputs.images.includes(one))) &&
      (prefixes.includes(names.prefix)
        ? image.tagPrefix === names.prefix
        : image.track === undefined),
  );
  return {stack, names, images};
}

/** Asks the registry about every image at once; nothing is changed. */
export function readTagFacts(
  registry: Registry,
  {stack, names, images}: TagRequest,
): Promise<readonly TagFacts[]> {
  return Promise.all(
    images.map(async ({name, repository}): Promise<TagFacts> => {
      const source = `${repository}:${names.source}`;
      const target = `${repository}:${names.target}`;
      const [lookup, current] = await Promise.all([
        registry.inspect(source),
        registry.head(target),
      ]);
      return {
        name,
        source,
        target,
        lookup,
        current,
        proof: await readProof(registry, source, lookup),
        bases: stack.bases.get(name) ?? [],
      };
    }),
  );
}

async function readProof(
  registry: Registry,
  source: string,
  lookup: Lookup,
): Promise<Lookup | undefined> {
  const ref = proofOf(source, lookup);
  return ref === undefined ? undefined : inspectProof(registry, ref, lookup);
}
