import {join} from 'node:path';
import {outputFolders} from '../adapters/files/index.ts';
import {addSummary, setOutputs} from '../adapters/github/output.ts';
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
import {upload} from './finish.ts';

/**
 * `mode: tag`: gives a tested set of images its stable tag, all or none (DESIGN.md section 6). Resolves with the
 * sentence that fails the step.
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function promote(run: Run): Promise<string | undefined> {
  const {inputs, log, event} = run;
  if (isFork(event)) return 'A pull request from a fork promotes nothing.';
  const request = await readTagRequest(run);
  const {source, target} = request.names;
  log.info(
    `promoting ${source} to ${target}${inputs.dryRun ? ' (dry run: nothing is moved)' : ''}`,
  );
  setOutputs({tag: target});
  // No PUT is cut short that is done in time; the tagger stops between two of them, and takes them back.
  const registry = await openRegistry(run, loginOf(run, request.stack.spec), {grace: 2});
  try {
    const {moves, refusals, warnings} = makeTagPlan(await readTagFacts(registry, request));
    for (const warning of warnings) log.warning(warning);
    log.group('Plan', tagPlanTable(moves).split('\n'));
    const promotion: Promotion = {target: inputs.target, images: moves};
    const pages = await planPages(run, promotion);
    if (run.signal.aborted) return stopped();
    const all = [...refusals, ...pages.refusals];
    if (all.length > 0) return await refuse(all);
    const report = inputs.dryRun
      ? rehearse(moves)
      : await runTagPlan(moves, {registry, signal: run.signal});
    await writePromotion(run, report, pages);
    return await conclude(run, report, {promotion, pages});
  } finally {
    await registry.close();
    await upload(run);
  }
}

function stopped(): string {
  setOutputs({outcome: 'cancelled', images: '{}'});
  return 'The promotion was cancelled before anything moved.';
}

async function refuse(refusals: readonly string[]): Promise<string> {
  setOutputs({outcome: 'failed', images: '{}'});
  const list = refusals.map((refusal) => `- ${refusal}`).join('\n');
  await addSummary(`## Nothing was promoted\n\n${list}\n`);
  return `Nothing was promoted:\n${list}`;
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
): Promise<string | undefined> {
  const {inputs, log, event} = run;
  const images = report.results.map((one) => [
    one.move.name,
    {ref: one.move.target, digest: digestAfter(one), outcome: one.state},
  ]);
  setOutputs({images: JSON.stringify(Object.fromEntries(images)), outcome: report.outcome});
  if (report.outcome !== 'passed') return sentenceOf(report);
  if (report.results.every(({state}) => state === 'unchanged'))
    log.info('Every tag is unchanged: it had its digest already.');
  if (inputs.dryRun || pages.wiki === undefined) return undefined;
  const published = await publishPromotion(pages.wiki, pages.place, {promotion, sha: event.sha});
  if (published.ok) {
    log.info(`wiki: ${pages.index.name} and the stable pages ${published.value.state}`);
    return undefined;
  }
  setOutputs({outcome: 'failed'});
  return failureText(
    'The tags stand, but the wiki was not updated. Run this again to complete it',
    published.error,
  );
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
