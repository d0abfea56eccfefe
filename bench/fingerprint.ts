import {randomBytes} from 'node:crypto';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {makeWorkspace} from '../__tests__/support/rig/runner.ts';
import {alone} from './alone.ts';
import {type Row, seconds, timedShell} from './measure.ts';

interface Shape {
  readonly what: string;
  readonly files: number;
  readonly bytes: number;
}

/** The fingerprint of large contexts and of many files, beside `sha256sum` on the same files. */
export async function fingerprintRows(
  megabytes: readonly number[],
  counts: readonly number[],
): Promise<readonly Row[]> {
  const shapes: readonly Shape[] = [
    ...megabytes.map((size) => ({
      what: `${size} MB`,
      files: size * 4,
      bytes: 256 * 1024,
    })),
    ...counts.map((files) => ({what: `${files} files of 200 bytes`, files, bytes: 200})),
  ];
  const rows: Row[] = [];
  for (const {what, files, bytes} of shapes) {
    const root = await makeWorkspace({'a/Dockerfile': 'FROM scratch\n'});
    for (let index = 0; index < files; index++) {
      const folder = join(root, `a/data/${Math.floor(index / 100)}`);
      if (index % 100 === 0) await mkdir(folder, {recursive: true});
      await writeFile(join(folder, `f${index}`), randomBytes(bytes));
    }
    const ours = await alone('fingerprint', root);
    const tool = await timedShell('find a -type f -print0 | xargs -0 sha256sum', root);
    await rm(root, {recursive: true});
    rows.push({
      what: `fingerprint of a context of ${what}`,
      bound: '',
      measured: `${seconds(ours.ms / 1000)} (sha256sum: ${seconds(tool.seconds)})`,
      limit: bytes > 1000 ? 'SHA-256' : 'one open, read and close for each file',
      peakMb: ours.peakMb,
      holds: true,
    });
  }
  return rows;
}
