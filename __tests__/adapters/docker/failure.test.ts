import {describe, expect, it} from 'vitest';
import {type DockerOperation, explainDockerFailure} from '../../../src/adapters/docker/failure.ts';
import {retryWait} from '../../../src/build/steps/attempts.ts';
import {explainTestFailure} from '../../../src/build/steps/pytest.ts';
import {type Failure, type FailureClass, failure} from '../../../src/failure.ts';

const ref = 'ghcr.io/o/a:2026.3-main';

function failed(tail: string, exitCode = 1): Failure {
  const lines = tail.split('\n');
  return failure('internal', '', {cause: {kind: 'exit', command: 'docker', exitCode}, tail: lines});
}

const aptOutput = `#5 1.2 E: Failed to fetch http://deb/x  503  Service Unavailable
#5 1.3 ERROR: 429 Too Many Requests from the index
ERROR: failed to build: failed to solve: process "/bin/sh -c apt-get update" did not complete successfully: exit code: 100`;

describe('explainDockerFailure', () => {
  const cases: readonly (readonly [DockerOperation, string, FailureClass])[] = [
    ['push', 'denied: requested access to the resource is denied', 'permission'],
    ['push', 'denied: permission_denied: write_package', 'permission'],
    [
      'push',
      'denied: permission_denied: Error from intermediary with HTTP status code 403: You have exceeded a secondary rate limit',
      'rate-limit',
    ],
    ['push', 'toomanyrequests: retry-after: 10.3ms, allowed: 2000/minute', 'rate-limit'],
    ['push', 'unauthorized: authentication required', 'auth'],
    ['push', 'received unexpected HTTP status: 500 Internal Server Error', 'registry-unavailable'],
    ['push', 'received unexpected HTTP status: 503 Service Unavailable', 'registry-unavailable'],
    ['push', 'unknown blob', 'registry-unavailable'],
    ['push', 'manifest blob unknown: blob unknown to registry', 'registry-unavailable'],
    ['push', 'EOF', 'registry-unavailable'],
    ['push', 'abc: Pushed\nunknown: internal', 'registry-unavailable'],
    ['push', 'write tcp 1->2: write: connection reset by peer', 'registry-unavailable'],
    // With containerd's image store (Docker 29) docker prints the registry's message without its code.
    ['push', 'error from registry: requested access to the resource is denied', 'permission'],
    ['push', 'error from registry: too many requests', 'rate-limit'],
    ['push', 'error from registry: authentication required', 'auth'],
    ['push', 'error from registry: blob unknown to registry', 'registry-unavailable'],
    ['push', 'error from registry: something went wrong', 'registry-unavailable'],
    [
      'push',
      'failed to do request: Put "https://r/v2/a/manifests/1": write tcp 1->2: use of closed network connection',
      'registry-unavailable',
    ],
    [
      'push',
      "tag invalid: The image tag '1' already exists in the 'a' repository and cannot be overwritten because the repository is immutable.",
      'tag-conflict',
    ],
    ['push', 'An image does not exist locally with the tag: ghcr.io/o/a', 'not-found'],
    [
      'pull',
      'Error response from daemon: manifest for ghcr.io/o/a:x not found: manifest unknown: manifest unknown',
      'not-found',
    ],
    [
      'pull',
      'Error response from daemon: Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused',
      'registry-unavailable',
    ],
    [
      'pull',
      'Error response from daemon: Get "https://x/v2/": net/http: TLS handshake timeout',
      'registry-unavailable',
    ],
    ['pull', 'Error response from daemon: Head "https://x": no basic auth credentials', 'auth'],
    ['pull', 'write /var/lib/docker/tmp/GetImageBlob1: no space left on device', 'disk-full'],
    [
      'login',
      'Error response from daemon: Get "https://x/v2/": unauthorized: incorrect username or password',
      'auth',
    ],
    ['build', aptOutput, 'build-failed'],
    [
      'build',
      '#5 0.1 pull from the registry: 429 Too Many Requests\nERROR: failed to solve: rpc error: no token for the manifest',
      'build-failed',
    ],
    [
      'build',
      'ERROR: process "/bin/sh -c x" did not complete successfully: exit code: 137',
      'oom-killed',
    ],
    ['build', "The command '/bin/sh -c x' returned a non-zero code: 7", 'build-failed'],
    ['build', "The command '/bin/sh -c x' returned a non-zero code: 137", 'oom-killed'],
    ['build', '#5 1.1 dd: error writing: No space left on device\nexit code: 1', 'disk-full'],
    [
      'build',
      'ERROR: failed to solve: ghcr.io/o/b:t: failed to resolve source metadata for ghcr.io/o/b:t: ghcr.io/o/b:t: not found',
      'not-found',
    ],
    [
      'build',
      'ERROR: failed to solve: ghcr.io/o/b:t: failed to resolve source metadata for ghcr.io/o/b:t: unexpected status from HEAD request to https://ghcr.io/v2/o/b/manifests/t: 503 Service Unavailable',
      'registry-unavailable',
    ],
    [
      'build',
      'ERROR: failed to solve: x: failed to resolve source metadata for x: failed to authorize: failed to fetch oauth token: 401 Unauthorized',
      'auth',
    ],
    [
      'build',
      'ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUM',
      'build-failed',
    ],
    [
      'build',
      'ERROR: failed to solve: failed to compute cache key: "/nope": not found',
      'build-failed',
    ],
    [
      'build',
      'ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF',
      'daemon-lost',
    ],
    [
      'run',
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'daemon-lost',
    ],
    ['run', 'docker: error waiting for container: unexpected EOF', 'daemon-lost'],
    ['run', 'urllib.error.HTTPError: HTTP Error 403: Forbidden', 'internal'],
  ];
  it.each(cases)('of a %s: %s', (operation, tail, expected) => {
    const seen = explainDockerFailure(failed(tail), operation, ref);
    expect(seen.class).toBe(expected);
    expect(seen.message).toContain(ref);
  });

  it('says what a build for a foreign platform needs', () => {
    const tail =
      ' > [2/2] RUN true:\n0.2 exec /bin/sh: exec format error\n------\nERROR: failed to solve: process "/bin/sh -c true" did not complete successfully: exit code: 255';
    const seen = explainDockerFailure(failed(tail), 'build', ref);
    expect(seen.message).toContain('exec /bin/sh: exec format error (exit code 255)');
    expect(seen.hint).toContain('docker/setup-qemu-action');
    const other = explainDockerFailure(failed(aptOutput), 'build', ref);
    expect(other.hint).toBeUndefined();
  });

  it('says the line that tells it, without the words before it', () => {
    const tail = 'The push refers to repository [x]\nabc: Preparing\ndenied: no';
    expect(explainDockerFailure(failed(tail), 'push', ref).message).toBe(
      `The push of ${ref} failed: denied: no`,
    );
  });

  it.each([
    ['ERROR: failed to build: failed to solve: x: not found', 'x: not found'],
    ['docker: Error response from daemon: x failed', 'x failed'],
  ])('leaves out what docker puts before it: %s', (tail, words) => {
    expect(explainDockerFailure(failed(tail), 'build', ref).message).toBe(
      `The build of ${ref} failed: ${words}`,
    );
  });

  const buildkit = (output: string) => `#7 [2/2] RUN apt-get install -y nosuch
#7 0.213 Reading package lists...
#7 ERROR: process "/bin/sh -c apt-get install -y nosuch" did not complete successfully: exit code: 100
${output}
ERROR: failed to build: failed to solve: process "/bin/sh -c apt-get install -y nosuch" did not complete successfully: exit code: 100`;
  const block = `------
 > [2/2] RUN apt-get install -y nosuch:
0.213 Reading package lists...
0.341 E: Unable to locate package nosuch
------
Dockerfile:8
--------------------
   7 |
   8 | >>> RUN apt-get install -y nosuch
--------------------`;
  it.each([
    ['the words of the command', block, ' at Dockerfile:8: E: Unable to locate package nosuch'],
    [
      'the last words where none is about an error',
      block.replace('E: Unable to locate package nosuch', 'goodbye'),
      ' at Dockerfile:8: goodbye',
    ],
    ['the lines of its step without such a block', '', ': Reading package lists...'],
  ])('says why a build failed: %s', (_, output, words) => {
    expect(explainDockerFailure(failed(buildkit(output)), 'build', ref).message).toBe(
      `The build of ${ref} failed${words} (exit code 100)`,
    );
  });

  it("says why a build failed in the old builder's words", () => {
    const tail =
      "Step 2/2 : RUN pip install nosuch\n ---> Running in 1\nERROR: nothing\npip: no such package\nThe command '/bin/sh -c pip install nosuch' returned a non-zero code: 1";
    expect(explainDockerFailure(failed(tail), 'build', ref).message).toBe(
      `The build of ${ref} failed: pip: no such package (exit code 1)`,
    );
  });

  it('names the permission that is missing', () => {
    expect(explainDockerFailure(failed('denied: no'), 'push', ref).hint).toContain(
      'packages: write',
    );
  });

  it.each([
    failure('cancelled', 'c'),
    failure('timeout', 'm', {cause: {kind: 'timeout', command: 'c', seconds: 1}, tail: ['denied']}),
  ] as const)('leaves the class of what was ended: $reason', (given) => {
    expect(explainDockerFailure(given, 'push', ref).class).toBe(given.class);
  });
});

