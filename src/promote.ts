import type {Run} from './run.ts';

/** Filled in when the tagger stands. */
export async function promote(_run: Run): Promise<string | undefined> {
  throw new Error('Internal error: mode tag is not there yet');
}
