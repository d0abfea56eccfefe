/** What BuildKit defines by itself; the build platform is the runner's usual one. */
export function automaticArgs(written: string): ReadonlyMap<string, string> {
  const platform = normalPlatform(written);
  const side = (name: string, text: string): readonly (readonly [string, string])[] => {
    const [os = '', architecture = '', variant = ''] = text.split('/');
    return [
      [`${name}PLATFORM`, text],
      [`${name}OS`, os],
      [`${name}OSVERSION`, ''],
      [`${name}ARCH`, architecture],
      [`${name}VARIANT`, variant],
    ];
  };
  return new Map([...side('BUILD', 'linux/amd64'), ...side('TARGET', platform)]);
}

/** One spelling for a platform, as BuildKit has it: linux/arm64/v8 is linux/arm64, linux/arm is linux/arm/v7. */
function normalPlatform(platform: string): string {
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

/** Whether `FROM --platform` takes it. */
export function isPlatform(text: string): boolean {
  if (!/^[A-Za-z0-9_.-]+(?:\([^/()]*\))?(?:\/[A-Za-z0-9_.-]+){0,2}$/.test(text)) return false;
  return text.includes('/') || knownPlatforms.has(text.toLowerCase().replace(/\(.*/, ''));
}

const knownPlatforms: ReadonlySet<string> = new Set(
  'linux windows darwin freebsd netbsd openbsd dragonfly solaris illumos aix android plan9 js macos 386 amd64 x86_64 x86-64 i386 arm armhf armel arm64 aarch64 ppc64 ppc64le mips mipsle mips64 mips64le s390x riscv riscv64 loong64 sparc sparc64 wasm'.split(
    ' ',
  ),
);
