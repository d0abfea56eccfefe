/** What planning costs where much is shared or nothing answers: `mode: plan` of the bundle. */
import {rm} from 'node:fs/promises';
import {startRegistry} from '../__tests__/support/servers/registry-server.ts';
import {expectGood, peakOf, type Row, type Timed, timedStep, took} from './measure.ts';
import {checkedOut} from './stacks.ts';

const sharedFiles = 800;

/** So many images whose contexts are one folder of 800 files, beside 50 images with a folder of their own each. */
export async function sharedRows(counts: readonly number[]): Promise<readonly Row[]> {
  const own = await planOf(50, (index) => `images/image${index}`, sharedFiles / 50);
  const large = await planOf(50, (index) => `images/image${index}`, sharedFiles);
  const shared = 'of 800 files for all';
  const rows: Row[] = [
    {
      what: `plan of 50 images, each with a context of its own of ${sharedFiles / 50} files`,
      bound: '',
      measured: took(own),
      ...peakOf(own),
      holds: true,
    },
    {
      what: `plan of 50 images, each with a context of its own of ${sharedFiles} files`,
      bound: '',
      measured: took(large),
      ...peakOf(large),
      holds: true,
    },
  ];
  for (const count of counts) {
    const run = await planOf(count, () => 'images/all', sharedFiles);
    const isBounded = count >= 50;
    const ratio = (run.cpu ?? 0) / (own.cpu ?? 1);
    rows.push({
      what: `plan of ${count} images on one context ${shared}`,
      bound: isBounded ? '≤ 2 x the CPU of 50 contexts with 800 files together' : '',
      measured: `${took(run)}, ${ratio.toFixed(2)} x`,
      limit: 'start, git, the first look at each file',
      ...peakOf(run),
      holds: !isBounded || ratio <= 2,
    });
  }
  return rows;
}

async function planOf(
  count: number,
  contextOf: (index: number) => string,
  files: number,
): Promise<Timed<unknown>> {
  const server = await startRegistry();
  const names = Array.from({length: count}, (_, index) => `image${index}`);
  const tree: Record<string, string> = {};
  const entries = names.map((name, index) => {
    const context = contextOf(index);
    tree[`images/${name}/Dockerfile`] = 'FROM scratch\nCOPY . /x\n';
    for (let file = 0; file < files; file++)
      tree[`${context}/data/${file % 20}/f${file}`] = `${context} ${file}\n`;
    const place =
      context === `images/${name}` ? '' : `, context: ../all, dockerfile: ../${name}/Dockerfile`;
    return `  ${name}: {image_name: "${server.host}/o/${name}"${place}}`;
  });
  tree['images/spec.yml'] = ['images:', ...entries, 'tag: {prefix: "1"}', ''].join('\n');
  const stack = await checkedOut(tree, `${server.host}/o`, names);
  const run = await timedStep(stack.request({mode: 'plan'}));
  expectGood(run.value);
  await server.close();
  await rm(stack.root, {recursive: true});
  return run;
}

/** So many images, each from another image of a registry whose name does not resolve, and of one that does not answer. */
export async function deadRows(counts: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const host of ['registry.invalid', '127.0.0.1:9']) {
    for (const count of counts) {
      const server = await startRegistry();
      const names = Array.from({length: count}, (_, index) => `image${index}`);
      const files: Record<string, string> = {};
      for (const name of names) files[`images/${name}/Dockerfile`] = `FROM ${host}/o/${name}:1\n`;
      files['images/spec.yml'] = [
        'images:',
        ...names.map((name) => `  ${name}: {image_name: "${server.host}/o/${name}"}`),
        'tag: {prefix: "1"}',
        '',
      ].join('\n');
      const stack = await checkedOut(files, `${server.host}/o`, names);
      const run = await timedStep(stack.request({mode: 'plan'}));
      expectGood(run.value);
      const sentences = run.value.stdout.split('\n').filter((line) => line.includes(host)).length;
      const isBounded = count >= 300;
      rows.push({
        what: `plan of ${count} images on ${count} bases of ${host === 'registry.invalid' ? 'a registry that does not exist' : 'a registry that is down'}`,
        bound: isBounded ? '≤ 5 s, one sentence' : '',
        measured: `${took(run)}, ${sentences} lines in the log`,
        limit: 'start, and one question for each image to the registry of the stack',
        ...peakOf(run),
        holds: !isBounded || (run.seconds <= 5 && sentences === 1),
      });
      await server.close();
      await rm(stack.root, {recursive: true});
    }
  }
  return rows;
}
