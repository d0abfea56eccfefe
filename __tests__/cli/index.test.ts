import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {tableText} from '../../scripts/update-flags.ts';
import {isCommandLine, readCommandLine} from '../../src/cli/index.ts';
import {readInputs} from '../../src/run/index.ts';

const read = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** What the inputs of a good command line are. */
function inputsOf(...words: readonly string[]) {
  const line = readCommandLine(words);
  if (line.kind === 'text') throw new Error(line.text);
  return readInputs(line.input);
}

describe('the table of flags', () => {
  it('is what action.yml and package.json say', () => {
    const table = tableText(read('action.yml'), read('package.json'));
    expect(read('src/cli/table.ts'), 'run: node scripts/update-flags.ts').toBe(table);
  });

  it('has every input as a flag, with its default', () => {
    const inputs = inputsOf('plan');
    expect(inputs).toMatchObject({
      mode: 'plan',
      stackDir: 'images',
      rebuild: 'auto',
      cache: 'inline',
      username: '',
      password: '',
    });
  });
});

describe('flags', () => {
  it.each<[readonly string[], object]>([
    [['build', '--images', 'a,b'], {mode: 'build', images: ['a', 'b']}],
    [['--images=a', 'build', '--images', 'b'], {images: ['a', 'b']}],
    [['plan', '--dry-run'], {dryRun: true}],
    [['plan', '--dry-run', 'false'], {dryRun: false}],
    [['plan', '--dry-run=TRUE'], {dryRun: true}],
    [['--dry-run', 'plan'], {mode: 'plan', dryRun: true}],
    [['plan', '--no-fail-fast'], {failFast: false}],
    [['plan', '--fail-fast=false', '--concurrency', '3'], {failFast: false, concurrency: 3}],
    [['--mode', 'doctor'], {mode: 'doctor'}],
    [['build', '--tag-prefix', '-1'], {tagPrefix: '-1'}],
    [['build', '--tag-prefix', ''], {tagPrefix: undefined}],
  ])('%j are inputs', (words, inputs) => {
    expect(inputsOf(...words)).toMatchObject(inputs);
  });

  it.each<[readonly string[], object]>([
    [['build'], {push: 'false', wiki: 'false'}],
    [['build', '--push'], {push: 'true', wiki: 'auto'}],
    [['build', '--push', 'auto'], {push: 'auto', wiki: 'false'}],
    [['tag', '--source-tag', '1-main'], {dryRun: true, wiki: 'false'}],
    [['tag', '--source-tag', '1-main', '--dry-run', 'false'], {dryRun: true}],
    [['tag', '--source-tag', '1-main', '--push', 'true'], {dryRun: false, wiki: 'auto'}],
    [['tag', '--source-tag', '1-main', '--push', 'true', '--dry-run'], {dryRun: true}],
  ])('%j pushes only when it is told to', (words, inputs) => {
    expect(inputsOf(...words)).toMatchObject(inputs);
  });

  it.each<[readonly string[], RegExp]>([
    [[], /^No mode was given\. Choose one: build, plan, tag, report, init, doctor\.$/],
    [['pln'], /^Unknown mode "pln"\. Did you mean "plan"\? Modes: /],
    [['--mode', 'x'], /^Unknown mode "x"\./],
    [['plan', '--imges', 'a'], /^Unknown flag --imges\. Did you mean "--images"\?/],
    [['plan', '--dryrun=true'], /^Unknown flag --dryrun\. Did you mean "--dry-run"\?/],
    [['plan', '-n'], /^Unknown flag -n\./],
    [['plan', '--no-images'], /^Unknown flag --no-images\./],
    [['plan', '--images'], /^--images needs a value/],
    [['plan', '--images', '--dry-run'], /^--images needs a value/],
    [['plan', 'a'], /^"a" is one word too many/],
    [
      ['plan', '--cache', 'gha', '--cache', 'none'],
      /^--cache was given twice, as "gha" and "none"/,
    ],
  ])('%j are wrong usage, in one sentence', (words, sentence) => {
    const line = readCommandLine(words);
    expect(line).toMatchObject({kind: 'text', exitCode: 2});
    expect(line.kind === 'text' && line.text).toMatch(sentence);
    expect(line.kind === 'text' && line.text).not.toContain('\n');
  });

  it('explains every input with --help, wherever it stands', () => {
    const help = readCommandLine(['plan', '--nonsense', '--help']);
    expect(help).toMatchObject({kind: 'text', exitCode: 0});
    const {inputs} = JSON.parse(JSON.stringify({inputs: Object.keys(inputsOf('plan'))}));
    expect(inputs.length).toBeGreaterThan(20);
    for (const name of ['stack-dir', 'push', 'retention-days']) {
      expect(help.kind === 'text' && help.text).toContain(`--${name} `);
    }
  });

  it('has a version', () => {
    const {version} = JSON.parse(read('package.json')) as {version: string};
    expect(readCommandLine(['--version'])).toEqual({kind: 'text', text: version, exitCode: 0});
  });
});

it.each<[readonly string[], boolean]>([
  [['node', '/x/dist/index.js'], false],
  [['node', '/x/dist/post.js'], false],
  [['node', 'C:\\x\\dist\\index.js'], false],
  [['node', '/x/dist/index.js', 'plan'], true],
  [['node', '/x/node_modules/.bin/stack-action'], true],
  [['node', '/x/bin/stack-action.cjs'], true],
])('%j is a command line: %s', (argv, is) => {
  expect(isCommandLine(argv)).toBe(is);
});

describe('package.json', () => {
  const manifest = JSON.parse(read('package.json')) as {
    scripts: Record<string, string>;
    dependencies?: object;
    bin: Record<string, string>;
    files: readonly string[];
  };

  it('makes npm install and run nothing when somebody uses the command from a git address', () => {
    const run = [
      'preinstall',
      'install',
      'postinstall',
      'build',
      'prepack',
      'prepare',
      'prepublish',
    ];
    expect(Object.keys(manifest.scripts).filter((name) => run.includes(name))).toEqual([]);
    expect(manifest.dependencies).toBeUndefined();
  });

  it('packs the command and the bundle it starts', () => {
    expect(manifest.files).toEqual(expect.arrayContaining(['bin', 'dist']));
    expect(read(manifest.bin['stack-action'] ?? '')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
