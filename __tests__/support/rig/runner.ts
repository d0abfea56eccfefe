import {spawn} from 'node:child_process';
import {mkdir, mkdtemp, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parse} from 'yaml';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** One step of a job. What is left out has the value that a push to `feature` has. */
export interface StepRequest {
  /** The checkout. */
  readonly workspace: string;
  /** `with:`; the rest has the defaults of action.yml, but no token and no password. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event?: string;
  readonly payload?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** `src/index.ts` in place of the committed bundle. */
  readonly fromSource?: boolean;
  /** The program of `post:`. */
  readonly isPost?: boolean;
}

export interface StepRun {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
}

export interface StartedStep {
  readonly pid: number;
  /** What the step printed so far. */
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
  readonly done: Promise<StepRun>;
}

/** Runs the committed bundle as the runner does: inputs, event and command files by the environment, nothing else. */
export async function startStep(request: StepRequest): Promise<StartedStep> {
  const folder = await mkdtemp(join(tmpdir(), 'runner-'));
  const file = (name: string): string => join(folder, name);
  for (const name of ['output', 'state', 'summary']) await writeFile(file(name), '');
  await writeFile(file('event.json'), JSON.stringify(request.payload ?? {}));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: request.workspace,
    GITHUB_REPOSITORY: 'o/stack',
    GITHUB_ACTOR: 'someone',
    GITHUB_EVENT_NAME: request.event ?? 'push',
    GITHUB_EVENT_PATH: file('event.json'),
    GITHUB_REF: 'refs/heads/feature',
    GITHUB_RUN_ID: '1',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_OUTPUT: file('output'),
    GITHUB_STATE: file('state'),
    GITHUB_STEP_SUMMARY: file('summary'),
    RUNNER_TEMP: folder,
    // As dist/post.js says, for a main step that was killed before it could save this.
    ...(request.isPost === true ? {STATE_isPost: 'true'} : {}),
    ...(await inputVariables(request.inputs ?? {})),
    ...request.env,
  };
  const built = request.isPost === true ? 'dist/post.js' : 'dist/index.js';
  const entry =
    request.fromSource === true ? 'src/index.ts' : (process.env['STACK_ENTRY'] ?? built);
  const child = spawn(process.execPath, [join(repository, entry)], {
    env,
    cwd: request.workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{exitCode: number | null; signal: string | null}>((resolve) => {
    child.on('close', (exitCode, signal) => resolve({exitCode, signal}));
  });
  const result = async (): Promise<StepRun> => ({
    ...(await ended),
    stdout,
    stderr,
    outputs: readCommandFile(await readFile(file('output'), 'utf8')),
    state: readCommandFile(await readFile(file('state'), 'utf8')),
    summary: await readFile(file('summary'), 'utf8'),
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    kill: (signal) => child.kill(signal),
    done: result(),
  };
}

export async function runStep(request: StepRequest): Promise<StepRun> {
  return (await startStep(request)).done;
}

/** The post step of a main step, with the state that the main step saved. */
export function runPost(request: StepRequest, main: StepRun): Promise<StepRun> {
  const state = Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]);
  const env = {...request.env, ...Object.fromEntries(state)};
  return runStep({...request, env, isPost: true});
}

async function inputVariables(
  inputs: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const action = parse(await readFile(join(repository, 'action.yml'), 'utf8')) as {
    inputs: Record<string, {default?: string}>;
  };
  const values = Object.entries(action.inputs).map(([name, {default: value = ''}]) => {
    const standard = value.startsWith('${{') ? '' : value;
    return [`INPUT_${name.toUpperCase()}`, inputs[name] ?? standard];
  });
  return Object.fromEntries(values) as Record<string, string>;
}

/** `name<<delimiter`, lines, `delimiter`. */
function readCommandFile(text: string): Record<string, string> {
  const values = text.matchAll(/^(\S+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...values].map((value) => [value[1] ?? '', value[3] ?? '']));
}

/** A folder with these files. */
export async function makeWorkspace(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'workspace-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), {recursive: true});
    await writeFile(join(root, name), text);
  }
  return root;
}
