import type {Presence} from '../adapters/registry/index.ts';
import {fail, ok, type Result} from '../failure.ts';
import {parseReference} from '../image/reference.ts';
import {digestIn} from './presence.ts';
import type {TagMove, TagReport, TagState} from './types.ts';

/** What `artifacts/promotion.json` holds: enough to undo a promotion, or to tell where a killed one stopped. */
export interface PromotionFile {
  readonly schema: 1;
  /** `owner/name` on GitHub. */
  readonly repository: string;
  readonly run: string;
  readonly commit: string;
  readonly target: 'stable' | 'global-stable';
  /** The tag that the set was to get, without the variants of images; undefined in a file that does not have it. */
  readonly tag: string | undefined;
  readonly dryRun: boolean;
  readonly outcome: TagReport['outcome'] | 'begun';
  readonly images: readonly PromotedTag[];
}

export interface PromotedTag {
  readonly image: string;
  readonly source: string;
  readonly ref: string;
  /** Undefined: the tag did not exist. */
  readonly before: string | undefined;
  /** What the run set it to, or was to; undefined: it was to be deleted. */
  readonly after: string | undefined;
  /** A further tag of `tag.extra`. */
  readonly isExtra: boolean;
  readonly outcome: TagState | 'begun';
  readonly message: string | undefined;
}

/** Which run of what. */
export type PromotionRun = Pick<
  PromotionFile,
  'repository' | 'run' | 'commit' | 'target' | 'tag' | 'dryRun'
>;

/** The file as it is before the first tag moves. */
export function begunPromotion(run: PromotionRun, moves: readonly TagMove[]): PromotionFile {
  return {
    ...run,
    schema: 1,
    outcome: 'begun',
    images: moves.map((move) => ({...tagOf(move), outcome: 'begun', message: undefined})),
  };
}

/** The file when all is over. */
export function donePromotion(run: PromotionRun, report: TagReport): PromotionFile {
  return {
    ...run,
    schema: 1,
    outcome: report.outcome,
    images: report.results.map(({move, state, failure}) => ({
      ...tagOf(move),
      outcome: state,
      message: failure?.message,
    })),
  };
}

function tagOf({name, source, target, before, after, isExtra}: TagMove) {
  return {
    image: name,
    source,
    ref: target,
    before: before?.digest,
    after: after?.digest,
    isExtra,
  };
}

