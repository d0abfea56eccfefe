import {expect, it} from 'vitest';
import {openGit} from '../../../src/adapters/git/index.ts';
import type {Event} from '../../../src/adapters/github/event.ts';
import {revisionOf} from '../../../src/modes/setup/revision.ts';
import {makeRepository} from '../../support/rig/git-repository.ts';

it('images carry the commit that is checked out, whatever the run is for', async () => {
  using repository = makeRepository();
  const one = repository.commit('one', {a: '1'});
  const two = repository.commit('two', {a: '2'});
  repository.git('tag', '-a', 'v1', '-m', 'v1');
  const of = (sha: string, headSha = sha) =>
    revisionOf({
      event: {sha, headSha} as Event,
      changes: {git: openGit(repository.path), api: undefined},
    });
  expect(await of(two)).toEqual({commit: two});
  // A pull request: the merge commit is checked out, or its head.
  expect(await of(two, one)).toEqual({commit: one});
  expect(await of(one, two)).toEqual({commit: two});
  expect(await of(repository.git('rev-parse', 'v1'))).toMatchObject({
    commit: repository.git('rev-parse', 'v1'),
  });
  expect(await of('')).toEqual({commit: ''});
  const other = await of(one);
  expect(other.commit).toBe(two);
  expect(other.warning).toContain(`at ${two.slice(0, 7)}, but this run is for commit`);
  const nowhere = openGit('/nonexistent');
  const event = {sha: one, headSha: one} as Event;
  expect(await revisionOf({event, changes: {git: nowhere, api: undefined}})).toEqual({commit: one});
});
