import {join as shellJoin, split} from 'shlex';
import type {InfoCommand} from '../stack/spec/types.ts';

/** What one info command did. */
export interface InfoResult {
  readonly command: InfoCommand;
  /** Undefined when it did not come to an end. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Words of a command, as a POSIX shell would split it; undefined when a quotation mark is left open. */
export function commandWords(command: string): readonly string[] | undefined {
  try {
    return split(command);
  } catch {
    return undefined;
  }
}

/** Exit code of `timeout` for a command that was ended. */
export const timeoutCode = 124;

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
