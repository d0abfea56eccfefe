import type {
  BuildContext,
  ContextHash,
  ContextUses,
  HashOptions,
} from '../adapters/build-context/index.ts';
import {type Failure, fail, failure, ok, type Result} from '../failure.ts';
import type {ImageSpec} from '../stack/spec/index.ts';

/** What of an image names its files. */
export type InputsImage = Pick<ImageSpec, 'context' | 'dockerfile' | 'watch'>;

/** For a Dockerfile that was not read: every file of the context may be in the image. */
export const wholeContext: ContextUses = {
  sources: [],
  unresolved: 'the Dockerfile was not read',
};

/**
 * The hash of the files that an image is built from: its Dockerfile, what that takes from the context, and the watched
 * files. With `fresh` it looks at the disk again, and gives the same hash for the same files.
 */
export async function hashInputs(
  contexts: BuildContext,
  {context, dockerfile, watch}: InputsImage,
  uses: ContextUses,
  options: HashOptions = {},
): Promise<Result<ContextHash>> {
  return await contexts.hashContext({context, dockerfile, watch, uses}, options);
}

/** So many files are named. */
const mostNamed = 5;

/**
 * Just before a build: good when the image's files are still those that were planned. A test of another image
 * may have written into them, and then the image would carry a fingerprint that is not its own.
 * @param planned the hash at the time of the plan
 */
export async function checkInputs(
  contexts: BuildContext,
  image: InputsImage & Pick<ImageSpec, 'name'>,
  uses: ContextUses,
  planned: string,
): Promise<Result<void>> {
  const now = await hashInputs(contexts, image, uses, {fresh: true});
  if (!now.ok) return fail({...now.error, class: 'context-changed'});
  if (now.value.digest === planned) return ok();
  return fail(
    contextChanged(
      `files of ${image.name}`,
      now.value.changed,
      ', or list the files in .dockerignore',
    ),
  );
}

export function contextChanged(
  subject: string,
  changed: readonly string[],
  otherMend = '',
): Failure {
  const more = changed.length > mostNamed ? ` and ${changed.length - mostNamed} more` : '';
  const named = changed.slice(0, mostNamed).join(', ') + more;
  return failure(
    'context-changed',
    `The ${subject} changed after this run was planned: ${named || 'some were removed'}.`,
    {
      hint: `Something in this run wrote into the checkout, most likely a test of another image. Let it write to a temporary folder instead${otherMend}.`,
    },
  );
}

/** Undefined when a context sends nothing but what counts. */
export function ownFilesWarning(
  {context}: Pick<ImageSpec, 'context'>,
  {own, ignoreFile}: Pick<ContextHash, 'own' | 'ignoreFile'>,
): string | undefined {
  if (own.length === 0) return undefined;
  const names = own.map((path) => `"${path}"`).join(', ');
  const lines = own.length === 1 ? 'this line' : 'these lines';
  return `The build context ${context} sends ${own.join(', ')} to the build, which ${own.length === 1 ? 'is' : 'are'} never part of a fingerprint. Add ${lines} to ${ignoreFile}: ${names}.`;
}
