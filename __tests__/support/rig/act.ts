import {execFileSync, spawn} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {delimiter, join, resolve} from 'node:path';

const projectRoot = resolve(import.meta.dirname, '../../..');
const node24 = join(projectRoot, 'node_modules/node/bin');

export interface ActRequest {
  /** The checkout that the workflow is of: a git repository. */
  readonly repository: string;
  /** Path of the workflow, absolute or inside the repository. */
  readonly workflow: string;
  /** `push`, `pull_request`, … */
  readonly event: string;
  /** What GitHub would put into event.json. */
  readonly payload: unknown;
  /** A folder with what GitHub fetches of this repository; stands for `ucsd-ets/stack-action@v1`. */
  readonly action: string;
  /** Folders that stand for actions of others, by `owner/name@ref`. */
  readonly standIns?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** GITHUB_TOKEN of the run. */
  readonly token?: string;
}

export interface ActRun {
  /** 0 or 1; act answers 0 for a job that it skipped, too. */
  readonly exitCode: number | null;
  /** Outputs by the id of their step. */
  readonly outputs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Result of each job: `success`, `failure`. */
  readonly jobs: ReadonlyMap<string, string>;
  /** Lines as a person would see them. */
  readonly log: string;
  /** Files of each uploaded artifact by their path in it. */
  readonly artifacts: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Only what a run uses of this repository: action.yml, dist/ and the reusable workflow. */
export function stageAction(): string {
  const stage = mkdtempSync(join(tmpdir(), 'act-action-'));
  for (const part of ['action.yml', 'dist', '.github/workflows/stack.yml'])
    cpSync(join(projectRoot, part), join(stage, part), {recursive: true});
  return stage;
}

/** Runs one workflow under act as released, in host mode and without network (docs/local-runs.md). */
export async function runAct(request: ActRequest): Promise<ActRun> {
  const temp = mkdtempSync(join(tmpdir(), 'act-run-'));
  try {
    const artifacts = join(temp, 'artifacts');
    writeFileSync(join(temp, 'event.json'), JSON.stringify(request.payload));
    for (const folder of ['home', 'xdg', 'artifacts']) mkdirSync(join(temp, folder));
    const args = actArguments(request, {temp, artifacts, port: await freePort()});
    const {exitCode, lines} = await collect(args, request.repository, {
      PATH: [node24, process.env['PATH'] ?? ''].join(delimiter),
      HOME: join(temp, 'home'),
      XDG_CONFIG_HOME: join(temp, 'xdg'),
      ACT_DISABLE_VERSION_CHECK: '1',
    });
    return {exitCode, ...readLines(lines), artifacts: readArtifacts(artifacts)};
  } finally {
    rmSync(temp, {recursive: true, force: true});
  }
}

interface Places {
  readonly temp: string;
  readonly artifacts: string;
  readonly port: number;
}

function actArguments(request: ActRequest, {temp, artifacts, port}: Places): readonly string[] {
  const labels = ['ubuntu-latest', 'ubuntu-24.04', 'ubuntu-24.04-arm', 'ubuntu-26.04'];
  const env = {GITHUB_REPOSITORY: 'o/stack', ...request.env};
  return [
    request.event,
    '--workflows',
    resolve(request.repository, request.workflow),
    '--eventpath',
    join(temp, 'event.json'),
    '--json',
    '--rm',
    '--no-cache-server',
    ...labels.flatMap((label) => ['--platform', `${label}=-self-hosted`]),
    ...['--action-cache-path', join(temp, 'cache')],
    ...['--artifact-server-path', artifacts],
    ...['--artifact-server-addr', '127.0.0.1'],
    ...['--artifact-server-port', String(port)],
    ...Object.entries({...request.standIns, 'ucsd-ets/stack-action@v1': request.action}).flatMap(
      ([name, folder]) => ['--local-repository', `${name}=${folder}`],
    ),
    // Without these act reads .env, .secrets, .vars and .input of the folder it runs in.
    ...['secret', 'env', 'var', 'input'].flatMap((kind) => [`--${kind}-file`, '/dev/null']),
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...['--secret', `GITHUB_TOKEN=${request.token ?? 'none'}`],
  ];
}

function collect(
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<{exitCode: number | null; lines: readonly string[]}> {
  return new Promise((done, fail) => {
    const act = spawn(join(projectRoot, '.tools/bin/act'), args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [act.stdout, act.stderr]) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    }
    act.on('error', fail);
    act.on('close', (exitCode) => {
      done({exitCode, lines: Buffer.concat(chunks).toString().split('\n')});
    });
  });
}

interface JsonLine {
  readonly msg?: string;
  readonly jobID?: string;
  readonly stepID?: readonly string[];
  readonly command?: string;
  readonly name?: string;
  readonly arg?: string;
  readonly jobResult?: string;
}

function readLines(lines: readonly string[]): Pick<ActRun, 'outputs' | 'jobs' | 'log'> {
  const outputs = new Map<string, Map<string, string>>();
  const jobs = new Map<string, string>();
  const log: string[] = [];
  for (const line of lines) {
    const entry = parse(line);
    log.push(entry?.msg?.trimEnd() ?? line);
    if (entry?.jobResult !== undefined) jobs.set(entry.jobID ?? '', entry.jobResult);
    if (entry?.command !== 'set-output') continue;
    const step = entry.stepID?.at(-1) ?? '';
    const named = outputs.get(step) ?? new Map<string, string>();
    outputs.set(step, named.set(entry.name ?? '', entry.arg ?? ''));
  }
  return {outputs, jobs, log: log.join('\n')};
}

function parse(line: string): JsonLine | undefined {
  try {
    return JSON.parse(line) as JsonLine;
  } catch {
    return undefined;
  }
}

/** act keeps them as <run>/<name>/<name>.zip. */
function readArtifacts(folder: string): ActRun['artifacts'] {
  const run = join(folder, '1');
  const names = existsSync(run) ? readdirSync(run) : [];
  return new Map(names.map((name) => [name, unzip(join(run, name, `${name}.zip`))]));
}

/** The files of a zip; Python reads it, because a runner need not have unzip. */
function unzip(file: string): ReadonlyMap<string, string> {
  const script =
    'import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\n' +
    'assert z.testzip() is None\n' +
    'print(json.dumps([[n, z.read(n).decode("utf8", "replace")] for n in z.namelist()]))';
  const options = {maxBuffer: 64 * 1024 * 1024};
  return new Map(JSON.parse(execFileSync('python3', ['-c', script, file], options).toString()));
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const {port} = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
