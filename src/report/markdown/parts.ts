import {docsUrl} from '../../util/text.ts';
import type {Difference, PackageChange, ReportedImage, RunContext, RunFacts} from '../types.ts';
import {
  byImportance,
  changeWords,
  culpritOf,
  dockerfilesOf,
  type FailureWords,
  failureWords,
  notDoneWords,
  sizeWords,
  stateWords,
  testWords,
  timeWords,
  whyWords,
} from '../words.ts';
import type {Section} from './budget.ts';
import {
  block,
  blockLine,
  cell,
  code,
  fenceLength,
  folded,
  link,
  prose,
  shortened,
  unbroken,
} from './text.ts';

/** The last lines of a program that failed are shown for so many images, and so many lines of each. */
const most = {tails: 20, tailLines: 20, packages: 100, failureBytes: 512 * 1024} as const;

/** A heading with the paragraphs below it. */
export function titled(title: string, ...paragraphs: readonly string[]): Section {
  const head = [title, ...paragraphs].filter((line) => line !== '').join('\n\n');
  return {head, rows: [], of: ''};
}

/** Where messages are explained. */
export const help: Section = {
  head: `${link('What messages mean, and what to do', docsUrl('troubleshooting'))}`,
  rows: [],
  of: '',
};

export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

export function tableHead(names: readonly string[]): string {
  return [tableRow(names), tableRow(names.map(() => '---'))].join('\n');
}

/** Where this run comes from and where its things are, on one line. */
export function placeLine(run: RunContext = {}, tag?: string): string {
  const {event, branch, commit, runUrl, runId, attempt = 1, artifactUrl, wikiUrl} = run;
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  const parts = [
    ...(tag === undefined ? [] : [`Tag ${code(tag)}`]),
    ...(event === undefined
      ? []
      : [`${prose(event)}${branch === undefined ? '' : ` of ${code(branch)}`}`]),
    ...(commit === undefined ? [] : [commitWords(commit)]),
    ...(runUrl === undefined
      ? []
      : [`${link(`run ${prose(runId ?? '')}`.trim(), runUrl)}${again}`]),
    ...(artifactUrl === undefined ? [] : [link('artifact', artifactUrl)]),
    ...(wikiUrl === undefined ? [] : [link('wiki', wikiUrl)]),
  ];
  return parts.join(' · ');
}

function commitWords({sha, url, subject}: NonNullable<RunContext['commit']>): string {
  const short = link(code(sha.slice(0, 7)), url);
  return subject === undefined
    ? `commit ${short}`
    : `commit ${short} ${prose(shortened(subject, 100))}`;
}

/** What failed: image, step, cause, what to do, the last lines. */
export function failureSection({plan, report, run}: RunFacts): Section {
  const dockerfiles = dockerfilesOf(plan);
  const failed = report.images.flatMap((image) => {
    const words =
      image.outcome === 'failed' ? failureWords(image, dockerfiles.get(image.image)) : undefined;
    return words === undefined ? [] : [{image, words}];
  });
  const isHard = ({image}: {image: ReportedImage}): number => (image.allowedFailure ? 1 : 0);
  const rows = failed
    .toSorted((a, b) => isHard(a) - isHard(b))
    .map(({image, words}, index) =>
      failureBlock(image, words, {hasTail: index < most.tails, log: run?.runUrl}),
    );
  return {
    ...(rows.length === 0 ? {} : {head: '### What failed\n'}),
    rows,
    of: 'failures',
    most: most.failureBytes,
  };
}

