// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write their variables so.

import {describe, expect, it} from 'vitest';
import {
  type DockerfileUses,
  findUses,
  readDockerfile,
} from '../../../src/stack/dockerfile/index.ts';
import {askBuildKit, askOurselves, disagreement} from '../../support/buildkit/oracle.ts';

interface Given {
  readonly args?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly target?: string;
  readonly onbuild?: Readonly<Record<string, readonly string[]>>;
}

function uses(text: string, {args = {}, platform, target}: Given = {}): DockerfileUses {
  const platforms = platform === undefined ? [] : [platform];
  return findUses(readDockerfile(text), {
    args: new Map(Object.entries(args)),
    platforms,
    target,
  });
}

const problemsOf = (text: string, given?: Given): readonly string[] =>
  [...readDockerfile(text).problems, ...uses(text, given).problems].map(
    ({line, message}) => `${line}: ${message}`,
  );

const sha256 = `sha256:${'0a'.repeat(32)}`;
const sha512 = `sha512:${'0a'.repeat(64)}`;

/** Name, Dockerfile, references, paths taken from the context, and what is given. */
type Case = [string, string, readonly string[], readonly string[], Given?];

const cases: readonly Case[] = [
  ['a plain FROM', 'FROM debian:12', ['debian:12'], []],
  ['no tag', 'FROM debian', ['debian'], []],
  ['a sha256', `FROM a@${sha256}`, [`a@${sha256}`], []],
  ['a sha512', `FROM a@${sha512}`, [`a@${sha512}`], []],
  ['an upper-case host', 'FROM REG.Example/a', ['REG.Example/a'], []],
  ['an upper-case host without a dot', 'FROM Reg/a', ['Reg/a'], []],
  ['a port', 'FROM localhost:5000/a', ['localhost:5000/a'], []],
  ['scratch', 'FROM scratch', [], []],
  ['lower case', 'arg T=1\nfrom a:$T as b\nfrom b', ['a:1'], []],
  ['a platform', 'FROM --platform=$BUILDPLATFORM a:1 AS b', ['a:1'], []],
  ['quotes', 'FROM "a:1"', ['a:1'], []],
  ['a given arg', 'ARG T=1\nFROM a:${T}', ['a:2'], [], {args: {T: '2'}}],
  ['an ARG of an ARG', 'ARG A=x\nARG B=${A}-y\nFROM a:$B', ['a:x-y'], []],
  ['ARG A B=c D', 'ARG A B=c D\nFROM a:$A$B$D', ['a:1c3'], [], {args: {A: '1', D: '3'}}],
  ['quoted defaults', 'ARG A="x" B=\'y\'\nFROM a:$A-$B', ['a:x-y'], []],
  ['a default', 'ARG T\nFROM a:${T:-none}', ['a:none'], []],
  ['an alternative', 'ARG T=1\nFROM a:1${T:+-slim}', ['a:1-slim'], []],
  ['a cut prefix', 'ARG T=v1.2\nFROM a:${T#v}', ['a:1.2'], []],
  ['a cut suffix', 'ARG T=1.2-rc\nFROM a:${T%-*}', ['a:1.2'], []],
  ['a replacement', 'ARG T=1.2.3\nFROM a:${T//./-}', ['a:1-2-3'], []],
  ['an ARG of the stage is not for FROM', 'ARG T=1\nFROM a\nARG T=2\nFROM b:$T', ['b:1'], []],
  ['continued lines', 'ARG T=\\\n1\nFROM \\\n  # comment\n  a:\\\n\n$T', ['a:1'], []],
  ['CRLF and a byte order mark', '\uFEFFARG T=1\r\nFROM a:$T\r\nRUN x\r\n', ['a:1'], []],
  ['another escape character', '# escape=`\nARG T=`\n1\nFROM a:$T', ['a:1'], []],
  [
    'a late escape directive is a comment',
    '#\n# escape=`\nFROM a\nCOPY x\\\n y /',
    ['a'],
    ['x', 'y'],
  ],
  ['two escapes at the end continue nothing', 'FROM a\nRUN x \\\\\nCOPY y /z', ['a'], ['y']],
  [
    'a heredoc after a space (P15)',
    'FROM a\nRUN python3 << EOF\nfrom IPython import x\nEOF\nCOPY y /z',
    ['a'],
    ['y'],
  ],
  [
    'a quoted << is no heredoc (P15)',
    'FROM a\nRUN echo "use: cat <<EOF > file"\nCOPY --from=b x y\nCOPY y /z',
    ['a', 'b'],
    ['y'],
  ],
  ['an escaped << is none', 'FROM a\nRUN cat \\<<EOF\nCOPY y /z', ['a'], ['y']],
  ['<<< is none', 'FROM a\nRUN cat <<<EOF\nCOPY y /z', ['a'], ['y']],
  [
    'several heredocs on a line, tabs, quotes and numbers',
    'FROM a\nRUN 3<<A cat <<-"B" << \'C\'\nFROM x\nA\n\tCOPY --from=x . .\n\tB\n FROM y\nC\nCOPY y /z',
    ['a'],
    ['y'],
  ],
  [
    'heredocs as sources',
    'FROM a\nCOPY <<X y <<Y /d/\n$q\nX\nFROM b\nY\nCOPY z /',
    ['a'],
    ['y', 'z'],
  ],
  ['no heredoc for LABEL', 'FROM a\nLABEL x="<<EOF"\nENV y=<<EOF\nCOPY z /', ['a'], ['z']],
  ['no heredoc in the JSON form', 'FROM a\nRUN ["cat", "<<EOF"]\nCOPY z /', ['a'], ['z']],
  ['a heredoc of ONBUILD', 'FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\nCOPY z /', ['a'], ['z']],
  ['a stage by number', 'FROM a\nCOPY w /\nFROM b\nCOPY --from=0 x y', ['a', 'b'], ['w']],
  ['a mount has no numbers', 'FROM a\nRUN --mount=from=0,target=/m x', ['0', 'a'], []],
  ['from=scratch', 'FROM a\nRUN --mount=type=cache,from=scratch,target=/m x', ['a'], []],
  [
    'a stage in any case',
    'FROM a AS Build\nFROM b\nCOPY --from=BUILD x y\nRUN --mount=from=bUILD,target=/m x',
    ['a', 'b'],
    [],
  ],
  ['FROM looks for lower case', 'FROM a AS Build\nFROM build', ['a'], []],
  ['a stage does not name itself', 'FROM debian AS debian\nFROM debian', ['debian'], []],
  ['stages that nothing needs', 'FROM a AS x\nCOPY q /\nFROM b\nCOPY --from=c x y', ['b', 'c'], []],
  [
    'a target (P16)',
    'FROM x AS a\nCOPY 1 /\nFROM a AS b\nCOPY 2 /\nFROM y AS c',
    ['x'],
    ['1', '2'],
    {target: 'B'},
  ],
  [
    'mount options in any order and case',
    'FROM a\nRUN --mount=TARGET=/m,Source=src/,FROM=b,TYPE=BIND --mount=dst=/n,src=./c/../d x',
    ['a', 'b'],
    ['d'],
  ],
  ['a quoted mount', `FROM a\nRUN --mount='type=bind,"source=a,b",target=/m' x`, ['a'], ['a,b']],
  [
    'mounts that are not bind',
    'FROM a\nRUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=s --mount=type=ssh x',
    ['a'],
    [],
  ],
  ['a mount of the whole context', 'FROM a\nRUN --mount=target=/m x', ['a'], ['']],
  ['text that looks like a flag', 'FROM a\nRUN echo --mount=from=not', ['a'], []],
  [
    'the platform',
    'ARG TARGETARCH\nFROM a:$TARGETARCH\nARG TARGETVARIANT\nCOPY x$TARGETVARIANT /',
    ['a:arm'],
    ['xv7'],
    {platform: 'linux/arm/v7'},
  ],
  [
    'a stage by platform',
    'FROM a AS s-amd64\nFROM b AS s-arm64\nFROM s-$TARGETARCH',
    ['b'],
    [],
    {platform: 'linux/arm64'},
  ],
  [
    'TARGETARCH of the stage',
    'FROM a\nARG TARGETARCH\nCOPY bin/$TARGETARCH /',
    ['a'],
    ['bin/arm64'],
    {platform: 'linux/arm64'},
  ],
  [
    'ARG and ENV in sources',
    'ARG G=g\nFROM a\nARG G A=1\nENV B=$A-b\nCOPY $G ${B} /d/',
    ['a'],
    ['g', '1-b'],
  ],
  [
    'ENV knows the old value on its own line',
    'FROM a\nENV A=1\nENV A=2 B=$A\nCOPY $A$B /',
    ['a'],
    ['21'],
  ],
  [
    'the ENV of a stage comes back over its ARG',
    'FROM scratch AS s\nENV A=1\nARG A=2\nFROM s\nCOPY $A /',
    [],
    ['1'],
  ],
  ['clean paths', 'FROM a\nCOPY ./x/../y/ /abs//z ../up . /d/', ['a'], ['y', 'abs/z', 'up', '']],
  ['the JSON form', 'FROM a\nCOPY ["a b", "c", "/d/"]', ['a'], ['a b', 'c']],
  [
    'flags before words',
    'FROM a\nCOPY --link --chown=1:1 --chmod=u+x --exclude=*.md x /d/',
    ['a'],
    ['x'],
  ],
  ['COPY --parents', 'FROM a\nCOPY --parents a/b ./c/./d/*.e /d/', ['a'], ['a/b', 'c/d/*.e']],
  [
    'ADD of what is elsewhere',
    `FROM a\nADD https://x/y https://x/z.git#main:sub git://h/x f /d/\nADD --checksum=${sha256} http://x/y /d/`,
    ['a'],
    ['f'],
  ],
  ['github.com/… is a path', 'FROM a\nADD github.com/a/b /d/', ['a'], ['github.com/a/b']],
  [
    'ONBUILD of a stage',
    'FROM a AS s\nONBUILD COPY --from=b x y\nONBUILD COPY w /\nFROM s',
    ['a', 'b'],
    ['w'],
  ],
  [
    'ONBUILD of an image',
    'FROM p\nCOPY z /',
    ['c', 'p'],
    ['w', 'z'],
    {onbuild: {'docker.io/library/p:latest': ['COPY --from=c x y', 'COPY w /']}},
  ],
  ["Docker's own syntax", '# syntax=docker/dockerfile:1.7\nFROM a\nCOPY z /', ['a'], ['z']],
  // Shapes of public Dockerfiles.
  [
    'jupyter',
    'ARG REGISTRY=quay.io\nARG OWNER=jupyter\nARG BASE_IMAGE=$REGISTRY/$OWNER/base-notebook\nFROM $BASE_IMAGE\nSHELL ["/bin/bash", "-c"]\nUSER root\nCOPY --chown=${NB_UID}:${NB_GID} binder/README.ipynb "${HOME}"/README.ipynb\nUSER ${NB_UID}',
    ['quay.io/jupyter/base-notebook'],
    ['binder/README.ipynb'],
  ],
  [
    'name and tag apart',
    'ARG BASE_NAME\nARG BASE_TAG=py-3\nFROM ${BASE_NAME}:${BASE_TAG}\nCOPY .jupyter/ /home/$NB_USER/.jupyter/',
    ['o/n:py-3'],
    ['.jupyter'],
    {args: {BASE_NAME: 'o/n'}},
  ],
  [
    'go',
    '# syntax=docker/dockerfile:1\nFROM --platform=$BUILDPLATFORM golang:1 AS build\nWORKDIR /src\nRUN --mount=type=bind,source=go.sum,target=go.sum --mount=type=bind,source=go.mod,target=go.mod --mount=type=cache,target=/go/pkg go mod download\nRUN --mount=type=bind,target=. go build -o /bin/x .\nFROM scratch\nCOPY --from=build /bin/x /bin/',
    ['golang:1'],
    ['go.sum', 'go.mod', ''],
  ],
  [
    'a chosen first stage',
    'ARG MODE=build\nFROM rust AS build\nCOPY . .\nFROM scratch AS copy\nCOPY bin/ /bin/\nFROM $MODE AS source\nFROM alpine\nCOPY --from=source /bin/x /',
    ['alpine'],
    ['bin'],
    {args: {MODE: 'copy'}},
  ],
  [
    'xx',
    'FROM --platform=$BUILDPLATFORM tonistiigi/xx AS xx\nFROM --platform=$BUILDPLATFORM alpine AS build\nCOPY --from=xx / /\nARG TARGETPLATFORM\nRUN xx-info\nCOPY src src',
    ['alpine', 'tonistiigi/xx'],
    ['src'],
  ],
  [
    'node',
    'FROM node:20 AS base\nFROM base AS deps\nCOPY package.json package-lock.json* ./\nFROM base AS builder\nCOPY --from=deps /app/node_modules ./node_modules\nCOPY . .\nFROM base AS runner\nCOPY --from=builder /app/public ./public',
    ['node:20'],
    ['package.json', 'package-lock.json*', ''],
  ],
  [
    'uv',
    'FROM python:3.12\nCOPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv\nRUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,source=uv.lock,target=uv.lock uv sync\nADD . /app',
    ['ghcr.io/astral-sh/uv:latest', 'python:3.12'],
    ['uv.lock', ''],
  ],
  [
    'debug target',
    'FROM a AS base\nCOPY x /\nFROM base AS debug\nCOPY y /\nFROM base AS final',
    ['a'],
    ['x'],
  ],
  ['ENV in the old form', 'FROM a\nENV DIR some dir\nCOPY $DIR /d/', ['a'], ['some dir']],
  [
    'a script',
    'FROM a\nCOPY --chmod=755 <<-"EOF" /entry.sh\n\t#!/bin/sh\n\texec "$@"\n\tEOF\nENTRYPOINT ["/entry.sh"]',
    ['a'],
    [],
  ],
  [
    'a shell with a backtick escape',
    '# escape=`\nFROM scratch\nCOPY a `\n  b c:\\d\\',
    [],
    ['a', 'b'],
  ],
  [
    'HEALTHCHECK, VOLUME, EXPOSE',
    'FROM a\nHEALTHCHECK --interval=5m --timeout=3s CMD curl -f http://x || exit 1\nVOLUME ["/data"]\nEXPOSE 80/tcp 8000-8010\nSTOPSIGNAL SIGQUIT\nMAINTAINER me',
    ['a'],
    [],
  ],
];

