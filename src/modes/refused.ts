import {addSummary} from '../adapters/github/output.ts';
import {messageOf} from '../failure.ts';
import {annotate, findingAnnotations, refusedSummaryPage} from '../report/index.ts';
import {InputError, type Run} from '../run/index.ts';
import {SpecError} from '../stack/index.ts';
import type {Mask} from '../util/masking.ts';
import type {ModeEnd} from './end.ts';
import {contextOf, upload} from './finish.ts';

/** A mistake of the user, which has its place or names its input; anything else is a bug. */
export function isMistake(error: unknown): boolean {
  return error instanceof InputError || error instanceof SpecError;
}

/** Mistakes at their lines, as annotations; the sentence that fails the step has all of them. */
function annotateMistakes({log}: Run, error: unknown): void {
  if (error instanceof SpecError) annotate(log, findingAnnotations(error.mistakes, 'error'));
}

/**
 * The end of a run that was refused before it did anything: the cause is in the summary too, and the log is still worth
 * an artifact where there is one. `run` is undefined when not even the inputs could be read.
 */
export async function refused(error: unknown, mask: Mask, run?: Run): Promise<ModeEnd> {
  const sentence = messageOf(error);
  const page = refusedSummaryPage({
    title: run?.inputs.mode === 'tag' ? 'No tag was moved' : 'Nothing was built',
    causes: sentence.split('\n'),
    ...(run === undefined ? {} : {run: contextOf(run)}),
  });
  await addSummary(page, mask);
  if (run === undefined) return {outcome: 'failed', sentence, outputs: {}};
  annotateMistakes(run, error);
  return {outcome: 'failed', sentence, outputs: await upload(run)};
}
