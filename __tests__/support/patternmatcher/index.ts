import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtemp} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export interface Question {
  /** Text of a `.dockerignore` file; or */
  readonly ignore?: string;
  /** a pattern of Go's filepath.Match. */
  readonly match?: string;
  readonly paths: readonly string[];
}

export interface Answer {
  readonly refused: boolean;
  readonly matched: readonly boolean[] | null;
}

export interface Oracle {
  readonly program: string;
  ask(questions: readonly Question[]): readonly Answer[];
}

/** Docker's own pattern library as a program; needs `go`. */
export async function buildOracle(): Promise<Oracle> {
  const folder = await mkdtemp(join(tmpdir(), 'patternmatcher-'));
  const program = join(folder, 'oracle');
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  return {
    program,
    ask: (questions) => {
      const {status, stdout, stderr} = spawnSync(program, {
        input: questions.map((question) => JSON.stringify(question)).join('\n'),
        encoding: 'utf8',
        maxBuffer: 1 << 30,
      });
      if (status !== 0) throw new Error(stderr);
      return stdout
        .trim()
        .split('\n')
        .map((line): Answer => JSON.parse(line));
    },
  };
}
