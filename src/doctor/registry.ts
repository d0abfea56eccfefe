import type {Failure} from '../failure.ts';
import {parseReference} from '../image/reference.ts';
import type {Spec} from '../stack/spec/index.ts';
import {error, type Finding, note} from './types.ts';

/** What each registry answered when it was asked for a push, by repository; undefined where it may be done. */
export type PushAnswers = ReadonlyMap<string, Failure | undefined>;

/**
 * One finding for each host and cause. On a runner a refused push would fail the run; elsewhere the login is another
 * than the workflow's, and a registry that does not answer may answer there.
 */
export function refusedPushes(
  spec: Pick<Spec, 'file' | 'images'>,
  answers: PushAnswers,
  isRunner: boolean,
): readonly Finding[] {
  const refused = [...answers].flatMap(([repository, failure]) =>
    failure === undefined ? [] : [{repository, failure}],
  );
  const causes = Map.groupBy(
    refused,
    ({repository, failure}) => `${parseReference(repository)?.registry} ${failure.class}`,
  );
  return [...causes.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const {repository, failure} = first;
    const image = [...spec.images.values()].find((one) => one.repository === repository);
    const place = `${spec.file}:${image?.position.line ?? 1}`;
    const more = rest.length === 0 ? '' : ` The same holds for ${rest.length} more.`;
    const isRefused = failure.class === 'auth' || failure.class === 'permission';
    if (isRefused && isRunner) return error(place, `${failure.message}${more}`, mendOf(failure));
    const what = isRefused ? 'cannot be pushed from here' : 'may be pushed or not';
    return note(
      place,
      `${repository} ${what}: ${failure.message}${more}`,
      isRefused ? mendOf(failure) : 'Ask again where the registry can be reached.',
    );
  });
}

function mendOf({hint}: Failure): string {
  return hint ?? 'Log in with an account that may push.';
}
