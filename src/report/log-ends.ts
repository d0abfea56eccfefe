import {fileNameOf, logNames} from '../image/tags.ts';
import {plainText, withoutLastBreaks} from '../util/text.ts';
import type {ImageDetails, ReportedImage} from './types.ts';
import {byImportance} from './words.ts';

type Logs = NonNullable<ImageDetails['logs']>;

/** Of a log so much is in the report; the whole of it is in the artifact. What failed comes first, and gets more. */
const most = {failedLines: 2000, lines: 100, line: 1000, characters: 4 * 1024 * 1024} as const;

/** The ends of the logs of each image that was worked on, by its name, for report.html. */
export async function logEnds(
  images: readonly ReportedImage[],
  readLog: (fileName: string) => Promise<string>,
): Promise<ReadonlyMap<string, Logs>> {
  const ends = new Map<string, Logs>();
  let left: number = most.characters;
  for (const {image, ref, outcome, steps} of byImportance(images)) {
    if (steps.length === 0) continue;
    const logs: Logs[number][] = [];
    for (const kind of logNames) {
      const name = `${fileNameOf(ref)}.${kind}.log`;
      const lines = endOf(
        await readLog(name),
        outcome === 'failed' ? most.failedLines : most.lines,
      );
      left -= lines.reduce((sum, line) => sum + line.length, 0);
      if (left < 0) return ends;
      if (lines.length > 0) logs.push({name: `logs/${name}`, lines});
    }
    if (logs.length > 0) ends.set(image, logs);
  }
  return ends;
}

function endOf(text: string, count: number): readonly string[] {
  if (text === '') return [];
  const lines = withoutLastBreaks(plainText(text)).split('\n');
  const shown = lines.slice(-count).map((line) => line.slice(0, most.line));
  const missing = lines.length - shown.length;
  return missing === 0 ? shown : [`… ${missing} earlier lines are in the file.`, ...shown];
}
