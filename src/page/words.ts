import {escapeMarkdown} from '../util/markdown.ts';

/** Text from outside within a line of Markdown: it stays one line, and means nothing but itself. */
export function words(text: string): string {
  return escapeMarkdown(text).replace(/\s+/g, ' ').trim();
}

/** A link, where the address is plainly one (or the name of a wiki page); else its words alone. */
export function link(
  label: string,
  address: string,
  {isMarkdown = false}: {readonly isMarkdown?: boolean} = {},
): string {
  const shown = isMarkdown ? label : words(label);
  const isAddress = /^(?:https?:\/\/)?[\w.:/?=&%#~+@-]+$/.test(address);
  const isPageName = /^[\w.-]+$/.test(address);
  return isPageName || (isAddress && /^https?:\/\//.test(address))
    ? `[${shown}](${address})`
    : shown;
}

/** Something long that is looked at on demand. */
export function folded(summary: string, lines: readonly string[]): readonly string[] {
  return ['<details>', `<summary>${summary}</summary>`, '', ...lines, '', '</details>', ''];
}

/** `1 package`, `2 packages` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
