import {execFileSync} from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {mkdtemp} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {hostileText} from './support/builders/hostile-text.ts';
import {fakeDocker} from './support/fakes/docker-cli.ts';
import {type GitRepository, makeRepository} from './support/rig/git-repository.ts';
import {runPost, runStep, type StepRequest, startStep} from './support/rig/runner.ts';
import {runnerCommands, runnerLines} from './support/rig/runner-commands.ts';
import {type RegistryServer, startRegistry} from './support/servers/registry-server.ts';

let server: RegistryServer;
let repository: GitRepository;
let temp: string;
beforeEach(async () => {
  server = await startRegistry();
  repository = makeRepository();
  temp = await mkdtemp(join(tmpdir(), 'index-test-'));
});
afterEach(async () => {
  await server.close();
  repository[Symbol.dispose]();
  rmSync(temp, {recursive: true, force: true});
});

const missing = 'a'.repeat(40);

function commitStack(more: Readonly<Record<string, string>> = {}): string {
  return repository.commit('a stack', {
    'images/spec.yml': `images:\n  base: {image_name: "${server.host}/o/base"}\ntag: {prefix: "1"}\n`,
    'images/base/Dockerfile': 'FROM scratch\n',
    ...more,
  });
}

/** A push of `feature`, from a commit that the clone does not have. */
function planOf(head: string, more: Partial<StepRequest> = {}): StepRequest {
  return {
    workspace: repository.path,
    fromSource: true,
    payload: {
      ref: 'refs/heads/feature',
      before: missing,
      after: head,
      repository: {default_branch: 'main'},
      commits: [{message: 'x'}],
    },
    ...more,
    inputs: {mode: 'plan', ...more.inputs},
    env: {GITHUB_SHA: head, RUNNER_TEMP: temp, ...more.env},
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a run that is cancelled', () => {
  it('while git fetches from a server that says nothing prints no plan, and leaves nothing', async () => {
    const silent = createServer();
    const asked = Promise.withResolvers<void>();
    silent.on('connection', () => asked.resolve());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const {port} = silent.address() as AddressInfo;
    try {
      const head = commitStack();
      repository.git('remote', 'add', 'origin', `http://127.0.0.1:${port}/o/r.git`);
      const step = await startStep(planOf(head));
      await asked.promise;
      const killed = setTimeout(() => step.kill('SIGKILL'), 5000);
      step.kill('SIGINT');
      const run = await step.done;
      clearTimeout(killed);
      expect(run.signal).toBeNull();
      expect(run.exitCode).toBe(1);
      expect(run.outputs['outcome']).toBe('cancelled');
      expect(run.outputs).not.toHaveProperty('plan');
      expect(run.stdout).not.toContain('Plan for');
      expect(run.stdout).toContain('The run was cancelled.');
      expect(readdirSync(temp)).toEqual([]);
    } finally {
      silent.close();
    }
  });
});

describe('a build that is cancelled', () => {
  const info = {version: '28.5.2', storage: [], plugins: [{Name: 'buildx'}], root: '/nonexistent'};
  const answers = [
    {when: 'info ', stdout: JSON.stringify(info)},
    {when: 'buildx inspect', stdout: 'Driver: docker-container\n'},
    {when: '--metadata-file', hangs: true},
  ];

  it.each(['info ', 'buildx inspect', 'login ', 'ps --all'])(
    'while docker %s says nothing ends at once',
    async (when) => {
      using docker = disposable(fakeDocker([{when, hangs: true}, ...answers]));
      const spec = `images:\n  base: {image_name: "${server.host}/o/base", platforms: [linux/amd64, linux/arm64]}\ntag: {prefix: "1"}\n`;
      const login = {registry: server.host, username: 'u', password: 'password'};
      const step = await startStep(
        planOf(commitStack({'images/spec.yml': spec}), {
          inputs: {mode: 'build', builder: 'own', ...login},
          env: {PATH: `${docker.bin}:${process.env['PATH']}`},
        }),
      );
      await until(() => docker.calls().some((args) => args.join(' ').includes(when.trim())));
      const killed = setTimeout(() => step.kill('SIGKILL'), 7000);
      step.kill('SIGINT');
      const run = await step.done;
      clearTimeout(killed);
      expect(run.signal).toBeNull();
      expect(run.outputs['outcome']).toBe('cancelled');
      expect(run.stdout).toContain('cancelled');
      expect(readdirSync(temp)).toEqual([]);
    },
  );
});

