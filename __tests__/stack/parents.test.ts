// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write their variables so.

import {describe, expect, it} from 'vitest';
import {checkParents, type ParentCheck} from '../../src/stack/parents.ts';
import {lackingParents} from '../../src/stack/platforms.ts';
import {buildTree, type ImageSpec, parseSpec} from '../../src/stack/spec/index.ts';

interface Given {
  readonly keys?: string;
  readonly text: string;
}

/** Images of a spec as `key: Dockerfile`; `after` are the further lines of spec.yml. */
function check(
  images: Readonly<Record<string, Given>>,
  after = '',
  host = 'ghcr.io/o',
): ParentCheck {
  const lines = Object.entries(images).map(([key, {keys = ''}]) => {
    const name = keys.includes('image_name') ? '' : `image_name: ${host}/${key}, `;
    return `  ${key}: {${name}${keys || 'prune: false'}}`;
  });
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

const parentsOf = ({spec}: ParentCheck, name: string): readonly string[] | undefined =>
  spec.images.get(name)?.parents;
const argsOf = (
  {spec, parentArgs}: ParentCheck,
  name: string,
): Readonly<Record<string, string>> => {
  const image = spec.images.get(name);
  return image === undefined ? {} : Object.fromEntries(parentArgs(image, () => undefined));
};
const told = ({mistakes, warnings}: ParentCheck): readonly string[] => [...mistakes, ...warnings];

const base = {text: 'ARG PY=3\nFROM quay.io/j/base:$PY', keys: 'build_args: {PY: 3.10}'};

describe('an edge is found by reading', () => {
  it.each([
    ['FROM', 'FROM ghcr.io/o/base:2026.3-main'],
    ['FROM at a fixed tag', 'FROM ghcr.io/o/base:stable'],
    ['FROM without a tag', 'FROM ghcr.io/o/base'],
    ['another case of the host', 'FROM GHCR.io/o/base:1'],
    ['FROM in a stage that is needed', 'FROM ghcr.io/o/base AS b\nFROM scratch\nCOPY --from=b x y'],
    ['COPY --from', 'FROM scratch\nCOPY --from=ghcr.io/o/base:1 /x /x'],
    ['RUN --mount', 'FROM debian\nRUN --mount=target=/x,FROM=ghcr.io/o/base:1 y'],
    ['an ARG default', 'ARG B=ghcr.io/o/base\nFROM $B'],
    ['BASE_TAG with a default', 'ARG BASE_TAG=latest\nFROM ghcr.io/o/base:${BASE_TAG}'],
    ['BASE_TAG without one', 'ARG BASE_TAG\nFROM ghcr.io/o/base:${BASE_TAG}'],
  ])('by %s', (_, text) => {
    const result = check({base, child: {text}});
    expect(told(result)).toEqual([]);
    expect(parentsOf(result, 'child')).toEqual(['base']);
    expect(parentsOf(check({base, child: {text, keys: 'depend_on: base'}}), 'child')).toEqual([
      'base',
    ]);
  });

  it.each([
    'acme/base',
    'docker.io/acme/base:1',
    'index.docker.io/acme/base',
    'registry-1.docker.io/acme/base:x',
    'registry.hub.docker.com/acme/base:2',
  ])('under any spelling (P17): %s', (reference) => {
    const child = {text: `FROM ${reference}`};
    for (const host of ['acme', 'docker.io/acme', 'index.docker.io/acme']) {
      const result = check({base, child}, '', host);
      expect(parentsOf(result, 'child')).toEqual(['base']);
      expect(result.bases.get('child')).toEqual(['base']);
      expect(result.externalBases.get('child')).toEqual([]);
      expect([...(result.references.get('child') ?? [])]).toEqual([['base', [reference]]]);
    }
  });

  it('with an official image as much', () => {
    const result = check({
      tool: {keys: 'image_name: docker.io/library/tool', text: 'FROM scratch'},
      child: {text: 'FROM tool:3'},
    });
    expect(parentsOf(result, 'child')).toEqual(['tool']);
  });

  it('and noted where depend_on does not list it', () => {
    const text = '\nFROM ghcr.io/o/base:1\nCOPY --from=ghcr.io/o/tools x y';
    const tools = {text: 'FROM scratch'};
    const result = check({base, tools, child: {text, keys: 'depend_on: tools'}});
    expect(told(result)).toEqual([]);
    expect(parentsOf(result, 'child')).toEqual(['tools', 'base']);
    expect(result.notes).toEqual([
      'images/child/Dockerfile:2:1: FROM ghcr.io/o/base:1 makes "base" a parent of "child". Its depend_on (images/spec.yml:4:3) does not list it.',
    ]);
    expect(result.bases.get('child')).toEqual(['base']);
  });

  it('in all its spellings, for the named contexts', () => {
    const text = `ARG T=7\nFROM ghcr.io/o/base:$T AS a\nFROM ghcr.io/o/base\nCOPY --from=a x y\nCOPY --from=GHCR.IO/o/base:8 x y\nCOPY --from=ghcr.io/o/base:8 x y`;
    const result = check({base, child: {text}});
    expect([...(result.references.get('child') ?? [])]).toEqual([
      ['base', ['ghcr.io/o/base', 'ghcr.io/o/base:7', 'GHCR.IO/o/base:8', 'ghcr.io/o/base:8']],
    ]);
  });

  it('but not by digest, from itself, from a stage that is not needed, or against depend_on: []', () => {
    const digest = `sha256:${'0a'.repeat(32)}`;
    const result = check({
      base,
      pinned: {text: `FROM ghcr.io/o/base:1@${digest}`},
      own: {text: 'FROM scratch\nCOPY --from=ghcr.io/o/own:stable x y'},
      unused: {text: 'FROM ghcr.io/o/base AS b\nFROM scratch'},
      free: {keys: 'depend_on: []', text: 'FROM ghcr.io/o/base:2023.2-stable'},
    });
    expect(told(result)).toEqual([]);
    for (const name of ['pinned', 'own', 'unused', 'free']) {
      expect(parentsOf(result, name)).toEqual([]);
      expect(result.bases.get(name)).toEqual([]);
    }
    expect(result.externalBases.get('pinned')).toEqual([`ghcr.io/o/base:1@${digest}`]);
    expect(result.externalBases.get('own')).toEqual(['ghcr.io/o/own:stable']);
    expect(result.externalBases.get('unused')).toEqual([]);
    expect(result.externalBases.get('free')).toEqual(['ghcr.io/o/base:2023.2-stable']);
  });

  it.each([
    ['FROM base AS base\nRUN x\nFROM base', 1],
    ['FROM debian AS Base\nFROM docker.io/library/base:latest', 1],
    ['FROM base AS one\nFROM base', undefined],
    ['FROM base:1 AS base\nFROM base', undefined],
  ])('a stage with the name of a parent would be lost: %j', (text, line) => {
    const named = {text: 'FROM debian', keys: 'image_name: base'};
    const {mistakes} = check({base: named, child: {text, keys: 'image_name: acme/child'}});
    const place = `images/child/Dockerfile:${line}:1: the stage has the name of the image`;
    expect(mistakes).toEqual(line === undefined ? [] : [expect.stringContaining(place)]);
  });

  it.each([
    ['by its tag', 'FROM quay.io/j/x:3', ['quay.io/j/x:3']],
    ['without a tag', 'FROM python\nCOPY --from=alpine x y', ['python:latest', 'alpine:latest']],
    ['not one that is pinned', `FROM python:3@sha256:${'0a'.repeat(32)}`, []],
    // A named context would take the place of the stage.
    [
      'not one with the name of a stage',
      'FROM python AS Python\nFROM scratch\nCOPY --from=python x y',
      [],
    ],
    [
      'but a stage has no tag',
      'FROM python:3 AS python\nFROM scratch\nCOPY --from=python x y',
      ['python:3'],
    ],
    ['not for another frontend', '# syntax=acme/frontend:1\nFROM python:3', []],
  ])('an external image can be handed over by digest: %s', (_, text, expected) => {
    expect(check({root: {text}}).pinnable.get('root')).toEqual(expected);
  });

  it('for the stages that each target reaches (P16)', () => {
    const text =
      'FROM debian AS a\nFROM ghcr.io/o/a AS b\nFROM ghcr.io/o/b AS c\nFROM ghcr.io/o/c AS last';
    const of = (target: string): Given => ({keys: `target: ${target}`, text});
    const result = check({a: of('a'), b: of('b'), c: of('c')});
    expect(told(result)).toEqual([]);
    expect(['a', 'b', 'c'].map((name) => parentsOf(result, name))).toEqual([[], ['a'], ['b']]);
    expect(buildTree(result.spec.images).order).toEqual(['a', 'b', 'c']);
  });

  it('in what ONBUILD of a parent adds', () => {
    const result = check({
      tools: {text: 'FROM scratch'},
      base: {text: 'FROM debian\nONBUILD COPY --from=ghcr.io/o/tools x y\nONBUILD COPY app /app'},
      child: {text: 'FROM ghcr.io/o/base'},
    });
    expect(told(result)).toEqual([]);
    expect(parentsOf(result, 'base')).toEqual([]);
    expect(parentsOf(result, 'child')).toEqual(['base', 'tools']);
    expect(result.contextUses.get('child')).toMatchObject({
      sources: [{path: 'app', line: 1}],
      unresolved: undefined,
    });
  });

  it('among the variants of one repository', () => {
    const one = (variant: string): Given => ({
      keys: `image_name: ghcr.io/o/one, variant: ${variant}`,
      text: 'FROM scratch',
    });
    const result = check({
      cpu: one('cpu'),
      gpu: one('gpu'),
      child: {text: 'FROM ghcr.io/o/one:gpu-2026.3-stable'},
    });
    expect(told(result)).toEqual([]);
    expect(parentsOf(result, 'child')).toEqual(['gpu']);
  });
});

describe('what is wrong between Dockerfiles and spec', () => {
  it('a parent of depend_on without a trace is a warning', () => {
    const result = check({base, child: {keys: 'depend_on: base', text: 'FROM debian:12'}});
    expect(result.mistakes).toEqual([]);
    expect(result.warnings).toEqual([
      'images/child/Dockerfile:1:1: depend_on of "child" (images/spec.yml:3:3) lists "base", but no FROM, COPY --from or RUN --mount of a stage that is built uses ghcr.io/o/base. Remove it there, or add FROM ghcr.io/o/base.',
    ]);
    expect(parentsOf(result, 'child')).toEqual(['base']);
  });

  it('a cycle names every line', () => {
    const result = check({
      a: {text: 'FROM ghcr.io/o/b:1'},
      b: {text: 'FROM debian\nCOPY --from=ghcr.io/o/a x y'},
      c: {text: 'FROM ghcr.io/o/a'},
    });
    expect(result.mistakes).toEqual([
      'images/a/Dockerfile:1:1: the images form a cycle: a -> b -> a (FROM ghcr.io/o/b:1 in images/a/Dockerfile:1, COPY --from ghcr.io/o/a in images/b/Dockerfile:2). Remove one of these lines, or pin the image by digest.',
    ]);
  });

  it('a cycle of depend_on and a Dockerfile is found as well', () => {
    const result = check({
      a: {keys: 'depend_on: b', text: 'FROM debian'},
      b: {text: 'FROM ghcr.io/o/a'},
    });
    expect(result.mistakes.join()).toContain(
      'a -> b -> a (FROM ghcr.io/o/a in images/b/Dockerfile:1)',
    );
  });

  it('root is held against what was read', () => {
    const result = check(
      {a: {text: 'FROM debian'}, b: {text: 'FROM ghcr.io/o/a'}, lost: {text: 'FROM debian'}},
      'root: a\n',
    );
    expect(told(result)).toEqual([
      'images/spec.yml:4:3: image "lost" is neither listed in "root" nor depends on another image, so it would never be built. Add it to "root" or give it a depend_on.',
    ]);
    const both = check({a: {text: 'FROM debian'}, b: {text: 'FROM ghcr.io/o/a'}}, 'root: [a, b]\n');
    expect(both.mistakes).toEqual([]);
    expect(both.warnings).toEqual([
      'images/spec.yml:3:3: "root" lists "b", but its Dockerfile builds on a. Remove it from "root".',
    ]);
  });

  it('problems of all Dockerfiles come at once, with their places', () => {
    const result = check({
      a: {text: 'RUN x'},
      b: {text: 'ARG T\nFROM debian:$T'},
      c: {text: 'FROM debian AS one', keys: 'target: two'},
      d: {text: 'ARG BASE_TAG\nFROM debian\nCOPY --from=ghcr.io/o/a:${BASE_TAG} x y'},
    });
    expect(result.mistakes).toEqual([
      'images/a/Dockerfile:1:1: RUN before the first FROM; only ARG is allowed there.',
      'images/b/Dockerfile:2:1: FROM debian:$T becomes "debian:", because T has no value. Give it a default with ARG before the first FROM, or a value in build_args.',
      'images/c/Dockerfile:1:1: there is no stage "two", which "target" asks for. Stages: one.',
      'images/d/Dockerfile:3:1: Docker expands no variables in COPY --from. Write "FROM ghcr.io/o/a:${BASE_TAG} AS tools" before this stage, then "COPY --from=tools".',
    ]);
  });
});

describe('BASE_TAG and BASE_IMAGE', () => {
  it.each<[string, string, string, Readonly<Record<string, string>>]>([
    [
      'both',
      '',
      'ARG BASE_IMAGE\nFROM $BASE_IMAGE\nARG BASE_TAG',
      {BASE_IMAGE: 'ghcr.io/o/base:2026.3-main', BASE_TAG: '2026.3-main'},
    ],
    [
      'the tag',
      '',
      'ARG BASE_TAG=latest\nFROM ghcr.io/o/base:$BASE_TAG',
      {BASE_TAG: '2026.3-main'},
    ],
    ['none without an ARG', '', 'FROM ghcr.io/o/base', {}],
    [
      'none over build_args',
      ', build_args: {BASE_TAG: x, BASE_IMAGE: y}',
      'ARG BASE_TAG BASE_IMAGE\nFROM ghcr.io/o/base:$BASE_TAG',
      {},
    ],
    [
      'none that makes no reference (P19)',
      '',
      'ARG BASE_IMAGE=ghcr.io/o/base\nARG V=3\nFROM $BASE_IMAGE:$V',
      {},
    ],
    [
      'none that leads out of the stack',
      '',
      'ARG BASE_TAG=12\nFROM debian:$BASE_TAG\nCOPY --from=ghcr.io/o/base x y',
      {},
    ],
  ])('are given: %s', (_, keys, text, args) => {
    const child = {keys: `depend_on: base${keys}`, text};
    expect(argsOf(check({base, child}), 'child')).toEqual(args);
  });

  it('never reach a root', () => {
    const root = {text: 'ARG BASE_TAG=22.04\nARG BASE_IMAGE=ubuntu\nFROM $BASE_IMAGE:$BASE_TAG'};
    const result = check({root});
    expect(argsOf(result, 'root')).toEqual({});
    expect(result.externalBases.get('root')).toEqual(['ubuntu:22.04']);
  });

  it('take the place of the parent in this run', () => {
    const child = {text: 'ARG BASE_IMAGE=ghcr.io/o/base\nFROM $BASE_IMAGE'};
    const {spec, parentArgs} = check({base, child});
    const image = spec.images.get('child');
    expect(image && [...parentArgs(image, (name) => `here/${name}:1`)]).toEqual([
      ['BASE_IMAGE', 'here/base:1'],
    ]);
  });
});

describe('tracks', () => {
  const tracks = 'plans: {OLD: {prefix: "2023.2", build_args: {PY: 3.9}}}\n';

  it('have parents, tags and findings of their own, and repeat none', () => {
    const text = 'ARG BASE_TAG\nARG PY=1\nFROM ghcr.io/o/base:$BASE_TAG\nARG PY\nCOPY x$PY y';
    const good = check({base, child: {text}}, tracks);
    expect(told(good)).toEqual([]);
    expect(good.notes).toHaveLength(1);
    expect(parentsOf(good, 'child@OLD')).toEqual(['base@OLD']);
    expect(good.bases.get('child@OLD')).toEqual(['base@OLD']);
    expect(argsOf(good, 'child@OLD')).toEqual({BASE_TAG: '2023.2-main'});
    expect(good.externalBases.get('base@OLD')).toEqual(['quay.io/j/base:3.9']);
    expect(good.contextUses.get('child@OLD')?.sources.map(({path}) => path)).toEqual(['x3.9']);
    const bad = check({base, child: {keys: 'depend_on: base', text: 'FROM debian'}}, tracks);
    expect(bad.warnings).toHaveLength(1);
  });

  it('leave out what stands on an image that they skip', () => {
    const result = check(
      {base, child: {text: 'FROM ghcr.io/o/base'}, grand: {text: 'FROM ghcr.io/o/child'}},
      'plans: {OLD: {prefix: "2023.2", skip: [base]}}\n',
    );
    expect([...result.spec.images.keys()]).toEqual(['base', 'child', 'grand']);
  });
});

it('ten thousand images in a chain are read in linear time', () => {
  const images = Object.fromEntries(
    Array.from({length: 10_000}, (_, index) => [
      `i${index}`,
      {text: index === 0 ? 'FROM debian' : `FROM ghcr.io/o/i${index - 1}`},
    ]),
  );
  const result = check(images);
  expect(buildTree(result.spec.images).order).toHaveLength(10_000);
});

describe('the platforms of a parent', () => {
  const two = 'platforms: [linux/amd64, linux/arm64]';
  const takes = (parent: string, child: string, text = 'FROM ghcr.io/o/base:1') =>
    told(
      check({
        base: {text: 'FROM scratch', ...(parent === '' ? {} : {keys: parent})},
        child: {text, ...(child === '' ? {} : {keys: child})},
      }),
    );
  const arm = 'platforms: [linux/arm64]';
  const amd = 'platforms: [linux/amd64]';

  it.each([
    ['the same two', two, two],
    ['fewer', two, amd],
    ['the same under another name', 'platforms: [linux/x86_64, linux/arm64/v8]', two],
    ['none for both', '', ''],
    ['none for the parent, one for the child', '', amd],
    ['one for the parent, none for the child', amd, ''],
  ])('can be %s', (_, parent, child) => expect(takes(parent, child)).toEqual([]));

  it('must have every one that the child has', () => {
    expect(takes(amd, two)).toEqual([
      'images/child/Dockerfile:1:1: "child" takes "base" for linux/arm64, but "base" is only built for linux/amd64. Write "platforms: [linux/amd64, linux/arm64]" for "base" (images/spec.yml:2:3), or take it with FROM --platform=linux/amd64.',
    ]);
    expect(takes('', two)).toEqual([
      'images/child/Dockerfile:1:1: "child" takes "base" for linux/amd64, linux/arm64, but "base" is only built for the platform of the runner. Write "platforms: [linux/amd64, linux/arm64]" for "base" (images/spec.yml:2:3).',
    ]);
    expect(takes(amd, arm)).toHaveLength(1);
  });

  it.each([
    ['a COPY takes files', 'FROM debian\nCOPY --from=ghcr.io/o/base /x /x'],
    ['a mount reads files', 'FROM debian\nRUN --mount=from=ghcr.io/o/base,target=/x y'],
    ['a stage is named', 'FROM --platform=linux/$TARGETARCH ghcr.io/o/base AS b\nFROM b'],
  ])('counts where %s', (_, text) => expect(takes(amd, two, text)).toHaveLength(1));

  it.each([
    ['of the builder', 'FROM --platform=$BUILDPLATFORM ghcr.io/o/base AS b'],
    ['that is written', 'FROM --platform=linux/amd64 ghcr.io/o/base AS b'],
  ])('is the one %s where a stage asks for it', (_, from) => {
    expect(takes(amd, two, `${from}\nFROM debian\nCOPY --from=b /x /x`)).toEqual([]);
  });

  it('must have the one that a stage asks for', () => {
    const text = 'FROM --platform=linux/s390x ghcr.io/o/base';
    expect(takes(two, '', text)[0]).toContain('takes "base" for linux/s390x');
  });

  it('depends on the machine where one of them has none', () => {
    const {spec, needed} = check({
      base: {text: 'FROM scratch'},
      child: {text: 'FROM ghcr.io/o/base', keys: arm},
    });
    const child = spec.images.get('child') as ImageSpec;
    const lacking = (machine?: string) =>
      lackingParents(spec, child, needed.get('child') ?? new Map(), machine);
    expect(lacking()).toEqual([]);
    expect(lacking('linux/arm64')).toEqual([]);
    expect(lacking('linux/amd64')).toMatchObject([
      {
        message:
          '"child" takes "base" for linux/arm64, but "base" is only built for the platform of the runner (linux/amd64).',
        mend: expect.stringContaining('"platforms: [linux/amd64, linux/arm64]" for "base"'),
      },
    ]);
  });
});

describe('several images in one repository', () => {
  const name = (more = '') => `image_name: ghcr.io/o/app${more}`;
  const parentOf = (reference: string): readonly string[] | undefined =>
    parentsOf(
      check({
        plain: {text: 'FROM debian', keys: name()},
        gpu: {text: 'FROM debian', keys: name(', variant: gpu')},
        gpu12: {text: 'FROM debian', keys: name(', variant: gpu-12')},
        child: {text: `FROM ghcr.io/o/app${reference}`},
      }),
      'child',
    );

  it.each([
    ['', 'plain'],
    [':latest', 'plain'],
    [':2026.3-main', 'plain'],
    [':2026.3-gpu', 'plain'],
    [':other', 'plain'],
    [':gpu', 'gpu'],
    [':gpu-2026.3-main', 'gpu'],
    [':gpu-stable', 'gpu'],
    [':latest-gpu', 'gpu'],
    [':gpu-12', 'gpu12'],
    [':gpu-12-stable', 'gpu12'],
    [':x-gpu-12', 'gpu12'],
  ])('are told apart by the tag "%s": %s', (reference, parent) => {
    expect(parentOf(reference)).toEqual([parent]);
  });
});

describe('a name without an owner', () => {
  const parentOf = (text: string, keys?: string): readonly string[] | undefined =>
    parentsOf(check({base, child: {text, ...(keys === undefined ? {} : {keys})}}), 'child');
  const traced = (text: string, keys: string): unknown =>
    check({base, child: {text, keys}}).references.get('child')?.get('base');

  it('is the parent of depend_on that is called so', () => {
    expect(traced('FROM base', 'depend_on: base')).toEqual(['base']);
    expect(traced('FROM debian\nCOPY --from=base:1 /x /x', 'depend_on: base')).toEqual(['base:1']);
    expect(told(check({base, child: {text: 'FROM base', keys: 'depend_on: base'}}))).toEqual([]);
  });

  it('is an image of Docker Hub without depend_on, and with an owner', () => {
    expect(parentOf('FROM base')).toEqual([]);
    expect(parentOf('FROM base', 'depend_on: []')).toEqual([]);
    expect(traced('FROM other/base', 'depend_on: base')).toBeUndefined();
    expect(traced('FROM bases', 'depend_on: base')).toBeUndefined();
  });
});
