import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createMasker, maskText, secretForms} from '../../src/util/masking.ts';

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
