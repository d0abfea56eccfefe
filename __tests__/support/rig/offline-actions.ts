import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

const projectRoot = resolve(import.meta.dirname, '../../..');
const front = join(projectRoot, 'src/adapters/github/act.ts');
const library = join(projectRoot, 'node_modules/@actions/artifact/lib/artifact.js');

/** Inputs as the runner hands them, and the client of GitHub's own library, through the front that act needs. */
const preamble = `
import {DefaultArtifactClient} from ${JSON.stringify(library)};
import {withActArtifacts} from ${JSON.stringify(front)};
import {dirname, join, resolve} from 'node:path';
const input = (name) => process.env[["INPUT", name.toUpperCase()].join("_")] ?? "";
const client = new DefaultArtifactClient();
`;

/** What each does with the inputs that the reusable workflow gives it; all else is missing. */
const scripts: Readonly<Record<string, string>> = {
  'upload-artifact': `${preamble}
const file = resolve(input('path'));
await withActArtifacts(() => client.uploadArtifact(input('name'), [file], dirname(file)));
`,
  // As actions/download-artifact since v5: a folder for each, unless there is only one.
  'download-artifact': `${preamble}
await withActArtifacts(async () => {
  const start = input('pattern').replace(/\\*$/, '');
  const {artifacts} = await client.listArtifacts({latest: true});
  const found = artifacts.filter(({name}) => name.startsWith(start));
  for (const {id, name} of found) {
    const path = found.length === 1 ? resolve(input('path')) : resolve(input('path'), name);
    await client.downloadArtifact(id, {path});
  }
});
`,
  'setup-python': '',
};

/**
 * Stands for the actions of others that a workflow names, where there is no network: folders by `owner/name@ref`.
 * They are not those actions: they show that ours gets its inputs and files, not that theirs work.
 */
export function standInsFor(workflow: string): {
  readonly folder: string;
  readonly standIns: Readonly<Record<string, string>>;
} {
  const folder = mkdtempSync(join(tmpdir(), 'act-stand-ins-'));
  const standIns: Record<string, string> = {};
  for (const [, name = '', ref = ''] of workflow.matchAll(
    /uses: actions\/([a-z-]+)@([0-9a-f]+)/g,
  )) {
    const script = scripts[name];
    if (script === undefined) continue;
    const own = join(folder, name);
    mkdirSync(own, {recursive: true});
    writeFileSync(
      join(own, 'action.yml'),
      'name: stand-in\nruns: {using: node24, main: main.mjs}\n',
    );
    writeFileSync(join(own, 'main.mjs'), script);
    standIns[`actions/${name}@${ref}`] = own;
  }
  return {folder, standIns};
}
