import {cpus} from 'node:os';
import type {Row} from './measure.ts';

/** docs/performance.md: every row with its bound and whether it holds. */
export function performancePage(
  rows: readonly Row[],
  {
    left,
    quick,
    before,
  }: {
    readonly left: readonly string[];
    readonly quick: boolean;
    /** The commit whose bundle was measured beside. */
    readonly before: string | undefined;
  },
): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  return `# Performance

Written by \`npm run bench\` (needs a Docker engine and the registry of \`scripts/bootstrap\`; \`--rows a,b\` for some rows,
\`--quick\` for small numbers, \`--before <commit>\` for the bundle of an earlier commit beside, \`--write\` to write this page all the same). One run on one machine (${machine}): read the ratios, not the seconds. The peak is the
resident memory of the action, or of a process that does only that work (80 MB of it are Node and its TypeScript). What the
action adds to docker's own commands is the same for small and large images: about half a second a run. Where CPU is
given, it is the action's own process, without the programs that it starts.${
    before === undefined
      ? ''
      : ` "Before" is the bundle of commit ${before}, row by row in the same run.`
  }${quick ? ' Measured with `--quick`.' : ''}${
    left.length === 0
      ? ''
      : `
Rows that were left out of this run, so that nothing is known of them here: ${left.map((name) => `\`${name}\``).join(', ')}.`
  }

| what | bound | before | measured | peak memory | holds | what limits it now |
|---|---|---|---|---|---|---|
${rows.map(line).join('\n')}

## What runs when

The programs that the action starts for the full build of the small stack (the command shows under the pointer):

![What ran when in the full build of the small stack](performance-trace.svg)
`;
}

function line({what, bound, before = '', measured, peakMb, holds, limit = ''}: Row): string {
  const verdict = bound === '' ? '' : holds ? 'yes' : '**no**';
  const peak = peakMb === undefined ? '–' : `${Math.round(peakMb)} MB`;
  return `| ${what} | ${bound || '–'} | ${before} | ${measured} | ${peak} | ${verdict} | ${limit} |`;
}
