import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {mostLevels} from '../src/plan/matrix.ts';

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean | number>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly strategy?: {readonly matrix: string; readonly 'fail-fast': boolean};
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: {readonly workflow_call: {readonly inputs: Readonly<Record<string, unknown>>}};
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (file: string): unknown =>
  parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
const workflow = read('.github/workflows/stack.yml') as Workflow;
const action = read('action.yml') as {readonly inputs: Readonly<Record<string, unknown>>};
const {plan, report, ...levels} = workflow.jobs;
const isOurs = ({uses}: Step): boolean => uses?.startsWith('ucsd-ets/stack-action@') === true;
const inputsOf = (job: Job | undefined): NonNullable<Step['with']> =>
  job?.steps.find(isOurs)?.with ?? {};

describe('the reusable workflow', () => {
  it('has a job for each level that a plan can have, one after the other', () => {
    expect(Object.keys(levels)).toEqual(
      Array.from({length: mostLevels}, (_, level) => `level-${level}`),
    );
    for (const [index, job] of Object.values(levels).entries()) {
      expect(job.needs).toEqual(index === 0 ? 'plan' : ['plan', `level-${index - 1}`]);
      expect(job.strategy?.matrix).toContain(`levels)[${index}]`);
      expect(job.if).toContain(`levels)[${index}] != null`);
      expect(job.strategy?.['fail-fast']).toBe(false);
      expect(job.steps).toEqual(Object.values(levels)[0]?.steps);
    }
    expect(report?.needs).toEqual(['plan', ...Object.keys(levels)]);
  });

  it('gives the action inputs that it has, and takes none that it does not use', () => {
    const used = JSON.stringify(workflow.jobs);
    for (const name of Object.keys(workflow.on.workflow_call.inputs))
      expect(used, name).toContain(`inputs.${name}`);
    for (const job of Object.values(workflow.jobs))
      for (const name of Object.keys(inputsOf(job)))
        expect(action.inputs, name).toHaveProperty(name);
  });

  it('asks for the same tag in every job', () => {
    const deciding = [
      'stack-dir',
      'tag-prefix',
      'tag-suffix',
      'default-branch',
      'push',
      'password',
    ];
    const jobs = [plan, ...Object.values(levels), report].map(inputsOf);
    for (const name of deciding) {
      expect(jobs[0], name).toHaveProperty([name]);
      expect(new Set(jobs.map((inputs) => inputs[name])).size, name).toBe(1);
    }
  });

  it('reports on what was planned', () => {
    for (const name of ['images', 'rebuild', 'reuse'])
      expect(inputsOf(report)[name], name).toBe(inputsOf(plan)[name]);
  });

  it('makes every leg a leg: one platform, parents of this run, an artifact of its own', () => {
    const leg = inputsOf(levels['level-0']);
    expect(leg).toMatchObject({
      images: expect.stringContaining('matrix.images'),
      platform: expect.stringContaining('matrix.platform'),
      parents: 'ready',
    });
    // Not strategy.job-index, which act does not know: there all legs of a level would have one name.
    expect(leg['artifact-name']).toMatch(/^leg-.*\bmatrix\.leg\b/);
  });

  it('pins the actions of others', () => {
    const others = Object.values(workflow.jobs)
      .flatMap(({steps}) => steps)
      .filter((step) => step.uses !== undefined && !isOurs(step));
    for (const {uses} of others) expect(uses).toMatch(/@[0-9a-f]{40}$/);
  });
});
