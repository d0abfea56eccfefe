import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Wiki} from '../adapters/git/index.ts';
import {saveState} from '../adapters/github/output.ts';
import type {Registry} from '../adapters/registry/index.ts';
import {failureText} from '../failure.ts';
import {outputFolders} from '../image/files.ts';
import {parseReference, repositoryOf} from '../image/reference.ts';
import {manifestPage} from '../page/index.ts';
import {
  begunPromotion,
  digestAfter,
  donePromotion,
  type FactPorts,
  loadPromotedStack,
  makeTagPlan,
  type PromotionFile,
  type PromotionRun,
  promotionText,
  readTagFacts,
  readTagRequest,
  rehearseTagPlan,
  runTagPlan,
  sentenceOf,
  type TagMove,
  type TagReport,
} from '../promote/index.ts';
import {type RecordRegistry, readRecord, recordAt} from '../record/index.ts';
import {promotionSummaryPage, tagPlanLines, tagReportLines} from '../report/index.ts';
import {isFork, loginsOf, type Run} from '../run/index.ts';
import {fillExtraTags, type Spec} from '../stack/spec/index.ts';
import {type Promotion, publishPromotion, type RenderPage, type WikiPlan} from '../wiki/index.ts';
import type {ModeEnd} from './end.ts';
import {tell} from './finish.ts';
import {nothingDone} from './refused.ts';
import {planRestoration, readRestoreRequest, type Wish} from './restore.ts';
import {openRegistry} from './setup/adapters.ts';
import {hashCheckout} from './setup/checkout.ts';
import {planWiki, wikiOf} from './wiki.ts';

/**
 * `mode: tag`: gives a tested set of images its stable tag, or undoes that, with the input `restore`.
 * @throws {SpecError | InputError} for mistakes of the user
 */
export async function promote(run: Run): Promise<ModeEnd> {
  if (isFork(run.event)) {
    return await refuse(run, ['Pull requests from forks cannot promote images.']);
  }
  const {restore} = run.inputs;
  if (restore === undefined) {
    const request = await readTagRequest(
      run,
      (stack) => (image, revision) =>
        fillExtraTags(stack.spec.extraTags.stable, image, {
          now: new Date(),
          sha: revision ?? run.event.headSha,
        }),
    );
    const {source, target} = request.names;
    run.log.info(`promoting ${source} to ${target}${dryRunNote(run)}`);
    const end = await withRegistry(run, request.stack.spec, async (ports) => {
      const checkedOut = await hashCheckout(run, request.stack, source);
      const {facts, warnings} = await readTagFacts(ports, request, checkedOut);
      const plan = makeTagPlan(facts);
      const images = plan.moves.filter(({isExtra}) => !isExtra);
      return {
        what: 'promotion',
        source,
        tag: target,
        target: run.inputs.target,
        plan: {...plan, warnings: [...warnings, ...plan.warnings]},
        promotion: {target: run.inputs.target, images: images.flatMap(promotedImage)},
      };
    });
    return {...end, outputs: {tag: target, ...end.outputs}};
  }
  const stack = await loadPromotedStack(run);
  const request = await readRestoreRequest(run, stack, restore);
  if (!request.ok) return await refuse(run, request.error.split('\n'));
  run.log.info(`undoing the promotion in ${restore}${dryRunNote(run)}`);
  return withRegistry(run, stack.spec, (ports) => planRestoration(ports, request.value));
}

function dryRunNote({inputs}: Run): string {
  return inputs.dryRun ? ' (dry run: nothing is moved)' : '';
}

function promotedImage({source, target, after, revision}: TagMove): Promotion['images'] {
  return after === undefined ? [] : [{source, target, digest: after.digest, revision}];
}

async function withRegistry(
  run: Run,
  spec: Spec,
  wishFor: (ports: FactPorts) => Promise<Wish>,
): Promise<ModeEnd> {
  // No PUT is cut short that is done in time; a promotion stops between two of them, and takes them back.
  const logins = loginsOf(run.inputs, run.event, spec);
  const registry = openRegistry(run, {logins}, {grace: 2});
  const wiki = run.inputs.wiki === 'false' ? undefined : wikiOf(run);
  // The registry is asked meanwhile.
  wiki?.prepare();
  try {
    const ports: FactPorts = {
      registry,
      readRecord: (image) => readRecord(registry, image),
      tags: registry.tags,
      // A real run asks with its first PUT; nothing is lost when that is refused.
      ...(run.inputs.dryRun ? {mayPush: registry.mayPush} : {}),
    };
    return await fulfil(run, {registry, wiki}, await wishFor(ports));
  } finally {
    await Promise.all([registry.close(), wiki?.close()]);
  }
}

async function fulfil(
  run: Run,
  {registry, wiki}: {readonly registry: Registry; readonly wiki: Wiki | undefined},
  wish: Wish,
): Promise<ModeEnd> {
  const {inputs, log, signal} = run;
  const {moves, refusals, warnings} = wish.plan;
  for (const warning of warnings) log.warning(warning);
  log.group('Plan', tagPlanLines(moves));
  const pages = await planWiki(run, wiki, {
    promotion: wish.promotion,
    renderPage: renderFrom(registry),
  });
  if (signal.aborted) return await stopped(run, wish);
  const all = [...refusals, ...pages.refusals];
  if (all.length > 0) return await refuse(run, all);
  const promotionRun = promotionRunOf(run, wish);
  if (!inputs.dryRun) {
    // Before the first tag moves: should this run be killed, the post step can tell which tags point where.
    await writePromotion(run, begunPromotion(promotionRun, moves));
    saveState('promotion', run.workspace.path(promotionPath));
  }
  const clock = {now: () => performance.now(), wait: (milliseconds: number) => sleep(milliseconds)};
  const holdsSources = wish.what === 'promotion' && wish.target === 'global-stable';
  const report = inputs.dryRun
    ? rehearseTagPlan(moves)
    : await runTagPlan(moves, {registry, signal, clock, holdsSources});
  await writePromotion(run, donePromotion(promotionRun, report));
  await writeLists(run, report, {pages, target: wish.target});
  const {problem, ...end} = await conclude(run, report, {wish, pages});
  const {outputs} = await tell(run, (context) =>
    promotionSummaryPage({
      report,
      source: wish.source,
      target: wish.tag ?? wish.target,
      dryRun: inputs.dryRun,
      warnings,
      ...(problem === undefined ? {} : {problem}),
      run: context,
    }),
  );
  return {...end, outputs: {...end.outputs, ...outputs}};
}

