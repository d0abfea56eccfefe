import type {Composer} from 'yaml';

/** Mistakes of YAML itself: bounded in number, with the mend of the usual ones. */
interface BadSyntax {
  readonly offset: number;
  readonly message: string;
}

export class TooManyErrors extends Error {
  readonly errors: readonly BadSyntax[];
  constructor(errors: readonly BadSyntax[]) {
    super('too many syntax errors');
    this.errors = errors;
  }
}

const maxErrors = 20;

/**
 * Ends composing at the 20th error. A broken file has an error for every character, and the library makes an Error
 * with its stack for each: 10 s for a megabyte of commas. It has no public limit, so its handler is wrapped.
 */
export function boundErrors(composer: Composer): void {
  const errors: BadSyntax[] = [];
  let isStopped = false;
  const report: ReportError = composer['onError'];
  const bounded: ReportError = (source, code, message, isWarning) => {
    // The library catches what is thrown below a collection, and reports it here as the next error.
    if (isStopped) throw new TooManyErrors(errors);
    report(source, code, message, isWarning);
    if (isWarning) return;
    errors.push({offset: offsetOfError(source), message: explain(code, message)});
    isStopped = errors.length >= maxErrors || code === 'RESOURCE_EXHAUSTION';
    if (isStopped) throw new TooManyErrors(errors);
  };
  composer['onError'] = bounded;
}

type Source = number | readonly number[] | {readonly offset: number};
type ReportError = (source: Source, code: string, message: string, isWarning?: boolean) => void;

function offsetOfError(source: Source): number {
  if (typeof source === 'number') return source;
  return 'offset' in source ? source.offset : (source[0] ?? 0);
}

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
