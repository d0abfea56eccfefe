import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openContexts} from '../../src/adapters/build-context/index.ts';
import {openWorkspace} from '../../src/adapters/files/index.ts';
import {createRegistry} from '../../src/adapters/registry/index.ts';
import {hashStack, type StackHashes} from '../../src/fingerprint/index.ts';
import {loadStack} from '../../src/stack/index.ts';
import {makeWorkspace} from '../support/rig/runner.ts';

let root: string;

const spec = (more = ''): string => `images:
  base: {image_name: example.com/o/base}
  leaf: {image_name: example.com/o/leaf, depend_on: base${more}}
tag: {prefix: "1"}
all_info_cmds: {}
`;

beforeEach(async () => {
  root = await makeWorkspace({
    'images/spec.yml': spec(),
    'images/base/Dockerfile': 'FROM scratch\nCOPY used /\n',
    'images/base/used': 'x',
    'images/base/unused': 'x',
    'images/base/test/test_base.py': 'pass',
    'images/leaf/Dockerfile': 'FROM example.com/o/base:1\nCOPY test /test\n',
    'images/leaf/test/test_leaf.py': 'pass',
  });
});

afterEach(() => rmSync(root, {recursive: true, force: true}));

async function look(platform = 'linux/amd64'): Promise<StackHashes> {
  const stack = await loadStack(openWorkspace(root), {
    stackDir: 'images',
    tagPrefix: undefined,
    tagOf: () => '1-feature',
  });
  // Nothing here has an external base, so nothing is asked.
  const registry = createRegistry({credentials: new Map()});
  try {
    const contexts = openContexts(root, ['logs', 'artifacts', 'manifests']);
    return await hashStack({stack, stackDir: 'images', platform}, {contexts, registry});
  } finally {
    await registry.close();
  }
}

/** Which hashes of which images are others after a change. */
async function changed(change: () => void): Promise<readonly string[]> {
  const before = (await look()).values;
  change();
  const after = (await look()).values;
  return [...after].flatMap(([name, own]) =>
    (['fingerprint', 'content', 'tests'] as const)
      .filter((key) => own[key] !== before.get(name)?.[key])
      .map((key) => `${name} ${key}`),
  );
}

const write = (name: string) => () => writeFileSync(join(root, name), 'other');
const built = (name: string): readonly string[] => [`${name} fingerprint`, `${name} content`];

describe('hashStack', () => {
  it.each<[string, () => void, readonly string[]]>([
    ['a file that is copied', write('images/base/used'), [...built('base'), ...built('leaf')]],
    ['a file that is not copied', write('images/base/unused'), []],
    ['a test', write('images/base/test/test_base.py'), ['base tests']],
    [
      'a test that is copied',
      write('images/leaf/test/test_leaf.py'),
      [...built('leaf'), 'leaf tests'],
    ],
    ['a conftest.py above', write('images/conftest.py'), ['base tests', 'leaf tests']],
  ])('sees %s', async (_, change, expected) => {
    expect(await changed(change)).toEqual(expected);
  });

  it('counts the platform of the runner where the image names none', async () => {
    const amd64 = (await look()).values.get('base');
    const arm64 = (await look('linux/arm64')).values.get('base');
    expect(arm64?.fingerprint).not.toBe(amd64?.fingerprint);
    expect(arm64?.content).not.toBe(amd64?.content);
  });

  it('names those of tests.paths that do not exist, with the place', async () => {
    writeFileSync(join(root, 'images/spec.yml'), spec(', tests: {paths: [shared/none]}'));
    await expect(look()).rejects.toThrow(
      'images/spec.yml:3:3: tests.paths of image "leaf" lists "shared/none", which does not exist.',
    );
  });

  it('warns once of a context that sends what never counts', async () => {
    writeFileSync(join(root, 'images/spec.yml'), spec(', context: ../..'));
    writeFileSync(join(root, 'images/leaf/Dockerfile'), 'FROM example.com/o/base:1\nCOPY . /\n');
    writeFileSync(join(root, 'Dockerfile'), 'FROM example.com/o/base:1\nCOPY . /\n');
    expect((await look()).warnings).toEqual([
      'The build context . sends artifacts, logs, manifests to the build, which are never part of a fingerprint. Add these lines to .dockerignore: "artifacts", "logs", "manifests".',
    ]);
  });
});
