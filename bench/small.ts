/** A stack as people have it, from the push to the wiki, beside the same commands one after the other. */
import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {StepRequest, StepRun} from '../__tests__/support/rig/runner.ts';
import {startWikiServer, type WikiServer} from '../__tests__/support/servers/wiki-server.ts';
import {
  expectGood,
  peakOf,
  type Row,
  seconds,
  type Timed,
  timedShell,
  timedStep,
  took,
} from './measure.ts';
import {type BenchStack, checkedOut, registry, withoutDocker} from './stacks.ts';
import {makeShims, readTrace, traceImage} from './trace.ts';

const token = 'bench-token';
const repository = 'o/stack';

/** Seconds of the builds and of each test; every image has two tests. */
const shape = {root: 2, child: 3, test: 1};
/** Root, then the child with the integration test. */
const chainSeconds = shape.root + shape.child + 3 * shape.test;

interface SmallStack extends BenchStack {
  /** The step for a push of everything since `before` to a branch. */
  push(inputs?: Readonly<Record<string, string>>, more?: Partial<StepRequest>): StepRequest;
  commit(file: string, text: string): Promise<void>;
}

async function makeStack(wiki: WikiServer): Promise<SmallStack> {
  const prefix = `${registry}/bench-${randomUUID().slice(0, 8)}`;
  const names = ['root', 'one', 'two'];
  const files: Record<string, string> = {
    'images/two/integration_tests/test_two.py': testsOf(1),
    'images/spec.yml': [
      'images:',
      `  root: {image_name: "${prefix}/root", info_cmds: [OS, FILES]}`,
      `  one: {image_name: "${prefix}/one", depend_on: root, info_cmds: [OS, FILES]}`,
      `  two: {image_name: "${prefix}/two", depend_on: root, info_cmds: [OS, FILES], integration_tests: true}`,
      'tag: {prefix: "1"}',
      'all_info_cmds:',
      '  OS: {description: System, command: cat /etc/os-release}',
      '  FILES: {description: Files, command: ls /}',
      '',
    ].join('\n'),
    '.gitignore': '/logs/\n/artifacts/\n/manifests/\n__pycache__/\n.pytest_cache/\n',
  };
  for (const name of names) {
    files[`images/${name}/Dockerfile`] = dockerfile(prefix, name);
    files[`images/${name}/test/test_${name}.py`] = testsOf(2);
  }
  const stack = await checkedOut(files, prefix, names);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@localhost', ...args], {
      cwd: stack.root,
      encoding: 'utf8',
    }).trim();
  let before = git('rev-parse', 'HEAD');
  return {
    ...stack,
    push: (inputs = {}, more = {}) => {
      const request = stack.request({wiki: 'true', 'github-token': token, ...inputs});
      const after = git('rev-parse', 'HEAD');
      const payload = {...request.payload, before, after};
      return {
        ...request,
        payload,
        ...more,
        env: {...request.env, GITHUB_SHA: after, GITHUB_SERVER_URL: wiki.url, ...more.env},
      };
    },
    commit: async (file, text) => {
      before = git('rev-parse', 'HEAD');
      await writeFile(join(stack.root, file), text);
      git('add', '--all');
      git('-c', 'maintenance.auto=false', 'commit', '--quiet', '--message', 'Change');
    },
  };
}

function dockerfile(prefix: string, name: string, salt = ''): string {
  const from =
    name === 'root'
      ? 'FROM debian:bookworm-slim'
      : `ARG BASE_TAG\nFROM ${prefix}/root:\${BASE_TAG}`;
  const wait = name === 'root' ? shape.root : shape.child;
  return `${from}\nRUN echo ${name} ${prefix} ${salt} > /made-${name} && sleep ${wait}\n`;
}

function testsOf(count: number): string {
  const tests = Array.from(
    {length: count},
    (_, index) => `def test_${index}():\n    time.sleep(${shape.test})\n`,
  );
  return `import time\n\n\n${tests.join('\n\n')}`;
}

