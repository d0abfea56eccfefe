import type {Result} from '../failure.ts';

/** What the findings are made of; nothing here is asked of a server. */
export interface DoctorFacts {
  /** Every file of the repository, relative to it. */
  readonly files: readonly string[];
  /** Workflows, Dockerfiles, spec.yml and action.yml by path. */
  readonly texts: ReadonlyMap<string, Result<string, string>>;
  readonly stackDir: string;
  readonly tagPrefix: string | undefined;
  /** Owner and name on GitHub; empty where nobody knows. */
  readonly origin: {readonly owner: string; readonly repo: string};
}

/** One thing to mend. An error would fail a run or publish the wrong thing. */
export interface Finding {
  readonly level: 'error' | 'note';
  /** `images/a/Dockerfile:3` */
  readonly place: string;
  readonly message: string;
  /** What to write, or to run. */
  readonly mend: string;
}

export function error(place: string, message: string, mend: string): Finding {
  return {level: 'error', place, message, mend};
}

export function note(place: string, message: string, mend: string): Finding {
  return {level: 'note', place, message, mend};
}
