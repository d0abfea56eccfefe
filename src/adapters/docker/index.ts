import {dockerEnvironment, type RunCommand} from '../process/index.ts';
import {createBuilds} from './build.ts';
import {createChecks} from './check.ts';
import {createDockerCli} from './cli.ts';
import type {DockerConfig} from './config.ts';
import {createContainers} from './containers.ts';
import {createImages} from './images.ts';
import {createLogin} from './login.ts';
import {createPrivateTags} from './private-tags.ts';
import type {Docker} from './types.ts';

export {runLabel} from './arguments.ts';
export {withoutValue} from './cli.ts';
export {createDockerConfig} from './config.ts';
export {privatePrefix, readPrivateTags} from './private-tags.ts';
export type {
  BuildRequest,
  Disk,
  Docker,
  DockerFacts,
  DockerOptions,
  EngineFacts,
  Layer,
} from './types.ts';

export interface DockerPorts {
  readonly run: RunCommand;
  readonly config: DockerConfig;
  /** A buildx builder; undefined for docker's default. */
  readonly builder: string | undefined;
  /** Labels the containers of this run, so that they are found when it was killed. */
  readonly runId: string;
  /** The workspace: contexts and Dockerfiles are relative to it. */
  readonly root: string;
  /** For files of a moment. */
  readonly tempDir: string;
  /** Variables that hold declared build secrets (`env=NAME`): docker reads them from its environment. */
  readonly secretNames?: readonly string[];
  /** Seconds between attempts to log in; real time by default. */
  readonly wait?: (seconds: number) => Promise<unknown>;
  /** Of the run: ends the questions about the engine, and soon what cleans up; other calls take a signal of their own. */
  readonly signal?: AbortSignal;
}

/**
 * The docker CLI of this machine.
 * Enters: requests as data: build, push, run, copy, remove.
 * Leaves: results, or failures that name the cause and the mend. Every command has a deadline and takes the signal.
 * Not here: which image is built when (schedule/), what a registry holds (adapters/registry), starting processes
 *   (adapters/process). Nothing is started before it is used.
 */
export function createDocker(ports: DockerPorts): Docker {
  const {run, config, builder, runId, root, tempDir} = ports;
  const env = {
    ...dockerEnvironment(ports.secretNames),
    ...config.env,
    // buildx would otherwise read the whole build's history after every build.
    BUILDX_METADATA_PROVENANCE: 'disabled',
    // For attestations, which are not made here: seven git processes before every build.
    BUILDX_GIT_INFO: 'false',
    DOCKER_CLI_HINTS: 'false',
  };
  const call = createDockerCli({run, env, cwd: root, ...(ports.signal && {stop: ports.signal})});
  const {hasBuilders} = config;
  const checks = createChecks(call, {builder, hasBuilders, signal: ports.signal});
  const images = createImages(call);
  const privateTags = createPrivateTags(call, {runId, began: Date.now()});
  const {tagPrivately, releasePrivately} = privateTags;
  const docker = {...checks, ...images};
  return {
    ...docker,
    ...createBuilds({call, docker, privateTags, builder, tempDir}),
    tagPrivately,
    releasePrivately,
    ...createContainers(call, runId, privateTags),
    login: createLogin(call, config, ports.wait),
  };
}
