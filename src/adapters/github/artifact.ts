import {access, constants, lstat} from 'node:fs/promises';
import {fail, messageOf, ok, type Result} from '../../failure.ts';
import {withActArtifacts} from './act.ts';

/** What GitHub's page of the run shows of an upload. */
export interface UploadedArtifact {
  readonly id: number;
  readonly url: string;
  /** Files that were left out: links, sockets and the like, and what this user may not read. */
  readonly leftOut: readonly string[];
}

export interface ArtifactFiles {
  /** As the user gave it; must be a valid artifact name. */
  readonly name: string;
  /** Absolute paths below `root`. */
  readonly files: readonly string[];
  readonly root: string;
  /** Undefined for the repository's setting. */
  readonly retentionDays: number | undefined;
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
  try {
    const readable = await Promise.all(artifact.files.map(isReadableFile));
    const files = artifact.files.filter((_, index) => readable[index] === true);
    const leftOut = artifact.files.filter((_, index) => readable[index] !== true);
    const id = await withActArtifacts(() => uploadInPlace({...artifact, files}));
    const run = `${env['GITHUB_SERVER_URL']}/${env['GITHUB_REPOSITORY']}/actions/runs/${env['GITHUB_RUN_ID']}`;
    return ok({id, url: `${run}/artifacts/${id}`, leftOut});
  } catch (error) {
    const cause = messageOf(error);
    const message = `The artifact ${artifact.name} could not be uploaded: ${cause}`;
    const failure = {reason: 'internal', class: 'registry-unavailable', message, tail: []} as const;
    return fail(failure);
  }
}

async function uploadInPlace({name, files, root, retentionDays}: ArtifactFiles): Promise<number> {
  // Loaded when it is needed: the library takes longer to load than everything else together. Eager keeps it in
  // the one file of dist/.
  const {DefaultArtifactClient} = await import(/* webpackMode: "eager" */ '@actions/artifact');
  const client = new DefaultArtifactClient();
  const options = retentionDays === undefined ? {} : {retentionDays};
  const upload = async (): Promise<number> => {
    const {id} = await client.uploadArtifact(name, [...files], root, options);
    if (id === undefined) throw new Error('the service gave it no id');
    return id;
  };
  try {
    return await upload();
  } catch (error) {
    // Attempts of one run share the names of their artifacts, and one that stands cannot be changed.
    if (!(error instanceof Error && error.message.includes('(409)'))) throw error;
    await client.deleteArtifact(name);
    return await upload();
  }
}

/**
 * Tests drop what they like into the folders of a run. The library follows links, so one could carry any file of
 * the machine out, and it ends the whole process when a file cannot be read.
 */
async function isReadableFile(file: string): Promise<boolean> {
  try {
    const stats = await lstat(file);
    await access(file, constants.R_OK);
    return stats.isFile();
  } catch {
    return false;
  }
}
