/**
 * The pictures of the docs, from a real run: examples/five-images with one test that fails, built and tested by the committed
 * dist/ with the engine of this machine. Nothing is pushed. Writes docs/report.png and docs/summary.png, the step summary as
 * GitHub draws it: its rules for tables, and mermaid itself.
 *
 *   node scripts/screenshots.ts      CHROMIUM=/path/to/chromium SCREENSHOT_BASE=debian:bookworm-slim
 */
import {execFileSync} from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {chromium} from 'playwright-core';
import {rendered} from '../__tests__/support/rig/markdown.ts';
import {runStep} from '../__tests__/support/rig/runner.ts';

const base = process.env['SCREENSHOT_BASE'] ?? 'debian:bookworm-slim';
const registry = process.env['REGISTRY'] ?? '127.0.0.1:5000';
const executablePath =
  process.env['CHROMIUM'] ??
  ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find(existsSync);
if (executablePath === undefined) throw new Error('No Chromium: run scripts/bootstrap.');

const require = createRequire(import.meta.url);
const githubStyle = `
  body{margin:0;padding:16px;box-sizing:border-box;width:981px;font:16px/1.5 -apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;overflow-wrap:break-word;color:#1f2328}
  h2,h3{border-bottom:1px solid #d1d9e0;padding-bottom:.3em} a{color:#0969da}
  table{display:block;width:max-content;max-width:100%;overflow:auto;border-spacing:0;border-collapse:collapse}
  th,td{padding:6px 13px;border:1px solid #d1d9e0} th{font-weight:600}
  code{padding:.2em .4em;font:85% ui-monospace,SFMono-Regular,Menlo,monospace;white-space:break-spaces;background:#818b981f;border-radius:6px}
  pre{background:#f6f8fa;padding:16px;overflow:auto} pre code{background:none;padding:0} blockquote{border-left:.25em solid #d1d9e0;margin:0;padding:0 1em;color:#59636e}`;

const workspace = mkdtempSync(join(tmpdir(), 'stack-screenshots-'));
const git = (...words: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=you', '-c', 'user.email=you@example.com', ...words], {
    cwd: workspace,
    encoding: 'utf8',
  }).trim();
try {
  cpSync('examples/five-images', workspace, {recursive: true});
  for (const name of readdirSync(join(workspace, 'images'), {recursive: true, encoding: 'utf8'})) {
    if (!/(?:Dockerfile|spec\.yml)$/.test(name)) continue;
    const file = join(workspace, 'images', name);
    const text = readFileSync(file, 'utf8').replaceAll('debian:13-slim', base);
    writeFileSync(file, text.replaceAll('ghcr.io/your-org/', `${registry}/your-org/`));
  }
  appendFileSync(
    join(workspace, 'images/python/test/test_python.py'),
    `

def test_version():
    command = ["docker", "run", "--rm", os.environ["TEST_IMAGE"], "python3", "--version"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert version == "Python 3.14.0"
`,
  );
  git('init', '-q', '-b', 'topic');
  git('add', '-A');
  git('commit', '-q', '-m', 'Expect Python 3.14');
  const sha = git('rev-parse', 'HEAD');
  const run = await runStep({
    workspace,
    inputs: {push: 'false', wiki: 'false', 'fail-fast': 'false'},
    payload: {
      ref: 'refs/heads/topic',
      before: '0'.repeat(40),
      after: sha,
      created: true,
      deleted: false,
      repository: {default_branch: 'main'},
      commits: [],
      head_commit: {message: 'Expect Python 3.14'},
    },
    env: {GITHUB_REF: 'refs/heads/topic', GITHUB_SHA: sha, GITHUB_REPOSITORY: 'your-org/images'},
  });
  if (run.outputs['outcome'] !== 'failed')
    throw new Error(`Not the expected failure:\n${run.stdout}`);
  const report = join(workspace, 'artifacts/report.html');
  // Root has no sandbox in a container, and small ones have little /dev/shm.
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const page = await browser.newPage({viewport: {width: 1000, height: 760}, colorScheme: 'light'});
  await page.goto(`file://${report}`);
  const graph = await page.getByRole('heading', {name: 'How the images depend'}).boundingBox();
  const height = Math.round(graph?.y ?? 760) - 20;
  await page.screenshot({path: 'docs/report.png', clip: {x: 0, y: 0, width: 1000, height}});
  // A page of its own: the policy of the report allows no other script.
  const github = await browser.newPage({viewport: {width: 981, height: 760}});
  await github.setContent(
    `<!doctype html><style>${githubStyle}</style><body>${rendered(run.summary).replace(
      /<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g,
      '<div class="mermaid">$1</div>',
    )}`,
  );
  await github.addScriptTag({path: require.resolve('mermaid/dist/mermaid.min.js')});
  await github.evaluate('mermaid.run()');
  const time = await github.getByRole('heading', {name: 'Where the time went'}).boundingBox();
  await github.screenshot({
    path: 'docs/summary.png',
    clip: {x: 0, y: 0, width: 981, height: Math.round(time?.y ?? 760) - 10},
    fullPage: true,
  });
  await browser.close();
  console.log('docs/report.png and docs/summary.png are written.');
} finally {
  rmSync(workspace, {recursive: true, force: true});
  const images = execFileSync('docker', [
    'images',
    '-q',
    '--filter',
    `reference=${registry}/your-org/*`,
  ]);
  const ids = [
    ...new Set(
      images
        .toString()
        .split('\n')
        .filter((id) => id !== ''),
    ),
  ];
  if (ids.length > 0) execFileSync('docker', ['rmi', '-f', ...ids]);
}
