/**
 * Output of builds, tests and images is text from strangers. The runner takes `::name::` at the start of a line
 * (after white space) and `##[name]` anywhere in one as a command, and it ends lines at CR as well as LF
 * (actions/runner ActionCommand.cs, ProcessInvoker.cs).
 */

/** Longer lines take the runner seconds each (actions/runner#1031). */
const longestLine = 4000;

/** Lines that may be printed as they are: each starts with `| ` and holds no live command. */
export function safeLines(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `| ${disarm(cut(line))}`);
}

/** One line of our own that quotes text from outside; it must begin with a word of ours. */
export function safeLine(text: string): string {
  return disarm(cut(text.replace(/[\r\n]+/g, ' ')));
}

function disarm(line: string): string {
  return line.replaceAll('##[', '##\u200b[');
}

function cut(line: string): string {
  const rest = line.length - longestLine;
  return rest > 0 ? `${line.slice(0, longestLine)} … ${rest} more characters` : line;
}
