import type {RunEvent} from '../build/index.ts';
import type {StepName} from '../schedule/index.ts';
import {formatDuration, plainText, safeLine} from '../util/text.ts';
import {unreachable} from '../util/unreachable.ts';
import {stepWords} from './words.ts';

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
  /** All of it in one line, for the last line of a terminal; undefined when nothing is running. */
  status(now: number): string | undefined;
}

interface Running {
  readonly startedMs: number;
  readonly expectedSeconds: number | undefined;
  readonly steps: Map<StepName, number>;
  last: string;
  held: string;
}

export function createProgress(): Progress {
  const running = new Map<string, Running>();
  let done = 0;
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
        case 'image-finished':
          if (running.delete(event.result.image)) done += 1;
          return;
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
    status: (now) => {
      if (running.size === 0) return undefined;
      const parts = [...running].flatMap(([name, {steps}]) => {
        const [step, since = now] = [...steps].at(-1) ?? [];
        return step === undefined
          ? []
          : [`${name}: ${stepWords[step]}${wholeSeconds(now - since)}`];
      });
      const last = [...running.values()].map((image) => readable(image.held) || image.last);
      // Of several it would not be clear whose it is.
      const output = last.length === 1 && last[0] !== '' ? [last[0] ?? ''] : [];
      return [`${done} done`, ...parts, ...output].join(' · ');
    },
  };
}

/** Tenths that run are unrest, and say nothing. */
function wholeSeconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000) * 1000;
  return whole < 1000 ? '' : ` ${formatDuration(whole).replace('.0 s', ' s')}`;
}

/** The last thing that a person could read in a line of output. */
function readable(line: string): string {
  const plain = plainText(line).replace(/\s+/g, ' ').trim();
  const characters = [...plain];
  return characters.length > longestOutput
    ? `${characters.slice(0, longestOutput - 1).join('')}…`
    : plain;
}