describe('what a Dockerfile uses', () => {
  it.each<Case>([...cases])('%s', (_, text, refs, paths, given = {}) => {
    const {onbuild} = given;
    const found = findUses(readDockerfile(text), {
      args: new Map(Object.entries(given.args ?? {})),
      platforms: given.platform === undefined ? [] : [given.platform],
      target: given.target,
      onBuild: (reference) => onbuild?.[`docker.io/library/${reference}:latest`] ?? [],
    });
    expect([...readDockerfile(text).problems, ...found.problems]).toEqual([]);
    expect(found.images.map(({reference}) => reference).toSorted()).toEqual(refs.toSorted());
    expect(found.context).toEqual({
      sources: found.context.sources,
      unresolved: undefined,
    });
    expect(found.context.sources.map(({path}) => path)).toEqual(paths);
  });

  it('is what BuildKit says of each of them', () => {
    const questions = cases.map(([, text, , , given]) => ({text, ...given}));
    const answers = askBuildKit(questions);
    const differences = questions.flatMap((question, index) => {
      const theirs = answers[index];
      return (theirs && disagreement(askOurselves(question), theirs)) ?? [];
    });
    expect(differences).toEqual([]);
  });

  it.each([
    ['on the platform that is built', 'FROM a\nRUN x', ['linux/arm64']],
    ['in a stage above', 'FROM a AS b\nRUN x\nFROM b', ['linux/arm64']],
    [
      'on the builder',
      'FROM --platform=$BUILDPLATFORM a AS b\nRUN x\nFROM c\nCOPY --from=b /x /x',
      [undefined],
    ],
    [
      'on the builder, in a stage above',
      'FROM --platform=$BUILDPLATFORM a AS b\nFROM b AS d\nRUN x\nFROM c\nCOPY --from=d /x /x',
      [undefined],
    ],
    ['on one that is written', 'FROM --platform=linux/s390x a\nRUN x', ['linux/s390x']],
    ['nowhere', 'FROM a\nCOPY x /x', []],
    ['in no stage that is reached', 'FROM a AS b\nRUN x\nFROM c\nCOPY x /x', []],
  ])('starts programs %s', (_, text, runsOn) => {
    const request = {args: new Map(), platforms: ['linux/arm64'], target: undefined};
    expect(findUses(readDockerfile(text), request).runsOn).toEqual(runsOn);
  });

  it('has its place, its words and its part in the image', () => {
    const text = `ARG T=1\nFROM b@${sha256} AS y\n\nFROM --platform=linux/amd64 a:$T AS x\nCOPY --from=y \\\n  /x /y`;
    expect(uses(text).images).toEqual([
      {
        reference: `b@${sha256}`,
        written: `b@${sha256}`,
        kind: 'from',
        line: 2,
        isPinned: true,
        isBase: false,
        platform: undefined,
      },
      {
        reference: 'a:1',
        written: 'a:$T',
        kind: 'from',
        line: 4,
        isPinned: false,
        isBase: true,
        platform: 'linux/amd64',
      },
    ]);
  });

  it('says how a path is taken', () => {
    const text =
      'FROM a\nCOPY --exclude=*.md --exclude=t/** s?c/*.py \\[x] /d/\nADD y /\nRUN --mount=source=z*,target=/z x';
    expect(uses(text).context.sources).toEqual([
      {
        path: 's?c/*.py',
        parents: false,
        hasWildcards: true,
        excludes: ['*.md', 't/**'],
        line: 2,
        kind: 'copy',
      },
      {
        path: '[x]',
        parents: false,
        hasWildcards: true,
        excludes: ['*.md', 't/**'],
        line: 2,
        kind: 'copy',
      },
      {path: 'y', parents: false, hasWildcards: false, excludes: [], line: 3, kind: 'add'},
      {path: 'z*', hasWildcards: false, excludes: [], line: 4, kind: 'mount'},
    ]);
  });

  it('counts the folder above what only --parents understands', () => {
    const [source] = uses('FROM a\nCOPY --parents src/**/x.py /d/').context.sources;
    expect(source).toMatchObject({path: 'src', hasWildcards: false});
  });

  it('adds up over the platforms', () => {
    const text = 'FROM a:$TARGETARCH\nARG TARGETARCH\nCOPY $TARGETARCH /';
    const {images, context} = findUses(readDockerfile(text), {
      args: new Map(),
      platforms: ['linux/amd64', 'linux/arm64'],
      target: undefined,
    });
    expect(images.map(({reference}) => reference)).toEqual(['a:amd64', 'a:arm64']);
    expect(context.sources.map(({path}) => path)).toEqual(['amd64', 'arm64']);
  });

  it('stays quick with ten thousand RUN lines', () => {
    const runs = 'RUN apt-get install \\\n  --no-install-recommends a\n'.repeat(10_000);
    expect(uses(`FROM a:1\n${runs}FROM b:1\n${runs}`).images).toHaveLength(1);
  });
});

