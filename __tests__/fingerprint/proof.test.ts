import {expect, it} from 'vitest';
import type {Lookup, Presence} from '../../src/adapters/registry/types.ts';
import {inspectProof} from '../../src/fingerprint/proof.ts';
import {published} from '../support/builders/stack.ts';
import {fakeRegistryPort} from '../support/fakes/step-ports.ts';

const image = published('a', {digest: 'sha256:1'});

/** What is made of a HEAD of the proof, and whether the registry was asked for more. */
async function inspect(shown: Presence, own: Lookup = image) {
  let inspected = 0;
  const registry = fakeRegistryPort([], {
    head: async () => shown,
    inspect: async () => {
      inspected++;
      return published('a', {digest: 'sha256:2'});
    },
  });
  return {found: await inspectProof(registry, 'r/a:fp-1', Promise.resolve(own)), inspected};
}

it('asks once where the proof shows the image itself', async () => {
  const {found, inspected} = await inspect({state: 'present', digest: 'sha256:1'});
  expect(found).toBe(image);
  expect(inspected).toBe(0);
});

it.each([
  ['the proof shows another image', image],
  ['nothing stands at the tag', {state: 'absent'}],
] as const)('looks closer where %s', async (_, own) => {
  const {found, inspected} = await inspect({state: 'present', digest: 'sha256:2'}, own);
  expect(found).toMatchObject({state: 'present', digest: 'sha256:2'});
  expect(inspected).toBe(1);
});

it.each([{state: 'absent'}, {state: 'unknown', because: 'it is ill'}] as const)(
  'passes on that the proof is %s',
  async (shown) => {
    expect(await inspect(shown)).toEqual({found: shown, inspected: 0});
  },
);
