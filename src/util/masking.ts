import {escapePattern} from './text.ts';

/** What a secret is replaced by. */
export const maskMark = '***';

/** A shorter one would blacken every log and hide nothing. */
const shortestSecret = 4;

/**
 * Every form in which a secret is seen in output: itself, `base64(user:secret)` as registries get it, base64 of
 * itself, and as JSON and URLs spell it. GitHub masks exact strings only (RELIABILITY.md 3a). Longest first.
 */
export function secretForms(secret: string, username = ''): readonly string[] {
  if (secret.length < shortestSecret) return [];
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const forms = [
    secret,
    base64(`${username}:${secret}`),
    base64(`${username}:${secret}`).replace(/=+$/, ''),
    base64(secret),
    base64(secret).replace(/=+$/, ''),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    encodeURIComponent(secret).replace(/%20/g, '+'),
  ];
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** The text with every form replaced; the longest form wins where several begin. */
export function maskText(text: string, forms: readonly string[]): string {
  const parts = forms.filter((form) => form !== '').map(escapePattern);
  return parts.length === 0 ? text : text.replace(new RegExp(parts.join('|'), 'g'), maskMark);
}

/** Masks bytes that come in pieces; what could be the beginning of a secret waits for the next piece. */
export interface Masker {
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back; the masker is empty afterwards. */
  flush(): Uint8Array;
}

/** A masker for one stream of bytes. All other bytes come out as they went in, valid UTF-8 or not. */
export function createMasker(forms: readonly string[]): Masker {
  const needles = forms.filter((form) => form !== '').map((form) => Buffer.from(form));
  needles.sort((a, b) => b.length - a.length);
  let held = Buffer.alloc(0);

  const push = (chunk: Uint8Array): Uint8Array => {
    if (needles.length === 0) return chunk;
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = held.length === 0 ? fresh : Buffer.concat([held, fresh]);
    const out: Uint8Array[] = [];
    // Where each needle is found next; found again only when it was passed.
    const next = needles.map((needle) => data.indexOf(needle));
    let from = 0;
    for (;;) {
      const found = firstOf(next);
      if (found === undefined) break;
      const end = (next[found] ?? 0) + (needles[found]?.length ?? 0);
      out.push(data.subarray(from, next[found]), Buffer.from(maskMark));
      from = end;
      needles.forEach((needle, index) => {
        const at = next[index] ?? -1;
        if (at >= 0 && at < end) next[index] = data.indexOf(needle, end);
      });
    }
    const keep = unfinished(data.subarray(from), needles);
    out.push(data.subarray(from, data.length - keep));
    // A copy: the rest of a large chunk is not kept alive for a few bytes.
    held = Buffer.from(data.subarray(data.length - keep));
    return out.length === 1 ? (out[0] ?? data) : Buffer.concat(out);
  };

  const flush = (): Uint8Array => {
    const rest = held;
    held = Buffer.alloc(0);
    return rest;
  };
  return {push, flush};
}

/** The needle found first; of several at one place the first in the list, which is the longest. */
function firstOf(next: readonly number[]): number | undefined {
  let best: number | undefined;
  next.forEach((at, index) => {
    if (at >= 0 && (best === undefined || at < (next[best] ?? 0))) best = index;
  });
  return best;
}

/** How many of the last bytes are the beginning of a needle. */
function unfinished(data: Buffer, needles: readonly Buffer[]): number {
  let longest = 0;
  for (const needle of needles) {
    for (let length = Math.min(needle.length - 1, data.length); length > longest; length--) {
      if (data.subarray(data.length - length).equals(needle.subarray(0, length))) longest = length;
    }
  }
  return longest;
}
