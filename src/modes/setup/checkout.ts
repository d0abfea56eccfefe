import {openContexts} from '../../adapters/build-context/index.ts';
import {listOmitted} from '../../adapters/git/index.ts';
import {hashStack, type ImageHashes} from '../../fingerprint/index.ts';
import {outputFolders} from '../../image/files.ts';
import {type Run, tagsOf} from '../../run/index.ts';
import {SpecError, type Stack} from '../../stack/index.ts';
import {machinePlatform} from './adapters.ts';
import {uncommittedFiles} from './uncommitted.ts';

/** They are in no hash. */
const leftover = /(?:^|\/)(?:__pycache__|\.pytest_cache)\/|\.pyc$/;

/**
 * What the checkout says of the images whose tag of this very branch is promoted: the same content that failed the tests
 * of the newest commit is not promoted because it passed those of an older one. None where the tag is another branch's,
 * and where the checkout cannot be read or is not as its commit has it.
 */
export async function hashCheckout(
  {inputs, event, workspace, changes}: Run,
  stack: Stack,
  sourceTag: string,
): Promise<ReadonlyMap<string, ImageHashes>> {
  if (event.branch === '' || inputs.target !== 'stable') return new Map();
  const tagOf = tagsOf(inputs, event);
  const isOwn = [...stack.spec.images.values()].some(
    (image) => tagOf({...image, variant: undefined}) === sourceTag,
  );
  if (!isOwn) return new Map();
  // What the tests of an earlier step left behind is not the commit's.
  const strange = await uncommittedFiles(workspace, changes.git, inputs.stackDir);
  if (!strange.ok || strange.value.some((file) => !leftover.test(file))) return new Map();
  if ((await listOmitted(workspace.root)).length > 0) return new Map();
  // Bases are in no content, so no registry is asked.
  const registry = {head: async () => ({state: 'unknown', because: ''}) as const};
  const contexts = openContexts(workspace.root, Object.values(outputFolders));
  const request = {stack, stackDir: inputs.stackDir, platform: machinePlatform};
  try {
    return (await hashStack(request, {contexts, registry})).values;
  } catch (error) {
    if (error instanceof SpecError) return new Map();
    throw error;
  }
}
