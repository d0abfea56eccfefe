export interface WorkflowRequest {
  readonly stackDir: string;
  readonly defaultBranch: string;
  /** Hosts that the images are pushed to. */
  readonly registries: readonly string[];
  readonly platforms: readonly string[];
}

/** The text of a workflow that builds, tests and publishes the stack. */
export function workflowText(request: WorkflowRequest): string {
  const {stackDir, defaultBranch, registries, platforms} = request;
  const others = registries.filter((host) => host !== 'ghcr.io');
  const isForeign = platforms.some((platform) => platform !== 'linux/amd64');
  const steps = [
    ...step('uses: actions/checkout@v5', [
      'with:',
      '  fetch-depth: 0 # what changed is read from the history',
    ]),
    ...step('uses: actions/setup-python@v6', ['with:', "  python-version: '3.12'"]),
    ...step('run: pip install pytest', []),
    ...(isForeign ? step('uses: docker/setup-qemu-action@v3', []) : []),
    ...(platforms.length > 0 ? step('uses: docker/setup-buildx-action@v3', []) : []),
    ...others.flatMap(loginStep),
    ...step(
      'uses: ucsd-ets/stack-action@v1',
      stackDir === 'images' ? [] : ['with:', `  stack-dir: ${JSON.stringify(stackDir)}`],
    ),
  ];
  return `${[
    '# Written by stack-action init: builds what changed, tests it, and publishes it where the tests pass.',
    'name: Stack',
    'on:',
    '  push:',
    `    branches: [${/^[A-Za-z][\w./-]*$/.test(defaultBranch) ? defaultBranch : JSON.stringify(defaultBranch)}]`,
    '  pull_request:',
    '',
    'permissions:',
    '  contents: write # the wiki',
    '  packages: write # the images on ghcr.io',
    '',
    'concurrency:',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub
    '  group: stack-${{ github.ref }}',
    '',
    'jobs:',
    '  stack:',
    '    runs-on: ubuntu-24.04',
    '    timeout-minutes: 300',
    '    steps:',
    ...steps,
  ].join('\n')}\n`;
}

function step(first: string, rest: readonly string[]): readonly string[] {
  return [`      - ${first}`, ...rest.map((line) => `        ${line}`)];
}

/** Secrets do not reach pull requests from forks, and those never push. */
function loginStep(host: string): readonly string[] {
  const registry = host === 'docker.io' ? [] : [`  registry: ${JSON.stringify(host)}`];
  const condition =
    "if: github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository";
  return [
    `      # TODO add the variable REGISTRY_USERNAME and the secret REGISTRY_PASSWORD for ${host}`,
    ...step('uses: docker/login-action@v3', [
      condition,
      'with:',
      ...registry,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub
      '  username: ${{ vars.REGISTRY_USERNAME }}',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub
      '  password: ${{ secrets.REGISTRY_PASSWORD }}',
    ]),
  ];
}
