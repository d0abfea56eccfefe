import {describe, expect, it} from 'vitest';
import {
  dockerEnvironment,
  gitEnvironment,
  testEnvironment,
} from '../../../src/adapters/process/index.ts';

/** What a step of a job has around it. */
const job = {
  PATH: '/usr/bin',
  HOME: '/home/runner',
  HTTPS_PROXY: 'http://proxy:3128',
  LC_TIME: 'C',
  RUNNER_TRACKING_ID: 'github_1',
  GITHUB_TOKEN: 'ghs_1',
  'INPUT_GITHUB-TOKEN': 'ghs_1',
  INPUT_PASSWORD: 'hunter2',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'oidc',
  ACTIONS_RUNTIME_TOKEN: 'runtime',
  GITHUB_OUTPUT: '/tmp/output',
  NPM_TOKEN: 'npm',
  DOCKER_HOST: 'tcp://engine:2375',
  DOCKER_AUTH_CONFIG: '{"auths":{}}',
  AWS_SECRET_ACCESS_KEY: 'aws',
  MY_TOKEN: 'declared',
  STATE_isPost: 'true',
};

const names = (environment: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(environment).sort();

describe('the environments', () => {
  it('of tests has no credential', () => {
    expect(names(testEnvironment(job))).toEqual([
      'DOCKER_HOST',
      'HOME',
      'HTTPS_PROXY',
      'LC_TIME',
      'PATH',
      'RUNNER_TRACKING_ID',
    ]);
  });

  it('of docker has what reaches an engine, a cloud and the cache, and the declared build secrets', () => {
    const common = [
      'ACTIONS_RUNTIME_TOKEN',
      'AWS_SECRET_ACCESS_KEY',
      'DOCKER_AUTH_CONFIG',
      'DOCKER_HOST',
      'HOME',
      'HTTPS_PROXY',
      'LC_TIME',
      'PATH',
      'RUNNER_TRACKING_ID',
    ];
    expect(names(dockerEnvironment([], job))).toEqual(common);
    expect(names(dockerEnvironment(['MY_TOKEN'], job))).toEqual([...common, 'MY_TOKEN'].sort());
  });

  it('of git asks nothing and speaks English', () => {
    expect(gitEnvironment(job)).toEqual({
      PATH: '/usr/bin',
      HOME: '/home/runner',
      HTTPS_PROXY: 'http://proxy:3128',
      RUNNER_TRACKING_ID: 'github_1',
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '',
      SSH_ASKPASS: '',
    });
  });
});
