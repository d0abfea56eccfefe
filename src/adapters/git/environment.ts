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

/** What git needs of the job's environment: programs, proxies, certificates. No token of the job among it. */
const inherited = [
  'PATH',
  'HOME',
  'XDG_CONFIG_HOME',
  'TMPDIR',
  'RUNNER_TRACKING_ID',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]),
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'CURL_CA_BUNDLE'],
] as const;

const author = {
  name: 'github-actions[bot]',
  email: '41898282+github-actions[bot]@users.noreply.github.com',
} as const;

/**
 * The whole environment of a git that speaks to the wiki. The token goes through GIT_CONFIG_* (git 2.31): never
 * an argument, an address or a file. Settings of the machine that would change bytes, ask somebody, or send
 * another credential are put out of force.
 */
export function wikiEnvironment(remote: WikiRemote): Readonly<Record<string, string>> {
  const config = [...plainConfig, ...authorization(remote)];
  return {
    ...Object.fromEntries(
      inherited.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
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
