/** The oldest Docker that knows all that is asked of it: what Debian 11 and 12 have. */
export const oldestDocker = '20.10';

/** A version that is no number, as that of a build from source, counts as new. */
export function isOldDocker(version: string): boolean {
  const [major, minor] = numbers(version);
  const [oldMajor = 0, oldMinor = 0] = numbers(oldestDocker);
  if (major === undefined || minor === undefined) return false;
  return major < oldMajor || (major === oldMajor && minor < oldMinor);
}

function numbers(version: string): readonly number[] {
  return (/^v?(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
}
