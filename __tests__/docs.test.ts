import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = readdirSync(join(root, 'docs'), {encoding: 'utf8'})
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...pages];
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const withoutCode = (text: string): string =>
  text.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '');

interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Fenced blocks, also those in a list, without the indentation of the fence. */
function blocksOf(file: string): readonly Block[] {
  const text = textOf(file);
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[2] ?? '',
    text: (match[3] ?? '').replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
  }));
}

const blocks = documents.flatMap(blocksOf);

/** A whole workflow: jobs alone and steps alone get what they lack, so that they are checked as well. */
function workflowOf({text}: Block): string | undefined {
  const value: unknown = parse(text);
  const head = 'on: {workflow_dispatch: {inputs: {run: {type: string}}}}\n';
  if (Array.isArray(value) && value.some((step) => step?.uses ?? step?.run)) {
    const steps = text.replaceAll(/^/gm, '      ');
    return `${head}jobs:\n  job:\n    runs-on: ubuntu-24.04\n    steps:\n${steps}\n`;
  }
  if (typeof value !== 'object' || value === null || !('jobs' in value)) return undefined;
  return 'on' in value ? text : `${head}${text}`;
}

const workflows = blocks
  .filter(({language}) => ['yaml', 'yml'].includes(language))
  .flatMap((block) => {
    const workflow = workflowOf(block);
    return workflow === undefined ? [] : [{name: `${block.file}:${block.line}`, workflow}];
  });
const copied = readdirSync(join(root, 'docs/workflows'), {encoding: 'utf8'})
  .filter((name) => /\.ya?ml$/.test(name))
  .map((name) => ({
    name: `docs/workflows/${name}`,
    workflow: textOf(`docs/workflows/${name}`),
  }));

const actionlint = join(root, '.tools/bin/actionlint');

function lint(workflow: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'docs-workflow-'));
  try {
    const file = join(folder, 'workflow.yml');
    writeFileSync(file, workflow);
    const config = join(root, '.github/actionlint.yaml');
    const done = spawnSync(actionlint, ['-no-color', '-config-file', config, file], {
      encoding: 'utf8',
    });
    return done.status === 0 ? '' : `${done.stdout}${done.stderr}${done.error ?? ''}`;
  } finally {
    rmSync(folder, {recursive: true});
  }
}

describe('workflows in the docs', () => {
  it('are checked by actionlint, which scripts/install-tools brings', () => {
    expect(existsSync(actionlint), 'run scripts/install-tools').toBe(true);
    expect(lint('on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{ruin: x}]}}\n')).toContain(
      'step must run script',
    );
  });

  it('are found, also those in lists and those that are steps only', () => {
    const names = workflows.map(({name}) => name.replace(/:\d+$/, ''));
    for (const file of ['README.md', 'docs/getting-started.md', 'docs/migrating.md']) {
      expect(names).toContain(file);
    }
  });

  it.each([...workflows, ...copied])('$name', ({workflow}) => {
    expect(lint(workflow)).toBe('');
  });

  it('give this action only inputs that it has', () => {
    const known = Object.keys(parse(textOf('action.yml')).inputs);
    const stepsOf = (workflow: string): readonly {uses?: string; with?: object}[] =>
      Object.values<{steps?: []}>(parse(workflow).jobs).flatMap(({steps = []}) => steps);
    const used = [...workflows, ...copied].flatMap(({name, workflow}) =>
      stepsOf(workflow)
        .filter(({uses}) => uses?.startsWith('ucsd-ets/stack-action@'))
        .flatMap((step) => Object.keys(step.with ?? {}).map((input) => `${name}: ${input}`)),
    );
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((use) => !known.includes(use.split(': ')[1] ?? ''))).toEqual([]);
  });
});

/** As GitHub makes them: lower case, without punctuation, blanks as dashes. */
function anchorsOf(file: string): ReadonlySet<string> {
  const text = textOf(file).replace(/^ *```[\s\S]*?^ *```$/gm, '');
  const headings = [...text.matchAll(/^#{1,6} +(.*)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenLinks(file: string): readonly string[] {
  const links = [...withoutCode(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)];
  return links.flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(join(root, target))) return [`${file}: ${link}`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    return anchorsOf(target).has(anchor) ? [] : [`${file}: ${link} (no such heading)`];
  });
}

