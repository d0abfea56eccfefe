import DOMPurify from 'dompurify';
import mermaid from 'mermaid';
import {micromark} from 'micromark';
import {gfm, gfmHtml} from 'micromark-extension-gfm';

/** HTML as GitHub makes it of Markdown, before it is sanitised: what got through here got through. */
export function rendered(markdown: string): string {
  return micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}

/** What a reader could be led astray by. */
export interface Live {
  readonly links: readonly string[];
  readonly images: number;
  /** Elements that the pages have no business with. */
  readonly foreign: readonly string[];
  /** What GitHub turns into links later, outside of code: mentions, issues, addresses, commits of others. */
  readonly references: readonly string[];
}

const own =
  /^\/?(?:h[1-6]|p|table|thead|tbody|tr|th|td|code|pre|strong|em|a|ul|ol|li|blockquote|details|summary|br|hr|wbr|del)$/;

export function liveIn(markdown: string): Live {
  // An element between two parts of a text keeps GitHub from reading them as one.
  const html = rendered(markdown).replace(/<!-- stack-action -->|<span>\$<\/span>/g, ' ');
  const links = [...html.matchAll(/<a\b[^>]*href="([^"]*)"/g)].map(([, href = '']) => href);
  const names = [...html.matchAll(/<(\/?[a-z!?][^\s>/]*)/gi)].map(([, name = '']) => name);
  const withAttributes = [...html.matchAll(/<(?!a |code |th |td )[a-z]+ [^>]*>/gi)].map(
    ([tag]) => tag,
  );
  const text = html
    .replace(/<(pre|code)\b[\s\S]*?<\/\1>/g, ' ')
    .replace(/<a\b[\s\S]*?<\/a>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replace(/&amp;/g, '&')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
  const references = [
    ...text.matchAll(
      /(?<![\w])@[a-z0-9]|#\d|\bGH-\d|https?:\/\/|\bwww\.|\w@\w|:[a-z0-9_+-]+:|\$[^\s$]/gi,
    ),
  ].map(([found]) => found);
  return {
    links,
    images: (html.match(/<img\b/g) ?? []).length,
    foreign: [
      ...names.filter((name) => !own.test(name)),
      ...withAttributes.filter((tag) => !/^<(?:table|ol start="\d+")/.test(tag)),
    ],
    references,
  };
}

/** The mermaid blocks of a page. */
export function diagramsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
}

/** Mermaid's own parser. Its cleaner of labels needs a browser; Node has none, so it passes labels on here. */
export async function parseDiagram(text: string): Promise<string> {
  Object.assign(DOMPurify, {addHook: () => undefined, sanitize: (label: string) => label});
  return (await mermaid.parse(text)).diagramType;
}
