/** What ran when: a picture of the programs that one run started. */
import {execFileSync} from 'node:child_process';
import {chmod, mkdtemp, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** Programs in front of the real ones, which write down when each of them began and ended. */
export interface Shims {
  readonly folder: string;
  /** For PATH. */
  readonly path: string;
  readonly log: string;
}

export async function makeShims(): Promise<Shims> {
  const folder = await mkdtemp(join(tmpdir(), 'shims-'));
  const log = join(folder, 'trace.log');
  await writeFile(log, '');
  for (const name of ['docker', 'git', 'python3', 'pytest']) {
    const real = which(name);
    if (real === undefined) continue;
    const script = `#!/bin/bash\nbegan=$EPOCHREALTIME\n${real} "$@"\ncode=$?\nprintf '%s %s ${name} %s\\n' $began $EPOCHREALTIME "\${*//$'\\n'/ }" >> ${log}\nexit $code\n`;
    await writeFile(join(folder, name), script);
    await chmod(join(folder, name), 0o755);
  }
  return {folder, path: `${folder}:${process.env['PATH']}`, log};
}

function which(name: string): string | undefined {
  try {
    return execFileSync('which', [name], {encoding: 'utf8'}).trim();
  } catch {
    return undefined;
  }
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly command: string;
}

/** Seconds since the first program began. */
export async function readTrace(log: string): Promise<readonly Span[]> {
  const spans = (await readFile(log, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [from = '', to = '', ...words] = line.split(' ');
      return {from: Number(from), to: Number(to), command: words.join(' ')};
    });
  const first = Math.min(...spans.map(({from}) => from));
  return spans
    .map(({from, to, command}) => ({from: from - first, to: to - first, command}))
    .toSorted((a, b) => a.from - b.from);
}

const kinds: readonly {readonly name: string; readonly match: RegExp; readonly colour: string}[] = [
  {name: 'build', match: /^docker (?:buildx )?build /, colour: '#4c78a8'},
  {name: 'test', match: /pytest/, colour: '#54a24b'},
  {name: 'push', match: /^docker push/, colour: '#f58518'},
  {
    name: 'info commands',
    match: /^docker (?:create|start|cp|run|exec|wait|logs|rm) /,
    colour: '#b279a2',
  },
  {name: 'git', match: /^git /, colour: '#9d755d'},
  {name: 'other docker', match: /^docker /, colour: '#bab0ac'},
];

/** One line for what runs at once, coloured by what it is; the whole command shows under the pointer. */
export function traceImage(spans: readonly Span[]): string {
  const end = Math.max(...spans.map(({to}) => to));
  const [left, width, height] = [10, 960, 18];
  const x = (second: number): number => left + (second / end) * width;
  const lanes: number[] = [];
  const bars = spans.map(({from, to, command}) => {
    const free = lanes.findIndex((busy) => busy <= from);
    const lane = free === -1 ? lanes.length : free;
    lanes[lane] = to;
    const kind = kinds.find(({match}) => match.test(command));
    const long = Math.max(x(to) - x(from), 1);
    const label = labelOf(command);
    const text =
      long > label.length * 6
        ? `<text x="${(x(from) + 3).toFixed(1)}" y="${lane * height + 53}">${escapeXml(label)}</text>`
        : '';
    const title = `${from.toFixed(2)}–${to.toFixed(2)} s: ${command.slice(0, 160)}`;
    return `<g><title>${escapeXml(title)}</title><rect x="${x(from).toFixed(1)}" y="${lane * height + 40}" width="${long.toFixed(1)}" height="${height - 2}" fill="${kind?.colour ?? '#eeeeee'}"/>${text}</g>`;
  });
  const bottom = lanes.length * height + 44;
  const ticks = Array.from({length: Math.floor(end) + 1}, (_, second) => {
    const at = x(second).toFixed(1);
    return `<line x1="${at}" y1="36" x2="${at}" y2="${bottom}" stroke="#dddddd"/><text x="${at}" y="${bottom + 14}" text-anchor="middle">${second} s</text>`;
  });
  const legend = kinds.map(
    ({name, colour}, index) =>
      `<rect x="${left + index * 120}" y="8" width="12" height="12" fill="${colour}"/><text x="${left + index * 120 + 16}" y="18">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 40}" height="${bottom + 24}" font-family="sans-serif" font-size="11"><title>What ran when in the build of the small stack</title>
<rect width="100%" height="100%" fill="white"/>
${[...legend, ...ticks, ...bars].join('\n')}
</svg>
`;
}

/** `build two`: what is done, and to which image. */
function labelOf(command: string): string {
  const kind = kinds.find(({match}) => match.test(command))?.name ?? command.split(' ')[0] ?? '';
  const image = /images\/(\w+)|\/(\w+):1-/.exec(command);
  return [kind, image?.[1] ?? image?.[2] ?? ''].join(' ').trim();
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
