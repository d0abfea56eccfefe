import {describe, expect, it} from 'vitest';
import type {Presence} from '../../src/adapters/registry/types.ts';
import {fail, failure, ok} from '../../src/failure.ts';
import {readTested} from '../../src/fingerprint/proof.ts';
import {fingerprintTag, labels, proofTag} from '../../src/image/tags.ts';
import {digestOf, labelsOf, published} from '../support/builders/stack.ts';

describe('readTested', () => {
  const digest = digestOf('a');
  const tests = `sha256:${'7e'.repeat(32)}`;
  const fingerprint = digestOf('fp a');
  const labelled = (more: Record<string, string> = {[labels.tests]: tests}) => {
    const found = published('a', {labels: labelsOf('a', more)});
    if (found.state !== 'present') throw new Error('an image expected');
    return found;
  };
  const proof = `ghcr.io/o/a:${proofTag(fingerprint, tests)}`;
  const oldProof = `ghcr.io/o/a:${fingerprintTag(fingerprint)}`;
  const recordOf = (verdict: 'passed' | 'failed', of = digest) =>
    ok({digest: of, tests: {hash: tests, verdict}, parents: []});

  /** What is known of an image, with these tags and this record. */
  async function tested(
    tags: Readonly<Record<string, string>>,
    {image = labelled(), record, checkout}: Partial<Parameters<typeof readTested>[1]> = {},
  ) {
    const asked: string[] = [];
    const head = async (ref: string): Promise<Presence> => {
      asked.push(ref);
      const shown = tags[ref];
      return shown === undefined ? {state: 'absent'} : {state: 'present', digest: shown};
    };
    return {
      ...(await readTested(
        {head},
        {repository: 'ghcr.io/o/a', tag: '1-main', image, record, checkout},
      )),
      asked,
    };
  }

  it('believes the proof tag of these tests with this very digest', async () => {
    expect(await tested({[proof]: digest})).toMatchObject({state: 'passed', by: 'proof'});
  });

  it.each([
    ['there is no proof', {}],
    ['the proof is of a twin on another branch', {[proof]: digestOf('twin')}],
    ['only other tests were passed', {[`ghcr.io/o/a:${proofTag(fingerprint, 'ff')}`]: digest}],
    ['only an old tag, without the tests, has this digest', {[oldProof]: digest}],
  ])('refuses where %s', async (_, tags) => {
    expect(await tested(tags)).toMatchObject({state: 'failed'});
  });

  it('lets the record have the last word, either way', async () => {
    expect(await tested({}, {record: recordOf('passed')})).toMatchObject({
      state: 'passed',
      by: 'record',
      asked: [],
    });
    expect(await tested({[proof]: digest}, {record: recordOf('failed')})).toMatchObject({
      state: 'failed',
    });
  });

  it.each([
    ['their red is not its own', '1-main', 'passed', '1-topic', 'failed', 'passed'],
    ['their green is not its own', '1-main', 'failed', '1-topic', 'passed', 'failed'],
    [
      'without a word of its own the last one counts',
      '1-x',
      'passed',
      '1-topic',
      'failed',
      'failed',
    ],
  ] as const)(
    'tells the tests of other branches apart: %s',
    async (_, first, one, second, other, expected) => {
      const record = ok({
        digest,
        tests: {hash: tests, verdict: other},
        verdicts: [
          {tag: first, hash: digestOf('own tests'), verdict: one},
          {tag: second, hash: tests, verdict: other},
        ],
        parents: [],
      });
      expect(await tested({}, {record})).toMatchObject({state: expected});
    },
  );

  describe('of the branch that is checked out', () => {
    const newer = digestOf('newer tests');
    const content = digestOf('content a');
    const checkout = {content, tests: newer};
    const passed = (hash: string) =>
      ok({digest, tests: {hash, verdict: 'passed' as const}, parents: []});

    it.each([
      ['passed older tests only', passed(tests), {}, 'failed'],
      ['passed older tests only, without a record', undefined, {}, 'failed'],
      ['passed these', passed(newer), {}, 'passed'],
      ['passed these, says a proof', passed(tests), {[newer]: digest}, 'passed'],
      ['has a twin that passed these', passed(tests), {[newer]: digestOf('twin')}, 'failed'],
    ] as const)('an image %s', async (_, record, proofs, state) => {
      const tags = Object.entries(proofs).map(([hash, of]) => [
        `ghcr.io/o/a:${proofTag(fingerprint, hash)}`,
        of,
      ]);
      const shown = {[proof]: digest, ...Object.fromEntries(tags)};
      expect(await tested(shown, {record, checkout})).toMatchObject({state});
      // Another image than the one that is checked out: its own tests count.
      const other = {content: digestOf('other'), tests: newer};
      expect(await tested(shown, {record, checkout: other})).toMatchObject({state: 'passed'});
    });
  });

  it.each([
    ['of another digest', recordOf('passed', digestOf('twin'))],
    ['that cannot be read', fail(failure('registry-inconsistent', 'it is not JSON'))],
    ['that does not exist', ok(undefined)],
    ['that nobody asks for', undefined],
  ])('trusts nothing of a record %s', async (_, record) => {
    expect(await tested({}, {record})).toMatchObject({state: 'failed', asked: [proof]});
    expect(await tested({[proof]: digest}, {record})).toMatchObject({by: 'proof'});
  });

  it('does not pass over a record that cannot be asked for: it may say that the tests failed', async () => {
    const record = fail(failure('registry-unavailable', 'the registry returned 503'));
    expect(await tested({[proof]: digest}, {record})).toMatchObject({
      state: 'unknown',
      because: 'its record could not be read: the registry returned 503',
    });
  });

  it('takes the old tag with this very digest for images of earlier versions', async () => {
    const made = labelled();
    const image = {
      ...made,
      labels: new Map([...made.labels].filter(([label]) => label !== labels.tests)),
    };
    expect(await tested({[oldProof]: digest}, {image})).toMatchObject({by: 'old-proof'});
    expect(await tested({[oldProof]: digestOf('twin')}, {image})).toMatchObject({state: 'failed'});
  });

  it('knows nothing of an image without labels', async () => {
    const image = {...labelled(), labels: new Map<string, string>()};
    expect(await tested({}, {image})).toEqual({state: 'unlabelled', asked: []});
  });

  it('says so when the registry does not answer', async () => {
    const head = async (): Promise<Presence> => ({state: 'unknown', because: '503'});
    const request = {
      repository: 'ghcr.io/o/a',
      tag: '1-main',
      image: labelled(),
      record: undefined,
    };
    expect(await readTested({head}, request)).toEqual({state: 'unknown', because: '503'});
  });
});
