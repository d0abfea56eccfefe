import {join} from 'node:path';
import {outputFolders} from '../adapters/files/index.ts';
import {addSummary} from '../adapters/github/output.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {failureText} from '../failure.ts';
import {
  digestAfter,
  makeTagPlan,
  promotionFile,
  readTagFacts,
  readTagRequest,
  runTagPlan,
  shownBefore,
  type TagMove,
  type TagReport,
  type TagState,
  tagPlanTable,
  tagReportTable,
} from '../promote/index.ts';
import {isFork, loginOf, type Run} from '../run/index.ts';
import {type Promotion, planPages, publishPromotion, type WikiPlan} from '../wiki/index.ts';
import {openRegistry} from './adapters.ts';
import type {ModeEnd} from './end.ts';
import {upload} from './finish.ts';

/**
 * `mode: tag`: gives a tested set of images its stable tag, all or none .
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function promote(run: Run): Promise<ModeEnd> {
  const {inputs, log, event} = run;
  if (isFork(event)) {
    const sentence = 'Pull requests from forks cannot promote images.';
    return {outcome: 'failed', sentence, outputs: {}};
  }
  const request = await readTagRequest(run);
  const {source, target} = request.names;
  log.info(
    `promoting ${source} to ${target}${inputs.dryRun ? ' (dry run: nothing is moved)' : ''}`,
  );
  // No PUT is cut short that is done in time; the tagger stops between two of them, and takes them back.
  const registry = await openRegistry(run, loginOf(run, request.stack.spec), {grace: 2});
  try {
    const end = await moveTags(run, request, registry).catch(async (error: unknown) => {
      await upload(run);
      throw error;
    });
    return {...end, outputs: {tag: target, ...end.outputs, ...(await upload(run))}};
  } finally {
    await registry.close();
  }
}

async function moveTags(
  run: Run,
  request: Awaited<ReturnType<typeof readTagRequest>>,
  registry: Registry,
): Promise<ModeEnd> {
  const {inputs, log} = run;
  const {moves, refusals, warnings} = makeTagPlan(await readTagFacts(registry, request));
  for (const warning of warnings) log.warning(warning);
  log.group('Plan', tagPlanTable(moves).split('\n'));
  const promotion: Promotion = {target: inputs.target, images: moves};
  const pages = await planPages(run, promotion);
  if (run.signal.aborted) return stopped();
  const all = [...refusals, ...pages.refusals];
  if (all.length > 0) return await refuse(run, all);
  const report = inputs.dryRun
    ? rehearse(moves)
    : await runTagPlan(moves, {registry, signal: run.signal});
  await writePromotion(run, report, pages);
  return await conclude(run, report, {promotion, pages});
}

function stopped(): ModeEnd {
  const sentence = 'The promotion was cancelled before anything moved.';
  return {outcome: 'cancelled', sentence, outputs: {images: '{}'}};
}

async function refuse({mask}: Run, refusals: readonly string[]): Promise<ModeEnd> {
  const list = refusals.map((refusal) => `- ${refusal}`).join('\n');
  await addSummary(`## Nothing was promoted\n\n${list}\n`, mask);
  return {outcome: 'failed', sentence: `Nothing was promoted:\n${list}`, outputs: {images: '{}'}};
}

function rehearse(moves: readonly TagMove[]): TagReport {
  const results = moves.map((move) => ({
    move,
    shows: shownBefore(move),
    state: move.before === move.digest ? ('unchanged' as const) : ('untouched' as const),
    failure: undefined,
  }));
  return {outcome: 'passed', results};
}

async function writePromotion(run: Run, report: TagReport, pages: WikiPlan): Promise<void> {
  const {workspace, inputs, log} = run;
  const {artifacts} = outputFolders;
  const lines = (refs: readonly string[]): string => refs.map((ref) => `${ref}\n`).join('');
  const [original, tagged] =
    inputs.target === 'stable'
      ? ['IMAGES_ORIGINAL', 'IMAGES_TAGGED']
      : ['IMAGES_ORIGINAL_STABLE', 'IMAGES_GLOBAL_STABLE'];
  const moves = report.results.map(({move}) => move);
  await workspace.write(join(artifacts, original), lines(moves.map(({source}) => source)));
  await workspace.write(join(artifacts, 'promotion.json'), promotionFile(report, inputs.dryRun));
  log.group('Result', tagReportTable(report).split('\n'));
  await addSummary(
    `## ${inputs.dryRun ? 'Dry run' : 'Promotion'}: ${report.outcome}\n\n${tagPlanTable(moves)}\n\n${tagReportTable(report)}\n`,
    run.mask,
  );
  if (report.outcome !== 'passed') return;
  await workspace.write(join(artifacts, tagged), lines(moves.map(({target}) => target)));
  await workspace.write(join(artifacts, pages.index.name), pages.index.text);
}

interface Conclusion {
  readonly promotion: Promotion;
  readonly pages: WikiPlan;
}

async function conclude(
  run: Run,
  report: TagReport,
  {promotion, pages}: Conclusion,
): Promise<ModeEnd> {
  const {inputs, log, event} = run;
  const images = report.results.map((one) => [
    one.move.name,
    {ref: one.move.target, digest: digestAfter(one), outcome: one.state},
  ]);
  const {outcome} = report;
  const outputs = {images: JSON.stringify(Object.fromEntries(images))};
  if (outcome !== 'passed') return {outcome, sentence: sentenceOf(report), outputs};
  if (report.results.every(({state}) => state === 'unchanged'))
    log.info('Every tag is unchanged: it had its digest already.');
  if (inputs.dryRun || pages.wiki === undefined) return {outcome, outputs};
  const published = await publishPromotion(pages.wiki, pages.place, {promotion, sha: event.sha});
  if (published.ok) {
    log.info(`wiki: ${pages.index.name} and the stable pages ${published.value.state}`);
    return {outcome, outputs};
  }
  const sentence = failureText(
    'The tags were moved, but the wiki could not be updated. Re-run the job to complete it',
    published.error,
  );
  return {outcome: 'failed', sentence, outputs};
}

function sentenceOf({outcome, results}: TagReport): string {
  const causes = results.flatMap(({failure}) => (failure === undefined ? [] : [failure.message]));
  const inState = (wanted: TagState): string =>
    results
      .filter(({state}) => state === wanted)
      .map(({move}) => move.target)
      .join(', ');
  const [standing, unknown] = [inState('standing'), inState('unknown')];
  const ends = [
    ...(standing === '' ? [] : [`These tags still show the new digest: ${standing}.`]),
    ...(unknown === '' ? [] : [`What these tags show, the registry does not say: ${unknown}.`]),
  ];
  const start = outcome === 'cancelled' ? 'The promotion was cancelled.' : 'The promotion failed.';
  const all = ends.length === 0 ? ['No tag of this set shows a new digest.'] : ends;
  return [start, ...new Set(causes), ...all].join(' ');
}
