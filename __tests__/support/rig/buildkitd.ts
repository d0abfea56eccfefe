import {execFileSync, spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const program =
  process.env['BUILDKITD'] ??
  fileURLToPath(new URL('../../../.tools/bin/buildkitd', import.meta.url));

/** Containers are made by root. */
const asRoot = process.getuid?.() === 0 ? [program] : ['sudo', '-n', program];

/** A BuildKit of its own, as one on another machine: it shares nothing with the engine but the registry. */
export interface RemoteBuilder {
  /** For `--builder`. */
  readonly name: string;
  stop(): Promise<void>;
}

export async function startBuildkitd(registry: string): Promise<RemoteBuilder> {
  const folder = await mkdtemp(join(tmpdir(), 'buildkitd-'));
  const config = join(folder, 'buildkitd.toml');
  await writeFile(config, `[registry."${registry}"]\nhttp = true\n`);
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const words = ['--addr', address, '--root', join(folder, 'root'), '--config', config];
  const worker = ['--containerd-worker=false', '--oci-worker-net=host'];
  const [command = program, ...before] = asRoot;
  const child = spawn(command, [...before, ...words, ...worker], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const name = `stack-${randomUUID().slice(0, 8)}`;
  const docker = (...args: readonly string[]): string =>
    execFileSync('docker', ['buildx', ...args], {encoding: 'utf8', stdio: 'pipe'});
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    try {
      docker('rm', name);
    } finally {
      await rm(folder, {recursive: true, force: true});
    }
  };
  docker('create', '--name', name, '--driver', 'remote', address);
  try {
    docker('inspect', '--bootstrap', name);
  } catch (error) {
    await stop();
    throw new Error(`buildkitd does not answer: ${log}`, {cause: error});
  }
  return {name, stop};
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
