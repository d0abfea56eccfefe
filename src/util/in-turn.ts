/** So many files, or images, at once: more than there are threads and connections to work on them. */
const mostAtOnce = 64;

/**
 * Does the work for every item, never for too many at once: each may hold a file open, and what waits for its turn
 * takes no memory. Resolves in the order of the items.
 * @throws what the first work that fails throws
 */
export async function inTurn<T, R>(
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
  most = mostAtOnce,
): Promise<R[]> {
  const done: R[] = [];
  const left = [...items].entries();
  const next = async (): Promise<void> => {
    for (const [index, item] of left) done[index] = await work(item);
  };
  await Promise.all(Array.from({length: most}, next));
  return done;
}
