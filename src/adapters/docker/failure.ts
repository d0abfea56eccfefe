import {diskFullHint, type Failure, type FailureClass} from '../../failure.ts';

/** What docker was doing; the same words mean different things in a push and in a build. */
export type DockerOperation = 'login' | 'pull' | 'build' | 'push' | 'run' | 'other';

/**
 * Finds the class of a failed docker command, which decides about retries, and one sentence with what to do.
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
  const line = operation === 'build' ? buildCause(failure.tail) : undefined;
  const because = line ?? tellingLine(failure.tail) ?? `exit code ${failure.cause.exitCode}`;
  const place = operation === 'build' ? dockerfileLine(failure.tail) : undefined;
  const where = place === undefined ? '' : ` at ${place}`;
  const isForeign = cause === 'build-failed' && /exec format error/i.test(failure.tail.join('\n'));
  const isFetch = (operation === 'build' || operation === 'pull') && fetchClasses.has(cause);
  const hint = isForeign ? foreignHint : isFetch ? fetchHint : hints[cause];
  return {
    ...failure,
    class: cause,
    message: `${verbs[operation]} ${subject} failed${where}: ${because}`,
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
  'daemon-lost': 'Start the Docker daemon, or find out why it stopped; then re-run the job.',
  'disk-full': diskFullHint,
  'rate-limit': 'The registry is rate limiting requests. Re-run the job later, or log in.',
  auth: 'Check the inputs "username" and "password"; a token may have expired.',
  permission:
    'The token lacks permission. On GitHub give the job "packages: write" and connect the package to this repository (package settings, Manage Actions access).',
  'tag-conflict':
    'The registry does not allow this tag to be moved. Use another tag, or allow tags to be overwritten.',
  'registry-unavailable': 'The registry or the network has a problem. Re-run the job.',
  'oom-killed':
    'A process was killed (SIGKILL), most likely because the runner ran out of memory. Use a larger runner.',
};

const foreignHint =
  'This machine cannot run programs of this platform. Add "- uses: docker/setup-qemu-action@v3" before this step, or build on a runner of the platform ("runners" in spec.yml). A script needs a first line such as "#!/bin/sh".';

/** Registries say the same of an image that is not there and of one that this login may not read. */
const fetchClasses: ReadonlySet<FailureClass> = new Set(['auth', 'permission', 'not-found']);
const fetchHint =
  'Check the name and the tag, in a build those of the FROM lines. A private image needs a login that may read it: the inputs "registry", "username" and "password", or docker/login-action before this step (ghcr.io: "permissions: packages: read").';

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

/**
 * What the failed command of a RUN printed, because "exit code: 100" helps no one: BuildKit repeats its last lines
 * below ` > [2/3] RUN …:`. Undefined where no command failed.
 */
function buildCause(tail: readonly string[]): string | undefined {
  const verdict = tail.findLast((line) => stepExit.test(line));
  const found = verdict === undefined ? null : stepExit.exec(verdict);
  const code = found?.[1] ?? found?.[2];
  if (code === undefined || code === '137') return undefined;
  const lines = commandOutput(tail)
    .map((line) => line.replace(/^\d+\.\d+ ?/, '').trim())
    .filter((line) => line !== '');
  const apt = lines.find((line) => /^E: (?!Sub-process)/.test(line));
  const error = lines.findLast((line) => /error|fail|fatal|denied|not found|no such/i.test(line));
  const line = apt ?? error ?? lines.at(-1);
  return line === undefined ? undefined : `${cut(line)} (exit code ${code})`;
}

function commandOutput(tail: readonly string[]): readonly string[] {
  const start = tail.findLastIndex((line) => /^ > .*:$/.test(line));
  if (start >= 0) {
    const rest = tail.slice(start + 1);
    const end = rest.findIndex((line) => /^-{6}$/.test(line));
    return rest.slice(0, end < 0 ? rest.length : end);
  }
  const failed = tail.findLast((line) => /^#\d+ ERROR: /.test(line));
  const step = failed?.slice(0, failed.indexOf(' ') + 1);
  if (step !== undefined) {
    const own = tail.filter((line) => line.startsWith(step) && line !== failed);
    return own.map((line) => line.slice(step.length));
  }
  // The old builder prints the output as it is.
  const isOurs = (line: string): boolean => /^(?:Step \d| ?--->|ERROR|#)/.test(line);
  return tail.filter((line) => !isOurs(line) && !stepExit.test(line));
}

/** `Dockerfile:8`, the heading of the lines that BuildKit shows. */
function dockerfileLine(tail: readonly string[]): string | undefined {
  const isHeading = (line: string, index: number): boolean =>
    /^\S[^\s:]*:\d+$/.test(line) && /^-{10,}$/.test(tail[index + 1] ?? '');
  return tail.findLast(isHeading);
}

function cut(line: string): string {
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

/** What docker puts before what happened. */
const wrappers =
  /^(?:(?:ERROR|docker|failed to build|failed to solve|Error response from daemon): )+/;

/** The most telling line: the last one about an error, else the last. Never the JSON that --format prints. */
export function tellingLine(tail: readonly string[]): string | undefined {
  const lines = tail.filter(
    (line) => !/^(?:-+|\{|View build details|Run 'docker|errors pretty printing)/.test(line),
  );
  const line = lines.findLast((text) =>
    /error|denied|unauthorized|failed|unknown|EOF|toomany/i.test(text),
  );
  return (line ?? lines.at(-1))?.replace(wrappers, '');
}
