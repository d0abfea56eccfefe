import {messageOf} from '../../failure.ts';
import {type Fields, readFields, readTexts, readYaml, SpecError} from '../yaml/index.ts';
import type {ChangeRules} from './types.ts';

/**
 * Reads change_ignore.json. Both lists may be missing.
 * @throws {SpecError} with every mistake as `file:line:column: message`
 */
export function parseChangeRules(file: string, text: string): ChangeRules {
  refuseBadJson(file, text);
  // JSON is YAML, and the YAML nodes know their place.
  const {root, findings} = readYaml(file, text);
  const request = {findings, ignored: [], owner: 'the file'};
  const fields = root && readFields(request, root, ['ChangeIgnore', 'BuildAll']);
  const ignore = fields ? readNames(fields, 'ChangeIgnore') : [];
  const buildAll = fields ? readNames(fields, 'BuildAll') : [];
  findings.throwMistakes();
  return {ignore, buildAll};
}

function refuseBadJson(file: string, source: string): void {
  const text = source.replace(/^\uFEFF/, '');
  try {
    JSON.parse(text);
  } catch (error) {
    const message = messageOf(error);
    const {place, problem} = explain(text, message);
    const form = 'Write {"ChangeIgnore": [], "BuildAll": []}.';
    throw new SpecError([`${file}:${place}: bad JSON: ${problem}. ${form}`]);
  }
}

/** The engine tells the place of some mistakes only; the usual one without is a comma too many. */
function explain(text: string, message: string): {place: string; problem: string} {
  const placeOf = (offset: number): string => {
    const lines = text.slice(0, offset).split('\n');
    return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
  };
  const [, position] = / at position (\d+)/.exec(message) ?? [];
  const problem = message.replace(/ at position .*$/s, '').replace(/, "?\.{0,3}".*$/s, '');
  if (position !== undefined) return {place: placeOf(Number(position)), problem};
  const comma = /,\s*[\]}]/.exec(text);
  if (message.startsWith('Unexpected token') && comma !== null) {
    return {place: placeOf(comma.index), problem: 'a comma follows the last entry'};
  }
  return {place: /end of JSON/.test(message) ? placeOf(text.length) : '1:1', problem};
}

/** Names directly below stack-dir. A path could never match, which the Python scripts did not say. */
function readNames(fields: Fields, key: string): readonly string[] {
  return readTexts(fields, key).flatMap((node) => {
    const name = node.text.replace(/\/$/, '');
    if (name !== '' && !name.includes('/')) return [name];
    const message = `${key} has "${node.text}". Only names directly below the folder of the images count; write "${name.split('/')[0]}".`;
    fields.findings.mistake(node.offset, message);
    return [];
  });
}
