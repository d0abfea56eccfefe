import {type ImageFacts, type Manager, managers, type RecordedLayer} from './schema.ts';

export interface PackageVersion {
  readonly name: string;
  readonly version: string;
}

export interface VersionChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** Of one package manager, by name. */
export interface PackageChanges {
  readonly added: readonly PackageVersion[];
  readonly removed: readonly PackageVersion[];
  readonly changed: readonly VersionChange[];
}

type BaseImage = NonNullable<ImageFacts['base']>;

/** One image of the stack that another one is built on: what came with it. */
export interface Inherited {
  readonly image: string;
  /** Undefined where no list of packages could be compared. */
  readonly packages: number | undefined;
  readonly bytes: number;
}

/** From an earlier image to a later one. Sizes are bytes, unpacked. */
export interface Difference {
  readonly image: string;
  readonly from: {readonly reference: string; readonly digest?: string; readonly size: number};
  readonly to: {readonly reference: string; readonly digest?: string; readonly size: number};
  /** A manager without changes is missing, and so is one that only one of the two lists: nothing is known then. */
  readonly packages: {readonly [manager in Manager]?: PackageChanges};
  /** Managers that both list; of all others nothing is known. */
  readonly compared: readonly Manager[];
  /** Layers that both have, and those that only one has. Lines of the history without a layer are in none. */
  readonly layers: {
    readonly shared: {readonly count: number; readonly size: number};
    readonly added: readonly RecordedLayer[];
    readonly removed: readonly RecordedLayer[];
  };
  /** The base image, when it moved. */
  readonly base?: {readonly from?: BaseImage; readonly to?: BaseImage};
  /** Parents whose changes are not repeated here; empty before `withoutInherited`. */
  readonly inherited: readonly Inherited[];
}

/** What changed between two images. */
export function differenceOf(from: ImageFacts, to: ImageFacts): Difference {
  const isMoved = baseKey(from.base) !== baseKey(to.base);
  return {
    image: to.image,
    from: subjectOf(from),
    to: subjectOf(to),
    packages: packageChanges(from, to),
    compared: managers.filter(
      (manager) => from.packages[manager] !== undefined && to.packages[manager] !== undefined,
    ),
    layers: layerChanges(from, to),
    ...(isMoved ? {base: baseChange(from.base, to.base)} : {}),
    inherited: [],
  };
}

function subjectOf({reference, digest, size}: ImageFacts): Difference['from'] {
  return {reference, size, ...(digest === undefined ? {} : {digest})};
}

/** A base is another one when its digest is; that a tag was spelled differently changes nothing. */
function baseKey(base: BaseImage | undefined): string | undefined {
  return base?.digest;
}

function baseChange(
  from: BaseImage | undefined,
  to: BaseImage | undefined,
): NonNullable<Difference['base']> {
  return {...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})};
}

function packageChanges(from: ImageFacts, to: ImageFacts): Difference['packages'] {
  const changes = managers.flatMap((manager) => {
    const [before, after] = [from.packages[manager], to.packages[manager]];
    if (before === undefined || after === undefined) return [];
    const change = compareVersions(new Map(Object.entries(before)), new Map(Object.entries(after)));
    return countOf(change) === 0 ? [] : [[manager, change] as const];
  });
  return Object.fromEntries(changes);
}

function compareVersions(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): PackageChanges {
  const only = (some: typeof before, others: typeof before): readonly PackageVersion[] =>
    [...some].flatMap(([name, version]) => (others.has(name) ? [] : [{name, version}]));
  return {
    added: only(after, before),
    removed: only(before, after),
    changed: [...before].flatMap(([name, version]) => {
      const now = after.get(name);
      return now === undefined || now === version ? [] : [{name, from: version, to: now}];
    }),
  };
}

export function countOf({added, removed, changed}: PackageChanges): number {
  return added.length + removed.length + changed.length;
}

function layerChanges(from: ImageFacts, to: ImageFacts): Difference['layers'] {
  const before = realLayers(from);
  const after = realLayers(to);
  const added = without(after, before);
  const gone = new Set(added);
  const shared = after.filter((layer) => !gone.has(layer));
  return {
    shared: {count: shared.length, size: sizeOf(shared)},
    added,
    removed: without(before, after),
  };
}

