/** One piece of work that cannot be divided between runners. */
export interface Item {
  /** Runners of one platform only take items of that platform. */
  readonly platform: string;
  /** Seconds with one slot, and the least that it takes with any number. */
  readonly work: number;
  readonly chain: number;
  /** Positions of the items that must be done before, all of them lower. */
  readonly needs: readonly number[];
}

/** What a runner does in one job: positions of items, lowest first. */
export interface Load {
  readonly platform: string;
  readonly items: readonly number[];
  readonly seconds: number;
}

export interface PackOptions {
  /** Jobs, all levels together. */
  readonly maxLegs: number;
  /** Levels: each begins when the one before is over. */
  readonly maxLevels: number;
  /** Images that one runner works on at once. */
  readonly slots: number;
  /** What it costs to begin a job: a machine, the checkout, the pull of a parent. */
  readonly startSeconds: number;
}

/**
 * Divides work between runners: levels that follow each other, in each some jobs that need nothing of one another.
 * Every division that cuts the graph at some depths is tried, and the one with the shortest run wins; where two take
 * about the same, the one with fewer jobs.
 */
export function packLegs(
  items: readonly Item[],
  options: PackOptions,
): readonly (readonly Load[])[] {
  if (items.length === 0) return [];
  const divisions = [depths(items), latestDepths(items)].flatMap((depth) =>
    tryCuts(items, depth, options),
  );
  const shortest = Math.min(...divisions.map(({wall}) => wall));
  const [best] = divisions
    .filter(({wall}) => wall <= shortest * nearlyEqual)
    .toSorted((a, b) => a.count - b.count || a.wall - b.wall);
  return best?.levels ?? [];
}

/** A run that is so much longer is worth it when it takes fewer jobs. */
const nearlyEqual = 1.03;

interface Division {
  readonly levels: readonly (readonly Load[])[];
  readonly wall: number;
  readonly count: number;
}

/** 0 for an item that needs none, else one more than the deepest that it needs. */
function depths(items: readonly Item[]): readonly number[] {
  const depth: number[] = [];
  for (const {needs} of items)
    depth.push(1 + Math.max(-1, ...needs.map((need) => depth[need] ?? 0)));
  return depth;
}

/** The same from below: as late as what needs it allows, where a long level may have room. */
function latestDepths(items: readonly Item[]): readonly number[] {
  const last = Math.max(...depths(items));
  const latest = items.map(() => last);
  for (const [index, {needs}] of [...items.entries()].toReversed()) {
    for (const need of needs)
      latest[need] = Math.min(latest[need] ?? last, (latest[index] ?? 0) - 1);
  }
  return latest;
}

/** All sets of cuts of a shallow graph; of a deep one each time the cut that helps most, of as many as time allows. */
function tryCuts(
  items: readonly Item[],
  depth: readonly number[],
  options: PackOptions,
): readonly Division[] {
  const places = Array.from({length: Math.max(...depth)}, (_, index) => index + 1);
  const most = options.maxLevels - 1;
  const divide = (cuts: readonly number[]): Division => {
    const levels = depth.map((one) => cuts.filter((cut) => cut <= one).length);
    return divideAt(items, levels, options);
  };
  if (2 ** places.length * items.length <= affordable) {
    return subsets(places)
      .filter((cuts) => cuts.length <= most)
      .map(divide);
  }
  const tried = [divide([])];
  const candidates = spread(
    places,
    Math.max(fewestCandidates, Math.floor(affordable / items.length)),
  );
  let cuts: readonly number[] = [];
  while (cuts.length < most) {
    const next = candidates
      .filter((place) => !cuts.includes(place))
      .map((place) => ({cuts: [...cuts, place], division: divide([...cuts, place])}))
      .toSorted((a, b) => a.division.wall - b.division.wall)[0];
    if (next === undefined || next.division.wall >= Math.min(...tried.map(({wall}) => wall))) break;
    tried.push(next.division);
    cuts = next.cuts;
  }
  return tried;
}

/** Items times divisions: some tenths of a second. */
const affordable = 100_000;

/** Of so many places those that a large graph tries, however large it is. */
const fewestCandidates = 5;

/** At most so many of the values, evenly spread. */
function spread(values: readonly number[], most: number): readonly number[] {
  if (values.length <= most) return values;
  return Array.from(
    {length: most},
    (_, index) => values[Math.round(((index + 1) * values.length) / (most + 1))] ?? 0,
  );
}

