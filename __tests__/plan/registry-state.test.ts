import {describe, expect, it} from 'vitest';
import type {Lookup, Published} from '../../src/adapters/registry/types.ts';
import {fail, ok, type Result} from '../../src/failure.ts';
import {labels} from '../../src/image/tags.ts';
import {findOutdated, type RecordFacts, readRegistryState} from '../../src/plan/registry-state.ts';
import {imageSpec, labelsOf, published} from '../support/builders/stack.ts';
import {fakeRegistryPort} from '../support/fakes/step-ports.ts';

const hash = (digit: string): string => `sha256:${digit.repeat(64)}`;
const own = {fingerprint: hash('f'), content: hash('c'), tests: hash('1')};

/** What is known of an image at its tag, when no proof tag shows it. */
async function evidenceFrom(record: Partial<RecordFacts> | undefined) {
  const image = imageSpec('a', [], {repository: 'r.io/a'});
  const standing = published('a', {labels: labelsOf('a', {[labels.tests]: hash('9')})});
  const state = await readRegistryState(
    {
      registry: fakeRegistryPort([], {
        inspect: async () => standing,
        head: async () => ({state: 'absent'}),
      }),
      mayPush: true,
      readRecord: async () => ({
        ...own,
        tests: {hash: hash('1'), verdict: 'passed'},
        ...record,
      }),
    },
    {
      spec: {images: new Map([['a', image]])} as never,
      refs: new Map([['a', 'r.io/a:1-topic']]),
      hashes: new Map([['a', own]]),
    },
  );
  return state.evidence.get('a')?.passed;
}

describe('what a record proves', () => {
  const passed = (digit: string) => ({hash: hash(digit), verdict: 'passed'}) as const;
  const failed = (digit: string) => ({hash: hash(digit), verdict: 'failed'}) as const;

  it.each([
    ['these tests passed', passed('1'), undefined, hash('1')],
    ['these tests failed', failed('1'), undefined, undefined],
    ['other tests passed', passed('2'), undefined, hash('2')],
    // Two branches with one image, each with tests of its own.
    ['others failed since', failed('2'), [passed('1'), failed('2')], hash('1')],
    ['others passed since', passed('2'), [failed('1'), passed('2')], undefined],
    ['these failed under another tag since', failed('1'), [passed('1'), failed('1')], undefined],
  ])('%s', async (_, tests, verdicts, expected) => {
    const record = {tests, ...(verdicts === undefined ? {} : {verdicts})};
    expect(await evidenceFrom(record)).toBe(expected);
  });
});

describe('an image that the Python scripts made', () => {
  const made = (more: Partial<Published> = {}) =>
    published('a', {labels: new Map(), created: 1000, ...more});
  const outdated = async (standing: Lookup, changed: Result<number, string>) => {
    const asked: string[] = [];
    const found = await findOutdated({
      images: [imageSpec('a')],
      stackDir: 'images',
      atTag: new Map([['a', standing]]),
      lastChange: async (paths) => {
        asked.push(...paths);
        return changed;
      },
    });
    return {found: [...found], asked};
  };

  it('is older than its files where a commit changed them since', async () => {
    const {found, asked} = await outdated(made(), ok(2000));
    expect(found).toEqual(['a']);
    expect(asked).toEqual(['images/a', 'images/a/Dockerfile', 'images/tests_common']);
    expect((await outdated(made(), ok(500))).found).toEqual([]);
    expect((await outdated(made(), fail('no git'))).found).toEqual([]);
  });

  it.each<[string, Lookup]>([
    ['has our labels', published('a', {created: 1000})],
    ['is not there', {state: 'absent'}],
  ])('is not asked about where it %s', async (_, standing) => {
    expect(await outdated(standing, ok(2000))).toEqual({found: [], asked: []});
  });

  it('without a time says nothing', async () => {
    expect((await outdated(published('a', {labels: new Map()}), ok(2000))).found).toEqual([]);
  });
});
