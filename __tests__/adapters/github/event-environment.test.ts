import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';

const fixtures = fileURLToPath(new URL('../../fixtures/events/', import.meta.url));
const adapter = new URL('../../../src/adapters/github/event.ts', import.meta.url).href;
const script = `import(${JSON.stringify(adapter)}).then(({readEvent}) =>
  process.stderr.write(JSON.stringify(readEvent())))`;

/** As the runner starts it: the payload is a file, the rest are variables. */
function readEventIn(env: Readonly<Record<string, string>>): unknown {
  const command = `${JSON.stringify(process.execPath)} --input-type=module -e "$SCRIPT" 2>&1 >/dev/null`;
  const options = {env: {SCRIPT: script, ...env}, encoding: 'utf8'} as const;
  return JSON.parse(execFileSync('/bin/sh', ['-c', command], options));
}

test('the event is what the runner says and its payload file holds', () => {
  expect(
    readEventIn({
      GITHUB_EVENT_NAME: 'push',
      GITHUB_EVENT_PATH: `${fixtures}push-update.json`,
      GITHUB_REF: 'refs/heads/other',
      GITHUB_SHA: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_RUN_ID: '12',
      GITHUB_RUN_ATTEMPT: '3',
      GITHUB_SERVER_URL: 'https://ghe.example.org/',
      GITHUB_API_URL: 'https://ghe.example.org/api/v3',
    }),
  ).toMatchObject({
    kind: 'push',
    branch: 'master',
    after: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
    repository: {owner: 'o', repo: 'r'},
    runId: '12',
    runAttempt: 3,
    serverUrl: 'https://ghe.example.org',
    apiUrl: 'https://ghe.example.org/api/v3',
  });
});

test('outside GitHub, and with a payload that is not there, nothing is certain', () => {
  const nothing = {kind: 'other', name: '', branch: '', sha: '', hasPayload: false};
  expect(readEventIn({})).toMatchObject(nothing);
  expect(
    readEventIn({GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: '/nonexistent'}),
  ).toMatchObject({kind: 'pull_request', hasPayload: false, fromFork: true});
});
