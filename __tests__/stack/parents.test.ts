// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write their variables so.

import {describe, expect, it} from 'vitest';
import {checkParents, type ParentCheck} from '../../src/stack/parents.ts';
import {parseSpec} from '../../src/stack/spec/index.ts';

/** Images of a spec as `key: Dockerfile`; `after` are the further lines of spec.yml. */
function check(
  images: Readonly<Record<string, {readonly keys?: string; readonly text: string}>>,
  after = '',
): ParentCheck {
  const lines = Object.entries(images).map(
    ([key, {keys = ''}]) => `  ${key}: {image_name: ghcr.io/o/${key}${keys && `, ${keys}`}}`,
  );
  const text = `images:\n${lines.join('\n')}\ntag: {prefix: "2026.3"}\n${after}`;
  const spec = parseSpec({file: 'images/spec.yml', text, stackDir: 'images', tagPrefix: undefined});
  const dockerfiles = new Map(
    [...spec.images.values()].map(({name, key, dockerfile}) => [
      name,
      {file: dockerfile, text: images[key]?.text ?? ''},
    ]),
  );
  return checkParents(spec, dockerfiles, ({tagPrefix}) => `${tagPrefix}-main`);
}

const base = {text: 'ARG PY=3\nFROM quay.io/j/base:$PY', keys: 'build_args: {PY: 3.10}'};

describe('Dockerfiles that agree with the spec', () => {
  it.each([
    ['BASE_TAG', 'ARG BASE_TAG=latest\nFROM ghcr.io/o/base:${BASE_TAG}'],
    ['BASE_IMAGE', 'ARG BASE_IMAGE\nFROM $BASE_IMAGE'],
    ['a stage', 'ARG BASE_TAG\nFROM ghcr.io/o/base:$BASE_TAG AS b\nFROM scratch AS s\nFROM b'],
  ])('by %s', (_, text) => {
    const result = check({base, child: {keys: 'depend_on: base', text}});
    expect([result.mistakes, result.warnings]).toEqual([[], []]);
    expect(result.bases.get('child')).toEqual(['base']);
    expect(result.externalBases.get('child')).toEqual([]);
  });

  it('show the bases from outside with every value filled in', () => {
    const result = check({base});
    expect(result.externalBases.get('base')).toEqual(['quay.io/j/base:3.10']);
    expect(result.bases.get('base')).toEqual([]);
  });

  it('may copy from a second parent, which is no base', () => {
    const result = check({
      base,
      tools: {text: 'FROM scratch'},
      child: {
        keys: 'depend_on: [base, tools]',
        text: 'ARG BASE_TAG\nFROM ghcr.io/o/base:$BASE_TAG\nARG BASE_TAG\nCOPY --from=ghcr.io/o/tools:$BASE_TAG /x /x',
      },
    });
    expect([result.mistakes, result.warnings]).toEqual([[], []]);
    expect(result.bases.get('child')).toEqual(['base']);
  });

  it('may take files from the last release of the image itself', () => {
    const result = check({a: {text: 'FROM scratch\nCOPY --from=ghcr.io/o/a:stable /x /x'}});
    expect([result.mistakes, result.warnings]).toEqual([[], []]);
    expect(result.externalBases.get('a')).toEqual(['ghcr.io/o/a:stable']);
  });
});

describe('an image of the stack that depend_on does not name', () => {
  it.each([
    ['FROM', 'FROM ghcr.io/o/base:2026.3-main', '1:6: FROM ghcr.io/o/base:2026.3-main'],
    ['FROM at a fixed tag', 'FROM ghcr.io/o/base:stable', '1:6: FROM ghcr.io/o/base:stable'],
    ['FROM in any stage', 'FROM ghcr.io/o/base AS b\nFROM scratch', '1:6: FROM ghcr.io/o/base'],
    [
      'COPY --from',
      'FROM scratch\nCOPY --from=ghcr.io/o/base:1 /x /x',
      '2:13: COPY --from ghcr.io/o/base:1',
    ],
    [
      'RUN --mount',
      'FROM debian\nRUN --mount=from=ghcr.io/o/base:1,target=/x y',
      '2:13: RUN --mount ghcr.io/o/base:1',
    ],
    ['an ARG default', 'ARG B=ghcr.io/o/base\nFROM $B', '2:6: FROM $B'],
  ])('is a mistake with both lines: %s', (_, text, says) => {
    expect(check({base, child: {text}}).mistakes).toEqual([
      `images/child/Dockerfile:${says} is the image "base" of this stack, but depend_on of "child" (images/spec.yml:3:3) does not name it. Add it.`,
    ]);
  });
});

