import {describe, expect, it} from 'vitest';
import {type InferRequest, inferStack} from '../../src/infer/index.ts';
import {parseSpec} from '../../src/stack/spec/index.ts';
import {edgeLines, type TreeCase, treeOf, trees} from '../support/builders/trees.ts';

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
