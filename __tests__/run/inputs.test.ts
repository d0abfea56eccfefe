import {afterEach, describe, expect, it, vi} from 'vitest';
import {InputError, readInputs} from '../../src/run/inputs.ts';

function withInputs(values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    vi.stubEnv(`INPUT_${name.toUpperCase()}`, value);
  }
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('readInputs', () => {
  it('gives the documented defaults when nothing is set', () => {
    expect(readInputs()).toMatchObject({
      mode: 'build',
      stackDir: 'images',
      images: [],
      rebuild: 'auto',
      reuse: 'auto',
      push: 'auto',
      failFast: true,
      tagSuffix: 'branch',
      target: 'stable',
      dryRun: false,
      cache: 'inline',
      timeoutMinutes: undefined,
      artifactName: 'build-artifacts',
    });
  });

  it('reads lists with commas and lines, once each', () => {
    withInputs({images: 'a, b\nc,a', rebuild: 'x\ny'});
    expect(readInputs()).toMatchObject({images: ['a', 'b', 'c'], rebuild: ['x', 'y']});
  });

  it('names every bad value and what is allowed, at once', () => {
    withInputs({mode: 'deploy', 'fail-fast': 'yes', concurrency: '0', 'stack-dir': '../x'});
    expect(() => readInputs()).toThrow(InputError);
    let message = '';
    try {
      readInputs();
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('Input "concurrency" is "0"');
    expect(message).toContain('Input "fail-fast" is "yes", but must be one of: true, false.');
    expect(message).toContain('Input "stack-dir" is "../x"');
  });

  it.each([
    'ghcr.io',
    'https://index.docker.io/v1/',
    'R.example:5000/path/',
    '[::1]:5000',
    'reg',
    '',
  ])('takes %j for a registry', (registry) => {
    withInputs({registry});
    expect(readInputs().registry).toBe(registry || undefined);
  });
  // Docker would log in to Docker Hub where no host is left.
  it.each(['https://', '/', 'https:///v2/', '-x.example', 'a b', 'r.example:port', 'r.example;id'])(
    'refuses %j for a registry',
    (registry) => {
      withInputs({registry});
      expect(() => readInputs()).toThrow('must be a host');
    },
  );

  it('refuses to promote without a source tag', () => {
    withInputs({mode: 'tag'});
    expect(() => readInputs()).toThrow('source-tag');
  });

  it('needs no source tag to undo a promotion, and refuses both at once', () => {
    withInputs({mode: 'tag', restore: 'undo/promotion.json'});
    expect(readInputs().restore).toBe('undo/promotion.json');
    withInputs({'source-tag': '2026.3-main'});
    expect(() => readInputs()).toThrow('cannot be combined');
  });

  it('names the artifact after the mode', () => {
    withInputs({mode: 'tag', 'source-tag': '2026.3-main'});
    expect(readInputs().artifactName).toBe('tag-artifacts');
  });

  it.each(['https://ghcr.io/', 'localhost:5000'])(
    'leaves the spelling of the registry %s to the client, which knows them all',
    (value) => {
      withInputs({registry: ` ${value} `});
      expect(readInputs().registry).toBe(value);
    },
  );
});
