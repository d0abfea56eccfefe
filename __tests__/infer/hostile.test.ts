// biome-ignore-all lint/suspicious/noTemplateCurlyInString: names of files, not templates
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {branchTag} from '../../src/image/tags.ts';
import {inferStack} from '../../src/infer/index.ts';
import {checkParents} from '../../src/stack/parents.ts';
import {parseSpec} from '../../src/stack/spec/index.ts';
import {edgeLines, treeOf} from '../support/builders/trees.ts';

const odd = fc.constantFrom(
  ...['a', 'b', 'A', 'B b', 'ü', '日本', '-x', 'x-', '..a', 'a..b', 'a__b', 'a___b', '#c', 'a: b'],
  ...["'q'", '"q"', '{x}', '[y]', '*', '&a', '!t', '%', '@', '`', 'yes', 'null', '1', '1.0', '0x1'],
  ...['~', 'a\tb', 'a\nb', 'a\u2028b', '\u0085', '💥', '.hid', 'con', 'images', 'docker', '3.11'],
  ...['latest', 'gpu', 'a@b', '--f', '$HOME', '${X}', 'a\\b', '\u202e', 'spec.yml', '__proto__'],
  ...['constructor', 'true', '=', '|', '>', '?', 'a #b', 'x'.repeat(140)],
);
const isName = (text: string): boolean => !['', '.', '..'].includes(text) && !/[/\0]/.test(text);
const word = fc.oneof(odd, fc.string({maxLength: 8}).filter(isName));
const file = fc.oneof(
  fc.constantFrom('Dockerfile', 'dockerfile', 'Containerfile', 'DOCKERFILE'),
  fc
    .tuple(fc.constantFrom('N.Dockerfile', 'Dockerfile.N', 'dockerfile-N'), word)
    .map(([shape, name]) => shape.split('N').join(name)),
);
const path = fc
  .tuple(fc.array(word, {maxLength: 3}), file)
  .map(([folders, name]) => [...folders, name].join('/'));
const reference = fc.oneof(
  fc.constantFrom('a', 'acme/a', 'acme/a:gpu', 'ghcr.io/acme/b', 'localhost:5000/x/a:1'),
  fc.constantFrom('debian:13', 'scratch', 'python:3.11', 'reg.io:443/o/images'),
  word,
);
const dockerfile = fc
  .array(reference, {minLength: 1, maxLength: 3})
  .map((all) => all.map((one) => `FROM ${one}\n`).join(''));
const platform = fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm64/v8', 'foo/bar');
const target = fc.record(
  {
    tags: fc.array(
      fc.oneof(
        reference,
        fc.tuple(word, word).map(([name, tag]) => `ghcr.io/acme/${name}:${tag}`),
      ),
      {maxLength: 3},
    ),
    args: fc.dictionary(word, word, {maxKeys: 3}),
    target: word,
    platforms: fc.array(platform, {maxLength: 3}),
    context: word,
  },
  {requiredKeys: []},
);

interface Tree {
  readonly files: Readonly<Record<string, string>>;
  readonly owner: string;
}

const tree: fc.Arbitrary<Tree> = fc
  .record({
    dockerfiles: fc.array(fc.tuple(path, dockerfile), {minLength: 1, maxLength: 6}),
    targets: fc.array(fc.tuple(word, target, fc.nat()), {maxLength: 5}),
    owner: fc.constantFrom('', 'Acme', 'ÜBER', 'a b'),
  })
  .map(({dockerfiles, targets, owner}) => {
    const named = targets.map(([name, declared, at]) => {
      const [own = ''] = dockerfiles[at % dockerfiles.length] ?? [];
      return [name, {...declared, dockerfile: own}] as const;
    });
    const bake = JSON.stringify({target: Object.fromEntries(named)});
    return {files: Object.fromEntries([...dockerfiles, ['docker-bake.json', bake]]), owner};
  });

const infer = ({files, owner}: Tree) =>
  inferStack({
    tree: treeOf(files),
    stackDir: 'images',
    origin: {owner, repo: owner === '' ? '' : 'My Repo'},
    folder: 'x y',
    defaultBranch: 'main',
  });

describe('whatever files and bake targets are called', () => {
  it('init writes a spec that is read as it was meant, or says in a sentence why not', () => {
    fc.assert(
      fc.property(tree, (given) => {
        const inferred = infer(given);
        if (!inferred.ok) {
          expect(inferred.error).toMatch(/^(?:No Dockerfile|There are only|The Dockerfiles form)/);
          return;
        }
        const {spec: text, images, edges, todos} = inferred.value;
        const file = 'images/spec.yml';
        const spec = parseSpec({file, text, stackDir: 'images', tagPrefix: undefined});
        expect([...spec.images.keys()]).toEqual(images);
        const texts = new Map(
          [...spec.images.values()].map(({name, dockerfile: own}) => {
            expect(Object.keys(given.files)).toContain(own);
            return [name, {file: own, text: given.files[own] ?? ''}];
          }),
        );
        // What nobody can read is a question in the spec, and only then may a run have one too.
        if (todos.some(({key}) => key !== undefined)) return;
        const read = checkParents(spec, texts, (image) => branchTag(image, 'main'));
        expect(read.mistakes).toEqual([]);
        const parents = [...read.spec.images.values()].flatMap(({key, parents: own}) =>
          own.map((parent) => `${key} <- ${parent}`),
        );
        expect(parents.toSorted()).toEqual(edgeLines(edges));
        for (const {child, parent} of edges)
          expect([...(read.references.get(child)?.keys() ?? [])]).toContain(parent);
      }),
      {numRuns: 500},
    );
  });
});

it('a tree of five thousand Dockerfiles is read in a moment', () => {
  const files = Array.from({length: 5000}, (_, index) => {
    const parent = index === 0 ? 'debian:13' : `ghcr.io/acme/i${Math.floor(index / 3)}`;
    return [`stacks/i${index}/Dockerfile`, `FROM ${parent}\nCOPY x /x\n`] as const;
  });
  const inferred = infer({files: Object.fromEntries(files), owner: 'acme'});
  expect(inferred.ok && inferred.value.edges.length).toBe(4999);
});
