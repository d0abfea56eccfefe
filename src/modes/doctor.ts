import {join} from 'node:path/posix';
import type {Workspace} from '../adapters/files/index.ts';
import type {JobLog} from '../adapters/github/log.ts';
import {examine, findingLine} from '../doctor/index.ts';
import type {Inputs} from '../run/index.ts';
import {readTree} from './tree.ts';

export interface DoctorRequest {
  readonly inputs: Inputs;
  readonly workspace: Workspace;
  readonly log: JobLog;
  readonly origin: {readonly owner: string; readonly repo: string};
}

/** `mode: doctor`. Changes nothing; resolves with a sentence when something would fail a run. */
export async function doctor(request: DoctorRequest): Promise<string | undefined> {
  const {inputs, workspace, log, origin} = request;
  const {stackDir, tagPrefix} = inputs;
  const more = [join(stackDir, 'spec.yml'), 'action.yml'];
  const tree = await readTree(workspace, more);
  const findings = examine({...tree, stackDir, tagPrefix, origin});
  for (const finding of findings) {
    if (finding.level === 'error') log.error(findingLine(finding));
    else log.info(findingLine(finding));
  }
  const errors = findings.filter(({level}) => level === 'error').length;
  const notes = findings.length - errors;
  log.info(`doctor: ${errors} to mend before a run, ${notes} to look at.`);
  if (errors === 0) return undefined;
  return `doctor found ${errors} ${errors === 1 ? 'error' : 'errors'}. Each line above says what to mend.`;
}
