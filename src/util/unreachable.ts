/** The compiler proves that a switch is whole; reaching this is a bug. */
export function unreachable(value: never): never {
  throw new Error(`Internal error: unexpected value ${JSON.stringify(value)}`);
}
