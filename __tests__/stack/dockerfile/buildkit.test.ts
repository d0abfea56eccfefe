import {expect, it} from 'vitest';
import {
  askBuildKit,
  askOurselves,
  disagreement,
  type Question,
} from '../../support/buildkit/oracle.ts';
import {randomQuestion} from '../../support/buildkit/random-dockerfile.ts';

/** Another seed tries others: DOCKERFILE_SEED=7 npx vitest run … */
const seed = Number(process.env.DOCKERFILE_SEED ?? 1);
const count = 20_000;

it('20,000 random Dockerfiles are read as BuildKit reads them', {timeout: 120_000}, () => {
  const questions = Array.from({length: count}, (_, index) => randomQuestion(seed + index));
  const answers = askBuildKit(questions);
  expect(answers).toHaveLength(count);
  const ours = questions.map(askOurselves);
  const differences = questions
    .flatMap((question, index) => {
      const [our, theirs] = [ours[index], answers[index]];
      const difference = our && theirs && disagreement(our, theirs);
      return difference === undefined ? [] : [describe(question, difference)];
    })
    .toSorted((a, b) => a.length - b.length);
  expect(differences.slice(0, 3)).toEqual([]);
  // Agreement means little where most of them are refused or take nothing.
  expect(ours.filter(({error}) => error === undefined).length).toBeGreaterThan(count / 2);
  const isResolved = ours.filter(({sources, unresolved}) => sources.length > 0 && !unresolved);
  expect(isResolved.length).toBeGreaterThan(count / 10);
});

function describe({text, ...rest}: Question, difference: string): string {
  return `${text}\n${JSON.stringify(rest)}\n${difference}`;
}