it('the platform has the spelling that BuildKit gives it', () => {
  const text =
    'FROM scratch\nARG TARGETPLATFORM TARGETARCH TARGETVARIANT TARGETOS\nCOPY $TARGETPLATFORM $TARGETOS-$TARGETARCH-$TARGETVARIANT /d/';
  const questions =
    'amd64 amd64/v1 amd64/v2 x86_64 arm64 arm64/v8 aarch64 arm64/v9 arm arm/7 arm/v6 armhf armel i386 386 riscv64 ppc64le s390x'
      .split(' ')
      .map((name) => ({text, platform: `linux/${name}`}));
  const answers = askBuildKit(questions);
  for (const [index, question] of questions.entries()) {
    expect(askOurselves(question)).toEqual(answers[index]);
  }
});

describe('the base of the image', () => {
  const text =
    'FROM a:1 AS one\nFROM b:1 AS two\nFROM one AS three\nCOPY --from=two x y\nFROM scratch AS none';
  it.each([
    [undefined, undefined],
    ['three', 'a:1'],
    ['TWO', 'b:1'],
    ['none', undefined],
  ])('for the target %s is %s', (target, base) => {
    const {images} = uses(text, target === undefined ? {} : {target});
    expect(images.find(({isBase}) => isBase)?.reference).toBe(base);
  });
});

