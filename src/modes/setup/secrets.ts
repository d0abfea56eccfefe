import {variableOf} from '../../adapters/process/index.ts';
import type {Run} from '../../run/index.ts';
import {type ImageSpec, secretSource} from '../../stack/spec/index.ts';

/**
 * From here on the values of the build secrets that the images declare are hidden in every text that leaves.
 * Resolves with the variables that docker must see: it reads them from its environment.
 */
export async function hideSecrets(
  {mask, workspace, log}: Run,
  images: Iterable<ImageSpec>,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const secret of new Set([...images].flatMap(({secrets}) => secrets))) {
    const {variable, file} = secretSource(secret);
    if (variable !== undefined) names.push(variable);
    // A file that cannot be read is told by the check before the build, or by docker.
    const value =
      variable === undefined
        ? await workspace.read(file ?? '').catch(() => undefined)
        : variableOf(variable);
    if (mask.add([value ?? '']).length > 0) {
      log.warning(
        `The build secret "${secret}" has fewer than 4 characters, so it is not hidden in logs.`,
      );
    }
  }
  return names;
}
