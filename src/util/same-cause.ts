/** Names that a sentence holds; the rest are counted. */
const mostNames = 12;

/**
 * One sentence for each cause, with the number and the names of the references that it holds for: a wrong password is
 * one failure, not one for each image.
 */
export function linesByCause(
  asked: readonly {readonly ref: string; readonly because: string}[],
): readonly string[] {
  const causes = asked.map(({ref, because}) => {
    const isOwn = because.startsWith(`${ref}: `);
    const {host} = splitHost(ref);
    return {ref, because, cause: isOwn ? `${host}: ${because.slice(ref.length + 2)}` : because};
  });
  const groups = Map.groupBy(causes, ({cause}) => cause);
  return [...groups].map(([cause, all]) => {
    const refs = [...new Set(all.map(({ref}) => ref))];
    const [{ref = '', because = ''} = {}] = all;
    if (refs.length > 1) return `${asSentence(cause)} ${counted(refs)}`;
    return because === cause && !because.includes(ref) ? `${because} (asked for ${ref})` : because;
  });
}

function counted(refs: readonly string[]): string {
  const names = refs.slice(0, mostNames).map((ref) => splitHost(ref).name);
  const more = refs.length > mostNames ? ` and ${refs.length - mostNames} more` : '';
  return `The same holds for all ${refs.length}: ${names.join(', ')}${more}.`;
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Docker's rule: what has a dot or a port is a host, and no host is Docker Hub. */
function splitHost(ref: string): {readonly host: string; readonly name: string} {
  const [, host, name] = /^([^/]*[.:A-Z][^/]*|localhost)\/(.+)$/.exec(ref) ?? [];
  return host === undefined || name === undefined ? {host: 'docker.io', name: ref} : {host, name};
}
