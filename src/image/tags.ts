import {createHash} from 'node:crypto';
import {fail, ok} from '../failure.ts';

const maxTagLength = 128;

/** What the caller must refuse: promotion owns these tags. */
export type BranchTag =
  | {readonly ok: true; readonly value: string}
  | {readonly ok: false; readonly error: string};

/**
 * The tag of a branch: `<prefix>-<branch>`. A branch that fits stays as it is; one that had to be altered or cut
 * ends in 8 hex digits of its hash, so that `feature/a` and `feature-a` never share a tag (DESIGN.md section 3).
 */
export function branchTag(prefix: string, branch: string): BranchTag {
  const tag = `${prefix}-${fittingSuffix(branch, maxTagLength - prefix.length - 1)}`;
  if (tag === stableTag(prefix)) {
    return fail(
      `the branch "${branch}" would be built as ${tag}, which is the stable tag. Rename the branch.`,
    );
  }
  return ok(tag);
}

function fittingSuffix(branch: string, room: number): string {
  const safe = branch.replace(/[^A-Za-z0-9_.-]/gu, '-');
  if (safe === branch && safe.length <= room) return safe;
  const hash = createHash('sha256').update(branch).digest('hex').slice(0, 8);
  return `${safe.slice(0, room - hash.length - 1)}-${hash}`;
}

/** `<prefix>-stable`, the tag that `mode: tag` gives. */
export function stableTag(prefix: string): string {
  return `${prefix}-stable`;
}

/** The tag under which the registry remembers that this content passed all its tests. */
export function fingerprintTag(fingerprint: string): string {
  return `fp-${fingerprint.replace('sha256:', '').slice(0, 16)}`;
}

/** Proof that an image of this fingerprint passed these tests: `fp-<16 hex>-<8 hex>`, put on the very digest that passed. */
export function proofTag(fingerprint: string, tests: string): string {
  return `${fingerprintTag(fingerprint)}-${tests.replace('sha256:', '').slice(0, 8)}`;
}

/** Where the record of an image stands, in the image's own repository: `rec-<16 hex of its digest>`. */
export function recordTag(digest: string): string {
  return `rec-${digest.replace('sha256:', '').slice(0, 16)}`;
}

/** The base name of an image's log, result and manifest files, and of its wiki page. */
export function fileNameOf(ref: string): string {
  return ref.replace('ghcr.io', 'ghcr-io').replace(/[/:]/g, '-');
}

/** The logs of an image: `logs/<name>.<log name>.log`. */
export const logNames = ['build', 'basic-tests', 'integration-tests'] as const;

/** Labels that the action puts on every image it builds (DESIGN.md section 4). */
export const labels = {
  fingerprint: 'edu.ucsd.ets.stack.fingerprint',
  content: 'edu.ucsd.ets.stack.content',
  /** Hash of the tests that were there when the image was built. */
  tests: 'edu.ucsd.ets.stack.tests',
  /** `GITHUB_RUN_ID` of the run that built the image. */
  run: 'edu.ucsd.ets.stack.run',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  created: 'org.opencontainers.image.created',
  version: 'org.opencontainers.image.version',
} as const;