describe('sources that only the base image can tell', () => {
  it.each([
    ['its ENV', 'FROM a\nCOPY $CONDA_DIR/x /', 'COPY $CONDA_DIR/x (line 2) uses CONDA_DIR'],
    ['an ARG without value', 'FROM a\nARG X\nCOPY ${X:-y} /', 'uses X'],
    ['an ENV of it', 'FROM a\nENV Y=$X/z\nCOPY $Y /', 'uses Y'],
    ['a mount', 'FROM a\nRUN --mount=source=$X,target=/m y', 'uses X'],
    ['another frontend', '# syntax=acme/frontend:1\nWHATEVER x\nFROM a', 'acme/frontend:1'],
    [
      'a frontend after a shebang',
      '#!/usr/bin/env x\n# syntax=acme/frontend\nFROM a',
      'acme/frontend',
    ],
    ['ONBUILD', 'FROM node:20-onbuild\nCOPY x /', 'node:20-onbuild (line 1) has ONBUILD'],
  ])('%s', (_, text, says) => {
    expect(problemsOf(text)).toEqual([]);
    expect(uses(text).context.unresolved).toContain(says);
  });

  it('are known on scratch, and where no source needs them', () => {
    expect(uses('FROM scratch\nCOPY x$NONE /').context).toMatchObject({
      sources: [{path: 'x'}],
      unresolved: undefined,
    });
    const text = 'FROM a\nUSER $NB_UID\nCOPY --chown=$NB_UID x ${HOME}/\nCOPY --from=b $Q /';
    expect(uses(text).context.unresolved).toBeUndefined();
  });

  it('a frontend can also come from BUILDKIT_SYNTAX', () => {
    const given = {args: {BUILDKIT_SYNTAX: 'acme/f'}};
    expect(uses('FROM a', given).context.unresolved).toContain('acme/f');
  });
});

