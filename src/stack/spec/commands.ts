import {split} from 'shlex';
import {
  type Fields,
  type Ignored,
  readEntries,
  readFields,
  readText,
  readTexts,
  type TextNode,
} from '../yaml/index.ts';
import {resolvePath} from './paths.ts';
import type {InfoCommand, TestSpec} from './types.ts';

/** `all_info_cmds` by name. A description may be missing; the name is good enough. */
export function readCommands(top: Fields, ignored: Ignored): ReadonlyMap<string, InfoCommand> {
  const {findings} = top;
  const commands = new Map<string, InfoCommand>();
  for (const [name, entry] of readEntries(top, 'all_info_cmds')) {
    const owner = `info command "${name}"`;
    const request = {findings, ignored, owner};
    const fields = readFields(request, entry.value, ['description', 'command']);
    // Images may still name it: the mistake is reported once, here.
    commands.set(name, {name, description: name, command: '', words: []});
    if (fields === undefined) continue;
    const {command, words} = readCommand(fields, entry.keyOffset);
    const description = readText(fields, 'description')?.text ?? name;
    commands.set(name, {name, description, command, words});
  }
  return commands;
}

type Command = Pick<InfoCommand, 'command' | 'words'>;

const noCommand: Command = {command: '', words: []};

function readCommand(fields: Fields, offset: number): Command {
  if (fields.get('command') === undefined) {
    fields.findings.mistake(offset, `${fields.owner} has no command. Add "command: …".`);
    return noCommand;
  }
  const node = readText(fields, 'command');
  return node === undefined
    ? noCommand
    : {command: node.text, words: readWords(fields, 'command', node) ?? []};
}

/** Commands are split as a shell splits words; a quote that is not closed is found here, not in the middle of a run. */
function readWords(
  fields: Fields,
  name: string,
  {text, offset}: TextNode,
): readonly string[] | undefined {
  try {
    const words = split(text);
    if (words.length > 0) return words;
    fields.findings.mistake(offset, `${name} of ${fields.owner} is empty.`);
  } catch {
    fields.findings.mistake(
      offset,
      `${name} of ${fields.owner} has a quote or an escape that is not closed.`,
    );
  }
  return undefined;
}

/** The commands that `info_cmds` of an image names, each once. */
export function readInfoCommands(
  fields: Fields,
  commands: ReadonlyMap<string, InfoCommand>,
): readonly InfoCommand[] {
  const found = new Set<InfoCommand>();
  for (const {text, offset} of readTexts(fields, 'info_cmds')) {
    const command = commands.get(text);
    if (command !== undefined) found.add(command);
    else {
      const hint =
        commands.size === 0
          ? ' Add "all_info_cmds:" with its command.'
          : fields.findings.suggest(text, commands.keys()) || ' Add it there.';
      const message = `info_cmds of ${fields.owner} lists "${text}", which is not in all_info_cmds.${hint}`;
      fields.findings.mistake(offset, message);
    }
  }
  return [...found];
}

const places = ['host', 'container'] as const;

export function readTests(image: Fields, ignored: Ignored): TestSpec {
  const value = image.get('tests')?.value;
  const none: TestSpec = {words: undefined, paths: [], where: 'host', timeoutMinutes: undefined};
  if (value === undefined) return none;
  const request = {findings: image.findings, ignored, owner: `tests of ${image.owner}`};
  const fields = readFields(request, value, ['command', 'where', 'timeout_minutes', 'paths']);
  if (fields === undefined) return none;
  const command = readText(fields, 'command');
  return {
    words: command && readWords(fields, 'command', command),
    paths: readTexts(fields, 'paths').flatMap(
      (node) => resolvePath(fields, 'paths', {node, base: '.'}) ?? [],
    ),
    where: readWhere(fields),
    timeoutMinutes: readMinutes(fields),
  };
}

function readWhere(fields: Fields): TestSpec['where'] {
  const node = readText(fields, 'where');
  const where = places.find((place) => place === node?.text);
  if (node !== undefined && where === undefined) {
    const message = `where of ${fields.owner} is "${node.text}". Write ${places.join(' or ')}.`;
    fields.findings.mistake(node.offset, message);
  }
  return where ?? 'host';
}

function readMinutes(fields: Fields): number | undefined {
  const node = readText(fields, 'timeout_minutes');
  if (node === undefined) return undefined;
  const minutes = /^\d+(?:\.\d+)?$/.test(node.text) ? Number(node.text) : 0;
  // A timer of Node holds 24.8 days; a longer one would fire at once.
  if (minutes > 0 && minutes <= 10_080) return minutes;
  const message = `timeout_minutes of ${fields.owner} is "${node.text}". Write a number of minutes, at most 10080 (a week).`;
  fields.findings.mistake(node.offset, message);
  return undefined;
}
