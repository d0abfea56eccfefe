import {diskFullHint, type Failure, type FailureClass} from '../../failure.ts';

/** What docker was doing; the same words mean different things in a push and in a build. */
export type DockerOperation = 'login' | 'pull' | 'build' | 'push' | 'run' | 'other';

/**
 * Says which class a failed docker command belongs to, in one sentence with what to do (RELIABILITY.md 2d.1).
 * `subject` is the full reference, or the host of a login. Deadlines and cancellations stay what they are.
 */
export function explainDockerFailure(
  failure: Failure,
  operation: DockerOperation,
  subject: string,
): Failure {
  if (failure.cause?.kind === 'timeout') {
    return {...failure, message: `${verbs[operation]} ${subject}: ${failure.message}`};
  }
  if (failure.cause?.kind !== 'exit') return failure;
  const cause = classify(failure.tail, failure.cause.exitCode, operation);
  const line = tellingLine(failure.tail);
  const because = line === undefined ? `exit code ${failure.cause.exitCode}` : line;
  const hint = hints[cause];
  return {
    ...failure,
    class: cause,
    message: `${verbs[operation]} ${subject} failed: ${because}`,
    ...(hint === undefined ? {} : {hint}),
  };
}

const verbs: Record<DockerOperation, string> = {
  login: 'The login to',
  pull: 'The pull of',
  build: 'The build of',
  push: 'The push of',
  run: 'A container of',
  other: 'The docker command for',
};

const hints: Partial<Record<FailureClass, string>> = {
  'daemon-lost': 'Start the Docker daemon, or look why it ended; then run the job again.',
  'disk-full': diskFullHint,
  'rate-limit': 'The registry wants fewer requests. Run the job again later, or log in.',
  auth: 'Check the inputs "username" and "password"; a token may have expired.',
  permission:
    'The token may not do this. On GitHub give the job "packages: write" and connect the package to this repository (package settings, Manage Actions access).',
  'tag-conflict': 'The tag cannot be moved, or another run moved it. Use another tag.',
  'registry-unavailable': 'The registry or the network has a problem. Run the job again.',
  'oom-killed':
    'Something was killed with signal 9, mostly for want of memory. Use a larger runner.',
};

const daemon =
  /Cannot connect to the Docker daemon|error during connect|Is the docker daemon running|waiting for container: unexpected EOF|failed to receive status: rpc error|transport is closing|closing transport|server is (?:shutting|going) down|grpc: the (?:client|server)/i;
const disk = /no space left on device|disk quota exceeded/i;
const stepExit = /did not complete successfully: exit code: (\d+)|returned a non-zero code: (\d+)/;

/** Words of registries, in the order in which they count. */
const registryWords: readonly (readonly [RegExp, FailureClass])[] = [
  [/toomanyrequests|too many requests|\b429\b|rate limit/i, 'rate-limit'],
  [/cannot be overwritten|immutable|tag invalid/i, 'tag-conflict'],
  [
    /blob unknown|unknown blob|\bEOF\b|connection re(?:set|fused)|broken pipe|(?:i\/o|handshake|awaiting headers|Client\.)\s*time ?out|context deadline exceeded|closed network connection|no such host|server misbehaving|network is unreachable|(?:HTTP status|status code|status)\D{0,80}\b(?:408|499|5\d\d)\b|\b(?:500 Internal|502 Bad|503 Service|504 Gateway)/i,
    'registry-unavailable',
  ],
  [
    /unauthorized|authentication required|no basic auth|\b401\b|incorrect username or password/i,
    'auth',
  ],
  [/denied|forbidden|\b403\b|insufficient[_ ]scope/i, 'permission'],
  [/name invalid|invalid reference format|must be lowercase|\b400\b/i, 'spec-invalid'],
  [/not found|manifest unknown|no such (?:manifest|image)|does not exist/i, 'not-found'],
  // What the registry has no word for, and, with containerd's store, what docker leaves the word out of.
  [/^unknown: |error from registry: /m, 'registry-unavailable'],
];

function classify(
  tail: readonly string[],
  exitCode: number,
  operation: DockerOperation,
): FailureClass {
  const text = tail.join('\n');
  if (daemon.test(text)) return 'daemon-lost';
  if (disk.test(text)) return 'disk-full';
  const step = stepExit.exec(text);
  if (step !== null) return (step[1] ?? step[2]) === '137' ? 'oom-killed' : 'build-failed';
  if (operation === 'run') return exitCode === 137 ? 'oom-killed' : 'internal';
  // What a build's own commands print says nothing of a registry: only the builder's verdict counts.
  const verdict =
    operation === 'build' ? tail.filter((line) => /^(?:ERROR|error|Error)\b/.test(line)) : tail;
  const isFetch =
    operation !== 'build' ||
    /resolve|fetch|pull|manifest|blob|token|registry/i.test(verdict.join());
  const found = isFetch
    ? registryWords.find(([words]) => words.test(verdict.join('\n')))?.[1]
    : undefined;
  return found ?? (operation === 'build' ? 'build-failed' : 'internal');
}

/** What docker puts before what happened. */
const wrappers =
  /^(?:(?:ERROR|docker|failed to build|failed to solve|Error response from daemon): )+/;

/** The line that says it best: the last one that speaks of an error, else the last. */
function tellingLine(tail: readonly string[]): string | undefined {
  const lines = tail.filter((line) => !/^(?:-+|View build details|Run 'docker)/.test(line));
  const line = lines.findLast((text) =>
    /error|denied|unauthorized|failed|unknown|EOF|toomany/i.test(text),
  );
  return (line ?? lines.at(-1))?.replace(wrappers, '');
}