describe('what is printed', () => {
  const ours = ['group', 'endgroup', 'warning', 'error'];
  const foreignCommands = (stdout: string) =>
    runnerCommands(stdout).filter(({name}) => !ours.includes(name));

  it('is inert, whatever files and folders are called', async () => {
    const first = commitStack();
    const parts = fc.sample(hostileText, {numRuns: 150, seed: 11});
    const names = parts
      .map((text) => text.replace(/[/\0]/g, '_').replace(/[^\P{C}\t\r\n\u0085]/gu, ''))
      .filter((name) => name !== '' && Buffer.byteLength(name) < 200);
    expect(names.length).toBeGreaterThan(30);
    const files = Object.fromEntries(
      names.flatMap((name, index) => [
        [`images/base/${index} a${name}`, ''],
        [`images/${name}${index}/x`, ''],
        [`images/base/x\r${name}${index}`, ''],
      ]),
    );
    const head = repository.commit('hostile', {...files, 'images/base/a\r::add-mask::X': ''});
    const run = await runStep(
      planOf(head, {
        payload: {ref: 'refs/heads/feature', before: first, after: head, commits: []},
      }),
    );
    expect(run.exitCode, run.stdout.slice(-2000)).toBe(0);
    expect(run.stdout).toContain('add-mask');
    expect(foreignCommands(run.stdout)).toEqual([]);
    for (const line of runnerLines(run.stdout))
      expect(Buffer.byteLength(line)).toBeLessThan(65_536);
  });

  it('is inert, whatever branches, messages, events, inputs and specs say', async () => {
    const head = commitStack();
    const texts = fc.sample(hostileText, {numRuns: 2, seed: 3});
    for (const text of texts) {
      const plain = text.replaceAll('\0', '').slice(0, 50_000);
      const payload = {
        ref: `refs/heads/${text}`,
        before: missing,
        after: head,
        created: true,
        commits: [{message: text}],
        head_commit: {message: text},
        repository: {default_branch: text, full_name: text},
      };
      const runs = [
        planOf(head, {payload}),
        planOf(head, {payload, event: plain || 'x'}),
        planOf(head, {payload, inputs: {'stack-dir': plain.slice(0, 200) || 'x'}}),
        planOf(head, {payload, inputs: {mode: plain || 'x'}}),
        planOf(head, {payload, inputs: {images: plain}}),
      ];
      for (const run of await Promise.all(runs.map(runStep))) {
        expect(foreignCommands(run.stdout)).toEqual([]);
        expect(foreignCommands(run.stderr)).toEqual([]);
      }
      writeFileSync(
        join(repository.path, 'images/spec.yml'),
        `images:\n  ${text}: {${text}}\n${text}`,
      );
      const run = await runStep(planOf(head));
      expect(run.exitCode).toBe(1);
      expect(foreignCommands(run.stdout)).toEqual([]);
      for (const line of runnerLines(run.stdout)) {
        expect(Buffer.byteLength(line)).toBeLessThan(65_536);
      }
      repository.git('checkout', '--', '.');
    }
  }, 120_000);

  it('holds no password: console, failure, run.log', async () => {
    const password = 'p@ss w0rd/+"x';
    const head = commitStack();
    const run = await runStep(
      planOf(head, {
        inputs: {password, images: `x,${password}`},
        payload: {ref: `refs/heads/${password}`, before: missing, after: head},
      }),
    );
    expect(run.exitCode).toBe(1);
    const log = readFileSync(join(repository.path, 'logs/run.log'), 'utf8');
    const shown = run.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    expect(`${shown.join('\n')}${log}`).not.toContain('w0rd');
    expect(log).toContain('***');
  });
});

describe('the folders of the action', () => {
  it.each(['logs/run.log', 'artifacts', 'artifacts/plan.json', 'manifests/a.md'])(
    'with a link in the place of %s end the run before anything, and name it',
    async (place) => {
      const head = commitStack();
      writeFileSync(join(temp, 'precious'), 'mine');
      mkdirSync(dirname(join(repository.path, place)), {recursive: true});
      symlinkSync(join(temp, 'precious'), join(repository.path, place));
      const run = await runStep(planOf(head));
      expect(run.exitCode).toBe(1);
      expect(run.outputs['outcome']).toBe('failed');
      expect(run.stdout).toContain(`${place} is a symbolic link.`);
      expect(server.seen).toEqual([]);
      expect(readFileSync(join(temp, 'precious'), 'utf8')).toBe('mine');
    },
  );
});

