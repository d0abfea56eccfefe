import type {Failure} from '../../failure.ts';
import type {TestCounts} from '../types.ts';

export function addCounts(one: TestCounts | undefined, other: TestCounts): TestCounts {
  return {
    passed: (one?.passed ?? 0) + other.passed,
    failed: (one?.failed ?? 0) + other.failed,
    skipped: (one?.skipped ?? 0) + other.skipped,
  };
}

/** pytest's closing line: `== 1 failed, 3 passed, 1 skipped in 0.12s ==`; undefined where there is none. */
export function pytestCounts(lines: readonly string[]): TestCounts | undefined {
  const line = lines.findLast((text) => {
    const at = text.search(/\b\d+ (?:passed|failed|errors?|skipped)\b/);
    return at >= 0 && / in [\d.]+s/.test(text.slice(at));
  });
  if (line === undefined) return undefined;
  const count = (word: string): number =>
    Number(new RegExp(`\\b(\\d+) ${word}\\b`).exec(line)?.[1] ?? 0);
  return {
    passed: count('passed') + count('xpassed'),
    failed: count('failed') + count('errors?'),
    skipped: count('skipped') + count('xfailed'),
  };
}

export interface TestedHow {
  readonly ref: string;
  /** Else a command of the spec. */
  readonly isPytest: boolean;
  readonly isHost: boolean;
}

/**
 * What pytest's exit code means; 5 (nothing collected) is not a failure.
 * https://docs.pytest.org/en/stable/reference/exit-codes.html
 */
export function explainTestFailure(cause: Failure, {ref, isPytest, isHost}: TestedHow): Failure {
  if (cause.cause?.kind === 'timeout') {
    const {seconds} = cause.cause;
    return {...cause, message: `The tests of ${ref} timed out after ${seconds} s.`};
  }
  if (cause.cause?.kind === 'spawn' && !isPytest) {
    const {code} = cause.cause;
    if (code === 'ENOENT' || code === 'EACCES') {
      return unstarted(cause, {ref, isHost, isMissing: code === 'ENOENT'});
    }
  }
  if (cause.cause?.kind !== 'exit') return cause;
  const {exitCode} = cause.cause;
  // The client's own words, not the tests': it lost the engine, which says nothing of the image.
  if (!isHost && exitCode === lostClient && cause.class === 'daemon-lost') {
    return {...cause, message: `The tests of ${ref} were cut off: the Docker daemon was lost.`};
  }
  const lacksPytest =
    exitCode === 127 || cause.tail.some((line) => line.endsWith('No module named pytest'));
  if (!isHost && isPytest && lacksPytest) {
    return {
      ...cause,
      class: 'no-tests',
      message: `The tests of ${ref} could not start: the image has no ${missingProgram(cause.tail)}.`,
      hint: 'Install pytest in the image, set "tests.command" to what it has, or remove "where: container" to run the tests on the host.',
    };
  }
  const isUnstarted = !isPytest && (exitCode === 126 || exitCode === 127);
  if (isUnstarted) return unstarted(cause, {ref, isHost, isMissing: exitCode === 127});
  const words =
    (isPytest ? pytestCodes.get(exitCode) : undefined) ?? `failed with exit code ${exitCode}`;
  const summary = cause.tail.findLast((line) => /^(?:FAILED|ERROR) /.test(line));
  return {
    ...cause,
    class: exitCode === 137 ? 'oom-killed' : 'test-failed',
    message: `The tests of ${ref} ${words}${summary === undefined ? '.' : `: ${summary}`}`,
    ...mendOf(cause, {isPytest, isHost}, exitCode),
  };
}

/** What to do, where it is not the test itself that is to be mended. */
function mendOf(
  {tail}: Failure,
  {isPytest, isHost}: Omit<TestedHow, 'ref'>,
  exitCode: number,
): {readonly hint?: string} {
  if (exitCode === 137) return {hint: 'Use a larger runner, or a smaller "concurrency".'};
  if (!isPytest) return {};
  const isImport = tail.some((line) => /\b(?:ModuleNotFoundError|ImportError)\b/.test(line));
  if (exitCode === 2 && isImport) {
    return {
      hint: isHost
        ? 'Install what the tests import in a step before this one (pip install …).'
        : 'Install what the tests import in the image, or run them on the host.',
    };
  }
  if (exitCode === 4)
    return {hint: 'Check pytest.ini, setup.cfg or pyproject.toml of the repository.'};
  return {};
}

/** What `sh`, or who should have started it, did not find in the image. */
function missingProgram(tail: readonly string[]): string {
  const text = tail.join('\n');
  if (/exec:? "?sh"?(?: failed)?: /.test(text)) return 'shell (sh), which starts pytest there';
  return /python3: (?:command )?not found/.test(text) ? 'pytest and no python3' : 'pytest';
}

/** A command of the spec, or one that it calls, is not there, or is no program. */
function unstarted(
  cause: Failure,
  {
    ref,
    isHost,
    isMissing,
  }: {readonly ref: string; readonly isHost: boolean; readonly isMissing: boolean},
): Failure {
  const where = isHost ? 'on this machine' : 'in the image';
  const why = isMissing ? `a command was not found ${where}` : 'a file could not be executed';
  const said = cause.tail.findLast((line) =>
    /not found|No such file|denied|Exec format/i.test(line),
  );
  const detail = said ?? (cause.cause?.kind === 'spawn' ? cause.message : undefined);
  const place = isHost
    ? 'It starts in the root of the workspace, and what it calls must be installed on the runner.'
    : 'It starts in the image, where of the checkout only the test folders are copied (to /tmp/stack-tests).';
  const mend = isMissing
    ? place
    : 'A script must be executable: git update-index --chmod=+x <file>.';
  return {
    ...cause,
    class: 'test-failed',
    message: `The tests of ${ref} failed: ${why}${detail === undefined ? '.' : `: ${detail}`}`,
    hint: `Check "tests.command" of spec.yml. ${mend}`,
  };
}

/** The exit code of a docker client that could not stay with its container. */
const lostClient = 125;

const pytestCodes: ReadonlyMap<number, string> = new Map([
  [1, 'failed'],
  [2, 'could not be collected, or were interrupted'],
  [3, 'hit an internal pytest error'],
  [4, 'could not start: pytest rejected its arguments'],
]);
