import {describe, expect, it} from 'vitest';
import type {Docker} from '../../../src/adapters/docker/types.ts';
import type {StepContext} from '../../../src/build/steps/context.ts';
import {ok} from '../../../src/failure.ts';
import {fileNameOf, labels} from '../../../src/image/tags.ts';
import type {PlannedImage} from '../../../src/plan/types.ts';
import type {StepName} from '../../../src/schedule/steps.ts';
import type {ImageSpec} from '../../../src/stack/spec/types.ts';
import {recordFor} from '../../support/builders/records.ts';
import {labelsOf, published} from '../../support/builders/stack.ts';
import {fakeRecords, pushedDigest} from '../../support/fakes/step-ports.ts';
import {
  failed,
  fingerprint,
  planned,
  proofOf,
  sourceAt,
  standingDigest,
  testsHash,
  useSteps,
} from '../../support/rig/steps.ts';

const {calls, go, open, program, read, refusals, write, written} = useSteps();

const proof = `put ${proofOf('a')}`;
const page = `manifests/${fileNameOf('r.io/a:1-topic')}.md`;
const whole = ['build', 'test', 'push', 'integration-test', 'manifest'] as const;
const info = [{name: 'PIP', description: 'Packages', command: 'pip list', words: ['pip', 'list']}];

/** What was remembered in the registry, in order. */
const remembered = (): readonly string[] => calls.filter((call) => /^(?:put|record) /.test(call));

function withIntegration(more: Partial<PlannedImage> = {}, spec: Partial<ImageSpec> = {}) {
  write('images/a/integration_tests/test_it.py', '');
  return [planned('a', more, {integrationTests: true, ...spec})];
}

/** Pytest that fails integration tests, or all. */
function pytestFails(only = ''): void {
  program('pytest', 0, `case "$*" in *${only}*) echo "== 1 failed in 0.1s =="; exit 1;; esac`);
}

