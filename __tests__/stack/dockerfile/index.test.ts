// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write their variables so.

import {describe, expect, it} from 'vitest';
import {findUses, type ImageUses} from '../../../src/stack/dockerfile/index.ts';
import {readDockerfile} from '../../../src/stack/dockerfile/parse.ts';

interface Given {
  readonly args?: Readonly<Record<string, string>>;
  readonly platforms?: readonly string[];
  readonly target?: string;
}

function uses(text: string, {args = {}, platforms = [], target}: Given = {}): ImageUses {
  const request = {args: new Map(Object.entries(args)), platforms, target};
  return findUses(readDockerfile(text), request);
}

const refs = (text: string, given?: Given): readonly string[] =>
  uses(text, given).uses.map(({ref}) => ref);

describe('the images that a Dockerfile names', () => {
  it.each<[string, string, readonly string[], Given?]>([
    ['a plain FROM', 'FROM debian:12', ['debian:12']],
    ['no tag', 'FROM debian', ['debian:latest']],
    ['a digest', `FROM a@sha256:${'0'.repeat(64)}`, [`a@sha256:${'0'.repeat(64)}`]],
    ['a port', 'FROM localhost:5000/a', ['localhost:5000/a:latest']],
    ['scratch', 'FROM scratch', []],
    ['lower case', 'arg T=1\nfrom a:$T as b\nfrom b', ['a:1']],
    ['a platform', 'FROM --platform=$BUILDPLATFORM a:1 AS b', ['a:1']],
    ['quotes', 'FROM "a:1"', ['a:1']],
    ['an ARG default', 'ARG T=1\nFROM a:${T}', ['a:1']],
    ['a given arg', 'ARG T=1\nFROM a:${T}', ['a:2'], {args: {T: '2'}}],
    ['a given arg without default', 'ARG T\nFROM a:${T}', ['a:2'], {args: {T: '2'}}],
    ['nested ARGs', 'ARG A=x\nARG B=${A}-y\nFROM a:$B', ['a:x-y']],
    [
      'nested ARGs with a given one',
      'ARG A=x\nARG B=${A}-y\nFROM a:$B',
      ['a:z-y'],
      {args: {A: 'z'}},
    ],
    ['several in one ARG', 'ARG A=x B=y\nFROM a:$A-$B', ['a:x-y']],
    ['quoted defaults', 'ARG A="x" B=\'y\'\nFROM a:$A-$B', ['a:x-y']],
    ['a default that is another one', 'ARG T\nFROM a:${T:-none}', ['a:none']],
    ['an alternative', 'ARG T=1\nFROM a:1${T:+-slim}', ['a:1-slim']],
    [
      'a whole name',
      'ARG BASE_IMAGE=debian:12\nFROM $BASE_IMAGE',
      ['q/b:1'],
      {args: {BASE_IMAGE: 'q/b:1'}},
    ],
    [
      'an ARG of the stage is not for FROM',
      'ARG T=1\nFROM a:$T\nARG T=2\nFROM b:$T',
      ['a:1', 'b:1'],
    ],
    ['continued lines', 'ARG T=\\\n1\nFROM \\\n  # comment\n  a:\\\n$T', ['a:1']],
    ['CRLF and a byte order mark', '\uFEFFARG T=1\r\nFROM a:$T\r\nRUN x\r\n', ['a:1']],
    ['another escape character', '# escape=`\nARG T=`\n1\nFROM a:$T', ['a:1']],
    ['two stages', 'FROM a:1 AS x\nFROM b:1\nCOPY --from=x / /\nCOPY --from=0 / /', ['a:1', 'b:1']],
    ['a stage by another case', 'FROM a:1 AS Build\nCOPY --from=BUILD / /\nFROM build', ['a:1']],
    ['a stage does not name itself', 'FROM debian AS debian\nFROM debian', ['debian:latest']],
    ['COPY --from an image', 'FROM a:1\nCOPY --chown=u --from=b:2 /x /y', ['a:1', 'b:2']],
    [
      'COPY --from with a variable',
      'ARG T=3\nFROM a:1\nARG T\nCOPY --from=b:$T /x /y',
      ['a:1', 'b:3'],
    ],
    [
      'RUN --mount from an image',
      'FROM a:1\nRUN --mount=type=cache,target=/c --mount=type=bind,from=b:2,target=/b x',
      ['a:1', 'b:2'],
    ],
    [
      'RUN --mount from a stage',
      'FROM a:1 AS s\nFROM b:1\nRUN --mount=from=s,target=/b x',
      ['a:1', 'b:1'],
    ],
    [
      'a later stage is an image',
      'FROM a:1\nCOPY --from=late / /\nFROM b:1 AS late',
      ['a:1', 'late:latest', 'b:1'],
    ],
    [
      'heredocs',
      'FROM a:1\nRUN <<EOF\nFROM not\nCOPY --from=not a b\nEOF\nCOPY <<-"X" <<Y /d\nFROM not\n\tX\nFROM not\nY\nFROM b:1',
      ['a:1', 'b:1'],
    ],
    ['comments', '# FROM not\nFROM a:1\nRUN x \\\n# FROM not\n  y', ['a:1']],
    [
      'an ARG of one stage is not for the next',
      'FROM a:1\nARG T=1\nFROM b:1\nCOPY --from=c:$T x y',
      ['a:1', 'b:1'],
    ],
    [
      'COPY --from a value of ENV is left to docker',
      'FROM a:1\nENV T=1\nCOPY --from=b:$T x y',
      ['a:1'],
    ],
    ['text that looks like a flag', 'FROM a:1\nRUN echo --mount=from=not', ['a:1']],
    [
      'each platform',
      'FROM a:$TARGETARCH',
      ['a:amd64', 'a:arm64'],
      {platforms: ['linux/amd64', 'linux/arm64']},
    ],
    [
      'a stage for each platform',
      'FROM a:1 AS s-amd64\nFROM b:1 AS s-arm64\nFROM s-$TARGETARCH',
      ['a:1', 'b:1'],
      {platforms: ['linux/amd64', 'linux/arm64']},
    ],
  ])('%s', (_, text, expected, given) => {
    const found = uses(text, given);
    expect(found.uses.map(({ref}) => ref)).toEqual(expected);
    expect([...readDockerfile(text).problems, ...found.problems]).toEqual([]);
  });

  it('stand where an editor shows them', () => {
    const text = 'ARG T=1\n\nFROM --platform=linux/amd64 a:$T AS x\nCOPY --from=b /x /y';
    expect(uses(text).uses).toEqual([
      {how: 'FROM', written: 'a:$T', ref: 'a:1', position: {line: 3, column: 29}},
      {how: 'COPY --from', written: 'b', ref: 'b:latest', position: {line: 4, column: 13}},
    ]);
  });

  it('are the same in a Dockerfile with ten thousand RUN lines', () => {
    const runs = 'RUN apt-get install \\\n  --no-install-recommends a\n'.repeat(10_000);
    expect(refs(`FROM a:1\n${runs}FROM b:1`)).toEqual(['a:1', 'b:1']);
  });
});

