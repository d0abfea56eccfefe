import {codeCell, escapeCell, escapeHtml, escapeMarkdown} from './markdown.ts';

/** What a secret is replaced by. */
export const maskMark = '***';

/** The secrets of a run, for every door through which text leaves. Secrets may be added while the run goes on. */
export interface Mask {
  /**
   * Hides these values from now on, in every form; a value of several lines also line by line. Returns those that are
   * too short to be hidden: they would blacken every log.
   */
  add(values: readonly string[], username?: string): readonly string[];
  /** The text with every secret replaced. */
  text(text: string): string;
  /** For bytes that come in pieces, such as a step's log. Secrets that are added later are hidden from then on. */
  stream(): Masker;
}

/** A mask without secrets. `onForms` learns every form that is added, for example to tell the runner. */
export function createMask(onForms: (forms: readonly string[]) => void = () => {}): Mask {
  const forms = new Set<string>();
  let needles = createNeedles([]);
  return {
    add: (values, username = '') => {
      const given = values.filter((value) => value.trim() !== '');
      const fresh = [...new Set(given.flatMap((value) => secretForms(value, username)))];
      const added = fresh.filter((form) => !forms.has(form));
      for (const form of added) forms.add(form);
      if (added.length > 0) {
        needles = createNeedles([...forms]);
        onForms(added);
      }
      return given.filter((value) => secretForms(value).length === 0);
    },
    text: (text) => maskWith(needles, text),
    stream: () => streamOf(() => needles),
  };
}

/** The text with every form replaced; forms that overlap become one mark. */
export function maskText(text: string, forms: readonly string[]): string {
  return maskWith(createNeedles(forms), text);
}

function maskWith(needles: Needles, text: string): string {
  if (needles.isEmpty || text === '') return text;
  const masker = streamOf(() => needles);
  const parts = [masker.push(Buffer.from(text)), masker.flush()];
  return masker.hasMasked() ? Buffer.concat(parts).toString() : text;
}

/** Masks bytes that come in pieces; what could be the beginning of a secret waits for the next piece. */
export interface Masker {
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back; the masker is empty afterwards. */
  flush(): Uint8Array;
}

/** A masker for one stream of bytes. All other bytes come out as they went in, valid UTF-8 or not. */
export function createMasker(forms: readonly string[]): Masker {
  const needles = createNeedles(forms);
  return streamOf(() => needles);
}

/** A part of the stream that is a secret, from its first byte to the one after its last. */
interface Found {
  readonly from: number;
  readonly to: number;
}

function streamOf(current: () => Needles): Masker & {hasMasked(): boolean} {
  let needles = current();
  let held: Uint8Array = new Uint8Array();
  let hasMasked = false;
  /** So many of the held bytes belong to a secret whose mark is out already. */
  let covered = 0;

  /** What is final comes out; what a later byte could turn into a secret stays. */
  const release = (data: Uint8Array, found: readonly Found[], end: number): Uint8Array => {
    const out: Uint8Array[] = [];
    let from = 0;
    let keepFrom = end;
    let stillCovered = 0;
    for (const one of found) {
      const isOpen = one.to > end;
      if (isOpen && end - one.from < longestHeld) {
        keepFrom = Math.min(keepFrom, one.from);
        break;
      }
      out.push(data.subarray(from, one.from));
      if (one.from > 0 || covered === 0) out.push(mark);
      hasMasked = true;
      from = Math.min(one.to, end);
      if (isOpen) stillCovered = one.to - end;
    }
    // What was announced by a mark and is still waiting stays announced.
    covered = keepFrom === 0 ? covered : stillCovered;
    out.push(data.subarray(from, Math.max(from, keepFrom)));
    // A copy: the rest of a large chunk is not kept alive for a few bytes.
    held = Uint8Array.from(data.subarray(keepFrom));
    return out.length === 1 ? (out[0] ?? data) : Buffer.concat(out);
  };

  const join = (chunk: Uint8Array): Uint8Array =>
    held.length === 0 ? chunk : Buffer.concat([held, chunk]);

  return {
    push: (chunk) => {
      needles = current();
      if (needles.isEmpty && held.length === 0) return chunk;
      const data = join(chunk);
      const {found, openFrom} = needles.find(data, covered);
      return release(data, found, openFrom);
    },
    flush: () => {
      const data = held;
      held = new Uint8Array();
      return release(data, needles.find(data, covered).found, data.length);
    },
    hasMasked: () => hasMasked,
  };
}

const mark = Buffer.from(maskMark);

/** Secrets that overlap without an end (`aaaa…`) are one: its mark is written, and the memory stays small. */
const longestHeld = 64 * 1024;

interface Needles {
  readonly isEmpty: boolean;
  /** Where the needles are, in order and apart, with the bytes that are covered already, and from where on a needle may have begun that is not over. */
  find(
    data: Uint8Array,
    covered: number,
  ): {readonly found: readonly Found[]; readonly openFrom: number};
}

