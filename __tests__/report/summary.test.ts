import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {failure} from '../../src/failure.ts';
import {commentBody, commentMarker} from '../../src/report/comment.ts';
import {stableLines} from '../../src/report/markdown/index.ts';
import {promotionSummaryPage, refusedSummaryPage} from '../../src/report/promotion.ts';
import {planSummaryPage, summaryPage} from '../../src/report/summary.ts';
import type {RunFacts, StableImage} from '../../src/report/types.ts';
import {docsUrl} from '../../src/util/text.ts';
import {
  manyImages,
  planned,
  reported,
  reportedStep,
  sevenImages,
} from '../support/builders/reports.ts';
import {diagramsOf, liveIn, parseDiagram} from '../support/rig/markdown.ts';

const MiB = 1024 * 1024;

describe('the step summary', () => {
  it('is what it was for seven images with every outcome', async () => {
    await expect(summaryPage(sevenImages())).toMatchFileSnapshot('../fixtures/report/summary-7.md');
  });

  it.each([1, 100, 1000])('is what it was for %i images', async (count) => {
    const page = summaryPage(manyImages(count));
    await expect(page).toMatchFileSnapshot(`../fixtures/report/summary-${count}.md`);
  });

  it('tells failures first: image, step, cause in the words of the program, place, what to do', () => {
    const page = summaryPage(sevenImages());
    const failures = page.slice(0, page.indexOf('| State |'));
    for (const text of [
      'scipy-ml-notebook',
      'build failed',
      'E: Unable to locate package libfoo-dev',
      'Dockerfile',
      '**What to do:**',
    ]) {
      expect(failures).toContain(text);
    }
    expect(page).not.toMatch(/build-failed|\(internal\)/);
  });

  it('counts in its headline what the rows say', () => {
    const step = fc.constantFrom(reportedStep('pull', 0, 0.001), reportedStep('build', 0, 1));
    const outcome = fc.constantFrom(
      ...(['built', 'failed', 'blocked', 'cancelled', 'reused', 'skipped'] as const),
    );
    const image = fc.record({
      outcome,
      steps: fc.array(step, {maxLength: 2}),
      allowedFailure: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(image, {minLength: 1, maxLength: 9}), (images) => {
        const all = images.map((one, index) => reported(`i${index}`, one));
        const page = summaryPage({
          plan: {tag: 't', changed: [], images: all.map(({image: name}) => planned(name, []))},
          report: {outcome: 'failed', images: all},
        });
        const states = [...page.matchAll(/^\| (?:\*\*)?([a-z]+[^|]*?)(?:\*\*)? \| <code>/gm)].map(
          ([, state = '']) => state,
        );
        const counts = Map.groupBy(states, (state) => state);
        const title = page.split('\n', 1)[0] ?? '';
        for (const [state, {length}] of counts) {
          const words =
            state === 'failed'
              ? `${length} of `
              : `${length} ${state.replace(' (allowed)', ' as allowed')}`;
          expect(title).toContain(words);
        }
        expect([...title.matchAll(/\d+ (?!of|image)/g)]).toHaveLength(
          [...counts.keys()].filter((state) => state !== 'failed').length,
        );
        for (const row of page.matchAll(/^\| not started \|.*$/gm))
          expect(row[0]).not.toMatch(/\d+&nbsp;m?s/);
      }),
    );
  });

  it('says why a child was not started', () => {
    expect(summaryPage(sevenImages())).toContain(
      'not started: its parent scipy-ml-notebook failed',
    );
  });

  it('names an ancestor that failed as what it is', () => {
    const images = [
      reported('a', {outcome: 'failed'}),
      reported('b', {outcome: 'blocked', blockedBy: 'a: build'}),
      reported('c', {outcome: 'blocked', blockedBy: 'a: integration-test'}),
    ];
    const plan = {
      tag: 't',
      changed: [],
      images: [planned('a', []), planned('b', ['a']), planned('c', ['b'])],
    };
    const page = summaryPage({plan, report: {outcome: 'failed', images}});
    expect(page).toContain('not started: its parent a failed');
    expect(page).toContain('not started: a, which its parents are built on, failed');
  });

  it('keeps the best rows and says how many are missing when it would be too large', () => {
    const page = summaryPage(manyImages(20_000));
    expect(Buffer.byteLength(page)).toBeLessThan(MiB);
    expect(page).toMatch(/… and \d+ more images: see artifacts\/report\.json/);
    expect(page).toContain('| **failed** |');
  });

  it('counts bytes, not characters', () => {
    const facts = manyImages(3000, 'built');
    const images = facts.report.images.map((image) => ({
      ...image,
      image: `${image.image}${'漢'.repeat(100)}`,
    }));
    const page = summaryPage({...facts, report: {outcome: 'passed', images}});
    expect(Buffer.byteLength(page)).toBeLessThan(MiB);
  });

  it('folds many unchanged images away, and shows a few', () => {
    expect(summaryPage(manyImages(11, 'skipped'))).toContain(
      '<details><summary>11 images unchanged</summary>',
    );
    expect(summaryPage(manyImages(10, 'skipped'))).not.toContain('10 images unchanged</summary>');
  });

  it('draws what mermaid understands, and nothing that would be a tangle', async () => {
    const kinds = await Promise.all(diagramsOf(summaryPage(sevenImages())).map(parseDiagram));
    expect(kinds).toEqual(['flowchart-v2', 'gantt']);
    expect(diagramsOf(summaryPage(manyImages(400)))).toEqual([]);
    expect(diagramsOf(summaryPage(manyImages(1)))).toEqual([]);
  });

  it('marks the longest chain of the timeline', () => {
    const page = summaryPage(sevenImages());
    expect(page).toContain('datascience-notebook → rstudio-notebook, took 5 min 18 s');
    expect(page).toMatch(/rstudio-notebook :active, .*\n/);
    expect(page).toMatch(/tools :done, /);
  });
});

