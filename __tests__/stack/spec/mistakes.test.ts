import {describe, expect, it} from 'vitest';
import {fillExtraTags} from '../../../src/stack/spec/extras.ts';
import {SpecError} from '../../../src/stack/yaml/findings.ts';
import {mistakesOf} from '../../support/builders/specs.ts';

/** A spec around the keys of image "a", whose first key stands at 3:5. */
function withKeys(keys: string, after = ''): string {
  const lines = keys.replaceAll('\n', '\n    ');
  return `images:\n  a:\n    ${lines}\n    image_name: x/a\ntag: {prefix: v1}\n${after}`;
}

// A pattern that tries each place anew needs a minute for these, and the test ends at its deadline.
it.each(['A', 'NAME ', 'a-', 'a/', '..'])(
  'an image_name of 200,000 × "%s" is refused at once',
  (part) => {
    const name = JSON.stringify(`${part.repeat(200_000 / part.length)}:`);
    const [mistake] = mistakesOf(`images: {a: {image_name: ${name}}}\ntag: {prefix: v1}\n`);
    expect(mistake).toContain('which is not a valid name of an image repository');
  },
);

describe('one mistake, with its place and its fix', () => {
  it.each([
    ['imge_name: x', '3:5: unknown key "imge_name" in image "a". Did you mean "image_name"?'],
    ['Depend-On: x', '3:5: unknown key "Depend-On" in image "a". Did you mean "depend_on"?'],
    ['zzzzzzzz: x', '3:5: unknown key "zzzzzzzz" in image "a". Known keys: image_name, depend_on,'],
    ['dbuild_env: {}', '3:5: "dbuild_env" in image "a" is a key of the scripts before 2023.'],
    ['manifests: []', '3:5: "manifests" in image "a" is a key of the scripts before 2023.'],
    ['skip_plans: []', '3:5: "skip_plans" in image "a" is a key of the scripts before 2023.'],
    [
      'prune: true\nprune: true',
      '4:5: duplicate key "prune" (first defined at images/spec.yml:3:5). Keep one of them.',
    ],
    [
      'prepull: false -- later',
      '3:14: prepull of image "a" is "false -- later". Write true or false, without quotes. A comment begins with " #".',
    ],
    ['prune: "true"', '3:12: prune of image "a" is "true". Write true or false, without quotes.'],
    ['prune: !!str true', '3:18: prune of image "a" is "true". Write true or false'],
    ['prune: 1', '3:12: prune of image "a" is "1"'],
    ['prune: [true]', '3:12: prune of image "a" is a list'],
    ['depend_on: b', '3:16: depend_on of image "a" lists "b", which is not in "images".'],
    ['depend_on: a', '3:16: depend_on of image "a" lists "a", which is the image itself.'],
    ['depend_on: {b: c}', '3:16: depend_on of image "a" must be text, not a mapping.'],
    ['depend_on: [""]', '3:17: depend_on of image "a" must be text, not "".'],
    [
      'context: ../../..',
      '3:14: context of image "a" is "../../..", which points outside the repository.',
    ],
    ['context: /etc', '3:14: context of image "a" is "/etc", which is absolute.'],
    ['context: C:\\x', 'which is absolute'],
    ['context: "-"', '3:14: context of image "a" is "-", which docker would take for an option.'],
    ['context: "a\\0b"', '3:14: contains a NUL character'],
    ['dockerfile: ../../../Dockerfile', '3:17: dockerfile of image "a"'],
    ['dockerfile: -f', 'which docker would take for an option'],
    [
      'watch: ../../../x',
      '3:12: watch of image "a" is "../../../x", which points outside the repository.',
    ],
    ['watch: ["!x"]', '3:13: watch of image "a" is "!x", which excludes'],
    ['target: "a b"', '3:13: target of image "a" is "a b"'],
    ['platforms: arm64', '3:16: platforms of image "a" has "arm64". Write os/architecture'],
    [
      'platforms: linux/arm46',
      'platforms of image "a" has "linux/arm46". Did you mean linux/arm64?',
    ],
    [
      'platforms: Linux/amd64',
      'platforms of image "a" has "Linux/amd64". Did you mean linux/amd64?',
    ],
    [
      'platforms: [linux/arm64, linux/arm64/v8]',
      'platforms of image "a" has "linux/arm64/v8", which is linux/arm64 again. Remove one of them.',
    ],
    ['secrets: [token]', '3:15: secrets of image "a" has "token". Write "id=NAME'],
    ...['id=', 'id=a,env=', 'id=ACTIONS_RUNTIME_TOKEN,src=', 'id=a,env=B,env=INPUT_PASSWORD']
      .concat(['id=a,src=b,source=/etc/shadow', 'id=a,type=env,src=ACTIONS_RUNTIME_TOKEN'])
      .concat(['id=a,type=file,env=B', 'id=a,type=x', 'id=a,env=B,src=c', 'id=a, env=B'])
      .map((text): [string, string] => [
        `secrets: ['${text}']`,
        `3:15: secrets of image "a" has "${text}". Write "id=NAME`,
      ]),
    ...['id=a,env=INPUT_PASSWORD', 'ID=a,ENV=STATE_isPost', 'id=ACTIONS_RUNTIME_TOKEN']
      .concat(['type=env,id=a,env=input_github-token', 'type=env,id=INPUT_PASSWORD'])
      .map((text): [string, string] => [
        `secrets: ['${text}']`,
        `3:15: secrets of image "a" has "${text}", which is a variable of the runner`,
      ]),
    ["secrets: ['id=a,src=/etc/shadow']", 'but a secret file must be inside the workspace'],
    ["secrets: ['id=a,source=../x']", 'but a secret file must be inside the workspace'],
    ['secrets: ["--push"]', '3:15: secrets of image "a" has "--push"'],
    [
      'info_cmds: [PY_VERR]',
      '3:17: info_cmds of image "a" lists "PY_VERR", which is not in all_info_cmds. Did you mean "PY_VER"?',
    ],
    [
      'build_args: [A=b]',
      '3:17: build_args of image "a" must be a mapping (KEY: value), not a list.',
    ],
    ['build_args: {A: [b]}', '3:21: "A" in build_args of image "a" must be text, not a list.'],
    ['build_args: {"A=b": c}', '3:18: "A=b" in build_args of image "a" is not a valid ARG name.'],
    [
      'tests: {where: moon}',
      '3:20: where of tests of image "a" is "moon". Write host or container.',
    ],
    ['tests: {command: "a \'b"}', '3:22: command of tests of image "a" has a quote or an escape'],
    ['tests: {timeout_minutes: soon}', '3:30: timeout_minutes of tests of image "a" is "soon"'],
    ['tests: {timeout_minutes: 99999}', 'at most 10080 (a week)'],
    ['tests: {timeout_minutes: 0}', 'timeout_minutes of tests of image "a" is "0"'],
    ['tests: pytest', '3:12: tests of image "a" must contain keys'],
    ['tests: {comand: x}', 'unknown key "comand" in tests of image "a". Did you mean "command"?'],
  ])('%s', (keys, message) => {
    const mistakes = mistakesOf(withKeys(keys, 'all_info_cmds: {PY_VER: {command: v}}\n'));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(message);
  });

  it.each([
    ['GITHUB_TOKEN', true],
    ['DB_PASSWORD', true],
    ['MY_SECRET', true],
    ['API_KEY', true],
    ['OPENAI_APIKEY', true],
    ['apiToken', true],
    ['GH_PAT', true],
    ['TOKENIZERS_VERSION', false],
    ['TOKEN_URL', false],
    ['PATH', false],
    ['COMPASS', false],
    ['KEYBOARD', false],
    ['PY_VER', false],
  ])('a build arg %s is a secret: %s', (name, isSecret) => {
    const mistakes = mistakesOf(withKeys(`build_args: {${name}: x}`));
    expect(mistakes).toHaveLength(isSecret ? 1 : 0);
    if (isSecret) expect(mistakes[0]).toContain(`3:18: "${name}" in build_args of image "a" looks`);
  });

  it.each([
    [
      'ghcr.io/Owner/Image',
      'which has upper case letters, and registries allow none: "ghcr.io/owner/image"',
    ],
    ['ghcr.io/o/a:v1', 'which has a tag. Write the repository alone'],
    [`ghcr.io/o/a@sha256:${'a'.repeat(64)}`, 'which has a digest'],
    ['https://ghcr.io/o/a', 'which is a URL. Omit "https://".'],
    ['-v', 'which is not a valid name of an image repository.'],
    ['a b', 'which is not a valid name of an image repository.'],
    ['a;reboot', 'which is not a valid name of an image repository.'],
  ])('image_name: %s', (name, message) => {
    const mistakes = mistakesOf(`images: {a: {image_name: "${name}"}}\ntag: {prefix: v1}`);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(`1:26: image_name of image "a" is "${name}", ${message}`);
  });

  it.each([
    ['images: {a: {}}', '1:10: image "a" has no image_name. Add "image_name: ghcr.io/owner/a"'],
    ['images: {a: }', '1:10: image "a" is empty'],
    ['images: {a: text}', '1:13: image "a" must contain keys'],
    ['images: {a/b: {image_name: x/a}}', '1:10: "a/b" cannot be the name of an image'],
    ['images: {.git: {image_name: x/a}}', '".git" cannot be the name'],
    ['images: {"..": {image_name: x/a}}', '".." cannot be the name'],
    ['images: {a@b: {image_name: x/a}}', '"a@b" cannot be the name'],
    ['images: {}', '1:9: "images" has no image. Add one'],
    ['images:', '1:1: "images" has no image. Add one'],
    ['images: [a]', '1:9: images of the spec must be a mapping'],
    [
      'registry: ghcr.io/o\nimages: {Upper: {}}',
      '2:10: image "Upper" would be ghcr.io/o/Upper, which has upper case',
    ],
    [
      'registry: "a b"\nimages: {a: {image_name: x/a}}',
      '1:11: registry is "a b", which is not a valid name of an image repository.',
    ],
    ['root: b\nimages: {a: {image_name: x/a}}', '1:7: root lists "b", which is not in "images"'],
  ])('%s', (text, message) => {
    expect(mistakesOf(`${text}\ntag: {prefix: v1}`).join('\n')).toContain(message);
  });

  it.each([
    ['', '1:1: the tag prefix is missing. Add "tag: {prefix: …}", or set the input "tag-prefix".'],
    ['tag:', '1:1: the tag prefix is missing'],
    ['tag: {}', '2:1: the tag prefix is missing'],
    ['tag: {prefix: }', '2:1: the tag prefix is missing'],
    ['tag: v1', '2:6: tag must contain keys (prefix, extra), not "v1".'],
    ['tag: {prefix: [v1]}', '2:15: prefix of tag must be text, not a list.'],
    ['tag: {prefix: -v}', '2:15: prefix of tag is "-v", which cannot begin a tag.'],
    ['tag: {prefix: a/b}', '2:15: prefix of tag is "a/b", which cannot begin a tag.'],
    [`tag: {prefix: ${'x'.repeat(65)}}`, 'which is longer than 64 characters.'],
    ['tag: {prefx: v1}', 'unknown key "prefx" in tag. Did you mean "prefix"?'],
    ['tag_prefix: v1', '2:1: "tag_prefix" in the spec is a key of the scripts before 2023.'],
  ])('the tag prefix: %s', (tag, message) => {
    expect(mistakesOf(`images: {a: {image_name: x/a}}\n${tag}`).join('\n')).toContain(message);
  });

  it('a bad input tag-prefix is named as the input', () => {
    expect(mistakesOf('images: {a: {image_name: x/a}}', 'a b')).toEqual([
      'images/spec.yml:1:1: the input "tag-prefix" is "a b", which cannot begin a tag. Use letters, digits, "_", "." and "-"; the first is a letter, a digit or "_".',
    ]);
  });

  it.each([
    ['{V: {}}', '2:17: info command "V" has no command.'],
    ['{V: {command: }}', '2:17: info command "V" has no command.'],
    ['{V: {command: " "}}', '2:30: command of info command "V" is empty.'],
    ['{V: {command: "bash -c \'a"}}', '2:30: command of info command "V" has a quote'],
    [
      '{V: python}',
      '2:20: info command "V" must contain keys (description, command), not "python".',
    ],
    ['[V]', '2:16: all_info_cmds of the spec must be a mapping'],
  ])('all_info_cmds: %s', (commands, message) => {
    const text = `images: {a: {image_name: x/a}}\nall_info_cmds: ${commands}\ntag: {prefix: v1}`;
    expect(mistakesOf(text)).toHaveLength(1);
    expect(mistakesOf(text)[0]).toContain(message);
  });

  it.each([
    ['{P: {}}', '2:9: track "P" has no prefix'],
    ['{P: {prefix: v1}}', 'track "P" uses the prefix "v1", which the stack already uses.'],
    [
      '{P: {prefix: v2}, Q: {prefix: v2}}',
      'track "Q" uses the prefix "v2", which track "P" already uses.',
    ],
    [
      '{P: {prefix: v2, skip: [ab]}}',
      'skip of track "P" lists "ab", which is not in "images". Did you mean "a"?',
    ],
    [
      '{P: {tag_prefix: v2, prefix: v3}}',
      '"tag_prefix" in track "P" is a key of the scripts before 2023',
    ],
    ['{P: {tag_stable_postfix: x, prefix: v3}}', 'the stable tag is always <prefix>-stable'],
    ['{"P/Q": {prefix: v2}}', '"P/Q" cannot be the name of a track'],
    [
      '{P: {prefix: v2, build_args: {A_TOKEN: x}}}',
      '"A_TOKEN" in build_args of track "P" looks like a secret',
    ],
  ])('plans: %s', (plans, message) => {
    const text = `images: {a: {image_name: x/a}}\nplans: ${plans}\ntag: {prefix: v1}`;
    expect(mistakesOf(text)).toHaveLength(1);
    expect(mistakesOf(text)[0]).toContain(message);
  });
});