function realLayers({layers}: ImageFacts): readonly RecordedLayer[] {
  return layers.filter(({size, diffId}) => size > 0 || diffId !== undefined);
}

/** Those of the first that the second has not; a layer that is there twice counts twice. */
function without(
  layers: readonly RecordedLayer[],
  others: readonly RecordedLayer[],
): readonly RecordedLayer[] {
  const left = new Map<string, number>();
  for (const key of others.map(layerKey)) left.set(key, (left.get(key) ?? 0) + 1);
  return layers.filter((layer) => {
    const key = layerKey(layer);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

function layerKey({diffId, digest, size, createdBy}: RecordedLayer): string {
  return diffId ?? digest ?? `${size} ${createdBy}`;
}

function sizeOf(layers: readonly RecordedLayer[]): number {
  return layers.reduce((sum, {size}) => sum + size, 0);
}

/** Bytes that the layers of the difference itself added (or, below zero, freed). */
export function ownBytes({layers}: Pick<Difference, 'layers'>): number {
  return sizeOf(layers.added) - sizeOf(layers.removed);
}

/** Whether nothing changed. */
export function isSame(difference: Difference): boolean {
  const {packages, layers, base, inherited} = difference;
  const isQuiet = layers.added.length === 0 && layers.removed.length === 0;
  return (
    isQuiet &&
    base === undefined &&
    inherited.length === 0 &&
    managers.every((manager) => packages[manager] === undefined)
  );
}

/**
 * The same difference without what was inherited: a change is reported once, at the image that caused it.
 * `parents` are the whole differences of the parents (as `differenceOf` gives them), not what is left of those.
 */
export function withoutInherited(
  difference: Difference,
  parents: readonly Difference[],
): Difference {
  const moved = parents.filter((parent) => !isSame(parent));
  if (moved.length === 0) return difference;
  const {base, ...rest} = difference;
  const isOwnBase = moved.every((parent) => baseMove(parent) !== baseMove(difference));
  const own = {
    ...rest,
    packages: ownPackages(difference, moved),
    layers: {
      shared: difference.layers.shared,
      added: without(
        difference.layers.added,
        moved.flatMap(({layers}) => layers.added),
      ),
      removed: without(
        difference.layers.removed,
        moved.flatMap(({layers}) => layers.removed),
      ),
    },
  };
  return {
    ...own,
    ...(base !== undefined && isOwnBase ? {base} : {}),
    inherited: moved.map((parent) => ({
      image: parent.image,
      packages: parent.compared.length === 0 ? undefined : total(parent),
      bytes: ownBytes(parent),
    })),
  };
}

function baseMove({base}: Difference): string {
  return `${baseKey(base?.from)} ${baseKey(base?.to)}`;
}

/** Changed packages of all managers. */
function total({packages}: Difference): number {
  return Object.values(packages).reduce((sum, changes) => sum + countOf(changes), 0);
}

function ownPackages(
  {packages}: Difference,
  parents: readonly Difference[],
): Difference['packages'] {
  const own = managers.flatMap((manager) => {
    const changes = packages[manager];
    if (changes === undefined) return [];
    const theirs = parents.flatMap((parent) => parent.packages[manager] ?? []);
    const rest: PackageChanges = {
      added: missingIn(
        changes.added,
        theirs.flatMap(({added}) => added),
      ),
      removed: missingIn(
        changes.removed,
        theirs.flatMap(({removed}) => removed),
      ),
      changed: missingIn(
        changes.changed,
        theirs.flatMap(({changed}) => changed),
      ),
    };
    return countOf(rest) === 0 ? [] : [[manager, rest] as const];
  });
  return Object.fromEntries(own);
}

/** Changes are compared by all they say: the same package at another version is the child's own change. */
function missingIn<T extends PackageVersion | VersionChange>(
  changes: readonly T[],
  theirs: readonly T[],
): readonly T[] {
  const known = new Set(theirs.map(changeKey));
  return changes.filter((change) => !known.has(changeKey(change)));
}

function changeKey(change: PackageVersion | VersionChange): string {
  return 'version' in change
    ? `${change.name}\n${change.version}`
    : `${change.name}\n${change.from}\n${change.to}`;
}
