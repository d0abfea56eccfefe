import {statfs} from 'node:fs/promises';
import type {DockerFacts} from '../core/docker-types.ts';
import type {Failure, Result} from '../core/outcomes.ts';
import type {Docker} from '../ports.ts';
import {type CallDocker, deadlines} from './docker-cli.ts';

/** Below this the data folder of Docker counts as full. */
const leastFreeBytes = 100 * 1024 * 1024;

type Checks = Pick<Docker, 'check' | 'diagnose'>;

/** Whether docker can work, and why it could not. */
export function createChecks(call: CallDocker, builder: string | undefined): Checks {
  const ask = (args: readonly string[], subject: string, seconds: number = deadlines.small) =>
    call({args, operation: 'other', subject, seconds});
  let facts: Promise<Result<DockerFacts>> | undefined;

  const info = () =>
    ask(['info', '--format', '{{json .DriverStatus}} {{json .DockerRootDir}}'], 'info', 20);

  const check = async (): Promise<Result<DockerFacts>> => {
    const [engine, buildx, inspected] = await Promise.all([
      info(),
      ask(['buildx', 'version'], 'buildx'),
      ask(['buildx', 'inspect', ...(builder === undefined ? [] : [builder])], 'the builder'),
    ]);
    if (!engine.ok) return {ok: false, failure: noEngine(engine.failure)};
    if (builder !== undefined && (!buildx.ok || !inspected.ok)) {
      return {ok: false, failure: noBuilder(builder, buildx.ok ? inspected : buildx)};
    }
    const driver = inspected.ok ? /^Driver:\s*(\S+)/m.exec(inspected.value.stdout)?.[1] : undefined;
    return {
      ok: true,
      value: {
        hasBuildx: buildx.ok,
        driver: driver ?? 'docker',
        hasContainerdStore: engine.value.stdout.includes('io.containerd.snapshotter'),
      },
    };
  };

  return {
    check: () => {
      facts ??= check();
      return facts;
    },
    diagnose: async (failure) => {
      if (failure.reason !== 'exit-code' || !mayBeTheDaemon.has(failure.class)) return failure;
      const engine = await info();
      if (!engine.ok) return daemonLost(failure);
      const root = /"(\/[^"]*)"\s*$/.exec(engine.value.stdout)?.[1];
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

/** Classes that a dying daemon or a full disk can look like. */
const mayBeTheDaemon: ReadonlySet<Failure['class']> = new Set([
  'build-failed',
  'test-failed',
  'oom-killed',
  'registry-unavailable',
  'internal',
]);

function noEngine(failure: Failure): Failure {
  if (failure.reason === 'spawn') return failure;
  return {
    ...failure,
    class: 'daemon-lost',
    message: `The Docker daemon does not answer${failure.tail.length > 0 ? `: ${failure.tail.at(-1)}` : '.'}`,
    hint: 'Start it (for example: sudo systemctl start docker), and see that this user may use its socket.',
  };
}

function noBuilder(builder: string, asked: Result<unknown>): Failure {
  const tail = asked.ok ? [] : asked.failure.tail;
  return {
    reason: 'internal',
    class: 'spec-invalid',
    message: `The builder "${builder}" was not found${tail.length > 0 ? `: ${tail.at(-1)}` : '.'}`,
    hint: 'Make it before this step (docker/setup-buildx-action, or "docker buildx create"), or leave out the input "builder".',
    tail,
  };
}

function daemonLost(failure: Failure): Failure {
  return {
    ...failure,
    class: 'daemon-lost',
    message: `The Docker daemon was lost. What was seen: ${failure.message}`,
    hint: 'Look why the daemon ended (journalctl -u docker); then run the job again.',
  };
}
