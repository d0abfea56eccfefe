import {execFileSync} from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {withEncodedPadding, withoutMimeType} from '../../../src/adapters/github/act.ts';
import {
  type ArtifactFiles,
  artifactName,
  uploadArtifact,
} from '../../../src/adapters/github/artifact.ts';
import {type ResultsService, startResultsService} from '../../support/servers/results-service.ts';

const names = [
  'ACT',
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_RESULTS_URL',
  'ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY',
  'GITHUB_SERVER_URL',
  'GITHUB_REPOSITORY',
  'GITHUB_RUN_ID',
] as const;

let root: string;
let artifact: ArtifactFiles;
let service: ResultsService | undefined;
const before = new Map(names.map((name) => [name, process.env[name]]));

function setEnvironment(values: Partial<Record<(typeof names)[number], string>>): void {
  for (const name of names) {
    const value = values[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

async function start(kind: 'github' | 'act'): Promise<ResultsService> {
  service = await startResultsService(kind);
  setEnvironment({
    ...(kind === 'act' ? {ACT: 'true'} : {}),
    ACTIONS_RUNTIME_TOKEN: service.token,
    ACTIONS_RESULTS_URL: service.url,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_RUN_ID: '42',
  });
  return service;
}

/** The files of a zip, by asking unzip's Python sister, which every runner has. */
function filesOf(zip: Buffer): Record<string, string> {
  const file = join(root, 'artifact.zip');
  writeFileSync(file, zip);
  const script =
    'import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\n' +
    'print(json.dumps({n: z.read(n).decode() for n in z.namelist()}))';
  return JSON.parse(execFileSync('python3', ['-c', script, file]).toString());
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'artifact-test-'));
  mkdirSync(join(root, 'logs'));
  writeFileSync(join(root, 'logs', 'run.log'), 'hello\n');
  writeFileSync(join(root, 'plan.json'), '{}');
  const files = [join(root, 'logs', 'run.log'), join(root, 'plan.json')];
  artifact = {name: 'build-artifacts', files, root, retentionDays: undefined};
});
afterEach(async () => {
  await service?.close();
  service = undefined;
  setEnvironment(Object.fromEntries([...before].filter(([, value]) => value !== undefined)));
  rmSync(root, {recursive: true, force: true});
});

