import {join, normalize} from 'node:path/posix';
import {below, entriesOf, isRecord, readLoose, wordOf} from '../../util/yaml.ts';
import type {Declaration, Origin} from '../types.ts';
import {expandWords, readCommands} from './commands.ts';

/** A value for each name after the dot: `matrix.image`, `env.REGISTRY`. */
type Names = ReadonlyMap<string, string>;

/** What the jobs of a workflow build: docker/build-push-action and `docker build`, once for each entry of the matrix. */
export function readWorkflow(path: string, text: string, origin: Origin): readonly Declaration[] {
  const file = readLoose(text);
  if (file === undefined) return [];
  const common = new Map([...githubNames(origin), ...prefixed('env', below(file.value, 'env'))]);
  return entriesOf(below(file.value, 'jobs')).flatMap(([, job]) => {
    const steps = below(job, 'steps');
    if (!Array.isArray(steps)) return [];
    const place = (key: string): string => `${path}:${file.lineOf(key)}`;
    return matrixOf(job, common).flatMap((matrix) => {
      const job1 = new Map([...common, ...matrix]);
      const withEnv = new Map([...job1, ...prefixed('env', below(job, 'env'), job1)]);
      const names = new Map([...withEnv, ...steps.flatMap((step) => readMetadata(step, withEnv))]);
      return steps.flatMap((step) => readStep(step, names, place));
    });
  });
}

function readStep(
  step: unknown,
  names: Names,
  place: (key: string) => string,
): readonly Declaration[] {
  const uses = wordOf(below(step, 'uses')) ?? '';
  const stepNames = new Map([...names, ...prefixed('env', below(step, 'env'), names)]);
  const say = (value: unknown): string | undefined => fill(wordOf(value), stepNames);
  if (/^docker\/build-push-action@/.test(uses)) {
    return readBuildPush(below(step, 'with'), say, place(uses));
  }
  const run = wordOf(below(step, 'run'));
  if (run === undefined || !/\bbuild\b/.test(run)) return [];
  const folder = say(below(step, 'working-directory')) ?? '.';
  const lookUp = (name: string): string | undefined => stepNames.get(`env.${name}`);
  // What is not known becomes a variable without a value, which the reader of commands passes over.
  const text = run.replace(/\$\{\{[^}]*\}\}/g, (found) => fill(found, stepNames) ?? '$(unknown)');
  return readCommands(text, {
    path: place(run.split('\n')[0] ?? ''),
    source: 'workflow',
    folder,
    lookUp,
  }).map((one) => ({...one, place: one.place.replace(/:\d+$/, '')}));
}

/** docker/metadata-action makes the tags of a later step; its names alone are enough here. */
function readMetadata(step: unknown, names: Names): readonly (readonly [string, string])[] {
  const [id, uses] = [wordOf(below(step, 'id')), wordOf(below(step, 'uses'))];
  if (id === undefined || !/^docker\/metadata-action@/.test(uses ?? '')) return [];
  const images = (wordOf(below(step, 'with', 'images')) ?? '').split(/[\n,]/);
  const known = images.flatMap(
    (image) => fill(image.trim().replace(/^name=([^,]*).*$/, '$1'), names) ?? [],
  );
  return known.some((image) => image !== '')
    ? [[`steps.${id}.outputs.tags`, known.filter((image) => image !== '').join('\n')]]
    : [];
}

