import {getOctokit} from '@actions/github';
import {retry} from '@octokit/plugin-retry';

export type Octokit = ReturnType<typeof getOctokit>;

/** GitHub's client, a file of its own in dist/: most runs ask the API nothing, and loading it takes as long as the rest. */
export function createOctokit(
  token: string,
  {baseUrl, retryMs}: {readonly baseUrl: string; readonly retryMs: number},
): Octokit {
  return getOctokit(token, {baseUrl, retry: {retryAfterBaseValue: retryMs}}, retry);
}