/** The pages of promoted images, made from their records; each record is read once. */
function renderFrom(registry: RecordRegistry): RenderPage {
  const pages = new Map<string, Promise<string | undefined>>();
  const render: RenderPage = async ({source, target, digest}) => {
    const found = await readRecord(registry, {repository: repositoryOf(target), digest});
    if (!found.ok || found.value === undefined) return undefined;
    const record = recordAt(found.value, parseReference(source)?.tag ?? '');
    return manifestPage(record, {reference: target, home: 'Home'});
  };
  return (image) => {
    const page = pages.get(image.target) ?? render(image);
    pages.set(image.target, page);
    return page;
  };
}

const promotionPath = join(outputFolders.artifacts, 'promotion.json');

function writePromotion({workspace}: Run, file: PromotionFile): Promise<void> {
  return workspace.write(promotionPath, promotionText(file));
}

function promotionRunOf({event, inputs}: Run, {target, tag}: Wish): PromotionRun {
  const {owner, repo} = event.repository;
  return {
    repository: `${owner}/${repo}`,
    run: event.runId,
    commit: event.sha,
    target,
    tag,
    dryRun: inputs.dryRun,
  };
}

async function stopped(run: Run, {what}: Wish): Promise<ModeEnd> {
  const sentence = `The ${what} was cancelled before anything was moved.`;
  const end = await nothingDone(run, {
    title: noTag,
    causes: [sentence],
    sentence,
    outcome: 'cancelled',
  });
  return {...end, outputs: {images: '{}', ...end.outputs}};
}

const noTag = 'No tag was moved';

async function refuse(run: Run, causes: readonly string[]): Promise<ModeEnd> {
  const list = causes.map((cause) => `- ${cause}`).join('\n');
  const end = await nothingDone(run, {title: noTag, causes, sentence: `${noTag}:\n${list}`});
  return {...end, outputs: {images: '{}', ...end.outputs}};
}

interface Listing {
  readonly pages: WikiPlan;
  readonly target: Promotion['target'];
}

async function writeLists(run: Run, report: TagReport, {pages, target}: Listing): Promise<void> {
  const {workspace, log} = run;
  const {artifacts} = outputFolders;
  const lines = (refs: readonly string[]): string => refs.map((ref) => `${ref}\n`).join('');
  const [original, tagged] =
    target === 'stable'
      ? ['IMAGES_ORIGINAL', 'IMAGES_TAGGED']
      : ['IMAGES_ORIGINAL_STABLE', 'IMAGES_GLOBAL_STABLE'];
  const moves = report.results.map(({move}) => move).filter(({after}) => after !== undefined);
  const sources = [...new Set(moves.map(({source}) => source))];
  await workspace.write(join(artifacts, original), lines(sources));
  log.group('Result', tagReportLines(report));
  if (report.outcome !== 'passed') return;
  await workspace.write(join(artifacts, tagged), lines(moves.map((move) => move.target)));
  await workspace.write(join(artifacts, pages.index.name), pages.index.text);
}

async function conclude(
  run: Run,
  report: TagReport,
  {wish, pages}: {readonly wish: Wish; readonly pages: WikiPlan},
): Promise<ModeEnd & {readonly problem?: string}> {
  const {inputs, log} = run;
  const {outcome} = report;
  // Of several tags of an image the first is the one that this mode is about.
  const images = report.results
    .toReversed()
    .map((one) => [
      one.move.name,
      {ref: one.move.target, digest: digestAfter(one), outcome: one.state},
    ]);
  const outputs = {images: JSON.stringify(Object.fromEntries(images))};
  const why = sentenceOf(report, wish.what);
  if (outcome !== 'passed')
    return {outcome, ...(why === undefined ? {} : {sentence: why}), outputs};
  if (report.results.every(({state}) => state === 'unchanged'))
    log.info('Every tag is unchanged: all of them already pointed to these digests.');
  if (inputs.dryRun || pages.wiki === undefined) return {outcome, outputs};
  const {promotion} = wish;
  const published = await publishPromotion(pages.wiki, pages.sources, {
    promotion,
    sha: commitOf(promotion) ?? run.event.sha,
  });
  if (published.ok) {
    log.info(`wiki: ${pages.index.name} and the stable pages ${published.value.state}`);
    return {outcome, outputs};
  }
  const sentence = failureText(
    'The tags were moved, but the wiki could not be updated. Re-run the job to complete it',
    published.error,
  );
  return {outcome: 'failed', sentence, outputs, problem: sentence};
}

/** The commit that all images were built from: the wiki then names one commit only. */
function commitOf({images}: Promotion): string | undefined {
  const [revision, ...others] = new Set(images.map((image) => image.revision));
  return others.length === 0 ? revision : undefined;
}
