import {expect, it} from 'vitest';
import {readJobs} from '../../src/doctor/jobs.ts';
import {ok} from '../../src/failure.ts';
import {readDeclarations} from '../../src/infer/read/index.ts';
import {readDockerfile} from '../../src/stack/dockerfile/index.ts';
import {readYaml, SpecError} from '../../src/stack/yaml/index.ts';

/** Pieces that nest, quote, repeat or refer to themselves; of each a file is made that is all of it. */
const pieces = [
  ...[
    '"',
    "'",
    '[',
    '{',
    '}',
    ']',
    '- ',
    '? ',
    ': ',
    '&a ',
    '*a ',
    '!',
    '<<: *a\n',
    '[]',
    '{}',
    '"" ',
  ],
  ...['a: |\n b\n', 'a:\n ', '---\n', '!!str ', '{"a":', '{"a":{', '\t', '\0', '\\', '\\\n', '\r'],
  ...[
    '"${',
    '${',
    '%{if a}',
    'a ? b : ',
    '((',
    'f(',
    'target "a" {\n',
    'a = [',
    'a = {',
    '/*',
    '<<E\n',
  ],
  ...['docker build -t a . ', 'docker build \\\n', '$(', '`', 'A = $(A)$(A)\n', 'A=$A$A\n'],
  ...[
    'FROM a AS b\n',
    'RUN <<E\n',
    'COPY --from=a a b\n',
    'ARG A=$A\n',
    'RUN ["a",',
    '# escape=`\n',
  ],
];
const files = [
  ...['docker-bake.hcl', 'docker-bake.json', 'compose.yml', 'Makefile', 'build.sh'],
  '.github/workflows/a.yml',
];
const size = 5000;

it.each(pieces)('a file of nothing but %j is read or refused, and nothing is thrown', (piece) => {
  const text = piece.repeat(Math.ceil(size / piece.length));
  for (const body of [text, `target "a" {\n b = ${text}`, `a: ${text}`]) {
    const texts = new Map(files.map((name) => [name, ok(body)]));
    const tree = {files: [...files, 'Dockerfile'], texts} as Parameters<typeof readDeclarations>[0];
    expect(Array.isArray(readDeclarations(tree, {owner: 'o', repo: 'r'}))).toBe(true);
    expect(Array.isArray(readJobs('a.yml', body) ?? [])).toBe(true);
    expect(Array.isArray(readDockerfile(body).instructions)).toBe(true);
    try {
      readYaml('spec.yml', body);
    } catch (error) {
      expect(error).toBeInstanceOf(SpecError);
    }
  }
});

it('a megabyte of what is no YAML ends at its first mistakes', () => {
  // A reader that collects an error for each character takes longer than a test may.
  for (const piece of ['}', ']', '[', '{', '{}', '? ', '---\n}']) {
    const text = piece.repeat(1_000_000 / piece.length);
    expect(readJobs('a.yml', text)).toBeUndefined();
    expect(() => readYaml('spec.yml', text)).toThrow(SpecError);
  }
});
