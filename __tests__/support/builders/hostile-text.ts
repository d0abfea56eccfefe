import fc from 'fast-check';

const commands = [
  '::add-mask::stolen',
  '::set-output name=digest::stolen',
  '::SET-OUTPUT name=digest::stolen',
  '::stop-commands::stolen',
  '##[add-mask]stolen',
  '##[set-output name=digest;]stolen',
  '##[##[add-mask]stolen',
  '::error file=a,line=1::stolen',
  '::save-state name=isPost::stolen',
  '::debug::stolen',
];

const before = [
  '',
  ' ',
  '\t',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\u3000',
  '\u200b',
  '\0',
  '\ufeff',
  '|',
  '%0A',
];
const lineEnds = ['\n', '\r', '\r\n', '\n\r', '\u000b', '\u000c', '\u0085', ''];

/** What a stranger who knows the runner would put where he can write: names, branches, messages, answers. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...commands),
      fc.constantFrom(...before),
      fc.constantFrom(...lineEnds),
      fc.constantFrom('#', '##', '[', ']', ':', '::', '%', '\u00ad', '\u200b', '\u001b[31m'),
      fc.string({unit: 'binary', maxLength: 8}),
      fc.constant('x'.repeat(100_000)),
    ),
    {maxLength: 10},
  )
  .map((parts) => parts.join(''));
