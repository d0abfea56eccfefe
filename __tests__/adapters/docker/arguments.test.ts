import {describe, expect, it} from 'vitest';
import {
  type BuildMode,
  buildArguments,
  containerArguments,
} from '../../../src/adapters/docker/arguments.ts';
import type {BuildRequest} from '../../../src/adapters/docker/types.ts';

const request: BuildRequest = {
  ref: 'ghcr.io/o/a:2026.3-main',
  context: 'images/a',
  dockerfile: 'images/a/Dockerfile',
  buildArgs: new Map(),
  labels: new Map(),
  target: undefined,
  platforms: [],
  secrets: [],
  buildContexts: new Map(),
  inEngine: false,
  privateName: undefined,
  cacheFrom: [],
  cacheTo: [],
};
const mode: BuildMode = {
  hasBuildx: true,
  builder: undefined,
  output: 'load',
  tags: [],
  resultFile: '/tmp/result',
};
const start = ['buildx', 'build', '--progress', 'plain'];
const plain = ['--provenance=false', '--sbom=false'];
const load = ['--load', '--metadata-file', '/tmp/result'];
const named = ['--file', 'images/a/Dockerfile', '--tag', 'ghcr.io/o/a:2026.3-main'];

describe('buildArguments', () => {
  const cases: readonly (readonly [string, Partial<BuildRequest>, Partial<BuildMode>, string[]])[] =
    [
      ['builds with buildx', {}, {}, [...start, ...plain, ...load, ...named, 'images/a']],
      [
        'builds without buildx',
        {
          cacheFrom: ['ghcr.io/o/a:old'],
          cacheTo: ['type=inline'],
          buildContexts: new Map([['a', 'b']]),
        },
        {hasBuildx: false},
        [
          'build',
          '--iidfile',
          '/tmp/result',
          ...named,
          '--cache-from',
          'ghcr.io/o/a:old',
          'images/a',
        ],
      ],
      [
        'names the builder',
        {},
        {builder: 'remote'},
        [...start, '--builder', 'remote', ...plain, ...load, ...named, 'images/a'],
      ],
      [
        'pushes what has several platforms',
        {platforms: ['linux/amd64', 'linux/arm64']},
        {output: 'push'},
        [
          ...start,
          ...plain,
          ...['--push', '--metadata-file', '/tmp/result'],
          ...named,
          ...['--platform', 'linux/amd64,linux/arm64'],
          'images/a',
        ],
      ],
      [
        'passes everything the spec says, each as one argument',
        {
          buildArgs: new Map([['GREETING', 'hi; rm -rf "$HOME"']]),
          labels: new Map([['org.example', 'x y']]),
          target: 'runtime',
          secrets: ['id=token,env=TOKEN'],
          buildContexts: new Map([['ghcr.io/o/b:t', 'docker-image://ghcr.io/o/b@sha256:1']]),
          cacheFrom: ['type=gha,scope=a'],
          cacheTo: ['type=inline'],
        },
        {},
        [
          ...start,
          ...plain,
          ...load,
          ...named,
          ...['--build-arg', 'GREETING=hi; rm -rf "$HOME"'],
          ...['--label', 'org.example=x y'],
          ...['--target', 'runtime'],
          ...['--secret', 'id=token,env=TOKEN'],
          ...['--cache-from', 'type=gha,scope=a'],
          ...['--build-context', 'ghcr.io/o/b:t=docker-image://ghcr.io/o/b@sha256:1'],
          ...['--cache-to', 'type=inline'],
          'images/a',
        ],
      ],
    ];
  it.each(cases)('%s', (_, more, how, args) => {
    expect(buildArguments({...request, ...more}, {...mode, ...how})).toEqual(args);
  });
});

describe('containerArguments', () => {
  it('labels the container with its run, and replaces the entrypoint', () => {
    const container = {
      image: 'sha256:1',
      name: 'n',
      command: ['sh', '-c', 'exit 0'],
      env: new Map([['A', 'b c']]),
      workdir: '/w',
    };
    expect(containerArguments(container, '77')).toEqual([
      ...['--init', '--label', 'stack-action.run=77', '--name', 'n', '--env', 'A=b c'],
      ...['--workdir', '/w', '--entrypoint', 'sh', 'sha256:1', '-c', 'exit 0'],
    ]);
  });
});
