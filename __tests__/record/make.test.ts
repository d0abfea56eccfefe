import {describe, expect, it} from 'vitest';
import {type FactsSource, imageFacts, imageRecord, recordText} from '../../src/record/index.ts';
import {digestOf, recordFor} from '../support/builders/records.ts';

const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];

const source: FactsSource = {
  image: 'web',
  repository: 'ghcr.io/acme/web',
  reference: 'ghcr.io/acme/web:1-main',
  platforms: [],
  diffIds: [],
  layers: [],
  parents: [],
  seconds: {},
  info: [],
};
const same = (text: string): string => text;

const diffIdsOf = (layers: FactsSource['layers'], diffIds: readonly string[]) =>
  imageFacts({...source, layers, diffIds}, same).layers.map(({diffId}) => diffId);

describe('the facts of an image', () => {
  it('sum up its layers and read its packages', () => {
    const facts = imageFacts(
      {
        ...source,
        layers: [
          {createdBy: 'ADD x', size: 10},
          {createdBy: 'RUN y', size: 5},
        ],
        info: [
          {name: 'P', description: 'p', command: 'pip freeze', exitCode: 0, output: 'six==1.0'},
        ],
      },
      same,
    );
    expect(facts).toMatchObject({size: 15, packages: {pip: {six: '1.0'}}});
  });

  it('hold no secret, wherever a builder or a command printed it', () => {
    const facts = imageFacts(
      {
        ...source,
        subject: 'use hunter2',
        layers: [{createdBy: 'RUN login hunter2', size: 1}],
        info: [
          {
            name: 'X',
            description: 'x',
            command: 'x hunter2',
            exitCode: 0,
            output: 'hunter2==1.0',
            errors: 'hunter2',
          },
        ],
      },
      (text) => text.replaceAll('hunter2', '***'),
    );
    expect(recordText(facts)).not.toContain('hunter2');
    expect(recordText(facts)).toContain('RUN login ***');
  });
});

describe('the identity of layers', () => {
  const run = {createdBy: 'RUN one # buildkit', size: 7};
  const env = {createdBy: 'ENV A=b', size: 0};
  const workdir = {createdBy: 'WORKDIR /app', size: 0};

  it('goes to lines that have bytes', () => {
    expect(diffIdsOf([run, env, {...run, size: 9}], [a, b])).toEqual([a, undefined, b]);
  });

  it('goes to empty layers of instructions that make one', () => {
    const nop = {createdBy: '/bin/sh -c #(nop)  CMD ["sh"]', size: 0};
    const old = {createdBy: '/bin/sh -c true', size: 0};
    expect(diffIdsOf([run, nop, workdir, env, old], [a, b, c])).toEqual([
      a,
      undefined,
      b,
      undefined,
      c,
    ]);
  });

  it('goes to all lines of an image without metadata', () => {
    const copied = {createdBy: '', size: 0};
    expect(diffIdsOf([copied, copied], [a, b])).toEqual([a, b]);
  });

  it('is not guessed', () => {
    expect(diffIdsOf([run, env, run], [a])).toEqual([undefined, undefined, undefined]);
  });
});

describe('the record of an image', () => {
  it('is its facts and what proves them', () => {
    const {digest, fingerprint, content, tests, created} = recordFor('web');
    const facts = imageFacts(source, same);
    const proved = {digest, fingerprint, content, tests, created};
    expect(imageRecord(facts, proved)).toEqual({...facts, ...proved, schema: 1});
  });
});
