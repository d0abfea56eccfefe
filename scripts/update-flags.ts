/** Writes src/cli/table.ts, the flags of the command line, from action.yml and package.json. */
import {readFileSync, writeFileSync} from 'node:fs';
import {parse} from 'yaml';

interface Input {
  readonly description: string;
  readonly default?: string;
}

/** The text that src/cli/table.ts must have. */
export function tableText(actionYml: string, packageJson: string): string {
  const {inputs} = parse(actionYml) as {inputs: Record<string, Input>};
  const {version} = JSON.parse(packageJson) as {version: string};
  const quote = (text: string): string =>
    text.includes("'") && !text.includes('"')
      ? `"${text}"`
      : `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const rows = Object.entries(inputs).map(([name, {description, default: value = ''}]) => {
    // Only the runner can fill in an expression.
    const fallback = value.includes('${{') ? '' : value;
    const takesSwitch =
      /^(?:true|false)$/.test(fallback) || /`true`[\s\S]*`false`/.test(description);
    return [
      '  {',
      `    name: ${quote(name)},`,
      `    description: ${quote(description)},`,
      `    fallback: ${quote(fallback)},`,
      `    isSwitch: ${takesSwitch},`,
      `    isList: ${/\blist\b/.test(description)},`,
      '  },',
    ].join('\n');
  });
  return `// Written by scripts/update-flags.ts from action.yml and package.json.
export interface Flag {
  /** The input of action.yml. */
  readonly name: string;
  readonly description: string;
  readonly fallback: string;
  /** Takes true and false, and means true when it stands alone. */
  readonly isSwitch: boolean;
  /** Given twice, it has the items of both. */
  readonly isList: boolean;
}

export const version = ${quote(version)};

// biome-ignore format: one shape for every row
export const flags: readonly Flag[] = [
${rows.join('\n')}
];
`;
}

if (import.meta.main) {
  const text = tableText(readFileSync('action.yml', 'utf8'), readFileSync('package.json', 'utf8'));
  writeFileSync('src/cli/table.ts', text);
}
