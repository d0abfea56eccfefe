import type {Workspace} from '../adapters/files/index.ts';
import type {JobLog} from '../adapters/github/log.ts';
import type {Origin} from '../infer/index.ts';
import type {Inputs} from '../run/index.ts';
export async function doctor(_: {
  inputs: Inputs;
  workspace: Workspace;
  log: JobLog;
  origin: Origin;
}): Promise<string | undefined> {
  return undefined;
}
