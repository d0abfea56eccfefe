import {fileNameOf} from '../image/tags.ts';
import {escapeMarkdown, splitLines} from '../util/markdown.ts';
import {commitPattern, type PromotedImage, type RepositoryPlace} from './index-pages.ts';

export interface StablePageOptions {
  readonly place: RepositoryPlace;
  /** A promotion was undone: the tag points to this image again. */
  readonly isRestored?: boolean;
  /** The page of the source is of the same image. */
  readonly isLinked?: boolean;
}

/**
 * The page of a stable tag: the page of the image it was promoted from, with its own title and a line that links to
 * where it comes from. Everything else of the page stays as it is, byte for byte (one character is one byte here).
 */
export function stablePage(
  page: string,
  {source, target}: Pick<PromotedImage, 'source' | 'target'>,
  {place, isRestored = false, isLinked = true}: StablePageOptions,
): string {
  const lines = splitLines(page);
  const eol = lines.find(({end}) => end !== '')?.end ?? '\n';
  const first = lines.findIndex(({text}) => text.trim() !== '');
  // A page of another tool keeps its own heading below ours.
  const isTitled = [source, target].some((ref) => isTitleOf(lines[first]?.text ?? '', ref));
  const rest = lines.slice(isTitled ? first + 1 : 0);
  const kept = isTitled ? withoutOrigin(rest) : rest;
  const body = kept.map(({text, end}) => text + end).join('');
  const verb = isRestored ? 'Restored to' : 'Promoted from';
  const origin = isLinked ? pageLink(source, place) : `the image that was built as ${code(source)}`;
  const head = [titleOf(target), '', `${verb} ${origin}.`];
  const gap = kept.length === 0 || kept[0]?.text.trim() === '' ? [] : [''];
  return [...head, ...gap].map((text) => text + eol).join('') + body;
}

/** The page of a stable tag whose image has no page in the wiki: what is known, and no more. */
export function barePage({target, digest, revision}: PromotedImage): string {
  return [
    titleOf(target),
    '',
    'A promotion of this tag was undone. The wiki has no manifest page of the image that it points to again.',
    '',
    `- Digest: \`${digest}\``,
    ...(revision === undefined || !commitPattern.test(revision)
      ? []
      : [`- Commit: \`${revision}\``]),
    '',
  ].join('\n');
}

/** The page of a tag that is gone; a page that only disappeared would leave dead links. */
export function gonePage(target: string): string {
  return [titleOf(target), '', 'This tag no longer exists: its promotion was undone.', ''].join(
    '\n',
  );
}

function titleOf(ref: string): string {
  return `# ${escapeMarkdown(ref)}`;
}

function pageLink(ref: string, {serverUrl, repository}: RepositoryPlace): string {
  const url = `${serverUrl}/${repository}/wiki/${encodeURIComponent(fileNameOf(ref))}`;
  return `[${code(ref)}](${url})`;
}

function code(ref: string): string {
  return `\`${ref.replace(/[`|<>\r\n]/g, '')}\``;
}

function isTitleOf(text: string, ref: string): boolean {
  const heading = /^#[ \t]+(.*?)[ \t#]*$/.exec(text.replace(byteOrderMark, ''))?.[1];
  return heading !== undefined && plain(heading).includes(ref);
}

const byteOrderMark = /^(?:\ufeff|\u00ef\u00bb\u00bf)/;

function plain(markdown: string): string {
  return markdown.replace(/\\(.)/g, '$1').replaceAll('`', '');
}

/** A stable page that is promoted further says where it comes from itself; one such line is enough. */
function withoutOrigin<T extends {readonly text: string}>(lines: readonly T[]): readonly T[] {
  const first = lines.findIndex(({text}) => text.trim() !== '');
  const isOrigin =
    /^(?:Promoted from|Restored to) (?:\[`[^`]*`\]\([^)]*\)|the image that was built as `[^`]*`)\.$/.test(
      lines[first]?.text ?? '',
    );
  return isOrigin ? lines.slice(first + 1) : lines;
}
