/** Paths of what a run writes in the workspace. */

/** Folders of the workspace that are the action's own, and are uploaded. */
export const outputFolders = {
  logs: 'logs',
  artifacts: 'artifacts',
  manifests: 'manifests',
} as const;

/** The job log as a file. */
export const runLog = `${outputFolders.logs}/run.log`;
