import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {manifestPage} from '../../src/page/index.ts';
import {commandCell, shownCommand} from '../../src/page/layers.ts';
import {differenceOf, type RecordedInfo, withoutInherited} from '../../src/record/index.ts';
import {digestOf, layer, recordFor} from '../support/builders/records.ts';

const record = recordFor('web', {
  layers: [
    layer('/bin/sh -c #(nop) ADD file:1 in / ', 100_000_000),
    {createdBy: '/bin/sh -c #(nop)  CMD ["sh"]', size: 0},
    layer('RUN /bin/sh -c echo `x` | cat > /y # buildkit', 20_000_000),
  ],
  parents: [{image: 'base', reference: 'ghcr.io/acme/base:2026.3-main', digest: digestOf('base')}],
});
const info = (overrides: Partial<RecordedInfo> = {}): RecordedInfo => ({
  name: 'PIP_LIST',
  description: 'Python packages',
  command: 'pip list',
  exitCode: 0,
  output: 'a\nb\n',
  ...overrides,
});
const lines = (count: number): string =>
  Array.from({length: count}, (_, n) => `line ${n}\n`).join('');
const pageOf = (overrides: Partial<RecordedInfo>): string =>
  manifestPage({...record, info: [info(overrides)]});

describe('the page of an image', () => {
  it('says what it is, where it comes from and what it is made of', () => {
    expect(manifestPage({...record, info: [info()]})).toMatchInlineSnapshot(`
      "# ghcr.io/acme/web:2026.3-main

      - Reference: <code>ghcr.io/acme/web:2026.3-main</code>
      - Digest: <code>sha256:4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2</code>
      - Size: 120 MB in 2 layers
      - Platform: linux/amd64
      - Base image: <code>docker.io/library/debian:12@sha256:81d93757457f988523814ae0009837ae893f38d3fe123f2c37896f118b4c7804</code>
      - Built on: <code>ghcr.io/acme/base:2026.3-main@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2</code>
      - Commit: [<code>0123456</code>](https://github.com/acme/stack/commit/0123456789abcdef0123456789abcdef01234567) Add numpy
      - Run: [41, attempt 2](https://github.com/acme/stack/actions/runs/41)
      - Built: 2026-11-25T12:00:00Z in 1 min 17 s
      - Tests: passed: 3 passed, 0 failed, 1 skipped ([run 41, attempt 2](https://github.com/acme/stack/actions/runs/41))
      - Fingerprint: <code>sha256:3b5d8c313a8d329642734fdc43f98cba56b8b0bcb6d03628ecd15cc7b100039b</code>

      ## Layers

      | Layer | Size | Cumulative size | Command |
      |---:|---:|---:|---|
      | 1 | 100 MB | 100 MB | <code>ADD file:1 in /</code> |
      | 2 | 0 B | 100 MB | <code>CMD &#91;"sh"&#93;</code> |
      | 3 | 20 MB | 120 MB | <code>RUN echo &#96;x&#96; &#124; cat &gt; /y</code> |

      ## Python packages

      \`\`\`text
      pip list
      \`\`\`

      \`\`\`text
      a
      b
      \`\`\`

      "
    `);
  });

  it('of a stable tag is titled as what it is', () => {
    const page = manifestPage(record, {reference: 'ghcr.io/acme/web:2026.3-stable', home: 'Home'});
    expect(page).toMatch(/^# ghcr\.io\/acme\/web:2026\.3-stable\n\n\[All images\]\(Home\)\n/);
    expect(page).toContain('- Reference: <code>ghcr.io/acme/web:2026.3-stable</code>');
    expect(page).toContain('- Promoted from: <code>ghcr.io/acme/web:2026.3-main</code>');
    expect(page).toContain(`- Digest: <code>${record.digest}</code>`);
  });

  it('of an image that was not pushed has what is known', () => {
    const page = manifestPage({
      image: 'web',
      repository: 'web',
      reference: 'web:1',
      platforms: [],
      size: 5,
      diffIds: [],
      layers: [{createdBy: 'RUN x', size: 5}],
      parents: [],
      seconds: {},
      info: [],
      packages: {},
    });
    expect(page).toBe(
      '# web:1\n\n- Reference: <code>web:1</code>\n- Size: 5 B in 1 layer\n\n## Layers\n\n' +
        '| Layer | Size | Cumulative size | Command |\n|---:|---:|---:|---|\n' +
        '| 1 | 5 B | 5 B | <code>RUN x</code> |\n',
    );
  });

  it.each([
    [{verdict: 'failed'}, 'failed: 3 passed, 0 failed, 1 skipped'],
    [{none: true}, 'no tests'],
  ] as const)('says how the tests ended: %j', (tests, words) => {
    expect(manifestPage({...record, tests: {...record.tests, ...tests}})).toContain(
      `- Tests: ${words} ([run 41, attempt 2](https://github.com/acme/stack/actions/runs/41))`,
    );
  });

  it('links to addresses only', () => {
    const run = {id: '1', attempt: 1, url: 'javascript:alert(1)'};
    const page = manifestPage({...record, run, source: 'https://x)[y](z', commit: 'main'});
    expect(page).toContain('- Run: 1\n');
    expect(page).toContain('- Commit: <code>main</code> Add numpy\n');
    expect(page).not.toContain('](z');
  });
});

describe('info commands on the page', () => {
  it('show what they printed', () => {
    expect(pageOf({})).toContain(
      '## Python packages\n\n```text\npip list\n```\n\n```text\na\nb\n```\n',
    );
  });

  it('are folded from 31 lines on', () => {
    expect(pageOf({output: lines(30)})).not.toContain('<details>');
    expect(pageOf({output: lines(31)})).toContain(
      '<details>\n<summary>Output (31 lines)</summary>\n\n```text\nline 0\n',
    );
  });

  it('show exit code and errors when they failed', () => {
    const page = pageOf({exitCode: 2, output: '', errors: 'bad\n'});
    expect(page).toContain('failed with exit code 2.');
    expect(page).toContain('Standard error:\n\n```text\nbad\n```');
    expect(pageOf({exitCode: 124})).toContain('exit code 124 (timed out)');
    const {exitCode: _, ...unfinished} = info();
    expect(manifestPage({...record, info: [unfinished]})).toContain('did not finish');
  });

  it('say that there was no output', () => {
    expect(pageOf({output: ''})).toContain('(no output)');
    expect(pageOf({output: '', errors: 'java 21'})).not.toContain('(no output)');
  });
});

describe('commands of layers', () => {
  it.each([
    ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
    [
      '/bin/sh -c apt-get update   &&     apt-get install x',
      'RUN apt-get update && apt-get install x',
    ],
    ['RUN /bin/sh -c true # buildkit', 'RUN true'],
    ['RUN |2 A=1 B=two words /bin/sh -c echo $A # buildkit', 'RUN echo $A'],
    ['|1 A=b /bin/sh -c echo $A', 'RUN echo $A'],
    ['RUN |0 /bin/sh -c true # buildkit', 'RUN true'],
    ['RUN /bin/bash -o pipefail -c a | b # buildkit', 'RUN a | b'],
    ['RUN |1 A=1 /bin/bash -exo pipefail -c a # buildkit', 'RUN a'],
    ['SHELL [/bin/bash -o pipefail -c]', 'SHELL [/bin/bash -o pipefail -c]'],
    ['COPY a b # buildkit', 'COPY a b'],
    ['RUN bash -c "/bin/sh -c x" # buildkit', 'RUN bash -c "/bin/sh -c x"'],
    ['bash', 'bash'],
    ['', ''],
  ])('%j reads %j', (createdBy, shown) => {
    expect(shownCommand(createdBy)).toBe(shown);
  });

  it('fit the page: long ones are folded, long words can be broken', () => {
    const word = `${'x'.repeat(55)}&<`;
    const cell = commandCell(`RUN ${`${word} `.repeat(10)}${'y'.repeat(100)}`);
    expect(cell).toMatch(/^<details><summary><code>RUN x+/);
    expect(cell).toContain(`${'y'.repeat(40)}<wbr>${'y'.repeat(40)}<wbr>${'y'.repeat(20)}`);
    expect(cell.match(/&amp;&lt;/g)?.length).toBeGreaterThanOrEqual(11);
    expect(commandCell(' ')).toBe('(not recorded)');
    expect(commandCell('<'.repeat(100)).match(/&lt;/g)).toHaveLength(100);
    const text = cell.replaceAll('<wbr>', '').replace(/<[^>]+>|&\w+;/g, ' ');
    expect(Math.max(...text.split(/\s/).map((one) => one.length))).toBeLessThanOrEqual(100);
  });
});

describe('differences on the page', () => {
  const then = recordFor('web', {
    reference: 'ghcr.io/acme/web:2026.3-stable',
    packages: {pip: {flask: '3.0.0', gone: '1', numpy: '2.1.0'}, apt: {bash: '5.1'}},
    layers: [layer('ADD rootfs', 100_000_000), layer('RUN one', 20_000_000)],
  });
  const now = recordFor('web', {
    packages: {pip: {flask: '3.1.0', come: '2', numpy: '2.1.0'}, apt: {bash: '5.2'}},
    layers: [layer('ADD rootfs', 100_000_000), layer('RUN two', 23_000_000)],
    base: {reference: 'docker.io/library/debian:12', digest: digestOf('moved')},
  });

  it('are short at first and whole when unfolded', () => {
    const page = manifestPage(now, {difference: differenceOf(then, now)});
    expect(
      page.slice(page.indexOf('## Changes'), page.indexOf('## Layers')),
    ).toMatchInlineSnapshot(`
      "## Changes since <code>ghcr.io/acme/web:2026.3-stable</code>

      - Compared with: <code>sha256:4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2</code>
      - Size: 120 MB → 123 MB (+3.0 MB)
      - Base image: <code>docker.io/library/debian:12@sha256:81d93757457f988523814ae0009837ae893f38d3fe123f2c37896f118b4c7804</code> → <code>docker.io/library/debian:12@sha256:5edd1832df25e2f1a72585c0ee55c1e585e7f4902eb1d15f7abf1c71c1b296ae</code>

      <details>
      <summary>Python (pip): 1 changed, 1 added, 1 removed</summary>

      | Package | Before | After |
      |---|---|---|
      | <code>flask</code> | <code>3.0.0</code> | <code>3.1.0</code> |
      | <code>come</code> |  | <code>2</code> |
      | <code>gone</code> | <code>1</code> |  |

      </details>

      <details>
      <summary>Debian (apt): 1 changed</summary>

      | Package | Before | After |
      |---|---|---|
      | <code>bash</code> | <code>5.1</code> | <code>5.2</code> |

      </details>

      <details>
      <summary>Layers: 1 shared (100 MB), 1 added, 1 removed</summary>

      | | Size | Command |
      |---|---:|---|
      | added | 23 MB | <code>RUN two</code> |
      | removed | 20 MB | <code>RUN one</code> |

      </details>

      "
    `);
  });

  it('name the parent that they came with', () => {
    const parent = differenceOf(
      recordFor('base', {packages: {apt: {bash: '5.1'}}}),
      recordFor('base', {packages: {apt: {bash: '5.2'}}}),
    );
    const difference = withoutInherited(differenceOf(then, now), [parent]);
    const page = manifestPage(now, {difference});
    expect(page).toContain('- From base: 1 package, ±0 B (see its own page)');
    expect(page).toContain('of which +3.0 MB in its own layers');
    expect(page).not.toContain('bash');
  });

  it('say when there are none', () => {
    const page = manifestPage(now, {difference: differenceOf(now, now)});
    expect(page).toContain(
      '\n## Changes since <code>ghcr.io/acme/web:2026.3-main</code>\n\nNone.\n',
    );
  });

  it('are cut where they would be the whole page', () => {
    const many = Object.fromEntries(Array.from({length: 600}, (_, n) => [`p${n}`, '1']));
    const difference = differenceOf({...now, packages: {pip: {}}}, {...now, packages: {pip: many}});
    const page = manifestPage(now, {difference});
    expect(page.match(/<code>p\d+<\/code>/g)).toHaveLength(500);
    expect(page).toContain('… and 100 more');
  });
});

describe('hostile text', () => {
  it('stays in its block', () => {
    const output = '```\n<script>alert(1)</script>\n````\n\u001b[31mred';
    const page = pageOf({description: '<b>*x*\n\n# y', output});
    expect(page).toContain('`````text\n```\n<script>alert(1)</script>\n````\nred\n`````');
    expect(page).toContain('## &lt;b&gt;\\*x\\* \\# y\n');
  });

  /** Lines of the page outside of its code blocks. */
  function liveLines(page: string): readonly string[] {
    let fence: string | undefined;
    return page.split('\n').filter((line) => {
      const found = /^(`{3,})(?:text)?$/.exec(line)?.[1];
      if (fence === undefined && found !== undefined) {
        fence = found;
        return false;
      }
      if (fence !== undefined && line === fence) {
        fence = undefined;
        return false;
      }
      return fence === undefined;
    });
  }

  it('adds no line and no tag anywhere on the page', () => {
    const hostile = fc
      .array(
        fc.constantFrom('\n', '\r', '# h', '```', '|', '<b>', '`', '- x', '](x)', 'a', ' ', '&'),
      )
      .map((parts) => parts.join(''));
    const build = (text: string): string => {
      const evil = {
        ...record,
        reference: `r${text}`,
        repository: text,
        platforms: [`p${text}`],
        commit: `c${text}`,
        subject: `s${text}`,
        source: text,
        created: `t${text}`,
        run: {id: `i${text}`, attempt: 1, url: text},
        tests: {...record.tests, run: {id: text, attempt: 1, url: text}},
        base: {reference: `b${text}`, digest: text},
        parents: [{image: text, reference: `q${text}`, digest: text}],
        layers: [{createdBy: `l${text}`, size: 1}],
        info: [info({description: `d${text}`, command: `c${text}`, output: `o${text}`})],
        packages: {pip: {[`n${text}`]: text}},
      };
      const difference = differenceOf({...evil, packages: {pip: {}}, layers: []}, evil);
      return manifestPage(evil, {difference, reference: `z${text}`});
    };
    const plain = liveLines(build('x'));
    const shape = (all: readonly string[]): readonly string[] =>
      all.map((line) => /^(?:#+ |- [A-Z][a-z ]+: |\|[^a-z]|<\/?[a-z]+>|)/.exec(line)?.[0] ?? '');
    fc.assert(
      fc.property(hostile, (text) => {
        const live = liveLines(build(text));
        expect(shape(live)).toEqual(shape(plain));
        const tags = live.join('').match(/<\/?[a-z]+/g) ?? [];
        expect(tags.filter((tag) => !allowed.has(tag))).toEqual([]);
      }),
    );
  });

  const allowed = new Set(
    ['code', 'details', 'summary', 'wbr'].flatMap((tag) => [`<${tag}`, `</${tag}`]),
  );
});
