import {basename, join} from 'node:path/posix';
import {filesBelow, type Workspace} from '../adapters/files/index.ts';
import {listFiles} from '../adapters/git/index.ts';
import type {JobLog} from '../adapters/github/log.ts';
import {fail, messageOf, ok, type Result} from '../failure.ts';
import {inferStack, isWanted, type Origin, type SourceTree, type Todo} from '../infer/index.ts';
import type {Inputs} from '../run/index.ts';

export interface InitRequest {
  readonly inputs: Inputs;
  readonly workspace: Workspace;
  readonly log: JobLog;
  readonly origin: Origin;
}

/** What was written, relative to the workspace, and what a person has to look at. */
export interface Initialized {
  readonly files: readonly string[];
  readonly todos: readonly Todo[];
}

const workflowFile = '.github/workflows/stack.yml';

/** `mode: init`. Writes spec.yml and a workflow, and nothing over a file that is there; the error is one sentence. */
export async function init(request: InitRequest): Promise<Result<Initialized, string>> {
  const {inputs, workspace, log, origin} = request;
  const specFile = join(inputs.stackDir, 'spec.yml');
  if ((await workspace.size(specFile)) !== undefined) {
    return fail(
      `${specFile} exists, and init writes over nothing. Edit it (doctor says what to mend), or remove it first.`,
    );
  }
  for (const file of [specFile, workflowFile]) {
    if (!(await workspace.isInside(join(file, '..')))) {
      return fail(
        `${file} points outside the workspace. Remove the symbolic link, or set "stack-dir".`,
      );
    }
  }
  const tree = await readTree(workspace);
  const inferred = inferStack({
    tree,
    stackDir: inputs.stackDir,
    origin,
    folder: basename(workspace.root),
    defaultBranch: inputs.defaultBranch ?? 'main',
  });
  if (!inferred.ok) return inferred;
  const {spec, workflow, images, edges, todos} = inferred.value;
  await workspace.write(specFile, spec);
  const files = [specFile];
  if ((await workspace.size(workflowFile)) === undefined) {
    await workspace.write(workflowFile, workflow);
    files.push(workflowFile);
  } else log.info(`${workflowFile} exists and stays as it is.`);
  log.info(`Found ${count(images.length, 'image')} and ${count(edges.length, 'edge')}.`);
  for (const edge of edges) log.info(`  ${edge.child} <- ${edge.parent}: ${edge.readAt}`);
  for (const todo of todos)
    log.warning(`${todo.key === undefined ? '' : `${todo.key}: `}${todo.sentence}`);
  for (const file of files) log.info(`Wrote ${file}.`);
  return ok({files, todos});
}

/** Larger ones are no Dockerfiles or workflows that somebody wrote. */
const mostBytes = 1024 * 1024;

/** Every file of the tree, as git lists them where there is git: what is ignored is no source. */
export async function readTree(workspace: Workspace): Promise<SourceTree> {
  const listed = await listFiles(workspace.root);
  const files = listed ?? (await walk(workspace));
  const wanted = files.filter(isWanted);
  const texts = await Promise.all(
    wanted.map(async (file) => [file, await readText(workspace, file)] as const),
  );
  return {files, texts: new Map(texts)};
}

async function walk(workspace: Workspace): Promise<readonly string[]> {
  const top = `${workspace.root.replace(/\/$/, '')}/`;
  return (await filesBelow([workspace.root])).map((file) => file.slice(top.length));
}

async function readText(workspace: Workspace, file: string): Promise<Result<string, string>> {
  try {
    if (!(await workspace.isInside(file))) return fail('it points outside the repository.');
    if (((await workspace.size(file)) ?? 0) > mostBytes) return fail('it is larger than 1 MiB.');
    const text = await workspace.read(file);
    return text === undefined ? fail('it is not there.') : ok(text);
  } catch (error) {
    return fail(`${messageOf(error)}.`);
  }
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
