import {randomUUID} from 'node:crypto';
import {createDocker, createDockerConfig, type Docker} from '../../adapters/docker/index.ts';
import {saveState} from '../../adapters/github/output.ts';
import type {Run, RunPolicy} from '../../run/index.ts';
import type {Stack} from '../../stack/index.ts';
import {stackHosts} from './logins.ts';
import {hideSecrets} from './secrets.ts';

/** The engine of a run, with credentials in a private folder. No docker process is started before it is used or expected. */
export interface Engine {
  readonly docker: Docker;
  /** Something will be built: the engine and its builder are asked beside what is asked elsewhere. */
  expect(): void;
  /** Removes the containers, private tags and credentials of the run; once, however often it is called. */
  close(): Promise<void>;
}

export async function openEngine(
  run: Run,
  {policy, stack}: {readonly policy: RunPolicy; readonly stack: Stack},
): Promise<Engine> {
  const runId = randomUUID();
  const {allowLogins} = policy.logins;
  const hosts = stackHosts(stack);
  const config = await createDockerConfig(run.tempDir, {allowLogins, hosts});
  saveState('runId', runId);
  const closing = new AbortController();
  const docker = createDocker({
    run: run.program,
    config,
    builder: run.inputs.builder,
    runId,
    root: run.workspace.root,
    tempDir: run.tempDir,
    secretNames: await hideSecrets(run, stack.spec.images.values()),
    signal: AbortSignal.any([run.signal, closing.signal]),
  });
  const close = async (): Promise<void> => {
    // What was asked and is not needed must not hold up the end.
    closing.abort();
    const cleaned = await docker.cleanUp();
    // The engine may be back when the post step asks again.
    if (!cleaned.ok) saveState('unclean', 'true');
    await config.remove();
  };
  let closed: Promise<void> | undefined;
  return {
    docker,
    expect: () => {
      void docker.check();
      void docker.driver();
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