function subsets(places: readonly number[]): readonly (readonly number[])[] {
  return Array.from({length: 2 ** places.length}, (_, bits) =>
    places.filter((_place, index) => ((bits >> index) & 1) === 1),
  );
}

/** Items of one level that need each other share a job. */
interface Component {
  readonly platform: string;
  readonly items: number[];
  work: number;
  chain: number;
}

function divideAt(
  items: readonly Item[],
  level: readonly number[],
  options: PackOptions,
): Division {
  const levels = componentsOf(items, level);
  const fill = (slack: number, limit = options.maxLegs): readonly (readonly Load[])[] =>
    levels.map((components) => fillLevel(components, {slack, limit, slots: options.slots}));
  let levelled = fill(0);
  if (countOf(levelled) > options.maxLegs) {
    // Fewer jobs by giving each level the same time more, as little as is enough.
    let [low, high] = [0, items.reduce((sum, {work}) => sum + work, 1)];
    for (let step = 0; step < 12; step++) {
      const middle = (low + high) / 2;
      if (countOf(fill(middle)) > options.maxLegs) low = middle;
      else high = middle;
    }
    levelled = fill(high, Number.POSITIVE_INFINITY);
  }
  const count = countOf(levelled);
  const seconds = levelled.map((loads) => Math.max(...loads.map((load) => load.seconds)));
  const wall = seconds.reduce((sum, one) => sum + one + options.startSeconds, 0);
  // More than is allowed: only where nothing else is possible, which one level per platform is.
  return {levels: levelled, count, wall: count > options.maxLegs ? wall * 1000 * count : wall};
}

function countOf(levels: readonly (readonly Load[])[]): number {
  return levels.reduce((sum, loads) => sum + loads.length, 0);
}

function componentsOf(
  items: readonly Item[],
  level: readonly number[],
): readonly (readonly Component[])[] {
  const leader = items.map((_, index) => index);
  const find = (index: number): number => {
    let top = index;
    while (leader[top] !== top) top = leader[top] ?? top;
    leader[index] = top;
    return top;
  };
  const ends: number[] = [];
  for (const [index, {needs, chain}] of items.entries()) {
    const inside = needs.filter((need) => level[need] === level[index]);
    for (const need of inside) leader[find(index)] = find(need);
    ends.push(chain + Math.max(0, ...inside.map((need) => ends[need] ?? 0)));
  }
  const found = new Map<number, Component>();
  const levels: Component[][] = [];
  for (const [index, {platform, work}] of items.entries()) {
    const top = find(index);
    let component = found.get(top);
    if (component === undefined) {
      component = {platform, items: [], work: 0, chain: 0};
      found.set(top, component);
      const at = level[index] ?? 0;
      while (levels.length <= at) levels.push([]);
      levels[at]?.push(component);
    }
    component.items.push(index);
    component.work += work;
    component.chain = Math.max(component.chain, ends[index] ?? 0);
  }
  return levels.filter((components) => components.length > 0);
}

interface Fill {
  readonly slack: number;
  /** More jobs than this are of no use: the rest is left out. */
  readonly limit: number;
  readonly slots: number;
}

/** Longest first, each into the first job that has room; the longest of all says how long the level takes anyway. */
function fillLevel(components: readonly Component[], {slack, limit, slots}: Fill): readonly Load[] {
  const timeOf = ({chain, work}: Pick<Component, 'chain' | 'work'>): number =>
    Math.max(chain, work / slots);
  const room = Math.max(...components.map(timeOf)) + slack;
  const jobs: Component[] = [];
  for (const component of components.toSorted((a, b) => timeOf(b) - timeOf(a))) {
    if (jobs.length > limit) break;
    const job = jobs.find(
      ({platform, chain, work}) =>
        platform === component.platform &&
        timeOf({chain: Math.max(chain, component.chain), work: work + component.work}) <= room,
    );
    if (job === undefined) {
      jobs.push({...component, items: [...component.items]});
      continue;
    }
    job.items.push(...component.items);
    job.work += component.work;
    job.chain = Math.max(job.chain, component.chain);
  }
  return jobs.map((job) => ({
    platform: job.platform,
    items: job.items.toSorted((a, b) => a - b),
    seconds: timeOf(job),
  }));
}
