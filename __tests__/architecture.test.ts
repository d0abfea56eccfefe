import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';

const root = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(root, {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.ts'))
  .toSorted();

interface Source {
  readonly name: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** Imports as paths below src/, packages as they are written. */
function read(name: string): Source {
  const text = readFileSync(join(root, name), 'utf8');
  const statements = /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|\bimport\([^)]*?'([^']+)'/gm;
  const imports = [...text.matchAll(statements)].map((found) => {
    const target = found[1] ?? found[2] ?? '';
    return target.startsWith('.') ? normalize(join(dirname(name), target)) : target;
  });
  return {name, text, imports};
}

const sources = files.map(read);
const isCore = (name: string): boolean => name.startsWith('core/');
const isAdapter = (name: string): boolean => name.startsWith('adapters/');
const isOwn = (name: string): boolean => name.endsWith('.ts');

/** Packages that only compute. */
const purePackages = [
  'node:crypto',
  'node:path/posix',
  'yaml',
  'dockerfile-ast',
  'shlex',
  'picomatch',
];

/** Lines `file: what it must not do`, which is how the failure reads. */
function offences(isOffence: (source: Source, target: string) => boolean): readonly string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((target) => isOffence(source, target))
      .map((target) => `${source.name} imports ${target}`),
  );
}

const matches = (pattern: RegExp, isAllowed: (name: string) => boolean): readonly string[] =>
  sources.filter(({name, text}) => pattern.test(text) && !isAllowed(name)).map(({name}) => name);

describe('the architecture', () => {
  it('keeps the core pure: it imports itself and packages that only compute', () => {
    expect(
      offences(
        ({name}, target) =>
          isCore(name) && (isOwn(target) ? !isCore(target) : !purePackages.includes(target)),
      ),
    ).toEqual([]);
  });

  it('lets adapters know the core, the ports and each other, and nothing of the flow', () => {
    expect(
      offences(
        ({name}, target) =>
          isAdapter(name) &&
          isOwn(target) &&
          !isCore(target) &&
          !isAdapter(target) &&
          target !== 'ports.ts',
      ),
    ).toEqual([]);
  });

  it('has no two files that import each other, directly or around', () => {
    const importsOf = new Map(sources.map(({name, imports}) => [name, imports.filter(isOwn)]));
    const circles = files.filter((name) => {
      const reached = new Set(importsOf.get(name));
      for (const one of reached) for (const next of importsOf.get(one) ?? []) reached.add(next);
      return reached.has(name);
    });
    expect(circles).toEqual([]);
  });

  it('uses every file', () => {
    const reached = new Set(['index.ts']);
    for (const name of reached)
      for (const next of sources.find((source) => source.name === name)?.imports ?? [])
        reached.add(next);
    expect(files.filter((name) => !reached.has(name))).toEqual([]);
  });

  it('reads the environment in inputs and adapters only', () => {
    expect(
      matches(/process\.env|getInput\(/, (name) => name === 'inputs.ts' || isAdapter(name)),
    ).toEqual([]);
  });

  it('speaks to the runner in a few places only', () => {
    const speakers = ['index.ts', 'post.ts', 'inputs.ts'];
    const isSpeaker = (name: string): boolean =>
      speakers.includes(name) || name.startsWith('adapters/actions-');
    expect(offences(({name}, target) => target === '@actions/core' && !isSpeaker(name))).toEqual(
      [],
    );
    expect(matches(/\bconsole\./, () => false)).toEqual([]);
  });

  it('asks for the time and for chance outside of the core', () => {
    expect(matches(/Date\.now\(|new Date\(\)|Math\.random\(/, (name) => !isCore(name))).toEqual([]);
  });

  it('has small files with plain names and no default exports', () => {
    expect(sources.filter(({text}) => text.split('\n').length > 201).map(({name}) => name)).toEqual(
      [],
    );
    expect(files.filter((name) => !/^([a-z]+\/)?[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name))).toEqual(
      [],
    );
    expect(matches(/^export default/m, () => false)).toEqual([]);
  });
});

it('names every folder of the repository that the design has', () => {
  const top = readdirSync(relative('.', join(root, '..')) || '.');
  expect(top).toEqual(
    expect.arrayContaining([
      'action.yml',
      'dist',
      'docs',
      'images',
      'scripts',
      'src',
      '__tests__',
      '.github',
      'LICENSE',
    ]),
  );
});
