import {context} from '@actions/github';
import type {Event} from './event.ts';
import {parseEvent} from './payload.ts';

/** What started this run, from the runner's variables and the payload file that they name. */
export function readEvent(): Event {
  const {env} = process;
  return parseEvent(context.payload, {
    name: env['GITHUB_EVENT_NAME'],
    ref: env['GITHUB_REF'],
    sha: env['GITHUB_SHA'],
    headRef: env['GITHUB_HEAD_REF'],
    baseRef: env['GITHUB_BASE_REF'],
    repository: env['GITHUB_REPOSITORY'],
    runId: env['GITHUB_RUN_ID'],
    runAttempt: env['GITHUB_RUN_ATTEMPT'],
    serverUrl: env['GITHUB_SERVER_URL'],
    apiUrl: env['GITHUB_API_URL'],
    actor: env['GITHUB_ACTOR'],
  });
}
