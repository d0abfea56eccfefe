/** Names of platforms, as docker and BuildKit know them. */
export const operatingSystems = [
  ...['linux', 'windows', 'darwin', 'macos', 'freebsd', 'netbsd', 'openbsd', 'dragonfly'],
  ...['solaris', 'illumos', 'aix', 'android', 'plan9', 'js', 'wasi', 'wasip1'],
];
export const architectures = [
  ...['386', 'i386', 'amd64', 'x86_64', 'x86-64', 'arm', 'armhf', 'armel', 'arm64', 'aarch64'],
  ...['ppc64', 'ppc64le', 'mips', 'mipsle', 'mips64', 'mips64le', 's390x', 'riscv', 'riscv64'],
  ...['loong64', 'sparc', 'sparc64', 'wasm'],
];

const oneOf = (words: readonly string[]): string => `(?:${words.join('|')})`;
const parts = [oneOf(operatingSystems), oneOf(architectures)];

/** `linux/arm64`, `linux/arm/v7`. */
export const platformPattern = new RegExp(`^${parts.join('/')}(?:/v?[0-9.]+)?$`);

/** The end of a tag that belongs to one of several platforms: `-linux-arm64`, `-linux-arm-v7`. */
export const platformEnd = new RegExp(`-${parts.join('-')}(?:-v?[0-9.]+)?$`);
