// Written by scripts/update-flags.ts from action.yml and package.json.
export interface Flag {
  /** The input of action.yml. */
  readonly name: string;
  readonly description: string;
  readonly fallback: string;
  /** Takes true and false, and means true when it stands alone. */
  readonly isSwitch: boolean;
  /** Given twice, it has the items of both. */
  readonly isList: boolean;
}

export const version = '1.0.0';

// biome-ignore format: one shape for every row
export const flags: readonly Flag[] = [
  {
    name: 'mode',
    description: '`build` (plan, build, test, push, document), `plan` (say what build would do and why), `tag` (give a tested set its stable tag), `report` (merge the results of several runners), `init` (write spec.yml and a workflow for a tree of Dockerfiles) or `doctor` (say what to mend in the repository and its workflows)',
    fallback: 'build',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'stack-dir',
    description: 'Folder with `spec.yml`, `change_ignore.json`, `tests_common/` and one folder per image',
    fallback: 'images',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'images',
    description: 'Restrict the run to these image keys (comma or newline list); all by default',
    fallback: '',
    isSwitch: false,
    isList: true,
  },
  {
    name: 'rebuild',
    description: '`auto` builds what the event changed, `all` builds every image; or a list of image keys to build whatever changed',
    fallback: 'auto',
    isSwitch: false,
    isList: true,
  },
  {
    name: 'reuse',
    description: '`auto` reuses an image of the same content that passed the same tests, except where a fresh build is the wish (default branch, schedule, dispatch); `always` reuses there too; `never`',
    fallback: 'auto',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'registry',
    description: 'Registry that `username` and `password` are for; by default the host of the image names',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'username',
    description: 'User name of the registry',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'password',
    description: 'Password or token of the registry; by default the login that an earlier step made, and for ghcr.io the `github-token`, which is never sent anywhere else',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'github-token',
    description: "Token for GitHub's API and the wiki",
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'push',
    description: '`auto` pushes, on pull requests only where the registry grants it, and never from a fork; `true` makes a missing permission an error on pull requests too; `false`',
    fallback: 'auto',
    isSwitch: true,
    isList: false,
  },
  {
    name: 'fail-fast',
    description: '`true` starts no further image after a failure; `false` stops only the descendants of the failed image',
    fallback: 'true',
    isSwitch: true,
    isList: false,
  },
  {
    name: 'concurrency',
    description: 'Builds at once; tests and pushes have as many slots of their own; 1 does one step after the other in the order of the tree; by default the number of CPUs',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'default-branch',
    description: 'The branch whose builds may go to production; from the event, else `main`',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'tag-prefix',
    description: 'First part of the tags, for example `2026.3`; by default `tag.prefix` of spec.yml',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'tag-suffix',
    description: '`branch`, or `sha` for the 7-character commit hash',
    fallback: 'branch',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'source-tag',
    description: 'mode tag: the tag to promote, for example `2026.3-main`',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'target',
    description: 'mode tag: `stable` gives `<prefix>-stable`, `global-stable` gives `stable`',
    fallback: 'stable',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'restore',
    description: 'mode tag: path of the `promotion.json` of an earlier run; every tag that it moved gets the digest it had before',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'dry-run',
    description: 'Say what would be done, and do nothing outside the workspace',
    fallback: 'false',
    isSwitch: true,
    isList: false,
  },
  {
    name: 'wiki',
    description: '`auto` publishes pages after a green build on the default branch and after a real tag run; `true`; `false`',
    fallback: 'auto',
    isSwitch: true,
    isList: false,
  },
  {
    name: 'builder',
    description: "Name of a buildx builder; by default docker's own",
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'cache',
    description: 'Where build cache lives: `inline`, `registry`, `gha` or `none`',
    fallback: 'inline',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'comment',
    description: 'Keep one updated comment with the result on the pull request',
    fallback: 'false',
    isSwitch: true,
    isList: false,
  },
  {
    name: 'timeout-minutes',
    description: 'Deadline for one step of one image; 0 means the built-in deadlines',
    fallback: '0',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'max-legs',
    description: 'mode plan: at most so many entries of `matrix` (never over 256); what hangs together and small images share one',
    fallback: '20',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'platform',
    description: 'One leg of a matrix: images that have several platforms are built for this one only, under the tag `<tag>-<os>-<arch>`; `mode: report` joins them',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'parents',
    description: '`auto` builds a parent outside of `images` that is not there as the checkout says; `ready` (one leg of a matrix) takes what earlier legs of this run built, and stops where one did not',
    fallback: 'auto',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'artifact-name',
    description: 'Name of the uploaded artifact; by default `build-artifacts` or `tag-artifacts`',
    fallback: '',
    isSwitch: false,
    isList: false,
  },
  {
    name: 'retention-days',
    description: "Days the artifact is kept; by default the repository's setting",
    fallback: '',
    isSwitch: false,
    isList: false,
  },
];
