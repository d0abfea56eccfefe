import * as core from '@actions/core';
import {isCommandLine, readCommandLine, wrongUsage} from './cli/index.ts';
import {messageOf} from './failure.ts';
import {main} from './main.ts';
import {post} from './post.ts';

/**
 * The one entry of the bundle: the command line; `main:`; and, when the runner calls it again at the end of the job,
 * `post:`. Signals are listened to with `on`: with `once` execa's own listener would be the only one left, and end
 * the process before anything is reported.
 */
const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => controller.abort(new Error(`cancelled by ${signal}`)));
}

if (isCommandLine(process.argv)) await command();
else await step();

async function command(): Promise<void> {
  const line = readCommandLine(process.argv.slice(2));
  if (line.kind === 'text') {
    const stream = line.exitCode === 0 ? process.stdout : process.stderr;
    stream.write(`${line.text}\n`);
    process.exitCode = line.exitCode;
    return;
  }
  // A person who pressed Ctrl-C waits for nothing that hangs.
  controller.signal.addEventListener('abort', () => {
    setTimeout(() => process.exit(1), 4500).unref();
  });
  try {
    const result = await main(controller.signal, line.input);
    // What a cancelled run still prints is not what was asked for.
    const failure = controller.signal.aborted ? (result ?? 'The run was cancelled.') : result;
    if (failure === undefined) return;
    process.stderr.write(`${failure}\n`);
    process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    const isUsage = error instanceof Error && error.name === 'InputError';
    process.exitCode = isUsage ? wrongUsage : 1;
  }
}

async function step(): Promise<void> {
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
}
