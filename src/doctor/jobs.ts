import {below, entriesOf, isRecord, type LooseFile, readLoose, wordOf} from '../util/yaml.ts';

export interface Step {
  readonly uses: string;
  readonly run: string;
  readonly place: string;
  /** An input of the step as it is written; empty where it is missing. */
  input(name: string): string;
}

/** What a job's token may do; `unsaid` where only the settings of the repository know. */
export type Grant = 'write' | 'read' | 'none' | 'unsaid';

export interface Job {
  readonly place: string;
  readonly runsOn: string;
  /** A reusable workflow that the job calls. */
  readonly calls: string;
  readonly steps: readonly Step[];
  readonly events: readonly string[];
  grant(scope: string): Grant;
}

/** The jobs of one workflow file; undefined for what is no YAML. */
export function readJobs(path: string, text: string): readonly Job[] | undefined {
  const file = readLoose(text);
  if (file === undefined) return undefined;
  const events = eventsOf(below(file.value, 'on'));
  const common = below(file.value, 'permissions');
  return entriesOf(below(file.value, 'jobs')).map(([name, job]) => {
    const own = below(job, 'permissions');
    return {
      place: `${path}:${file.lineOfKey('jobs', name)}`,
      runsOn: JSON.stringify(below(job, 'runs-on') ?? ''),
      calls: plainUses(wordOf(below(job, 'uses')) ?? ''),
      steps: stepsOf(path, file, name, job),
      events,
      grant: (scope) => grantOf(own === undefined ? common : own, scope),
    };
  });
}

/** GitHub's names have no case: `Actions/Checkout@v5` is `actions/checkout@v5`. */
function plainUses(uses: string): string {
  return uses.replace(/^(?!\.)[^@/]+\/[^@/]+/, (name) => name.toLowerCase());
}

function stepsOf(path: string, file: LooseFile, name: string, job: unknown): readonly Step[] {
  const steps = below(job, 'steps');
  if (!Array.isArray(steps)) return [];
  return steps.map((step: unknown, index) => ({
    uses: plainUses(wordOf(below(step, 'uses')) ?? ''),
    run: wordOf(below(step, 'run')) ?? '',
    place: `${path}:${file.lineAt('jobs', name, 'steps', index)}`,
    input: (key) => wordOf(below(step, 'with', key)) ?? '',
  }));
}

function eventsOf(on: unknown): readonly string[] {
  if (Array.isArray(on)) return on.flatMap((one) => wordOf(one) ?? []);
  return isRecord(on) ? Object.keys(on) : [wordOf(on) ?? ''];
}

function grantOf(permissions: unknown, scope: string): Grant {
  if (permissions === undefined) return 'unsaid';
  if (permissions === 'write-all') return 'write';
  if (permissions === 'read-all') return 'read';
  // An expression may be anything.
  if (!isRecord(permissions) && permissions !== null) return 'unsaid';
  const value = below(permissions, scope);
  return value === 'write' || value === 'read' ? value : 'none';
}
