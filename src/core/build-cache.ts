import {repositoryOf} from './references.ts';

export interface CacheRequest {
  readonly cache: 'inline' | 'registry' | 'gha' | 'none';
  /** The image's name in the spec; the scope of GitHub's cache. */
  readonly name: string;
  readonly ref: string;
  /** References an earlier build of the image may stand at, best first: the branch, the default branch, stable. */
  readonly earlier: readonly string[];
  readonly prepull: boolean;
  /** A run that does not push writes no cache either: pull requests from forks only read. */
  readonly isWritten: boolean;
  /** The builder can write more than inline metadata; docker's own with the old image store cannot. */
  readonly canExport: boolean;
}

export interface CacheOptions {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/**
 * `--cache-from` and `--cache-to`. BuildKit reads caches without pulling the image, and one that is missing costs a
 * request and fails nothing; an export that fails must not fail the build.
 */
export function cacheOptions(request: CacheRequest): CacheOptions {
  const {cache, name, ref, earlier, isWritten, canExport} = request;
  if (cache === 'none') return {from: [], to: []};
  const inline = {
    from: request.prepull ? [...new Set(earlier)].map((source) => registryCache(source)) : [],
    to: ['type=inline'],
  };
  if (cache === 'inline' || !canExport) return inline;
  const store =
    cache === 'registry'
      ? registryCache(`${repositoryOf(ref)}:buildcache`)
      : `type=gha,scope=${name}`;
  const options = `mode=max,ignore-error=true${cache === 'registry' ? ',image-manifest=true,oci-mediatypes=true' : ''}`;
  return {
    from: [store, ...(cache === 'registry' ? inline.from : [])],
    to: isWritten ? [`${store},${options}`] : [],
  };
}

function registryCache(ref: string): string {
  return `type=registry,ref=${ref}`;
}

/** Seconds that a build spent on writing its cache, by the last lines of its plain progress. */
export function cacheSeconds(lines: readonly string[]): number | undefined {
  const inline = lines.map(
    (line) => /^#\d+ preparing layers for inline cache ([\d.]+)s done/.exec(line)?.[1],
  );
  const step = lines
    .map((line) => /^#(\d+) exporting (?:cache|to .*cache)/i.exec(line)?.[1])
    .find(isText);
  const done = lines.map((line) => new RegExp(`^#${step} DONE ([\\d.]+)s`).exec(line)?.[1]);
  const seconds = (step === undefined ? inline : done).findLast(isText);
  return seconds === undefined ? undefined : Number(seconds);
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}
