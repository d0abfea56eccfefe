import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {failure} from '../../src/failure.ts';
import {buildCause, buildTail, causeOf, testCause, testCounts} from '../../src/report/causes.ts';

/** Real output of Docker 28.5 with BuildKit, pytest 9 and unittest. */
function recorded(name: string): readonly string[] {
  const url = new URL(`../fixtures/report/${name}.txt`, import.meta.url);
  return readFileSync(url, 'utf8').split('\n');
}

/** What the steps keep: the last 40 lines that are not blank. */
function tailOf(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.trim() !== '').slice(-40);
}

describe('causeOf', () => {
  it('has the line and one name where an image of a build could not be fetched', () => {
    const tail = tailOf(recorded('buildkit-d'));
    const given = failure('not-found', 'The build of a failed: a long sentence', {tail});
    expect(causeOf('build', given, 'images/a/Dockerfile')).toEqual({
      cause: '127.0.0.1:5000/nothing-here:1: not found',
      place: {file: 'images/a/Dockerfile', line: 1},
    });
  });
});

describe('causeOf a registry or the kernel', () => {
  it.each(['registry-unavailable', 'rate-limit', 'oom-killed'] as const)(
    '%s has its line',
    (kind) => {
      const tail = [
        'Dockerfile:4',
        '--------------------',
        '   4 | >>> COPY --from=tools /a /a',
        '--------------------',
        'ERROR: failed to build: failed to solve: tools: failed to resolve source metadata for docker.io/library/tools:latest: failed to do request: no such host',
      ];
      expect(causeOf('build', failure(kind, 'long', {tail}), 'images/a/Dockerfile')).toEqual({
        cause: 'tools: failed to do request: no such host',
        place: {file: 'images/a/Dockerfile', line: 4},
      });
    },
  );
});

describe('buildTail', () => {
  it('begins with the command that failed, and leaves out the verdict that says no more', () => {
    const tail = buildTail(tailOf(recorded('buildkit-a')));
    expect(tail[0]).toMatch(/^ > \[.*\] RUN .*:$/);
    expect(tail.join('\n')).toContain('E: Unable to locate package foo');
    expect(tail.join('\n')).toContain('>>>');
    expect(tail.join('\n')).not.toMatch(/DONE|CACHED|did not complete successfully/);
  });
  it('is everything where no command is named', () => {
    expect(buildTail(['#1 DONE 0.0s', 'ERROR: x'])).toEqual(['#1 DONE 0.0s', 'ERROR: x']);
  });
});

describe('buildCause', () => {
  it('has no wrapper where a command could not be started at all', () => {
    const process = 'process "/bin/sh -c true" did not complete successfully: ';
    const why = 'unable to find group staff9: no matching entries in group file';
    expect(buildCause([`ERROR: failed to build: failed to solve: ${process}${why}`])).toEqual({
      cause: why,
    });
  });

  it.each([
    ['buildkit-a', {cause: 'E: Unable to locate package foo', line: 8}],
    ['buildkit-b', {cause: '/missing.txt was not found in the build context', line: 2}],
    ['buildkit-c', {cause: 'unknown instruction: RUNN (did you mean RUN?)', line: 2}],
    ['buildkit-d', {cause: '127.0.0.1:5000/nothing-here:1: not found', line: 1}],
    ['buildkit-f', {cause: '/bin/sh: 1: python3: not found', line: 2}],
  ])('reads %s', (name, expected) => {
    expect(buildCause(tailOf(recorded(name)))).toEqual(expected);
  });

  const failed = (command: string, code: number, ...output: string[]): readonly string[] => [
    ...output.map((line) => `#5 0.1 ${line}`),
    `#5 ERROR: process "/bin/sh -c ${command}" did not complete successfully: exit code: ${code}`,
    '------',
    ` > [2/2] RUN ${command}:`,
    ...output.map((line) => `0.123 ${line}`),
    '------',
    `ERROR: failed to solve: process "/bin/sh -c ${command}" did not complete successfully: exit code: ${code}`,
  ];

  it.each([
    [
      'pip',
      [
        'ERROR: Could not find a version that satisfies the requirement nope==9 (from versions: none)',
        'ERROR: No matching distribution found for nope==9',
        '[notice] A new release of pip is available: 24.0 -> 25.1',
      ],
      'ERROR: No matching distribution found for nope==9',
    ],
    [
      'apt',
      [
        'E: Package python2 has no installation candidate',
        'E: Unable to locate package x',
        'W: later',
      ],
      'E: Package python2 has no installation candidate',
    ],
    [
      'a compiler',
      [
        'a.c:1:10: fatal error: zlib.h: No such file or directory',
        'make: *** [Makefile:3: all] Error 1',
      ],
      'a.c:1:10: fatal error: zlib.h: No such file or directory',
    ],
    [
      'Python',
      [
        'Traceback (most recent call last):',
        '  File "x.py", line 1',
        "ModuleNotFoundError: No module named 'torch'",
      ],
      "ModuleNotFoundError: No module named 'torch'",
    ],
    [
      'curl',
      ['curl: (22) The requested URL returned error: 404'],
      'curl: (22) The requested URL returned error: 404',
    ],
    [
      'git',
      ["fatal: repository 'https://x/' not found"],
      "fatal: repository 'https://x/' not found",
    ],
    [
      'R',
      ["Error: package or namespace load failed for 'sf'", 'Execution halted'],
      "Error: package or namespace load failed for 'sf'",
    ],
    [
      'npm',
      ['npm error code E404', 'npm error 404 Not Found - GET nope'],
      'npm error 404 Not Found - GET nope',
    ],
    [
      'conda',
      [
        'Solving: failed',
        'PackagesNotFoundError: The following packages are not available:',
        '  - nope',
      ],
      'PackagesNotFoundError: The following packages are not available:',
    ],
    ['a program that only talks', ['working', 'giving up'], 'giving up'],
  ])('takes the words of %s', (_, output, cause) => {
    expect(buildCause(failed('do it', 1, ...output))?.cause).toBe(cause);
  });

  it('names the command where it said nothing, and the memory where it was killed', () => {
    expect(buildCause(failed('false', 1))?.cause).toBe('false exited with code 1');
    expect(buildCause(failed('make', 137, 'E: whatever'))?.cause).toContain('ran out of memory');
  });

  it('reads the old builder, and says nothing of what is not a failed build', () => {
    expect(
      buildCause([
        'Step 2/2 : RUN apt-get install -y foo',
        'E: Unable to locate package foo',
        "The command '/bin/sh -c apt-get install -y foo' returned a non-zero code: 100",
      ])?.cause,
    ).toBe('E: Unable to locate package foo');
    expect(buildCause([])).toBeUndefined();
    expect(buildCause(['all good'])).toBeUndefined();
  });

  it('is fast on hostile lines', () => {
    const lines = [
      ' '.repeat(80_000),
      `${'E: '.repeat(30_000)}x`,
      `${'.py:1: '.repeat(20_000)}`,
      '='.repeat(90_000),
    ];
    const tail = [...lines, ...failed('x', 1, ...lines)];
    buildCause(tail);
    testCause(tail);
    testCounts(tail);
  });
});

