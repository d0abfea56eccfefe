import {describe, expect, it} from 'vitest';
import {parseEvent} from '../../src/adapters/github/event.ts';
import {loginsOf, readInputs} from '../../src/run/index.ts';
import {parseSpec} from '../../src/stack/spec/index.ts';
import {environmentOf, readPayload} from '../support/builders/events.ts';

function loginsWith(
  inputs: Readonly<Record<string, string>>,
  names: readonly string[],
  event = 'push-update',
) {
  const images = names.map((name, at) => `  i${at}: {image_name: ${name}}\n`).join('');
  const text = `images:\n${images}tag: {prefix: "1"}\n`;
  const spec = parseSpec({file: 'f', text, stackDir: 'images', tagPrefix: undefined});
  const kind = event.startsWith('pull') ? 'pull_request' : 'push';
  const happened = parseEvent(readPayload(event), environmentOf(kind));
  return loginsOf(
    readInputs((name) => inputs[name] ?? ''),
    happened,
    spec,
  );
}

describe('the logins of a run', () => {
  const token = {'github-token': 'job-token'};

  it.each([{}, {password: 'job-token'}, {password: 'job-token', registry: 'quay.io'}])(
    'send the token of the job to ghcr.io only: %j',
    (inputs) => {
      const {inputs: given, fallback} = loginsWith({...token, ...inputs}, ['quay.io/o/a']);
      expect(given).toEqual([]);
      expect(fallback.map(({host}) => host)).toEqual(['ghcr.io']);
    },
  );

  it('send a password to the registry of the images, or to the one that is named', () => {
    const own = {...token, username: 'u', password: 'p'};
    expect(loginsWith(own, ['quay.io/o/a']).inputs).toMatchObject([{host: 'quay.io'}]);
    const named = loginsWith({...own, registry: 'r.example'}, ['quay.io/o/a', 'o/b']);
    expect(named.inputs).toMatchObject([{host: 'r.example', password: 'p'}]);
    expect(() => loginsWith(own, ['quay.io/o/a', 'o/b'])).toThrow(/quay\.io \(f:2\).*docker\.io/);
  });

  it('are none for the pull request of a fork', () => {
    const own = {...token, username: 'u', password: 'p', registry: 'quay.io'};
    const none = {inputs: [], fallback: [], allowLogins: false};
    expect(loginsWith(own, ['quay.io/o/a'], 'pull-request-fork')).toEqual(none);
  });
});
