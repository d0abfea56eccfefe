export const unquoted =
  'a value without quotes cannot contain ": ". Quote the whole value; a command with quotes of its own goes in single quotes: \'bash -c "echo a: b"\'.';

/** What the library says, with the fix where the usual cause is known. */
export function explain(code: string, message: string): string {
  if (/^(?:Nested mappings|Block collections) are not allowed/.test(message)) return unquoted;
  if (/^Implicit (?:map )?keys need/.test(message)) {
    return 'a key and its value belong on one line, as "key: value" with a blank after the colon.';
  }
  if (message.startsWith('Plain value cannot start with')) {
    return `a value without quotes cannot begin with ${message.at(-1)}. Quote it.`;
  }
  if (/^Unexpected .* at node end/.test(message)) {
    return 'text follows a value that is complete. Quote the whole value; inside of it use the other kind of quotes: \'echo "a b"\'.';
  }
  if (code === 'BAD_INDENT' && message.startsWith('All ')) {
    return 'inconsistent indentation: this key does not line up with any key above it.';
  }
  const fix: Readonly<Record<string, string>> = {
    TAB_AS_INDENT: 'tab used for indentation; YAML requires spaces.',
    RESOURCE_EXHAUSTION: 'nested too deeply. A spec needs no more than six levels.',
    MULTIPLE_DOCS: 'a second document begins here. Keep one, without "---".',
  };
  return fix[code] ?? `bad YAML: ${message}.`.replace(/\.\.$/, '.');
}
