import {createHash} from 'node:crypto';
import {constants, copyFile, link, lstat, mkdir, mkdtemp, open, rm} from 'node:fs/promises';
import {dirname, extname, join, relative} from 'node:path';
import {fail, failure, messageOf, ok, type Result} from '../../failure.ts';
import {withActArtifacts} from './act.ts';
import {temporaryFolder} from './output.ts';

/** What GitHub's page of the run shows of an upload. */
export interface UploadedArtifact {
  readonly id: number;
  readonly url: string;
  /** Files that were left out: links, sockets and the like, and what this user may not read. */
  readonly leftOut: readonly string[];
  /** Files with a name that an artifact cannot have, relative to the root, and what they are called in it. */
  readonly renamed: readonly {readonly file: string; readonly name: string}[];
}

export interface ArtifactFiles {
  /** As the user gave it; must be a valid artifact name. */
  readonly name: string;
  /** Absolute paths below `root`. */
  readonly files: readonly string[];
  readonly root: string;
  /** Undefined for the repository's setting. */
  readonly retentionDays: number | undefined;
  /** For a moment; a folder of the runner's by default. */
  readonly tempDir?: string;
}

/**
 * Uploads the files as one artifact of this run, in place of one with that name that an earlier attempt left.
 * Undefined where there is no artifact service (outside GitHub and act): the files are on disk all the same.
 */
export async function uploadArtifact(
  artifact: ArtifactFiles,
): Promise<Result<UploadedArtifact | undefined>> {
  const {env} = process;
  if (!env['ACTIONS_RUNTIME_TOKEN'] || !env['ACTIONS_RESULTS_URL']) {
    return ok();
  }
  const {name, root, retentionDays, tempDir = temporaryFolder()} = artifact;
  let stage: string | undefined;
  try {
    stage = await mkdtemp(join(tempDir, 'stack-artifact-'));
    const {files, ...told} = await stageFiles(artifact.files, root, stage);
    const upload = {name, files, root: stage, retentionDays};
    const id = await withActArtifacts(() => uploadInPlace(upload));
    const run = `${env['GITHUB_SERVER_URL']}/${env['GITHUB_REPOSITORY']}/actions/runs/${env['GITHUB_RUN_ID']}`;
    return ok({id, url: `${run}/artifacts/${id}`, ...told});
  } catch (error) {
    const message = `The artifact ${name} could not be uploaded: ${messageOf(error)}`;
    return fail(failure('registry-unavailable', message));
  } finally {
    if (stage !== undefined) await rm(stage, {recursive: true, force: true});
  }
}

interface Staged {
  /** In the stage. */
  readonly files: readonly string[];
  readonly leftOut: UploadedArtifact['leftOut'];
  readonly renamed: UploadedArtifact['renamed'];
}

/**
 * Tests drop what they like into the folders of a run. The library follows links, so one could carry any file of the
 * machine out; it refuses the whole artifact for one odd name, and ends the process when a file cannot be read. So it
 * gets a folder of its own, in which each file is a second name of one that was looked at.
 */
async function stageFiles(files: readonly string[], root: string, stage: string): Promise<Staged> {
  const staged = {
    files: [] as string[],
    leftOut: [] as string[],
    renamed: [] as {file: string; name: string}[],
  };
  for (const path of files) {
    const file = relative(root, path);
    const name = artifactName(file);
    const target = join(stage, name);
    if (!(await stageFile(path, target))) {
      staged.leftOut.push(path);
      continue;
    }
    staged.files.push(target);
    if (name !== file) staged.renamed.push({file, name});
  }
  return staged;
}

/** False for what is no file of its own, or cannot be read. */
async function stageFile(path: string, target: string): Promise<boolean> {
  try {
    // A FIFO would make a plain open wait for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return false;
      await mkdir(dirname(target), {recursive: true});
      // The folder may be on another disk.
      await link(path, target).catch(() => copyFile(path, target, constants.COPYFILE_EXCL));
      return (await lstat(target)).isFile();
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

/** What a name in an artifact must not have, and what unzip reads as the border of a folder elsewhere. */
const oddCharacters = /[":<>|*?\\\p{Cc}]/gu;
const longestName = 200;

/** A path that an artifact can have: the same wherever it can be, else with a hash, so that no two become one. */
export function artifactName(file: string): string {
  const parts = file.split('/').map((part) => {
    const plain = part.replace(oddCharacters, '-');
    const ending = extname(plain).slice(0, 20);
    const isLong = Buffer.byteLength(plain) > longestName;
    return isLong ? `${cutBytes(plain, longestName - 20)}${ending}` : plain;
  });
  const plain = parts.join('/');
  if (plain === file) return file;
  const hash = createHash('sha256').update(file).digest('hex').slice(0, 8);
  const ending = extname(plain);
  return `${plain.slice(0, plain.length - ending.length)}-${hash}${ending}`;
}

function cutBytes(text: string, bytes: number): string {
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString()
    .replace(/\ufffd+$/, '');
}

async function uploadInPlace({name, files, root, retentionDays}: ArtifactFiles): Promise<number> {
  const {DefaultArtifactClient} = await import(/* webpackIgnore: true */ './artifact-client.ts');
  const client = new DefaultArtifactClient();
  const options = retentionDays === undefined ? {} : {retentionDays};
  const upload = async (): Promise<number> => {
    const {id} = await client.uploadArtifact(name, [...files], root, options);
    if (id === undefined) throw new Error('the service returned no id');
    return id;
  };
  try {
    return await upload();
  } catch (error) {
    // Attempts of one run share the names of their artifacts, and a finished one cannot be changed.
    if (!(error instanceof Error && error.message.includes('(409)'))) throw error;
    await client.deleteArtifact(name);
    return await upload();
  }
}
