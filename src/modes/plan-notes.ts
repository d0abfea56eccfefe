import type {RecordStore} from '../build/steps/index.ts';
import {findingLine} from '../doctor/index.ts';
import {type Legs, movedBaseLine, movedBases, type Planned} from '../plan/index.ts';
import type {Run} from '../run/index.ts';
import {findings} from './setup/findings.ts';

/** More of what could be better is not told beside a plan; `mode: doctor` tells it all. */
const mostNotes = 10;

const usualStack = 500;

/** What `mode: plan` says besides the plan: legs that cannot be, bases that moved, what could be better. */
export async function tellPlanNotes(
  run: Run,
  planned: Planned,
  {legs, records}: {readonly legs: Legs; readonly records: RecordStore},
): Promise<void> {
  const {log, inputs, workspace, event} = run;
  for (const warning of legs.warnings) log.warning(warning);
  for (const line of await staleBases(planned, records)) log.info(line);
  // Every Dockerfile is read for it once more: nothing beside the plan of a usual stack, a second for ten thousand.
  if (planned.plan.images.length > usualStack) return;
  const found = await findings({inputs, workspace, origin: event.repository});
  // A plan is no examination: what would fail a run it has refused already.
  for (const finding of found.slice(0, mostNotes)) log.info(`doctor: ${findingLine(finding)}`);
  if (found.length > mostNotes)
    log.info(`doctor: and ${found.length - mostNotes} more. "mode: doctor" lists them all.`);
}

/** Bases that moved since the images at the tag were built on them, as their records say. */
async function staleBases(
  {plan, baseOf}: Planned,
  records: RecordStore,
): Promise<readonly string[]> {
  type Base = {readonly reference: string; readonly digest: string};
  const [built, now] = [new Map<string, Base>(), new Map<string, Base>()];
  const read = plan.images.map(async (image) => {
    const {base} = baseOf(image);
    if (base === undefined || image.before === undefined) return;
    const {repository} = image.spec;
    const record = await records.read({repository, digest: image.before});
    now.set(image.name, base);
    if (record?.base !== undefined) built.set(image.name, record.base);
  });
  await Promise.all(read);
  return movedBases(plan, built, now).map(movedBaseLine);
}