describe('causeOf', () => {
  it('places a failed build in its Dockerfile, and keeps what is placed already', () => {
    const tail = recorded('buildkit-a');
    const failed = failure('build-failed', 'The build failed: exit code: 100', {tail});
    expect(causeOf('build', failed, 'images/a/Dockerfile')).toEqual({
      cause: 'E: Unable to locate package foo',
      place: {file: 'images/a/Dockerfile', line: 8},
    });
    expect(causeOf('build', failed).place).toBeUndefined();
    const place = {file: 'x/Dockerfile', line: 3};
    expect(causeOf('build', {...failed, place}, 'images/a/Dockerfile').place).toEqual(place);
  });

  it('leaves other failures in their own words', () => {
    const tail = recorded('buildkit-a');
    expect(causeOf('push', failure('rate-limit', 'Too many requests.', {tail})).cause).toBe(
      'Too many requests.',
    );
    expect(causeOf('build', failure('disk-full', 'The disk is full.', {tail})).cause).toBe(
      'The disk is full.',
    );
  });
});

describe('testCause', () => {
  it.each([
    [
      'pytest-fail',
      {
        cause: 'AssertionError: python is too old',
        test: 'test_version',
        file: 'test/test_a.py',
        line: 9,
      },
    ],
    [
      'pytest-collect',
      {cause: "ModuleNotFoundError: No module named 'nosuch'", file: 'test/test_b.py', line: 1},
    ],
    [
      'unittest-fail',
      {
        cause: 'AssertionError: 1 != 2',
        test: 'test_a',
        file: '/home/runner/work/stack/u_test.py',
        line: 3,
      },
    ],
    ['pytest-quiet', undefined],
  ])('reads %s', (name, expected) => {
    expect(testCause(recorded(name))).toEqual(expected);
  });

  it('takes the line of the test, not of the helper that it called', () => {
    const lines = recorded('pytest-fail').filter((line) => !line.includes('test_version'));
    expect(testCause(lines)).toMatchObject({
      test: 'test_deep',
      cause: 'ValueError: bad value: 7',
      line: 11,
    });
  });
});

describe('testCounts', () => {
  it.each([
    ['pytest-fail', {passed: 1, failed: 2, skipped: 1}],
    ['pytest-collect', {passed: 0, failed: 1, skipped: 0}],
    ['pytest-quiet', {passed: 1, failed: 0, skipped: 1}],
    ['unittest-fail', {passed: 1, failed: 1, skipped: 1}],
  ])('reads %s', (name, expected) => {
    expect(testCounts(recorded(name))).toEqual(expected);
  });

  it.each([
    ['===== no tests ran in 0.01s =====', {passed: 0, failed: 0, skipped: 0}],
    [
      '===== 3 passed, 1 xfailed, 2 warnings in 61.20s (0:01:01) =====',
      {passed: 3, failed: 0, skipped: 1},
    ],
    ['Tests: 1 failed, 2 passed, 3 total', {passed: 2, failed: 1, skipped: 0}],
    ['5 passed', {passed: 5, failed: 0, skipped: 0}],
    ['nothing of the kind', undefined],
  ])('reads "%s"', (line, expected) => {
    expect(testCounts(['before', line])).toEqual(expected);
  });
});
