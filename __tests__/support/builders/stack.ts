import type {Lookup, Published} from '../../../src/adapters/registry/types.ts';
import {labels, proofTag} from '../../../src/image/tags.ts';
import type {Evidence, PlanFacts} from '../../../src/plan/facts.ts';
import type {ImageSpec} from '../../../src/stack/spec/types.ts';

/** An image of a spec with every default; tests name only what they are about. */
export function imageSpec(
  name: string,
  parents: readonly string[] = [],
  more: Partial<ImageSpec> = {},
): ImageSpec {
  const folder = `images/${name}`;
  return {
    name,
    key: name,
    track: undefined,
    tagPrefix: '2026.3',
    variant: undefined,
    repository: `ghcr.io/o/${name}`,
    parents,
    dependOn: parents.length > 0 ? 'listed' : 'missing',
    context: folder,
    dockerfile: `${folder}/Dockerfile`,
    folder,
    buildArgs: new Map(),
    target: undefined,
    platforms: [],
    secrets: [],
    watch: [],
    publish: true,
    allowFailure: false,
    integrationTests: false,
    prune: false,
    prepull: true,
    infoCommands: [],
    tests: {words: undefined, paths: [], where: 'host', timeoutMinutes: undefined},
    position: {line: 1, column: 1},
    ...more,
  };
}

export function digestOf(text: string): string {
  return `sha256:${Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64)}`;
}

/** What the registry shows of an image that this action made: labels, layers on top of its parents'. */
export function published(name: string, more: Partial<Published> = {}): Lookup {
  return {
    state: 'present',
    digest: digestOf(name),
    bytes: new Uint8Array(),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    labels: labelsOf(name),
    diffIds: [digestOf(`layer ${name}`)],
    configDigest: digestOf(`config ${name}`),
    platform: 'linux/amd64',
    size: 1000,
    buildSeconds: undefined,
    ...more,
  };
}

export function labelsOf(
  name: string,
  more: Record<string, string> = {},
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries({
      [labels.fingerprint]: digestOf(`fp ${name}`),
      [labels.content]: digestOf(`content ${name}`),
      [labels.tests]: digestOf(`tests ${name}`),
      [labels.revision]: 'c0ffee',
      [labels.run]: '1',
      [labels.created]: '2026-01-01T00:00:00Z',
      ...more,
    }),
  );
}

export const twinRef = (name: string): string =>
  `ghcr.io/o/${name}:${proofTag(digestOf(`fp ${name}`), digestOf(`tests ${name}`))}`;

/** What is proved of an image that passed the tests of the checkout. */
export function evidenceOf(name: string): Evidence {
  return {
    fingerprint: digestOf(`fp ${name}`),
    content: digestOf(`content ${name}`),
    passed: digestOf(`tests ${name}`),
  };
}

/** Facts in which nothing changed and everything stands tested at its tag. */
export function planFacts(images: readonly ImageSpec[], more: Partial<PlanFacts> = {}): PlanFacts {
  const names = images.map((image) => image.name);
  const each = <T>(value: (name: string) => T): ReadonlyMap<string, T> =>
    new Map(names.map((name) => [name, value(name)]));
  return {
    tag: '2026.3-feature',
    images: new Map(images.map((image) => [image.name, image])),
    order: names,
    refs: each((name) => `ghcr.io/o/${name}:2026.3-feature`),
    everything: [],
    changes: {kind: 'some', files: new Map(), undeclared: []},
    requested: new Set(),
    only: new Set(),
    reuse: 'auto',
    hashes: each((name) => ({
      fingerprint: digestOf(`fp ${name}`),
      content: digestOf(`content ${name}`),
      tests: digestOf(`tests ${name}`),
    })),
    atTag: each((name) => published(name)),
    outdated: new Set(),
    evidence: each(evidenceOf),
    proofs: each((name) => published(name)),
    bases: new Map(),
    isTestFile: (image, file) => file.startsWith(`${image.folder}/test/`),
    platform: 'linux/amd64',
    run: {runId: '2', isRetry: false},
    parents: 'auto',
    ...more,
  };
}
