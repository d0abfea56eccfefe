import {addSummary} from '../adapters/github/output.ts';
import {type Failure, failureText, messageOf} from '../failure.ts';
import {annotate, findingAnnotations, type Refusal, refusedSummaryPage} from '../report/index.ts';
import type {Run} from '../run/index.ts';
import {SpecError} from '../stack/index.ts';
import type {Mask} from '../util/masking.ts';
import type {ModeEnd} from './end.ts';
import {tell} from './finish.ts';

/** A run that did nothing, and why. */
export interface NothingDone extends Omit<Refusal, 'run'> {
  /** What fails the step. */
  readonly sentence: string;
  readonly outcome?: 'failed' | 'cancelled';
}

/** The end of a run that did nothing: the cause is in the summary too, and the log is still worth an artifact. */
export async function nothingDone(
  run: Run,
  {sentence, outcome = 'failed', ...refusal}: NothingDone,
): Promise<ModeEnd> {
  const {outputs} = await tell(run, (context) => refusedSummaryPage({...refusal, run: context}));
  return {outcome, sentence, outputs};
}

/** A failure before anything was done: what happened, what to do, and the last lines of who said so. */
export function becauseOf(title: string, failure: Failure): NothingDone {
  const {message, hint, tail} = failure;
  // A list of them is one in the summary too.
  const causes = message.split('\n').map((line) => line.replace(/^- /, ''));
  return {
    title,
    causes,
    ...(hint === undefined || hint === '' ? {} : {hint}),
    tail,
    sentence: failureText(title, failure),
  };
}

/**
 * The end of a run that was refused because of a mistake. `run` is undefined when not even the inputs could be read, or
 * the folders for its results cannot be used.
 */
export async function refused(error: unknown, mask: Mask, run?: Run): Promise<ModeEnd> {
  const sentence = messageOf(error);
  const causes = sentence.split('\n');
  if (run === undefined) {
    await addSummary(refusedSummaryPage({title: titles.build, causes}), mask);
    return {outcome: 'failed', sentence, outputs: {}};
  }
  if (error instanceof SpecError) annotate(run.log, findingAnnotations(error.mistakes, 'error'));
  return await nothingDone(run, {title: titleOf(run), causes, sentence});
}

const titles = {
  build: 'Nothing was built',
  tag: 'No tag was moved',
  report: 'No report was made',
} as const;

function titleOf({inputs}: Run): string {
  const {mode} = inputs;
  return mode === 'tag' || mode === 'report' ? titles[mode] : titles.build;
}