describe('an event with the secrets of the repository', () => {
  it.each(['issue_comment', 'pull_request_target', 'workflow_run'])(
    '(%s) is refused when other code is checked out, and worked on when it is GITHUB_SHA',
    async (event) => {
      const base = commitStack();
      const head = repository.commit('of somebody', {'images/base/x': ''});
      const payload = {repository: {default_branch: 'main'}};
      const refused = await runStep(planOf(base, {event, payload}));
      expect(refused.exitCode).toBe(1);
      expect(refused.outputs).toEqual({outcome: 'failed'});
      expect(refused.stdout).toContain(`The event "${event}" runs with the secrets`);
      expect(server.seen).toEqual([]);
      const good = await runStep(planOf(head, {event, payload}));
      expect(good.stdout).not.toContain('runs with the secrets');
    },
  );
});

describe('an event whose commit is checked out, with files of somebody else in it', () => {
  it.each([
    ['over a file', 'images/base/Dockerfile'],
    ['as a new file', 'images/base/new'],
    ['as one that git ignores', 'images/base/ignored'],
    ['nowhere', undefined],
    ['where a run leaves its own', 'artifacts/plan.json'],
  ])('%s', async (_, file) => {
    repository.commit('ignore', {'.gitignore': 'ignored\n', 'README.md': ''});
    const head = commitStack();
    if (file !== undefined) {
      mkdirSync(dirname(join(repository.path, file)), {recursive: true});
      writeFileSync(join(repository.path, file), '# theirs\nFROM scratch\n');
    }
    const run = await runStep(planOf(head, {event: 'pull_request_target', payload: {}}));
    const isOwn = file === undefined || file.startsWith('artifacts/');
    expect(run.stdout.includes('runs with the secrets')).toBe(!isOwn);
    if (!isOwn) expect(run.stdout).toContain(`not as that commit has them: ${file},`);
  });
});

describe('an event whose own code is checked out beside that of a pull request', () => {
  it("is refused when the stack is the pull request's", async () => {
    const base = commitStack();
    const theirs = join(repository.path, 'pr');
    execFileSync('git', ['clone', '--quiet', repository.path, theirs]);
    const commit = [
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@y',
      'commit',
      '--allow-empty',
      '-m',
      'x',
    ];
    execFileSync('git', [...commit, '--quiet'], {cwd: theirs});
    const run = await runStep(
      planOf(base, {event: 'issue_comment', payload: {}, inputs: {'stack-dir': 'pr/images'}}),
    );
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('runs with the secrets');
  });
});

