import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createMask, createMasker, maskText, secretForms} from '../../src/util/masking.ts';

const secret = 'p@ss "word"/+1';

describe('secretForms', () => {
  it.each([
    ['itself', secret],
    ['as registries get it', Buffer.from(`octocat:${secret}`).toString('base64')],
    ['as JSON', JSON.stringify(secret)],
    ['in a URL', `https://octocat:${encodeURIComponent(secret)}@ghcr.io`],
    ['in base64', Buffer.from(secret).toString('base64')],
  ])('hides a secret %s', (_, text) => {
    const masked = maskText(`before ${text} after`, secretForms(secret, 'octocat'));
    expect(masked).toMatch(/^before .*\*\*\*.* after$/);
    expect(masked).not.toContain('word');
    expect(masked).not.toContain(text);
  });

  it.each([
    [
      'in base64 of a longer text',
      Buffer.from(`{"auth":"x:${secret}","more":1}`).toString('base64'),
    ],
    ['in base64 for URLs', Buffer.from(`??${secret}>>`).toString('base64url')],
    ['as JSON in JSON', JSON.stringify(JSON.stringify({a: secret}))],
    ['in a form', new URLSearchParams({a: secret}).toString()],
  ])('hides a secret %s', (_, text) => {
    const masked = maskText(text, secretForms(secret));
    expect(masked).toContain('***');
    expect(masked).not.toContain('word');
    expect(masked.length).toBeLessThan(text.length);
  });

  it('hides a key of several lines as a whole and line by line, but not its brackets', () => {
    const key = '-----BEGIN KEY-----\r\nMIIabcdefg\nhijklmnop=\n{{{{\n';
    const forms = secretForms(key);
    const seen = (text: string): string => maskText(text, forms);
    expect(seen('a MIIabcdefg b')).toBe('a *** b');
    expect(seen('| hijklmnop=\n| {{{{')).toBe('| ***\n| {{{{');
    expect(seen(JSON.stringify({key}))).toBe('{"key":"***"}');
    expect(seen(Buffer.from(key).toString('base64'))).toBe('***');
  });

  it('does not blacken logs with a secret of three letters', () => {
    expect(secretForms('abc')).toEqual([]);
  });
});

describe('createMasker', () => {
  const mask = (chunks: readonly Uint8Array[], forms: readonly string[]): string => {
    const masker = createMasker(forms);
    const out = [...chunks.map((chunk) => masker.push(chunk)), masker.flush()];
    return Buffer.concat(out).toString('latin1');
  };

  it('hides a secret that comes byte by byte', () => {
    const chunks = [...Buffer.from('a secret1 b')].map((byte) => Buffer.of(byte));
    expect(mask(chunks, ['secret1'])).toBe('a *** b');
  });

  it('prefers the longest of the forms that begin at one place', () => {
    expect(mask([Buffer.from('xx tokentoken yy')], ['token', 'tokentoken'])).toBe('xx *** yy');
  });

  it('keeps bytes that are no text', () => {
    const bytes = Buffer.from([0, 255, 254, 13, 10, 27, 128]);
    expect(mask([bytes], ['secret'])).toBe(bytes.toString('latin1'));
  });

  it('does not hold back what cannot become a secret any more', () => {
    const masker = createMasker(['secret']);
    expect(Buffer.from(masker.push(Buffer.from('xx sec'))).toString()).toBe('xx ');
    expect(Buffer.from(masker.push(Buffer.from('ond'))).toString()).toBe('second');
  });

  it('says the same however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'ab', 'aab', 'b', 'abab', '\n'), {maxLength: 40});
    const cuts = fc.array(fc.nat(60), {maxLength: 6});
    fc.assert(
      fc.property(text, cuts, (words, at) => {
        const whole = Buffer.from(words.join(''));
        const borders = [0, ...at.map((one) => Math.min(one, whole.length)), whole.length].sort(
          (a, b) => a - b,
        );
        const chunks = borders.slice(1).map((end, index) => whole.subarray(borders[index], end));
        expect(mask(chunks, ['aabab'])).toBe(whole.toString().replaceAll('aabab', '***'));
      }),
    );
  });
});

describe('a mask', () => {
  it('hides what is added while the run goes on, in texts and in streams that are open', () => {
    const told: string[] = [];
    const mask = createMask((forms) => told.push(...forms));
    const stream = mask.stream();
    const push = (text: string): string => Buffer.from(stream.push(Buffer.from(text))).toString();
    expect(mask.text('a first b second')).toBe('a first b second');
    expect(mask.add(['first'])).toEqual([]);
    expect(push('a first b sec')).toBe('a *** b sec');
    expect(mask.add(['second', 'second', ''])).toEqual([]);
    expect(push('ond sec')).toBe('ond ');
    expect(push('ond!')).toBe('***!');
    expect(mask.text('a first b second')).toBe('a *** b ***');
    expect(told.filter((form) => form === 'second')).toEqual(['second']);
  });

  it('names what is too short to be hidden, and hides it nowhere', () => {
    const mask = createMask();
    expect(mask.add(['abc', 'long enough', 'x'])).toEqual(['abc', 'x']);
    expect(mask.text('abc x')).toBe('abc x');
  });

  it('leaves no end of a secret beside the mark of another', () => {
    expect(maskText('1 abcdefgh 2', ['abcdef', 'defgh', 'cd'])).toBe('1 *** 2');
    expect(maskText('abcd', ['ab', 'cd', 'bc'])).toBe('***');
  });

  it('gives the same text back where there is no secret', () => {
    const mask = createMask();
    mask.add(['hunter2']);
    const odd = '\ud800 lone, \0 and \ufeff';
    expect(mask.text(odd)).toBe(odd);
  });

  it('holds back little of secrets that overlap without an end', () => {
    const masker = createMasker(['aaaa']);
    const chunk = Buffer.alloc(50_000, 97);
    let out = '';
    for (let times = 0; times < 40; times++) out += Buffer.from(masker.push(chunk)).toString();
    out += Buffer.from(masker.push(Buffer.from('b aaaa c'))).toString();
    out += Buffer.from(masker.flush()).toString();
    expect(out).toBe('***b *** c');
  });

  it('covers exactly the bytes of needles, however the stream is cut', () => {
    const letters = fc.stringMatching(/^[ab]{1,5}$/);
    const property = fc.property(
      fc.array(letters, {minLength: 1, maxLength: 5}),
      fc.array(fc.stringMatching(/^[abc]{0,12}$/), {maxLength: 8}),
      (needles, chunks) => {
        const text = chunks.join('');
        const covered = new Set<number>();
        for (const needle of needles)
          for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1))
            for (let index = 0; index < needle.length; index++) covered.add(at + index);
        const rest = [...text].filter((_, index) => !covered.has(index)).join('');
        const masker = createMasker(needles);
        const out = [...chunks.map((one) => masker.push(Buffer.from(one))), masker.flush()];
        expect(Buffer.concat(out).toString().replaceAll('***', '')).toBe(rest);
      },
    );
    fc.assert(property, {numRuns: 2000});
  });
});
