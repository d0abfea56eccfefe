/** The runner drops a summary over 1 MiB whole; some room is left for what it adds. */
export const largestSummary = 1024 * 1024 - 4096;

/** A part of a page: its rows come best first, and are what is left out when the page grows too large. */
export interface Section {
  readonly head?: string;
  readonly rows: readonly string[];
  readonly foot?: string;
  /** What the rows are, for the notice: `more images`. */
  readonly of: string;
  /** The most bytes it may take, so that what follows has room. */
  readonly most?: number;
}

/** Room for the notice of a section that was cut. */
const noticeBytes = 200;

/** Joins sections, in UTF-8 bytes never more than `limit`; whatever is left out is counted. */
export function fitted(sections: readonly Section[], limit: number, elsewhere: string): string {
  const parts: string[] = [];
  let used = 0;
  for (const section of sections) {
    const room = Math.min(limit - used, section.most ?? limit);
    const text = fittedSection(section, room, elsewhere);
    if (text === '') continue;
    parts.push(text);
    used += bytes(text) + 1;
  }
  return `${parts.join('\n')}`;
}

function fittedSection(
  {head = '', rows, foot = '', of}: Section,
  room: number,
  elsewhere: string,
): string {
  const ends = bytes(head) + bytes(foot) + 4;
  if (ends + noticeBytes > room || (rows.length === 0 && head === '')) return '';
  let left = room - ends - noticeBytes;
  const kept: string[] = [];
  for (const row of rows) {
    left -= bytes(row) + 1;
    if (left < 0) break;
    kept.push(row);
  }
  const missing = rows.length - kept.length;
  const notice = missing === 0 ? [] : ['', `… and ${missing} more ${of}: see ${elsewhere}.`];
  const lines = [...(head === '' ? [] : [head]), ...kept];
  return `${[...lines, ...(foot === '' ? [] : [foot]), ...notice].join('\n').trimEnd()}\n`;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
