// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles and workflows are full of them
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {versionOf} from '../../src/adapters/process/index.ts';
import {
  examine,
  type Finding,
  findingLine,
  missingTools,
  refusedPushes,
} from '../../src/doctor/index.ts';
import {fail, failure, ok} from '../../src/failure.ts';
import {parseSpec} from '../../src/stack/spec/index.ts';

const workflow = (step = '', more = ''): string => `on:
  push: {branches: [main]}
permissions:
  contents: write
  packages: write
jobs:
  stack:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v5
        with: {fetch-depth: 0}
${more}      - uses: ucsd-ets/stack-action@v1
${step}`;

const spec = (more = ''): string => `images:
  base:
    image_name: ghcr.io/acme/base
${more}  leaf:
    image_name: ghcr.io/acme/leaf
    depend_on: base
tag: {prefix: "1"}
`;

/** A repository in which there is nothing to find. */
const good: Readonly<Record<string, string>> = {
  '.github/workflows/stack.yml': workflow(),
  'images/spec.yml': spec(),
  'images/base/Dockerfile': 'FROM debian:13\nCOPY a /a\n',
  'images/base/.dockerignore': 'test\n',
  'images/base/test/test_base.py': '',
  'images/leaf/Dockerfile': 'ARG BASE_TAG=latest\nFROM ghcr.io/acme/base:${BASE_TAG}\n',
  'images/leaf/.dockerignore': 'test\n',
};

function examined(
  changes: Readonly<Record<string, string | undefined>>,
  owner = 'acme',
): readonly Finding[] {
  const entries = Object.entries({...good, ...changes}).flatMap(([path, text]) =>
    text === undefined ? [] : [[path, text] as const],
  );
  return examine({
    files: entries.map(([path]) => path),
    texts: new Map(entries.map(([path, text]) => [path, ok(text)])),
    stackDir: 'images',
    tagPrefix: undefined,
    origin: {owner, repo: 'stack'},
  });
}

const flow = (text: string) => ({'.github/workflows/stack.yml': text});

