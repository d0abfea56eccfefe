import type {Flag} from './table.ts';

const usage = `stack-action keeps a stack of Docker images built, tested, pushed and promoted.

Usage: stack-action <mode> [--input value]…

Modes:
  build    plan, then build and test what the working tree changed
  plan     say what build would do and why, for every image
  tag      say what a promotion would move; --push true moves it
  report   merge the results of several runners
  init     write spec.yml and a workflow for a tree of Dockerfiles
  doctor   say what to mend in the repository and its workflows

Outside GitHub Actions the working tree is compared with its upstream branch, files that are not committed or not
tracked included. Nothing is pushed and no tag is moved unless --push true is given.

Inputs:
`;

const end = `
Exit codes: 0 good, 1 failed or refused, 2 wrong usage.`;

/** What `--help` prints. */
export function helpText(version: string, flags: readonly Flag[]): string {
  const inputs = flags.filter(({name}) => name !== 'mode');
  const rows = inputs.map((flag) => {
    const value = flag.isSwitch ? '[true|false]' : 'VALUE';
    const fallback = flag.fallback === '' ? '' : ` (default: ${flag.fallback})`;
    return `  --${flag.name} ${value}\n${wrapped(`${flag.description.replaceAll('`', '')}${fallback}`)}`;
  });
  return `stack-action ${version}\n\n${usage}${rows.join('\n')}\n${end}`;
}

const width = 92;

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `        ${one}`).join('\n');
}
