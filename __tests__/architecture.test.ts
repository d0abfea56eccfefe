import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';

const root = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(root, {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.ts'))
  .toSorted();

interface Import {
  /** A path below src/, or a package as it is written. */
  readonly target: string;
  readonly isType: boolean;
}

interface Source {
  readonly name: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

function read(name: string): Source {
  const text = readFileSync(join(root, name), 'utf8');
  const statements =
    /^(?:import|export)\b(\s+type\b)?[^;]*?\bfrom\s+'([^']+)'|\bimport\([^)]*?'([^']+)'/gm;
  const imports = [...text.matchAll(statements)].map((found) => {
    const target = found[2] ?? found[3] ?? '';
    return {
      target: target.startsWith('.') ? normalize(join(dirname(name), target)) : target,
      isType: found[1] !== undefined,
    };
  });
  return {name, folder: dirname(name), text, imports};
}

const sources = files.map(read);
const isOwn = ({target}: Import): boolean => target.endsWith('.ts');

interface Arrows {
  /** Folders whose values may be imported. */
  readonly imports: readonly string[];
  /** Folders of which only types may be imported: the value is handed in. */
  readonly types: readonly string[];
}

const words = ['image', 'util', 'failure.ts'];
const outside = [
  'adapters/build-context',
  'adapters/docker',
  'adapters/files',
  'adapters/git',
  'adapters/github',
  'adapters/http',
  'adapters/process',
  'adapters/registry',
  'adapters/terminal',
];
const domain = [
  'run',
  'stack',
  'stack/spec',
  'stack/dockerfile',
  'stack/yaml',
  'changes',
  'fingerprint',
  'plan',
  'schedule',
  'build',
  'build/steps',
  'page',
  'record',
  'promote',
  'wiki',
  'report',
  'report/markdown',
  'report/html',
  'report/merge',
  'infer',
  'doctor',
  'cli',
];

/** The floors of docs/architecture.md, highest first. What a row does not name, it may not import. */
const arrows: Readonly<Record<string, Arrows>> = {
  'index.ts': {imports: ['cli', 'main.ts', 'post.ts'], types: []},
  cli: {imports: words, types: ['build', 'adapters/git', 'adapters/github']},
  infer: {imports: ['infer/read', 'stack/spec', 'stack/dockerfile', ...words], types: []},
  'infer/read': {imports: ['infer', ...words], types: []},
  doctor: {imports: ['stack/spec', 'stack/dockerfile', 'stack/yaml', ...words], types: []},
  'main.ts': {
    imports: ['modes', 'modes/setup', 'modes/local', 'run', ...outside, ...words],
    types: ['build'],
  },
  'post.ts': {imports: ['modes', ...outside, ...words], types: []},
  modes: {imports: ['modes/setup', ...domain, ...outside, ...words], types: []},
  'modes/setup': {imports: [...domain, ...outside, ...words], types: []},
  'modes/local': {imports: ['modes', 'modes/setup', ...domain, ...outside, ...words], types: []},
  report: {
    imports: ['report/html', 'report/markdown', 'report/merge', 'plan', 'record', ...words],
    types: ['build', 'schedule', 'promote', 'stack/spec', 'adapters/github', 'adapters/files'],
  },
  'report/markdown': {imports: ['report', 'plan', ...words], types: ['build', 'schedule']},
  'report/html': {imports: ['report', ...words], types: []},
  'report/merge': {imports: ['report', ...words], types: ['report', 'build', 'plan', 'schedule']},
  build: {
    imports: ['build/steps', 'schedule', 'page', ...words],
    types: ['plan', 'stack', 'stack/spec', ...outside],
  },
  'build/steps': {
    imports: ['build', 'schedule', 'page', 'record', ...words],
    types: ['plan', 'stack', 'stack/spec', 'stack/dockerfile', ...outside],
  },
  schedule: {imports: [], types: ['plan', 'failure.ts']},
  plan: {
    imports: ['run', 'stack', 'stack/spec', 'changes', 'fingerprint', ...words],
    types: outside,
  },
  promote: {
    imports: ['run', 'stack', 'stack/spec', 'fingerprint', 'record', ...words],
    types: outside,
  },
  wiki: {imports: words, types: ['adapters/git', 'adapters/files', 'stack/spec']},
  changes: {
    imports: words,
    types: ['run', 'stack', 'stack/spec', 'adapters/git', 'adapters/github'],
  },
  fingerprint: {
    imports: ['stack', 'stack/spec', 'stack/dockerfile', ...words],
    types: ['adapters/build-context', 'adapters/files', 'adapters/registry'],
  },
  stack: {
    imports: ['stack/spec', 'stack/dockerfile', 'stack/yaml', ...words],
    types: ['adapters/files'],
  },
  run: {imports: words, types: ['stack/spec', ...outside]},
  page: {imports: ['record', ...words], types: ['stack/spec', 'adapters/docker']},
  record: {imports: ['record/packages', ...words], types: ['adapters/registry']},
  'record/packages': {imports: ['record', 'util'], types: []},
  'stack/spec': {imports: ['stack/yaml', ...words], types: []},
  'stack/dockerfile': {imports: ['stack/yaml', ...words], types: []},
  'adapters/docker': {imports: ['adapters/process', 'adapters/registry', ...words], types: []},
  'adapters/git': {imports: ['adapters/process', ...words], types: []},
  'adapters/files': {imports: ['adapters/process', ...words], types: []},
  'adapters/build-context': {imports: words, types: []},
  'adapters/github': {imports: words, types: []},
  'adapters/process': {imports: words, types: []},
  'adapters/terminal': {imports: words, types: ['adapters/github']},
  'adapters/http': {imports: words, types: []},
  'adapters/registry': {imports: ['adapters/http', ...words], types: ['adapters/process']},
  image: {imports: ['util'], types: []},
  util: {imports: [], types: []},
  'stack/yaml': {imports: ['util'], types: []},
  'failure.ts': {imports: ['util'], types: []},
};

/** Packages that only compute: everything may use them. */
const purePackages = [
  'node:crypto',
  'node:path/posix',
  'node:util',
  'node:zlib',
  'yaml',
  'shlex',
  'valibot',
  'micromark',
  'micromark-extension-gfm-table',
];
/** Where packages with effects are allowed, besides adapters. */
const otherPackages: Readonly<Record<string, readonly string[]>> = {
  'index.ts': ['@actions/core'],
  'post.ts': ['@actions/core'],
  'run/inputs.ts': ['@actions/core', 'node:os'],
  'util/retry.ts': ['node:timers/promises'],
};
/** Every file of these is an entrance. */
const withoutEntrance = [
  'modes',
  'modes/setup',
  'modes/local',
  'image',
  'util',
  'adapters/github',
  '.',
];

const roomOf = (name: string): string => (dirname(name) === '.' ? name : dirname(name));

/** Lines `plan/decide.ts imports build/steps/context.ts`, which is how the failure reads. */
function offences(isOffence: (source: Source, one: Import) => boolean): readonly string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((one) => isOffence(source, one))
      .map(({target}) => `${source.name} imports ${target}`),
  );
}

const matches = (pattern: RegExp, isAllowed: (name: string) => boolean): readonly string[] =>
  sources.filter(({name, text}) => pattern.test(text) && !isAllowed(name)).map(({name}) => name);

describe('the architecture', () => {
  it('knows every folder', () => {
    expect(files.map(roomOf).filter((room) => arrows[room] === undefined)).toEqual([]);
  });

  it('follows the table of arrows', () => {
    expect(
      offences((source, one) => {
        if (!isOwn(one)) return false;
        const [from, to] = [roomOf(source.name), roomOf(one.target)];
        const row = arrows[from];
        if (from === to || row?.imports.includes(to)) return false;
        return !(one.isType && row?.types.includes(to));
      }),
    ).toEqual([]);
  });

  it('enters another folder by its index.ts only', () => {
    expect(
      offences(({folder}, one) => {
        const to = dirname(one.target);
        if (!isOwn(one) || to === folder || withoutEntrance.includes(to)) return false;
        // A folder inside a folder is a part of it: build/steps knows the words of build.
        if (folder.startsWith(`${to}/`)) return false;
        return !one.target.endsWith('/index.ts');
      }),
    ).toEqual([]);
  });

  it('makes effects in main, post and modes only: the values of adapters go nowhere else', () => {
    const isMaker = (name: string): boolean =>
      ['main.ts', 'post.ts'].includes(name) || /^(modes|adapters)\//.test(name);
    expect(
      offences(
        ({name}, one) => one.target.startsWith('adapters/') && !one.isType && !isMaker(name),
      ),
    ).toEqual([]);
    expect(
      offences(
        ({name}, one) =>
          !isOwn(one) &&
          !one.isType &&
          !isMaker(name) &&
          !purePackages.includes(one.target) &&
          !otherPackages[name]?.includes(one.target),
      ),
    ).toEqual([]);
  });

  it('has no two files that import each other, directly or around', () => {
    const importsOf = new Map(
      sources.map(({name, imports}) => [name, imports.filter(isOwn).map(({target}) => target)]),
    );
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
      for (const {target} of sources.find((source) => source.name === name)?.imports ?? [])
        reached.add(target);
    expect(files.filter((name) => !reached.has(name))).toEqual([]);
  });

  it('reads the environment in inputs and adapters only', () => {
    expect(
      matches(
        /process\.env|getInput\(/,
        (name) => name === 'run/inputs.ts' || name.startsWith('adapters/'),
      ),
    ).toEqual([]);
    expect(matches(/\bconsole\./, () => false)).toEqual([]);
  });

  it('asks for the time and for chance in modes, retries and adapters only', () => {
    const mayAsk = (name: string): boolean =>
      /^(modes|adapters)\//.test(name) ||
      ['util/retry.ts', 'build/steps/attempts.ts', 'main.ts', 'post.ts'].includes(name);
    expect(matches(/Date\.now\(|new Date\(\)|Math\.random\(/, mayAsk)).toEqual([]);
  });

  it('has small files and folders with plain names and no default exports', () => {
    expect(sources.filter(({text}) => text.split('\n').length > 301).map(({name}) => name)).toEqual(
      [],
    );
    const folders = Map.groupBy(files, dirname);
    expect([...folders].filter(([, names]) => names.length > 12).map(([name]) => name)).toEqual([]);
    expect(
      files.filter((name) => !/^([a-z-]+\/){0,2}[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name)),
    ).toEqual([]);
    expect(matches(/^export default/m, () => false)).toEqual([]);
  });

  it('says at each entrance what enters, what leaves and what is done elsewhere', () => {
    const entrances = sources.filter(({name}) => name.endsWith('/index.ts'));
    expect(
      entrances
        .filter(({text}) => !/\* Enters: [\s\S]*\* Leaves: [\s\S]*\* Not here: /.test(text))
        .map(({name}) => name),
    ).toEqual([]);
  });

  it('speaks of no page that the repository does not have', () => {
    expect(matches(/\b[A-Z]+\.md\b/, () => false)).toEqual([]);
  });
});
