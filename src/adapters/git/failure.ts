import type {Failure} from '../../failure.ts';

/** Why git could not do something with a wiki; `rejected` and `unavailable` may go better the next time. */
export type WikiFault = 'unreachable' | 'forbidden' | 'rejected' | 'unavailable' | 'other';

/**
 * Reads git's own words (LC_ALL=C). GitHub answers "not found" alike for a wiki without a page, one that is
 * switched off and one that the token must not see, so these are one fault.
 */
export function wikiFaultOf(output: readonly string[]): WikiFault {
  const text = output.join('\n');
  if (/repository not found|repository '[^']*' not found|returned error: 404/i.test(text)) {
    return 'unreachable';
  }
  if (/authentication failed|could not read (username|password)|returned error: 401/i.test(text)) {
    return 'unreachable';
  }
  if (/returned error: 403|permission to \S+ denied|write access .*not granted/i.test(text)) {
    return 'forbidden';
  }
  if (/hook declined|protected branch/i.test(text)) return 'forbidden';
  if (
    /\[rejected\]|fetch first|non-fast-forward|cannot lock ref|failed to update ref/i.test(text)
  ) {
    return 'rejected';
  }
  if (
    /returned error: (408|429|5\d\d)|rpc failed|early eof|connection (reset|refused|timed out)|could not resolve|unexpected disconnect|hung up|ssl_error_syscall|empty reply/i.test(
      text,
    )
  ) {
    return 'unavailable';
  }
  return 'other';
}

/** What a person is told, and what to do about it. `place` is `owner/name`, `url` the page of the wiki. */
export function explainWikiFailure(
  failure: Failure,
  {doing, place, url}: {readonly doing: string; readonly place: string; readonly url: string},
): Failure {
  if (failure.cause?.kind !== 'exit') return failure;
  const permission = 'give the job "permissions: contents: write"';
  const fault = wikiFaultOf(failure.tail);
  switch (fault) {
    case 'unreachable':
      return {
        ...failure,
        class: 'not-found',
        message: `The wiki of ${place} cannot be reached: it has no page yet, is switched off, or the token has no access to it.`,
        hint: `Switch wikis on in the repository's settings, save a first page at ${url} by hand, and ${permission}.`,
      };
    case 'forbidden':
      return {
        ...failure,
        class: 'permission',
        message: `The token may not write to the wiki of ${place}.`,
        hint: `To publish pages, ${permission}.`,
      };
    case 'rejected':
      return {
        ...failure,
        class: 'registry-unavailable',
        message: `The wiki of ${place} could not be updated: someone else pushed to it each time.`,
        hint: 'Re-run the job; a "concurrency:" group in the workflow keeps its runs apart.',
      };
    case 'unavailable':
    case 'other':
      return {
        ...failure,
        class: fault === 'other' ? failure.class : 'registry-unavailable',
        message: `The wiki of ${place} could not be ${doing}: ${failure.tail.at(-1) ?? failure.message}`,
      };
  }
}
