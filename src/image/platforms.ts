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

/** One spelling for a platform, as BuildKit has it: linux/arm64/v8 is linux/arm64, linux/arm is linux/arm/v7. */
export function normalPlatform(platform: string): string {
  const [os = '', arch = '', given = ''] = platform.toLowerCase().split('/');
  const [architecture, variant] = normalArchitecture(arch, given);
  return [os === 'macos' ? 'darwin' : os, architecture, variant].filter((part) => part).join('/');
}

function normalArchitecture(arch: string, variant: string): readonly [string, string] {
  switch (arch) {
    case 'i386':
      return ['386', ''];
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'aarch64':
    case 'arm64':
      if (/^(?:8|v8|v8\.0)$/.test(variant)) return ['arm64', ''];
      return ['arm64', /^(?:9|9\.0|v9\.0)$/.test(variant) ? 'v9' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      return ['arm', variant === '' ? 'v7' : variant.replace(/^(?=[5-8]$)/, 'v')];
    default:
      return [arch, variant];
  }
}
