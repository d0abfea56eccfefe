/** What BuildKit defines by itself; the build platform is the runner's usual one. */
export function automaticArgs(platform: string): ReadonlyMap<string, string> {
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
