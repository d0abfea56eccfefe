import {execFileSync} from 'node:child_process';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {examine} from '../../src/doctor/index.ts';
import {fail} from '../../src/failure.ts';
import {branchTag} from '../../src/image/tags.ts';
import {type InferRequest, inferStack} from '../../src/infer/index.ts';
import {checkParents} from '../../src/stack/parents.ts';
import {parseSpec} from '../../src/stack/spec/index.ts';
import {edgeLines, type TreeCase, treeOf, trees} from '../support/builders/trees.ts';

/** scripts/install-tools puts it there. */
const actionlint = fileURLToPath(new URL('../../.tools/bin/actionlint', import.meta.url));

const requestOf = ({files, origin}: Pick<TreeCase, 'files' | 'origin'>): InferRequest => ({
  tree: treeOf(files),
  stackDir: 'images',
  origin: origin ?? {owner: '', repo: ''},
  folder: 'my-stack',
  defaultBranch: 'main',
});

function infer(tree: Pick<TreeCase, 'files' | 'origin'>) {
  const inferred = inferStack(requestOf(tree));
  if (!inferred.ok) throw new Error(inferred.error);
  return inferred.value;
}

const parse = (text: string) =>
  parseSpec({file: 'images/spec.yml', text, stackDir: 'images', tagPrefix: undefined});

describe('a stack read from its Dockerfiles', () => {
  it.each(Object.entries(trees))('finds every edge of %s and no other', (_, tree) => {
    const {edges, todos} = infer(tree);
    expect(edgeLines(edges), JSON.stringify(todos, undefined, 1)).toEqual(tree.edges);
  });

  it.each(Object.entries(trees))(
    'writes a spec of %s that reads back as it was meant',
    (_, tree) => {
      const {spec, edges, images} = infer(tree);
      const parsed = parse(spec);
      expect([...parsed.images.keys()]).toEqual(images);
      const parents = [...parsed.images.values()].flatMap(({key, parents}) =>
        parents.map((parent) => `${key} <- ${parent}`),
      );
      expect(parents.toSorted()).toEqual(edgeLines(edges));
      for (const image of parsed.images.values()) {
        expect(Object.keys(tree.files), image.key).toContain(image.dockerfile);
      }
      for (const {readAt} of edges) expect(spec).toContain(`# ${readAt}`);
      for (const [key, name] of Object.entries(tree.names ?? {})) {
        expect(parsed.images.get(key)?.repository).toBe(name);
      }
      for (const [key, variant] of Object.entries(tree.variants ?? {})) {
        expect(parsed.images.get(key)?.variant, key).toBe(variant);
      }
    },
  );

  it.each(Object.entries(trees))(
    'gives of %s what a run reads from it without edits',
    (_, tree) => {
      const {spec, edges, todos} = infer(tree);
      const parsed = parse(spec);
      const dockerfiles = new Map(
        [...parsed.images.values()].map(({name, dockerfile}) => [
          name,
          {file: dockerfile, text: tree.files[dockerfile] ?? ''},
        ]),
      );
      const read = checkParents(parsed, dockerfiles, (image) => branchTag(image, 'main'));
      const asked = todos.filter(({key}) => key !== undefined);
      if (asked.length === 0) expect(read.mistakes).toEqual([]);
      const parents = [...read.spec.images.values()].flatMap(({key, parents}) =>
        parents.map((parent) => `${key} <- ${parent}`),
      );
      if (read.mistakes.length > 0) return;
      expect(parents.toSorted()).toEqual(edgeLines(edges));
      // An edge that no line of the Dockerfile has would build the child on an image of somebody else.
      const sure = edges.filter(({child}) => !asked.some(({key}) => key === child));
      for (const {child, parent} of sure)
        expect([...(read.references.get(child)?.keys() ?? [])], child).toContain(parent);
    },
  );

  it.each(Object.entries(trees))('leaves of %s only what cannot be read', (_, tree) => {
    const {todos, spec} = infer(tree);
    const sentences = todos.map(({sentence}) => sentence);
    expect(sentences).toHaveLength(tree.todos?.length ?? 0);
    for (const [index, sentence] of sentences.entries()) {
      expect(sentence).toMatch(tree.todos?.[index] ?? /^$/);
      expect(spec).toContain(`# TODO ${sentence}`);
    }
  });
});

