import {ok} from '../../failure.ts';
import {containerArguments, runLabel} from './arguments.ts';
import {type CallDocker, deadlines, withoutValue} from './cli.ts';
import {type PrivateTags, readPrivateTags} from './private-tags.ts';
import type {Docker, DockerOptions} from './types.ts';

type Containers = Pick<
  Docker,
  | 'run'
  | 'create'
  | 'start'
  | 'copy'
  | 'ranOutOfMemory'
  | 'memoryRanOut'
  | 'removeContainer'
  | 'cleanUp'
  | 'sweep'
>;

/** Containers of a run that are older than this are left over from a run that was killed. */
const staleMs = 6 * 60 * 60 * 1000;

/** The exit code of a client that could not do its work itself. */
const lostClient = 125;

/** As docker takes a moment. */
function secondsOf(moment: Date): string {
  return (moment.getTime() / 1000).toFixed(3);
}

/** Containers of one run. Files go in and out by `docker cp`; nothing is ever mounted. */
export function createContainers(
  call: CallDocker,
  runId: string,
  privateTags: Pick<PrivateTags, 'removeAll'>,
): Containers {
  const small = (args: readonly string[], subject: string, options?: DockerOptions) =>
    call({args, operation: 'other', subject, seconds: deadlines.small, ...(options && {options})});
  /** Names of containers that were asked for and not yet seen to be gone. */
  const open = new Set<string>();
  const remove = async (names: readonly string[], options?: DockerOptions) => {
    if (names.length === 0) return {ok: true, value: undefined} as const;
    const done = await small(['rm', '--force', '--volumes', ...names], 'containers', options);
    if (done.ok) for (const name of names) open.delete(name);
    return withoutValue(done);
  };

  const sweepTags = async (now: Date, options: DockerOptions): Promise<void> => {
    const listed = await small(
      [
        'image',
        'ls',
        '--format',
        '{{.Repository}}:{{.Tag}}',
        '--filter',
        'reference=stack-run.invalid/*/*',
      ],
      'private tags',
      options,
    );
    const stale = listed.ok
      ? readPrivateTags(listed.value.stdout.split('\n')).filter(
          (tag) => tag.runId !== runId && now.getTime() - tag.beganMs > staleMs,
        )
      : [];
    if (stale.length > 0)
      await small(['image', 'rm', ...stale.map(({ref}) => ref)], 'private tags', options);
  };

  return {
    run: async (request, options) => {
      open.add(request.name);
      const done = await call({
        args: ['run', '--rm', ...containerArguments(request, runId)],
        operation: 'run',
        subject: request.image,
        seconds: deadlines.run,
        options,
      });
      // A client that was killed leaves its container behind, and one that lost the daemon may.
      const cause = done.ok ? undefined : done.error.cause;
      if (!done.ok && cause?.kind !== 'exit') await remove([request.name]);
      else if (cause?.kind !== 'exit' || cause.exitCode !== lostClient) open.delete(request.name);
      return done;
    },

    create: async (request, {log, signal}) => {
      open.add(request.name);
      return withoutValue(
        await call({
          args: ['create', ...containerArguments(request, runId)],
          operation: 'run',
          subject: request.image,
          seconds: deadlines.small * 5,
          options: {...(log === undefined ? {} : {log}), ...(signal === undefined ? {} : {signal})},
        }),
      );
    },

    start: (name, options) =>
      call({
        args: ['start', '--attach', name],
        operation: 'run',
        subject: name,
        seconds: deadlines.run,
        options,
      }),

    copy: async (from, to, options) =>
      withoutValue(
        await call({
          args: ['cp', from, to],
          operation: 'other',
          subject: to,
          seconds: deadlines.small * 5,
          options,
        }),
      ),

    ranOutOfMemory: async (name) => {
      const args = ['container', 'inspect', '--format', '{{.State.OOMKilled}}', name];
      const asked = await small(args, name);
      return asked.ok && asked.value.stdout.trim() === 'true';
    },

    memoryRanOut: async (images, since) => {
      const span = ['--since', secondsOf(since), '--until', secondsOf(new Date())];
      const filters = ['event=oom', ...images.map((image) => `image=${image}`)];
      const asked = await call({
        args: [
          'events',
          ...span,
          ...filters.flatMap((filter) => ['--filter', filter]),
          ...['--format', '{{.Actor.ID}}'],
        ],
        operation: 'other',
        subject: 'events',
        // An engine whose clock is behind would wait until then.
        seconds: 5,
      });
      return asked.ok && asked.value.stdout.trim() !== '';
    },

    removeContainer: (name) => remove([name]),

    cleanUp: async () => {
      const ends = await Promise.all([remove([...open]), privateTags.removeAll()]);
      return ends.find((end) => !end.ok) ?? ok();
    },

    sweep: async (now, options = {}) => {
      const format = `{{.ID}} {{.Label "${runLabel}"}} {{.CreatedAt}}`;
      const found = await small(
        ['ps', '--all', '--filter', `label=${runLabel}`, '--format', format],
        'containers',
        options,
      );
      if (!found.ok) return found;
      const left = found.value.stdout.split('\n').flatMap((line) => {
        const [id = '', run = '', day = '', time = '', zone = ''] = line.split(' ');
        const age = now.getTime() - Date.parse(`${day}T${time}${zone}`);
        return id !== '' && run !== runId && age > staleMs ? [id] : [];
      });
      const [removed] = await Promise.all([remove(left, options), sweepTags(now, options)]);
      return removed;
    },
  };
}
