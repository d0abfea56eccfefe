import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openLog} from '../../../src/adapters/files/log.ts';

describe('openLog', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
  });
  afterEach(() => rmSync(folder, {recursive: true}));

  it('has on disk what was written, before it is closed', async () => {
    const path = join(folder, 'deep', 'a.log');
    const log = openLog(path, []);
    log.write(Buffer.from('as it comes\n'));
    expect(readFileSync(path, 'utf8')).toBe('as it comes\n');
    await log.close();
  });

  it('writes the end that could have been a secret when it is closed', async () => {
    const path = join(folder, 'a.log');
    const log = openLog(path, ['hunter2']);
    log.write(Buffer.from('hunter2 and hunt'));
    await log.close();
    expect(readFileSync(path, 'utf8')).toBe('*** and hunt');
  });

  it('goes on where an earlier step ended, or begins anew', async () => {
    const path = join(folder, 'a.log');
    for (const [append, text] of [
      [false, 'old\n'],
      [false, 'new\n'],
      [true, 'more\n'],
    ] as const) {
      const log = openLog(path, [], {append});
      log.write(Buffer.from(text));
      await log.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('new\nmore\n');
  });

  it('says that it cannot be written, and lets the work go on', async () => {
    writeFileSync(join(folder, 'file'), '');
    const log = openLog(join(folder, 'file', 'a.log'), []);
    log.write(Buffer.from('lost'));
    await log.close();
    expect(log.problem()).toMatch(/ENOTDIR|EEXIST/);
  });
});
