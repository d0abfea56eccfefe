/** What tests may see of the job's environment. Everything else, and so every credential, stays here. */
const allowed: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TERM'],
  ...['TMPDIR', 'TMP', 'TEMP', 'RUNNER_TEMP', 'RUNNER_OS', 'RUNNER_ARCH', 'CI'],
  // The runner ends what it finds by this name when a job is over.
  'RUNNER_TRACKING_ID',
  ...['GITHUB_WORKSPACE', 'GITHUB_REPOSITORY', 'GITHUB_SHA', 'GITHUB_REF', 'GITHUB_RUN_ID'],
  ...['VIRTUAL_ENV', 'PYTHONPATH', 'PYTHONHOME', 'LD_LIBRARY_PATH', 'XDG_RUNTIME_DIR', 'DISPLAY'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
]);

const allowedPrefixes = [
  'LC_',
  'DOCKER_',
  'PYTEST_',
  'PYENV_',
  'CONDA_',
  'TESTCONTAINERS_',
] as const;

const secretName = /TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|API_KEY/i;

/** The environment of test processes, which run code of the pull request (RELIABILITY.md 3a). */
export function testEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string>> {
  const isAllowed = (name: string): boolean =>
    allowed.has(name) ||
    (allowedPrefixes.some((prefix) => name.startsWith(prefix)) && !secretName.test(name));
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && isAllowed(name) ? [[name, value]] : [],
    ),
  );
}
