import {dirname, join, normalize} from 'node:path/posix';
import {below, entriesOf, isRecord, pairsOf, readLoose, wordOf} from '../../util/yaml.ts';
import type {Declaration} from '../types.ts';

/** The services of a compose file that are built from the repository. `depends_on` is about running, not about building. */
export function readCompose(path: string, text: string): readonly Declaration[] {
  const file = readLoose(text);
  return entriesOf(below(file?.value, 'services')).flatMap(([name, service]) => {
    const build = below(service, 'build');
    const given = expanded(isRecord(build) ? wordOf(build['context']) : wordOf(build));
    const isFolder = given !== undefined && !/^(?:[a-z+]+:\/\/|git@)/.test(given);
    if (build === undefined || (!isFolder && !isRecord(build))) return [];
    const context = normalFolder(join(dirname(path), isFolder ? given : '.'));
    const dockerfile = expanded(wordOf(below(build, 'dockerfile'))) ?? 'Dockerfile';
    const image = expanded(wordOf(below(service, 'image')));
    const args = [...pairsOf(below(build, 'args'))].flatMap(([key, value]) => {
      const known = expanded(value);
      return known === undefined ? [] : [[key, known] as const];
    });
    const declaration: Declaration = {
      source: 'compose',
      place: `${path}:${file?.lineOf(`  ${name}:`) ?? 1}`,
      name,
      context,
      dockerfile: normalize(join(context, dockerfile)),
      target: expanded(wordOf(below(build, 'target'))),
      args: new Map(args),
      tags: image === undefined ? [] : [image],
      platforms: [],
      contexts: new Map(
        [...pairsOf(below(build, 'additional_contexts'))].flatMap(([key, value]) =>
          value.startsWith('service:') ? [[key, value.slice('service:'.length)] as const] : [],
        ),
      ),
    };
    return [declaration];
  });
}

function normalFolder(folder: string): string {
  return normalize(folder).replace(/(?<=.)\/$/, '');
}

/** `${A:-b}` is `b`; a variable without a default is not known, and neither is the whole text. */
function expanded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const known = text.replace(/\$\{[A-Za-z_]\w*:?-([^}$]*)\}/g, '$1').replaceAll('$$', '\0');
  return known.includes('$') ? undefined : known.replaceAll('\0', '$');
}
