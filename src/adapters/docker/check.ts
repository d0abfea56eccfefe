import {statfs} from 'node:fs/promises';
import {hostname} from 'node:os';
import {diskFullHint, type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {formatBytes} from '../../util/text.ts';
import {type CallDocker, deadlines} from './cli.ts';

import {tellingLine} from './failure.ts';
import type {Disk, Docker, EngineFacts} from './types.ts';

/** Below this the data folder of Docker counts as full. */
const leastFreeBytes = 100 * 1024 * 1024;

type Checks = Pick<Docker, 'check' | 'driver' | 'platforms' | 'disk' | 'diagnose'>;

export interface CheckPorts {
  /** The builder that the user names. */
  readonly builder: string | undefined;
  /** There are builders besides the engine. */
  readonly hasBuilders: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Whether docker works, and why not. */
export function createChecks(call: CallDocker, {builder, hasBuilders, signal}: CheckPorts): Checks {
  /** Without an engine, what else was asked of it is of no use. */
  const hopeless = new AbortController();
  const stop = AbortSignal.any([hopeless.signal, ...(signal ? [signal] : [])]);
  const ask = (
    args: readonly string[],
    subject: string,
    {
      seconds = deadlines.small,
      until = stop,
    }: {seconds?: number; until?: AbortSignal | undefined} = {},
  ) => call({args, operation: 'other', subject, seconds, ...(until && {options: {signal: until}})});
  let facts: Promise<Result<EngineFacts>> | undefined;
  /** Where the engine keeps its data, once it told. */
  let place: Info | undefined;
  let inspected: Promise<Result<string>> | undefined;

  const info = () => ask(['info', '--format', infoFormat], 'info', {seconds: 20, until: signal});

  const check = async (): Promise<Result<EngineFacts>> => {
    const engine = await info();
    if (!engine.ok) {
      hopeless.abort();
      return fail(noEngine(engine.error));
    }
    place = readInfo(engine.value.stdout);
    const {storage, plugins, version} = place;
    if (isOldDocker(version)) return fail(tooOld(version));
    return ok({
      hasBuildx: plugins.some(({Name, Err}) => Name === 'buildx' && Err === undefined),
      hasContainerdStore: storage.includes('io.containerd.snapshotter'),
    });
  };

  const askBuilder = async (): Promise<Result<string>> => {
    const asked = await ask(
      ['buildx', 'inspect', ...(builder === undefined ? [] : [builder])],
      'the builder',
    );
    if (!asked.ok && builder !== undefined) return fail(noBuilder(builder, asked));
    return ok(asked.ok ? asked.value.stdout : '');
  };
  /** What buildx tells of the builder; empty where there is no buildx. */
  const inspect = (): Promise<Result<string>> => {
    inspected ??= askBuilder();
    return inspected;
  };

  const checkOnce = (): Promise<Result<EngineFacts>> => {
    facts ??= check();
    return facts;
  };

  return {
    check: checkOnce,
    driver: async () => {
      if (builder === undefined && !hasBuilders) return ok('docker');
      const told = await inspect();
      return told.ok ? ok(/^Driver:\s*(\S+)/m.exec(told.value)?.[1] ?? 'docker') : told;
    },
    platforms: async () => {
      const told = await inspect();
      const lines = told.ok ? [...told.value.matchAll(/^Platforms:[ \t]*(.+)$/gm)] : [];
      return lines.flatMap(([, list = '']) =>
        list.split(',').map((one) => one.replace(/[ \t*]/g, '')),
      );
    },
    disk: async () => {
      const checked = await checkOnce();
      return checked.ok && place !== undefined ? await diskOf(place) : undefined;
    },
    diagnose: async (failure) => {
      if (failure.cause?.kind !== 'exit' || !mayBeTheDaemon.has(failure.class)) return failure;
      const engine = await info();
      if (!engine.ok) return daemonLost(failure);
      const disk = await diskOf(readInfo(engine.value.stdout));
      if (disk === undefined || disk.freeBytes > leastFreeBytes) return failure;
      const {root, freeBytes, totalBytes} = disk;
      return {
        ...failure,
        class: 'disk-full',
        message: `${failure.message} The disk of ${root} is full: ${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free.`,
        hint: diskFullHint,
      };
    },
  };
}

/** The disk of the engine's data; undefined where it is not a disk of this machine, or cannot be looked at. */
async function diskOf({root, name}: Info): Promise<Disk | undefined> {
  // The same path may exist here too, and say nothing of an engine elsewhere.
  if (root === undefined || (name !== undefined && name !== hostname())) return undefined;
  const space = await statfs(root).catch(() => undefined);
  if (space === undefined) return undefined;
  return {root, freeBytes: space.bavail * space.bsize, totalBytes: space.blocks * space.bsize};
}

const infoFormat = `{${[
  '"version":{{json .ServerVersion}}',
  '"storage":{{json .DriverStatus}}',
  '"plugins":{{json .ClientInfo.Plugins}}',
  '"root":{{json .DockerRootDir}}',
  '"name":{{json .Name}}',
].join()}}`;

interface Info {
  /** Of the engine; empty when not known. */
  readonly version: string;
  /** Of the image store, as JSON. */
  readonly storage: string;
  readonly plugins: readonly {readonly Name?: unknown; readonly Err?: unknown}[];
  /** Where the engine keeps its data. */
  readonly root: string | undefined;
  /** The machine of the engine. */
  readonly name: string | undefined;
}

/** What `docker info` says; another program of that name may say anything, or leave anything out. */
function readInfo(text: string): Info {
  const {version, storage, plugins, root, name} = parseObject(text);
  return {
    version: wordOf(version) ?? '',
    storage: JSON.stringify(storage) ?? '',
    plugins: Array.isArray(plugins) ? plugins.filter(isObject) : [],
    root: wordOf(root),
    name: wordOf(name),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
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
