import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openWorkspace} from '../../src/adapters/files/index.ts';
import {type ChangeSet, selectChanges} from '../../src/changes/index.ts';
import {loadStack} from '../../src/stack/index.ts';
import {makeWorkspace} from '../support/rig/runner.ts';

let root: string;

beforeEach(async () => {
  root = await makeWorkspace({
    'stacks/one/spec.yml': 'images: {a: {image_name: "r.invalid/o/a"}}\ntag: {prefix: "1"}\n',
    'stacks/one/change_ignore.json': '{"ChangeIgnore": [], "BuildAll": ["spec.yml", "common"]}',
    'stacks/one/a/Dockerfile': 'FROM scratch\n',
  });
});

afterEach(() => rmSync(root, {recursive: true}));

/** What a change of this file, as git names it, means to the stack in this folder. */
async function changed(stackDir: string, file: string): Promise<ChangeSet> {
  const {spec, rules, places} = await loadStack(openWorkspace(root), {
    stackDir,
    tagPrefix: undefined,
    tagOf: () => '1-feature',
  });
  const scopes = [...spec.images.values()].map((image) => ({
    ...image,
    places: places.get(image.name) ?? [],
  }));
  return selectChanges([file], rules, stackDir, scopes);
}

describe('a repository that is checked out below the workspace', () => {
  const keys = 'watch: [shared/**], tests: {paths: [suites/a]}';
  const use = (folder: string, spec = keys) => {
    const text = `images: {a: {image_name: "r.invalid/o/a", ${spec}}}\ntag: {prefix: "1"}\n`;
    writeFileSync(join(root, 'stacks/one/spec.yml'), text);
    mkdirSync(join(root, folder, 'suites/a'), {recursive: true});
  };

  it.each<[string, (git: string) => void]>([
    ['folder', (git) => mkdirSync(git)],
    // Of a submodule, or of a worktree.
    ['file', (git) => writeFileSync(git, 'gitdir: elsewhere\n')],
  ])('is where "watch" and "tests.paths" begin, found by its %s .git', async (_, make) => {
    use('stacks');
    make(join(root, 'stacks/.git'));
    for (const file of ['stacks/shared/deep/file', 'stacks/suites/a/test_a.py']) {
      expect(await changed('stacks/one', file)).toMatchObject({files: new Map([['a', [file]]])});
    }
    expect(await changed('stacks/one', 'suites/a/test_a.py')).toMatchObject({files: new Map()});
  });

  it('is the workspace where there is none', async () => {
    use('.');
    for (const file of ['shared/deep/file', 'suites/a/test_a.py']) {
      expect(await changed('stacks/one', file)).toMatchObject({files: new Map([['a', [file]]])});
    }
    expect(await changed('stacks/one', 'stacks/shared/file')).toMatchObject({files: new Map()});
  });

  it('may be written with its folder', async () => {
    use('stacks', 'watch: [stacks/shared/**], tests: {paths: [stacks/suites/a]}');
    mkdirSync(join(root, 'stacks/.git'));
    for (const file of ['stacks/shared/file', 'stacks/suites/a/test_a.py']) {
      expect(await changed('stacks/one', file)).toMatchObject({files: new Map([['a', [file]]])});
    }
  });
});

const all = (file: string) => ({kind: 'all', because: {kind: 'build-all', files: [file]}});

describe('a file of BuildAll behind a link', () => {
  it.each(['stacks/one/spec.yml', 'stacks/one/common/gone'])(
    'changes every image where the folder of the images is the link: %s',
    async (file) => {
      symlinkSync('stacks/one', join(root, 'images'));
      expect(await changed('images', file)).toEqual(all(file));
      const own = 'stacks/one/a/Dockerfile';
      expect(await changed('images', own)).toMatchObject({files: new Map([['a', [own]]])});
    },
  );

  it('changes every image where it is the link itself, or lies below one', async () => {
    mkdirSync(join(root, 'shared/deep'), {recursive: true});
    writeFileSync(join(root, 'shared/deep/file'), '');
    mkdirSync(join(root, 'stacks/one/common'));
    symlinkSync('../../../shared/deep', join(root, 'stacks/one/common/deep'));
    expect(await changed('stacks/one', 'shared/deep/file')).toEqual(all('shared/deep/file'));
    // A submodule is named by its folder.
    expect(await changed('stacks/one', 'shared')).toEqual(all('shared'));
    expect(await changed('stacks/one', 'shared/other')).toMatchObject({files: new Map()});
  });
});