describe('what docker refuses', () => {
  const refused: [string, string, Given?][] = [
    ['', '1: the Dockerfile has no FROM. Add one.'],
    ['# only\n', '1: the Dockerfile has no FROM. Add one.'],
    ['RUN x\nFROM a', '1: RUN before the first FROM; only ARG is allowed there.'],
    ['FROM', '1: FROM has no image. Add one.'],
    ['FROM a b', '1: FROM takes an image, or an image, AS and a name.'],
    [
      'FROM $X',
      '1: FROM $X becomes nothing, because X has no value. Give it a default with ARG before the first FROM, or a value in build_args.',
    ],
    [
      'FROM a\nARG X=1\nFROM b:$X',
      '3: FROM b:$X becomes "b:", because X has no value. Give it a default with ARG before the first FROM, or a value in build_args.',
    ],
    ['ARG X=a//b\nFROM $X', '2: FROM $X: "a//b" is not a valid image reference.'],
    ['FROM Upper', '1: FROM Upper: "Upper" is not a valid image reference.'],
    ['FROM a:1\nFROM a//b\nFROM c', '2: FROM a//b: "a//b" is not a valid image reference.'],
    [
      'FROM a\nARG T=1\n\nCOPY --from=o/tools:${T} x y',
      '4: Docker expands no variables in COPY --from. Write "FROM o/tools:${T} AS tools" before this stage, then "COPY --from=tools".',
    ],
    [
      'FROM a\nRUN --mount=from=o/tools:$T,target=/m x',
      '2: Docker expands no variables in "from" of RUN --mount. Write "FROM o/tools:$T AS tools" before this stage, then "RUN --mount=from=tools,…".',
    ],
    [
      'FROM a AS s\nCOPY --from=late x y\nFROM b AS late\nFROM s',
      '2: COPY --from=late uses a stage that comes later. Move that stage up.',
    ],
    ['FROM a AS s\nCOPY --from=s x y', '1: stages form a cycle: s.'],
    ['FROM a\nCOPY --from=7 x y', '2: there is no stage 7.'],
    ['FROM a\nCOPY x', '2: COPY needs a source and a destination.'],
    [
      'FROM a\nCOPY --form=b x y',
      '2: COPY: unknown flag --form. Known flags: --from, --chown, --chmod, --link, --exclude, --parents.',
    ],
    ['FROM a\nCOPY --link --link x y', '2: COPY: the flag --link is given twice.'],
    [
      'FROM a\nRUN <<EOF\nx',
      '2: the heredoc is not closed. End it with a line that contains only EOF.',
    ],
    ['FROM a\nXYZZY x', '2: unknown instruction XYZZY.'],
    ['FORM a', '1: unknown instruction FORM. Did you mean FROM?'],
    ['FROM a\nrunn x', '2: unknown instruction runn. Did you mean RUN?'],
    [
      'FROM a\nCOPY ${x!} /',
      '2: ${x!}: bad substitution: "!" is not a modifier that Docker knows.',
    ],
    ['# escape=x\nFROM a', '1: "# escape=x": only \\ and ` can escape.'],
    ['FROM a\nCOPY https://x/y /', '2: COPY cannot take https://x/y. Use ADD.'],
    [
      'FROM a\nCMD ["a", 1]',
      '2: the JSON form takes strings only. Put every word in double quotes.',
    ],
    [
      'FROM a AS 1x',
      '1: "1x" is not a valid name of a stage: letters, digits, "-", "_" and ".", beginning with a letter.',
    ],
  ];

  it.each(refused)('%j', (text, problem, given) => {
    expect(problemsOf(text, given)).toContain(problem);
  });

  it('is refused by BuildKit as well', () => {
    const questions = refused.map(([text, , given]) => ({text, ...given}));
    const answers = askBuildKit(questions);
    const good = questions.filter((_, index) => answers[index]?.error === undefined);
    expect(good.map(({text}) => text)).toEqual([]);
  });

  it('names the stages when the target is none of them', () => {
    const text = 'FROM a AS one\nFROM b AS two';
    expect(problemsOf(text, {target: 'tow'})).toEqual([
      '1: there is no stage "tow", which "target" asks for. Stages: one, two.',
    ]);
    expect(problemsOf(text, {target: '0'})).toHaveLength(1);
  });

  it('is never a crash', () => {
    for (const text of [
      '\0\x01{}\n"\'`\\\n$$\\',
      'FROM a\nCOPY --from=',
      'FROM --x',
      'ONBUILD',
      'FROM a\nRUN --mount',
      'FROM a\nRUN --mount=',
      'FROM a\nONBUILD COPY',
      'FROM constructor AS constructor\nCOPY --__proto__=x a b\nARG __proto__',
      `FROM a\nRUN ${'x'.repeat(70_000)}`,
    ]) {
      expect(() => uses(text)).not.toThrow();
    }
  });
});
