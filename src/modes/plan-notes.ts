import {findingLine} from '../doctor/index.ts';
import type {Legs, Plan} from '../plan/index.ts';
import type {Run} from '../run/index.ts';
import {findings} from './setup/findings.ts';

/** More of what could be better is not told beside a plan; `mode: doctor` tells it all. */
const mostNotes = 10;

const usualStack = 500;

/** What `mode: plan` says besides the plan: legs that cannot be, what could be better. */
export async function tellPlanNotes(run: Run, plan: Plan, {warnings}: Legs): Promise<void> {
  const {log, inputs, workspace, event} = run;
  for (const warning of warnings) log.warning(warning);
  // Every Dockerfile is read for it once more: nothing beside the plan of a usual stack, a second for ten thousand.
  if (plan.images.length > usualStack) return;
  const found = await findings({inputs, workspace, origin: event.repository});
  // A plan is no examination: what would fail a run it has refused already.
  for (const finding of found.slice(0, mostNotes)) log.info(`doctor: ${findingLine(finding)}`);
  if (found.length > mostNotes)
    log.info(`doctor: and ${found.length - mostNotes} more. "mode: doctor" lists them all.`);
}
