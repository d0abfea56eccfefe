import {open} from 'node:fs/promises';

const headBytes = 64 * 1024;
const tailBytes = 192 * 1024;

/**
 * The text of a log for the console: whole when it is small, else its beginning and its end with a notice between,
 * so that a build that prints 500 MB costs a quarter of a megabyte. Empty when there is no such file.
 */
export async function readExcerpt(path: string, shownPath: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const {size} = await file.stat();
    const read = async (start: number, length: number): Promise<string> => {
      const {buffer, bytesRead} = await file.read(Buffer.alloc(length), 0, length, start);
      return buffer.toString('utf8', 0, bytesRead);
    };
    if (size <= headBytes + tailBytes) return await read(0, size);
    const left = size - headBytes - tailBytes;
    const notice = `… ${Math.round(left / 1024)} KiB are only in ${shownPath} …`;
    return `${await read(0, headBytes)}\n${notice}\n${await read(size - tailBytes, tailBytes)}`;
  } finally {
    await file.close();
  }
}
