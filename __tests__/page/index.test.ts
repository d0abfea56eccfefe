import {describe, expect, it} from 'vitest';
import {type ManifestFacts, manifestPage} from '../../src/page/index.ts';

const facts: ManifestFacts = {
  ref: 'ghcr.io/o/a:2026.3-main',
  digest: 'sha256:1',
  revision: 'abc',
  layers: [
    {createdBy: '/bin/sh -c #(nop) ADD file:1 in / ', size: 100_000_000},
    {createdBy: 'RUN echo `x` | cat > /y', size: 20_000_000},
  ],
  info: [],
};
const command = {name: 'PIP_LIST', description: 'Python packages', command: 'pip list'};
const good = {command, exitCode: 0, stdout: 'a\nb\n', stderr: ''};
const lines = (count: number): string =>
  Array.from({length: count}, (_, n) => `line ${n}\n`).join('');

describe('manifestPage', () => {
  it('lists every layer, oldest first, with what has come together so far', () => {
    expect(manifestPage(facts)).toBe(`# ghcr.io/o/a:2026.3-main

- Digest: \`sha256:1\`
- Commit: \`abc\`
- Size: 120 MB in 2 layers

## Layers

| Layer | Size | Cumulative size | Created by |
|---:|---:|---:|---|
| 1 | 100 MB | 100 MB | <code>/bin/sh -c #(nop) ADD file:1 in / </code> |
| 2 | 20 MB | 120 MB | <code>RUN echo &#96;x&#96; &#124; cat &gt; /y</code> |
`);
  });

  it('shows what a command said', () => {
    expect(manifestPage({...facts, info: [good]})).toContain(
      '## Python packages\n\n```text\npip list\n```\n\n```text\na\nb\n```\n',
    );
  });

  it('folds output of more than 30 lines', () => {
    const page = (count: number) =>
      manifestPage({...facts, info: [{...good, stdout: lines(count)}]});
    expect(page(30)).not.toContain('<details>');
    expect(page(31)).toContain(
      '<details>\n<summary>Output (31 lines)</summary>\n\n```text\nline 0\n',
    );
  });

  it('shows exit code and stderr of a command that failed', () => {
    const page = manifestPage({
      ...facts,
      info: [{...good, exitCode: 2, stdout: '', stderr: 'bad\n'}],
    });
    expect(page).toContain('failed with exit code 2');
    expect(page).toContain('```text\nbad\n```');
  });

  it('shows stderr of a good command that says nothing else', () => {
    const page = manifestPage({...facts, info: [{...good, stdout: '', stderr: 'java 21\n'}]});
    expect(page).toContain('java 21');
  });

  it('says that there was no output', () => {
    expect(manifestPage({...facts, info: [{...good, stdout: ''}]})).toContain('(no output)');
  });

  it('lets no output out of its block', () => {
    const stdout = '```\n<script>alert(1)</script>\n````\n\u001b[31mred';
    const page = manifestPage({
      ...facts,
      info: [{...good, command: {...command, description: '<b>*x*'}, stdout}],
    });
    expect(page).toContain('`````text\n```\n<script>alert(1)</script>\n````\nred\n`````');
    expect(page).toContain('## &lt;b&gt;\\*x\\*');
  });
});