it('all mistakes come at once, in the order of the file', () => {
  const mistakes = mistakesOf(
    'images:\n  a: {image_name: X/a, prun: 1}\n  b: {image_name: x/b, prune: maybe}\n  b: {}\ntag: {prefix: "a b"}\nplan: {}\n',
  );
  expect(mistakes.map((mistake) => mistake.split(':').slice(1, 3).join(':'))).toEqual([
    '2:19',
    '2:24',
    '3:31',
    '4:3',
    '5:15',
    '6:1',
  ]);
});

it('a SpecError shows every mistake on its own line', () => {
  const error = new SpecError(['one', 'two']);
  expect([error.name, error.message]).toEqual(['SpecError', 'one\ntwo']);
});

describe('tags of tracks in tag.extra', () => {
  const specOf = (list: string, tag: string): string =>
    `images: {a: {image_name: x/a}}\ntag: {prefix: v1, extra: {${list}: ["${tag}"]}}\nplans: {GPU: {prefix: v1-gpu}}\n`;

  it.each([
    ['{prefix}-gpu-stable', 'which would be v1-gpu-stable, the stable tag of image "a@GPU"'],
    ['v1-gpu-main', 'which would be a tag of image "a@GPU", whose tags begin with "v1-gpu-"'],
  ])('refuses %s, which is of another track', (tag, words) => {
    for (const list of ['default_branch', 'stable']) {
      const [mistake, ...more] = mistakesOf(specOf(list, tag));
      expect(mistake).toContain(`${list} of tag.extra has "${tag}", ${words}`);
      expect(more).toEqual([]);
    }
  });

  it.each(['latest', '{prefix}-{sha}', '{prefix}-{date}', '{prefix}', 'v1-edge', '{date}'])(
    'takes %s',
    (tag) => {
      expect(mistakesOf(specOf('default_branch', tag))).toEqual([]);
    },
  );

  it('gives a track only tags with its prefix: its images share repositories with the others', () => {
    const words = {now: new Date('2026-11-25'), sha: '0123456789'};
    const tags = ['latest', '{prefix}-{sha}', '{date}'];
    const main = {track: undefined, tagPrefix: 'v1', variant: undefined};
    expect(fillExtraTags(tags, main, words)).toEqual(['latest', 'v1-0123456', '2026-11-25']);
    const track = {track: 'GPU', tagPrefix: 'v1-gpu', variant: 'cuda'};
    expect(fillExtraTags(tags, track, words)).toEqual(['cuda-v1-gpu-0123456']);
  });
});

