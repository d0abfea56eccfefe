/** A workflow command that the runner would carry out. */
export interface RunnerCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/**
 * What the runner would do with this output: actions/runner, ProcessInvoker.cs (lines), ActionCommandManager.cs (names)
 * and ActionCommand.cs (TryParseV2, then TryParse). Where .NET compares by culture and skips what does not show,
 * each way to read the line counts.
 */
export function runnerCommands(output: string): readonly RunnerCommand[] {
  return runnerLines(output).flatMap((line) => parseV2(line) ?? parseV1(line) ?? []);
}

/** StreamReader.ReadLine ends a line at CR, LF and CRLF. */
export function runnerLines(output: string): readonly string[] {
  return output.split(/\r\n|\r|\n/);
}

const registered = new Set([
  ...['set-env', 'set-output', 'save-state', 'add-mask', 'add-path', 'add-matcher'],
  ...['remove-matcher', 'debug', 'warning', 'error', 'notice', 'group', 'endgroup', 'echo'],
  ...['stop-commands', 'internal-set-repo-path'],
]);

/** String.TrimStart(): Char.IsWhiteSpace, which has U+0085 and not U+FEFF. */
const whiteSpace = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** What a comparison by culture does not see. */
const ignorable = '[\\p{Cc}\\p{Cf}]*';

/** `::name a=b,c=d::data` */
function parseV2(line: string): RunnerCommand | undefined {
  const message = line.replace(whiteSpace, '');
  if (!new RegExp(`^${ignorable}:${ignorable}:`, 'u').test(message)) return undefined;
  const end = message.indexOf('::', 2);
  if (end < 0) return undefined;
  const {name, rest} = nameOf(message.slice(2, end));
  if (name === undefined) return undefined;
  return {name, properties: propertiesOf(rest, ','), data: unescaped(message.slice(end + 2))};
}

/** `##[name a=b;c=d]data`, wherever it begins; only the first `##[` is looked at. */
function parseV1(line: string): RunnerCommand | undefined {
  const starts = [
    line.indexOf('##['),
    line.search(new RegExp(`#${ignorable}#${ignorable}\\[`, 'u')),
  ];
  for (const start of starts) {
    const end = start < 0 ? -1 : line.indexOf(']', start);
    if (end < 0) continue;
    const {name, rest} = nameOf(line.slice(start + 3, end));
    if (name !== undefined) {
      return {name, properties: propertiesOf(rest, ';'), data: unescaped(line.slice(end + 1))};
    }
  }
  return undefined;
}

function nameOf(info: string): {readonly name: string | undefined; readonly rest: string} {
  const space = info.indexOf(' ');
  const name = (space < 0 ? info : info.slice(0, space)).toLowerCase();
  return {
    name: registered.has(name) ? name : undefined,
    rest: space < 0 ? '' : info.slice(space + 1).trim(),
  };
}

function propertiesOf(text: string, separator: ',' | ';'): Readonly<Record<string, string>> {
  const pairs = text.split(separator).flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at), unescaped(pair.slice(at + 1))]];
  });
  return Object.fromEntries(pairs);
}

const escapes: Readonly<Record<string, string>> = {
  '%0D': '\r',
  '%0A': '\n',
  '%3A': ':',
  '%2C': ',',
  '%3B': ';',
  '%5D': ']',
  '%25': '%',
};

function unescaped(text: string): string {
  return text.replace(/%(?:0D|0A|3A|2C|3B|5D|25)/gi, (code) => escapes[code.toUpperCase()] ?? code);
}
