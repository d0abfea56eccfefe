import {architectures, normalPlatform, operatingSystems} from '../../image/platforms.ts';

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

/** Whether `FROM --platform` takes it. */
export function isPlatform(text: string): boolean {
  if (!/^[A-Za-z0-9_.-]+(?:\([^/()]*\))?(?:\/[A-Za-z0-9_.-]+){0,2}$/.test(text)) return false;
  return text.includes('/') || knownPlatforms.has(text.toLowerCase().replace(/\(.*/, ''));
}

const knownPlatforms: ReadonlySet<string> = new Set([...operatingSystems, ...architectures]);