describe('an image without integration tests', () => {
  it('is proved by its push, and recorded once its page is made', async () => {
    program('pytest', 0, 'echo "== 3 passed in 0.1s =="');
    write('images/a/test/test_a.py', '');
    expect((await go(['build', 'test'])).failure).toBeUndefined();
    expect(remembered()).toEqual([]);
    expect((await go(['build', 'test', 'push'])).failure).toBeUndefined();
    expect(remembered()).toEqual([proof]);
    calls.splice(0);
    expect((await go(['build', 'test', 'push', 'manifest'])).failure).toBeUndefined();
    expect(remembered()).toEqual([proof, `record passed ${pushedDigest}`]);
    expect(written()[0]).toMatchObject({
      image: 'a',
      repository: 'r.io/a',
      reference: 'r.io/a:1-topic',
      digest: pushedDigest,
      fingerprint,
      commit: 'abc',
      subject: 'Add numpy',
      tests: {
        hash: testsHash,
        verdict: 'passed',
        counts: {passed: 3, failed: 0, skipped: 0},
        run: {id: '77'},
      },
      layers: [{createdBy: 'RUN true', size: 117}],
      seconds: {build: 0, test: 0, push: 0},
    });
    expect(written()[0]?.tests).not.toHaveProperty('none');
  });

  it('says in its record that there were no tests', async () => {
    await go(['build', 'test', 'push', 'manifest']);
    expect(written()[0]?.tests).toMatchObject({verdict: 'passed', none: true});
  });

  it('is neither proved nor recorded when its tests failed before the push', async () => {
    pytestFails();
    write('images/a/test/test_a.py', '');
    expect((await go(whole)).failure).toMatchObject({class: 'test-failed'});
    expect(remembered()).toEqual([]);
  });

  it.each([
    ['a run that does not push', {context: {push: false}}],
    ['publish: false', {images: [planned('a', {}, {publish: false})]}],
  ])('has a page, and nothing in the registry, with %s', async (_, setting) => {
    expect((await go(['build', 'test', 'manifest'], setting)).failure).toBeUndefined();
    expect(remembered()).toEqual([]);
    expect(read(page)).toContain('# r.io/a:1-topic');
  });

  it.each([
    ['passed', 0],
    ['failed', 1],
  ] as const)(
    'that is not published leaves its verdict in another repository: %s',
    async (verdict, code) => {
      const memory = {repository: 'r.io/child', digest: `sha256:${'c'.repeat(64)}`};
      const images = [planned('a', {memory}, {publish: false})];
      write('images/a/test/test_a.py', '');
      program('pytest', code);
      await go(['build', 'test'], {images});
      expect(remembered()).toEqual([`record ${verdict} ${memory.digest}`]);
      expect(written()[0]).toMatchObject({
        ...memory,
        image: 'a',
        reference: 'r.io/a:1-topic',
        tests: {hash: testsHash, verdict},
      });
      calls.splice(0);
      await go(['build', 'test'], {images, context: {push: false}});
      expect(remembered()).toEqual([]);
      calls.splice(0);
      write('images/a/integration_tests/test_it.py', '');
      const whole = [planned('a', {memory}, {publish: false, integrationTests: true})];
      program('pytest', code, 'case "$*" in *integration*) exit 1;; *) exit 0;; esac');
      await go(['build', 'test', 'integration-test'], {images: whole});
      expect(remembered()).toEqual([`record failed ${memory.digest}`]);
    },
  );

  it('keeps secrets out of its record and its page', async () => {
    const history: Docker['history'] = async () => ({
      ok: true,
      value: [{createdBy: 'RUN echo hunter2', size: 1}],
    });
    await go(['build', 'push', 'manifest'], {docker: {history}});
    expect(JSON.stringify(written())).toContain('RUN echo ***');
    expect(read(page)).toContain('RUN echo &#42;&#42;&#42;');
    expect(JSON.stringify(written()) + read(page)).not.toContain('hunter2');
  });

  it('has its further tags once it is proved, and not before', async () => {
    const context: Partial<StepContext> = {extraTags: () => ['latest', '2026-11-25']};
    await go(['build', 'push'], {context});
    expect(remembered()).toEqual([proof, 'put r.io/a:latest', 'put r.io/a:2026-11-25']);
    calls.splice(0);
    await go(['build', 'push'], {context, images: withIntegration()});
    expect(remembered()).toEqual([]);
  });

  it('is not called proved when the registry does not take the proof', async () => {
    const registry = {put: async () => failed('registry-unavailable')};
    const {failure} = await go(['build', 'push', 'manifest'], {registry});
    expect(failure).toMatchObject({class: 'registry-unavailable'});
    expect(remembered()).toEqual([]);
  });
});

describe('an image with integration tests', () => {
  it('is proved and recorded after them, not before', async () => {
    program('pytest', 0);
    const images = withIntegration();
    await go(['build', 'test', 'push', 'manifest'], {images});
    expect(remembered()).toEqual([]);
    expect((await go(whole, {images})).failure).toBeUndefined();
    expect(remembered()).toEqual([proof, `record passed ${pushedDigest}`]);
  });

  it('is recorded by the tests when the page was made first', async () => {
    program('pytest', 0);
    await go(['build', 'test', 'push', 'manifest', 'integration-test'], {
      images: withIntegration(),
    });
    expect(remembered()).toEqual([proof, `record passed ${pushedDigest}`]);
    expect(written()[0]?.layers).toHaveLength(1);
    expect(read(page)).toContain('# r.io/a:1-topic');
  });

  it('is recorded as failed at once, and has no proof, when they fail', async () => {
    pytestFails('integration_tests');
    const {failure, tests} = await go(whole, {images: withIntegration()});
    expect(failure).toMatchObject({class: 'test-failed'});
    expect(tests).toEqual({passed: 0, failed: 1, skipped: 0});
    expect(remembered()).toEqual([`record failed ${pushedDigest}`]);
    expect(written()[0]?.tests).toMatchObject({verdict: 'failed', hash: testsHash});
  });

  it.each([
    ['the engine is lost', 'daemon-lost'],
    ['the run is cancelled', 'cancelled'],
  ] as const)('has no verdict when %s while they run', async (_, kind) => {
    program('pytest', 1);
    const docker: Partial<Docker> = {diagnose: async (cause) => ({...cause, class: kind})};
    const {failure} = await go(whole, {images: withIntegration(), docker});
    expect(failure).toMatchObject({class: kind});
    expect(remembered()).toEqual([]);
  });
});

