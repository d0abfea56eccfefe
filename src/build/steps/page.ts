import {repositoryOf} from '../../image/reference.ts';
import {runInfoCommands} from '../../page/index.ts';
import {dockerOptions, type Step, withLog} from './context.ts';
import {bringHere} from './parents.ts';
import {settleRecord, writePageFromRecord} from './record.ts';

/** Collects what the page and the record of a good image say: its layers, and what its info commands print. */
export const manifestStep: Step = async (work) => {
  const {context, image, state, signal} = work;
  if (image.action === 'reuse' && image.source !== undefined) {
    const {digest} = image.source;
    const record = await context.records.read({repository: repositoryOf(image.ref), digest});
    if (record !== undefined) {
      await writePageFromRecord(work, record);
      return {};
    }
  }
  if (image.action !== 'build') {
    const brought = await withLog(work, 'build', (log) => bringHere(work, image, log));
    if (brought.failure !== undefined) return brought;
  }
  // Two runs on one engine share the local reference, never the id.
  const subject = state.id ?? image.ref;
  const [layers, info] = await Promise.all([
    context.docker.history(subject),
    runInfoCommands({
      commands: image.spec.infoCommands,
      image: subject,
      docker: context.docker,
      signal,
    }),
  ]);
  if (!layers.ok) return {failure: await context.docker.diagnose(layers.error)};
  if (!info.ok) return {failure: info.error};
  state.inventory = {layers: layers.value, info: info.value};
  const settled = await settleRecord(work);
  const failed = info.value.filter(({exitCode}) => exitCode !== 0).map(({command}) => command.name);
  return failed.length === 0
    ? settled
    : {...settled, notes: [`info commands that failed: ${failed.join(', ')}`]};
};

/** Frees the disk of an image that nothing needs here any more. Never worth a failure. */
export const pruneStep: Step = async (work) => {
  const {context, image} = work;
  if (!image.spec.prune) return {};
  const removed = await context.docker.removeImage(image.ref, dockerOptions(work));
  if (!removed.ok) return {notes: [`not pruned: ${removed.error.message}`]};
  await context.docker.releasePrivately(image.name);
  return {};
};
