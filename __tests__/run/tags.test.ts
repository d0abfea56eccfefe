import {describe, expect, it} from 'vitest';
import type {Event} from '../../src/adapters/github/event.ts';
import {parseEvent} from '../../src/adapters/github/event.ts';
import type {Inputs} from '../../src/run/inputs.ts';
import {checkTags, tagsOf} from '../../src/run/tags.ts';
import {environmentOf, readPayload} from '../support/builders/events.ts';
import {imageSpec} from '../support/builders/stack.ts';

const inputs = {tagSuffix: 'branch', defaultBranch: undefined} as Inputs;
const image = imageSpec('a');

function eventOf(name: string, more: Partial<Event> = {}): Event {
  const event = parseEvent(readPayload(name), environmentOf(name.split('-')[0] ?? ''));
  return {...event, ...more} as Event;
}

describe('tagsOf', () => {
  it.each([
    ['feature/a', '2026.3-feature-a-'],
    ['main', '2026.3-main'],
  ])('names a push after its branch %s', (branch, tag) => {
    expect(tagsOf(inputs, eventOf('push-update', {branch}))(image)).toContain(tag);
  });

  it('never takes a branch tag for a git tag', () => {
    const event = eventOf('push-update', {branch: 'v1', isTag: true});
    expect(tagsOf(inputs, event)(image)).toBe('2026.3-tag-v1');
  });

  it('gives a back-merge a tag of its own', () => {
    const more = {kind: 'pull_request', number: 7, branch: 'main', defaultBranch: 'main'} as const;
    const event = {...eventOf('push-update'), ...more} as Event;
    expect(tagsOf(inputs, event)(image)).toBe('2026.3-pr-7');
    expect(tagsOf({...inputs, tagSuffix: 'sha'}, event)(image)).toBe('2026.3-pr-7');
    expect(tagsOf(inputs, {...event, branch: 'feature'} as Event)(image)).toBe('2026.3-feature');
  });

  it('says what is missing where there is nothing to name it after', () => {
    expect(() => tagsOf(inputs, eventOf('push-update', {branch: ''}))(image)).toThrow(
      'Cannot determine the tag',
    );
  });
});

describe('checkTags', () => {
  const gpu = imageSpec('a@GPU', [], {tagPrefix: '2026.3-gpu', repository: image.repository});
  const problemOf = (branch: string, images = [image, gpu], extra: readonly string[] = []) => {
    const tags = checkTags(images, ({tagPrefix}) => `${tagPrefix}-${branch}`, extra);
    return tags.ok ? undefined : tags.error;
  };

  it('passes a branch whose tags are its own', () => {
    expect(problemOf('main')).toBeUndefined();
    expect(problemOf('gpu')).toBeUndefined();
  });

  it.each([
    ['stable', 'the stable tag of a'],
    ['gpu-stable', 'the stable tag of a@GPU'],
    ['gpu-main', 'a tag of the prefix "2026.3-gpu"'],
  ])('refuses the branch %s', (branch, words) => {
    expect(problemOf(branch)).toContain(words);
  });

  it('does not mind the tags of another repository', () => {
    const other = {...gpu, repository: 'ghcr.io/o/other'};
    expect(problemOf('gpu-main', [image, other])).toBeUndefined();
  });

  it('refuses to take a tag of tag.extra', () => {
    expect(problemOf('x', [image], ['2026.3-x'])).toContain('a tag of "tag.extra"');
  });

  it.each([
    ['edge', '{prefix}-edge'],
    ['2026-11-25', '{prefix}-{date}'],
    ['0a1b2c3', '{prefix}-{sha}'],
    ['0a1b2c3', '2026.3-{sha}'],
  ])('refuses the branch %s where tag.extra has %s', (branch, extra) => {
    expect(problemOf(branch, [image], [extra])).toContain('a tag of "tag.extra"');
    expect(problemOf('main', [image], [extra])).toBeUndefined();
  });

  it('knows one repository under its many names', () => {
    const hub = {...image, repository: 'acme/a'};
    const track = {...gpu, repository: 'docker.io/acme/a'};
    expect(problemOf('gpu-stable', [hub, track])).toContain('the stable tag of a@GPU');
  });

  it('refuses two images of one tag', () => {
    expect(problemOf('main', [image, {...image, name: 'b'}])).toContain('the tag of a too');
  });
});