/** The order of the scripts: each image is built, tested, pushed and described before the next; then the wiki. */
function serial(prefix: string, names: readonly string[], wiki: string): string {
  const one = (name: string): string => {
    const image = `${prefix}/${name}:1`;
    const tests = [
      `images/${name}/test`,
      ...(name === 'two' ? [`images/${name}/integration_tests`] : []),
    ];
    return [
      `docker buildx build -q --provenance=false --build-arg BASE_TAG=1 -t ${image} images/${name} >/dev/null`,
      ...tests.map(
        (folder) =>
          `TEST_IMAGE=${image} python3 -m pytest -q -x -p no:cacheprovider ${folder} >/dev/null`,
      ),
      `docker push -q ${image} >/dev/null`,
      page(prefix, name),
    ].join('\n');
  };
  return [clone(wiki), ...names.map(one), publish].join('\n');
}

function page(prefix: string, name: string): string {
  const image = `${prefix}/${name}:1`;
  return [
    `docker history ${image} > wiki/${name}.md`,
    `docker run --rm ${image} cat /etc/os-release >> wiki/${name}.md`,
    `docker run --rm ${image} ls / >> wiki/${name}.md`,
  ].join('\n');
}

const clone = (wiki: string): string => `rm -rf wiki; git clone -q ${wiki} wiki`;
const publish =
  'cd wiki; date > stamp; git add .; git -c user.name=b -c user.email=b@localhost commit -q -m pages; git push -q; cd ..; rm -rf wiki';

/** A full build, one child changed, nothing changed, and a promotion; each beside the serial loop. */
export async function smallRows(): Promise<readonly Row[]> {
  const wiki = await startWikiServer(token);
  const bare = wiki.addWiki(repository, {'Home.md': 'Welcome\n'});
  try {
    const stack = await makeStack(wiki);
    const other = await makeStack(wiki);
    const {prefix, names, root} = other;
    const loop = (script: string): Promise<Timed<void>> => timedShell(script, root);
    const ours = async (request: StepRequest): Promise<Timed<StepRun>> => {
      const run = await timedStep(request);
      expectGood(run.value);
      return run;
    };

    const full = await ours(stack.push());
    const third = await makeStack(wiki);
    const chain = await timedShell(chainOf(third.prefix), third.root);
    const fullLoop = await loop(serial(prefix, names, bare.folder));
    await drawTrace((await makeStack(wiki)).push());

    const changed = 'images/one/Dockerfile';
    await stack.commit(changed, dockerfile(stack.prefix, 'one', 'again'));
    const child = await ours(stack.push({}, {}));
    await other.commit(changed, dockerfile(prefix, 'one', 'again'));
    const childLoop = await loop(serial(prefix, ['one'], bare.folder));

    await stack.commit('README.md', 'Read me\n');
    const nothing = await ours(stack.push({}, {env: withoutDocker}));
    const pages = names.map((name) => page(prefix, name)).join('\n');
    const nothingLoop = await loop([clone(bare.folder), pages, publish].join('\n'));

    const promotion = await ours(
      stack.push({mode: 'tag', 'source-tag': '1-feature'}, {event: 'workflow_dispatch'}),
    );
    const move = names.map((name) => {
      const image = `${prefix}/${name}`;
      return `docker pull -q ${image}:1 >/dev/null; docker tag ${image}:1 ${image}:stable; docker push -q ${image}:stable >/dev/null`;
    });
    const promotionLoop = await loop([clone(bare.folder), ...move, publish].join('\n'));

    const row = (what: string, mine: Timed<unknown>, its: Timed<unknown>, bound = ''): Row => ({
      what: `small stack, ${what}, pages and wiki included`,
      bound,
      measured: `${took(mine)}, ${(mine.seconds / its.seconds).toFixed(2)} x the serial loop's ${seconds(its.seconds)}`,
      ...peakOf(mine),
      holds: true,
    });
    const ratio = full.seconds / chain.seconds;
    return [
      {
        ...row('full build, default concurrency', full, fullLoop, '≤ 1.15 x its longest chain'),
        measured: `${took(full)}, ${ratio.toFixed(2)} x the chain of ${seconds(chain.seconds)} (of which ${chainSeconds} s wait); ${(full.seconds / fullLoop.seconds).toFixed(2)} x the serial loop's ${seconds(fullLoop.seconds)}`,
        limit: 'the chain; what is around it is in the picture',
        holds: ratio <= 1.15,
      },
      {
        ...row('one child changed', child, childLoop),
        limit: 'the build and the tests of that image',
      },
      {...row('nothing changed', nothing, nothingLoop), limit: 'start, git, the registry'},
      {...row('promotion', promotion, promotionLoop), limit: 'the wiki: clone and push'},
    ];
  } finally {
    await wiki.close();
  }
}

