import {describe, expect, it} from 'vitest';
import {type Attempt, decideRetry} from '../../src/util/retry.ts';

const first: Attempt = {
  status: 503,
  body: '',
  retryAfter: undefined,
  number: 1,
  waited: 0,
  total: 0,
};
const now = Date.parse('2026-01-01T00:00:00Z');
const decide = (more: Partial<Attempt>, random = 0.5) =>
  decideRetry({...first, ...more}, now, random);

describe('decideRetry', () => {
  it.each([408, 429, 499, 500, 502, 503, 504, 522, undefined])('tries %s again', (status) => {
    expect(decide({status}).retry).toBe(true);
  });

  it.each([400, 401, 403, 404, 405, 409])('does not try %i again', (status) => {
    expect(decide({status}).retry).toBe(false);
  });

  it('knows a limit that looks like a refusal', () => {
    expect(decide({status: 403, body: 'You have exceeded a secondary rate limit'}).retry).toBe(
      true,
    );
  });

  it.each<[Partial<Attempt>, number]>([
    [{retryAfter: '30'}, 30],
    [{retryAfter: 'Thu, 01 Jan 2026 00:00:45 GMT'}, 45],
    [{body: 'TOOMANYREQUESTS: retry-after: 20s, allowed: 2000/minute'}, 20],
    [{body: 'retry-after: 90000ms'}, 90],
  ])('waits at least as long as it is asked: %o', (more, seconds) => {
    const decision = decide({status: 429, ...more});
    expect(decision.retry && decision.seconds).toBeGreaterThanOrEqual(seconds);
  });

  it('does not sleep for an hour', () => {
    expect(decide({status: 429, retryAfter: '3600'})).toEqual({
      retry: false,
      because: expect.stringContaining('3600 s'),
    });
  });

  it('ends after five attempts, and after ten minutes', () => {
    expect(decide({number: 4}).retry).toBe(true);
    expect(decide({number: 5}).retry).toBe(false);
    expect(decide({total: 590, waited: 60}, 1).retry).toBe(false);
  });

  it('waits for a blob that the store does not show yet', () => {
    expect(decide({status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN"}]}'}).retry).toBe(true);
    expect(decide({status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}'}).retry).toBe(false);
  });

  it('gives up on a host that said nothing for a minute', () => {
    expect(decide({status: undefined, silence: 30.1}).retry).toBe(true);
    expect(decide({status: undefined, silence: 60}).retry).toBe(false);
  });

  it('does not wait long for a host that is not there', () => {
    let [waited, total] = [0, 0];
    for (let number = 1; number < 5; number++) {
      const decision = decide({status: undefined, isUnreachable: true, number, waited}, 0.999);
      waited = decision.retry ? decision.seconds : Number.NaN;
      total += waited;
    }
    expect(total).toBeLessThan(15);
  });

  it('spreads its waits between one second and sixty', () => {
    for (const random of [0, 0.5, 0.999]) {
      const decision = decide({waited: 40}, random);
      expect(decision.retry && decision.seconds).toBeGreaterThanOrEqual(1);
      expect(decision.retry && decision.seconds).toBeLessThanOrEqual(60);
    }
  });
});
