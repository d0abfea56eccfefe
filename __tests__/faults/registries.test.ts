import {cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {makeOneImage, type OneImage} from '../support/rig/one-image.ts';
import {runStep, type StepRun} from '../support/rig/runner.ts';
import {outcomes, planned} from '../support/rig/small-stack.ts';
import {type Behaviour, registryKinds} from '../support/servers/registry-kinds.ts';
import {type RegistryServer, startRegistry} from '../support/servers/registry-server.ts';

let server: RegistryServer | undefined;
let stack: OneImage | undefined;
let config: string | undefined;
afterEach(async () => {
  stack?.remove();
  await server?.close();
  if (config !== undefined) rmSync(config, {recursive: true});
  [server, stack, config] = [undefined, undefined, undefined];
});

/**
 * Where docker itself cannot push, the action cannot either: where an Artifactory gives out tokens that do not work, or no digest, and where the port
 * of Nexus lets everybody in at `/v2/`, it never sends the password. These two are as people set them up for docker.
 */
const forDocker: Readonly<Record<string, Behaviour>> = {
  ...registryKinds,
  Artifactory: {...registryKinds['Artifactory'], auth: 'bearer', noDigestHeader: false},
  Nexus: {...registryKinds['Nexus'], isPingOpen: false},
};

/** The whole life of an image, by the action and docker themselves, with a login of the machine as people have it. */
describe.each(Object.entries(forDocker))('%s', (_, behaviour) => {
  it('plan, build and push for the first time, build again, tag, restore', async () => {
    const registry = await startRegistry(behaviour);
    server = registry;
    const login =
      behaviour.identityToken === undefined
        ? {auth: Buffer.from('someone:right').toString('base64')}
        : {
            auth: Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64'),
            identitytoken: behaviour.identityToken,
          };
    const folder = mkdtempSync(join(tmpdir(), 'machine-'));
    config = folder;
    writeFileSync(join(folder, 'config.json'), JSON.stringify({auths: {[registry.host]: login}}));
    const one = await makeOneImage({registry: registry.host});
    stack = one;
    const run = (inputs: Readonly<Record<string, string>>): Promise<StepRun> => {
      const request = one.request(inputs, {DOCKER_CONFIG: folder});
      return runStep({
        ...request,
        payload: {...request.payload, created: false, before: request.env?.['GITHUB_SHA']},
      });
    };
    const repository = one.ref.slice(registry.host.length + 1).replace(/:.*$/, '');
    const digestAt = (tag: string): string | undefined =>
      registry.manifests.get(`${repository} ${tag}`)?.body.toString();

    const first = await run({mode: 'plan'});
    expect(first.exitCode, first.stdout).toBe(0);
    expect(planned(first)).toEqual(['only build']);

    if (behaviour.needsRepository === true) {
      const refused = await run({});
      expect(refused.exitCode).toBe(1);
      expect(refused.stdout).toContain('a push does not create this repository');
      // As `aws ecr create-repository` does.
      registry.manifests.set(`${repository} made`, {body: Buffer.from('{}'), type: 'x'});
    }
    const built = await run({});
    expect(built.exitCode, built.stdout).toBe(0);
    expect(outcomes(built)).toEqual({only: 'built'});
    expect(digestAt('1-feature')).toBeDefined();

    const again = await run({});
    expect(again.exitCode, again.stdout).toBe(0);
    expect(outcomes(again)).toEqual({only: 'skipped'});

    const tagged = await run({mode: 'tag', 'source-tag': '1-feature'});
    expect(tagged.exitCode, tagged.stdout).toBe(0);
    expect(digestAt('1-stable')).toBe(digestAt('1-feature'));

    mkdirSync(join(one.root, 'undo'));
    cpSync(join(one.root, 'artifacts/promotion.json'), join(one.root, 'undo/promotion.json'));
    const undone = await run({mode: 'tag', restore: 'undo/promotion.json'});
    const canDelete = behaviour.deleteTag === undefined;
    expect(undone.exitCode, undone.stdout).toBe(canDelete ? 0 : 1);
    if (!canDelete) expect(undone.stdout).toContain('this registry does not delete tags');
    expect(digestAt('1-stable') === undefined).toBe(canDelete);
    // Whatever was opened was finished or cancelled, where it can be.
    if (behaviour.cancel === undefined) expect(registry.uploads.size).toBe(0);
  });
});
