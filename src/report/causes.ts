import type {Failure, FailureClass, Place} from '../failure.ts';
import type {StepName} from '../schedule/index.ts';
import {plainText} from '../util/text.ts';
import type {TestCounts} from './types.ts';

/** What went wrong, in the words of the program that failed, and where. */
export interface Cause {
  readonly cause: string;
  readonly place: Place | undefined;
}

/** Nothing that tells a cause is longer, and patterns that look back stay fast. */
const longestLine = 1000;

function readable(line: string): string {
  return plainText(line.slice(0, longestLine)).trimEnd();
}

/** Of a build that the builder itself gave a verdict on: a command that failed, or an image that it could not fetch. */
const buildClasses: ReadonlySet<FailureClass> = new Set([
  'build-failed',
  'not-found',
  'auth',
  'permission',
  'registry-unavailable',
  'rate-limit',
  'oom-killed',
]);

/** The cause of a failed step; what its output does not tell, its message does. */
export function causeOf(step: StepName, failure: Failure, dockerfile?: string): Cause {
  if (step === 'build' && buildClasses.has(failure.class)) {
    const found = buildCause(failure.tail);
    const file = dockerfile ?? failure.place?.file;
    const place =
      failure.place ??
      (found?.line === undefined || file === undefined ? undefined : {file, line: found.line});
    if (found !== undefined) return {cause: found.cause, place};
  }
  if ((step === 'test' || step === 'integration-test') && failure.class === 'test-failed') {
    const found = testCause(failure.tail);
    if (found !== undefined) {
      const {file, line, test} = found;
      const place =
        failure.place ?? (file === undefined || line === undefined ? undefined : {file, line});
      return {cause: test === undefined ? found.cause : `${test}: ${found.cause}`, place};
    }
  }
  return {cause: failure.message, place: failure.place};
}

export interface BuildCause {
  readonly cause: string;
  /** Of the Dockerfile. */
  readonly line?: number;
}

const solveError = /^(?:ERROR|error): (?:failed to build: )?(?:failed to solve: )(.*)$/;
const exited = /(?:did not complete successfully: exit code: |returned a non-zero code: )(\d+)/;

/**
 * The cause and the Dockerfile line of a failed build, from the end of BuildKit's plain output (or the old builder's).
 * A command that failed is explained by its own words: `E: Unable to locate package foo`, not `exit code: 100`.
 */
export function buildCause(output: readonly string[]): BuildCause | undefined {
  const lines = output.map(readable);
  const verdict = lines.findLast((line) => solveError.test(line) || exited.test(line));
  if (verdict === undefined) return undefined;
  const solved = solveError.exec(verdict)?.[1] ?? verdict;
  const parsed = /dockerfile parse error on line (\d+): (.*)/.exec(solved);
  const line = markedLine(lines) ?? (parsed === null ? undefined : Number(parsed[1]));
  const place = line === undefined ? {} : {line};
  if (parsed !== null) return {cause: parsed[2] ?? solved, ...place};
  const code = exited.exec(solved)?.[1];
  if (code === undefined) return {cause: withoutWrappers(solved), ...place};
  if (code === '137') {
    return {
      cause:
        'the command was killed (exit code 137), most likely because the runner ran out of memory',
      ...place,
    };
  }
  const said = tellingLine(commandOutput(lines));
  return {cause: said ?? `${commandOf(solved)} exited with code ${code}`, ...place};
}

/** The end of a build's output from the failed command on: what BuildKit says of other steps before it helps no one. */
export function buildTail(output: readonly string[]): readonly string[] {
  const start = output.findLastIndex((line) => /^ > .*:$/.test(line));
  return start < 0 ? output : output.slice(start).filter((line) => !exited.test(line));
}

/** The line that BuildKit marks with `>>>` below `Dockerfile:8`. */
function markedLine(lines: readonly string[]): number | undefined {
  const rule = /^-{10,}$/;
  const header = lines.findLastIndex(
    (line, index) => /^\S.*:\d+$/.test(line) && rule.test(lines[index + 1] ?? ''),
  );
  if (header < 0) return undefined;
  for (const line of lines.slice(header + 2)) {
    if (rule.test(line)) break;
    const marked = /^\s*(\d+) \| >>> /.exec(`${line} `);
    if (marked !== null) return Number(marked[1]);
  }
  return Number(/:(\d+)$/.exec(lines[header] ?? '')?.[1]);
}

