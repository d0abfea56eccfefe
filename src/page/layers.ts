import type {RecordedLayer} from '../record/index.ts';
import {codeText} from '../util/markdown.ts';
import {formatBytes} from '../util/text.ts';

/** A longer command is folded: the table stays as wide as the page. */
const longestShown = 160;
/** A longer word may be broken anywhere. */
const longestWord = 60;

/** All layers, oldest first, with what has come together so far. */
export function layerTable(layers: readonly RecordedLayer[]): readonly string[] {
  let sum = 0;
  return [
    '| Layer | Size | Cumulative size | Command |',
    '|---:|---:|---:|---|',
    ...layers.map(({size, createdBy}, index) => {
      sum += size;
      return `| ${index + 1} | ${formatBytes(size)} | ${formatBytes(sum)} | ${commandCell(createdBy)} |`;
    }),
  ];
}

/** A command as code; a long one folded. */
export function commandCell(createdBy: string): string {
  const command = shownCommand(createdBy);
  // Imported images have layers that no instruction made.
  if (command === '') return '(not recorded)';
  const code = `<code>${breakable(command)}</code>`;
  if (command.length <= longestShown) return code;
  const start = `<code>${breakable(command.slice(0, longestShown - 40))}…</code>`;
  return `<details><summary>${start}</summary>${code}</details>`;
}

/** A shell with its options, after the build arguments that a builder writes before it: `|2 A=1 B=2 /bin/sh -c`. */
const shell =
  /^(?:RUN )?(?:\|\d+ .*? ?)?\/(?:usr\/)?bin\/(?:a|ba|da|z)?sh(?: -[a-z]+| pipefail| errexit)*? -[a-z]*c /;

/** The instruction as a Dockerfile has it, without what builders put around it. */
export function shownCommand(createdBy: string): string {
  const line = createdBy
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/ # buildkit$/, '');
  const instruction = /^\/bin\/sh -c #\(nop\) ?(.*)$/.exec(line)?.[1];
  return instruction ?? line.replace(shell, 'RUN ');
}

function breakable(command: string): string {
  return command
    .split(' ')
    .map((word) =>
      word.length <= longestWord
        ? codeText(word)
        : (word.match(/.{1,40}/gu) ?? []).map(codeText).join('<wbr>'),
    )
    .join(' ');
}
