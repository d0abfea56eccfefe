import type {Run} from '../../run/index.ts';

/** The commit that images are built from, for their label and record. */
export interface Revision {
  readonly commit: string;
  /** Set where it is not the commit of the event. */
  readonly warning?: string;
}

/** A workflow may check out another commit than the one it runs for: then that one is in the images. */
export async function revisionOf({
  event,
  changes,
}: Pick<Run, 'event' | 'changes'>): Promise<Revision> {
  const {sha, headSha} = event;
  const head = await changes.git.commitOf('HEAD');
  if (!head.ok || sha === '' || head.value === sha || head.value === headSha)
    return {commit: headSha};
  const tagged = await changes.git.commitOf(sha);
  if (tagged.ok && tagged.value === head.value) return {commit: headSha};
  const [own, other] = [head.value, sha].map((commit) => commit.slice(0, 7));
  return {
    commit: head.value,
    warning: `The checkout is at ${own}, but this run is for commit ${other}. The images are built from ${own}, and their label says so.`,
  };
}
