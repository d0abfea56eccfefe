/**
 * The pictures of the docs, from a real run: examples/five-images with one test that fails, built and tested by the committed
 * dist/ with the engine of this machine. Nothing is pushed. Writes docs/report.png.
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
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {chromium} from 'playwright-core';
import {runStep} from '../__tests__/support/rig/runner.ts';

const base = process.env['SCREENSHOT_BASE'] ?? 'debian:bookworm-slim';
const registry = process.env['REGISTRY'] ?? '127.0.0.1:5000';
const executablePath =
  process.env['CHROMIUM'] ??
  ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find(existsSync);
if (executablePath === undefined) throw new Error('No Chromium: run scripts/bootstrap.');

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
  await browser.close();
  console.log('docs/report.png is written.');
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
