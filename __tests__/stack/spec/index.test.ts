import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {parseSpec} from '../../../src/stack/spec/index.ts';
import type {ImageSpec, Spec} from '../../../src/stack/spec/types.ts';

function parse(text: string, more: {tagPrefix?: string; stackDir?: string} = {}): Spec {
  const {tagPrefix, stackDir = 'images'} = more;
  return parseSpec({file: 'images/spec.yml', text, stackDir, tagPrefix});
}

function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/spec/${name}`, import.meta.url), 'utf8');
}

function image(spec: Spec, name: string): ImageSpec {
  const found = spec.images.get(name);
  if (found === undefined) throw new Error(`no image ${name}`);
  return found;
}

const small = 'images: {a: {image_name: ghcr.io/o/a}}\ntag: {prefix: v1}\n';

describe('a spec of the Python scripts', () => {
  const spec = parse(fixture('datahub.yml'));

  it('is read without a warning', () => {
    expect(spec.warnings).toEqual([]);
    expect([...spec.images.keys()]).toEqual(['base-notebook', 'r-notebook', 'ml-notebook']);
    expect(spec.tagPrefix).toBe('2026.3');
  });

  it('gives every image its defaults and its place in the file', () => {
    expect(image(spec, 'ml-notebook')).toEqual({
      name: 'ml-notebook',
      key: 'ml-notebook',
      track: undefined,
      tagPrefix: '2026.3',
      variant: undefined,
      repository: 'ghcr.io/example-ets/ml-notebook',
      parents: ['base-notebook'],
      dependOn: 'listed',
      context: 'images/ml-notebook',
      dockerfile: 'images/ml-notebook/Dockerfile',
      folder: 'images/ml-notebook',
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
      position: {line: 19, column: 3},
    });
  });

  it('resolves info commands as they are written', () => {
    expect(image(spec, 'r-notebook').infoCommands).toEqual([
      {
        name: 'PY_VER',
        description: 'Python Version',
        command: 'python --version',
        words: ['python', '--version'],
      },
      {
        name: 'GPU_LIBS',
        description: 'GPU Libraries',
        command: `bash -c 'conda list | grep "cuda\\|cudnn"'`,
        words: ['bash', '-c', 'conda list | grep "cuda\\|cudnn"'],
      },
    ]);
  });
});

describe('a spec with every key', () => {
  const spec = parse(fixture('every-key.yml'));
  const child = image(spec, 'child');

  it('keeps the characters of build args and prefixes as they are written', () => {
    expect(Object.fromEntries(child.buildArgs)).toEqual({
      PYTHON: '3.10',
      BRANCH: '2026.10',
      OCTAL: '0123',
      ANSWER: 'no',
      POWER: '1e3',
      QUOTED: '3.10',
      EMPTY: '',
      FOLDED: 'one two',
    });
    expect(spec.tagPrefix).toBe('2026.10');
    expect(image(spec, 'base@PY39').tagPrefix).toBe('2023.20');
  });

  it('resolves context from the folder, dockerfile from the context, watch from the repository', () => {
    expect(child.folder).toBe('images/child');
    expect(child.context).toBe('images/shared/child');
    expect(child.dockerfile).toBe('images/shared/child/docker/Dockerfile');
    expect(child.watch).toEqual(['shared/**/*.txt', 'images/common']);
  });

  it('reads all other keys', () => {
    expect(child.parents).toEqual(['base', 'other']);
    expect(child.target).toBe('final');
    expect(child.platforms).toEqual(['linux/amd64', 'linux/arm/v7']);
    expect(child.secrets).toEqual(['id=token,env=MY_TOKEN']);
    expect([child.publish, child.allowFailure, child.prepull]).toEqual([false, true, false]);
    expect(child.tests).toEqual({
      words: ['pytest', '-x', 'a b'],
      paths: ['shared/suite', 'tests/test_child.py'],
      where: 'container',
      timeoutMinutes: 1.5,
    });
    expect(child.infoCommands.map(({name}) => name)).toEqual(['VERSION']);
  });

  it('puts an image without image_name below the registry', () => {
    expect(image(spec, 'base').repository).toBe('registry.example.org:5000/stack/base');
  });
});

describe('tracks', () => {
  const text = `
images:
  late: {image_name: x/late, depend_on: mid}
  root: {image_name: x/root, build_args: {PY: 3.11, ONLY: main}}
  mid: {image_name: x/mid, depend_on: root}
  side: {image_name: x/side, depend_on: root}
tag: {prefix: "2026.3"}
plans:
  OLD: {prefix: "2023.2", build_args: {PY: 3.9}, skip: [mid]}
`;
  const spec = parse(text);

  it('repeat the images that they do not skip, nor anything below those', () => {
    const names = ['late', 'root', 'mid', 'side', 'root@OLD', 'side@OLD'];
    expect([...spec.images.keys()]).toEqual(names);
  });

  it('have their own prefix, parents and build args', () => {
    const side = image(spec, 'side@OLD');
    expect([side.key, side.track, side.tagPrefix]).toEqual(['side', 'OLD', '2023.2']);
    expect(side.parents).toEqual(['root@OLD']);
    expect(image(spec, 'root@OLD').buildArgs).toEqual(
      new Map([
        ['PY', '3.9'],
        ['ONLY', 'main'],
      ]),
    );
    expect(image(spec, 'root').buildArgs.get('PY')).toBe('3.11');
  });
});

describe('what YAML allows', () => {
  it('anchors and merges, which never share what can be changed', () => {
    const spec = parse(`