export function promotionText({dryRun, images, ...file}: PromotionFile): string {
  const value = {
    schema: file.schema,
    repository: file.repository,
    run: file.run,
    commit: file.commit,
    target: file.target,
    tag: file.tag,
    dry_run: dryRun,
    outcome: file.outcome,
    images: images.map(({before, after, message, isExtra, ...image}) => ({
      ...image,
      before: before ?? null,
      after: after ?? null,
      ...(isExtra ? {extra: true} : {}),
      ...(message === undefined ? {} : {message}),
    })),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Larger than any stack makes one. */
export const largestPromotionFile = 4_000_000;

/** Reads such a file. `path` is for the words; the sentence names the place. */
export function parsePromotion(text: string, path: string): Result<PromotionFile, string> {
  const bad = (what: string) => fail(`${path}: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad('is not valid JSON. Use the promotion.json of the artifact of a "mode: tag" run.');
  }
  if (!isObject(value) || value['schema'] === undefined)
    return bad('is not a promotion.json: it has no "schema".');
  const {schema, repository, run, commit, target, tag, outcome = 'passed', images} = value;
  if (schema !== 1)
    return bad(
      `has schema ${JSON.stringify(schema)}, but this version of the action reads schema 1.`,
    );
  if (typeof repository !== 'string' || typeof run !== 'string' || typeof commit !== 'string')
    return bad('"repository", "run" and "commit" must be text.');
  if (target !== 'stable' && target !== 'global-stable')
    return bad('"target" must be "stable" or "global-stable".');
  const known = outcomes.find((one) => one === outcome);
  if (known === undefined) return bad(`"outcome" must be one of: ${outcomes.join(', ')}.`);
  if (!Array.isArray(images)) return bad('"images" must be a list.');
  const tags: PromotedTag[] = [];
  for (const [index, image] of images.entries()) {
    const tag = parseTag(image);
    if (!tag.ok) return bad(`images[${index}]: ${tag.error}`);
    tags.push(tag.value);
  }
  const twice = tags.find(({ref}, index) => tags.findIndex((one) => one.ref === ref) < index);
  if (twice !== undefined) return bad(`${twice.ref} is listed twice.`);
  const dryRun = value['dry_run'] === true;
  return ok({
    schema,
    repository,
    run,
    commit,
    target,
    tag: textOf(tag),
    dryRun,
    outcome: known,
    images: tags,
  });
}

const outcomes = ['begun', 'passed', 'failed', 'cancelled'] as const;
const tagOutcomes = [
  'begun',
  'unchanged',
  'moved',
  'deleted',
  'restored',
  'standing',
  'untouched',
  'conflict',
  'failed',
  'unknown',
] as const satisfies readonly PromotedTag['outcome'][];

const digestPattern = /^sha256:[0-9a-f]{64}$/;

function parseTag(value: unknown): Result<PromotedTag, string> {
  if (!isObject(value)) return fail('must be an object.');
  const {image, source, ref, before, after, message} = value;
  const parsed = typeof ref === 'string' ? parseReference(ref) : undefined;
  if (typeof ref !== 'string' || parsed?.tag === undefined || parsed.digest !== undefined)
    return fail('"ref" must be a reference with a tag, for example ghcr.io/owner/image:stable.');
  const isDigest = (digest: unknown): boolean =>
    digest === null || (typeof digest === 'string' && digestPattern.test(digest));
  if (!isDigest(before) || !isDigest(after))
    return fail('"before" and "after" must be digests (sha256:…) or null.');
  const outcome = tagOutcomes.find((one) => one === value['outcome']);
  if (outcome === undefined) return fail(`"outcome" must be one of: ${tagOutcomes.join(', ')}.`);
  return ok({
    image: textOf(image) ?? ref,
    source: textOf(source) ?? ref,
    ref,
    before: textOf(before),
    after: textOf(after),
    isExtra: value['extra'] === true,
    outcome,
    message: textOf(message),
  });
}

function textOf(part: unknown): string | undefined {
  return typeof part === 'string' ? part : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What a promotion that was killed left behind: a line for each tag, and how to go on. Empty for one that reported
 * by itself. `lookups` are by reference; one that is missing was not asked.
 */
export function tellInterrupted(
  promotion: PromotionFile,
  lookups: ReadonlyMap<string, Presence>,
): readonly string[] {
  if (promotion.outcome !== 'begun' || promotion.dryRun) return [];
  const states = promotion.images.map((tag) => ({tag, ...standingOf(tag, lookups.get(tag.ref))}));
  const isDone = states.every(({isMoved}) => isMoved);
  return [
    `The promotion to ${promotion.target} was interrupted before it could report. Its tags now:`,
    ...states.map(({tag, words}) => `${tag.ref} ${words}`),
    isDone
      ? 'All tags were moved, but not checked again, and the wiki may not be updated. Re-run the job to complete the promotion, or set "restore" to this promotion.json to undo it.'
      : 'Re-run the job to complete the promotion, or set "restore" to this promotion.json to undo it.',
  ];
}

function standingOf(
  {before, after}: PromotedTag,
  shown: Presence | undefined,
): {readonly words: string; readonly isMoved: boolean} {
  if (shown === undefined || shown.state === 'unknown') {
    const because = shown === undefined ? '' : `: ${shown.because}`;
    return {words: `could not be read${because}`, isMoved: false};
  }
  const digest = digestIn(shown);
  const now = digest === undefined ? 'does not exist' : `points to ${digest}`;
  if (digest === after)
    return {
      words: `${now} (${before === after ? 'unchanged' : 'as this promotion wants it'})`,
      isMoved: true,
    };
  if (digest === before) return {words: `${now} (as before: not moved yet)`, isMoved: false};
  return {words: `${now} (moved by someone else)`, isMoved: false};
}
