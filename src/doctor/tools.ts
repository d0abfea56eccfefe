import type {Result} from '../failure.ts';
import {type Finding, note} from './types.ts';

/** What each program answered when it was asked for its version. */
export interface ToolAnswers {
  readonly docker: Result<string, string>;
  readonly buildx: Result<string, string>;
  readonly pytest: Result<string, string>;
}

/**
 * Notes, not errors: they speak of this machine, and the runner of the workflow has its own programs.
 * Source of the needs: docs/local-runs.md.
 */
export function missingTools(answers: ToolAnswers): readonly Finding[] {
  const {docker, buildx, pytest} = answers;
  const findings: Finding[] = [];
  if (!docker.ok)
    findings.push(
      note(
        'this machine',
        `No Docker Engine answers here (${docker.error}).`,
        'Start it, or only plan here.',
      ),
    );
  else if (!buildx.ok)
    findings.push(
      note(
        'this machine',
        `docker buildx does not run here (${buildx.error}).`,
        'Install the docker-buildx-plugin package.',
      ),
    );
  if (!pytest.ok)
    findings.push(
      note(
        'this machine',
        `pytest does not run here (${pytest.error}).`,
        'Run: python3 -m pip install pytest. Only images with a test folder need it.',
      ),
    );
  return findings;
}
