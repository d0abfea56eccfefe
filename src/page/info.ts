import type {RecordedInfo} from '../record/index.ts';
import {codeBlock, escapeHtml} from '../util/markdown.ts';
import {plainText, withoutLastBreaks} from '../util/text.ts';
import {folded, words} from './words.ts';

/** Output with more lines is folded. */
const unfoldedLines = 30;

/** Exit code of `timeout` for a command that was ended. */
export const timeoutCode = 124;

/** What one info command printed. */
export function infoSection(info: RecordedInfo): readonly string[] {
  const {description, command, exitCode, output, errors = ''} = info;
  const isGood = exitCode === 0;
  return [
    `## ${words(description)}`,
    '',
    codeBlock(command),
    '',
    ...(isGood ? [] : [`**${failureWords(exitCode)}**`, '']),
    ...outputBlock(output, 'Output', isGood && errors.trim() === ''),
    ...outputBlock(errors, 'Standard error', false),
    '',
  ];
}

function failureWords(exitCode: number | undefined): string {
  if (exitCode === undefined) return 'The command did not finish.';
  const why = exitCode === timeoutCode ? ' (timed out)' : '';
  return `The command failed with exit code ${exitCode}${why}.`;
}

function outputBlock(text: string, title: string, isShownEmpty: boolean): readonly string[] {
  const plain = withoutLastBreaks(plainText(text));
  if (plain === '') return isShownEmpty ? ['(no output)', ''] : [];
  const lines = plain.split('\n').length;
  const block = codeBlock(plain);
  if (lines > unfoldedLines) return folded(`${escapeHtml(title)} (${lines} lines)`, [block]);
  return title === 'Output' ? [block, ''] : [`${title}:`, '', block, ''];
}
