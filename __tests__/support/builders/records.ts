import {createHash} from 'node:crypto';
import type {ImageRecord, RecordedLayer} from '../../../src/record/index.ts';

export const digestOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

export const layer = (createdBy: string, size: number): RecordedLayer => ({
  createdBy,
  size,
  diffId: digestOf(createdBy),
});

const run = {id: '41', attempt: 2, url: 'https://github.com/acme/stack/actions/runs/41'};

/** The record of a small, good image; overrides do otherwise. */
export function recordFor(name: string, overrides: Partial<ImageRecord> = {}): ImageRecord {
  const layers = overrides.layers ?? [
    layer('ADD rootfs', 100_000_000),
    layer('RUN one', 20_000_000),
  ];
  return {
    schema: 1,
    image: name,
    repository: `ghcr.io/acme/${name}`,
    reference: `ghcr.io/acme/${name}:2026.3-main`,
    digest: digestOf(name),
    platforms: ['linux/amd64'],
    fingerprint: digestOf(`fingerprint ${name}`),
    content: digestOf(`content ${name}`),
    tests: {
      hash: digestOf(`tests ${name}`),
      verdict: 'passed',
      counts: {passed: 3, failed: 0, skipped: 1},
      run,
      at: '2026-11-25T12:03:00Z',
    },
    commit: '0123456789abcdef0123456789abcdef01234567',
    subject: 'Add numpy',
    source: 'https://github.com/acme/stack',
    run,
    created: '2026-11-25T12:00:00Z',
    size: layers.reduce((sum, {size}) => sum + size, 0),
    diffIds: layers.flatMap(({diffId}) => diffId ?? []),
    layers,
    base: {reference: 'docker.io/library/debian:12', digest: digestOf('debian')},
    parents: [],
    seconds: {build: 77, test: 5, push: 2},
    info: [],
    packages: {pip: {numpy: '2.1.0', requests: '2.32.0'}},
    ...overrides,
  };
}
