import {plainText} from '../../util/text.ts';

const longestHeld = 64 * 1024;
const tailBytes = 64 * 1024;
const tailLines = 40;
const longestLine = 500;

/** Takes the bytes of one stream of a process. A chunk is looked at during the call only, never kept. */
export interface Intake {
  push(chunk: Buffer): void;
  flush(): void;
}

/**
 * Forwards whole lines, and the beginning of a line only when it grows long: stdout and stderr share one log, and
 * torn lines would be unreadable and could hide a secret from the mask.
 */
export function forwardLines(forward: (chunk: Buffer) => void): Intake {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const flush = (): void => {
    // One after the other, which nothing can come between; joining them would copy everything.
    for (const part of held) forward(part);
    held = [];
    heldBytes = 0;
  };
  return {
    flush,
    push: (chunk) => {
      const end = Math.max(chunk.lastIndexOf(10), chunk.lastIndexOf(13)) + 1;
      const isLong = heldBytes + chunk.length - end > longestHeld;
      const whole = isLong ? chunk.length : end;
      if (whole > 0) {
        flush();
        forward(chunk.subarray(0, whole));
      }
      if (whole < chunk.length) {
        held.push(Buffer.from(chunk.subarray(whole)));
        heldBytes += chunk.length - whole;
      }
    },
  };
}

/** Keeps the first bytes of a stream. Bytes that are not UTF-8 become U+FFFD. */
export function keepHead(limit: number): {
  push(chunk: Buffer): void;
  text(): string;
  isCut(): boolean;
} {
  const chunks: Buffer[] = [];
  let room = limit;
  return {
    push: (chunk) => {
      if (room > 0) chunks.push(Buffer.from(chunk.subarray(0, room)));
      room -= chunk.length;
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
    isCut: () => room < 0,
  };
}

/** Keeps the last lines, as a person would read them: no colours, no blank lines, long ones cut. */
export function keepTail(): {push(chunk: Buffer): void; lines(): readonly string[]} {
  const kept = Buffer.allocUnsafe(2 * tailBytes);
  let used = 0;
  return {
    push: (chunk) => {
      const part = chunk.subarray(-tailBytes);
      if (used + part.length > kept.length) {
        kept.copyWithin(0, used - tailBytes, used);
        used = tailBytes;
      }
      used += part.copy(kept, used);
    },
    lines: () =>
      plainText(kept.toString('utf8', Math.max(0, used - tailBytes), used))
        .split('\n')
        .map((line) => line.trimEnd())
        .filter((line) => line !== '')
        .slice(-tailLines)
        .map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line)),
  };
}

/**
 * Gives the memory of a chunk back now. Left to the garbage collector, what a loud process printed piles up to 64 MB
 * before V8 looks for it. Chunks of a shared pool stay as they are.
 */
export function release(chunk: Buffer): void {
  const {buffer} = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0);
}
