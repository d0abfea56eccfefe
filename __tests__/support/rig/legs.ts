import {cp, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {runStep, type StepRequest, type StepRun} from './runner.ts';
import type {SmallStack} from './small-stack.ts';

/** One run of a workflow: its jobs have machines (folders) of their own, and the registry and the run id in common. */
export interface Workflow {
  /** `mode: plan`, or any other step that is no leg. */
  step(inputs: Readonly<Record<string, string>>): Promise<StepRun>;
  /** Legs that run side by side, by their images; each in a checkout of its own. */
  legs(...images: readonly string[]): Promise<readonly StepRun[]>;
  /** One leg with inputs of its own. */
  leg(inputs: Readonly<Record<string, string>>): Promise<StepRun>;
  /** `mode: report` over the plan and the artifacts of all legs so far, without the one of `lost`. */
  report(inputs?: Readonly<Record<string, string>>, lost?: string): Promise<StepRun>;
  remove(): Promise<void>;
}

export interface WorkflowRequest {
  readonly runId: string;
  readonly branch?: string;
  readonly attempt?: string;
}

export function startWorkflow(
  stack: SmallStack,
  {runId, branch = 'feature', attempt = '1'}: WorkflowRequest,
): Workflow {
  const folders: string[] = [];
  const begun: {name: string; folder: string; images?: string}[] = [];
  let plan: string | undefined;
  const run = async (
    inputs: Readonly<Record<string, string>>,
    prepare?: (workspace: string) => Promise<void>,
  ): Promise<{folder: string; run: StepRun}> => {
    const folder = await mkdtemp(join(tmpdir(), 'leg-'));
    folders.push(folder);
    await cp(stack.root, folder, {
      recursive: true,
      filter: (path) => !/\/(?:logs|artifacts|manifests)$/.test(path),
    });
    await prepare?.(folder);
    const request: StepRequest = stack.request({'fail-fast': 'false', ...inputs});
    return {
      folder,
      run: await runStep({
        ...request,
        workspace: folder,
        payload: {...request.payload, ref: `refs/heads/${branch}`},
        env: {
          ...request.env,
          GITHUB_REF: `refs/heads/${branch}`,
          GITHUB_RUN_ID: runId,
          GITHUB_RUN_ATTEMPT: attempt,
        },
      }),
    };
  };
  const leg: Workflow['leg'] = async (inputs) => {
    const done = await run({parents: 'ready', ...inputs});
    const {images = ''} = inputs;
    begun.push({name: `leg-${begun.length}`, folder: done.folder, images});
    return done.run;
  };
  return {
    step: async (inputs) => {
      const done = await run(inputs);
      if (inputs['mode'] === 'plan') plan = join(done.folder, 'artifacts/plan.json');
      return done.run;
    },
    leg,
    legs: (...images) => Promise.all(images.map((list) => leg({images: list}))),
    report: async (inputs = {}, lost) => {
      const done = await run({mode: 'report', ...inputs}, async (workspace) => {
        if (plan !== undefined) await cp(plan, join(workspace, 'artifacts/leg-plan/plan.json'));
        const there = begun.filter(({images}) => lost === undefined || images !== lost);
        for (const {name, folder} of there)
          for (const part of ['artifacts', 'manifests', 'logs'])
            await cp(join(folder, part), join(workspace, 'artifacts', name, part), {
              recursive: true,
              force: true,
            }).catch(() => undefined);
      });
      return done.run;
    },
    remove: async () => {
      for (const folder of folders) await rm(folder, {recursive: true, force: true});
    },
  };
}
