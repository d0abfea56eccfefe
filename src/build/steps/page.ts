import {join} from 'node:path';
import {outputFolders} from '../../adapters/files/index.ts';
import {fileNameOf} from '../../image/tags.ts';
import {manifestPage, recordedInfo, runInfoCommands} from '../../page/index.ts';
import {imageFacts, recordText} from '../../record/index.ts';
import {maskText} from '../../util/masking.ts';
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
    runInfoCommands({
      commands: work.spec.infoCommands,
      image: subject,
      docker: context.docker,
      signal: work.signal,
    }),
  ]);
  if (!layers.ok) return {failure: await context.docker.diagnose(layers.error)};
  if (!info.ok) return {failure: info.error};
  const facts = imageFacts(
    {
      image: work.spec.key,
      repository: work.spec.repository,
      reference: image.ref,
      ...(state.digest === undefined ? {} : {digest: state.digest}),
      platforms: work.spec.platforms,
      ...(context.revision === '' ? {} : {commit: context.revision}),
      ...(context.sourceUrl === undefined ? {} : {source: context.sourceUrl}),
      diffIds: [],
      layers: layers.value,
      parents: [],
      seconds: {},
      info: info.value.map(recordedInfo),
    },
    (text) => maskText(text, context.secrets),
  );
  state.size = facts.size;
  const file = join(outputFolders.manifests, fileNameOf(image.ref));
  await context.workspace.write(`${file}.md`, maskText(manifestPage(facts), context.secrets));
  await context.workspace.write(`${file}.json`, maskText(recordText(facts), context.secrets));
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