describe('what cannot be read', () => {
  const refused = (files: Readonly<Record<string, string>>): string => {
    const inferred = inferStack(requestOf({files}));
    return inferred.ok ? '' : inferred.error;
  };

  it('is refused in a sentence where there is no Dockerfile', () => {
    expect(refused({'README.md': ''})).toMatch(/^No Dockerfile was found below this folder.*init/);
    expect(refused({'a/Dockerfile.j2': 'FROM x\n'})).toMatch(
      /^There are only templates .*a\/Dockerfile\.j2/,
    );
    expect(refused({'a/Dockerfile': '\0\0'})).toMatch(
      /^No Dockerfile can be read.*\na\/Dockerfile is left out: it is not a text file/,
    );
  });

  it('is left out with its reason where there are others', () => {
    const {todos, images} = infer({
      files: {
        'a/Dockerfile': 'FROM debian:13\n',
        'b/Dockerfile': 'hello\n',
        'c/Dockerfile': 'RUN true\n',
        'd/Dockerfile': 'FROM debian:13\nRUNN true\n',
        'e/Dockerfile': '# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\n',
        'f/-x.Dockerfile': 'FROM debian:13\n',
      },
    });
    expect(images).toEqual(['a']);
    expect(todos.map(({sentence}) => sentence)).toEqual([
      expect.stringMatching(/^b\/Dockerfile is left out: .*Mend or remove it/),
      expect.stringMatching(/^c\/Dockerfile is left out: line 1: /),
      expect.stringMatching(/^d\/Dockerfile is left out: line 2: unknown instruction RUNN/),
      expect.stringMatching(/^e\/Dockerfile is left out: it is of a Windows image/),
      expect.stringMatching(/^f\/-x\.Dockerfile is left out: .*an option/),
    ]);
  });

  it('is left out when reading failed', () => {
    const tree = treeOf({'a/Dockerfile': 'FROM debian:13\n'});
    const texts = new Map([...tree.texts, ['b/Dockerfile', fail('EACCES.')]]);
    const request = requestOf({files: {}});
    const inferred = inferStack({
      ...request,
      tree: {files: [...tree.files, 'b/Dockerfile'], texts},
    });
    expect(inferred.ok && inferred.value.todos[0]?.sentence).toMatch(
      /^b\/Dockerfile is left out: EACCES\./,
    );
  });

  it('is a cycle, which is told whole', () => {
    const files = {
      'a/Dockerfile': 'FROM acme/c\n',
      'b/Dockerfile': 'FROM acme/a\n',
      'c/Dockerfile': 'FROM debian:13\nCOPY --from=acme/b /x /x\n',
    };
    expect(refused(files)).toBe(
      'The Dockerfiles form a cycle, so nothing was written: a -> c -> b -> a. Remove one of these, or pin it by digest: FROM in a/Dockerfile:1 (acme/c:latest), COPY --from in c/Dockerfile:2 (acme/b:latest), FROM in b/Dockerfile:1 (acme/a:latest).',
    );
  });
});

describe('keys', () => {
  const keys = (...paths: readonly string[]): readonly string[] =>
    infer({files: Object.fromEntries(paths.map((path) => [path, 'FROM scratch\n']))}).images;

  it.each<[readonly string[], readonly string[]]>([
    [['Dockerfile'], ['my-stack']],
    [
      ['images/a/Dockerfile', 'images/b/dockerfile'],
      ['a', 'b'],
    ],
    [
      ['docker/web.Dockerfile', 'docker/Dockerfile.api', 'docker/dockerfile-job'],
      ['api', 'job', 'web'],
    ],
    [
      ['web/Dockerfile', 'web/Dockerfile.gpu'],
      ['web', 'web-gpu'],
    ],
    [['web/Dockerfile.alpine'], ['web-alpine']],
    [
      ['a/py/Dockerfile', 'b/py/Dockerfile'],
      ['a-py', 'b-py'],
    ],
    [
      ['python/3.11/Dockerfile', 'python/3.12/Dockerfile'],
      ['python-3.11', 'python-3.12'],
    ],
    [
      ['torch/Dockerfile', 'torch/cuda12/Dockerfile'],
      ['torch', 'torch-cuda12'],
    ],
    [['My App/Containerfile'], ['my-app']],
    [['svc/web/docker/Dockerfile'], ['web']],
    [['a/Dockerfile', 'node_modules/x/Dockerfile', '.ci/Dockerfile', 'a/Dockerfile.md'], ['a']],
  ])('of %j are %j', (paths, expected) => {
    expect(keys(...paths).toSorted()).toEqual(expected);
  });
});

describe('the workflow', () => {
  it.each(Object.entries(trees))('of %s passes actionlint and doctor', (_, tree) => {
    const {workflow, spec} = infer(tree);
    const file = join(mkdtempSync(join(tmpdir(), 'workflow-')), 'stack.yml');
    writeFileSync(file, workflow);
    expect(() => execFileSync(actionlint, [file], {encoding: 'utf8'})).not.toThrow();
    const all = {...tree.files, 'images/spec.yml': spec, '.github/workflows/stack.yml': workflow};
    const origin = tree.origin ?? {owner: '', repo: ''};
    const found = examine({...treeOf(all), stackDir: 'images', tagPrefix: undefined, origin});
    const errors = found.filter(({level, place}) => level === 'error' && !/chunks/.test(place));
    expect(errors).toEqual([]);
  });
});
