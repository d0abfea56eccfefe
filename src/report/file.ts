import {stringify} from 'yaml';
import type {ImageResult, RunReport} from '../build/types.ts';
import type {Failure} from '../failure.ts';
import type {Plan} from '../plan/types.ts';

/** `artifacts/<name>.yaml`: the result of one image, readable by any safe YAML loader. */
export function resultFile(result: ImageResult): string {
  return stringify(resultValue(result));
}

/** `artifacts/report.json`: the whole run. */
export function reportFile(plan: Plan, report: RunReport): string {
  const value = {
    schema: 1,
    tag: plan.tag,
    outcome: report.outcome,
    images: report.images.map(resultValue),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function resultValue(result: ImageResult): object {
  return {
    image: result.image,
    ref: result.ref,
    outcome: result.outcome,
    success:
      result.outcome !== 'failed' && result.outcome !== 'blocked' && result.outcome !== 'cancelled',
    ...(result.digest === undefined ? {} : {digest: result.digest}),
    ...(result.size === undefined ? {} : {size: result.size}),
    ...(result.blockedBy === undefined ? {} : {blocked_by: result.blockedBy}),
    ...(result.allowedFailure ? {allowed_failure: true} : {}),
    steps: result.steps.map(({step, durationMs, failure, notes, cacheSeconds}) => ({
      step,
      seconds: Math.round(durationMs) / 1000,
      ...(cacheSeconds === undefined ? {} : {cache_seconds: cacheSeconds}),
      ...(notes.length === 0 ? {} : {notes}),
      ...(failure === undefined ? {} : {failure: failureValue(failure)}),
    })),
  };
}

function failureValue(failure: Failure): object {
  const {message, hint, tail} = failure;
  return {
    class: failure.class,
    reason: failure.reason,
    message,
    ...(hint === undefined ? {} : {hint}),
    ...(failure.reason === 'exit-code' ? {exit_code: failure.exitCode} : {}),
    tail,
  };
}
