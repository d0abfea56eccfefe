import * as v from 'valibot';
import type {ImageDetails} from '../types.ts';

/** What is longer is of no honest report; the rest of a list is dropped. */
const most = {text: 4000, items: 5000} as const;

const text = v.pipe(
  v.string(),
  v.transform((value) => value.slice(0, most.text)),
);
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const list = <T extends v.GenericSchema>(item: T) =>
  v.pipe(
    v.array(v.unknown()),
    v.transform((items) => items.slice(0, most.items)),
    v.array(item),
    v.readonly(),
  );
/** What is not as it should be is left out: a page can do without. */
const known = <T extends v.GenericSchema>(schema: T) =>
  v.fallback(v.optional(schema), undefined as never);

const difference = v.object({
  against: text,
  compared: v.optional(list(text), []),
  size_change: v.exactOptional(v.pipe(v.number(), v.finite())),
  base: v.exactOptional(v.object({before: text, after: text})),
  inherited: v.exactOptional(list(text)),
  packages: list(
    v.object({
      manager: text,
      name: text,
      before: v.exactOptional(text),
      after: v.exactOptional(text),
    }),
  ),
});

const details = v.object({
  difference: known(difference),
  layers: known(list(v.object({command: text, size: whole}))),
  packages: known(list(v.object({manager: text, name: text, version: text}))),
  logs: known(list(v.object({name: text, lines: list(text)}))),
  notes: known(list(text)),
});

/** What a report knows of an image beside its result. Words for people only: nothing is decided by it. */
export function readDetails(image: unknown): ImageDetails | undefined {
  const parsed = v.safeParse(details, image);
  if (!parsed.success) return undefined;
  const {difference: change, ...rest} = parsed.output;
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  if (change === undefined) return said;
  const {size_change: sizeChange, ...own} = change;
  return {...said, difference: {...own, ...(sizeChange === undefined ? {} : {sizeChange})}};
}
