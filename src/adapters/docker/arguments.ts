import type {BuildRequest, ContainerRequest} from './types.ts';

/** The label that every container of a run carries; its value is the run's id. */
export const runLabel = 'stack-action.run';

/** How a build is run. */
export interface BuildMode {
  readonly hasBuildx: boolean;
  /** A buildx builder; undefined for docker's default. */
  readonly builder: string | undefined;
  /** `load`: into the engine's store; `push`: all platforms into the registry. */
  readonly output: 'load' | 'push';
  /** Further tags. */
  readonly tags: readonly string[];
  /** Where is written what was built: by buildx its metadata, else the id of the image. */
  readonly resultFile: string;
}

/**
 * `docker buildx build`, or `docker build` where there is no buildx. Without attestations, so that an image is one
 * manifest and its digest does not change with every build: since Docker 29 attestations make an index of it, with times in it.
 */
export function buildArguments(request: BuildRequest, mode: BuildMode): readonly string[] {
  const common = [
    ...['--file', request.dockerfile],
    ...[request.ref, ...mode.tags].flatMap((tag) => ['--tag', tag]),
    ...pairs('--build-arg', request.buildArgs),
    ...pairs('--label', request.labels),
    ...(request.target === undefined ? [] : ['--target', request.target]),
    ...(request.platforms.length === 0 ? [] : ['--platform', request.platforms.join(',')]),
    ...request.secrets.flatMap((secret) => ['--secret', secret]),
    ...request.cacheFrom.flatMap((source) => ['--cache-from', source]),
  ];
  if (!mode.hasBuildx) return ['build', '--iidfile', mode.resultFile, ...common, request.context];
  return [
    ...['buildx', 'build', '--progress', 'plain'],
    ...(mode.builder === undefined ? [] : ['--builder', mode.builder]),
    ...['--provenance=false', '--sbom=false'],
    ...[`--${mode.output}`, '--metadata-file', mode.resultFile],
    ...common,
    ...pairs('--build-context', request.buildContexts),
    ...request.cacheTo.flatMap((target) => ['--cache-to', target]),
    request.context,
  ];
}

/** The arguments of `docker create` and `docker run` after the verb. */
export function containerArguments(request: ContainerRequest, runId: string): readonly string[] {
  const [program = '', ...args] = request.command;
  return [
    // Most programs ignore SIGTERM as PID 1, and docker then waits 10 s before it kills them: --init forwards it.
    ...['--init', '--label', `${runLabel}=${runId}`, '--name', request.name],
    ...pairs('--env', request.env ?? new Map()),
    ...(request.workdir === undefined ? [] : ['--workdir', request.workdir]),
    ...['--entrypoint', program, request.image, ...args],
  ];
}

function pairs(option: string, values: ReadonlyMap<string, string>): readonly string[] {
  return [...values].flatMap(([name, value]) => [option, `${name}=${value}`]);
}