x-common: &common
  build_args: &args {A: 1.0, B: x}
  prune: true
images:
  a: {<<: *common, image_name: x/a}
  b: {<<: [*common, {prune: false, prepull: false}], image_name: x/b, build_args: {<<: *args, B: y}}
tag: {prefix: v1}
`);
    expect(image(spec, 'a').buildArgs).not.toBe(image(spec, 'b').buildArgs);
    expect(Object.fromEntries(image(spec, 'a').buildArgs)).toEqual({A: '1.0', B: 'x'});
    expect(Object.fromEntries(image(spec, 'b').buildArgs)).toEqual({A: '1.0', B: 'y'});
    expect([image(spec, 'b').prune, image(spec, 'b').prepull]).toEqual([true, false]);
  });

  it('one anchor used by hundreds of images', () => {
    const images = Array.from(
      {length: 300},
      (_, index) => `  i${index}: {image_name: x/i${index}, info_cmds: *cmds}`,
    );
    const spec = parse(
      `x-c: &cmds [V]\nimages:\n${images.join('\n')}\ntag: {prefix: v1}\nall_info_cmds: {V: {command: v}}\n`,
    );
    expect(image(spec, 'i299').infoCommands).toHaveLength(1);
  });

  it('a byte order mark and CRLF, with positions as an editor shows them', () => {
    const spec = parse(`\uFEFF${small.replaceAll('\n', '\r\n')}`);
    expect(image(spec, 'a').position).toEqual({line: 1, column: 10});
  });

  it.each(['true', 'True', 'yes', 'on'])('%s as a switch, unquoted', (word) => {
    const spec = parse(`images: {a: {image_name: x/a, prune: ${word}}}\ntag: {prefix: v1}`);
    expect(image(spec, 'a').prune).toBe(true);
  });

  it('keys without a value, which count as missing', () => {
    const spec = parse(
      'root:\nplans:\nall_info_cmds: ~\nimages:\n  a:\n    image_name: x/a\n    depend_on:\n    prune: null\ntag: {prefix: v1}',
    );
    expect([...spec.images.keys()]).toEqual(['a']);
  });

  it('numbers as names', () => {
    const spec = parse('images: {3.10: {image_name: x/a}}\ntag: {prefix: v1}');
    expect(image(spec, '3.10').folder).toBe('images/3.10');
  });
});

describe('the input tag-prefix', () => {
  it('wins over tag.prefix', () => {
    const spec = parse(small, {tagPrefix: '2023.10'});
    expect([spec.tagPrefix, image(spec, 'a').tagPrefix]).toEqual(['2023.10', '2023.10']);
  });

  it('is enough without tag', () => {
    expect(parse('images: {a: {image_name: x/a}}', {tagPrefix: 'v1'}).tagPrefix).toBe('v1');
  });
});

it.each([
  ['images/', 'images/a'],
  ['./images', 'images/a'],
  ['.', 'a'],
  ['docker/stack', 'docker/stack/a'],
])('the stack folder %s gives the image folder %s', (stackDir, folder) => {
  expect(image(parse(small, {stackDir}), 'a').folder).toBe(folder);
});

describe('warnings', () => {
  it('name keys without a meaning, all in one', () => {
    const spec = parse(
      'x-a: 1\nimages:\n  a: {image_name: x/a, basic_tests: true}\n  b: {image_name: x/b, x-b: 1}\ntag: {prefix: v1}',
    );
    expect(spec.warnings).toEqual([
      'images/spec.yml:1:1: ignored keys (they have no effect): "x-a", "basic_tests" (line 3), "x-b" (line 4).',
    ]);
  });

  it('name a build arg without a value, which is left to the Dockerfile', () => {
    const spec = parse(
      'images: {a: {image_name: x/a, build_args: {A: , B: ""}}}\ntag: {prefix: v1}',
    );
    expect(spec.warnings).toEqual([
      'images/spec.yml:1:44: "A" in build_args of image "a" has no value, so the Dockerfile\'s default is used. Write A: "" for an empty value.',
    ]);
    expect(image(spec, 'a').buildArgs).toEqual(new Map([['B', '']]));
  });

  it('name no BASE_TAG: a value of build_args is never overwritten', () => {
    const spec = parse(
      'images:\n  a: {image_name: x/a, build_args: {BASE_TAG: mine}}\n  b: {image_name: x/b, depend_on: a, build_args: {BASE_TAG: own, C: d}}\ntag: {prefix: v1}',
    );
    expect(spec.warnings).toEqual([]);
    expect(image(spec, 'a').buildArgs.get('BASE_TAG')).toBe('mine');
    expect(Object.fromEntries(image(spec, 'b').buildArgs)).toEqual({BASE_TAG: 'own', C: 'd'});
  });
});

it('accepts 10 000 images on a spec of more than a mebibyte', () => {
  const images = Array.from({length: 10_000}, (_, index) => {
    const parent = index === 0 ? '' : `\n    depend_on: image-${index - 1}`;
    return `  image-${index}:\n    image_name: ghcr.io/example-organization/stack/image-${index}${parent}\n    prune: true`;
  });
  const text = `images:\n${images.join('\n')}\ntag: {prefix: v1}\n`;
  expect(text.length).toBeGreaterThan(1024 * 1024);
  expect(parse(text).images.size).toBe(10_000);
});
