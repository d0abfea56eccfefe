import {gitEnvironment} from '../process/index.ts';

/** A repository on a GitHub server, and the token that may push to its wiki. */
export interface WikiRemote {
  /** `https://github.com`, without a slash at the end. */
  readonly serverUrl: string;
  /** `owner/name` */
  readonly repository: string;
  /** Empty means none. */
  readonly token: string;
}

/** Where git finds the wiki. */
export function wikiUrl({serverUrl, repository}: WikiRemote): string {
  return `${serverUrl}/${repository}.wiki.git`;
}

/** Where a person finds the wiki, or one page of it. */
export function wikiPageUrl({serverUrl, repository}: WikiRemote): string {
  return `${serverUrl}/${repository}/wiki`;
}

const author = {
  name: 'github-actions[bot]',
  email: '41898282+github-actions[bot]@users.noreply.github.com',
} as const;

/**
 * The whole environment of a git that speaks to the wiki. The token goes through GIT_CONFIG_* (git 2.31): never
 * an argument, an address or a file. Settings of the machine that would change bytes, ask a question, or send
 * another credential are overridden.
 */
export function wikiEnvironment(remote: WikiRemote): Readonly<Record<string, string>> {
  const config = [...plainConfig, ...authorization(remote)];
  return {
    ...gitEnvironment(),
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

const plainConfig: readonly (readonly [string, string])[] = [
  ['credential.helper', ''],
  ['core.hooksPath', '/dev/null'],
  ['core.symlinks', 'false'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['push.followTags', 'false'],
  ['init.defaultBranch', 'master'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
];

function authorization(remote: WikiRemote): readonly (readonly [string, string])[] {
  if (remote.token === '') return [];
  const key = `http.${wikiUrl(remote)}.extraheader`;
  const basic = Buffer.from(`x-access-token:${remote.token}`).toString('base64');
  return [
    // Two Authorization headers are refused: an empty value drops what the machine's settings have.
    [key, ''],
    [key, `Authorization: Basic ${basic}`],
  ];
}
