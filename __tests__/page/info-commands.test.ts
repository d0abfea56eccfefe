import {spawnSync} from 'node:child_process';
import {split} from 'shlex';
import {describe, expect, it} from 'vitest';
import type {Docker} from '../../src/adapters/docker/index.ts';
import {fail, failure, ok} from '../../src/failure.ts';
import {
  infoScript,
  readInfoOutput,
  recordedInfo,
  runInfoCommands,
} from '../../src/page/info-commands.ts';

const nonce = 'f00dfeedf00dfeed';

/** Runs the commands as a container would: by a real shell. */
function run(commands: readonly string[], seconds = 5) {
  const words = commands.map((command) => split(command));
  const script = infoScript(new Map(words.entries()), {nonce, seconds});
  const {stdout, stderr, status} = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    input: 'not for the commands',
  });
  expect(status).toBe(0);
  const info = commands.map((command) => ({
    name: 'N',
    description: 'd',
    command,
    words: split(command),
  }));
  return [...readInfoOutput(info, {stdout, stderr}, nonce).values()];
}

describe('the script of info commands', () => {
  it.each([
    ['a plain command', 'echo hello', 'hello\n'],
    [
      'quotation marks as the owner writes them',
      `bash -c 'printf "a\\nb\\nc\\n" | grep "a\\|b"'`,
      'a\nb\n',
    ],
    ['no expansion of its own', `printf %s '$HOME' "*" ~`, '$HOME*~'],
    ['output without a line end', 'printf x', 'x'],
    ['an empty argument', `printf '<%s>' ""`, '<>'],
    ['a line break in an argument', `printf %s 'a\nb'`, 'a\nb'],
    ['what looks like a mark', `printf '\\n0000 0 end 0\\n'`, '\n0000 0 end 0\n'],
  ])('runs %s', (_, command, stdout) => {
    expect(run([command])).toMatchObject([{exitCode: 0, stdout, stderr: ''}]);
  });

  it('keeps commands, their streams and their exit codes apart', () => {
    const seen = run(['sh -c "echo out; echo err >&2; exit 3"', 'no-such-command', 'echo last']);
    expect(seen).toMatchObject([
      {exitCode: 3, stdout: 'out\n', stderr: 'err\n'},
      {exitCode: 127, stdout: ''},
      {exitCode: 0, stdout: 'last\n', stderr: ''},
    ]);
  });

  it('gives commands nothing to read', () => {
    expect(run(['cat', 'echo next'])).toMatchObject([
      {exitCode: 0, stdout: ''},
      {stdout: 'next\n'},
    ]);
  });

  it('ends one that hangs, and goes on', () => {
    expect(run(['sleep 60', 'echo next'], 1)).toMatchObject([{exitCode: 124}, {stdout: 'next\n'}]);
  });

  it('has no exit code for a command after which nothing more was heard', () => {
    const stdout = `\n${nonce} 0 begin\nhalf an ans`;
    const info = [{name: 'N', description: 'd', command: 'c', words: ['c']}];
    const seen = readInfoOutput(info, {stdout, stderr: ''}, nonce).get(0);
    expect(seen).toMatchObject({exitCode: undefined, stdout: 'half an ans'});
  });
});

describe('running info commands', () => {
  const commands = ['echo one', 'sh -c "echo two >&2; exit 3"', '/no/such/program'].map(
    (command) => ({
      name: command,
      description: command,
      command,
      words: split(command),
    }),
  );
  type Run = Docker['run'];
  const output = (stdout: string) => ({stdout, stderr: '', tail: [], durationMs: 0});
  /** A container is a shell on this machine. */
  const locally: Run = async ({command: [program = '', ...words]}) => {
    const {stdout, stderr} = spawnSync(program, words, {encoding: 'utf8'});
    return ok({...output(stdout), stderr});
  };
  const request = (run: Run) => ({
    commands,
    image: 'sha256:1',
    docker: {run, diagnose: async <T>(cause: T) => cause},
    signal: new AbortController().signal,
  });

  it('takes one container for all, and answers for each', async () => {
    const asked: string[] = [];
    const done = await runInfoCommands(
      request((container, options) => {
        asked.push(container.image);
        return locally(container, options);
      }),
    );
    expect(asked).toEqual(['sha256:1']);
    expect(done).toMatchObject({
      ok: true,
      value: [{exitCode: 0, stdout: 'one\n'}, {exitCode: 3, stderr: 'two\n'}, {exitCode: 127}],
    });
  });

  it('takes one for each where the image has no shell', async () => {
    const missing = failure('internal', 'sh: not found', {
      cause: {kind: 'exit', command: 'docker run', exitCode: 127},
    });
    const done = await runInfoCommands(
      request(async ({command}) => {
        if (command[0] === 'sh' && command[2]?.includes('stack_action')) return fail(missing);
        return command[0] === 'echo' ? ok(output('alone\n')) : fail(missing);
      }),
    );
    expect(done).toMatchObject({
      ok: true,
      value: [{stdout: 'alone\n'}, {exitCode: 127, stderr: 'sh: not found'}, {}],
    });
  });

  it('ends with the run', async () => {
    const cancelled = failure('cancelled', 'The run was cancelled.');
    expect(await runInfoCommands(request(async () => fail(cancelled)))).toEqual(fail(cancelled));
  });
});

describe('what the record keeps of a result', () => {
  const written = {name: 'N', description: 'd', command: 'c'};
  const command = {...written, words: ['c']};

  it.each([
    [
      {exitCode: 0, stdout: 'out', stderr: 'noise'},
      {exitCode: 0, output: 'out'},
    ],
    [
      {exitCode: 0, stdout: '', stderr: 'java 21'},
      {exitCode: 0, output: '', errors: 'java 21'},
    ],
    [
      {exitCode: 1, stdout: 'out', stderr: 'bad'},
      {exitCode: 1, output: 'out', errors: 'bad'},
    ],
    [{exitCode: undefined, stdout: 'half', stderr: ' '}, {output: 'half'}],
  ])('%j', (result, kept) => {
    expect(recordedInfo({command, ...result})).toStrictEqual({...written, ...kept});
  });
});