function readBuildPush(
  given: unknown,
  say: (value: unknown) => string | undefined,
  place: string,
): readonly Declaration[] {
  const context = below(given, 'context') === undefined ? '.' : say(below(given, 'context'));
  if (context === undefined || /^(?:[a-z+]+:\/\/|git@|\{\{)/.test(context)) return [];
  const hasFile = below(given, 'file') !== undefined;
  const file = hasFile ? say(below(given, 'file')) : join(context, 'Dockerfile');
  if (file === undefined) return [];
  const lines = (key: string, separator: RegExp): readonly string[] =>
    (wordOf(below(given, key)) ?? '')
      .split(separator)
      .flatMap(
        (line) =>
          say(line.trim()) ?? say(line.trim().replace(/:[^:/]*\$\{\{[^}]*\}\}[^:/]*$/, '')) ?? [],
      )
      .flatMap((line) => line.split('\n'))
      .filter((line) => line !== '');
  const args = (wordOf(below(given, 'build-args')) ?? '').split('\n').flatMap((line) => {
    const [, name, value] = /^\s*(\w+)=(.*?)\s*$/.exec(line) ?? [];
    const text = value === undefined ? undefined : say(value);
    return name === undefined || text === undefined ? [] : [[name, text] as const];
  });
  return [
    {
      source: 'workflow',
      place,
      name: undefined,
      context: normalize(context).replace(/(?<=.)\/$/, ''),
      dockerfile: normalize(file),
      target: say(below(given, 'target')) || undefined,
      args: new Map(args),
      tags: lines('tags', /[\n,]/),
      platforms: lines('platforms', /[\n,]/),
      contexts: new Map(),
    },
  ];
}

/** `${{ … }}` filled in; undefined as soon as one is not known. */
function fill(text: string | undefined, names: Names): string | undefined {
  if (text === undefined) return undefined;
  let isKnown = true;
  const filled = text.replace(/\$\{\{\s*([^}]*?)\s*\}\}/g, (_, expression: string) => {
    const value = names.get(
      expression.toLowerCase().startsWith('env.') ? expression : expression.trim(),
    );
    if (value === undefined) isKnown = false;
    return value ?? '';
  });
  return isKnown ? filled : undefined;
}

function githubNames({owner, repo}: Origin): readonly (readonly [string, string])[] {
  if (owner === '') return [];
  return [
    ['github.repository_owner', owner.toLowerCase()],
    ['github.repository', `${owner}/${repo}`.toLowerCase()],
    ['github.event.repository.name', repo.toLowerCase()],
  ];
}

function prefixed(
  kind: string,
  value: unknown,
  names: Names = new Map(),
): readonly (readonly [string, string])[] {
  return entriesOf(value).flatMap(([key, one]) => {
    const text = fill(wordOf(one), names);
    const plain = text === undefined ? undefined : expandWords(text, () => undefined);
    return plain === undefined ? [] : [[`${kind}.${key}`, plain] as const];
  });
}

const mostEntries = 300;

/** GitHub's rules: the product of the lists, without `exclude`, and `include` adds to entries or is one of its own. */
function matrixOf(job: unknown, names: Names): readonly Names[] {
  const matrix = below(job, 'strategy', 'matrix');
  if (!isRecord(matrix)) return [new Map()];
  let entries: readonly ReadonlyMap<string, unknown>[] = [new Map()];
  for (const [key, values] of Object.entries(matrix)) {
    if (key === 'include' || key === 'exclude' || !Array.isArray(values)) continue;
    entries = entries
      .flatMap((entry) => values.map((value: unknown) => new Map([...entry, [key, value]])))
      .slice(0, mostEntries);
  }
  const axes = new Set(entries.flatMap((entry) => [...entry.keys()]));
  const isPart = (entry: ReadonlyMap<string, unknown>, part: unknown): boolean =>
    entriesOf(part).every(([key, value]) => !axes.has(key) || same(entry.get(key), value));
  const excluded = arrayOf(below(matrix, 'exclude'));
  const kept = entries.filter(
    (entry) => !excluded.some((part) => isRecord(part) && isPart(entry, part)),
  );
  const all = axes.size === 0 ? [] : kept.map((entry) => new Map(entry));
  const added: Map<string, unknown>[] = [];
  for (const part of arrayOf(below(matrix, 'include'))) {
    const fitting = all.filter((entry) => isPart(entry, part));
    for (const entry of fitting) for (const [key, value] of entriesOf(part)) entry.set(key, value);
    if (fitting.length === 0) added.push(new Map(entriesOf(part)));
  }
  return [...all, ...added].map(
    (entry) => new Map(flatten('matrix', Object.fromEntries(entry), names)),
  );
}

const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function flatten(
  prefix: string,
  value: unknown,
  names: Names,
): readonly (readonly [string, string])[] {
  return entriesOf(value).flatMap(([key, one]) => {
    const text = fill(wordOf(one), names);
    if (text !== undefined) return [[`${prefix}.${key}`, text] as const];
    return isRecord(one) ? flatten(`${prefix}.${key}`, one, names) : [];
  });
}