/** What the failed command printed: the block below ` > [2/3] RUN …:`, else the lines of its step. */
function commandOutput(lines: readonly string[]): readonly string[] {
  const stamp = /^\d+\.\d+ ?/;
  const start = lines.findLastIndex((line) => /^ > .*:$/.test(line));
  if (start >= 0) {
    const rest = lines.slice(start + 1);
    const end = rest.findIndex((line) => /^-{6}$/.test(line));
    return rest.slice(0, end < 0 ? rest.length : end).map((line) => line.replace(stamp, ''));
  }
  const failed = lines.findLast((line) => /^#\d+ ERROR: /.test(line));
  if (failed !== undefined) {
    const step = failed.slice(0, failed.indexOf(' ') + 1);
    return lines
      .filter((line) => line.startsWith(step) && line !== failed)
      .map((line) => line.slice(step.length).replace(stamp, ''));
  }
  return lines.filter(
    (line) => !solveError.test(line) && !exited.test(line) && !/^ --->|^Step \d/.test(line),
  );
}

const strong =
  /^(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt)\b(?: in |:|$)|\bfatal error: |^fatal: |^error: |^ERROR:? |^Error:? |: (?:command )?not found$|: (?:Permission denied|No such file or directory)$|^curl: \(\d+\)|^npm (?:ERR!|error) (?!code|A complete|\s)|^E\d{3}:|ERROR \d{3}: |^CMake Error|PackagesNotFoundError|Unsatisfiable/;
const noise =
  /^(?:W: |warning: |WARNING: |note: |\[notice\]|make(?:\[\d+\])?: \*\*\*|hint: )|exit(?:ed with)? (?:code|status)|see above for output|subprocess-exited-with-error|non-zero/i;

/** apt speaks first, everything else last. */
function tellingLine(lines: readonly string[]): string | undefined {
  const said = lines.map((line) => line.trim()).filter((line) => line !== '');
  const apt = said.find((line) => /^E: (?!Sub-process)/.test(line));
  const clear = apt ?? said.findLast((line) => strong.test(line) && !noise.test(line));
  return (
    clear ??
    said.findLast(
      (line) => /error|fail|denied|cannot|not found/i.test(line) && !noise.test(line),
    ) ??
    said.at(-1)
  );
}

function commandOf(solved: string): string {
  const command = /process "(?:\/bin\/sh -c )?(.*)" did not complete/.exec(solved)?.[1];
  const legacy = /The command '(?:\/bin\/sh -c )?(.*)' returned/.exec(solved)?.[1];
  const words = (command ?? legacy ?? 'the command')
    .replace(/\\n[\s\S]*/, ' …')
    .replace(/\\(["\\])/g, '$1');
  return words.length > 120 ? `${words.slice(0, 119)}…` : words;
}

/** BuildKit says where it was before what happened; a name is said once. */
function withoutWrappers(text: string): string {
  const bare = text.replace(
    /^(?:process ".*" did not complete successfully: |failed to (?:compute cache key|calculate checksum of ref \S+|load cache key|resolve source metadata for \S+|fetch \S+|build|solve|read dockerfile|prepare \S+ as \S+): )+/,
    '',
  );
  const missing = /^"([^"]+)": not found$/.exec(bare);
  if (missing !== null) return `${missing[1]} was not found in the build context`;
  return bare.replace(/^(\S+): (?:failed to resolve source metadata for \S+: )?(?:\1: )*/, '$1: ');
}

export interface TestCause {
  readonly cause: string;
  /** `test_version` */
  readonly test?: string;
  readonly file?: string;
  readonly line?: number;
}

/** The first failed test with its place, from the end of the output of pytest or unittest. */
export function testCause(output: readonly string[]): TestCause | undefined {
  const lines = output.map(readable);
  return pytestCause(lines) ?? unittestCause(lines);
}

function pytestCause(lines: readonly string[]): TestCause | undefined {
  const summary = lines
    .map((line) =>
      /^(?:FAILED|ERROR) ([^\s:][^:]*?\.py)(?:::(\S+(?:\[.*?\])?))?(?: - (.*))?$/.exec(line),
    )
    .find((found) => found !== null);
  if (summary == null) return undefined;
  const [, file = '', test, message] = summary;
  const section = sectionOf(lines, test?.split('::').at(-1) ?? file);
  const places = section.flatMap((line) => {
    const found = /^(\S.*?\.py):(\d+): /.exec(`${line} `);
    return found === null ? [] : [{file: found[1] ?? '', line: Number(found[2])}];
  });
  const place = places.find((one) => one.file === file) ?? places.at(-1);
  const said = section.find((line) => /^E\s{2,}\S/.test(line))?.replace(/^E\s+/, '');
  const isWhole = message !== undefined && !message.endsWith('...');
  return {
    cause: (isWhole ? message : (said ?? message)) ?? 'failed',
    ...(test === undefined ? {} : {test: test.replaceAll('::', '.')}),
    file: place?.file ?? file,
    ...(place === undefined ? {} : {line: place.line}),
  };
}

/** What pytest printed about one test; everything, where the end of the output does not hold its heading. */
function sectionOf(lines: readonly string[], name: string): readonly string[] {
  const heading = (line: string): boolean => /^_{3,} .* _{3,}$/.test(line);
  const start = lines.findIndex((line) => heading(line) && line.includes(name.replace('::', '.')));
  if (start < 0) return lines;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => heading(line) || /^={3,} /.test(line));
  return rest.slice(0, end < 0 ? rest.length : end);
}

function unittestCause(lines: readonly string[]): TestCause | undefined {
  const start = lines.findIndex((line) => /^(?:FAIL|ERROR): \S+ \(/.test(line));
  const test = /^(?:FAIL|ERROR): (\S+) \(/.exec(lines[start] ?? '')?.[1];
  if (test === undefined) return undefined;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line, index) => index > 0 && /^(?:={20,}|-{20,})$/.test(line));
  const body = rest.slice(0, end < 0 ? rest.length : end).filter((line) => line !== '');
  const frame = body
    .map((line) => /^ {2}File "(.*)", line (\d+)/.exec(line))
    .findLast((found) => found !== null);
  const cause = body.findLast((line) => /^\S/.test(line)) ?? 'failed';
  const [, file, line] = frame ?? [];
  return {
    cause,
    test,
    ...(file === undefined ? {} : {file}),
    ...(line === undefined ? {} : {line: Number(line)}),
  };
}

/** Numbers of tests, from the closing line of pytest or unittest, or any `3 passed`; undefined where there is none. */
export function testCounts(output: readonly string[]): TestCounts | undefined {
  const lines = output.map((line) => readable(line).replace(/^[=\s]+|[=\s]+$/g, ''));
  const isClosing = (line: string): boolean => / in \d+(?:\.\d+)?s\b/.test(line);
  const word = /(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b/g;
  const closing =
    lines.findLast(
      (line) =>
        isClosing(line) &&
        (line.search(word) >= 0 || /^no tests ran/.test(line) || /\d+ deselected/.test(line)),
    ) ?? lines.findLast((line) => /^(?:Tests:\s+)?\d+ (?:passed|failed|skipped)\b/.test(line));
  if (closing !== undefined) {
    const of = (...words: string[]): number =>
      [...closing.matchAll(word)].reduce(
        (sum, [, count, name = '']) => sum + (words.includes(name) ? Number(count) : 0),
        0,
      );
    return {
      passed: of('passed', 'xpassed'),
      failed: of('failed', 'error', 'errors'),
      skipped: of('skipped', 'xfailed'),
    };
  }
  return unittestCounts(lines);
}

function unittestCounts(lines: readonly string[]): TestCounts | undefined {
  const index = lines.findLastIndex((line) => /^Ran \d+ tests? in /.test(line));
  if (index < 0) return undefined;
  const ran = Number(/^Ran (\d+)/.exec(lines[index] ?? '')?.[1]);
  const verdict = lines.slice(index + 1).find((line) => /^(?:OK|FAILED)\b/.test(line)) ?? '';
  const of = (name: string): number =>
    Number(new RegExp(`\\b${name}=(\\d+)`).exec(verdict)?.[1] ?? 0);
  const failed = of('failures') + of('errors');
  const skipped = of('skipped');
  return {passed: Math.max(0, ran - failed - skipped), failed, skipped};
}
