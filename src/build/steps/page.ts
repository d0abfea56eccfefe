import {join} from 'node:path';
import {outputFolders} from '../../adapters/files/index.ts';
import {fileNameOf} from '../../image/tags.ts';
import {manifestPage, runInfoCommands} from '../../page/index.ts';
import {dockerOptions, type Step, withLog} from './context.ts';
import {bringHere} from './parents.ts';

/** Writes the page of a good image: its layers, and what its info commands say. */
export const manifestStep: Step = async (work) => {
  const {context, image, state} = work;
  if (image.action !== 'build') {
    const brought = await withLog(work, 'build', (log) => bringHere(work, image, log));
    if (brought.failure !== undefined) return brought;
  }
  // Two runs on one engine share the local reference, never the id.
  const subject = state.id ?? image.ref;
  const [layers, info] = await Promise.all([
    context.docker.history(subject),
    runInfoCommands(work),
  ]);
  if (!layers.ok) return {failure: await context.docker.diagnose(layers.error)};
  if (!info.ok) return {failure: info.error};
  state.size = layers.value.reduce((sum, layer) => sum + layer.size, 0);
  const page = manifestPage({
    ref: image.ref,
    digest: state.digest,
    revision: context.revision,
    layers: layers.value,
    info: info.value,
  });
  const file = join(outputFolders.manifests, `${fileNameOf(image.ref)}.md`);
  await context.workspace.write(file, page);
  const failed = info.value.filter(({exitCode}) => exitCode !== 0).map(({command}) => command.name);
  return failed.length === 0 ? {} : {notes: [`info commands that failed: ${failed.join(', ')}`]};
};

/** Frees the disk of an image that nobody needs here any more. Never worth a failure. */
export const pruneStep: Step = async (work) => {
  const {context, image, spec} = work;
  if (!spec.prune) return {};
  const removed = await context.docker.removeImage(image.ref, dockerOptions(work));
  return removed.ok ? {} : {notes: [`not pruned: ${removed.error.message}`]};
};
