import type {JobLog} from '../adapters/github/log.ts';
import type {Place} from '../failure.ts';
import {plainText} from '../util/text.ts';
import type {ReportedImage, RunFacts} from './types.ts';
import {counted, dockerfilesOf, failureWords} from './words.ts';

/** A message at a line of a file, as GitHub shows it beside the code. */
export interface Annotation {
  readonly level: 'error' | 'warning';
  /** Without it the message belongs to the run. */
  readonly place?: Place;
  readonly message: string;
}

/** The runner keeps ten of each kind for a step and drops the rest without a word. */
export const mostAnnotations = 10;

/** The first ones; where there are more, the last of them counts the rest. */
export function limited(
  annotations: readonly Annotation[],
  most: number = mostAnnotations,
): readonly Annotation[] {
  if (annotations.length <= most) return annotations;
  const shown = annotations.slice(0, Math.max(0, most - 1));
  const more = annotations.length - shown.length;
  const level = annotations.some((one) => one.level === 'error') ? 'error' : 'warning';
  const what = counted(more, level === 'error' ? 'more mistake' : 'more warning');
  return [...shown, {level, message: `${what}: see the log and the step summary.`}];
}

/** Mistakes and warnings of spec.yml and Dockerfiles, each `file:line:column: message`. */
export function findingAnnotations(
  findings: readonly string[],
  level: Annotation['level'],
): readonly Annotation[] {
  return findings.map((finding) => {
    const found = /^([^\s:][^:\n]{0,1000}):(\d+)(?::(\d+))?: ([\s\S]*)$/.exec(finding);
    const [, file, line, column, message = finding] = found ?? [];
    return line === undefined
      ? {level, message: finding}
      : {level, message, ...placed(file, Number(line), column)};
  });
}

/** One for each failed image: where, what, and what to do. */
export function annotationsOf({plan, report}: RunFacts): readonly Annotation[] {
  const dockerfiles = dockerfilesOf(plan);
  return report.images.flatMap(
    (image) => failureAnnotation(image, dockerfiles.get(image.image)) ?? [],
  );
}

export function failureAnnotation(
  image: ReportedImage,
  dockerfile?: string,
): Annotation | undefined {
  const words = image.outcome === 'failed' ? failureWords(image, dockerfile) : undefined;
  if (words === undefined) return undefined;
  const {step, cause, hint, place} = words;
  return {
    level: image.allowedFailure ? 'warning' : 'error',
    message: [
      `${image.image}: ${step} failed: ${cause}`,
      ...(hint === undefined ? [] : [hint]),
    ].join('\n'),
    ...(place === undefined ? {} : placed(place.file, place.line, place.column)),
  };
}

/** What docker's build checks say, each at its line of the Dockerfile. */
export function buildWarningAnnotations(
  dockerfile: string,
  output: readonly string[],
): readonly Annotation[] {
  return buildWarnings(output).map(({rule, message, line}) => ({
    level: 'warning',
    message: `${rule}: ${message}`,
    ...placed(dockerfile, line),
  }));
}

export interface BuildWarning {
  /** `StageNameCasing` */
  readonly rule: string;
  readonly message: string;
  readonly line: number;
}

/** Docker's build checks: the `WARN:` lines and the closing list of plain progress, or what `--call=check` prints. */
export function buildWarnings(output: readonly string[]): readonly BuildWarning[] {
  const lines = output.map((line) => plainText(line.slice(0, 2000)).trimEnd());
  const found = lines.flatMap((text, index) => {
    const [, rule, message, line] =
      /^(?:#\d+ WARN: | - )([A-Z]\w+): (.*) \(line (\d+)\)$/.exec(text) ?? [];
    if (rule !== undefined && message !== undefined) {
      return [{rule, message, line: Number(line)}];
    }
    return checkWarning(lines, index);
  });
  const once = new Map(found.map((one) => [`${one.rule}\n${one.line}\n${one.message}`, one]));
  return [...once.values()].toSorted((a, b) => a.line - b.line);
}

/** `WARNING: <rule> - <address>`, the message in the lines below, then `<Dockerfile>:<line>` and a rule. */
function checkWarning(lines: readonly string[], index: number): readonly BuildWarning[] {
  const rule = /^WARNING: ([A-Z]\w+)(?: - \S+)?$/.exec(lines[index] ?? '')?.[1];
  if (rule === undefined) return [];
  const rest = lines.slice(index + 1, index + 12);
  const end = rest.findIndex(
    (line, at) => /^\S.*:\d+$/.test(line) && /^-{10,}$/.test(rest[at + 1] ?? ''),
  );
  const line = Number(/:(\d+)$/.exec(rest[end] ?? '')?.[1]);
  return end < 0 ? [] : [{rule, message: rest.slice(0, end).join(' ').trim(), line}];
}

/** A place inside the repository; GitHub shows a message at no other. */
function placed(
  file: string | undefined,
  line: number,
  column?: number | string,
): Pick<Annotation, 'place'> {
  if (file === undefined || file.startsWith('/') || file.split('/').includes('..')) return {};
  const place = {file: file.replace(/^(?:\.\/)+/, ''), line};
  return {place: column === undefined ? place : {...place, column: Number(column)}};
}

/** Prints annotations through the one door of the job log; one is left for the sentence that fails the step. */
export function annotate(log: JobLog, annotations: readonly Annotation[]): void {
  for (const {level, message, place} of limited(annotations, mostAnnotations - 1))
    log[level](message, place);
}

/** So many are annotations; the builds of the run warn as well. */
const mostFindings = 4;

/** What is worth a warning before anything is done, each at its place; what is too much for annotations is in the log. */
export function warnOf(log: JobLog, findings: readonly string[]): void {
  const isTooMuch = findings.length > mostFindings;
  const shown = isTooMuch ? findings.slice(0, mostFindings - 1) : findings;
  for (const finding of shown)
    log.warning(finding, findingAnnotations([finding], 'warning')[0]?.place);
  if (!isTooMuch) return;
  const rest = findings.slice(shown.length);
  log.warning(`${counted(rest.length, 'more warning')}: see the log.`);
  log.group(counted(rest.length, 'more warning'), rest);
}
