import {appendFileSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import * as core from '@actions/core';
import type {Place} from '../../failure.ts';
import {safeLine} from '../../util/text.ts';

/** The job log as the runner shows it, and the same text in logs/run.log. */
export interface JobLog {
  info(line: string): void;
  /** A closed group; its lines must already be harmless (safeLines). */
  group(title: string, lines: readonly string[]): void;
  /** An annotation; the runner keeps ten of each kind for a step, so the caller sums up. */
  warning(message: string, place?: Place): void;
  error(message: string, place?: Place): void;
}

/** The runner drops what is longer. */
const longestAnnotation = 4000;

/**
 * Opens the job log. `mask` takes the secrets out of a text: the runner masks the console, nobody masks the file.
 * A log file that cannot be written is said once and costs nothing else.
 */
export function openJobLog(file: string, mask: (text: string) => string): JobLog {
  const write = openRunLog(file, mask);
  const print = (line: string): void => {
    core.info(mask(line));
    write(line);
  };
  const annotation = (text: string): string =>
    mask(text).split('\n').map(safeLine).join('\n').slice(0, longestAnnotation);
  return {
    info: (line) => print(safeLine(line)),
    group: (title, lines) => {
      core.startGroup(safeLine(mask(title)));
      write(title);
      try {
        for (const line of lines) print(line);
      } finally {
        core.endGroup();
      }
    },
    warning: (message, place) => {
      core.warning(annotation(message), propertiesOf(place));
      write(`Warning: ${message}`);
    },
    error: (message, place) => {
      core.error(annotation(message), propertiesOf(place));
      write(`Error: ${message}`);
    },
  };
}

function propertiesOf(place: Place | undefined): core.AnnotationProperties {
  if (place === undefined) return {};
  const {file, line, column} = place;
  return {file, startLine: line, ...(column === undefined ? {} : {startColumn: column})};
}

function openRunLog(file: string, mask: (text: string) => string): (line: string) => void {
  let isOpen = false;
  try {
    mkdirSync(dirname(file), {recursive: true});
    writeFileSync(file, '');
    isOpen = true;
  } catch (error) {
    core.warning(`${file} cannot be written: ${String(error)}`);
  }
  // Written at once: a killed run keeps its log.
  return (line) => {
    if (isOpen) appendFileSync(file, `${mask(line)}\n`);
  };
}
