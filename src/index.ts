import * as core from '@actions/core';
import {main} from './main.ts';
import {post} from './post.ts';

/**
 * The one entry of the bundle: `main:` and, when the runner calls it again at the end of the job, `post:`. Outputs and
 * the failure of the step are set here and nowhere else.
 * Signals are listened to with `on`: with `once` execa's own listener would be the only one left, and end the
 * process before anything is reported.
 */
const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => controller.abort(new Error(`cancelled by ${signal}`)));
}

if (core.getState('isPost') === 'true') {
  await post();
} else {
  const {sentence, outputs} = await main(controller.signal);
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
  if (sentence !== undefined) core.setFailed(sentence);
}
