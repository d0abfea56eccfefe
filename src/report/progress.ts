import type {RunEvent} from '../build/index.ts';
import type {StepName} from '../schedule/index.ts';
import {formatDuration, plainText, safeLine} from '../util/text.ts';
import {unreachable} from '../util/unreachable.ts';
import {counted, outcomeWords, stepWords} from './words.ts';

/** So often one line says what each running image is doing. */
export const progressSeconds = 30;

/** Of the last line of an image's output so much is shown. */
const longestOutput = 160;
const longestHeld = 4000;

/** What a run is doing. It has no clock: every call says what time it is, in milliseconds. */
export interface Progress {
  take(event: RunEvent, now: number): void;
  /** What a step of the image just printed, in chunks of any size. */
  output(image: string, text: string): void;
  /** One line for each running image when so many seconds have passed since the last ones, else none. */
  lines(now: number): readonly string[];
  /** What a terminal shows instead: the last finished images, the running ones, the count; no line too long for it. */
  frame(now: number, size: {readonly columns: number; readonly rows: number}): readonly string[];
}

interface Running {
  readonly startedMs: number;
  readonly expectedSeconds: number | undefined;
  readonly steps: Map<StepName, number>;
  last: string;
  held: string;
}

export function createProgress(total: number): Progress {
  const running = new Map<string, Running>();
  const finished: string[] = [];
  let printed: number | undefined;

  const words = (name: string, image: Running, now: number): string => {
    const [step, since = image.startedMs] = [...image.steps].at(-1) ?? [];
    const doing = step === undefined ? 'waiting' : stepWords[step];
    const whole = formatDuration(now - image.startedMs);
    const expected = image.expectedSeconds;
    const before =
      expected === undefined ? '' : `, last time ${formatDuration(expected * 1000)} in all`;
    const elapsed = formatDuration(now - since);
    const time = since === image.startedMs ? elapsed : `${elapsed}, ${whole} in all`;
    const last = readable(image.held) || image.last;
    return `${name}: ${doing} for ${time}${before}${last === '' ? '' : `: ${last}`}`;
  };

  return {
    take: (event, now) => {
      printed ??= now;
      switch (event.kind) {
        case 'image-started':
          running.set(event.image.name, {
            startedMs: now,
            expectedSeconds: event.image.expectedSeconds,
            steps: new Map(),
            last: '',
            held: '',
          });
          return;
        case 'step-started':
          running.get(event.image)?.steps.set(event.step, now);
          return;
        case 'step-finished':
          running.get(event.image)?.steps.delete(event.result.step);
          return;
        case 'image-finished': {
          const {image, outcome} = event.result;
          const known = running.get(image);
          running.delete(image);
          const time = known === undefined ? '' : ` after ${formatDuration(now - known.startedMs)}`;
          finished.push(`${image}: ${outcomeWords[outcome]}${time}`);
          return;
        }
        case 'note':
        case 'warning':
          return;
        default:
          return unreachable(event);
      }
    },
    output: (name, text) => {
      const image = running.get(name);
      if (image === undefined) return;
      const lines = `${image.held}${text}`.slice(-longestHeld).split(/\r\n|\r|\n/);
      image.held = lines.pop() ?? '';
      image.last = lines.map(readable).findLast((line) => line !== '') ?? image.last;
    },
    lines: (now) => {
      printed ??= now;
      if (now - printed < progressSeconds * 1000) return [];
      printed = now;
      return [...running].map(([name, image]) => safeLine(words(name, image, now)));
    },
    frame: (now, {columns, rows}) => {
      const busy = [...running].map(([name, image]) => `  ${words(name, image, now)}`);
      const count = `${finished.length} of ${counted(total, 'image')} done, ${running.size} running`;
      const room = Math.max(0, rows - 2);
      const shown = busy.slice(0, room);
      const hidden = busy.length - shown.length;
      const done = room > shown.length ? finished.slice(-(room - shown.length)) : [];
      const foot = hidden > 0 ? `${count}, ${hidden} of them not shown` : count;
      return [...done, ...shown, foot].map((line) => fitted(plainText(line), columns));
    },
  };
}

/** The last thing that a person could read in a line of output. */
function readable(line: string): string {
  const plain = plainText(line).replace(/\s+/g, ' ').trim();
  const characters = [...plain];
  return characters.length > longestOutput
    ? `${characters.slice(0, longestOutput - 1).join('')}…`
    : plain;
}

function fitted(line: string, columns: number): string {
  const characters = [...line];
  return characters.length >= columns
    ? `${characters.slice(0, Math.max(0, columns - 2)).join('')}…`
    : line;
}
