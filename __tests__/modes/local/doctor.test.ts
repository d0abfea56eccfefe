import {afterEach, expect, it, vi} from 'vitest';
import {openWorkspace} from '../../../src/adapters/files/index.ts';
import {runCommand} from '../../../src/adapters/process/index.ts';
import {type DoctorRequest, doctor} from '../../../src/modes/local/doctor.ts';
import {readInputs} from '../../../src/run/index.ts';
import {createMask} from '../../../src/util/masking.ts';
import {makeWorkspace} from '../../support/rig/runner.ts';
import {startRegistry} from '../../support/servers/registry-server.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What doctor says of a stack whose one image is in this registry. */
async function examine(host: string, more: Partial<DoctorRequest> = {}) {
  const root = await makeWorkspace({
    'images/spec.yml': `images: {a: {image_name: "${host}/o/a"}}\ntag: {prefix: "1"}\n`,
    'images/a/Dockerfile': 'FROM scratch\n',
  });
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const {outcome} = await doctor({
    inputs: readInputs((name) => ({mode: 'doctor'})[name] ?? ''),
    workspace: openWorkspace(root),
    log: {info: say, warning: say, error: say, group: say},
    mask: createMask(),
    program: runCommand,
    signal: new AbortController().signal,
    origin: {owner: '', repo: ''},
    ...more,
  });
  return {outcome, text: lines.join('\n')};
}

it('asks for a push as a run does: refused, it is an error on a runner and a note elsewhere', async () => {
  const server = await startRegistry({auth: 'basic'});
  try {
    const here = await examine(server.host);
    expect(here).toMatchObject({
      outcome: 'passed',
      text: expect.stringContaining('o/a cannot be pushed'),
    });
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    const there = await examine(server.host);
    expect(there).toMatchObject({outcome: 'failed', text: expect.stringMatching(/error: .*401/)});
  } finally {
    await server.close();
  }
});

it('asks nobody for a pull request from a fork', async () => {
  const server = await startRegistry();
  const fork = {kind: 'pull_request', fromFork: true} as NonNullable<DoctorRequest['event']>;
  try {
    await examine(server.host, {event: fork});
    expect(server.seen).toEqual([]);
    await examine(server.host, {event: {...fork, fromFork: false} as typeof fork});
    expect(server.seen).not.toEqual([]);
    expect(server.uploads.size).toBe(0);
  } finally {
    await server.close();
  }
});
