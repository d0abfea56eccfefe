import type {Workspace} from '../adapters/files/index.ts';
import type {Event} from '../adapters/github/event.ts';
import type {JobLog} from '../adapters/github/log.ts';
import type {ChangeSources} from '../changes/index.ts';
import type {Inputs} from './inputs.ts';

/** What every mode works with: the wishes, the event, and the outside. */
export interface Run {
  readonly inputs: Inputs;
  readonly event: Event;
  readonly workspace: Workspace;
  readonly log: JobLog;
  readonly changes: ChangeSources;
  /** Every form of every secret; none of them may reach a file. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

/** Whether this run may change anything in the registry, and why not. */
export interface PushDecision {
  readonly push: boolean;
  readonly because: string;
}

/** Pull requests from forks never push, whatever was asked for: they run code of strangers. */
export function decidePush({inputs, event}: Pick<Run, 'inputs' | 'event'>): PushDecision {
  if (isFork(event)) return {push: false, because: 'the pull request comes from a fork'};
  if (inputs.push === 'false') return {push: false, because: 'the input "push" says so'};
  if (inputs.push === 'auto' && inputs.password === '') {
    return {push: false, because: 'there is no password for the registry'};
  }
  return {push: true, because: ''};
}

export function isFork(event: Event): boolean {
  return event.kind === 'pull_request' && event.fromFork;
}
