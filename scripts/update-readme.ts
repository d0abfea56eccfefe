/** Writes the input and output tables of README.md from action.yml; `--check` only says whether they differ. */
import {readFileSync, writeFileSync} from 'node:fs';
import {parse} from 'yaml';

interface Entry {
  readonly description: string;
  readonly default?: string;
}

const action = parse(readFileSync('action.yml', 'utf8')) as {
  inputs: Record<string, Entry>;
  outputs: Record<string, Entry>;
};

function table(entries: Record<string, Entry>, withDefault: boolean): string {
  const head = withDefault ? ['Input', 'Default', 'Meaning'] : ['Output', 'Meaning'];
  const rows = Object.entries(entries).map(([name, entry]) => {
    const value = entry.default ? `\`${entry.default}\`` : '';
    return [`\`${name}\``, ...(withDefault ? [value] : []), entry.description];
  });
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function replaceBetween(text: string, marker: string, content: string): string {
  const pattern = new RegExp(`(<!-- ${marker}-start -->\n)[\\s\\S]*?(\n<!-- ${marker}-end -->)`);
  if (!pattern.test(text))
    throw new Error(`README.md has no markers ${marker}-start and ${marker}-end`);
  return text.replace(pattern, (_, start: string, end: string) => `${start}${content}${end}`);
}

const before = readFileSync('README.md', 'utf8');
const withInputs = replaceBetween(before, 'inputs', table(action.inputs, true));
const after = replaceBetween(withInputs, 'outputs', table(action.outputs, false));
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('README.md differs from action.yml. Run: node scripts/update-readme.ts');
    process.exitCode = 1;
  }
} else {
  writeFileSync('README.md', after);
}
