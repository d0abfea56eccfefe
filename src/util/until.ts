/** What comes first: the answer, or so many milliseconds after the signal the other one. What was asked goes on. */
export async function untilAborted<T, E>(
  asked: Promise<T>,
  signal: AbortSignal | undefined,
  otherwise: E,
  graceMs = 0,
): Promise<T | E> {
  if (signal === undefined) return asked;
  const {promise, resolve} = Promise.withResolvers<E>();
  const forget = afterAborted(signal, graceMs, () => resolve(otherwise));
  try {
    return await Promise.race([asked, promise]);
  } finally {
    forget();
  }
}

/** Does something so many milliseconds after the signal; what it gives calls that off. */
export function afterAborted(signal: AbortSignal, graceMs: number, act: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(act, graceMs);
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, {once: true});
  return () => {
    signal.removeEventListener('abort', begin);
    clearTimeout(timer);
  };
}
