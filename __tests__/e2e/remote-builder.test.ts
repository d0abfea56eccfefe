import {execFileSync} from 'node:child_process';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type RemoteBuilder, startBuildkitd} from '../support/rig/buildkitd.ts';
import {makeSmallStack, outcomes, results, type SmallStack} from '../support/rig/small-stack.ts';

const docker = (...args: readonly string[]): string =>
  execFileSync('docker', args, {encoding: 'utf8', stdio: 'pipe'}).trim();

let stack: SmallStack;
let builder: RemoteBuilder;
let debian: string;

const logOf = (name: string): Promise<string> =>
  stack.read(`logs/${stack.ref(name).replace(/[/:]/g, '-')}.build.log`);

describe('a BuildKit on another machine', () => {
  beforeAll(async () => {
    stack = await makeSmallStack();
    const [host = ''] = stack.ref('base').split('/');
    // The builder sees only the registry: the base has to be there too.
    debian = stack.ref('debian', '12');
    docker('tag', 'debian:bookworm-slim', debian);
    docker('push', '--quiet', debian);
    builder = await startBuildkitd(host);
  });

  afterAll(async () => {
    await builder?.stop();
    docker('image', 'rm', debian);
    await stack.remove();
  });

  it('gets parents by digest and keeps its cache in the registry', async () => {
    await stack.commit({'images/base/Dockerfile': `FROM ${debian}\nRUN echo base > /base\n`});
    const run = await stack.push({builder: builder.name, cache: 'registry', concurrency: '4'});
    expect(run.exitCode, run.stdout).toBe(0);
    expect(outcomes(run)).toEqual({base: 'built', mid: 'built', leaf: 'built', side: 'built'});
    const {digest = ''} = results(run)['base'] ?? {};
    const log = await logOf('mid');
    expect(log).toContain(`--builder ${builder.name}`);
    expect(log).toContain(
      `docker-image://${stack.ref('base').replace(/:1-feature$/, '')}@${digest}`,
    );
    expect(docker('run', '--rm', stack.ref('leaf'), 'cat', '/base')).toBe('base');
    docker('buildx', 'imagetools', 'inspect', stack.ref('mid', 'buildcache'));
  });
});
