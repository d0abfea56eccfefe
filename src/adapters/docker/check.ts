import {statfs} from 'node:fs/promises';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {type CallDocker, deadlines} from './cli.ts';
import {tellingLine} from './failure.ts';
import type {Docker, EngineFacts} from './types.ts';

/** Below this the data folder of Docker counts as full. */
const leastFreeBytes = 100 * 1024 * 1024;

type Checks = Pick<Docker, 'check' | 'driver' | 'diagnose'>;

/** Whether docker works, and why not. */
export function createChecks(call: CallDocker, builder: string | undefined): Checks {
  const ask = (args: readonly string[], subject: string, seconds: number = deadlines.small) =>
    call({args, operation: 'other', subject, seconds});
  let facts: Promise<Result<EngineFacts>> | undefined;
  let driver: Promise<Result<string>> | undefined;

  const info = () => ask(['info', '--format', infoFormat], 'info', 20);

  const check = async (): Promise<Result<EngineFacts>> => {
    const engine = await info();
    if (!engine.ok) return fail(noEngine(engine.error));
    const {storage, plugins, version} = readInfo(engine.value.stdout);
    if (isOldDocker(version)) return fail(tooOld(version));
    return ok({
      hasBuildx: plugins.some(({Name, Err}) => Name === 'buildx' && Err === undefined),
      hasContainerdStore: JSON.stringify(storage).includes('io.containerd.snapshotter'),
    });
  };

  const askDriver = async (): Promise<Result<string>> => {
    const asked = await ask(
      ['buildx', 'inspect', ...(builder === undefined ? [] : [builder])],
      'the builder',
    );
    if (!asked.ok && builder !== undefined) return fail(noBuilder(builder, asked));
    const found = asked.ok ? /^Driver:\s*(\S+)/m.exec(asked.value.stdout)?.[1] : undefined;
    return ok(found ?? 'docker');
  };

  return {
    check: () => {
      facts ??= check();
      return facts;
    },
    driver: () => {
      driver ??= askDriver();
      return driver;
    },
    diagnose: async (failure) => {
      if (failure.cause?.kind !== 'exit' || !mayBeTheDaemon.has(failure.class)) return failure;
      const engine = await info();
      if (!engine.ok) return daemonLost(failure);
      const {root} = readInfo(engine.value.stdout);
      const space = root === undefined ? undefined : await statfs(root).catch(() => undefined);
      if (space === undefined || space.bavail * space.bsize > leastFreeBytes) return failure;
      return {
        ...failure,
        class: 'disk-full',
        message: `${failure.message} The disk of ${root} is full.`,
        hint: 'Free space where Docker keeps its data, or set "prune: true" for images in spec.yml.',
      };
    },
  };
}

const infoFormat = `{${[
  '"version":{{json .ServerVersion}}',
  '"storage":{{json .DriverStatus}}',
  '"plugins":{{json .ClientInfo.Plugins}}',
  '"root":{{json .DockerRootDir}}',
].join()}}`;

/** The answer of `docker info`; another program of that name may print anything. */
function readInfo(text: string): {
  /** Of the engine; empty when not known. */
  readonly version: string;
  readonly storage: unknown;
  readonly plugins: readonly {readonly Name?: string; readonly Err?: unknown}[];
  readonly root: string | undefined;
} {
  try {
    const {version, storage, plugins, root} = JSON.parse(text);
    return {version: version ?? '', storage, plugins: plugins ?? [], root: root || undefined};
  } catch {
    return {version: '', storage: null, plugins: [], root: undefined};
  }
}

/** Classes that a dying daemon or a full disk can look like. */
const mayBeTheDaemon: ReadonlySet<Failure['class']> = new Set([
  'build-failed',
  'test-failed',
  'oom-killed',
  'registry-unavailable',
  'internal',
]);

function noEngine(failure: Failure): Failure {
  if (failure.cause?.kind === 'spawn') return failure;
  const line = tellingLine(failure.tail);
  return {
    ...failure,
    class: 'daemon-lost',
    // The rest is what --format made of nothing, and the same line again.
    tail: [],
    message: `The Docker daemon is not reachable${line === undefined ? '.' : `: ${line}`}`,
    hint: 'Start it (for example: sudo systemctl start docker), and make sure that this user may use its socket.',
  };
}

function tooOld(version: string): Failure {
  return failure(
    'daemon-lost',
    `Docker ${version} is too old. This action needs ${oldestDocker} or newer.`,
    {
      hint: 'Update Docker Engine (https://docs.docker.com/engine/install/), or run on a runner that has it.',
    },
  );
}

function noBuilder(builder: string, asked: Result<unknown>): Failure {
  const tail = asked.ok ? [] : asked.error.tail;
  return failure(
    'spec-invalid',
    `The builder "${builder}" was not found${tail.length > 0 ? `: ${tail.at(-1)}` : '.'}`,
    {
      tail,
      hint: 'Create it before this step (docker/setup-buildx-action, or "docker buildx create"), or omit the input "builder".',
    },
  );
}

function daemonLost(failure: Failure): Failure {
  return {
    ...failure,
    class: 'daemon-lost',
    message: `Lost the connection to the Docker daemon: ${failure.message}`,
    hint: 'Find out why the daemon stopped (journalctl -u docker), then re-run the job.',
  };
}
/** The oldest Docker that knows all that is asked of it: what Debian 11 and 12 have. */
export const oldestDocker = '20.10';

/** A version that is not a number, such as that of a build from source, counts as new. */
export function isOldDocker(version: string): boolean {
  const [major, minor] = numbers(version);
  const [oldMajor = 0, oldMinor = 0] = numbers(oldestDocker);
  if (major === undefined || minor === undefined) return false;
  return major < oldMajor || (major === oldMajor && minor < oldMinor);
}

function numbers(version: string): readonly number[] {
  return (/^v?(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
}
