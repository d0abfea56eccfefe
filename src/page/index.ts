import type {Layer} from '../adapters/docker/index.ts';
import {codeBlock, codeCell, escapeHtml, escapeMarkdown} from '../util/markdown.ts';
import {formatBytes, plainText} from '../util/text.ts';
import {type InfoResult, timeoutCode} from './info-commands.ts';

export {commandWords, runInfoCommands} from './info-commands.ts';

export interface ManifestFacts {
  readonly ref: string;
  /** In the registry; undefined when the image was not pushed. */
  readonly digest: string | undefined;
  readonly revision: string;
  /** Oldest first, all of them. */
  readonly layers: readonly Layer[];
  readonly info: readonly InfoResult[];
}

/** Output with more lines is folded. */
const unfoldedLines = 30;

/** The page of one image: what it is made of, and what its info commands say. Nothing in it can break out. */
export function manifestPage({ref, digest, revision, layers, info}: ManifestFacts): string {
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  return [
    `# ${escapeMarkdown(ref)}`,
    '',
    ...(digest === undefined ? [] : [`- Digest: \`${digest}\``]),
    ...(revision === '' ? [] : [`- Commit: \`${revision}\``]),
    `- Size: ${formatBytes(total)} in ${layers.length} layers`,
    '',
    '## Layers',
    '',
    '| Layer | Size | Cumulative size | Created by |',
    '|---:|---:|---:|---|',
    ...layerRows(layers),
    '',
    ...info.flatMap(infoSection),
  ].join('\n');
}

function layerRows(layers: readonly Layer[]): readonly string[] {
  let sum = 0;
  return layers.map(({size, createdBy}, index) => {
    sum += size;
    return `| ${index + 1} | ${formatBytes(size)} | ${formatBytes(sum)} | ${codeCell(createdBy)} |`;
  });
}

function infoSection({command, exitCode, stdout, stderr}: InfoResult): readonly string[] {
  const isGood = exitCode === 0;
  return [
    `## ${escapeMarkdown(command.description)}`,
    '',
    codeBlock(command.command),
    '',
    ...(isGood ? [] : [`**${failureWords(exitCode)}**`, '']),
    ...output(stdout, 'Output', isGood && stderr.trim() === ''),
    // What a good command says besides is mostly noise, but a lonely stderr is its answer (`java -version`).
    ...(isGood && stdout.trim() !== '' ? [] : output(stderr, 'Standard error', false)),
    '',
  ];
}

function failureWords(exitCode: number | undefined): string {
  if (exitCode === undefined) return 'The command did not come to an end.';
  const why = exitCode === timeoutCode ? ': it took too long' : '';
  return `The command failed with exit code ${exitCode}${why}.`;
}

function output(text: string, title: string, isShownEmpty: boolean): readonly string[] {
  const plain = plainText(text).replace(/\n+$/, '');
  if (plain === '') return isShownEmpty ? ['(no output)', ''] : [];
  const lines = plain.split('\n').length;
  const block = codeBlock(plain);
  if (lines <= unfoldedLines)
    return title === 'Output' ? [block, ''] : [`${title}:`, '', block, ''];
  const summary = `${escapeHtml(title)} (${lines} lines)`;
  return ['<details>', `<summary>${summary}</summary>`, '', block, '', '</details>', ''];
}