export function failureBlock(
  image: ReportedImage,
  {step, cause, hint, place, tail}: FailureWords,
  {hasTail, log}: {readonly hasTail: boolean; readonly log: string | undefined},
): string {
  const where = place === undefined ? '' : ` at ${code(`${place.file}:${place.line}`)}`;
  const allowed = image.allowedFailure ? ' (allowed to fail)' : '';
  const shown = tail.slice(-most.tailLines);
  return [
    `**${code(image.image)}: ${step} failed**${allowed}${where}`,
    `> ${prose(shortened(cause, 600))}`,
    ...(hint === undefined ? [] : [`**What to do:** ${prose(shortened(hint, 600))}`]),
    ...(hasTail && shown.length > 0
      ? [
          folded(
            `Last ${shown.length === 1 ? 'line' : `${shown.length} lines`} of the output`,
            block(shown.map((line) => blockLine(line, 300))),
          ),
        ]
      : []),
    ...(log === undefined ? [] : [link('Log of this run', log)]),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** One row for each image, in the order given. */
export function imageTable(
  {plan, report, details}: RunFacts,
  images: readonly ReportedImage[],
): Section {
  const planned = new Map(plan.images.map((image) => [image.name, image]));
  const culprit = culpritOf(report.outcome, report.images);
  const rows = images.map((image) => {
    const known = planned.get(image.image);
    const own = details?.get(image.image);
    const why = notDoneWords(image, known?.parents, culprit) ?? whyWords(known);
    return tableRow([
      image.outcome === 'failed' ? `**${stateWords(image)}**` : stateWords(image),
      link(code(shortened(image.image, 120)), own?.url),
      cell(shortened(why, 240)),
      testWords(image) ?? '',
      unbroken(timeWords(image)),
      sizeWords(image.size, own?.difference?.sizeChange).replace(/ (?=[kMGT]?B)/g, '&nbsp;'),
    ]);
  });
  return {...(rows.length === 0 ? {} : {head: tableHead(columns)}), rows, of: 'images'};
}

const columns = ['State', 'Image', 'Why', 'Tests', 'Time', 'Size'];

/** What changed inside the images, folded, one table for each. */
export function differenceSections({report, details}: RunFacts): readonly Section[] {
  const differences = byImportance(report.images).map(
    ({image}) => [image, details?.get(image)?.difference] as const,
  );
  return changeSections('What changed inside the images', differences);
}

/** The same under a title of its own. */
export function changeSections(
  title: string,
  differences: readonly (readonly [string, Difference | undefined])[],
): readonly Section[] {
  const rows = differences.flatMap(([image, difference]) =>
    difference === undefined || isNothing(difference) ? [] : [differenceBlock(image, difference)],
  );
  if (rows.length === 0) return [];
  return [{head: `### ${title}\n`, rows, of: 'images', most: 256 * 1024}];
}

function isNothing({packages, base, sizeChange}: Difference): boolean {
  return packages.length === 0 && base === undefined && (sizeChange ?? 0) === 0;
}

function differenceBlock(
  image: string,
  {against, compared, packages, base, sizeChange, inherited = []}: Difference,
): string {
  const shown = packages.slice(0, most.packages);
  const size = sizeChange === undefined || sizeChange === 0 ? '' : `, ${changeWords(sizeChange)}`;
  const body = [
    `Compared with ${code(against)}.`,
    ...(base === undefined
      ? []
      : [`The base image moved from ${code(base.before)} to ${code(base.after)}.`]),
    ...(inherited.length === 0
      ? []
      : [`It also has the changes of ${inherited.map(code).join(', ')}, which are listed there.`]),
    ...(compared.length > 0
      ? []
      : ['Packages were not compared: no info command lists them in both images.']),
    ...(shown.length === 0
      ? []
      : [[tableHead(['Package', 'Before', 'After', 'Of']), ...shown.map(packageRow)].join('\n')]),
    ...(packages.length > shown.length
      ? [`… and ${packages.length - shown.length} more packages.`]
      : []),
  ];
  const nothing =
    compared.length === 0
      ? 'packages not compared'
      : inherited.length > 0
        ? 'no package of its own changed'
        : 'same packages';
  const what = packageWords(packages, base !== undefined) ?? nothing;
  return `${folded(`${code(image)}: ${what}${size}`, body.join('\n\n'))}\n`;
}

function packageRow({manager, name, before, after}: PackageChange): string {
  const version = (text: string | undefined, none: string): string =>
    text === undefined ? none : code(shortened(text, 60));
  return tableRow([
    code(shortened(name, 80)),
    version(before, 'added'),
    version(after, 'removed'),
    cell(manager),
  ]);
}

/** `2 packages changed, 1 added`; undefined for nothing. */
function packageWords(packages: readonly PackageChange[], baseMoved: boolean): string | undefined {
  const count = (of: (change: PackageChange) => boolean): number => packages.filter(of).length;
  const added = count(({before}) => before === undefined);
  const removed = count(({after}) => after === undefined);
  const changed = packages.length - added - removed;
  const parts = [
    ...(changed > 0 ? [`${changed} ${changed === 1 ? 'package' : 'packages'} changed`] : []),
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(baseMoved ? ['base image moved'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** `docker pull` for everything that is in the registry, folded; the only place for digests. */
export function pullSection(images: readonly ReportedImage[]): Section {
  const rows = images.flatMap(({ref, digest, outcome}) =>
    digest === undefined || outcome === 'failed' || outcome === 'blocked' || outcome === 'cancelled'
      ? []
      : [`docker pull ${plainLine(ref)}  # sha256:${shortDigest(digest)}`],
  );
  return foldedLines('Pull these images', rows, 'images');
}

export function references(lines: readonly string[]): Section {
  return foldedLines('References', lines.map(plainLine), 'references');
}

function foldedLines(title: string, rows: readonly string[], of: string): Section {
  if (rows.length === 0) return {rows, of};
  const fence = '`'.repeat(fenceLength(rows));
  return {
    head: `<details><summary>${title}</summary>\n\n${fence}sh`,
    rows,
    foot: `${fence}\n\n</details>`,
    of,
  };
}

function plainLine(text: string): string {
  return blockLine(text, 1000);
}

/** Twelve hex digits, as docker shows them. */
export function shortDigest(digest: string): string {
  return plainLine(digest)
    .replace(/^sha256:/, '')
    .slice(0, 12);
}
