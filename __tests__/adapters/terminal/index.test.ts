import {expect, it} from 'vitest';
import {openTerminalLog} from '../../../src/adapters/terminal/index.ts';
import {createMask} from '../../../src/util/masking.ts';

function record(hasColour: boolean, columns?: number) {
  let text = '';
  const terminal = {
    hasColour,
    columns,
    write: (more: string) => {
      text += more;
    },
  };
  const mask = createMask();
  mask.add(['hunter2']);
  let file = '';
  const kept = {
    write: (chunk: Uint8Array) => {
      file += Buffer.from(chunk).toString();
    },
    problem: () => undefined,
  };
  return {log: openTerminalLog(terminal, kept, mask), text: () => text, file: () => file};
}

it('is plain text without one command of the runner', () => {
  const {log, text} = record(false);
  log.info('::set-output name=x::y');
  log.group('Build', ['| one', '::error::two']);
  log.warning('first\nsecond');
  log.error('bad hunter2');
  expect(text()).not.toMatch(/^\s*::/m);
  expect(text()).not.toContain('\u001b');
  expect(text()).toContain('Build\n  | one\n');
  expect(text()).toContain('Warning: first\n  second\n');
  expect(text()).toContain('Error: bad ***\n');
});

it('has colours on a terminal, and never those of others', () => {
  const {log, text} = record(true);
  log.error('bad \u001b[2J');
  expect(text()).toBe('\u001b[31mError: bad \u001b[0m\n');
});

it('writes the same text to the run log, without colours', () => {
  const {log, file} = record(true);
  log.info('one hunter2');
  log.error('two', {file: 'images/a/Dockerfile', line: 3});
  expect(file()).toBe('one ***\nError: images/a/Dockerfile:3: two\n');
});

it('keeps one line below everything that says what is going on', () => {
  const {log, text} = record(false, 20);
  log.status?.('base: build');
  log.info('one');
  log.status?.('base: build 12 s and much more');
  log.status?.(undefined);
  log.info('two');
  expect(text()).toBe(
    'base: build\r\u001b[Kone\nbase: build\r\u001b[Kbase: build 12 s an\r\u001b[Ktwo\n',
  );
});

it('has no such line where nothing can be written over', () => {
  const {log, text} = record(false);
  log.status?.('base: build');
  log.info('one');
  expect(text()).toBe('one\n');
});
