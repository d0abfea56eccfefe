import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {type Failure, fail, failure, ok, type Result} from '../../failure.ts';
import {type BuildMode, buildArguments} from './arguments.ts';
import {type CallDocker, deadlines} from './cli.ts';
import type {PrivateTags} from './private-tags.ts';
import type {BuildRequest, Docker, DockerOptions} from './types.ts';

/** A build that succeeded. */
interface Done {
  /** As it was written: buildx's metadata, else the id of the image. */
  readonly file: string;
  readonly tail: readonly string[];
}

export interface BuildPorts {
  readonly call: CallDocker;
  readonly docker: Pick<Docker, 'check' | 'driver' | 'ids'>;
  readonly privateTags: Pick<PrivateTags, 'begin' | 'confirm'>;
  readonly builder: string | undefined;
  readonly tempDir: string;
}

/** Builds; where the two ways of building differ is in `buildArguments`. */
export function createBuilds({
  call,
  docker,
  privateTags,
  builder,
  tempDir,
}: BuildPorts): Pick<Docker, 'build' | 'buildAndPush'> {
  /** Runs the build and reads the result file, which identifies the image. */
  const build = async (
    request: BuildRequest,
    output: BuildMode['output'],
    options: DockerOptions,
  ): Promise<Result<Done>> => {
    const facts = await docker.check();
    if (!facts.ok) return facts;
    const {hasBuildx} = facts.value;
    if (!hasBuildx && (request.secrets.length > 0 || output === 'push')) {
      return fail(needsBuildx(request.ref));
    }
    const folder = await mkdtemp(join(tempDir, 'stack-build-'));
    try {
      const resultFile = join(folder, 'result');
      const chosen = request.inEngine ? await engineBuilder(call) : builder;
      const {privateName} = request;
      const isKept = privateName !== undefined && output === 'load';
      const tags = isKept ? [privateTags.begin(privateName)] : [];
      const mode = {hasBuildx, builder: chosen, output, tags, resultFile};
      const args = buildArguments(request, mode);
      const seconds = deadlines.build;
      const done = await call({args, operation: 'build', subject: request.ref, seconds, options});
      if (!done.ok) return done;
      // An old buildx may write nothing; then the reference identifies what was built.
      const file = await readFile(resultFile, 'utf8').catch(() => '');
      return ok({file, tail: done.value.tail});
    } finally {
      await rm(folder, {recursive: true, force: true});
    }
  };

  /** A builder outside of the engine writes an id that the engine may not know. */
  const idOf = async ({inEngine, ref}: BuildRequest, file: string): Promise<Result<string>> => {
    const driver = await docker.driver();
    if (!driver.ok) return driver;
    const written = digestIn(file);
    const isOurs = inEngine || driver.value === 'docker';
    if (isOurs && written !== undefined) return ok(written);
    const names = written === undefined ? [ref] : [written, ref];
    const found = await docker.ids(names);
    if (!found.ok) return found;
    const id = names.map((name) => found.value.get(name)).find((one) => one !== undefined);
    return id === undefined ? fail(lost(ref)) : ok(id);
  };

  return {
    build: async (request, options) => {
      const done = await build(request, 'load', options);
      if (!done.ok) return done;
      if (request.privateName !== undefined) privateTags.confirm(request.privateName);
      const id = await idOf(request, done.value.file);
      return id.ok ? ok({id: id.value, cacheSeconds: cacheSeconds(done.value.tail)}) : id;
    },
    buildAndPush: async (request, options) => {
      const done = await build(request, 'push', options);
      if (!done.ok) return done;
      const digest = digestIn(done.value.file);
      return digest === undefined ? fail(lost(request.ref)) : ok(digest);
    },
  };
}

/**
 * The digest in buildx's metadata, or the id that `docker build` wrote; undefined where neither is there. It is what
 * the engine calls the image too: with containerd's store the digest of its manifest, else of its config, which is
 * what `--iidfile` of buildx names in either case.
 */
function digestIn(file: string): string | undefined {
  const said = /"containerimage\.digest":\s*"(sha256:[0-9a-f]{64})"/.exec(file)?.[1];
  return said ?? /^sha256:[0-9a-f]{64}$/.exec(file.trim())?.[0];
}

/** Every docker context has a builder of its name that is the engine itself. */
async function engineBuilder(call: CallDocker): Promise<string> {
  const args = ['context', 'show'];
  const shown = await call({
    args,
    operation: 'other',
    subject: 'contexts',
    seconds: deadlines.small,
  });
  return shown.ok ? shown.value.stdout.trim() : 'default';
}

function needsBuildx(ref: string): Failure {
  return failure(
    'build-failed',
    `${ref} needs buildx (for secrets or several platforms), which is not installed.`,
    {hint: 'Install docker-buildx-plugin, or docker-buildx on Debian.'},
  );
}

function lost(ref: string): Failure {
  return failure('build-failed', `${ref} was built, but the image can no longer be found.`, {
    hint: 'Something else on this machine may have removed it (docker system prune).',
  });
}

/** Seconds that a build spent on writing its cache, by the last lines of its plain progress. */
export function cacheSeconds(lines: readonly string[]): number | undefined {
  const inline = lines.map((line) => {
    const found = /^#\d+ preparing layers for inline cache(?: ([\d.]+)s)? done/.exec(line);
    return found === null ? undefined : (found[1] ?? '0');
  });
  const step = lines
    .map((line) => /^#(\d+) exporting (?:cache|to .*cache)/i.exec(line)?.[1])
    .find((step) => step !== undefined);
  const done = lines.map((line) => new RegExp(`^#${step} DONE ([\\d.]+)s`).exec(line)?.[1]);
  const seconds = (step === undefined ? inline : done).findLast((one) => one !== undefined);
  return seconds === undefined ? undefined : Number(seconds);
}
