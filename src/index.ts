import * as core from '@actions/core';
import {isCommandLine, readCommandLine, wrongUsage} from './cli/index.ts';
import {main} from './main.ts';
import {post} from './post.ts';

/**
 * The one entry of the bundle: the command line; `main:` and, when the runner calls it again at the end of the job, `post:`. Outputs and
 * the failure of the step are set here and nowhere else.
 * Signals are listened to with `on`: with `once` execa's own listener would be the only one left, and end the
 * process before anything is reported.
 */
const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => controller.abort(new Error(`cancelled by ${signal}`)));
}

if (isCommandLine(process.argv)) await command();
else await step();

async function step(): Promise<void> {
  if (core.getState('isPost') === 'true') return await post();
  const {sentence, outputs} = await main(controller.signal);
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
  if (sentence !== undefined) core.setFailed(sentence);
  // A request that nothing can end would hold this process.
  if (controller.signal.aborted) process.exit();
}

async function command(): Promise<void> {
  // `stack-action plan | head`: nobody reads any more, and the run goes on to its end.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
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
  const {sentence, isWrongUsage} = await main(controller.signal, line.input);
  // What a cancelled run still prints is not what was asked for.
  const failure = controller.signal.aborted ? (sentence ?? 'The run was cancelled.') : sentence;
  if (failure === undefined) return;
  process.stderr.write(`${failure}\n`);
  process.exitCode = isWrongUsage ? wrongUsage : 1;
}
