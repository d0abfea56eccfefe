import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {hostileText} from '../../support/builders/hostile-text.ts';
import {runnerCommands, runnerLines} from '../../support/rig/runner-commands.ts';

const url = (path: string): string => new URL(`../../../src/${path}`, import.meta.url).href;
const secret = 'hunter2-and-more';

/** A program of its own, since what counts are the bytes that it prints. */
const script = `
  import {readFileSync} from 'node:fs';
  import {openWorkspace} from '${url('adapters/files/index.ts')}';
  import {openJobLog} from '${url('adapters/github/log.ts')}';
  import {createMask} from '${url('util/masking.ts')}';
  const [root, input] = process.argv.slice(1);
  const mask = createMask();
  mask.add(['${secret}']);
  const log = openJobLog(openWorkspace(root, mask).openLog('logs/run.log'), mask);
  for (const text of JSON.parse(readFileSync(input, 'utf8'))) {
    log.info(text);
    log.info('branch ' + text);
    log.group(text, [text, '| ' + text]);
    log.warning(text);
    log.error('x: ' + text, {file: text, line: 3, column: 4});
  }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'job-log-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

function printed(texts: readonly string[]): string {
  const input = join(folder, 'texts.json');
  writeFileSync(input, JSON.stringify(texts));
  const args = ['--input-type=module', '--eval', script, folder, input];
  return execFileSync(process.execPath, args, {encoding: 'utf8', maxBuffer: 2 ** 30});
}

const ours = ['group', 'endgroup', 'warning', 'error'];

describe('the job log', () => {
  it('is read by the runner as our own groups and annotations, whatever text is in it', () => {
    const texts = fc.sample(hostileText, {numRuns: 400, seed: 7});
    const output = printed(texts);
    const names = runnerCommands(output).map(({name}) => name);
    expect(names.filter((name) => !ours.includes(name))).toEqual([]);
    const counts = ours.map((one) => names.filter((name) => name === one).length);
    expect(counts).toEqual(ours.map(() => texts.length));
    expect(output).toContain('stolen');
  });

  it('has no line over 64 kB, and says where one is cut', () => {
    const output = printed(['x'.repeat(1_000_000), '語'.repeat(300_000), '%'.repeat(200_000)]);
    for (const line of runnerLines(output)) expect(Buffer.byteLength(line)).toBeLessThan(65_536);
    expect(output).toMatch(/xxx … \d+ more characters/);
  });

  it('holds no secret, not even where a line is cut or text is joined', () => {
    const output = printed([
      `${'x'.repeat(11_990)}${secret}`,
      `${'x'.repeat(3_990)}${secret}`,
      `##[${secret}`,
    ]);
    const file = readFileSync(join(folder, 'logs', 'run.log'), 'utf8');
    for (const text of [output, file]) {
      expect(text).toContain('***');
      expect(text).not.toContain('hunter2');
    }
  });

  it('says the same in logs/run.log', () => {
    printed(['hello']);
    expect(readFileSync(join(folder, 'logs', 'run.log'), 'utf8')).toBe(
      'hello\nbranch hello\nhello\nhello\n| hello\nWarning: hello\nError: hello:3:4: x: hello\n',
    );
  });

  it('gives an annotation its place', () => {
    const errors = runnerCommands(printed(['images/a:b,c\r\n/spec.yml'])).filter(
      ({name}) => name === 'error',
    );
    expect(errors).toEqual([
      {
        name: 'error',
        properties: {file: 'images/a:b,c\r\n/spec.yml', line: '3', col: '4'},
        data: 'x: images/a:b,c\n/spec.yml',
      },
    ]);
  });
});

describe('the emulation of the runner', () => {
  it.each([
    ['::add-mask::x', 'add-mask'],
    ['\u0085 ::ADD-MASK::x', 'add-mask'],
    ['10%\r::set-output name=a::b', 'set-output'],
    ['text ##[error]x', 'error'],
    ['| ##[Add-Mask]x', 'add-mask'],
    ['::debug::', 'debug'],
  ])('sees the command in %j', (text, name) => {
    expect(runnerCommands(text).map((command) => command.name)).toEqual([name]);
  });

  it.each([
    '| ::add-mask::x',
    'a ::add-mask::x',
    '::unknown::x',
    '::add-mask',
    '##\u200b[error]x',
    ':: add-mask::x',
  ])('sees none in %j', (text) => expect(runnerCommands(text)).toEqual([]));
});
