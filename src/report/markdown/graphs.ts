import type {PlannedImage} from '../../plan/index.ts';
import type {Outcome} from '../../schedule/index.ts';
import {plainText} from '../../util/text.ts';
import type {ReportedImage} from '../types.ts';
import {shortened} from './text.ts';

/** More nodes, bars or lines between them than these are a tangle on a page of GitHub. */
const most = {nodes: 60, edges: 150, bars: 40} as const;

/** Fill, line and text by outcome; each readable on its own fill, in light and dark. */
const colours: Record<Outcome, string> = {
  built: 'fill:#dafbe1,stroke:#1a7f37,color:#0f3d1b',
  reused: 'fill:#ddf4ff,stroke:#0969da,color:#0a3069',
  skipped: 'fill:#f6f8fa,stroke:#818b98,color:#424a53',
  failed: 'fill:#ffebe9,stroke:#cf222e,color:#82071e,stroke-width:3px',
  blocked: 'fill:#fff8c5,stroke:#9a6700,color:#4d2d00,stroke-dasharray:5 3',
  cancelled: 'fill:#f6f8fa,stroke:#59636e,color:#424a53,stroke-dasharray:5 3',
};

/** A node of the graph. */
export interface Drawn {
  readonly image: string;
  readonly outcome: Outcome;
  /** What is written below the name. */
  readonly words: string;
}

/** The stack as a mermaid flow chart, coloured by outcome; undefined where it would be empty or a tangle. */
export function graph(
  planned: readonly PlannedImage[],
  drawn: readonly Drawn[],
): string | undefined {
  const results = new Map(drawn.map((one) => [one.image, one]));
  const nodes = planned.filter(({name}) => results.has(name));
  const ids = new Map(nodes.map(({name}, index) => [name, `n${index + 1}`]));
  const edges = nodes.flatMap(({name, parents}) =>
    parents.flatMap((parent) => {
      const from = ids.get(parent);
      return from === undefined ? [] : [`  ${from} --> ${ids.get(name)}`];
    }),
  );
  if (nodes.length < 2 || nodes.length > most.nodes || edges.length > most.edges) return undefined;
  const used = new Set<Outcome>();
  const lines = nodes.flatMap(({name}) => {
    const image = results.get(name);
    if (image === undefined) return [];
    used.add(image.outcome);
    const label = `${quoted(name)}<br>${image.words}`;
    return [`  ${ids.get(name)}["${label}"]:::${image.outcome}`];
  });
  const classes = [...used].map((outcome) => `  classDef ${outcome} ${colours[outcome]}`);
  return block(['flowchart LR', ...lines, ...edges, ...classes]);
}

/** A label in quotes: everything that mermaid, HTML or Markdown could take for its own is an entity of mermaid's. */
function quoted(text: string): string {
  return shortened(plainText(text).replace(/\s+/g, ' '), 40).replace(
    /[^\p{L}\p{N} ._/-]/gu,
    (char) => `#${char.codePointAt(0)};`,
  );
}

interface Bar {
  readonly image: string;
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly chart: string;
  /** The images that the end of the run waited for, the first one first. */
  readonly chain: readonly string[];
  readonly chainMs: number;
}

/** When each image was worked on, as a mermaid gantt chart: overlap is seen, the longest chain is marked. */
export function timeline(
  planned: readonly PlannedImage[],
  images: readonly ReportedImage[],
): Timeline | undefined {
  const bars = images.flatMap((image) => barOf(image) ?? []).toSorted((a, b) => a.from - b.from);
  if (bars.length < 2 || bars.length > most.bars) return undefined;
  const start = Math.min(...bars.map(({from}) => from));
  const chain = longestChain(planned, bars);
  const inChain = new Set(chain.map(({image}) => image));
  const results = new Map(images.map((image) => [image.image, image]));
  const lines = bars.map(({image, from, to}, index) => {
    const isFailed = results.get(image)?.outcome === 'failed';
    const tag = isFailed ? 'crit, ' : inChain.has(image) ? 'active, ' : 'done, ';
    return `  ${taskName(image)} :${tag}t${index}, ${from - start}, ${Math.max(to - start, from - start + 1)}`;
  });
  const chart = block([
    'gantt',
    '  dateFormat x',
    `  axisFormat ${axis(bars, start)}`,
    '  todayMarker off',
    ...lines,
  ]);
  const chainMs = (chain.at(-1)?.to ?? start) - (chain[0]?.from ?? start);
  return {chart, chain: chain.map(({image}) => image), chainMs};
}

function axis(bars: readonly Bar[], start: number): string {
  const span = Math.max(...bars.map(({to}) => to)) - start;
  return span < 3_600_000 ? '%M:%S' : '%H:%M';
}

function barOf(image: ReportedImage): Bar | undefined {
  const times = image.steps.flatMap(({startedMs, durationMs}) =>
    startedMs === undefined ? [] : [{from: startedMs, to: startedMs + durationMs}],
  );
  if (times.length === 0) return undefined;
  return {
    image: image.image,
    from: Math.round(Math.min(...times.map(({from}) => from))),
    to: Math.round(Math.max(...times.map(({to}) => to))),
  };
}

/** From the image that ended last up through the parent that ended last. */
function longestChain(planned: readonly PlannedImage[], bars: readonly Bar[]): readonly Bar[] {
  const byName = new Map(bars.map((bar) => [bar.image, bar]));
  const parents = new Map(planned.map((image) => [image.name, image.parents]));
  const latest = (names: readonly string[]): Bar | undefined =>
    names.flatMap((name) => byName.get(name) ?? []).toSorted((a, b) => b.to - a.to)[0];
  const chain: Bar[] = [];
  let bar = latest([...byName.keys()]);
  while (bar !== undefined && !chain.includes(bar)) {
    chain.unshift(bar);
    bar = latest(parents.get(bar.image) ?? []);
  }
  return chain;
}

/** Words with which a line of a gantt chart would be something else than a task. */
const gantt =
  /^(?:gantt|title|section|click|call|href|todaymarker|weekday|weekend|excludes|includes|tickinterval|dateformat|axisformat|inclusiveenddates|topaxis|acctitle|accdescr|vert)/i;

function taskName(name: string): string {
  const plain = shortened(
    plainText(name)
      .replace(/[^\p{L}\p{N} ._/-]+/gu, '_')
      .trim(),
    40,
  );
  return gantt.test(plain) || plain === '' ? `image ${plain}` : plain;
}

function block(lines: readonly string[]): string {
  return ['```mermaid', ...lines, '```'].join('\n');
}
