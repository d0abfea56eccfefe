import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {openWorkspace} from '../src/adapters/files/index.ts';
import {examine, findingLine} from '../src/doctor/index.ts';
import {inferStack} from '../src/infer/index.ts';
import {readTree} from '../src/modes/setup/tree.ts';
import {loadStack} from '../src/stack/index.ts';
import {edgeLines} from './support/builders/trees.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const workspace = openWorkspace(join(root, 'examples', 'five-images'));

describe('the example of five images', () => {
  it('is a stack without a mistake or a warning', async () => {
    const stack = await loadStack(workspace, {
      stackDir: 'images',
      tagPrefix: undefined,
      tagOf: ({tagPrefix}) => `${tagPrefix}-main`,
    });
    expect(stack.warnings).toEqual([]);
    expect([...stack.spec.images.values()].map(({key, parents}) => [key, parents])).toEqual([
      ['base', []],
      ['tools', []],
      ['python', ['base']],
      ['notebook', ['python', 'tools']],
      ['web', ['base']],
    ]);
  });

  it('has nothing to mend', async () => {
    const tree = await readTree(workspace, ['images/spec.yml']);
    const origin = {owner: 'your-org', repo: 'stack'};
    const found = examine({...tree, stackDir: 'images', tagPrefix: undefined, origin});
    expect(found.map(findingLine)).toEqual([]);
  });

  it('has the edges that init reads from its Dockerfiles', async () => {
    const inferred = inferStack({
      tree: await readTree(workspace),
      stackDir: 'images',
      origin: {owner: '', repo: ''},
      folder: 'x',
      defaultBranch: 'main',
    });
    expect(inferred.ok && edgeLines(inferred.value.edges)).toEqual([
      'notebook <- python',
      'notebook <- tools',
      'python <- base',
      'web <- base',
    ]);
  });

  it('has a workflow that actionlint takes', () => {
    const file = workspace.path('.github/workflows/stack.yml');
    expect(() => execFileSync(join(root, '.tools/bin/actionlint'), [file])).not.toThrow();
  });
});
