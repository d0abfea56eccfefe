import {escapeHtml} from '../../util/markdown.ts';
import {plainText} from '../../util/text.ts';

/** Text outside of code: GitHub shows it as it is, and makes nothing of it live. */
export function prose(text: string): string {
  return escaped(oneLine(text));
}

/** A zero-width space, which GitHub's own bots put between a sign and the name behind it. */
const gap = '&#8203;';

/** What GitHub makes live in plain text: addresses, mentions, references, emoji, formulas. */
const live = /:(?=\/\/|[\w+-]+:)|www(?=\.)|(?:mailto|xmpp)(?=:)|@|#|GH(?=-\d)|\$/gi;

function escaped(line: string): string {
  return escapeHtml(line)
    .replace(live, tamed)
    .replace(/[\\`*_{}[\]|~]/g, '\\$&')
    .replace(/^(?:[-+=]|\d{1,9}[.)])/, `${gap}$&`);
}

function tamed(found: string): string {
  // As GitHub's own documentation writes a dollar that begins no formula.
  if (found === '$') return `<span>${entity('$')}</span>`;
  return `${found === ':' ? entity(':') : found}${gap}`;
}

function entity(character: string): string {
  return `&#${character.charCodeAt(0)};`;
}

/** Where a long word may break, so that a table stays as wide as the page. */
const pieces = /[^/:_.@-]{1,24}[/:_.@-]?|[/:_.@-]/gu;
const longestWord = 20;

/** Text in a cell of a table: words that are longer than a cell may break. */
export function cell(text: string): string {
  const broken = (word: string): string =>
    word.length <= longestWord
      ? escaped(word)
      : (word.match(pieces) ?? [])
          .map(escaped)
          .join('<wbr>')
          // What is live may begin before the break.
          .replace(/(?::|GH-)(?=<wbr>)/gi, `$&${gap}`);
  return oneLine(text).split(' ').map(broken).join(' ');
}

/** Code outside of a block. `<code>` rather than backticks, because no backtick can close it; long words may break. */
export function code(text: string): string {
  const line = oneLine(text);
  const parts = line.length <= longestWord ? [line] : (line.match(pieces) ?? []);
  const safe = parts.map((part) =>
    escapeHtml(part)
      .replace(/[\\|`*_[\]~:@#$!]/g, entity)
      .replace(/www\./gi, 'www&#46;')
      // Two text nodes are no address of a mailbox.
      .replace(/&#64;(?=.)/g, '&#64;<wbr>'),
  );
  return `<code>${safe.join('<wbr>')}</code>`;
}

/** A link of our own; where the address is not one of the web only the label stays. */
export function link(label: string, url: string | undefined): string {
  const address = webAddress(url);
  return address === undefined ? label : `[${label}](${address})`;
}

export function webAddress(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const {protocol, href} = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  return href.replace(
    /[()<>[\]|\\`*_~\s]/g,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Words that stay on one line. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', '&nbsp;');
}

/** Folded away. The title is Markdown of ours. */
export function folded(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** At most this many characters, with an ellipsis where some are missing. */
export function shortened(text: string, longest: number): string {
  const characters = [...text.slice(0, longest * 2)];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : text;
}

/** No field of a page deserves more; what is longer is in the artifact. */
const longestText = 4000;

function oneLine(text: string): string {
  return plainText(shortened(text, longestText))
    .replace(/[\n\t\u2028\u2029]+/g, ' ')
    .trim();
}

/** A code block whose fence is longer than any run of backticks in it. */
export function block(lines: readonly string[], language = 'text'): string {
  const fence = '`'.repeat(fenceLength(lines));
  return [`${fence}${language}`, ...lines, fence].join('\n');
}

export function fenceLength(lines: readonly string[]): number {
  return lines.reduce(
    (most, line) =>
      (line.match(/`+/g) ?? []).reduce((all, run) => Math.max(all, run.length + 1), most),
    3,
  );
}

/** One line of a block: nothing in it ends the line, or moves or colours it. */
export function blockLine(text: string, longest: number): string {
  return plainText(shortened(text, longest)).replace(/[\n\u2028\u2029]/g, ' ');
}
