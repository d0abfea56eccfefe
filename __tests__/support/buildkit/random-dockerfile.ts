// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write their variables so.

import type {Question} from './oracle.ts';

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A random Dockerfile with build args, a target and a platform: mostly good, sometimes nearly so. */
export function randomQuestion(seed: number): Question {
  const random = randomFrom(seed);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const times = <T>(most: number, make: () => T): T[] =>
    Array.from({length: Math.floor(random() * (most + 1))}, make);

  const escapeChar = chance(0.08) ? '`' : '\\';
  const names = ['A', 'B', 'TAG', 'BASE', 'TARGETARCH', 'TARGETPLATFORM', 'X_1'];
  const stageNames: string[] = [];
  /** Those of the stages above the one that is written. */
  let earlier: readonly string[] = [];

  const plain = () => pick(['x', 'a/b', '1.2', 'v1-rc', 'foo', '.', 'd_e', 'app/*.py', 'src']);
  const variable = () => {
    const name = pick(names);
    const word = () => pick(['', 'x', '1', 'a b', '$A', '${B:-y}', '*', 'v', '?', "'q'", '"w"']);
    return pick([
      `$${name}`,
      `\${${name}}`,
      `\${${name}:-${word()}}`,
      `\${${name}-${word()}}`,
      `\${${name}:+${word()}}`,
      `\${${name}+${word()}}`,
      `\${${name}#${word()}}`,
      `\${${name}##${word()}}`,
      `\${${name}%${word()}}`,
      `\${${name}%%${word()}*}`,
      `\${${name}/${word()}/${word()}}`,
      `\${${name}//${word()}/${word()}}`,
      chance(0.2) ? `\${${name}:?${word()}}` : `$${name}`,
      chance(0.1) ? pick(['$', '${', '${}', '${A', '${:A}', '$1', '${A!b}', '$$', '${A/x}']) : 'k',
    ]);
  };
  const word = (): string => {
    const part = () =>
      chance(0.25)
        ? variable()
        : chance(0.08)
          ? pick(['"q"', "'s'", '"$A"', "'$A'", `${escapeChar}$A`, `${escapeChar}x`, '"a b"', '#'])
          : plain();
    return chance(0.75) ? part() : part() + part();
  };
  const digest256 = `sha256:${'0a'.repeat(32)}`;
  const image = (): string => (earlier.length > 0 && chance(0.3) ? pick(earlier) : external());
  const external = (): string => {
    if (chance(0.15)) return 'scratch';
    if (chance(0.15)) {
      return pick([
        '${BASE:-b}',
        chance(0.3) ? '$BASE' : 'c',
        '${BASE-b}:${TAG-1}',
        'acme/x${A:+y}',
        'x:${TAG:-1}',
        'a:$TARGETARCH',
        '"b:1"',
      ]);
    }
    if (chance(0.01)) return pick(['Acme/x', 'a//b', 'a:', 'UPPER', 'x@sha256:0', '-a', 'a b', '']);
    return pick([
      'debian',
      'debian:12',
      'acme/base:1',
      'docker.io/acme/base',
      'index.docker.io/acme/base:2',
      'registry-1.docker.io/acme/base',
      'ghcr.io/o/b:1',
      'localhost/x',
      'localhost:5000/x:1',
      'Registry.Example/x',
      'HOST/x',
      `q/r@${digest256}`,
      `q/r:1@${digest256}`,
      `q/r@sha512:${'0a'.repeat(64)}`,
      'library/debian',
    ]);
  };
  const keyword = (text: string) =>
    chance(0.1)
      ? text.toLowerCase()
      : chance(0.03)
        ? `${text[0]}${text.slice(1).toLowerCase()}`
        : text;
  const blank = () =>
    chance(0.06)
      ? pick([
          '  ',
          '\t',
          ' \t ',
          ` ${escapeChar}\n`,
          ` ${escapeChar} \n  `,
          ` ${escapeChar}\n# c\n`,
          ` ${escapeChar}\n\n `,
        ])
      : ' ';
  const join = (words: readonly string[]) =>
    words
      .filter((one) => one !== '')
      .reduce((all, one) => (all === '' ? one : all + blank() + one), '');
  const body = () =>
    pick([
      'FROM not\n',
      'COPY --from=not x y\n',
      '\tEOF\n',
      'x <<Y\n',
      '$A ${B}\n',
      '\n',
      '# c\n',
      'l\\\n',
      '${!}\n',
      ' EOF\n',
    ]);

  const heredoc = (): {readonly begin: string; readonly body: string} => {
    const name = pick(['EOF', 'X', 'E_1']);
    const dash = chance(0.3) ? '-' : '';
    const quoted = pick([name, name, `"${name}"`, `'${name}'`, `E"${name}"`]);
    const plainName = quoted.replace(/["']/g, '');
    const begin = `${chance(0.1) ? '3' : ''}<<${dash}${chance(0.15) ? ' ' : ''}${quoted}`;
    const end = chance(0.01) ? 'NEVER' : plainName;
    const tabs = dash === '-' && chance(0.5) ? '\t' : '';
    return {begin, body: `\n${times(2, body).join('')}${tabs}${end}`};
  };

  /** A flag given twice is refused, which is seen often enough. */
  const distinctFlags = (flags: readonly string[]) =>
    chance(0.1) ? flags : [...new Map(flags.map((flag) => [flag.split('=')[0], flag])).values()];
  const copyFlags = () =>
    distinctFlags(
      times(2, () =>
        pick([
          '--chown=1:1',
          '--chmod=755',
          '--chmod=u+x',
          '--link',
          '--link=false',
          '--exclude=*.md',
          '--exclude=a/**',
          '--exclude="q r"',
          chance(0.2) ? '--chmod=9' : '--exclude=z',
          chance(0.1) ? '--unknown' : '--chmod=0644',
        ]),
      ),
    );
  const source = () =>
    chance(0.1)
      ? pick([
          '.',
          './',
          '../x',
          '/abs/y',
          'a/../b',
          './a//b/',
          '*.txt',
          'a/[bc]/d',
          '/',
          'a?/b',
          'https:/x',
        ])
      : word();
  const copyFrom = () => {
    if (chance(0.5)) return [];
    if (stageNames.length > 0 && chance(0.6) && (earlier.length > 0 || chance(0.05))) {
      const name = pick(earlier.length > 0 && chance(0.95) ? earlier : stageNames);
      return [`--from=${pick([name, name, name.toUpperCase(), '0'])}`];
    }
    return [
      `--from=${pick([external(), 'tools:1', 'scratch', chance(0.1) ? 'x:$TAG' : 'y', chance(0.1) ? '9' : 'z'])}`,
    ];
  };
  const copy = (): string => {
    const isAdd = chance(0.2);
    const flags = [
      ...(isAdd ? [] : copyFrom()),
      ...copyFlags(),
      ...(!isAdd && chance(0.1) ? ['--parents'] : []),
      ...(isAdd && chance(0.05) ? ['--checksum=sha256:0'] : []),
    ];
    const head = keyword(isAdd ? 'ADD' : 'COPY');
    if (chance(0.12)) {
      const docs = [heredoc(), ...times(1, heredoc)];
      // Of a stage that only heredocs are copied "from", BuildKit builds nothing.
      const more = chance(0.2) || flags.some((flag) => flag.startsWith('--from')) ? [source()] : [];
      return (
        join([head, ...flags, ...docs.map(({begin}) => begin), ...more, '/d/']) +
        docs.map((one) => one.body).join('')
      );
    }
    // No ssh: BuildKit would look for the host's key.
    const remote = () =>
      pick([
        'https://x.y/z',
        'http://x.y/z.git',
        'github.com/a/b',
        'https://x/y.git#v1:sub',
        'https://x/y.git?ref=v1',
        'ftp://x/y',
      ]);
    const one = () => ((isAdd && chance(0.3)) || chance(0.01) ? remote() : source());
    const sources = [one(), ...times(2, one)];
    if (chance(0.12)) return join([head, ...flags, JSON.stringify([...sources, '/d/'])]);
    return join([head, ...flags, ...sources, '/d/']);
  };
  const mount = (): string => {
    const type = pick(['bind', 'bind', 'cache', 'tmpfs', 'secret', 'ssh', '']);
    const options = [
      type === ''
        ? ''
        : `${pick(['type', 'TYPE', 'Type'])}=${chance(0.1) ? type.toUpperCase() : type}`,
      ['secret', 'ssh', 'tmpfs'].includes(type) || chance(0.5)
        ? ''
        : `${pick(['from', 'FROM'])}=${pick([external(), external(), ...earlier, '0', 'scratch', chance(0.1) ? 'a:$TAG' : 'b'])}`,
      type === 'ssh' || type === 'tmpfs' || (type === 'secret' && chance(0.5))
        ? ''
        : `${pick(['source', 'src'])}=${chance(0.9) ? plain() : variable()}`,
      `${pick(['target', 'dst', 'destination'])}=/${plain().replace('.', 'm')}/t`,
      chance(0.1)
        ? pick([
            'ro',
            'rw',
            'readonly=true',
            'readonly=maybe',
            'sharing=locked',
            'uid=1',
            'what=1',
            'id=x',
            'required',
          ])
        : '',
      chance(0.1) ? '"id=a,b"' : '',
    ].filter((option) => option !== '');
    for (let at = options.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [options[at], options[other]] = [options[other] ?? '', options[at] ?? ''];
    }
    const quoted = options.some((option) => option.includes('"'))
      ? `'${options.join(',')}'`
      : options.join(',');
    return `--mount=${quoted}`;
  };
  const run = (): string => {
    const flags = chance(0.4) ? [mount(), ...times(1, mount)] : [];
    const command = pick([
      'true',
      'echo "use: cat <<EOF > file"',
      "echo '<<X'",
      'a && b',
      'x \\\\',
      'cat << EOF_',
      'echo $A',
      '["a", "b"]',
      '[a',
      'x # y',
      '--mount=from=not,target=/n',
      'a<<<b',
      'echo \\<<EOF',
    ]);
    if (chance(0.25)) {
      const docs = [heredoc(), ...times(1, heredoc)];
      return (
        join([
          keyword('RUN'),
          ...flags,
          pick(['', 'cat', 'python3']),
          ...docs.map(({begin}) => begin),
        ]) + docs.map((one) => one.body).join('')
      );
    }
    return join([
      keyword('RUN'),
      ...flags,
      command.includes('EOF_') && !chance(0.02) ? 'true' : command,
    ]);
  };
  const arg = () =>
    join([
      keyword('ARG'),
      ...Array.from({length: 1 + Math.floor(random() * 2)}, () => {
        const name = pick(names);
        return pick([
          name,
          `${name}=${word()}`,
          `${name}=${plain()}`,
          `${name}="${plain()} ${plain()}"`,
          `${name}=`,
        ]);
      }),
    ]);
  const env = () =>
    chance(0.2)
      ? join([keyword('ENV'), pick(names), word(), plain()])
      : join([
          keyword('ENV'),
          `${pick(names)}=${word()}`,
          ...times(1, () => `${pick(names)}=${word()}`),
        ]);
  const other = () =>
    pick([
      'WORKDIR /w',
      'USER x',
      'CMD ["a"]',
      'CMD a',
      'ENTRYPOINT []',
      'LABEL a=b c="d e"',
      'LABEL a b',
      'EXPOSE 80',
      'VOLUME /v',
      'SHELL ["bash"]',
      'STOPSIGNAL SIGTERM',
      'MAINTAINER me',
      'HEALTHCHECK NONE',
      'HEALTHCHECK --interval=5s CMD true',
      '# comment',
      '',
      '  ',
      chance(0.05)
        ? pick([
            'BAD x',
            'ENV A',
            'SHELL bash',
            'USER',
            'LABEL =x',
            'ENV A=1 B',
            'HEALTHCHECK x',
            'COPY x',
            'RUN --x',
            'CMD [1]',
            'ONBUILD FROM x',
            'ARG',
            'ARG =1',
            'VOLUME',
            'EXPOSE',
          ])
        : 'USER y',
    ]);
  const instruction = (): string => {
    const at = random();
    if (at < 0.3) return copy();
    if (at < 0.5) return run();
    if (at < 0.65) return arg();
    if (at < 0.75) return env();
    if (at < 0.82) return `${keyword('ONBUILD')} ${pick([copy, run, env, arg])()}`;
    return other();
  };
  const from = (): string => {
    const words = [keyword('FROM')];
    if (chance(0.1))
      words.push(
        `--platform=${pick(['linux/amd64', '$BUILDPLATFORM', '$TARGETPLATFORM', 'linux/arm64/v8', chance(0.2) ? '$NOPE' : 'amd64', chance(0.1) ? 'a/b/c/d' : 'linux'])}`,
      );
    words.push(image());
    if (chance(0.6)) {
      const name = pick([
        'a',
        'b',
        'Build',
        'tools',
        'x-1',
        'debian',
        chance(0.03) ? 'scratch' : 'c',
        chance(0.03) ? '1x' : 'd',
      ]);
      stageNames.push(name, name.toLowerCase());
      words.push(pick(['AS', 'as', 'As']), name);
    }
    return join(words);
  };

  const lines: string[] = [];
  if (escapeChar === '`') lines.push(pick(['# escape=`', '#escape = `', '#   ESCAPE=`  ']));
  else if (chance(0.06))
    lines.push(
      pick([
        '# check=skip=all',
        '# not=a directive',
        '#',
        '# escape=\\',
        '# escape=`x',
        '#! /bin/x',
      ]),
    );
  lines.push(...times(2, arg));
  for (let stage = 0; stage < 1 + Math.floor(random() * 3); stage += 1) {
    lines.push(from(), ...times(4, instruction));
    earlier = [...stageNames];
  }
  let text = lines.join('\n') + (chance(0.8) ? '\n' : '');
  if (chance(0.12)) text = mutate(text);
  if (chance(0.08)) text = text.replaceAll('\n', '\r\n');
  if (chance(0.05)) text = `\uFEFF${text}`;

  function mutate(before: string): string {
    const at = Math.floor(random() * before.length);
    const piece = pick([
      '\\',
      '"',
      "'",
      '$',
      '{',
      '}',
      '<',
      '\n',
      ' ',
      '#',
      '=',
      ',',
      '`',
      '\\\n',
      '--',
      '[',
      '<<EOF',
      'é',
      '\u00a0',
      '\v',
    ]);
    if (chance(0.5)) return before.slice(0, at) + piece + before.slice(at);
    return before.slice(0, at) + before.slice(at + 1 + Math.floor(random() * 3));
  }

  const args = Object.fromEntries(
    times(2, () => [pick(names), pick(['1', 'v2', '', 'debian', 'acme/base', 'a b', 'x/y'])]),
  );
  const onbuild = chance(0.1)
    ? {'docker.io/library/debian:12': [pick([copy, run, env, arg])()]}
    : undefined;
  return {
    text,
    args,
    ...(chance(0.25)
      ? {target: stageNames.length > 0 && chance(0.9) ? pick(stageNames) : pick(['0', 'a', ''])}
      : {}),
    ...(chance(0.2) ? {platform: pick(['linux/arm64', 'linux/amd64', 'linux/arm/v7'])} : {}),
    ...(onbuild === undefined ? {} : {onbuild}),
  };
}
