import {listFiles, listOmitted} from '../../adapters/git/index.ts';
import {omittedTests, SpecError, type Stack, strayTests} from '../../stack/index.ts';

/**
 * What git's list of files says of the tests: one line for each image whose tests nothing runs.
 * @throws {SpecError} for tests that a sparse checkout omits: without them everything would pass
 */
export async function checkTestFiles(
  root: string,
  {spec}: Pick<Stack, 'spec'>,
  {stackDir, signal}: {readonly stackDir: string; readonly signal: AbortSignal},
): Promise<readonly string[]> {
  const [files, omitted] = await Promise.all([listFiles(root, signal), listOmitted(root, signal)]);
  const mistakes = omittedTests(omitted, spec, stackDir);
  if (mistakes.length > 0) throw new SpecError(mistakes);
  return strayTests(files ?? [], spec);
}
