import type {Difference, ImageFacts} from '../record/index.ts';
import {codeCell} from '../util/markdown.ts';
import {formatBytes, formatDuration} from '../util/text.ts';
import {differenceSection} from './difference.ts';
import {infoSection} from './info.ts';
import {layerTable} from './layers.ts';
import {counted, link, words} from './words.ts';

export {differenceSection} from './difference.ts';
export {
  type InfoRequest,
  type InfoResult,
  recordedInfo,
  runInfoCommands,
} from './info-commands.ts';

export interface PageOptions {
  /** What the page is the page of, where that is not the reference of the build: a stable tag. */
  readonly reference?: string;
  /** Against an earlier image; without what its parents' pages tell. */
  readonly difference?: Difference;
  /** The wiki page to link back to, for example `Home`. */
  readonly home?: string;
  /** The wiki page with the history of builds. */
  readonly builds?: string;
}

/**
 * The page of one image, in Markdown.
 * Enters: the facts of an image (those of its record, or those of a fresh build), and what changed.
 * Leaves: the page; nothing in it can break out. Also what the info commands of an image printed, for the record.
 * Not here: the registry, packages and comparing (record/), files and the wiki (build/steps/, wiki/).
 */
export function manifestPage(facts: ImageFacts, options: PageOptions = {}): string {
  const reference = options.reference ?? facts.reference;
  const {difference, home, builds} = options;
  const links = [
    ...(home === undefined ? [] : [link('All images', home)]),
    ...(builds === undefined ? [] : [link('All builds', builds)]),
  ];
  return [
    `# ${words(reference)}`,
    '',
    ...(links.length === 0 ? [] : [links.join(' · '), '']),
    ...factLines(facts, reference),
    '',
    ...(difference === undefined ? [] : differenceSection(difference)),
    '## Layers',
    '',
    ...layerTable(facts.layers),
    '',
    ...facts.info.flatMap(infoSection),
  ].join('\n');
}

function factLines(facts: ImageFacts, reference: string): readonly string[] {
  const {digest, platforms, base, parents, run, created, seconds, fingerprint} = facts;
  const layers = facts.layers.filter(({size, diffId}) => size > 0 || diffId !== undefined);
  const built = [
    ...(created === undefined ? [] : [words(created)]),
    ...(seconds.build === undefined ? [] : [`in ${formatDuration(seconds.build * 1000)}`]),
  ];
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Reference', codeCell(reference)],
    ['Digest', digest && codeCell(digest)],
    ['Promoted from', reference === facts.reference ? undefined : codeCell(facts.reference)],
    ['Size', `${formatBytes(facts.size)} in ${counted(layers.length, 'layer')}`],
    ['Platform', platforms.map(words).join(', ')],
    ['Base image', base && codeCell(byDigest(base))],
    ['Built on', parents.map((parent) => codeCell(byDigest(parent))).join(', ')],
    ['Commit', commitWords(facts)],
    ['Run', run && link(`${run.id}${attemptWords(run.attempt)}`, run.url)],
    ['Built', built.join(' ')],
    ['Tests', facts.tests && testWords(facts.tests)],
    ['Fingerprint', fingerprint && codeCell(fingerprint)],
  ];
  return lines.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`- ${name}: ${value}`],
  );
}

function byDigest({reference, digest}: {reference: string; digest: string}): string {
  return reference.includes('@') ? reference : `${reference}@${digest}`;
}

function attemptWords(attempt: number): string {
  return attempt > 1 ? `, attempt ${attempt}` : '';
}

function commitWords({commit, subject = '', source}: ImageFacts): string | undefined {
  if (commit === undefined || commit === '') return undefined;
  const short = codeCell(commit.slice(0, 7));
  const linked =
    source === undefined || !/^[0-9a-f]{7,64}$/.test(commit)
      ? codeCell(commit)
      : link(short, `${source}/commit/${commit}`, {isMarkdown: true});
  return subject === '' ? linked : `${linked} ${words(subject.slice(0, 200))}`;
}

function testWords({verdict, none, counts, run}: NonNullable<ImageFacts['tests']>): string {
  const where = `(${link(`run ${run.id}${attemptWords(run.attempt)}`, run.url)})`;
  if (none === true) return `no tests ${where}`;
  if (counts === undefined) return `${verdict} ${where}`;
  const {passed, failed, skipped} = counts;
  return `${verdict}: ${passed} passed, ${failed} failed, ${skipped} skipped ${where}`;
}