describe('the layout of all tags', () => {
  const images = (...keys: readonly string[]): string =>
    `images:\n${keys.map((more, index) => `  i${index}: {image_name: x/a${more}}\n`).join('')}`;
  const spec = (extra: string, prefix = '"1"', ...keys: readonly string[]): string =>
    `${images(...(keys.length > 0 ? keys : ['']))}tag: {prefix: ${prefix}${extra === '' ? '' : `, extra: ${extra}`}}\n`;

  it.each([
    ['latest', '{default_branch: [latest, "{date}", "{sha}", "{prefix}", "{prefix}-{date}"]}'],
    ['with a promotion', '{stable: [latest]}'],
  ])('takes extra tags: %s', (_, extra) => expect(mistakesOf(spec(extra))).toEqual([]));

  it.each([
    ['stable', 'which would be stable, the stable tag of image "i0": only a promotion moves it.'],
    ['1-stable', 'which would be 1-stable, the stable tag of image "i0"'],
    ['{prefix}-stable', 'which would be 1-stable, the stable tag of image "i0"'],
    ['buildcache', 'which the action keeps for itself'],
    [`fp-${'0'.repeat(16)}`, 'which the action keeps for itself'],
    ['{branch}', 'which is not a valid tag'],
    ['a/b', 'which is not a valid tag'],
    ['-x', 'which is not a valid tag'],
    ['', 'default_branch'],
  ])('refuses the extra tag %j', (tag, message) => {
    for (const list of ['default_branch', 'stable']) {
      const found = mistakesOf(spec(`{${list}: [${JSON.stringify(tag)}]}`)).join('\n');
      expect(found).toContain(message.replace('default_branch', list));
    }
  });

  it('counts the variant: its stable tag, and the length of its tags', () => {
    const two = ['', ', variant: gpu'];
    expect(mistakesOf(spec('{default_branch: [gpu-stable]}', '"1"', ...two)).join()).toContain(
      'which would be gpu-stable, the stable tag of image "i1"',
    );
    expect(mistakesOf(spec(`{stable: [${'x'.repeat(126)}]}`, '"1"', ...two)).join()).toContain(
      'which is 130 characters long for image "i1", and a tag has 128.',
    );
  });

  it('refuses a variant whose global stable tag is the stable tag of another image', () => {
    expect(mistakesOf(spec('', '"1"', '', ', variant: "1"')).join()).toContain(
      'image "i1" would get the stable tag of "i0" (images/spec.yml:2:3): x/a:1-stable. Give one of them another variant or prefix.',
    );
    expect(mistakesOf(spec('', '"1"', '', ', variant: gpu', ', variant: cpu'))).toEqual([]);
  });

  it('lets the tracks of an image take turns at its global stable tag', () => {
    expect(mistakesOf(`${spec('')}plans: {GPU: {prefix: "2"}}\n`)).toEqual([]);
  });
});
