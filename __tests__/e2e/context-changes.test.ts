import {spawnSync} from 'node:child_process';
import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {openContexts} from '../../src/adapters/build-context/index.ts';
import {createChance} from '../support/builders/chance.ts';
import {
  changeOne,
  describeFolder,
  fillContext,
  type RandomBuild,
  randomBuild,
} from '../support/builders/contexts.ts';

/** The image that RUN needs; bootstrap made it. */
const base = 'debian:bookworm-slim';
/** `SOAK_SECONDS=600 SOAK_SEED=7 npx vitest run --project e2e __tests__/e2e/context-changes.test.ts` */
const seconds = Number(process.env['SOAK_SECONDS'] ?? 25);
const seed = Number(process.env['SOAK_SEED'] ?? 1);
const changesEach = 8;

const root = mkdtempSync(join(tmpdir(), 'context-changes-'));
afterAll(() => rmSync(root, {recursive: true, force: true}));

const context = join(root, 'ctx');

/** What is in the image; undefined when docker cannot build it. */
function build(): string | undefined {
  const out = join(root, 'out');
  rmSync(out, {recursive: true, force: true});
  const options = ['--no-cache', '--quiet', '--file', 'Dockerfile'];
  const {status, stderr} = spawnSync(
    'docker',
    ['buildx', 'build', ...options, '--output', `type=local,dest=${out}`, 'ctx'],
    {cwd: root, encoding: 'utf8'},
  );
  if (status === 0) return describeFolder(out);
  // A machine that cannot build shows nothing about files.
  const isOurs = /not found|no such file|cannot|not a directory|cp:|too many links/i.test(stderr);
  if (!isOurs) throw new Error(stderr);
  return undefined;
}

async function hash({sources}: RandomBuild): Promise<string> {
  const result = await openContexts(root, []).hashContext({
    context: 'ctx',
    dockerfile: 'Dockerfile',
    uses: {sources, unresolved: undefined},
    watch: [],
  });
  if (!result.ok) throw new Error(result.error.message);
  return result.value.digest;
}

describe('one file of a context is changed at a time', () => {
  it('and no change of the image goes unseen', async () => {
    const unseen: unknown[] = [];
    const counts = {builds: 0, changed: 0, same: 0, sameButCounted: 0};
    const end = Date.now() + seconds * 1000;
    for (let number = seed * 1000; Date.now() < end; number++) {
      const chance = createChance(number);
      rmSync(context, {recursive: true, force: true});
      fillContext(chance, context);
      const random = randomBuild(chance, base);
      writeFileSync(join(root, 'Dockerfile'), random.dockerfile);
      const images = new Map<string, string>();
      let last: {digest: string; image: string} | undefined;
      for (let step = 0; step < changesEach && Date.now() < end; step++) {
        const image = build();
        counts.builds++;
        // Such a Dockerfile mostly stays one that names what is not there.
        if (image === undefined && step === 0) break;
        const digest = await hash(random);
        if (image !== undefined) {
          const known = images.get(digest) ?? image;
          images.set(digest, known);
          if (known !== image) {
            const copy = mkdtempSync(join(tmpdir(), 'unseen-'));
            cpSync(root, copy, {recursive: true, verbatimSymlinks: true});
            unseen.push({number, step, dockerfile: random.dockerfile, known, image, copy});
          }
          if (last !== undefined && last.image !== image) counts.changed++;
          if (last !== undefined && last.image === image) {
            counts.same++;
            if (last.digest !== digest) counts.sameButCounted++;
          }
          last = {digest, image};
        }
        changeOne(chance, context);
      }
    }
    process.stdout.write(`${JSON.stringify({seed, ...counts, unseen: unseen.length})}\n`);
    expect(unseen).toEqual([]);
    expect(counts.changed).toBeGreaterThan(seconds / 5);
    expect(counts.same).toBeGreaterThan(seconds / 5);
    // What a later source overwrites counts, though the image does not show it.
    expect(counts.sameButCounted).toBeLessThan(counts.same * 0.3);
  });
});
