import {stringify} from 'yaml';
import type {Failure} from '../failure.ts';
import type {PlannedImage} from '../plan/index.ts';
import {
  type ImageFacts,
  type Manager,
  managers,
  type Difference as RecordDifference,
} from '../record/index.ts';
import type {
  Difference,
  ImageDetails,
  ReportedImage,
  ReportedStep,
  RunContext,
  RunFacts,
} from './types.ts';
import {culpritOf, failureWords, notDoneWords, stateWords, testsOf, whyWords} from './words.ts';

/** `artifacts/<name>.yaml`: the result of one image, readable by any safe YAML loader. */
export function resultFile(result: ReportedImage): string {
  return stringify(resultValue(result));
}

/** `artifacts/report.json`: the whole run, as report.schema.json describes it. */
export function reportFile(facts: RunFacts): string {
  return `${JSON.stringify(reportValue(facts), undefined, 2)}\n`;
}

/** The value of report.json, of which report.html is made. */
export function reportValue({plan, report, run = {}, details, notes = []}: RunFacts): object {
  const planned = new Map(plan.images.map((image) => [image.name, image]));
  const culprit = culpritOf(report.outcome, report.images);
  return {
    schema: 1,
    tag: plan.tag,
    outcome: report.outcome,
    ...runValue(run),
    ...(notes.length === 0 ? {} : {notes}),
    images: report.images.map((result) => {
      const image = planned.get(result.image);
      const own = details?.get(result.image);
      const notDone = notDoneWords(result, image?.parents, culprit);
      const failed =
        result.outcome === 'failed' ? failureWords(result, image?.spec.dockerfile) : undefined;
      return {
        ...resultValue(result),
        ...(image === undefined ? {} : planValue(image)),
        ...(notDone === undefined ? {} : {not_done: notDone}),
        ...(failed === undefined
          ? {}
          : {cause: failed.cause, ...(failed.place === undefined ? {} : {place: failed.place})}),
        ...(own === undefined ? {} : detailsValue(own)),
      };
    }),
  };
}

function runValue({runId, attempt, runUrl, ...run}: RunContext): object {
  const known = Object.fromEntries(
    Object.entries({id: runId, attempt, url: runUrl}).filter(([, value]) => value !== undefined),
  );
  const {event, branch, pullRequest, commit, artifactUrl, wikiUrl} = run;
  return {
    ...(Object.keys(known).length === 0 ? {} : {run: known}),
    ...(event === undefined ? {} : {event}),
    ...(branch === undefined ? {} : {branch}),
    ...(pullRequest === undefined ? {} : {pull_request: pullRequest}),
    ...(commit === undefined ? {} : {commit}),
    ...(artifactUrl === undefined ? {} : {artifact_url: artifactUrl}),
    ...(wikiUrl === undefined ? {} : {wiki_url: wikiUrl}),
  };
}

function planValue(image: PlannedImage): object {
  const {parents, level, action, reasons, fingerprint} = image;
  return {
    parents,
    level,
    action,
    reasons,
    why: whyWords(image),
    fingerprint,
    dockerfile: image.spec.dockerfile,
  };
}

function resultValue(result: ReportedImage): object {
  const tests = testsOf(result);
  return {
    image: result.image,
    ref: result.ref,
    outcome: result.outcome,
    state: stateWords(result),
    success:
      result.outcome !== 'failed' && result.outcome !== 'blocked' && result.outcome !== 'cancelled',
    ...(result.digest === undefined ? {} : {digest: result.digest}),
    ...(result.size === undefined ? {} : {size: result.size}),
    ...(result.blockedBy === undefined ? {} : {blocked_by: result.blockedBy}),
    ...(result.allowedFailure ? {allowed_failure: true} : {}),
    ...(tests === undefined ? {} : {tests}),
    steps: result.steps.map(stepValue),
  };
}

