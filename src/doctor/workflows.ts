import type {Result} from '../failure.ts';
import {parseReference} from '../image/reference.ts';
import type {ImageSpec} from '../stack/spec/index.ts';
import {type Job, readJobs, type Step} from './jobs.ts';
import {type DoctorFacts, error, type Finding, note} from './types.ts';

/** What the workflows would do with the stack. `images` is empty where the spec could not be read. */
export function examineWorkflows(
  facts: DoctorFacts,
  images: readonly ImageSpec[],
): readonly Finding[] {
  const unread: Finding[] = [];
  const jobs = facts.files
    .filter((path) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path))
    .flatMap((path) => {
      const read = facts.texts.get(path);
      const found = read?.ok === true ? readJobs(path, read.value) : undefined;
      if (found === undefined) unread.push(unreadable(path, read));
      return found ?? [];
    });
  const isOurs = recognizer(facts);
  const running = jobs.flatMap((job) => {
    const at = job.steps.findIndex((step) => isOurs(step.uses));
    const step = job.steps[at];
    return step === undefined ? [] : [{job, step, before: job.steps.slice(0, at)}];
  });
  const called = jobs.filter(({calls}) => /\/stack-action\/\.github\/workflows\//.test(calls));
  return [
    ...unread,
    ...(running.length + called.length === 0 && !jobs.some(runsCommand) ? [nothingRuns] : []),
    ...running.flatMap((run) => [
      ...checkoutOf(run),
      ...eventOf(run),
      ...permissionsOf(run, images, facts),
      ...builderOf(run, images),
      ...loginsOf(run, images),
    ]),
    ...called.flatMap((job) => callOf(job, images)),
    ...jobs.flatMap(unpinned),
  ];
}

interface Run {
  readonly job: Job;
  readonly step: Step;
  /** The steps before it. */
  readonly before: readonly Step[];
}

const nothingRuns = note(
  '.github/workflows',
  'No workflow runs the stack.',
  'Write one with: npx github:ucsd-ets/stack-action init (it never overwrites), or copy the one of README.',
);

function unreadable(path: string, read: Result<string, string> | undefined): Finding {
  const why = read?.ok === false ? read.error : 'it is not valid YAML.';
  return note(path, `The workflow cannot be read: ${why}`, 'Mend it, and ask again.');
}

/** The command line in a `run:` step. */
function runsCommand({steps}: Job): boolean {
  return steps.some(({run}) => /\bstack-action\b[^\n]* (?:build|plan|tag|report)\b/.test(run));
}

/** `owner/stack-action@v1`, and `./` in the repository of the action itself. */
function recognizer({texts}: DoctorFacts): (uses: string) => boolean {
  const own = texts.get('action.yml');
  const isHere = own?.ok === true && /^name: stack-action$/m.test(own.value);
  return (uses) => /^[^/]+\/stack-action@/.test(uses) || (isHere && /^\.\/?$/.test(uses));
}

/** An expression may be anything: only what is written out is sure. */
function modeOf(step: Step): string {
  return step.input('mode') || 'build';
}

function mayPush(step: Step): boolean {
  const isDry = step.input('dry-run') === 'true' || step.input('push') === 'false';
  return !isDry && !['plan', 'doctor', 'init'].includes(modeOf(step));
}

function checkoutOf({step, before}: Run): readonly Finding[] {
  const checkout = before.find(({uses}) => uses.startsWith('actions/checkout@'));
  const lines = '- uses: actions/checkout@v5, with: {fetch-depth: 0}';
  if (checkout === undefined) {
    if (before.some(({run}) => /\bgit\s+(?:clone|checkout|init)\b/.test(run))) return [];
    return [
      error(
        step.place,
        'Nothing checks the repository out before stack-action, so it would find no spec.yml.',
        `Add before it: ${lines}.`,
      ),
    ];
  }
  const needsHistory = ['build', 'plan'].includes(modeOf(step));
  if (!needsHistory || checkout.input('fetch-depth') === '0') return [];
  return [
    note(
      checkout.place,
      'The checkout has one commit, so what changed has to be asked of the API, and what nobody can say is built.',
      'Add to its "with": fetch-depth: 0.',
    ),
  ];
}

function eventOf({job, step}: Run): readonly Finding[] {
  const refused = job.events.filter((event) =>
    ['pull_request_target', 'workflow_run', 'issue_comment'].includes(event),
  );
  return refused.map((event) =>
    error(
      step.place,
      `The event "${event}" gives code of a pull request the secrets of this repository, so the run is refused.`,
      'Use "on: pull_request" to check and "on: push" to publish.',
    ),
  );
}

function hostsOf(images: readonly ImageSpec[]): ReadonlyMap<string, ImageSpec> {
  const hosts = new Map<string, ImageSpec>();
  for (const image of images) {
    const host = parseReference(image.repository)?.registry;
    if (host !== undefined && image.publish && !hosts.has(host)) hosts.set(host, image);
  }
  return hosts;
}

