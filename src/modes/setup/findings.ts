import {join} from 'node:path/posix';
import type {Workspace} from '../../adapters/files/index.ts';
import {examine, type Finding} from '../../doctor/index.ts';
import type {Inputs} from '../../run/index.ts';
import {readTree} from './tree.ts';

export interface FindingsRequest {
  readonly inputs: Pick<Inputs, 'stackDir' | 'tagPrefix'>;
  readonly workspace: Workspace;
  /** Owner and name on GitHub; empty where nobody knows. */
  readonly origin: {readonly owner: string; readonly repo: string};
}

/** What is to be mended, as far as the files of the repository tell. Asks nobody, so that `mode: plan` can tell it too. */
export async function findings(request: FindingsRequest): Promise<readonly Finding[]> {
  const {inputs, workspace, origin} = request;
  const {stackDir, tagPrefix} = inputs;
  const tree = await readTree(workspace, [join(stackDir, 'spec.yml'), 'action.yml']);
  return examine({...tree, stackDir, tagPrefix, origin});
}
