import type {Plan} from '../plan/index.ts';
import {formatDuration} from '../util/text.ts';
import {
  cell,
  code,
  differenceSections,
  failureSection,
  fitted,
  graph,
  help,
  imageTable,
  largestSummary,
  placeLine,
  prose,
  pullSection,
  type Section,
  shortened,
  stableSections,
  tableHead,
  tableRow,
  timeline,
  titled,
} from './markdown/index.ts';
import type {RunContext, RunFacts, StableImage} from './types.ts';
import {byImportance, counted, headline, stateWords, whyWords} from './words.ts';

const elsewhere = 'artifacts/report.json in the artifact';
/** With more of these, those that nothing happened to are folded away. */
const mostUnchanged = 10;

/** The step summary of a run: what failed first, then every image, then how it went and what changed inside. */
export function summaryPage(facts: RunFacts): string {
  const {plan, report, run} = facts;
  const images = byImportance(report.images);
  const unchanged = images.filter(({outcome}) => outcome === 'skipped');
  const isFolded = unchanged.length > mostUnchanged;
  const shown = isFolded ? images.filter(({outcome}) => outcome !== 'skipped') : images;
  const title = `## ${prose(headline(report.outcome, report.images))}`;
  const failures = failureSection(facts);
  const worthKnowing = notes(facts);
  const sections: Section[] = [
    titled(title, placeLine(run, plan.tag)),
    failures,
    ...(failures.rows.length === 0 ? [] : [help]),
    ...worthKnowing,
    ...(failures.rows.length + worthKnowing.length > 0 ? [titled('### Images')] : []),
    imageTable(facts, shown),
    ...(isFolded
      ? [folding(`${counted(unchanged.length, 'image')} unchanged`, imageTable(facts, unchanged))]
      : []),
    ...drawings(facts),
    ...differenceSections(facts),
    pullSection(report.images),
  ];
  return fitted(sections, largestSummary, elsewhere);
}

/** A section that is folded away with its heading. */
function folding(title: string, section: Section): Section {
  const {head = ''} = section;
  return {
    ...section,
    head: `<details><summary>${title}</summary>\n\n${head}`,
    foot: '\n</details>',
  };
}

function notes({notes = [], details}: RunFacts): readonly Section[] {
  const lines = [
    ...notes.map((note) => `- ${prose(note)}`),
    ...[...(details ?? [])].flatMap(([image, {notes: own = []}]) =>
      own.map((note) => `- ${code(image)}: ${prose(note)}`),
    ),
  ];
  return lines.length === 0
    ? []
    : [{head: '### Worth knowing\n', rows: lines, of: 'notes', most: 64 * 1024}];
}

function drawings({plan, report}: RunFacts): readonly Section[] {
  const nodes = report.images.map((image) => ({
    image: image.image,
    outcome: image.outcome,
    words: stateWords(image),
  }));
  const timed = timeline(plan.images, report.images);
  const longest =
    timed &&
    `The longest chain, ${prose(timed.chain.join(' → '))}, took ${formatDuration(timed.chainMs)}.\n\n${timed.chart}`;
  return [
    ...drawing('How the images depend on each other', graph(plan.images, nodes)),
    ...drawing('Where the time went', longest),
  ];
}

function drawing(title: string, body: string | undefined): readonly Section[] {
  return body === undefined ? [] : [{head: `### ${title}\n\n${body}`, rows: [], of: ''}];
}

const actions = {
  build: {words: 'build', outcome: 'built'},
  test: {words: 'test again', outcome: 'built'},
  reuse: {words: 'reuse', outcome: 'reused'},
  skip: {words: 'nothing to do', outcome: 'skipped'},
} as const;

/** What is known beside a plan. */
export interface PlanFacts {
  readonly run?: RunContext;
  /** By the name of the image. */
  readonly stable?: ReadonlyMap<string, StableImage>;
  /** What the registry gave no answer about. */
  readonly unknown?: readonly string[];
}

/** The step summary of `mode: plan` and of a dry run. */
export function planSummaryPage(
  {images, tag}: Plan,
  {run, stable, unknown = []}: PlanFacts = {},
): string {
  const busy = images.filter(({action}) => action !== 'skip');
  const idle = images.filter(({action}) => action === 'skip');
  const isFolded = idle.length > mostUnchanged;
  const all = counted(images.length, 'image');
  const title =
    busy.length === 0
      ? `Plan: nothing to do for ${all}`
      : `Plan: ${busy.length} of ${all} to build, test or tag`;
  const nodes = images.map(({name, action}) => ({
    image: name,
    outcome: actions[action].outcome,
    words: actions[action].words,
  }));
  const sections: Section[] = [
    titled(`## ${title}`, placeLine(run, tag), 'Nothing was built: this is what a run would do.'),
    {
      rows: unknown.map((line) => `- The registry could not be queried: ${prose(line)}`),
      of: 'causes',
    },
    planTable(isFolded ? busy : [...busy, ...idle]),
    ...(isFolded
      ? [folding(`${counted(idle.length, 'image')} with nothing to do`, planTable(idle))]
      : []),
    ...drawing('How the images depend on each other', graph(images, nodes)),
    ...(stable === undefined ? [] : stableSections(stable)),
  ];
  return fitted(sections, largestSummary, 'the log of this job');
}

function planTable(images: Plan['images']): Section {
  if (images.length === 0) return {rows: [], of: 'images'};
  const rows = images.map((image) =>
    tableRow([
      actions[image.action].words,
      code(image.name),
      cell(shortened(whyWords(image), 240)),
    ]),
  );
  return {head: tableHead(['Action', 'Image', 'Why']), rows, of: 'images'};
}