/** A node of the tree of all needles: what has been read is the way to it. */
interface Node {
  readonly depth: number;
  readonly next: Map<number, Node>;
  /** The longest end of what has been read that begins a needle too. */
  fallback: Node | undefined;
  /** Length of the longest needle that ends here. */
  longest: number;
}

/**
 * Aho and Corasick's machine: one look at each byte, however many needles there are and whatever they share. Searching
 * for each in turn takes minutes for a secret of many lines and a log of 500 MB.
 */
function createNeedles(forms: readonly string[]): Needles {
  const root: Node = {depth: 0, next: new Map(), fallback: undefined, longest: 0};
  const begins = new Uint8Array(256);
  for (const form of forms) {
    let node = root;
    for (const byte of Buffer.from(form)) {
      const next = node.next.get(byte) ?? childOf(node);
      node.next.set(byte, next);
      node = next;
    }
    node.longest = node.depth;
  }
  for (const byte of root.next.keys()) begins[byte] = 1;
  linkFallbacks(root);

  const find: Needles['find'] = (data, covered) => {
    const found: Found[] = covered > 0 ? [{from: 0, to: covered}] : [];
    let node = root;
    for (let at = 0; at < data.length; at++) {
      const byte = data[at] ?? 0;
      if (node === root && begins[byte] === 0) continue;
      node = step(node, byte, root);
      if (node.longest > 0) addFound(found, {from: at + 1 - node.longest, to: at + 1});
    }
    return {found, openFrom: data.length - node.depth};
  };
  return {isEmpty: root.next.size === 0, find};
}

function childOf({depth}: Node): Node {
  return {depth: depth + 1, next: new Map(), fallback: undefined, longest: 0};
}

function step(from: Node, byte: number, root: Node): Node {
  for (let node: Node | undefined = from; node !== undefined; node = node.fallback) {
    const next = node.next.get(byte);
    if (next !== undefined) return next;
  }
  return root;
}

/** Level by level, since a fallback is always on a higher one. */
function linkFallbacks(root: Node): void {
  const queue: Node[] = [root];
  for (const node of queue) {
    for (const [byte, child] of node.next) {
      child.fallback = node.fallback === undefined ? root : step(node.fallback, byte, root);
      child.longest = Math.max(child.longest, child.fallback.longest);
      queue.push(child);
    }
  }
}

/** Parts that overlap become one, so that no end of a secret is left beside the mark of another. */
function addFound(found: Found[], one: Found): void {
  let {from} = one;
  for (let last = found.at(-1); last !== undefined && last.to > from; last = found.at(-1)) {
    from = Math.min(from, last.from);
    found.pop();
  }
  found.push({from, to: one.to});
}

/** A shorter one would blacken every log and hide nothing. */
const shortestSecret = 4;

/** A shorter part of base64 is a word like any other. */
const shortestPart = 8;

/**
 * Every form in which a secret is seen in output: itself and each of its lines; in base64, whatever stands before or
 * after it in what was encoded (registries get `base64(user:secret)`); as JSON, URLs, HTML and Markdown spell it.
 * The runner masks exact strings only. Longest first; none for a secret that is too short.
 */
export function secretForms(secret: string, username = ''): readonly string[] {
  const lines = secret.split(/\r\n|\r|\n/).map((line) => line.trim());
  const values = [secret, secret.trim(), ...(lines.length > 1 ? lines.filter(isTelling) : [])];
  const forms = [...new Set(values)]
    .filter((value) => value.length >= shortestSecret)
    .flatMap((value) => formsOf(value, username));
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** Brackets and rules are lines of every file. */
function isTelling(line: string): boolean {
  return /[\p{L}\p{N}]/u.test(line);
}

function formsOf(value: string, username: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  return [
    value,
    ...encoded(value),
    ...(username === '' ? [] : [toBase64(`${username}:${value}`)]),
    json,
    JSON.stringify(json).slice(1, -1),
    // As Python and Go write JSON.
    json.replace(/[\u007f-\uffff]/g, unicodeEscape),
    json.replace(/[<>&\u2028\u2029]/g, unicodeEscape),
    url,
    url.replace(/%20/g, '+'),
    url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    encodeURI(value),
    // One line in pages: a form without letters would take their layout with it.
    ...(value.includes('\n')
      ? []
      : [escapeHtml, escapeMarkdown, escapeCell, codeCell].map((spell) =>
          spell(value).replace(/^<code>|<\/code>$/g, ''),
        )),
  ].filter((form) => form.length >= shortestSecret);
}

/** In base64 of itself, and the part that is the same wherever it stands in a longer text; both alphabets. */
function encoded(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const whole = toBase64(value);
  const parts = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    return text.toString('base64').slice(first, Math.floor((text.length * 8) / 6));
  });
  const forms = [
    whole,
    whole.replace(/=+$/, ''),
    ...parts.filter(({length}) => length >= shortestPart),
  ];
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
