import type {ImageUse} from './dockerfile/index.ts';
import {type ImageSpec, isSamePlatform, type Spec} from './spec/index.ts';

/** By parent, for which platforms an image takes it; undefined among them for that of the machine. */
export type NeededPlatforms = ReadonlyMap<string, readonly (string | undefined)[]>;

export function neededPlatforms(edges: ReadonlyMap<string, readonly ImageUse[]>): NeededPlatforms {
  return new Map(
    [...edges].map(([parent, uses]) => [parent, [...new Set(uses.map(({platform}) => platform))]]),
  );
}

/**
 * Sentences on parents that are not built for a platform of their child: BuildKit would put the child on an image of
 * another platform, with no more than a warning.
 * @param machine the platform that builds; without it only what is wrong on every machine is found
 */
export function lackingParents(
  spec: Spec,
  image: ImageSpec,
  needed: NeededPlatforms,
  machine?: string,
): readonly {readonly parent: string; readonly message: string; readonly mend: string}[] {
  return [...needed].flatMap(([name, platforms]) => {
    const parent = spec.images.get(name);
    if (parent === undefined) return [];
    const wanted = [...new Set(platforms.flatMap((platform) => platform ?? machine ?? []))];
    const built = builtFor(parent, wanted, machine);
    const lacking = wanted.filter((one) => !built.some((own) => isSamePlatform(own, one)));
    if (lacking.length === 0) return [];
    const {line, column} = parent.position;
    const all = [...new Set([...built, ...wanted])].join(', ');
    const [one] = built;
    const files = one === undefined ? '' : `, or take it with FROM --platform=${one}`;
    const own =
      parent.platforms.length > 0
        ? parent.platforms.join(', ')
        : `the platform of the runner${machine === undefined ? '' : ` (${machine})`}`;
    return {
      parent: name,
      message: `"${image.key}" takes "${parent.key}" for ${lacking.join(', ')}, but "${parent.key}" is only built for ${own}.`,
      mend: `Write "platforms: [${all}]" for "${parent.key}" (${spec.file}:${line}:${column})${files}.`,
    };
  });
}

/** An image without `platforms` is built for one: which, only the machine says. */
function builtFor(
  {platforms}: ImageSpec,
  wanted: readonly string[],
  machine: string | undefined,
): readonly string[] {
  if (platforms.length > 0) return platforms;
  if (machine !== undefined) return [machine];
  return wanted.length === 1 ? wanted : [];
}