describe('a run that is refused', () => {
  it.each<[string, string, (head: string) => Partial<StepRequest>]>([
    ['an input', 'mode', () => ({inputs: {mode: 'bild'}})],
    ['a platform without a runner', 'runners:', () => ({inputs: {platform: 'linux/mips64le'}})],
    ['reports that are not there', 'report.json', () => ({inputs: {mode: 'report'}})],
    [
      'a fork that promotes',
      'forks',
      () => ({
        event: 'pull_request',
        inputs: {mode: 'tag', 'source-tag': '1-main'},
        payload: {pull_request: {head: {repo: {fork: true, full_name: 'x/y'}}}},
      }),
    ],
    [
      'a promotion.json that is not there',
      'Download the artifact',
      () => ({inputs: {mode: 'tag', restore: 'promotion.json'}}),
    ],
    [
      'a tag that is not there',
      'not in the registry',
      () => ({inputs: {mode: 'tag', 'source-tag': '1-x', wiki: 'false'}}),
    ],
    [
      'an event with secrets',
      'runs with the secrets',
      () => ({event: 'issue_comment', env: {GITHUB_SHA: missing}}),
    ],
    [
      'folders that are links',
      'symbolic link',
      () => {
        symlinkSync(temp, join(repository.path, 'manifests'));
        return {};
      },
    ],
  ])('because of %s says so in its summary too', async (_, words, more) => {
    const head = commitStack();
    const run = await runStep({...planOf(head), ...more(head)});
    expect(run.exitCode, run.stdout).toBe(1);
    expect(run.stdout).toContain(words);
    expect(run.summary).toMatch(/^## (?:Nothing was built|No tag was moved|No report was made)/);
    expect(run.summary.replace(/<wbr>|&#8203;|\\/g, '')).toContain(words);
  });
});

describe('the summary of an event whose payload has no messages', () => {
  it('names the commit by its subject all the same', async () => {
    commitStack();
    const head = repository.commit('Newer numpy\n\nBecause.', {'images/base/x': ''});
    const payload = {repository: {default_branch: 'main'}};
    const run = await runStep(planOf(head, {event: 'schedule', payload}));
    expect(run.summary).toMatch(/commit .*<code>[0-9a-f]{7}<\/code>.* Newer numpy/);
  });
});

describe('a step', () => {
  it('without a checkout asks for it', async () => {
    const empty = join(temp, 'empty');
    mkdirSync(empty);
    const run = await runStep({...planOf(missing), workspace: empty});
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('Is actions/checkout missing');
  });

  it('outside the runner prints no command that only the runner reads', async () => {
    const head = commitStack();
    const run = await runStep(
      planOf(head, {
        env: {GITHUB_ACTIONS: '', GITHUB_OUTPUT: '', GITHUB_STATE: ''},
        inputs: {password: 'hunter2-hunter2'},
      }),
    );
    expect(run.stdout).not.toMatch(/set-output|save-state|add-mask|hunter2/);
  });
});

/** Goes away with `using`. */
function disposable<T extends {remove(): void}>(thing: T): T & Disposable {
  return {...thing, [Symbol.dispose]: () => thing.remove()};
}

describe('a declared build secret', () => {
  it('is hidden in everything that leaves, and docker sees it where nothing else does', async () => {
    const token = 'npm_very/secret+token';
    const key = 'first line of a key\nsecond line of it';
    const id = `sha256:${'1'.repeat(64)}`;
    const info = {
      version: '28.5.2',
      storage: [],
      plugins: [{Name: 'buildx'}],
      root: '/nonexistent',
    };
    const said = `#5 0.1 ${token}\n#5 0.2 ${Buffer.from(token).toString('base64')}\n#5 second line of it\n`;
    using docker = disposable(
      fakeDocker([
        {when: 'info ', stdout: JSON.stringify(info)},
        {when: 'buildx inspect', stdout: 'Driver: docker\n'},
        {
          when: '--metadata-file',
          stdout: said,
          exitCode: 1,
          writes: ['--metadata-file', JSON.stringify({'containerimage.digest': id})],
        },
      ]),
    );
    const spec = `images:\n  base:\n    image_name: "${server.host}/o/base"\n    secrets: ["id=t,env=MY_TOKEN", "id=k,src=key.pem"]\ntag: {prefix: "1"}\n`;
    const head = commitStack({'images/spec.yml': spec, 'key.pem': key});
    const run = await runStep(
      planOf(head, {
        inputs: {mode: 'build', push: 'false'},
        env: {PATH: `${docker.bin}:${process.env['PATH']}`, MY_TOKEN: token, OTHER_TOKEN: 'other'},
      }),
    );
    expect(run.exitCode).toBe(1);
    const {env} = docker.calls().some((args) => args.includes('--metadata-file'))
      ? docker.last('buildx', 'build')
      : {env: {}};
    expect(env).toMatchObject({MY_TOKEN: token});
    expect(env).not.toHaveProperty('OTHER_TOKEN');
    const files = ['logs', 'artifacts'].flatMap((folder) =>
      readdirSync(join(repository.path, folder)).map((name) =>
        readFileSync(join(repository.path, folder, name), 'utf8'),
      ),
    );
    const shown = run.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    const everything = [...shown, ...files, run.summary, JSON.stringify(run.outputs)].join('\n');
    expect(everything).toContain('#5 0.1 ***');
    for (const form of [token, Buffer.from(token).toString('base64'), 'second line of it']) {
      expect(everything).not.toContain(form);
      expect(run.stdout).toContain(`::add-mask::${form}`);
    }
  });
});

it('says before the first build that the builder cannot build for several platforms', async () => {
  const info = {version: '28.5.2', storage: [], plugins: [{Name: 'buildx'}]};
  using docker = disposable(
    fakeDocker([
      {when: 'info ', stdout: JSON.stringify(info)},
      {when: 'buildx inspect', stdout: 'Driver: docker\n'},
    ]),
  );
  const spec = `images:\n  base: {image_name: "${server.host}/o/base", platforms: [linux/amd64, linux/arm64]}\ntag: {prefix: "1"}\n`;
  const run = await runStep(
    planOf(commitStack({'images/spec.yml': spec}), {
      inputs: {mode: 'build'},
      env: {PATH: `${docker.bin}:${process.env['PATH']}`},
    }),
  );
  expect(run.outputs['outcome']).toBe('failed');
  expect(run.stdout).toContain('base (linux/amd64, linux/arm64)');
  for (const step of ['docker/setup-qemu-action@v3', 'docker/setup-buildx-action@v3'])
    expect(run.stdout).toContain(`- uses: ${step}`);
  expect(docker.calls().filter((args) => args.includes('build'))).toEqual([]);
});

describe('a build secret without a value', () => {
  it.each([
    ['id=t,env=MY_TOKEN', 'the environment variable MY_TOKEN is not set. Set MY_TOKEN with "env:"'],
    ['id=t,src=none.txt', 'there is no file none.txt. Write none.txt in a step before this one'],
    ['id=t,src=out', 'out is a link that points outside the workspace. Replace the link'],
  ])('%s is refused before the first build, with its line', async (secret, words) => {
    const info = {version: '28.5.2', storage: [], plugins: [{Name: 'buildx'}]};
    using docker = disposable(fakeDocker([{when: 'info ', stdout: JSON.stringify(info)}]));
    const outside = join(temp, 'secret');
    writeFileSync(outside, 'not-of-this-workspace');
    const spec = `images:\n  base:\n    image_name: "${server.host}/o/base"\n    secrets: ["${secret}"]\ntag: {prefix: "1"}\n`;
    const head = commitStack({'images/spec.yml': spec});
    symlinkSync(outside, join(repository.path, 'out'));
    const run = await runStep(
      planOf(head, {
        inputs: {mode: 'build', push: 'false'},
        env: {PATH: `${docker.bin}:${process.env['PATH']}`},
      }),
    );
    expect(run.exitCode).toBe(1);
    const said = run.stdout.replaceAll('%0A', ' ');
    expect(said).toContain(`The build secret "${secret}" of base has no value: ${words}`);
    expect(run.stdout).toContain('or remove the secret from images/spec.yml:2.');
    expect(docker.calls().filter((args) => args.includes('build'))).toEqual([]);
  });
});

describe('the post step', () => {
  /** A pytest that starts a program which leaves its group, and does not end. */
  const pytest =
    '#!/bin/sh\ntrap \'\' TERM\nsetsid sh -c \'trap "" TERM; echo $$ > "$HOME/away"; sleep 600\' &\necho $$ > "$HOME/pid"\nwhile :; do sleep 1; done\n';

  function isAlive(pid: number): boolean {
    try {
      return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  }

  it('leaves nothing of a main step that was killed during its tests', async () => {
    const bin = join(temp, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'pytest'), pytest, {mode: 0o755});
    const id = `sha256:${'1'.repeat(64)}`;
    const info = {version: '28.5.2', storage: [], plugins: [], root: '/nonexistent'};
    using docker = disposable(
      fakeDocker([
        {when: 'info ', stdout: JSON.stringify(info)},
        {when: '--iidfile', writes: ['--iidfile', id]},
        {when: 'ps --all --quiet', stdout: '0123456789ab\n'},
      ]),
    );
    const head = commitStack({'images/base/test/test_a.py': ''});
    const request = planOf(head, {
      inputs: {mode: 'build', push: 'false'},
      env: {PATH: `${bin}:${docker.bin}:${process.env['PATH']}`, HOME: temp},
    });
    const step = await startStep(request);
    const files = ['pid', 'away'].map((name) => join(temp, name));
    const isOver = step.done.then((run) => run);
    await Promise.race([
      until(() => files.every((file) => existsSync(file) && readFileSync(file, 'utf8') !== '')),
      isOver.then((run) => Promise.reject(new Error(run.stdout))),
    ]);
    const pids = files.map((file) => Number(readFileSync(file, 'utf8')));
    step.kill('SIGKILL');
    const main = await step.done;
    expect(pids.map(isAlive)).toEqual([true, true]);
    expect(readdirSync(temp).filter((name) => name.startsWith('stack-action-'))).toHaveLength(1);
    const post = await runPost(request, main);
    expect(post.exitCode, post.stdout).toBe(0);
    expect(post.stdout).toContain('terminated before it could clean up');
    await until(() => !pids.some(isAlive));
    expect(readdirSync(temp).filter((name) => name.startsWith('stack-action-'))).toEqual([]);
    expect(docker.calls().map((args) => args.join(' '))).toContain(
      'rm --force --volumes 0123456789ab',
    );
    const label = docker.last('ps', '--all', '--quiet').args.at(-1) ?? '';
    expect(label).toBe(`label=stack-action.run=${main.state['runId']}`);
    expect(
      execFileSync('git', ['status', '--porcelain', '--', 'images'], {
        cwd: repository.path,
      }).toString(),
    ).toBe('');
  });

  it('says and does nothing after a main step that ended by itself', async () => {
    const request = planOf(commitStack());
    const post = await runPost(request, await runStep(request));
    expect([post.exitCode, post.stdout, post.stderr]).toEqual([0, '', '']);
  });

  it('removes no folder that is not of a run', async () => {
    mkdirSync(join(temp, 'mine'));
    const request = planOf(commitStack());
    const state = {isPost: 'true', runFolder: join(temp, 'mine'), runId: 'x'};
    const main = {...(await runStep(request)), state};
    expect((await runPost(request, main)).exitCode).toBe(0);
    expect(existsSync(join(temp, 'mine'))).toBe(true);
  });
});