describe('links', () => {
  it.each(documents)('of %s resolve', (file) => {
    expect(brokenLinks(file)).toEqual([]);
  });

  it('lead from README to every page', () => {
    const readme = textOf('README.md');
    expect(
      [...pages, 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter(
        (page) => !readme.includes(`](${page}`),
      ),
    ).toEqual([]);
  });
});

describe('commands in the docs', () => {
  const programs = /^(?:npx|npm|node|git|docker|act|go|cd|\.\/scripts\/\S+|TEST_IMAGE=\S+)(?: |$)/;
  // One command a line, continued lines joined; blocks without a language are shown output or trees as well.
  const commands = [...blocks, ...blocksOf('examples/README.md')]
    .filter(({language}) => ['sh', 'bash', 'console', ''].includes(language))
    .flatMap(({file, text}) =>
      text
        .replace(/\\\n\s*/g, '')
        .split('\n')
        .map((line) => ({file, line: line.replace(/\s+#.*/, '').trim()})),
    )
    .filter(({line}) => programs.test(line));

  /** Who runs it, and the text by which that is seen there. */
  const runners: readonly (readonly [RegExp, string, string])[] = [
    [
      /^npx github:ucsd-ets\/stack-action /,
      '__tests__/e2e/cli.test.ts',
      'every command of the docs',
    ],
    [/^\.\/scripts\/test$/, '.github/workflows/ci.yml', './scripts/test'],
    [/^\.\/scripts\/demo$/, 'scripts/test', 'scripts/demo'],
    [/^npm run check$/, 'scripts/test', 'npm run -s check'],
    [/^npm run lint$/, 'scripts/test', 'npm run -s lint'],
    [/^npm test$/, 'scripts/test', 'npm run -s test'],
    [/^npm run test:e2e$/, 'scripts/test', 'npm run -s test:e2e'],
    [/^npm run bundle$/, 'scripts/check-dist', 'scripts/build'],
    [/^go install github\.com\/nektos\/act@/, 'scripts/install-tools', 'github.com/nektos/act'],
    [
      /^act push .*--artifact-server-path .*--no-cache-server /,
      '__tests__/support/rig/act.ts',
      '--no-cache-server',
    ],
    [
      /^docker buildx create .*--driver remote/,
      '__tests__/support/rig/buildkitd.ts',
      "'--driver', 'remote'",
    ],
    [/^docker build -t base-notebook /, '__tests__/e2e/cli.test.ts', 'docs/testing.md'],
    [/^TEST_IMAGE=base-notebook /, '__tests__/e2e/cli.test.ts', 'docs/testing.md'],
  ];
  /** Not run by any test, and why not. */
  const notRun: readonly (readonly [RegExp, string])[] = [
    [/^git clone https:\/\/github\.com\//, 'needs the network and a published repository'],
    [/^(?:cd five-images && )?git (?:init|add) /, 'git alone'],
    [/^docker buildx create .*--driver kubernetes/, 'needs a cluster'],
    [/^npm run bench$/, 'takes long, and times are not tested'],
    [/^node scripts\/screenshots\.ts$/, 'writes the picture of the README; run by hand'],
  ];

  it('are found', () => {
    expect(commands.length).toBeGreaterThan(25);
  });

  it.each(commands)('$file: $line', ({line}) => {
    const runner = runners.find(([pattern]) => pattern.test(line));
    const because = notRun.find(([pattern]) => pattern.test(line));
    if (runner === undefined) {
      expect(because, `no test runs "${line}"`).toBeDefined();
      return;
    }
    const [, file, text] = runner;
    expect(textOf(file), `${file} is said to run it`).toContain(text);
  });

  it('start scripts that exist', () => {
    const scripts = JSON.parse(textOf('package.json')).scripts;
    const missing = commands.flatMap(({line}) => {
      const script = /(?:^|\s)(?:node )?(?:\.\/)?(scripts\/[\w.-]+)/.exec(line)?.[1];
      const npm = /^npm (?:run )?([\w:-]+)/.exec(line)?.[1];
      const isUnknown = npm !== undefined && !(npm in scripts);
      return (script !== undefined && !existsSync(join(root, script))) || isUnknown ? [line] : [];
    });
    expect(missing).toEqual([]);
  });
});

describe('the command line in the docs', () => {
  const calls = documents.flatMap((file) =>
    [...textOf(file).matchAll(/npx github:ucsd-ets\/stack-action ([^\n`#)]*)/g)].map(
      ([, words = '']) => ({file, words: words.trim().split(/\s+/)}),
    ),
  );
  const inputs = Object.keys(parse(textOf('action.yml')).inputs);

  it('has modes and flags that exist', () => {
    const modes = ['build', 'plan', 'tag', 'report', 'init', 'doctor', '--help', '<mode>'];
    expect(calls.length).toBeGreaterThan(2);
    expect(
      calls.flatMap(({file, words: [mode = '', ...rest]}) => {
        const flags = rest.flatMap((word) => /^--([\w-]+)/.exec(word)?.[1] ?? []);
        const unknown = flags.filter((flag) => !inputs.includes(flag));
        return modes.includes(mode) && unknown.length === 0
          ? []
          : [`${file}: ${mode} ${unknown.join(' ')}`];
      }),
    ).toEqual([]);
  });
});

describe('messages', () => {
  it('link to pages that are there', () => {
    const pages = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...textOf(`src/${name}`).matchAll(/docsUrl\('([^']+)'\)/g)])
      .map(([, page = '']) => page);
    expect(new Set(pages).size).toBeGreaterThan(3);
    expect(pages.filter((page) => !existsSync(join(root, `docs/${page}.md`)))).toEqual([]);
  });
});

describe('docs/troubleshooting.md', () => {
  const sources = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.ts'))
    .map((name) => textOf(`src/${name}`).replaceAll("\\'", "'"))
    .join('\n');
  const rows = textOf('docs/troubleshooting.md').matchAll(/^\| (`.*?`(?:, `.*?`)*) \|/gm);
  // What changes from run to run is written as … or x; words of other programs follow "failed at".
  const fragments = [...rows].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, message = '']) =>
      message
        .replace(/ at Dockerfile:8:.*/, '')
        .split(/…|"x"|\bx\b|[`:]/)
        .map((part) => part.trim())
        .filter((part) => part.length > 11),
    ),
  );

  it('quotes messages that the action has', () => {
    expect(fragments.length).toBeGreaterThan(40);
    expect(fragments.filter((part) => !sources.includes(part))).toEqual([]);
  });
});

/** Riddles that were in messages once; an engineer at docker or GitHub would not write them. */
const riddles =
  /\bis no (?:name|valid|image|Dockerfile|word|tag)\b|goes in a circle|stands twice|leads out of|somebody else|want of memory|means nothing here|was not done after|did not get into|whoever|Who cannot/;

describe('words in the docs', () => {
  it('are plain English, as those of src/ are', () => {
    const sources = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `src/${name}`);
    const found = [...sources, ...documents, 'action.yml'].flatMap((file) =>
      textOf(file)
        .split('\n')
        .flatMap((line, index) =>
          riddles.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
    expect(found).toEqual([]);
  });

  it.each(documents)('%s speaks of files of src/ that exist', (file) => {
    const names = [...textOf(file).matchAll(/`((?:src|__tests__)\/[\w./-]*\w\/?)`/g)].map(
      (match) => match[1] ?? '',
    );
    expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  it('docs/architecture.md tells the trip of a push by files that exist', () => {
    const trip = /## One push[\s\S]*?\n## /.exec(textOf('docs/architecture.md'))?.[0] ?? '';
    const names = [...trip.matchAll(/`([\w/-]+(?:\.ts|\/))`/g)].map((match) => match[1] ?? '');
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !existsSync(join(root, 'src', name)))).toEqual([]);
  });
});