/** A run of its own: what writes down each program costs a few milliseconds of each. */
async function drawTrace(request: StepRequest): Promise<void> {
  const shims = await makeShims();
  expectGood((await timedStep({...request, env: {...request.env, PATH: shims.path}})).value);
  await writeFile('docs/performance-trace.svg', traceImage(await readTrace(shims.log)));
  await rm(shims.folder, {recursive: true});
}

/** The root's build, then the build and all tests of the child that has most of them, and nothing else. */
function chainOf(prefix: string): string {
  const build = (name: string): string =>
    `docker buildx build -q --provenance=false --build-arg BASE_TAG=1 -t ${prefix}/${name}:1 images/${name} >/dev/null`;
  const test = (folder: string): string =>
    `TEST_IMAGE=${prefix}/two:1 python3 -m pytest -q -x -p no:cacheprovider images/two/${folder} >/dev/null`;
  const push = `docker push -q ${prefix}/two:1 >/dev/null`;
  return [build('root'), build('two'), test('test'), push, test('integration_tests')].join('\n');
}

/** A push to the default branch after a tested branch: five images of so many megabytes, reused by their proof. */
export async function mergeRow(megabytes: number): Promise<Row> {
  const wiki = await startWikiServer(token);
  wiki.addWiki(repository, {'Home.md': 'Welcome\n'});
  try {
    const names = ['root', 'one', 'two', 'three', 'four'];
    const prefix = `${registry}/bench-${randomUUID().slice(0, 8)}`;
    const files: Record<string, string> = {};
    for (const name of names) {
      const from = name === 'root' ? 'debian:bookworm-slim' : `${prefix}/root:\${BASE_TAG}`;
      files[`images/${name}/Dockerfile`] =
        `ARG BASE_TAG\nFROM ${from}\nRUN echo ${prefix} && head -c ${megabytes}000000 /dev/urandom > /made-${name}\n`;
      files[`images/${name}/test/test_it.py`] = 'def test_it():\n    pass\n';
    }
    files['images/spec.yml'] = [
      'images:',
      ...names.map(
        (name) =>
          `  ${name}: {image_name: "${prefix}/${name}", info_cmds: [OS]${name === 'root' ? '' : ', depend_on: root'}}`,
      ),
      'tag: {prefix: "1"}',
      'all_info_cmds: {OS: {description: System, command: cat /etc/os-release}}',
      '',
    ].join('\n');
    const stack = await checkedOut(files, prefix, names);
    const inputs = {reuse: 'always', wiki: 'true', 'github-token': token};
    const branch = stack.request(inputs, {GITHUB_SERVER_URL: wiki.url});
    expectGood((await timedStep(branch)).value);
    const merge = await timedStep({
      ...branch,
      payload: {...branch.payload, ref: 'refs/heads/main'},
      env: {...branch.env, ...withoutDocker, GITHUB_REF: 'refs/heads/main'},
    });
    expectGood(merge.value);
    const plan = await readFile(join(stack.root, 'artifacts/plan.json'), 'utf8');
    const reused = plan.match(/"action": "reuse"/g)?.length ?? 0;
    return {
      what: `a push to main after a tested branch, reuse: always, 5 images of ${megabytes} MB, pages and wiki included`,
      bound: 'nothing pulled, ≤ 3 s',
      measured: `${took(merge)}, ${reused} images reused, no docker (its host was unreachable)`,
      limit: 'the wiki: clone and push; then a dozen requests an image',
      ...peakOf(merge),
      holds: reused === names.length && merge.seconds <= 3,
    };
  } finally {
    await wiki.close();
  }
}
