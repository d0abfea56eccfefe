import {basename, join} from 'node:path/posix';
import type {Workspace} from '../../adapters/files/index.ts';
import type {JobLog} from '../../adapters/github/log.ts';
import {fail, messageOf, ok, type Result} from '../../failure.ts';
import {inferStack, type Origin, type Todo} from '../../infer/index.ts';
import type {Inputs} from '../../run/index.ts';
import {readTree} from '../setup/tree.ts';

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
  const exists = `${specFile} exists, and init writes over nothing. Edit it (doctor says what to mend), or remove it first.`;
  if ((await workspace.size(specFile)) !== undefined) return fail(exists);
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
  const made = await create(workspace, specFile, spec);
  if (!made.ok) return made;
  if (!made.value) return fail(exists);
  const files = [specFile];
  const second = await create(workspace, workflowFile, workflow);
  if (!second.ok) return second;
  if (second.value) files.push(workflowFile);
  else log.info(`${workflowFile} exists and stays as it is.`);
  log.info(`Found ${count(images.length, 'image')} and ${count(edges.length, 'edge')}.`);
  for (const edge of edges) log.info(`  ${edge.child} <- ${edge.parent}: ${edge.readAt}`);
  for (const todo of todos)
    log.warning(`${todo.key === undefined ? '' : `${todo.key}: `}${todo.sentence}`);
  for (const file of files) log.info(`Wrote ${file}.`);
  return ok({files, todos});
}

async function create(
  workspace: Workspace,
  file: string,
  text: string,
): Promise<Result<boolean, string>> {
  try {
    return ok(await workspace.create(file, text));
  } catch (error) {
    return fail(
      `${file} cannot be written: ${messageOf(error)}. Its folder must be a folder that you may write to; "stack-dir" names another.`,
    );
  }
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
