import {execFileSync, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, openSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** A Docker engine that belongs to one test, which may fill its disk and kill it. */
export interface PrivateEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Where its images are: a small file system of its own. */
  readonly data: string;
  docker(...args: readonly string[]): string;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again on the same data, after it ended. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

/** Why there can be none on this machine; undefined where there can. */
export function whyNoEngine(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start one';
  try {
    for (const program of ['dockerd', 'unshare', 'mkfs.ext4', 'mount', 'ip']) {
      execFileSync('which', [program], {stdio: 'ignore'});
    }
    execFileSync('unshare', ['--net', 'true'], {stdio: 'ignore'});
    execFileSync('losetup', ['--find'], {stdio: 'ignore'});
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/**
 * Starts a dockerd on a disk of so many megabytes, with the base image of the test stacks. Its network is a namespace of
 * its own: beside the machine's engine in the same one, it would take that one's bridge away.
 */
export async function startPrivateEngine({megabytes}: {readonly megabytes: number}) {
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  const at = (name: string): string => join(folder, name);
  const host = `unix://${at('docker.sock')}`;
  const docker = (...args: readonly string[]): string =>
    execFileSync('docker', ['--host', host, ...args], {encoding: 'utf8'});
  mkdirSync(at('data'));
  execFileSync('truncate', ['--size', `${megabytes}M`, at('disk')]);
  execFileSync('mkfs.ext4', ['-q', '-m', '0', at('disk')]);
  execFileSync('mount', ['-o', 'loop', at('disk'), at('data')]);

  const pid = (): number => Number(readFileSync(at('pid'), 'utf8'));
  const isAlive = (): boolean => {
    try {
      return process.kill(pid(), 0);
    } catch {
      return false;
    }
  };
  const answers = (): boolean => {
    try {
      execFileSync('docker', ['--host', host, 'version'], {stdio: 'ignore'});
      return true;
    } catch {
      return false;
    }
  };
  const start = async (): Promise<void> => {
    const log = openSync(at('log'), 'a');
    const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
    const script = 'ip link set lo up; exec dockerd "$@"';
    const args = ['--net', 'sh', '-c', script, 'sh', ...places, '--host', host];
    spawn('unshare', args, {detached: true, stdio: ['ignore', log, log]}).unref();
    for (let turn = 0; turn < 150 && !answers(); turn++) await sleep(200);
    if (!answers()) throw new Error(`dockerd did not start: ${readFileSync(at('log'), 'utf8')}`);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (isAlive()) process.kill(pid(), signal);
    for (let turn = 0; turn < 100 && isAlive(); turn++) await sleep(100);
  };

  await start();
  const image = execFileSync('docker', ['save', 'debian:bookworm-slim'], {
    maxBuffer: 1024 * 1024 * 1024,
  });
  execFileSync('docker', ['--host', host, 'load', '--quiet'], {input: image});
  const engine: PrivateEngine = {
    host,
    data: at('data'),
    docker,
    kill: (signal) => process.kill(pid(), signal),
    restart: async () => {
      await end('SIGKILL');
      rmSync(at('pid'), {force: true});
      await start();
    },
    remove: async () => {
      await end('SIGTERM');
      await end('SIGKILL');
      // containerd is its child, and ends with it or soon after.
      for (let turn = 0; turn < 50; turn++) {
        try {
          execFileSync('umount', ['--recursive', at('data')], {stdio: 'ignore'});
          break;
        } catch {
          await sleep(200);
        }
      }
      rmSync(folder, {recursive: true, force: true});
    },
  };
  return engine;
}