function stepValue(result: ReportedStep): object {
  const {step, startedMs, durationMs, failure, notes, cacheSeconds, tests} = result;
  return {
    step,
    ...(startedMs === undefined ? {} : {started: new Date(startedMs).toISOString()}),
    seconds: Math.round(durationMs) / 1000,
    ...(cacheSeconds === undefined ? {} : {cache_seconds: cacheSeconds}),
    ...(tests === undefined ? {} : {tests}),
    ...(notes.length === 0 ? {} : {notes}),
    ...(failure === undefined ? {} : {failure: failureValue(failure)}),
  };
}

function failureValue(failure: Failure): object {
  const {message, hint, tail, place} = failure;
  return {
    class: failure.class,
    message,
    ...(hint === undefined ? {} : {hint}),
    ...(failure.cause?.kind === 'exit' ? {exit_code: failure.cause.exitCode} : {}),
    ...(place === undefined ? {} : {place}),
    tail,
  };
}

function detailsValue(details: ImageDetails): object {
  const {url, difference, layers, packages, logs, notes} = details;
  return {
    ...(url === undefined ? {} : {url}),
    ...(difference === undefined
      ? {}
      : {
          difference: {
            against: difference.against,
            ...(difference.sizeChange === undefined ? {} : {size_change: difference.sizeChange}),
            ...(difference.base === undefined ? {} : {base: difference.base}),
            ...(difference.inherited === undefined ? {} : {inherited: difference.inherited}),
            compared: difference.compared,
            packages: difference.packages,
          },
        }),
    ...(layers === undefined ? {} : {layers}),
    ...(packages === undefined ? {} : {packages}),
    ...(logs === undefined ? {} : {logs}),
    ...(notes === undefined || notes.length === 0 ? {} : {notes}),
  };
}

const managerNames: Record<Manager, string> = {pip: 'pip', conda: 'conda', apt: 'apt', r: 'R'};

/** What the pages show of a record, and of how it differs from an earlier one (its inherited changes taken out). */
export function recordDetails(facts: ImageFacts, difference?: RecordDifference): ImageDetails {
  const packages = managers.flatMap((manager) =>
    Object.entries(facts.packages[manager] ?? {}).map(([name, version]) => ({
      manager: managerNames[manager],
      name,
      version,
    })),
  );
  const notes = facts.info.flatMap(({name, exitCode, errors = ''}) => {
    if (exitCode === 0) return [];
    // Its last words tell more than its code: `sh: 1: R: not found`.
    const said = errors.trimEnd().split('\n').at(-1)?.trim().slice(0, 200) ?? '';
    const why = said === '' ? '' : ` (${said})`;
    const end = exitCode === undefined ? 'did not finish' : `failed: exit code ${exitCode}`;
    return [`The info command ${name} ${end}${why}.`];
  });
  return {
    ...(notes.length === 0 ? {} : {notes}),
    layers: facts.layers.map(({createdBy, size}) => ({command: createdBy, size})),
    packages,
    ...(difference === undefined ? {} : {difference: reportedDifference(difference)}),
  };
}

function reportedDifference(difference: RecordDifference): Difference {
  const {from, to, packages, base, inherited, compared} = difference;
  const changes = managers.flatMap((manager) => {
    const {changed = [], added = [], removed = []} = packages[manager] ?? {};
    const of = managerNames[manager];
    return [
      ...changed.map((one) => ({manager: of, name: one.name, before: one.from, after: one.to})),
      ...added.map(({name, version}) => ({manager: of, name, after: version})),
      ...removed.map(({name, version}) => ({manager: of, name, before: version})),
    ];
  });
  const named = (image: {readonly reference: string; readonly digest?: string} | undefined) => {
    if (image === undefined) return 'none';
    return image.digest === undefined
      ? image.reference
      : `${image.reference.split('@')[0]}@${image.digest.slice(0, 19)}`;
  };
  return {
    against: named(from),
    compared: compared.map((manager) => managerNames[manager]),
    sizeChange: to.size - from.size,
    packages: changes,
    ...(base === undefined ? {} : {base: {before: named(base.from), after: named(base.to)}}),
    ...(inherited.length === 0 ? {} : {inherited: inherited.map(({image}) => image)}),
  };
}
