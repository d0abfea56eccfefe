import {join} from 'node:path/posix';
import type {Workspace} from '../adapters/files/index.ts';
import type {JobLog} from '../adapters/github/log.ts';
import {examine, type Finding, findingLine} from '../doctor/index.ts';
import type {Inputs} from '../run/index.ts';
import type {ModeEnd} from './end.ts';
import {readTree} from './tree.ts';

export interface DoctorRequest {
  readonly inputs: Inputs;
  readonly workspace: Workspace;
  readonly log: JobLog;
  readonly origin: {readonly owner: string; readonly repo: string};
}

/** What is to be mended. Reads files and nothing else, so that `mode: plan` can tell it as notes. */
export async function findings(request: DoctorRequest): Promise<readonly Finding[]> {
  const {inputs, workspace, origin} = request;
  const {stackDir, tagPrefix} = inputs;
  const tree = await readTree(workspace, [join(stackDir, 'spec.yml'), 'action.yml']);
  return examine({...tree, stackDir, tagPrefix, origin});
}

/** `mode: doctor`. Changes nothing, and fails when something would fail a run. */
export async function doctor(request: DoctorRequest): Promise<ModeEnd> {
  const {log} = request;
  const found = await findings(request);
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