describe('the artifact of a run', () => {
  it.each(['github', 'act'] as const)('is uploaded whole to %s', async (kind) => {
    const {artifacts} = await start(kind);
    expect(await uploadArtifact(artifact)).toEqual({
      ok: true,
      value: {
        id: 4711,
        url: 'https://github.com/o/r/actions/runs/42/artifacts/4711',
        leftOut: [],
        renamed: [],
      },
    });
    const zip = artifacts.get('build-artifacts');
    if (zip === undefined) throw new Error('nothing was uploaded');
    expect(filesOf(zip)).toEqual({'logs/run.log': 'hello\n', 'plan.json': '{}'});
  });

  it('takes the place of the one that an earlier attempt left', async () => {
    const {artifacts, calls} = await start('github');
    artifacts.set('build-artifacts', Buffer.from('old'));
    expect(await uploadArtifact(artifact)).toMatchObject({ok: true, value: {id: 4711}});
    expect(calls.slice(0, 4)).toEqual([
      'CreateArtifact',
      'ListArtifacts',
      'DeleteArtifact',
      'CreateArtifact',
    ]);
    expect(filesOf(artifacts.get('build-artifacts') ?? Buffer.alloc(0))).toHaveProperty([
      'plan.json',
    ]);
  });

  it('leaves out what is no file of its own or cannot be read, and names it', async () => {
    const {artifacts} = await start('github');
    const link = join(root, 'logs', 'link');
    symlinkSync('/etc/hostname', link);
    const pipe = join(root, 'logs', 'pipe');
    execFileSync('mkfifo', [pipe]);
    const leftOut = [link, pipe, join(root, 'gone'), join(root, 'logs')];
    const result = await uploadArtifact({...artifact, files: [...artifact.files, ...leftOut]});
    expect(result).toMatchObject({ok: true, value: {leftOut}});
    const names = Object.keys(filesOf(artifacts.get('build-artifacts') ?? Buffer.alloc(0)));
    expect(names.toSorted()).toEqual(['logs/run.log', 'plan.json']);
  });

  it('has files with impossible names under other names, which no two of them share', async () => {
    const {artifacts} = await start('github');
    const odd = [
      'a:b.png',
      'a?b.png',
      'a-b.png',
      'line\nbreak.txt',
      'star*.log',
      'pipe|',
      `${'x'.repeat(250)}.txt`,
    ];
    for (const name of odd) writeFileSync(join(root, 'logs', name), name);
    mkdirSync(join(root, 'logs', 'c:d'));
    writeFileSync(join(root, 'logs', 'c:d', 'deep.txt'), 'deep');
    const names = [...odd, 'c:d/deep.txt'].map((name) => join(root, 'logs', name));
    const result = await uploadArtifact({...artifact, files: [...artifact.files, ...names]});
    const files = filesOf(artifacts.get('build-artifacts') ?? Buffer.alloc(0));
    expect(Object.values(files).sort()).toEqual([...odd, 'deep', 'hello\n', '{}'].sort());
    expect(Object.keys(files).filter((name) => /[":<>|*?\r\n]/.test(name))).toEqual([]);
    expect(files).toHaveProperty(['logs/a-b.png'], 'a-b.png');
    expect(result.ok && result.value?.leftOut).toEqual([]);
    expect(result.ok && result.value?.renamed.length).toBe(odd.length);
    // On disk everything is as it was.
    expect(existsSync(join(root, 'logs', 'a:b.png'))).toBe(true);
  });

  it('follows no link that takes the place of a file after it was found', async () => {
    const {artifacts} = await start('github');
    rmSync(join(root, 'plan.json'));
    symlinkSync('/etc/hostname', join(root, 'plan.json'));
    const result = await uploadArtifact(artifact);
    expect(result).toMatchObject({ok: true, value: {leftOut: [join(root, 'plan.json')]}});
    expect(Object.keys(filesOf(artifacts.get('build-artifacts') ?? Buffer.alloc(0)))).toEqual([
      'logs/run.log',
    ]);
  });

  it('leaves nothing in the folder that it borrows', async () => {
    await start('github');
    const tempDir = join(root, 'temp');
    mkdirSync(tempDir);
    await uploadArtifact({...artifact, tempDir});
    expect(readdirSync(tempDir)).toEqual([]);
  });

  it('is not uploaded where there is no service', async () => {
    setEnvironment({GITHUB_SERVER_URL: 'https://github.com'});
    expect(await uploadArtifact(artifact)).toEqual({ok: true, value: undefined});
  });

  it.each([
    ['a name that cannot be', {name: 'a:b'}, 'a:b'],
    ['no file', {files: []}, 'No files'],
  ])('makes a failure of %s, not an exception', async (_, change, words) => {
    await start('github');
    const result = await uploadArtifact({...artifact, ...change});
    expect(result.ok ? '' : result.error.message).toContain(words);
  });

  it('makes a failure of a service that is not there', async () => {
    const {close} = await start('github');
    await close();
    const result = await uploadArtifact(artifact);
    expect(result.ok ? '' : result.error.message).toContain('ECONNREFUSED');
  });

  it('leaves the environment as it was under act', async () => {
    const {url} = await start('act');
    await uploadArtifact(artifact);
    expect(process.env['ACTIONS_RESULTS_URL']).toBe(url);
    expect(process.env).not.toHaveProperty('ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY');
  });
});

describe('a name in the artifact', () => {
  it('is possible, short enough, and no other file has it', () => {
    const part = fc.oneof(
      fc.string({unit: 'binary', minLength: 1, maxLength: 5}),
      fc.constantFrom(
        'a:b',
        'a?b',
        'a-b',
        'x'.repeat(255),
        `${'é'.repeat(127)}`,
        'a.png',
        '.x',
        'NUL',
      ),
    );
    const name = part
      .map((text) => text.replace(/[/\0]/g, '_'))
      .filter((text) => !/^\.{1,2}$/.test(text));
    const path = fc.array(name, {minLength: 1, maxLength: 3}).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path, {maxLength: 8}), (paths) => {
        const given = paths.map(artifactName);
        expect(new Set(given).size).toBe(paths.length);
        for (const one of given) {
          expect(one).not.toMatch(/[":<>|*?\\\r\n]/);
          for (const component of one.split('/')) {
            expect(Buffer.byteLength(component)).toBeLessThanOrEqual(255);
          }
        }
      }),
      {numRuns: 1000},
    );
  });
});

describe('the front for act', () => {
  it('takes the mime type out of a request and leaves the rest', () => {
    const body = {name: 'a', mime_type: {value: 'application/zip'}, version: 7};
    expect(JSON.parse(withoutMimeType(JSON.stringify(body)))).toEqual({name: 'a', version: 7});
  });

  it.each([
    ['{"u":"http://h/p?sig=ab=&x=y="}', '{"u":"http://h/p?sig=ab%3D&x=y="}'],
    ['{"u":"http://h/p?x=y&sig=ab=="}', '{"u":"http://h/p?x=y&sig=ab%3D%3D"}'],
    ['{"u":"http://h/p?sig=ab&x=="}', '{"u":"http://h/p?sig=ab&x=="}'],
    ['not json', 'not json'],
  ])('encodes the padding of a signature: %s', (text, expected) => {
    expect(withEncodedPadding(text)).toBe(expected);
  });
});
