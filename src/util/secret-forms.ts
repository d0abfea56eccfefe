import {codeCell, escapeCell, escapeHtml, escapeMarkdown} from './markdown.ts';

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
