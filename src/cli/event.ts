import type {WorkingTree} from '../adapters/git/index.ts';
import type {LocalEvent} from '../adapters/github/event.ts';

/**
 * The event of a run on somebody's machine: what the working tree has over its upstream branch. `runId` tells what
 * this run leaves on the engine from what another one does.
 */
export function localEvent(tree: WorkingTree, runId: string): LocalEvent {
  return {
    kind: 'local',
    name: 'local',
    isKnown: true,
    hasPayload: true,
    branch: tree.branch,
    isTag: false,
    sha: tree.head,
    headSha: tree.head,
    defaultBranch: tree.defaultBranch,
    messages: tree.messages,
    repository: tree.repository,
    runId,
    runAttempt: 1,
    serverUrl: 'https://github.com',
    apiUrl: 'https://api.github.com',
    changed: tree.changed,
  };
}
