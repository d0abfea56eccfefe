import type {Workspace} from '../../adapters/files/index.ts';
import {isRunner} from '../../adapters/github/output.ts';
import {type RunCommand, versionOf} from '../../adapters/process/index.ts';
import {
  type Finding,
  findingLine,
  missingTools,
  refusedPushes,
  specFindings,
} from '../../doctor/index.ts';
import type {Failure} from '../../failure.ts';
import {branchTag} from '../../image/tags.ts';
import {isFork, loginsFor, type Run} from '../../run/index.ts';
import {loadStack, SpecError, type Stack} from '../../stack/index.ts';
import type {ModeEnd} from '../end.ts';
import {openRegistry} from '../setup/adapters.ts';
import {type FindingsRequest, findings} from '../setup/findings.ts';

export interface DoctorRequest
  extends Pick<Run, 'inputs' | 'workspace' | 'log' | 'mask' | 'signal'>,
    Pick<FindingsRequest, 'origin'> {
  readonly program: RunCommand;
  /** On a runner. */
  readonly event?: Run['event'];
}

/** `mode: doctor`. Changes nothing, and fails when something would fail a run. */
export async function doctor(request: DoctorRequest): Promise<ModeEnd> {
  const {log, signal} = request;
  const [read, {stack, mistakes}, tools] = await Promise.all([
    findings(request),
    readStack(request),
    askTools(),
  ]);
  const pushes = stack === undefined ? [] : await askRegistries(request, stack);
  if (signal.aborted)
    return {outcome: 'cancelled', sentence: 'The run was cancelled.', outputs: {}};
  const said = new Set(read.map(({place}) => place));
  // What is wrong at one place, the reading of the files has told in its own words.
  const refused = mistakes.filter(({place, level}) => level === 'error' && !said.has(place));
  const found = [...refused, ...read, ...pushes, ...missingTools(tools)];
  for (const finding of found) {
    if (finding.level === 'error') log.error(findingLine(finding));
    else log.info(findingLine(finding));
  }
  const errors = found.filter(({level}) => level === 'error').length;
  const notes = found.length - errors;
  log.info(`doctor: ${errors} to mend before a run, ${notes} to look at.`);
  if (errors === 0) return {outcome: 'passed', outputs: {}};
  const sentence = `doctor found ${errors} ${errors === 1 ? 'error' : 'errors'}. Each line above says what to mend.`;
  return {outcome: 'failed', sentence, outputs: {}};
}

/** The stack as every run reads it: what it refuses, a run would refuse. */
async function readStack({inputs, workspace}: DoctorRequest): Promise<{
  readonly stack: Stack | undefined;
  readonly mistakes: readonly Finding[];
}> {
  const {stackDir, tagPrefix, defaultBranch = 'main'} = inputs;
  try {
    const tagOf = (image: Parameters<typeof branchTag>[0]) => branchTag(image, defaultBranch);
    const stack = await loadStack(workspace, {stackDir, tagPrefix, tagOf});
    return {stack, mistakes: await missingTests(workspace, stack)};
  } catch (thrown) {
    if (!(thrown instanceof SpecError)) throw thrown;
    return {stack: undefined, mistakes: specFindings(thrown.mistakes)};
  }
}

/** Paths of `tests.paths` that are not there: planning hashes them, and stops. */
async function missingTests(workspace: Workspace, {spec}: Stack): Promise<readonly Finding[]> {
  const listed = [...spec.images.values()].flatMap((image) =>
    image.tests.paths.map(async (path) => {
      if (image.track !== undefined || (await workspace.size(path)) !== undefined) return [];
      const {line, column} = image.position;
      return `${spec.file}:${line}:${column}: tests.paths of image "${image.key}" lists "${path}", which does not exist. Correct the path, or remove it.`;
    }),
  );
  return specFindings((await Promise.all(listed)).flat());
}

/** A registry that does not answer is not waited for longer. */
const patienceMs = 20_000;
/** More repositories than these are not asked: they are on the same hosts, and belong to the same owners. */
const mostRepositories = 50;

/** Asks for a push as a run does before its first build: an upload is opened and cancelled. */
async function askRegistries(
  {inputs, log, mask, program, signal, event}: DoctorRequest,
  {spec}: Stack,
): Promise<readonly Finding[]> {
  // What a pull request from a fork says is asked of nobody, and it never pushes.
  if (event !== undefined && isFork(event)) return [];
  const published = [...spec.images.values()].filter(({publish}) => publish);
  const repositories = [...new Set(published.map(({repository}) => repository))];
  const patient = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const logins = loginsFor(inputs, spec);
  const registry = openRegistry({log, mask, program, signal: patient}, {logins});
  try {
    const asked = repositories
      .slice(0, mostRepositories)
      .map(async (repository): Promise<[string, Failure | undefined]> => {
        const answer = await registry.mayPush(repository);
        return [repository, answer.ok ? undefined : answer.error];
      });
    return refusedPushes(spec, new Map(await Promise.all(asked)), isRunner());
  } finally {
    await registry.close();
  }
}

/** The programs that a run starts on this machine, asked all at once. */
async function askTools(): Promise<Parameters<typeof missingTools>[0]> {
  const [docker, buildx, pytest] = await Promise.all([
    versionOf('docker', ['version', '--format', '{{.Server.Version}}']),
    versionOf('docker', ['buildx', 'version']),
    versionOf('python3', ['-m', 'pytest', '--version']),
  ]);
  return {docker, buildx, pytest};
}
