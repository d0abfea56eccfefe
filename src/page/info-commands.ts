import {randomBytes} from 'node:crypto';
import type {CommandOutput} from '../adapters/process/index.ts';
import type {Work} from '../build/steps/context.ts';
import type {Failure, Result} from '../failure.ts';
import type {InfoCommand} from '../stack/spec/types.ts';
import {commandWords, type InfoResult, infoScript, readInfoOutput} from './info-script.ts';

/** Deadline of one command (RELIABILITY.md 2d.6), and of all in one container. */
const deadlines = {command: 120, together: 20 * 60} as const;

/** The system takes no longer argument; the rest goes into a second container. */
const longestScript = 100_000;

type Words = ReadonlyMap<number, readonly string[]>;

/**
 * Runs the info commands of an image, all in one container; without its entrypoint, as `docker exec` would. Each has
 * its own exit code, output and deadline. One by one only where the image has no `sh`, or one broke the container.
 */
export async function runInfoCommands(work: Work): Promise<Result<readonly InfoResult[]>> {
  const commands = work.spec.infoCommands;
  const split = commands.map(({command}) => commandWords(command));
  const results = new Map<number, InfoResult>();
  for (const part of parts(split)) {
    const together = await runTogether(work, part);
    const done = together.ok ? together : await runAlone(work, part, together.failure);
    if (!done.ok) return done;
    for (const [number, result] of done.value) results.set(number, result);
  }
  return {
    ok: true,
    value: commands.map((command, index) => results.get(index) ?? noCommand(command)),
  };
}

/** Those that are commands, in as few parts as fit into an argument. */
function parts(split: readonly (readonly string[] | undefined)[]): readonly Words[] {
  const all: Map<number, readonly string[]>[] = [];
  let room = 0;
  split.forEach((words, number) => {
    if (words === undefined || words.length === 0) return;
    const length = words.join(' ').length + 40;
    if (room < length) {
      all.push(new Map());
      room = longestScript;
    }
    room -= length;
    all.at(-1)?.set(number, words);
  });
  return all;
}

type Answers = ReadonlyMap<number, InfoResult>;

async function runTogether(work: Work, part: Words): Promise<Result<Answers>> {
  const nonce = randomBytes(16).toString('hex');
  const script = infoScript(part, {nonce, seconds: deadlines.command});
  const done = await inContainer(work, ['sh', '-c', script], deadlines.together);
  if (!done.ok) return done;
  return {ok: true, value: readInfoOutput(work.spec.infoCommands, done.value, nonce)};
}

async function runAlone(work: Work, part: Words, because: Failure): Promise<Result<Answers>> {
  const isOver = because.reason === 'cancelled' || because.reason === 'spawn';
  const cause = isOver ? because : await work.context.docker.diagnose(because);
  if (isOver || cause.class === 'daemon-lost') return {ok: false, failure: cause};
  const results = new Map<number, InfoResult>();
  for (const [number, words] of part) {
    const command = work.spec.infoCommands[number];
    if (command === undefined) continue;
    const done = await inContainer(work, words, deadlines.command);
    if (!done.ok && done.failure.reason === 'cancelled') return done;
    results.set(number, aloneResult(command, done));
  }
  return {ok: true, value: results};
}

function aloneResult(command: InfoCommand, done: Result<CommandOutput>): InfoResult {
  if (done.ok) return {command, exitCode: 0, stdout: done.value.stdout, stderr: done.value.stderr};
  const {failure} = done;
  const exitCode = failure.reason === 'exit-code' ? failure.exitCode : undefined;
  return {command, exitCode, stdout: '', stderr: failure.tail.join('\n') || failure.message};
}

function inContainer(
  {context, image, state, signal}: Work,
  command: readonly string[],
  seconds: number,
): Promise<Result<CommandOutput>> {
  const name = `stack-info-${crypto.randomUUID()}`;
  const request = {image: state.id ?? image.ref, name, command};
  return context.docker.run(request, {signal, seconds});
}

function noCommand(command: InfoCommand): InfoResult {
  const stderr = 'This is no command; look for a quotation mark that is not closed.';
  return {command, exitCode: undefined, stdout: '', stderr};
}
