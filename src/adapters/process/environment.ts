/**
 * The environments of the programs that a run starts. Each is a list of what may pass: whatever else the job has,
 * and so every credential that nobody thought of, stays here.
 */
type Environment = Readonly<Record<string, string>>;
type Source = Readonly<Record<string, string | undefined>>;

/** Where programs, files and people's settings are. */
const machine = [
  ...[
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'SHELL',
    'LANG',
    'LANGUAGE',
    'TZ',
    'TMPDIR',
    'TMP',
    'TEMP',
  ],
  ...['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR', 'LD_LIBRARY_PATH'],
  // The runner terminates what it finds by this name when a job is over.
  'RUNNER_TRACKING_ID',
];

/** The way to the network. */
const network = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'FTP_PROXY', 'NO_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]),
  ...[
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'CURL_CA_BUNDLE',
    'REQUESTS_CA_BUNDLE',
    'NODE_EXTRA_CA_CERTS',
  ],
];

interface Allowed {
  readonly names: readonly string[];
  readonly prefixes: readonly string[];
  /** Names that look like a credential do not pass by their prefix. */
  readonly isWary: boolean;
}

const secretName = /TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|API_?KEY|PRIVATE/i;

const tests: Allowed = {
  names: [
    ...machine,
    ...network,
    ...['TERM', 'DISPLAY', 'CI', 'RUNNER_TEMP', 'RUNNER_OS', 'RUNNER_ARCH'],
    ...['GITHUB_WORKSPACE', 'GITHUB_REPOSITORY', 'GITHUB_SHA', 'GITHUB_REF', 'GITHUB_RUN_ID'],
    ...['VIRTUAL_ENV', 'PYTHONPATH', 'PYTHONHOME'],
  ],
  prefixes: ['LC_', 'DOCKER_', 'PYTEST_', 'PYENV_', 'CONDA_', 'TESTCONTAINERS_'],
  isWary: true,
};

const docker: Allowed = {
  names: [
    ...machine,
    ...network,
    // DOCKER_HOST=ssh://…, the kubernetes driver, and stores of credentials.
    ...['SSH_AUTH_SOCK', 'KUBECONFIG', 'DBUS_SESSION_BUS_ADDRESS', 'GNUPGHOME'],
    ...['PASSWORD_STORE_DIR', 'GOOGLE_APPLICATION_CREDENTIALS'],
    // buildx reads these: reproducible times, and where it may have a log of its own.
    ...['SOURCE_DATE_EPOCH', 'NO_COLOR'],
    // The cache of GitHub ("cache: gha") is reached with the job's own address and token.
    ...['ACTIONS_CACHE_URL', 'ACTIONS_RESULTS_URL', 'ACTIONS_RUNTIME_TOKEN'],
    'ACTIONS_CACHE_SERVICE_V2',
  ],
  prefixes: [
    ...['LC_', 'DOCKER_', 'BUILDX_', 'BUILDKIT_'],
    // Credential helpers of the clouds ask here who they are.
    ...['AWS_', 'AZURE_', 'ACR_', 'CLOUDSDK_'],
  ],
  isWary: false,
};

const git: Allowed = {
  names: [
    ...machine,
    ...network,
    ...['SSH_AUTH_SOCK', 'GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
    ...['GIT_SSL_NO_VERIFY', 'GIT_PROXY_COMMAND', 'GIT_EXEC_PATH', 'GIT_CONFIG_NOSYSTEM'],
    ...['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM'],
  ],
  prefixes: [],
  isWary: true,
};

/** What tests see, which run code of the pull request: no token, no input, no credential. */
export function testEnvironment(env: Source = process.env): Environment {
  return pick(tests, env);
}

/**
 * What docker sees. `secretNames` are the variables of declared build secrets (`secrets: [id=x,env=NAME]`): the
 * client reads them from its environment.
 */
export function dockerEnvironment(
  secretNames: readonly string[] = [],
  env: Source = process.env,
): Environment {
  return pick({...docker, names: [...docker.names, ...secretNames]}, env);
}

/** What git sees: no question that nobody can answer, and messages that can be parsed. */
export function gitEnvironment(env: Source = process.env): Environment {
  return {
    ...pick(git, env),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
  };
}

function pick({names, prefixes, isWary}: Allowed, env: Source): Environment {
  const known = new Set(names);
  const isAllowed = (name: string): boolean =>
    known.has(name) ||
    (prefixes.some((prefix) => name.startsWith(prefix)) && !(isWary && secretName.test(name)));
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && isAllowed(name) ? [[name, value]] : [],
    ),
  );
}

/** The value of a variable of this job. */
export function variableOf(name: string): string | undefined {
  return process.env[name];
}

/** Whether a variable of this job has a value. */
export function isSet(name: string): boolean {
  return Boolean(process.env[name]);
}
