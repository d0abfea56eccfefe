import * as core from '@actions/core';
import {messageOf} from './failure.ts';
import {main} from './main.ts';
import {post} from './post.ts';

/**
 * The one entry of the bundle: `main:` and, when the runner calls it again at the end of the job, `post:`.
 * Signals are listened to with `on`: with `once` execa's own listener would be the only one left, and end the
 * process before anything is reported.
 */
const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => controller.abort(new Error(`cancelled by ${signal}`)));
}

try {
  if (core.getState('isPost') === 'true') {
    await post();
  } else {
    core.saveState('isPost', 'true');
    const failure = await main(controller.signal);
    if (failure !== undefined) core.setFailed(failure);
  }
} catch (error) {
  core.setOutput('outcome', 'failed');
  core.setFailed(messageOf(error));
  if (error instanceof Error && error.message.startsWith('Internal error:'))
    core.debug(error.stack ?? '');
}
