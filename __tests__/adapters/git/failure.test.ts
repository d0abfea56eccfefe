import {describe, expect, it} from 'vitest';
import {explainWikiFailure, wikiFaultOf} from '../../../src/adapters/git/failure.ts';
import {type Failure, failure} from '../../../src/failure.ts';

const url = 'https://github.com/o/r.wiki.git';

describe('the fault that git speaks of', () => {
  it.each([
    ['unreachable', `remote: Repository not found.\nfatal: repository '${url}/' not found`],
    ['unreachable', `fatal: unable to access '${url}/': The requested URL returned error: 404`],
    ['unreachable', `fatal: Authentication failed for '${url}/'`],
    [
      'unreachable',
      "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    ],
    [
      'forbidden',
      `remote: Permission to o/r.wiki.git denied to github-actions[bot].\nfatal: unable to access '${url}/': The requested URL returned error: 403`,
    ],
    ['forbidden', 'remote: Write access to repository not granted.'],
    ['forbidden', ' ! [remote rejected] HEAD -> master (pre-receive hook declined)'],
    ['rejected', '!\tHEAD:refs/heads/master\t[rejected] (fetch first)'],
    ['rejected', '!\tHEAD:refs/heads/master\t[remote rejected] (cannot lock ref)'],
    ['unavailable', `fatal: unable to access '${url}/': Could not resolve host: github.com`],
    ['unavailable', 'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502'],
    ['unavailable', 'fatal: the remote end hung up unexpectedly'],
    ['other', 'fatal: not in a git directory'],
  ])('is %s in: %s', (fault, output) => {
    expect(wikiFaultOf(output.split('\n'))).toBe(fault);
  });
});

describe('the failure of a wiki', () => {
  const names = {doing: 'updated', place: 'o/r', url: 'https://github.com/o/r/wiki'};
  const failed = (tail: readonly string[]): Failure =>
    failure('internal', 'git push ended with 1', {
      cause: {kind: 'exit', command: 'git push', exitCode: 1},
      tail,
    });

  it('quotes what git said when the words are not known', () => {
    expect(explainWikiFailure(failed(['a', 'fatal: strange']), names).message).toBe(
      'The wiki of o/r could not be updated: fatal: strange',
    );
  });

  it('is left alone when it is none of git, such as a deadline', () => {
    const timeout: Failure = failure('timeout', 'git fetch took longer than 180 s', {
      cause: {kind: 'timeout', command: 'git fetch', seconds: 180},
      tail: ['fatal: Authentication failed'],
    });
    expect(explainWikiFailure(timeout, names)).toBe(timeout);
  });
});
