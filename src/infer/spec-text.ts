import {join, relative} from 'node:path/posix';
import {looksSecret} from '../stack/spec/index.ts';
import {type Repository, usualPrefix} from './repositories.ts';
import type {Candidate, Edge, Todo} from './types.ts';

export interface SpecTextRequest {
  /** Parents first. */
  readonly images: readonly Candidate[];
  readonly edges: readonly Edge[];
  readonly repositories: ReadonlyMap<string, Repository>;
  readonly todos: readonly Todo[];
  readonly stackDir: string;
}

const head = `# Written by stack-action init: each line that was read somewhere says where. docs/spec.md of
# ucsd-ets/stack-action explains every key.`;

/** The text of spec.yml. What a person has to look at is a line with TODO. */
export function specText(request: SpecTextRequest): string {
  const general = request.todos.filter(({key}) => key === undefined).flatMap(todoLine(''));
  const edges = Map.groupBy(request.edges, ({child}) => child);
  const todos = Map.groupBy(request.todos, ({key}) => key);
  const images = request.images.map((image) =>
    imageLines(image, {
      ...request,
      edges: edges.get(image.key) ?? [],
      todos: todos.get(image.key) ?? [],
    }).join('\n'),
  );
  const tag = [
    'tag:',
    `  prefix: "${usualPrefix}" # every tag begins with it: ${usualPrefix}-main, ${usualPrefix}-stable`,
  ];
  return `${[head, ...general, 'images:', images.join('\n\n'), '', ...tag].join('\n')}\n`;
}

/** @param request with the edges and questions of this image alone */
function imageLines(image: Candidate, request: SpecTextRequest): readonly string[] {
  const {edges, todos} = request;
  const repository = request.repositories.get(image.key);
  const args = [...image.args].filter(
    ([name, value]) => !looksSecret(name) && isPlainArg(name, value),
  );
  const secrets = [...image.args.keys()].filter((name) => looksSecret(name));
  return [
    `  ${scalar(image.key)}:`,
    field('image_name', repository?.name ?? image.key, repository?.readAt ?? ''),
    ...(repository?.isKnown === false
      ? ['    # TODO "owner" stands for whom the registry knows you as']
      : []),
    ...(repository?.variant === undefined
      ? []
      : [
          field(
            'variant',
            repository.variant,
            `its tags are ${repository.variant}-${usualPrefix}-main, …`,
          ),
        ]),
    ...(repository?.sharedName === undefined
      ? []
      : [
          `    # TODO elsewhere it is a tag of ${oneLine(repository.sharedName)}, like others here. To keep that, give each that image_name and a "variant"`,
        ]),
    ...dependsOn(edges),
    ...placeLines(image, request.stackDir),
    ...(image.target === undefined ? [] : [field('target', image.target, placeOf(image))]),
    ...(image.platforms.length > 1
      ? [`    platforms: [${image.platforms.map(scalar).join(', ')}]`]
      : []),
    ...(args.length === 0
      ? []
      : ['    build_args:', ...args.map(([name, value]) => `      ${name}: ${quoted(value)}`)]),
    ...secrets.map(
      (name) =>
        `    # TODO ${name} looks like a secret: give it with "secrets", not as a build arg`,
    ),
    ...todos.flatMap(todoLine('    ')),
  ];
}

function dependsOn(edges: readonly Edge[]): readonly string[] {
  const [first, ...others] = edges;
  if (first === undefined) return [];
  if (others.length === 0) return [field('depend_on', first.parent, first.readAt)];
  return [
    '    depend_on:',
    ...edges.map(({parent, readAt}) => `      - ${scalar(parent)} # ${readAt}`),
  ];
}

/** `context` and `dockerfile`, where they are not those of the image's own folder. */
function placeLines({key, context, dockerfile}: Candidate, stackDir: string): readonly string[] {
  const folder = join(stackDir, key);
  const lines: string[] = [];
  if (join(context) !== folder) lines.push(field('context', relative(folder, context) || '.', ''));
  const file = relative(context, dockerfile);
  if (file !== 'Dockerfile') lines.push(field('dockerfile', file, ''));
  return lines;
}

function placeOf({declaration}: Candidate): string {
  return declaration?.place ?? '';
}

function field(name: string, value: string, comment: string): string {
  return `    ${name}: ${scalar(value)}${comment === '' ? '' : ` # ${oneLine(comment)}`}`;
}

const todoLine =
  (indent: string) =>
  ({sentence}: Todo): readonly string[] => [`${indent}# TODO ${oneLine(sentence)}`];

function isPlainArg(name: string, value: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && !value.includes('\0');
}

/** Plain where YAML takes it for the very same text. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_./-]*(?::\d+[A-Za-z0-9_./-]*)?$|^\.\.?(?:\/[\w./-]*)?$/.test(
    text,
  );
  return isPlain && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text) ? text : quoted(text);
}

/** JSON's quotes are YAML's; what JSON leaves as it is and YAML does not allow becomes an escape. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A comment ends with its line, and paths may hold line ends. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