describe('the other summaries', () => {
  it('show a plan', async () => {
    await expect(
      planSummaryPage(sevenImages().plan, {run: sevenImages().run as never}),
    ).toMatchFileSnapshot('../fixtures/report/summary-plan.md');
    expect(Buffer.byteLength(planSummaryPage(manyImages(20_000).plan))).toBeLessThan(MiB);
  });

  it('show what stable holds, and what the tag has that stable does not', () => {
    const {plan, details} = sevenImages();
    const difference = details?.get('datascience-notebook')?.difference;
    const stable = new Map<string, StableImage>([
      [
        'datascience-notebook',
        {
          ref: 'ghcr.io/ucsd-ets/datascience-notebook:2026.3-stable',
          digest: `sha256:${'a'.repeat(64)}`,
          atTag: 'other',
          commit: {sha: 'c0ffee0123', subject: 'Newer numpy'},
          created: '2026-11-24T12:00:00Z',
          size: 1_355_000_000,
          ...(difference === undefined ? {} : {difference}),
        },
      ],
      [
        'web',
        {
          ref: 'ghcr.io/ucsd-ets/web:2026.3-stable',
          digest: `sha256:${'b'.repeat(64)}`,
          atTag: 'same',
        },
      ],
    ]);
    const page = planSummaryPage(plan, {stable});
    expect(page).toContain(
      '| <code>datascience-notebook</code> | <code>2026.3-stable</code> <code>aaaaaaaaaaaa</code> | <code>c0ffee0</code> Newer numpy | 2026-11-24 | 1.4&nbsp;GB | another image |',
    );
    expect(page).toContain('### What the tag of this run has that stable does not');
    expect(page).toContain('1 package changed, 1 added, 1 removed, base image moved');
    expect(stableLines(stable)).toEqual([
      `datascience-notebook: 2026.3-stable is sha256:${'a'.repeat(64)} (commit c0ffee0, built 2026-11-24); at the tag of this run is another image`,
      `web: 2026.3-stable is sha256:${'b'.repeat(64)}; at the tag of this run is the same image`,
    ]);
  });

  it('show a refused run with all its causes', async () => {
    const page = refusedSummaryPage({
      title: 'Nothing was built',
      causes: [
        'images/spec.yml:4:16: depend_on contains "c", which is not in "images"',
        'The login to ghcr.io was refused.',
      ],
      hint: 'Check the inputs "username" and "password".',
      tail: ['Error response from daemon: denied'],
      ...(sevenImages().run === undefined ? {} : {run: sevenImages().run as never}),
    });
    await expect(page).toMatchFileSnapshot('../fixtures/report/summary-refused.md');
  });

  it.each([false, true])('show a promotion, before and after (dry run: %s)', async (dryRun) => {
    const manifest = (of: string) => ({digest: of, bytes: new Uint8Array(), mediaType: ''});
    const move = (name: string, before: string | undefined) => ({
      name,
      source: `ghcr.io/o/${name}:2026.3-main`,
      target: `ghcr.io/o/${name}:2026.3-stable`,
      before: before === undefined ? undefined : manifest(before),
      after: manifest(`sha256:${'b'.repeat(64)}`),
      revision: undefined,
      builtAs: undefined,
      isExtra: false,
    });
    const shows = {state: 'present', digest: `sha256:${'b'.repeat(64)}`} as const;
    const page = promotionSummaryPage({
      report: {
        outcome: dryRun ? 'passed' : 'failed',
        results: [
          {
            move: move('a', `sha256:${'a'.repeat(64)}`),
            state: dryRun ? 'untouched' : 'moved',
            shows,
            failure: undefined,
          },
          {
            move: move('b', undefined),
            state: dryRun ? 'untouched' : 'failed',
            shows: {state: 'absent'},
            failure: dryRun
              ? undefined
              : failure(
                  'permission',
                  'ghcr.io/o/b:2026.3-stable: the registry returned 403 DENIED.',
                ),
          },
        ],
      },
      source: '2026.3-main',
      target: '2026.3-stable',
      dryRun,
      warnings: ['ghcr.io/o/a:2026.3-main carries no fingerprint.'],
    });
    await expect(page).toMatchFileSnapshot(
      `../fixtures/report/summary-promotion-${dryRun ? 'dry' : 'failed'}.md`,
    );
  });

  it('say that a promotion was undone, count images and not tags, and name each tag', () => {
    const digest = (of: string): string => `sha256:${of.repeat(64)}`;
    const manifest = (of: string) => ({digest: digest(of), bytes: new Uint8Array(), mediaType: ''});
    const result = (name: string, tag: string) => ({
      move: {
        name,
        source: `ghcr.io/o/${name}@${digest('a')}`,
        target: `ghcr.io/o/${name}:${tag}`,
        before: manifest('b'),
        after: manifest('a'),
        revision: undefined,
        builtAs: undefined,
        isExtra: tag === 'latest',
      },
      state: 'moved' as const,
      shows: {state: 'present', digest: digest('a')} as const,
      failure: undefined,
    });
    const facts = {
      report: {
        outcome: 'passed' as const,
        results: [result('a', '1-stable'), result('a', 'latest'), result('b', '1-stable')],
      },
      target: '1-stable',
      dryRun: false,
    };
    const undone = promotionSummaryPage({...facts, source: undefined});
    expect(undone).toMatch(/^## Restored 2 images\n\nEach tag gets what it pointed to before/);
    expect(undone).toContain('| <code>a</code> | <code>latest</code> |');
    const promoted = promotionSummaryPage({...facts, source: '1-main', problem: 'No wiki.'});
    expect(promoted).toMatch(/^## Promoted 2 images, but the wiki was not updated\n/);
    expect(promoted).toContain('- No wiki.');
  });
});

describe('the comment', () => {
  it('is what it was', async () => {
    await expect(commentBody(sevenImages())).toMatchFileSnapshot('../fixtures/report/comment-7.md');
  });

  it.each([1, 100, 1000])('is what it was for %i images', async (count) => {
    const body = commentBody(manyImages(count));
    await expect(body).toMatchFileSnapshot(`../fixtures/report/comment-${count}.md`);
  });

  it('begins with its marker and is never longer than GitHub takes', () => {
    const body = commentBody(manyImages(5000));
    expect(body.startsWith(`${commentMarker}\n`)).toBe(true);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain('more images: see the step summary of the run.');
  });

  it('shows a failure whatever its output', () => {
    const tail = Array.from({length: 40}, () => '漢'.repeat(500));
    const step = reportedStep('build', 0, 1, {
      failure: failure('build-failed', 'It failed.', {tail}),
    });
    const facts = {
      plan: {tag: 't', changed: [], images: []},
      report: {
        outcome: 'failed' as const,
        images: [reported('web', {outcome: 'failed', steps: [step]})],
      },
    };
    expect(commentBody(facts)).toContain('It failed.');
  });
});

describe('text from strangers', () => {
  const bait = [
    '[x](https://evil.example)',
    '![x](https://evil.example/a.png)',
    '<img src=x onerror=alert(1)>',
    '@everyone',
    '@org/team',
    'https://evil.example',
    'www.evil.example',
    'a@evil.example',
    'mailto:a@evil.example',
    'org/repo#1',
    '#12',
    'GH-12',
    '_www.evil.example_',
    '| a | b |',
    '```',
    '~~~',
    '`x`',
    '`` `',
    '$x$',
    '$$x$$',
    ':rocket:',
    '\\',
    '&#64;x',
    '&lt;b&gt;',
    '# x',
    '- [ ] x',
    '1. x',
    '> x',
    '</details>',
    '<!-- ',
    '-->',
    '\n\n# x\n',
    '\r\n| x |\n',
    '\u2028',
    '\u202e',
    '[^1]',
    '[x]: https://evil.example',
    '<https://evil.example>',
    'x".."]:::failed',
    '"]; click n1 "https://evil.example"',
    '%%{init: {}}%%',
    'title x',
    'section x',
    '; n1-->n2',
    '\u001b[31m',
    '::error::x',
    '##[error]x',
  ];
  const text = fc.oneof(
    fc.constantFrom(...bait),
    fc
      .array(fc.oneof(fc.constantFrom(...bait, ' ', '_', 'a'), fc.string({maxLength: 5})), {
        maxLength: 6,
      })
      .map((parts) => parts.join('')),
  );

  const hostile = (of: (index: number) => string): RunFacts => {
    const images = [
      reported(of(0), {
        ref: of(1),
        outcome: 'failed',
        steps: [
          reportedStep('build', 0, 20, {
            notes: [of(2)],
            failure: failure('build-failed', of(3), {
              hint: of(4),
              tail: [of(5), of(6)],
              place: {file: of(7), line: 1},
            }),
          }),
        ],
      }),
      reported(of(8), {outcome: 'blocked', blockedBy: of(0), ref: of(9)}),
      reported(of(10), {
        digest: of(11),
        size: 1,
        steps: [reportedStep('build', 2, 30, {tests: {passed: 1, failed: 0, skipped: 0}})],
      }),
    ];
    return {
      plan: {
        tag: of(12),
        changed: [],
        images: [
          planned(of(0), [], {reasons: [{kind: 'changed', files: [of(13)]}]}),
          planned(of(8), [of(0)], {reasons: [{kind: 'unknown-registry', because: of(14)}]}),
          planned(of(10), [of(0)], {reasons: [{kind: 'stale', ref: of(15)}]}),
        ],
      },
      report: {outcome: 'failed', images},
      notes: [of(16)],
      run: {
        event: of(17),
        branch: of(18),
        commit: {sha: of(19), url: of(20), subject: of(21)},
        runUrl: of(22),
        runId: of(23),
      },
      details: new Map([
        [
          of(10),
          {
            url: `javascript:${of(24)}`,
            notes: [of(26)],
            difference: {
              against: of(27),
              compared: ['pip'],
              sizeChange: 5,
              packages: [{manager: of(28), name: of(29), before: of(30), after: of(31)}],
              base: {before: of(32), after: of(33)},
            },
          },
        ],
      ]),
    };
  };

  const stableImage = (of: (index: number) => string, {details}: RunFacts): StableImage => {
    const difference = details?.get(of(10))?.difference;
    return {
      ref: of(1),
      digest: of(2),
      atTag: 'other',
      commit: {sha: of(3), subject: of(4)},
      created: of(5),
      ...(difference === undefined ? {} : {difference}),
    };
  };
  const hostilePromotion = (of: (index: number) => string) => ({
    report: {
      outcome: 'failed' as const,
      results: [
        {
          move: {
            name: of(1),
            source: of(2),
            target: of(3),
            before: {digest: of(4), bytes: new Uint8Array(), mediaType: of(5)},
            after: undefined,
            revision: of(6),
            builtAs: of(7),
            isExtra: false,
          },
          state: 'failed' as const,
          shows: {state: 'present', digest: of(8)} as const,
          failure: failure('permission', of(9), {hint: of(10)}),
        },
      ],
    },
    source: of(11),
    target: of(12),
    dryRun: false,
    warnings: [of(13)],
    problem: of(14),
  });

  it('makes no link, image, mention or HTML in any field of any page, and no other diagram', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, {minLength: 40, maxLength: 40}), async (words) => {
        // What is linked must be an address; a stranger does not choose it.
        const of = (index: number): string =>
          [20, 22].includes(index) ? `not ${words[index]}` : (words[index] ?? '');
        const facts = hostile(of);
        const refused = refusedSummaryPage({
          title: of(0),
          causes: [of(1), `${of(2)}:1:2: ${of(3)}`],
          hint: of(4),
          tail: [of(5)],
        });
        for (const page of [
          summaryPage(facts),
          commentBody(facts),
          planSummaryPage(facts.plan, {
            ...(facts.run === undefined ? {} : {run: facts.run}),
            stable: new Map([[of(0), stableImage(of, facts)]]),
          }),
          promotionSummaryPage(hostilePromotion(of)),
          refused,
        ]) {
          const {links, ...rest} = liveIn(page);
          expect(links.filter((link) => link !== docsUrl('troubleshooting'))).toEqual([]);
          expect(rest).toEqual({images: 0, foreign: [], references: []});
          for (const diagram of diagramsOf(page)) await parseDiagram(diagram);
        }
      }),
      {numRuns: 60},
    );
  }, 120_000);

  it('stays fast', () => {
    const long = ' '.repeat(80_000);
    summaryPage(hostile(() => `x${long}y`));
    summaryPage(hostile(() => `${'\\|'.repeat(40_000)}`));
    summaryPage(hostile(() => `${':'.repeat(80_000)}`));
    summaryPage(hostile(() => `${'`'.repeat(80_000)}`));
  });
});
