import {getExecOutput} from '@actions/exec';
import {fail, messageOf, ok, type Result} from '../../failure.ts';

/**
 * What a program prints when it is asked for its version, first line only. Nothing here must be stopped or logged, so
 * the toolkit's own call serves. Fails with the reason when the program is not there or does not answer well.
 */
export async function versionOf(
  program: string,
  args: readonly string[],
): Promise<Result<string, string>> {
  try {
    const {exitCode, stdout, stderr} = await getExecOutput(program, [...args], {
      silent: true,
      ignoreReturnCode: true,
    });
    const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
    const first = lines.find((line) => line !== '') ?? '';
    return exitCode === 0 ? ok(first) : fail(first === '' ? `exit code ${exitCode}` : first);
  } catch (error) {
    return fail(messageOf(error));
  }
}