/** Whether an earlier step, or the inputs, bring a login of their own for this host. */
function hasLogin({step, before}: Run, host: string): boolean {
  const isToken = /github\.token|GITHUB_TOKEN/.test(step.input('password'));
  if (step.input('password') !== '' && !(host === 'ghcr.io' && isToken)) return true;
  return before.some(({uses, run, input}) => {
    if (/\b(?:docker|podman|skopeo|crane|oras)\s+(?:registry\s+|auth\s+)?login\b/.test(run))
      return run.includes(host) || (host === 'docker.io' && !/login[^\n]*\.\w/.test(run));
    if (uses.startsWith('docker/login-action@')) {
      const registry = input('registry')
        .replace(/^https?:\/\//, '')
        .replace(/\/.*$/, '');
      if (registry.includes('${{')) return true;
      const isHub = ['', 'docker.io', 'index.docker.io'].includes(registry);
      const isOwnToken = host === 'ghcr.io' && /github\.token|GITHUB_TOKEN/.test(input('password'));
      return !isOwnToken && (registry === host || (host === 'docker.io' && isHub));
    }
    // Cloud providers have actions of their own: amazon-ecr-login, azure/docker-login, google-github-actions/auth.
    return (
      host !== 'ghcr.io' && host !== 'docker.io' && /login|auth/i.test(uses.replace(/@.*$/, ''))
    );
  });
}

function permissionsOf(
  run: Run,
  images: readonly ImageSpec[],
  {origin}: DoctorFacts,
): readonly Finding[] {
  const {job, step} = run;
  const findings: Finding[] = [];
  const ghcr = hostsOf(images).get('ghcr.io');
  if (ghcr !== undefined && mayPush(step) && !hasLogin(run, 'ghcr.io')) {
    findings.push(...packagesOf(job, step));
    const owner = parseReference(ghcr.repository)?.repository.split('/')[0];
    if (origin.owner !== '' && owner !== origin.owner.toLowerCase()) {
      findings.push(
        error(
          step.place,
          `The job's token cannot push ${ghcr.repository}: it reaches packages of ${origin.owner.toLowerCase()} only.`,
          'Change image_name, or give the inputs "username" and "password" a token of that owner.',
        ),
      );
    }
  }
  const writesWiki = mayPush(step) && step.input('wiki') !== 'false';
  if (writesWiki && ['read', 'none'].includes(job.grant('contents'))) {
    findings.push(
      note(
        step.place,
        'The wiki cannot be written: permissions have no "contents: write".',
        'Add it, or set wiki: false.',
      ),
    );
  }
  if (step.input('comment') === 'true' && ['read', 'none'].includes(job.grant('pull-requests'))) {
    findings.push(
      note(
        step.place,
        'The comment on the pull request cannot be written.',
        'Add to permissions: pull-requests: write.',
      ),
    );
  }
  return findings;
}

function packagesOf(job: Job, {place}: {readonly place: string}): readonly Finding[] {
  const grant = job.grant('packages');
  if (grant === 'write') return [];
  const mend = 'Add to permissions: packages: write.';
  if (grant === 'unsaid')
    return [
      note(
        place,
        'Whether the job may push to ghcr.io is left to the settings of the repository.',
        mend,
      ),
    ];
  return [
    error(place, 'The job may not push to ghcr.io: permissions have no "packages: write".', mend),
  ];
}

/** A reusable workflow cannot have more than the job that calls it. */
function callOf(job: Job, images: readonly ImageSpec[]): readonly Finding[] {
  return hostsOf(images).has('ghcr.io') ? packagesOf(job, job) : [];
}

function builderOf({job, step, before}: Run, images: readonly ImageSpec[]): readonly Finding[] {
  if (step.input('builder') !== '' || !['build', 'report'].includes(modeOf(step))) return [];
  const several = images.find(({platforms}) => platforms.length > 1);
  const native = /arm/i.test(job.runsOn) ? 'linux/arm64' : 'linux/amd64';
  const foreign = images.find(({platforms}) => platforms.some((platform) => platform !== native));
  const uses = (action: string): boolean => before.some((one) => one.uses.startsWith(`${action}@`));
  const findings: Finding[] = [];
  if (several !== undefined && !uses('docker/setup-buildx-action')) {
    findings.push(
      error(
        step.place,
        `Docker's own builder cannot build "${several.key}" for ${several.platforms.join(' and ')}.`,
        'Add before it: - uses: docker/setup-buildx-action@v3.',
      ),
    );
  }
  if (foreign !== undefined && !uses('docker/setup-qemu-action')) {
    const other = foreign.platforms.find((platform) => platform !== native) ?? '';
    findings.push(
      error(
        step.place,
        `The runner cannot run what it builds of "${foreign.key}" for ${other}.`,
        'Add before it: - uses: docker/setup-qemu-action@v3.',
      ),
    );
  }
  return findings;
}

function loginsOf(run: Run, images: readonly ImageSpec[]): readonly Finding[] {
  if (!mayPush(run.step)) return [];
  return [...hostsOf(images)].flatMap(([host, image]) => {
    const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
    if (host === 'ghcr.io' || isLocal || hasLogin(run, host)) return [];
    const registry = host === 'docker.io' ? '' : `registry: ${host}, `;
    return [
      error(
        run.step.place,
        `Nothing logs in to ${host}, where ${image.repository} is pushed.`,
        `Add before it: - uses: docker/login-action@v3, with: {${registry}username: …, password: …}.`,
      ),
    ];
  });
}

/** A version or a commit is pinned; a branch is whatever somebody pushes next. */
function unpinned(job: Job): readonly Finding[] {
  const all = [
    ...job.steps.map(({uses, place}) => ({uses, place})),
    {uses: job.calls, place: job.place},
  ];
  return all.flatMap(({uses, place}) => {
    if (uses === '' || /^\.\.?\//.test(uses) || uses === './' || uses.startsWith('docker://'))
      return [];
    const ref = uses.split('@')[1] ?? '';
    if (/^v?\d+(?:\.\d+)*(?:[-+.][\w.-]+)?$/.test(ref) || /^[0-9a-f]{40,64}$/.test(ref)) return [];
    const message =
      ref === ''
        ? `${uses} has no version.`
        : `${uses} is a branch: it may be other code at the next run.`;
    return [
      note(place, message, `Write a version or a commit behind the "@" of ${uses.split('@')[0]}.`),
    ];
  });
}