describe('an image that is tested again', () => {
  const own = {fingerprint: `sha256:${'ab'.repeat(32)}`, content: `sha256:${'cd'.repeat(32)}`};
  const source = sourceAt('r.io/a:1-topic', own);
  const again = planned('a', {action: 'test', source});
  const steps: readonly StepName[] = ['pull', 'test', 'manifest'];
  const ownProof = 'put r.io/a:fp-abababababababab-7e577e57';

  it('is proved by its own fingerprint, on its own digest', async () => {
    program('pytest', 0);
    write('images/a/test/test_a.py', '');
    const put: string[] = [];
    const registry = {
      put: async (ref: string, manifest: {readonly digest: string}) => {
        put.push(`put ${ref} ${manifest.digest}`);
        return {ok: true, value: undefined} as const;
      },
    };
    expect((await go(steps, {images: [again], registry})).failure).toBeUndefined();
    expect(put).toEqual([`${ownProof} ${standingDigest}`]);
    expect(written()).toMatchObject([{digest: standingDigest, ...own, tests: {verdict: 'passed'}}]);
  });

  it('keeps what its record said, with the new verdict', async () => {
    program('pytest', 0);
    write('images/a/test/test_a.py', '');
    const before = recordFor('a', {
      digest: standingDigest,
      tests: {...recordFor('a').tests, verdict: 'failed'},
    });
    const records = fakeRecords(calls, new Map([[standingDigest, before]]));
    await go(steps, {images: [again], context: {records}});
    const {tests} = records.written[0] ?? before;
    const verdicts = [
      {...before.tests, tag: '2026.3-main'},
      {...tests, tag: '1-topic'},
    ];
    expect(records.written).toEqual([{...before, tests, verdicts}]);
    expect(tests).toMatchObject({verdict: 'passed', hash: testsHash, run: {id: '77'}});
  });

  it.each([
    ['its tests', [again], 'images/a/test/test_a.py', ['pull', 'test']],
    [
      'its integration tests',
      [planned('a', {action: 'test', source}, {integrationTests: true})],
      'images/a/integration_tests/test_i.py',
      ['pull', 'test', 'integration-test'],
    ],
  ] as const)(
    'is recorded as failed, with no proof, when %s fail',
    async (_, images, test, names) => {
      pytestFails();
      write(test, '');
      const before = recordFor('a', {digest: standingDigest});
      const records = fakeRecords(calls, new Map([[standingDigest, before]]));
      const {failure} = await go(names, {images, context: {records}});
      expect(failure).toMatchObject({class: 'test-failed'});
      expect(remembered()).toEqual([`record failed ${standingDigest}`]);
      expect(records.written[0]).toMatchObject({info: before.info, commit: before.commit});
    },
  );

  it('is proved without tests where there are none', async () => {
    expect((await go(steps, {images: [again]})).notes).toEqual([]);
    expect(remembered()).toEqual([ownProof, `record passed ${standingDigest}`]);
  });

  it('leaves the registry alone in a run that does not push', async () => {
    const done = await go(steps, {images: [again], context: {push: false}});
    expect(done.failure).toBeUndefined();
    expect(remembered()).toEqual([]);
    expect(read(page)).toContain('# r.io/a:1-topic');
  });
});

describe('the page of an image that is reused', () => {
  const source = sourceAt(proofOf('a'));
  const images = [planned('a', {action: 'reuse', source}, {infoCommands: info})];
  const noDocker: Partial<Docker> = {
    pull: () => Promise.reject(new Error('it was pulled')),
    run: () => Promise.reject(new Error('it was run')),
    history: () => Promise.reject(new Error('its history was read')),
  };

  it('comes from its record, under its new reference, without docker', async () => {
    const record = recordFor('a', {
      digest: standingDigest,
      info: [
        {name: 'PIP', description: 'Packages', command: 'pip list', exitCode: 0, output: 'numpy 2'},
      ],
    });
    const records = fakeRecords(calls, new Map([[standingDigest, record]]));
    const done = await go(['reuse', 'manifest'], {images, docker: noDocker, context: {records}});
    expect(done.failure).toBeUndefined();
    expect(read(page)).toContain('# r.io/a:1-topic');
    expect(read(page)).toContain('numpy 2');
    expect(done.facts).toEqual({digest: standingDigest, size: record.size});
    expect(records.written).toEqual([]);
  });

  it('is made by a pull where there is no record', async () => {
    const done = await go(['reuse', 'manifest'], {images});
    expect(done.failure).toBeUndefined();
    expect(calls).toContain(`pull r.io/a@${standingDigest}`);
    expect(read(page)).toContain('# r.io/a:1-topic');
    expect(read(page)).toContain('pip list');
    expect(done.facts.size).toBe(117);
    // Nothing was tested in this run.
    expect(written()).toEqual([]);
  });
});