describe('a base that cannot be fetched', () => {
  it.each([
    [
      'ERROR: failed to solve: r.io/nosuch:1: failed to resolve source metadata for r.io/nosuch:1: r.io/nosuch:1: not found',
      'not-found',
    ],
    [
      'ERROR: failed to solve: debain: failed to resolve source metadata for docker.io/library/debain:latest: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'permission',
    ],
  ] as const)(
    'is a name in FROM or a login that may not read, not one that may not push: %s',
    (tail, kind) => {
      const found = explainDockerFailure(failed(tail), 'build', ref);
      expect(found.class).toBe(kind);
      expect(found.hint).toMatch(/FROM lines.*docker\/login-action.*packages: read/);
      expect(found.hint).not.toContain('packages: write');
    },
  );

  it('leaves the words about a push as they are', () => {
    expect(explainDockerFailure(failed('denied'), 'push', ref).hint).toContain('packages: write');
  });
});

describe('explainTestFailure', () => {
  const pytest = {ref, isPytest: true, isHost: true};

  it('names the test that failed', () => {
    const tail =
      '1 failed\nFAILED images/a/test/test_a.py::test_x - assert 1 == 2\n=== 1 failed ===';
    expect(explainTestFailure(failed(tail), pytest)).toMatchObject({
      class: 'test-failed',
      message: `The tests of ${ref} failed: FAILED images/a/test/test_a.py::test_x - assert 1 == 2`,
    });
  });

  it.each([
    [
      2,
      "E   ModuleNotFoundError: No module named 'x'",
      true,
      /^Install what the tests import in a step/,
    ],
    [2, "E   ModuleNotFoundError: No module named 'x'", false, /in the image/],
    [4, 'ERROR: usage: pytest', true, /pytest\.ini/],
    [137, 'Killed', true, /larger runner/],
    [1, 'E   ImportError', true, undefined],
  ])(
    'says what to do where the test itself is not to be mended: %i %s',
    (code, tail, isHost, hint) => {
      const found = explainTestFailure(failed(tail, code), {...pytest, isHost}).hint;
      if (hint === undefined) expect(found).toBeUndefined();
      else expect(found).toMatch(hint);
    },
  );

  it.each([
    ['sh: 1: exec: python3: not found', 'the image has no pytest and no python3.'],
    ['/bin/sh: exec: line 1: python3: not found', 'the image has no pytest and no python3.'],
    ['[FATAL tini (7)] exec sh failed: No such file or directory', 'the image has no shell (sh)'],
    ['exec: "sh": executable file not found in $PATH', 'the image has no shell (sh)'],
  ])('says what a container lacks: %s', (tail, words) => {
    const found = explainTestFailure(failed(tail, 127), {...pytest, isHost: false});
    expect(found.class).toBe('no-tests');
    expect(found.message).toContain(words);
  });

  it.each([
    [true, 127, 'sh: 1: jq: not found', /not found on this machine: sh: 1: jq.*/, /runner/],
    [false, 127, 'exec ./x.sh failed: No such file', /not found in the image: exec/, /stack-tests/],
    [true, 126, 'sh: 1: ./x.sh: Permission denied', /could not be executed: sh/, /chmod=\+x/],
  ])(
    'says what a command of the spec lacks (host: %s, exit code %i)',
    (isHost, code, tail, message, hint) => {
      const found = explainTestFailure(failed(tail, code), {ref, isPytest: false, isHost});
      expect(found.class).toBe('test-failed');
      expect(found.message).toMatch(message);
      expect(found.hint).toMatch(hint);
    },
  );

  it('knows a kill by signal 9', () => {
    expect(explainTestFailure(failed('', 137), pytest).class).toBe('oom-killed');
  });
});

describe('retryWait', () => {
  const tried = {number: 1, waited: 0, total: 0};
  const of = (tail: string) => explainDockerFailure(failed(tail), 'push', ref);

  it.each(['denied', 'unauthorized', 'tag invalid'])('does not try again after "%s"', (tail) => {
    expect(retryWait(of(tail), tried, 0.5)).toBeUndefined();
  });

  it('tries again after a hiccup, within a minute', () => {
    expect(retryWait(of('EOF'), tried, 1)).toBeLessThanOrEqual(60);
    expect(retryWait(of('EOF'), tried, 0)).toBeGreaterThan(0);
  });

  it('gives a registry that limits requests some seconds at least', () => {
    expect(retryWait(of('toomanyrequests'), tried, 0)).toBe(3);
  });

  it('waits as long as the registry asks, but not for hours', () => {
    expect(retryWait(of('toomanyrequests: retry-after: 90s'), tried, 0)).toBe(90);
    expect(retryWait(of('toomanyrequests: retry-after: 3600s'), tried, 0)).toBeUndefined();
  });
});
