import {execFileSync} from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type LogOptions, openLog, readExcerpt} from '../../../src/adapters/files/log.ts';
import {createMask} from '../../../src/util/masking.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(() => rmSync(root, {recursive: true}));

const mask = createMask();
mask.add(['hunter2']);
const open = (file: string, options?: LogOptions) => openLog({root, file, mask}, options);
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('openLog', () => {
  it('has on disk what was written, before it is closed', async () => {
    const log = open('deep/a.log');
    log.write(Buffer.from('as it comes\n'));
    expect(text('deep/a.log')).toBe('as it comes\n');
    await log.close();
  });

  it('hides secrets, and writes the end that could have been one when it is closed', async () => {
    const log = open('a.log');
    log.write(Buffer.from('hunter2 and hunt'));
    await log.close();
    expect(text('a.log')).toBe('*** and hunt');
  });

  it('goes on where an earlier step ended, or begins anew', async () => {
    for (const [append, words] of [
      [false, 'old\n'],
      [false, 'new\n'],
      [true, 'more\n'],
    ] as const) {
      const log = open('a.log', {append});
      log.write(Buffer.from(words));
      await log.close();
    }
    expect(text('a.log')).toBe('new\nmore\n');
  });

  it('says that it cannot be written, and lets the work go on', async () => {
    writeFileSync(join(root, 'file'), '');
    const log = open('file/a.log');
    log.write(Buffer.from('lost'));
    await log.close();
    expect(log.problem()).toMatch(/^file is a file\. .*remove it\.$/);
  });

  it.each([false, true])(
    'is made anew with what it had when a test removes the folder (append: %s)',
    async (append) => {
      const log = open('logs/a.log', {append});
      log.write(Buffer.from('before\n'));
      rmSync(join(root, 'logs'), {recursive: true});
      log.write(Buffer.from('after\n'));
      rmSync(join(root, 'logs'), {recursive: true});
      await log.close();
      expect(text('logs/a.log')).toBe('before\nafter\n');
      expect(log.problem()).toBeUndefined();
    },
  );

  it.each([
    ['a symbolic link', (path: string) => symlinkSync(join(root, 'precious'), path)],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdirSync(path)],
  ])('refuses %s in its place, before and while it is written', async (kind, make) => {
    writeFileSync(join(root, 'precious'), 'mine');
    mkdirSync(join(root, 'logs'));
    make(join(root, 'logs', 'a.log'));
    const words = `logs/a.log is ${kind}.`;
    for (const append of [false, true]) {
      const log = open('logs/a.log', {append});
      log.write(Buffer.from('x'));
      await log.close();
      expect(log.problem()).toContain(words);
    }
    rmSync(join(root, 'logs', 'a.log'), {recursive: true});
    const log = open('logs/a.log');
    log.write(Buffer.from('good\n'));
    rmSync(join(root, 'logs', 'a.log'));
    make(join(root, 'logs', 'a.log'));
    log.write(Buffer.from('more\n'));
    await log.close();
    expect(log.problem()).toContain(words);
    expect(text('precious')).toBe('mine');
  });

  it('refuses a link in the place of its folder', async () => {
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'logs'));
    const log = open('logs/a.log');
    await log.close();
    expect(log.problem()).toContain('logs is a symbolic link.');
    expect(existsSync(join(root, 'elsewhere', 'a.log'))).toBe(false);
  });

  it.each([false, true])(
    'writes through no second name of another file (append: %s)',
    async (append) => {
      writeFileSync(join(root, 'precious'), 'mine');
      linkSync(join(root, 'precious'), join(root, 'a.log'));
      const log = open('a.log', {append});
      log.write(Buffer.from('x'));
      await log.close();
      expect([text('precious'), text('a.log')]).toEqual(['mine', 'x']);
    },
  );
});

describe('readExcerpt', () => {
  it('has the beginning and the end of a large log, and where the rest is', () => {
    writeFileSync(join(root, 'a.log'), `first\n${'x'.repeat(1_000_000)}\nlast`);
    const excerpt = readExcerpt(root, 'a.log');
    expect(excerpt).toMatch(/^first\n/);
    expect(excerpt).toMatch(/\n… \d+ KiB are only in a\.log …\n/);
    expect(excerpt).toMatch(/\nlast$/);
    expect(excerpt.length).toBeLessThan(300_000);
    expect(readExcerpt(root, 'none.log')).toBe('');
  });

  it('follows no link and waits for no FIFO', () => {
    writeFileSync(join(root, 'precious'), 'mine');
    symlinkSync(join(root, 'precious'), join(root, 'link.log'));
    execFileSync('mkfifo', [join(root, 'fifo.log')]);
    expect(readExcerpt(root, 'link.log')).toContain('link.log is a symbolic link.');
    expect(readExcerpt(root, 'fifo.log')).toContain('fifo.log is a FIFO.');
    mkdirSync(join(root, 'real'));
    renameSync(join(root, 'precious'), join(root, 'real', 'precious'));
    symlinkSync(join(root, 'real'), join(root, 'logs'));
    expect(readExcerpt(root, 'logs/precious')).toContain('logs is a symbolic link.');
  });
});