describe('the base that the built stage begins with', () => {
  const text = 'FROM a:1 AS one\nFROM b:1 AS two\nFROM one AS three\nFROM scratch AS none';
  it.each([
    [undefined, undefined],
    ['three', 'a:1'],
    ['TWO', 'b:1'],
    ['1', 'b:1'],
    ['none', undefined],
  ])('for the target %s is %s', (target, base) => {
    expect(uses(text, target === undefined ? {} : {target}).base).toBe(base);
  });
});

describe('what docker would refuse', () => {
  it.each([
    ['', '1:1 there is no FROM. Add one.'],
    ['# only\n', '1:1 there is no FROM. Add one.'],
    ['ARG A=1\n', '1:1 there is no FROM. Add one.'],
    ['RUN x\nFROM a', '1:1 RUN stands before the first FROM. Only ARG may.'],
    ['FROM', '1:1 FROM names no image. Add one.'],
    [
      'FROM $X',
      '1:6 FROM $X becomes nothing, because X has no value. Give it a default with ARG before the first FROM, or a value in build_args.',
    ],
    ['FROM a\nARG X=1\nFROM b:$X', '3:6 FROM b:$X becomes "b:", because X has no value.'],
    ['ARG X=a//b\nFROM $X', '2:6 FROM $X: "a//b" is no valid image reference.'],
    ['FROM Upper/Case', '1:6 FROM Upper/Case: "Upper/Case" is no valid image reference.'],
  ])('%j', (text, message) => {
    const problems = [...readDockerfile(text).problems, ...uses(text).problems].map(
      ({position, message}) => `${position.line}:${position.column} ${message}`,
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  it('names the stages when the target is none of them', () => {
    const {problems} = uses('FROM a AS one\nFROM b AS two', {target: 'tow'});
    expect(problems.map(({message}) => message)).toEqual([
      'has no stage "tow", which "target" asks for. Stages: one, two.',
    ]);
  });

  it('is never a crash', () => {
    for (const text of [
      '\0\x01{}\n"\'`\\\n$$\\',
      'FROM a\nRUN <<EOF\nno end',
      'ARG =\nFROM a',
      'FROM a\nCOPY --from=',
      'FROM --x',
      'ONBUILD',
      'FROM a\nRUN --mount',
      'ARG\nFROM a',
    ]) {
      expect(() => uses(text)).not.toThrow();
    }
  });
});
