import {describe, expect, it} from 'vitest';
import {inTurn} from '../../src/util/in-turn.ts';

describe('work in turn', () => {
  it('keeps the order of the items, and never does more at once than it may', async () => {
    let [now, highest] = [0, 0];
    const done = await inTurn(
      Array.from({length: 50}, (_, index) => index),
      async (item) => {
        highest = Math.max(highest, ++now);
        await new Promise((resolve) => setTimeout(resolve, (item * 7) % 5));
        now--;
        return item * 2;
      },
      8,
    );
    expect(done).toEqual(Array.from({length: 50}, (_, index) => index * 2));
    expect(highest).toBe(8);
  });

  it('fails as the first work that fails', async () => {
    const work = async (item: number): Promise<number> => {
      if (item === 3) throw new Error('three');
      return item;
    };
    await expect(inTurn([1, 2, 3, 4], work)).rejects.toThrow('three');
    expect(await inTurn([], work)).toEqual([]);
  });
});
