import {join} from 'node:path/posix';
import {parseSpec, type Spec} from '../stack/spec/index.ts';
import {SpecError} from '../stack/yaml/index.ts';
import {examineImages} from './images.ts';
import {type DoctorFacts, error, type Finding, note} from './types.ts';
import {examineWorkflows} from './workflows.ts';

export {type PushAnswers, refusedPushes} from './registry.ts';
export {missingTools} from './tools.ts';
export type {DoctorFacts, Finding} from './types.ts';

/**
 * What is to be mended in a repository with a stack.
 * Enters: the names of its files, and the texts of workflows, Dockerfiles and spec.yml.
 * Leaves: findings in the order of their weight, each with its place and what to do.
 * Not here: asking a registry or GitHub, and mending anything.
 */
export function examine(facts: DoctorFacts): readonly Finding[] {
  const {spec, findings} = readSpec(facts);
  const images = spec === undefined ? [] : [...spec.images.values()];
  const all = [
    ...findings,
    ...questionsOf(facts),
    ...(spec === undefined ? [] : examineImages(facts, spec)),
    ...examineWorkflows(facts, images),
  ];
  return [
    ...all.filter(({level}) => level === 'error'),
    ...all.filter(({level}) => level === 'note'),
  ];
}

/** One line, as a compiler would print it. */
export function findingLine({level, place, message, mend}: Finding): string {
  return `${place}: ${level}: ${message} ${mend}`.trimEnd();
}

/** What `init` could not read, and nobody has answered since. */
function questionsOf({texts, stackDir}: DoctorFacts): readonly Finding[] {
  const file = join(stackDir, 'spec.yml');
  const text = texts.get(file);
  const lines = text?.ok === true ? text.value.split('\n') : [];
  return lines.flatMap((line, index) => {
    const [, question] = /^\s*# TODO (.+)$/.exec(line) ?? [];
    if (question === undefined) return [];
    return note(
      `${file}:${index + 1}`,
      `A question is open: ${question.replace(/(?<![.?!])$/, '.')}`,
      'Answer it, then remove the line.',
    );
  });
}

function readSpec({texts, stackDir, tagPrefix}: DoctorFacts): {
  readonly spec: Spec | undefined;
  readonly findings: readonly Finding[];
} {
  const file = join(stackDir, 'spec.yml');
  const text = texts.get(file);
  if (text?.ok !== true) {
    const why = text === undefined ? 'There is no such file.' : `It cannot be read: ${text.error}`;
    const mend = 'Write one with "init", or name its folder with "stack-dir".';
    return {spec: undefined, findings: [error(`${file}:1`, why, mend)]};
  }
  try {
    const spec = parseSpec({file, text: text.value, stackDir, tagPrefix});
    return {spec, findings: []};
  } catch (thrown) {
    if (!(thrown instanceof SpecError)) throw thrown;
    return {spec: undefined, findings: specFindings(thrown.mistakes)};
  }
}

/** Mistakes of a spec that a run refuses, `file:line:column: message`. */
export function specFindings(mistakes: readonly string[]): readonly Finding[] {
  return mistakes.map((mistake) => {
    const [, place = 'spec.yml:1', message = mistake] =
      /^(\S+?:\d+)(?::\d+)?: ([\s\S]*)$/.exec(mistake) ?? [];
    return error(place, message, '');
  });
}