describe('a registry that refuses records', () => {
  const records = {read: async () => undefined, write: async () => failed('permission')};

  it('fails no image, and the run is told of each refusal, once an image', async () => {
    const images = [planned('a'), planned('b')];
    const steps = open(images, {context: {records}});
    for (const image of images) {
      for (const step of ['build', 'test', 'push', 'manifest'] as const) {
        const {failure} = await steps.runStep(image, step, new AbortController().signal);
        expect(failure).toBeUndefined();
      }
    }
    expect(refusals).toEqual(['no', 'no']);
    expect(remembered()).toContain(proof);
    expect(read(page)).toContain('# r.io/a:1-topic');
  });

  it('says nothing of the tests that failed but their failure', async () => {
    pytestFails('integration_tests');
    const {failure} = await go(whole, {images: withIntegration(), context: {records}});
    expect(failure).toMatchObject({class: 'test-failed'});
    expect(refusals).toEqual(['no']);
  });
});

describe('a red verdict that the registry does not take', () => {
  const records = {read: async () => undefined, write: async () => failed('permission')};
  const older = `sha256:${'01de'.repeat(16)}`;

  /** The tags that are deleted, and what is said, after a retest that was red. */
  async function retest(deletes: boolean, digest = standingDigest) {
    write('images/a/test/test_a.py', '');
    pytestFails();
    const deleted: string[] = [];
    const said: string[] = [];
    const tests = {[labels.fingerprint]: fingerprint, [labels.tests]: older};
    const {failure} = await go(['pull', 'test'], {
      images: [planned('a', {action: 'test', source: sourceAt('r.io/a:1-topic')})],
      registry: {
        inspect: async () => published('a', {digest: standingDigest, labels: labelsOf('a', tests)}),
        head: async (ref) =>
          /:fp-.*-01de01de$|:rec-/.test(ref) ? {state: 'present', digest} : {state: 'absent'},
        deleteTag: async (ref) => {
          deleted.push(ref);
          return ok(deletes);
        },
      },
      context: {
        records,
        emit: (event) => {
          if (event.kind === 'warning') said.push(event.message);
        },
      },
    });
    expect(failure).toMatchObject({class: 'test-failed'});
    return {deleted, said};
  }

  const proofs = ['r.io/a:fp-0123456789abcdef-01de01de', 'r.io/a:rec-3333333333333333'];

  it('takes the older green one away', async () => {
    expect(await retest(true)).toEqual({deleted: proofs, said: []});
  });

  it('is told where that cannot be done', async () => {
    const {said} = await retest(false);
    expect(said).toEqual([expect.stringContaining(proofs.join(', '))]);
  });

  it('leaves the proof of another image alone', async () => {
    expect((await retest(true, pushedDigest)).deleted).toEqual([proofs[1]]);
  });
});

it('writes the record beside the page, for the artifact', async () => {
  await go(['build', 'push', 'manifest'], {images: [planned('a', {}, {infoCommands: info})]});
  const text = read(page.replace(/md$/, 'json'));
  expect(JSON.parse(text)).toMatchObject({image: 'a', digest: pushedDigest});
});

it('compares with the stable image under its stable tag, whatever that was built as', async () => {
  const stable = recordFor('a', {digest: standingDigest, reference: 'r.io/a:1-main'});
  const records = fakeRecords(calls, new Map([[standingDigest, stable]]));
  const head = async (ref: string) =>
    ref === 'r.io/a:1-stable'
      ? ({state: 'present', digest: standingDigest} as const)
      : ({state: 'absent'} as const);
  await go(['build', 'test', 'push', 'manifest'], {registry: {head}, context: {records}});
  expect(read(page)).toContain('## Changes since <code>r.io/a:1-stable</code>');
});
