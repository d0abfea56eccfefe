import * as v from 'valibot';
import {fail, ok, type Result} from '../failure.ts';

/** The package managers whose lists a record holds. */
export const managers = ['pip', 'conda', 'apt', 'r'] as const;
export type Manager = (typeof managers)[number];

/** Versions by package name; a manager without packages is missing. */
export type Packages = {readonly [manager in Manager]?: Readonly<Record<string, string>>};

/** One line of the image's history. */
export interface RecordedLayer {
  readonly createdBy: string;
  /** Bytes, unpacked. */
  readonly size: number;
  /** The layer as the registry stores it, packed. */
  readonly digest?: string;
  /** Identity of the content; missing for a line that changed no files, or where it is not known. */
  readonly diffId?: string;
}

/** What one info command printed. */
export interface RecordedInfo {
  readonly name: string;
  readonly description: string;
  readonly command: string;
  /** Missing when the command did not finish. */
  readonly exitCode?: number;
  readonly output: string;
  /** Standard error, where it says more than noise. */
  readonly errors?: string;
}

/** The run of a workflow. */
export interface RecordedRun {
  readonly id: string;
  readonly attempt: number;
  readonly url: string;
}

/** What the tests said of this very digest, last. */
export interface RecordedTests {
  /** Hash of the tests that ran. */
  readonly hash: string;
  readonly verdict: 'passed' | 'failed';
  /** There were no tests to run. */
  readonly none?: boolean;
  readonly counts?: {readonly passed: number; readonly failed: number; readonly skipped: number};
  readonly run: RecordedRun;
  /** ISO 8601. */
  readonly at: string;
}

/** What the tests of one tag said of it: several branches may have the same image, each with tests of its own. */
export interface TagTests extends RecordedTests {
  readonly tag: string;
}

/** What is known of an image, pushed or not. */
export interface ImageFacts {
  /** Its key in spec.yml. */
  readonly image: string;
  /** `ghcr.io/acme/base` */
  readonly repository: string;
  /** `ghcr.io/acme/base:2026.3-main` */
  readonly reference: string;
  readonly digest?: string;
  readonly platforms: readonly string[];
  readonly fingerprint?: string;
  readonly content?: string;
  readonly tests?: RecordedTests;
  readonly commit?: string;
  /** First line of the commit's message. */
  readonly subject?: string;
  /** URL of the source repository. */
  readonly source?: string;
  /** The run that built it. */
  readonly run?: RecordedRun;
  /** ISO 8601. */
  readonly created?: string;
  /** Bytes of all layers, unpacked. */
  readonly size: number;
  readonly diffIds: readonly string[];
  /** Oldest first. */
  readonly layers: readonly RecordedLayer[];
  /** The external image it is built on. */
  readonly base?: {readonly reference: string; readonly digest: string};
  /** The images of the stack it is built on. */
  readonly parents: readonly {
    readonly image: string;
    readonly reference: string;
    readonly digest: string;
  }[];
  readonly seconds: {readonly build?: number; readonly test?: number; readonly push?: number};
  readonly info: readonly RecordedInfo[];
  readonly packages: Packages;
}

/** What the registry remembers of a pushed image. */
export interface ImageRecord extends ImageFacts {
  readonly schema: 1;
  readonly digest: string;
  readonly fingerprint: string;
  readonly content: string;
  readonly tests: RecordedTests;
  /** The last word under each tag, the newest last; missing while it was tested under the tag it was built as, and no other. */
  readonly verdicts?: readonly TagTests[];
  readonly created: string;
}

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const seconds = v.pipe(v.number(), v.minValue(0));
const digest = v.pipe(text, v.regex(/^sha256:[0-9a-f]{64}$/, 'not a sha256 digest'));
/** A Dockerfile may name its base by another algorithm. */
const anyDigest = v.pipe(text, v.regex(/^[a-z0-9]+:[0-9a-f]{32,}$/, 'not a digest'));
const time = v.pipe(text, v.isoTimestamp('not an ISO 8601 time'));
const list = <T extends v.GenericSchema>(item: T) => v.pipe(v.array(item), v.readonly());
const versions = v.exactOptional(v.record(text, text));
const run = v.object({id: text, attempt: count, url: text});

const layer = v.object({
  createdBy: text,
  size: count,
  digest: v.exactOptional(digest),
  diffId: v.exactOptional(digest),
});

const info = v.object({
  name: text,
  description: text,
  command: text,
  exitCode: v.exactOptional(v.pipe(v.number(), v.integer())),
  output: text,
  errors: v.exactOptional(text),
});

const testsEntries = {
  hash: digest,
  verdict: v.picklist(['passed', 'failed']),
  none: v.exactOptional(v.boolean()),
  counts: v.exactOptional(v.object({passed: count, failed: count, skipped: count})),
  run,
  at: time,
};
const tests = v.object(testsEntries);

/** Unknown keys are dropped: a later version may add some without a new number. */
const recordSchema: v.GenericSchema<unknown, ImageRecord> = v.object({
  schema: v.literal(1),
  image: text,
  repository: text,
  reference: text,
  digest,
  platforms: list(text),
  fingerprint: digest,
  content: digest,
  tests,
  verdicts: v.exactOptional(list(v.object({tag: text, ...testsEntries}))),
  commit: v.exactOptional(text),
  subject: v.exactOptional(text),
  source: v.exactOptional(text),
  run: v.exactOptional(run),
  created: time,
  size: count,
  diffIds: list(digest),
  layers: list(layer),
  base: v.exactOptional(v.object({reference: text, digest: anyDigest})),
  parents: list(v.object({image: text, reference: text, digest})),
  seconds: v.object({
    build: v.exactOptional(seconds),
    test: v.exactOptional(seconds),
    push: v.exactOptional(seconds),
  }),
  info: list(info),
  packages: v.object({pip: versions, conda: versions, apt: versions, r: versions}),
});

/** What is needed of a manifest to find the one layer of a record. */
const manifestSchema = v.object({
  layers: v.pipe(v.array(v.object({digest, size: count})), v.length(1, 'not exactly one layer')),
});

/** Reads a record from JSON that anyone may have written. */
export function checkRecord(value: unknown): Result<ImageRecord, string> {
  const version = v.safeParse(v.object({schema: v.number()}), value);
  if (version.success && version.output.schema !== 1) {
    const found = version.output.schema;
    return fail(`it has schema version ${found}, and this version of the action reads 1`);
  }
  return check(recordSchema, value);
}

/** Digest and packed size of the layer that holds a record. */
export function checkManifest(
  value: unknown,
): Result<{readonly digest: string; readonly size: number}, string> {
  const checked = check(manifestSchema, value);
  const only = checked.ok ? checked.value.layers[0] : undefined;
  if (!checked.ok) return checked;
  return only === undefined ? fail('it has no layer') : ok(only);
}

function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown): Result<T, string> {
  const parsed = v.safeParse(schema, value, {abortEarly: true});
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  // The message may quote the value, which may be foreign: it is cut.
  const problem = issue.message.slice(0, 200);
  return fail(path === null ? problem : `${path}: ${problem}`);
}
