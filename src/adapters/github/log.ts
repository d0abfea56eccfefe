import * as core from '@actions/core';
import type {Place} from '../../failure.ts';
import type {Mask} from '../../util/masking.ts';
import {safeLine, safeMessage} from '../../util/text.ts';

/**
 * The job log as the runner shows it, and the same text in logs/run.log. Whatever is given, no line of it is a
 * workflow command, holds a secret, or is too long for the runner.
 */
export interface JobLog {
  info(line: string): void;
  /** A closed group, one line for each item. */
  group(title: string, lines: readonly string[]): void;
  /** An annotation, at its place where there is one; the runner keeps ten of each kind for a step, so sum up. */
  warning(message: string, place?: Place): void;
  error(message: string, place?: Place): void;
}

/** Where the text goes besides the console; it hides secrets itself. */
export interface RunLog {
  write(chunk: Uint8Array): void;
  /** Why the file is not complete; undefined while it is. */
  problem(): string | undefined;
}

/** Opens the job log. The runner hides what it was told to, in the console and not in files: so the mask does both. */
export function openJobLog(file: RunLog, mask: Mask): JobLog {
  let isComplete = true;
  const write = (line: string): void => {
    file.write(Buffer.from(`${line}\n`));
    const problem = file.problem();
    if (problem === undefined || !isComplete) return;
    // Said once, and costs nothing else.
    isComplete = false;
    core.warning(safeMessage(mask.text(`The run log is not complete: ${problem}`)));
  };
  const print = (text: string): void => {
    const line = safeLine(mask.text(text));
    core.info(line);
    write(line);
  };
  const annotate = (kind: 'warning' | 'error', text: string, place: Place | undefined): void => {
    const message = mask.text(text);
    const show = kind === 'warning' ? core.warning : core.error;
    show(safeMessage(message), propertiesOf(place, mask));
    const at = placeText(place);
    // A finding begins with its place itself.
    const shown = at !== '' && message.startsWith(at.trimEnd()) ? message : `${at}${message}`;
    write(`${kind === 'warning' ? 'Warning' : 'Error'}: ${shown}`);
  };
  return {
    info: print,
    group: (title, lines) => {
      const shown = safeLine(mask.text(title));
      core.startGroup(shown);
      write(shown);
      try {
        for (const line of lines) print(line);
      } finally {
        core.endGroup();
      }
    },
    warning: (message, place) => annotate('warning', message, place),
    error: (message, place) => annotate('error', message, place),
  };
}

/** No system has longer paths. */
const longestPath = 4096;

function propertiesOf(place: Place | undefined, mask: Mask): core.AnnotationProperties {
  if (place === undefined) return {};
  const {line, column} = place;
  const file = mask.text(place.file).slice(0, longestPath);
  return {file, startLine: line, ...(column === undefined ? {} : {startColumn: column})};
}

function placeText(place: Place | undefined): string {
  if (place === undefined) return '';
  const {file, line, column} = place;
  return `${file}:${line}:${column === undefined ? '' : `${column}:`} `;
}
