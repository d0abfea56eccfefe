import {randomBytes} from 'node:crypto';
import {join as shellJoin} from 'shlex';
import type {Docker} from '../adapters/docker/index.ts';
import {type Failure, fail, ok, type Result} from '../failure.ts';
import type {RecordedInfo} from '../record/index.ts';
import type {InfoCommand} from '../stack/spec/index.ts';

/** Seconds that one command may take, and all in one container. */
const deadlines = {command: 120, together: 20 * 60} as const;

/** The system takes no longer argument; the rest goes into a second container. */
const longestScript = 100_000;

/** The commands of one image, and the engine that has it. */
export interface InfoRequest {
  readonly commands: readonly InfoCommand[];
  /** A reference or, better, an id: two runs on one engine share the local reference. */
  readonly image: string;
  readonly docker: Pick<Docker, 'run' | 'diagnose'>;
  readonly signal: AbortSignal;
}

type Words = ReadonlyMap<number, readonly string[]>;

/**
 * Runs the info commands of an image, all in one container; without its entrypoint, as `docker exec` would. Each has
 * its own exit code, output and deadline. One by one only where the image has no `sh`, or one broke the container.
 */
export async function runInfoCommands(
  request: InfoRequest,
): Promise<Result<readonly InfoResult[]>> {
  const {commands} = request;
  const split = commands.map(({words}) => words);
  const results = new Map<number, InfoResult>();
  for (const part of parts(split)) {
    const together = await runTogether(request, part);
    const done = together.ok ? together : await runAlone(request, part, together.error);
    if (!done.ok) return done;
    for (const [number, result] of done.value) results.set(number, result);
  }
  // A command of which nothing was heard did not finish.
  return ok(
    commands.map(
      (command, index) =>
        results.get(index) ?? {command, exitCode: undefined, stdout: '', stderr: ''},
    ),
  );
}

/** Those that are commands, in as few parts as fit into an argument. */
function parts(split: readonly (readonly string[])[]): readonly Words[] {
  const all: Map<number, readonly string[]>[] = [];
  let room = 0;
  split.forEach((words, number) => {
    if (words.length === 0) return;
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

async function runTogether(request: InfoRequest, part: Words): Promise<Result<Answers>> {
  const nonce = randomBytes(16).toString('hex');
  const script = infoScript(part, {nonce, seconds: deadlines.command});
  const done = await inContainer(request, ['sh', '-c', script], deadlines.together);
  if (!done.ok) return done;
  return ok(readInfoOutput(request.commands, done.value, nonce));
}

async function runAlone(
  request: InfoRequest,
  part: Words,
  because: Failure,
): Promise<Result<Answers>> {
  const isOver = because.class === 'cancelled' || because.cause?.kind === 'spawn';
  const cause = isOver ? because : await request.docker.diagnose(because);
  if (isOver || cause.class === 'daemon-lost') return fail(cause);
  const results = new Map<number, InfoResult>();
  for (const [number, words] of part) {
    const command = request.commands[number];
    if (command === undefined) continue;
    const done = await inContainer(request, words, deadlines.command);
    if (!done.ok && done.error.class === 'cancelled') return done;
    results.set(number, aloneResult(command, done));
  }
  return ok(results);
}

type Done = Awaited<ReturnType<Docker['run']>>;

function aloneResult(command: InfoCommand, done: Done): InfoResult {
  if (done.ok) return {command, exitCode: 0, stdout: done.value.stdout, stderr: done.value.stderr};
  const {error: failure} = done;
  const exitCode = failure.cause?.kind === 'exit' ? failure.cause.exitCode : undefined;
  return {command, exitCode, stdout: '', stderr: failure.tail.join('\n') || failure.message};
}

function inContainer(
  {image, docker, signal}: InfoRequest,
  command: readonly string[],
  seconds: number,
): Promise<Done> {
  const name = `stack-info-${crypto.randomUUID()}`;
  return docker.run({image, name, command}, {signal, seconds});
}

/** The result of one info command. */
export interface InfoResult {
  readonly command: InfoCommand;
  /** Undefined when it did not finish. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A result as the record keeps it. */
export function recordedInfo({command, exitCode, stdout, stderr}: InfoResult): RecordedInfo {
  // On standard error a successful command prints mostly noise, but without other output it is the answer (`java -version`).
  const hasErrors = stderr.trim() !== '' && (exitCode !== 0 || stdout.trim() === '');
  const {name, description, command: text} = command;
  return {
    name,
    description,
    command: text,
    ...(exitCode === undefined ? {} : {exitCode}),
    output: stdout,
    ...(hasErrors ? {errors: stderr} : {}),
  };
}

/**
 * A script for `sh -c` that runs all commands in one container, each without a shell of its own, and marks on both
 * streams where each begins and ends. `nonce` must be unguessable: output cannot pretend to be a mark. `numbers` say
 * which command is which; the deadline holds where the image has a `timeout` that knows `-k`.
 */
export function infoScript(
  commands: ReadonlyMap<number, readonly string[]>,
  {nonce, seconds}: {readonly nonce: string; readonly seconds: number},
): string {
  const mark = (state: string): string =>
    ['', ' >&2'].map((to) => `printf '\\n%s %s %s\\n' ${nonce} "$n" "${state}"${to}`).join('; ');
  return [
    `limit=''`,
    `if timeout -k 5 10 true >/dev/null 2>&1; then limit='timeout -k 5 ${seconds}'; fi`,
    `stack_action() { n=$1; shift; ${mark('begin')}; $limit "$@" </dev/null; code=$?; ${mark('end $code')}; }`,
    ...[...commands].map(([number, words]) => `stack_action ${number} ${shellJoin([...words])}`),
    'exit 0',
  ].join('\n');
}

/** What the marks enclose on one stream. */
interface Marked {
  readonly text: string;
  readonly exitCode: number | undefined;
}

/** Takes both streams apart. A command that never began is missing; one that did not end has no exit code. */
export function readInfoOutput(
  commands: readonly InfoCommand[],
  {stdout, stderr}: {readonly stdout: string; readonly stderr: string},
  nonce: string,
): ReadonlyMap<number, InfoResult> {
  const out = takeApart(stdout, nonce);
  const err = takeApart(stderr, nonce);
  return new Map(
    commands.flatMap((command, number): (readonly [number, InfoResult])[] => {
      const found = out.get(number);
      if (found === undefined) return [];
      const {text, exitCode} = found;
      return [[number, {command, exitCode, stdout: text, stderr: err.get(number)?.text ?? ''}]];
    }),
  );
}

function takeApart(text: string, nonce: string): ReadonlyMap<number, Marked> {
  const found = new Map<number, Marked>();
  const marks = new RegExp(`\\n${nonce} (\\d+) (begin|end)(?: (\\d+))?\\n`, 'g');
  let began = 0;
  for (const mark of text.matchAll(marks)) {
    const number = Number(mark[1]);
    if (mark[2] === 'begin') {
      began = mark.index + mark[0].length;
      found.set(number, {text: text.slice(began), exitCode: undefined});
    } else {
      found.set(number, {text: text.slice(began, mark.index), exitCode: Number(mark[3])});
    }
  }
  return found;
}
