/**
 * One line for each cause, however many references of one registry it holds for: a wrong password is one failure, not
 * one for each image.
 */
export function linesByCause(
  asked: readonly {readonly ref: string; readonly because: string}[],
): readonly string[] {
  const groups = new Map<
    string,
    {readonly refs: string[]; readonly line: (refs: string) => string}
  >();
  for (const {ref, because} of asked) {
    const isOwn = because.startsWith(`${ref}: `);
    const cause = isOwn ? because.slice(ref.length + 2) : because;
    const key = isOwn ? `${ref.split('/')[0]} ${cause}` : cause;
    const line = isOwn
      ? (refs: string) => `${refs}: ${cause}`
      : (refs: string) => (because.startsWith(refs) ? because : `${because} (asked for ${refs})`);
    const group = groups.get(key) ?? {refs: [], line};
    group.refs.push(ref);
    groups.set(key, group);
  }
  return [...groups.values()].map(({refs: [first = '', ...others], line}) =>
    line(others.length === 0 ? first : `${first} and ${others.length} more`),
  );
}
