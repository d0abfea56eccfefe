import {expect, it} from 'vitest';
import {insecureRegistries} from '../../../src/adapters/docker/registries.ts';
import type {RunCommand} from '../../../src/adapters/process/index.ts';
import {fail, failure, ok} from '../../../src/failure.ts';

const config = {IndexConfigs: {'lab.example:5000': {Secure: false}}, InsecureRegistryCIDRs: []};

it('asks the engine once, when the first host is asked for', async () => {
  const calls: string[] = [];
  const run: RunCommand = async ({args}) => {
    calls.push(args.join(' '));
    return ok({stdout: JSON.stringify(config), stderr: '', tail: [], durationMs: 1});
  };
  const isInsecure = insecureRegistries(run);
  expect(calls).toEqual([]);
  expect(await isInsecure('lab.example:5000')).toBe(true);
  expect(await isInsecure('10.0.0.1')).toBe(false);
  expect(calls).toEqual(['info --format {{json .RegistryConfig}}']);
});

it('finds no host insecure without an engine', async () => {
  const run: RunCommand = async () => fail(failure('internal', 'no docker'));
  expect(await insecureRegistries(run)('lab.example:5000')).toBe(false);
});