describe('doctor', () => {
  it('finds nothing in a good repository', () => {
    expect(examined({}).map(findingLine)).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string | undefined>>, RegExp]>([
    [
      'a checkout of one commit',
      flow(workflow().replace('        with: {fetch-depth: 0}\n', '')),
      /^\.github\/workflows\/stack\.yml:10: note: .* fetch-depth: 0/,
    ],
    [
      'a workflow that is no YAML',
      {'.github/workflows/other.yml': 'jobs:\n  a: [\n'},
      /^\.github\/workflows\/other\.yml: note: The workflow cannot be read: it is not valid YAML/,
    ],
    [
      'a question of init that nobody answered',
      {'images/spec.yml': spec().replace('  leaf:', '  # TODO is this right\n  leaf:')},
      /^images\/spec\.yml:4: note: A question is open: is this right\. Answer it/,
    ],
    [
      'no checkout',
      flow(workflow().replace(/ {6}- uses: actions\/checkout.*\n.*\n/, '')),
      /stack\.yml:10: error: Nothing checks the repository out .*actions\/checkout@v5/,
    ],
    [
      'no permission for packages',
      flow(workflow().replace('  packages: write\n', '')),
      /stack\.yml:11: error: .*packages: write/,
    ],
    [
      'permissions of a job that take those of the workflow away',
      flow(workflow().replace('  stack:\n', '  stack:\n    permissions: {contents: write}\n')),
      /error: .*packages: write/,
    ],
    [
      'permissions that nobody states',
      flow(workflow().replace(/permissions:\n.*\n.*\n/, '')),
      /note: .*settings of the repository\. Add to permissions: packages: write/,
    ],
    [
      'no permission for the wiki',
      flow(workflow().replace('contents: write', 'contents: read')),
      /note: The wiki .*contents: write/,
    ],
    [
      'no permission for the comment',
      flow(workflow("        with: {comment: 'true'}\n")),
      /note: .*pull-requests: write/,
    ],
    [
      'an event that is refused',
      flow(workflow().replace('push: {branches: [main]}', 'pull_request_target:')),
      /stack\.yml:12: error: The event "pull_request_target"/,
    ],
    [
      'another owner on GHCR',
      {
        'images/spec.yml': spec().replaceAll('acme', 'others'),
        'images/leaf/Dockerfile': 'ARG BASE_TAG=latest\nFROM ghcr.io/others/base:${BASE_TAG}\n',
      },
      /error: The job's token cannot push ghcr\.io\/others\/base: it reaches packages of acme only/,
    ],
    [
      'no login for another registry',
      {
        'images/spec.yml': spec().replaceAll('ghcr.io', 'quay.io'),
        'images/leaf/Dockerfile': 'ARG BASE_TAG=latest\nFROM quay.io/acme/base:${BASE_TAG}\n',
      },
      /error: Nothing logs in to quay\.io, where quay\.io\/acme\/base is pushed\. .*registry: quay\.io/,
    ],
    [
      'two platforms without a builder',
      {
        ...flow(workflow('', '      - uses: docker/setup-qemu-action@v3\n')),
        'images/spec.yml': spec('    platforms: [linux/amd64, linux/arm64]\n'),
      },
      /error: Docker's own builder cannot build "base" for linux\/amd64 and linux\/arm64\. .*setup-buildx-action/,
    ],
    [
      'another platform without emulation',
      {
        ...flow(workflow('', '      - uses: docker/setup-buildx-action@v3\n')),
        'images/spec.yml': spec('    platforms: [linux/amd64, linux/arm64]\n'),
      },
      /error: .*"base" for linux\/arm64\. .*setup-qemu-action/,
    ],
    [
      'an action at a branch',
      flow(workflow('', '      - uses: someone/thing@main\n')),
      /stack\.yml:12: note: someone\/thing@main is a branch/,
    ],
    ['no workflow', {'.github/workflows/stack.yml': undefined}, /note: No workflow runs the stack/],
    [
      'a base without a tag',
      {'images/base/Dockerfile': '# x\nFROM debian\n'},
      /^images\/base\/Dockerfile:2: note: FROM debian has no tag or digest.* debian:<version>/,
    ],
    [
      'a copied base without a tag',
      {'images/base/Dockerfile': 'FROM debian:13\nCOPY --from=busybox /x /x\n'},
      /^images\/base\/Dockerfile:2: note: COPY --from busybox/,
    ],
    [
      'no .dockerignore',
      {'images/base/.dockerignore': undefined},
      /^images\/base\/\.dockerignore: note: There is no such file/,
    ],
    [
      'a test outside of test/',
      {'images/leaf/test_leaf.py': ''},
      /^images\/leaf\/test_leaf\.py: note: Nothing runs this test.* git mv images\/leaf\/test_leaf\.py images\/leaf\/test\//,
    ],
    [
      'integration tests that are switched off',
      {'images/base/integration_tests/test_x.py': ''},
      /^images\/spec\.yml:2: note: Nothing runs the tests in images\/base\/integration_tests.*integration_tests: true/,
    ],
    [
      'an edge that depend_on lacks',
      {
        'images/spec.yml': spec().replace('    depend_on: base\n', ''),
        'images/leaf/Dockerfile': 'ARG BASE_TAG\nFROM ghcr.io/acme/base:${BASE_TAG}\n',
      },
      /^images\/spec\.yml:4: note: depend_on of "leaf" does not name "base" \(FROM in images\/leaf\/Dockerfile:2\)\. Write there: depend_on: base$/,
    ],
    [
      'prefixes that meet',
      {'images/spec.yml': `${spec()}plans: {GPU: {prefix: 1-gpu}}\n`},
      /note: The tags of prefix "1" and "1-gpu" can collide/,
    ],
    [
      'a Dockerfile that is not there',
      {'images/base/Dockerfile': undefined},
      /^images\/base\/Dockerfile: error: The Dockerfile of "base" is not there/,
    ],
    [
      'a Dockerfile that docker refuses',
      {'images/base/Dockerfile': 'RUN true\n'},
      /^images\/base\/Dockerfile:1: error: "base" cannot be built/,
    ],
    ['no spec', {'images/spec.yml': undefined}, /^images\/spec\.yml:1: error: .*"init"/],
    [
      'a spec with a mistake',
      {'images/spec.yml': spec().replace('depend_on', 'depends_on')},
      /^images\/spec\.yml:6: error: unknown key "depends_on"/,
    ],
  ])('finds %s, and nothing else', (_, changes, line) => {
    const lines = examined(changes).map(findingLine);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  it.each([
    [
      'a login step',
      '      - uses: docker/login-action@v3\n        with: {registry: quay.io}\n',
      '',
    ],
    ['docker login', '      - run: docker login quay.io --password-stdin <<<"$P"\n', ''],
    ['a password', '', '        with: {username: me, password: "${{ secrets.P }}"}\n'],
    ['no push', '', "        with: {push: 'false'}\n"],
  ])('takes %s for a login', (_, before, inputs) => {
    const found = examined({
      ...flow(workflow(inputs, before)),
      'images/spec.yml': spec().replaceAll('ghcr.io', 'quay.io'),
      'images/leaf/Dockerfile': 'ARG BASE_TAG=latest\nFROM quay.io/acme/base:${BASE_TAG}\n',
    });
    expect(found.map(findingLine)).toEqual([]);
  });

  it('says all of it where nothing can be read', () => {
    const found = examine({
      files: ['images/spec.yml'],
      texts: new Map([['images/spec.yml', fail('EACCES.')]]),
      stackDir: 'images',
      tagPrefix: undefined,
      origin: {owner: '', repo: ''},
    });
    expect(found.map(findingLine)[0]).toMatch(
      /^images\/spec\.yml:1: error: It cannot be read: EACCES\./,
    );
  });
});

describe('the repository of the action', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const below = (folder: string): readonly string[] =>
    readdirSync(join(root, folder), {recursive: true, withFileTypes: true})
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
  const clean = (copies: Readonly<Record<string, string>>): readonly string[] => {
    const own = ['action.yml', ...below('images'), ...below('.github/workflows')];
    const texts = [...own, ...Object.keys(copies)].map((path) => {
      const text = readFileSync(join(root, copies[path] ?? path), 'utf8');
      return [path, ok(text)] as const;
    });
    const origin = {owner: 'ucsd-ets', repo: 'stack-action'};
    const files = texts.map(([path]) => path);
    return examine({
      files,
      texts: new Map(texts),
      stackDir: 'images',
      tagPrefix: undefined,
      origin,
    }).map(findingLine);
  };

  it('has nothing to mend in its sample stack and its workflows', () => {
    expect(clean({})).toEqual([]);
  });

  it('has nothing to mend in the workflows of docs/', () => {
    const copies = below('docs/workflows').map((path) => [path.replace('docs/', '.github/'), path]);
    expect(clean(Object.fromEntries(copies))).toEqual([]);
  });
});

it('ten thousand images with their tests are looked at in a moment', () => {
  const names = Array.from({length: 10_000}, (_, index) => `i${index}`);
  const files = names.flatMap((name) => [
    [`images/${name}/Dockerfile`, 'FROM debian:13\n'],
    [`images/${name}/.dockerignore`, 'test\n'],
    [`images/${name}/test/test_a.py`, ''],
    [`images/${name}/test_b.py`, ''],
  ]);
  const lines = names.map((name) => `  ${name}: {image_name: ghcr.io/acme/${name}}\n`);
  const text = `images:\n${lines.join('')}tag: {prefix: "1"}\n`;
  const found = examined({...Object.fromEntries(files), 'images/spec.yml': text});
  expect(found.filter(({message}) => message.startsWith('Nothing runs'))).toHaveLength(10_000);
});

describe('workflows of other shapes', () => {
  const told = (text: string) => examined(flow(text)).map(findingLine);

  it.each([
    ['names in another case', workflow().replace('actions/checkout', 'Actions/Checkout')],
    [
      'anchors',
      workflow()
        .replace('    steps:\n', '    steps: &steps\n')
        .concat('  again:\n    runs-on: x\n    steps: *steps\n'),
    ],
    [
      'the command line',
      'on: push\njobs:\n  a:\n    steps:\n      - run: npx github:ucsd-ets/stack-action plan\n',
    ],
  ])('have nothing to mend for %s', (_, text) => expect(told(text)).toEqual([]));

  it('are believed where an expression says what a job may do', () => {
    const text = workflow().replace(/permissions:\n.*\n.*\n/, 'permissions: ${{ inputs.some }}\n');
    expect(told(text)).toEqual([expect.stringMatching(/note: Whether the job may push/)]);
  });

  it('are read in a moment with fifteen thousand jobs', () => {
    const jobs = Array.from(
      {length: 15_000},
      (_, index) => `  j${index}:\n    steps: [{uses: a/b@x}]\n`,
    );
    const lines = told(`on: push\njobs:\n${jobs.join('')}`);
    expect(lines).toHaveLength(15_001);
    expect(lines.at(-1)).toMatch(
      /^\.github\/workflows\/stack\.yml:30002: note: a\/b@x is a branch/,
    );
  });

  it.each([
    '',
    'x',
    'jobs: [1]',
    'jobs: {a: {steps: {x: 1}}}',
    'jobs: {a: {steps: [null, 3, [1]]}}',
    'a: &a\n  b: *a\njobs: *a\n',
    `a: ${'['.repeat(9000)}`,
  ])('never end the examination: %.40s', (text) =>
    expect(told(text).join()).toContain('No workflow runs the stack'),
  );
});

describe('the registry', () => {
  const file = 'images/spec.yml';
  const {images} = parseSpec({file, text: spec(), stackDir: 'images', tagPrefix: undefined});
  const denied = failure('permission', 'ghcr.io/acme/base: the registry returned 403.', {
    hint: 'Ask for the role "write".',
  });
  const told = (answers: Parameters<typeof refusedPushes>[1], isRunner: boolean) =>
    refusedPushes({file, images}, answers, isRunner).map(findingLine);

  it('is not spoken of where it takes a push', () => {
    expect(told(new Map([['ghcr.io/acme/base', undefined]]), true)).toEqual([]);
  });

  it('refuses with an error on a runner, whose login is the one of the run', () => {
    expect(told(new Map([['ghcr.io/acme/base', denied]]), true)).toEqual([
      'images/spec.yml:2: error: ghcr.io/acme/base: the registry returned 403. Ask for the role "write".',
    ]);
  });

  it('refuses with a note elsewhere, once for a host and a cause', () => {
    const answers = new Map([
      ['ghcr.io/acme/leaf', denied],
      ['ghcr.io/acme/base', denied],
    ]);
    expect(told(answers, false)).toEqual([
      'images/spec.yml:4: note: ghcr.io/acme/leaf cannot be pushed from here: ghcr.io/acme/base: the registry returned 403. The same holds for 1 more. Ask for the role "write".',
    ]);
  });

  it.each([true, false])('gets a note where it does not answer (on a runner: %s)', (isRunner) => {
    const silent = failure('registry-unavailable', 'ghcr.io: the registry cannot be reached.');
    expect(told(new Map([['ghcr.io/acme/base', silent]]), isRunner)).toEqual([
      'images/spec.yml:2: note: ghcr.io/acme/base may be pushed or not: ghcr.io: the registry cannot be reached. Ask again where the registry can be reached.',
    ]);
  });
});

describe('the programs of this machine', () => {
  const there = ok('1.2.3');

  it('are not spoken of when they are there', () => {
    expect(missingTools({docker: there, buildx: there, pytest: there})).toEqual([]);
  });

  it('are notes when they are missing, never errors: the runner has its own', () => {
    const found = missingTools({
      docker: fail('no daemon'),
      buildx: there,
      pytest: fail('no module'),
    });
    expect(found.map(findingLine)).toEqual([
      'this machine: note: No Docker Engine answers here (no daemon). Start it, or only plan here.',
      'this machine: note: pytest does not run here (no module). Run: python3 -m pip install pytest. Only images with a test folder need it.',
    ]);
  });

  it('are asked by starting them', async () => {
    expect(await versionOf('node', ['--version'])).toEqual(ok(process.version));
    expect((await versionOf('node', ['-e', 'process.exit(3)'])).ok).toBe(false);
    expect((await versionOf('no-such-program', [])).ok).toBe(false);
  });
});
