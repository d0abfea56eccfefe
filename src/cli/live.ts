import type {RunEvent} from '../build/index.ts';
import {formatDuration} from '../util/text.ts';

/** What is going on now, for the last line of a terminal. */
export interface Live {
  take(event: RunEvent): void;
  /** Undefined when nothing is running. `now` in milliseconds, as the clock given to `createLive`. */
  line(): string | undefined;
}

/** Follows the events of a run: what is done, and which step of which image runs since when. */
export function createLive(now: () => number): Live {
  const running = new Map<string, {readonly step: string; readonly since: number}>();
  let done = 0;
  return {
    take: (event) => {
      switch (event.kind) {
        case 'image-started':
          running.set(event.image.name, {step: 'waiting', since: now()});
          return;
        case 'step-started':
          running.set(event.image, {step: event.step, since: now()});
          return;
        case 'step-finished':
          running.set(event.image, {step: 'waiting', since: now()});
          return;
        case 'image-finished':
          running.delete(event.result.image);
          done += 1;
          return;
        case 'note':
        case 'warning':
          return;
      }
    },
    line: () => {
      if (running.size === 0) return undefined;
      const parts = [...running]
        .filter(([, {step}]) => step !== 'waiting')
        .map(([image, {step, since}]) => {
          // Whole seconds: tenths that run are unrest, and say nothing.
          const whole = Math.floor((now() - since) / 1000) * 1000;
          return `${image}: ${step}${whole < 1000 ? '' : ` ${formatDuration(whole).replace('.0 s', ' s')}`}`;
        });
      return [`${done} done`, ...parts].join(' · ');
    },
  };
}