describe('a parent that the Dockerfile does not stand on', () => {
  it('is a warning when it is never named', () => {
    const result = check({base, child: {keys: 'depend_on: base', text: 'FROM debian:12'}});
    expect(result.mistakes).toEqual([]);
    expect(result.warnings).toEqual([
      'images/child/Dockerfile:1:1: depend_on of "child" (images/spec.yml:3:3) names "base", but no FROM, COPY --from or RUN --mount names ghcr.io/o/base. Remove it there, or write FROM ghcr.io/o/base:${BASE_TAG}.',
    ]);
  });

  it('is a warning when it is named at a fixed tag, and counts as a base from outside', () => {
    const text = 'FROM ghcr.io/o/base:2023.2-stable';
    const result = check({base, child: {keys: 'depend_on: base', text}});
    expect(result.mistakes).toEqual([]);
    expect(result.warnings).toEqual([
      'images/child/Dockerfile:1:6: FROM ghcr.io/o/base:2023.2-stable is the image "base" at a fixed tag, so "child" does not stand on the one built here. Write "ARG BASE_TAG" and FROM ghcr.io/o/base:${BASE_TAG}.',
    ]);
    expect(result.externalBases.get('child')).toEqual(['ghcr.io/o/base:2023.2-stable']);
    expect(result.bases.get('child')).toEqual([]);
  });

  it('is no warning when another line names it right', () => {
    const old = 'FROM ghcr.io/o/base:1 AS old';
    const right = 'FROM ghcr.io/o/base:$BASE_TAG AS right';
    for (const lines of [`${old}\n${right}`, `${right}\n${old}`]) {
      const child = {keys: 'depend_on: base', text: `ARG BASE_TAG\n${lines}`};
      expect(check({base, child}).warnings).toEqual([]);
    }
  });
});

it('tracks check against their own tags, and repeat no finding', () => {
  const text =
    'ARG BASE_TAG\nARG PY=1\nFROM ghcr.io/o/base:$BASE_TAG\nARG PY\nCOPY --from=x/y:$PY a b';
  const tracks = 'plans: {OLD: {prefix: "2023.2", build_args: {PY: 3.9}}}\n';
  const good = check({base, child: {keys: 'depend_on: base', text}}, tracks);
  expect([good.mistakes, good.warnings]).toEqual([[], []]);
  expect(good.bases.get('child@OLD')).toEqual(['base@OLD']);
  expect(good.externalBases.get('base@OLD')).toEqual(['quay.io/j/base:3.9']);
  const bad = check({base, child: {keys: 'depend_on: base', text: 'FROM debian'}}, tracks);
  expect(bad.warnings).toHaveLength(1);
});

it('problems of all Dockerfiles come at once, with their places', () => {
  const result = check({
    a: {text: 'RUN x'},
    b: {text: 'ARG T\nFROM debian:$T'},
    c: {text: 'FROM debian AS one', keys: 'target: two'},
  });
  expect(result.mistakes).toEqual([
    'images/a/Dockerfile:1:1: RUN stands before the first FROM. Only ARG may.',
    'images/b/Dockerfile:2:6: FROM debian:$T becomes "debian:", because T has no value. Give it a default with ARG before the first FROM, or a value in build_args.',
    'images/c/Dockerfile:1:1: has no stage "two", which "target" asks for. Stages: one.',
  ]);
});
