import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

/** A program `docker` that records how it was called and answers by rules. */
export interface FakeDocker {
  /** The folder to put on PATH. */
  readonly bin: string;
  readonly folder: string;
  /** Every call's arguments, in order. */
  calls(): readonly (readonly string[])[];
  /** The last call whose arguments begin so. */
  last(...start: string[]): Call;
  remove(): void;
}

/** What a call that contains all the words prints, and how it ends; the first rule that fits counts. */
export interface Rule {
  readonly when: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Only the first calls; later ones fall to the next rule. */
  readonly times?: number;
  /** A file named by the argument after this option gets this text. */
  readonly writes?: readonly [option: string, text: string];
  /** Ends by a signal only, as with an engine or a registry that does not answer. */
  readonly hangs?: boolean;
}

export function fakeDocker(rules: readonly Rule[]): FakeDocker {
  const folder = mkdtempSync(join(tmpdir(), 'fake-docker-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(rules));
  writeFileSync(join(folder, 'calls'), '');
  const script = join(bin, 'docker');
  writeFileSync(script, program(folder));
  chmodSync(script, 0o755);
  const read = (): Call[] =>
    readFileSync(join(folder, 'calls'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return {
    bin,
    folder,
    calls: () => read().map(({args}) => args),
    last: (...start) => {
      const found = read().findLast(({args}) => start.every((word, index) => args[index] === word));
      if (found === undefined) throw new Error(`docker ${start.join(' ')} was not called`);
      return found;
    },
    remove: () => rmSync(folder, {recursive: true}),
  };
}

function program(folder: string): string {
  return `#!${process.execPath}
const {appendFileSync, readFileSync, writeFileSync} = require('node:fs');
const args = process.argv.slice(2);
const input = args.includes('--password-stdin') ? readFileSync(0, 'utf8') : '';
const log = ${JSON.stringify(join(folder, 'calls'))};
const before = readFileSync(log, 'utf8').split('\\n').filter(Boolean).map((line) => JSON.parse(line).args.join(' '));
appendFileSync(log, JSON.stringify({args, env: process.env, input}) + '\\n');
const rules = JSON.parse(readFileSync(${JSON.stringify(join(folder, 'rules.json'))}, 'utf8'));
const text = args.join(' ');
const rule = rules.find(({when, times}) =>
  text.includes(when) && (times === undefined || before.filter((call) => call.includes(when)).length < times));
if (rule?.writes) writeFileSync(args[args.indexOf(rule.writes[0]) + 1], rule.writes[1]);
process.stdout.write(rule?.stdout ?? '');
process.stderr.write(rule?.stderr ?? '');
process.exitCode = rule?.exitCode ?? 0;
if (rule?.hangs) setInterval(() => undefined, 1000);
`;
}
