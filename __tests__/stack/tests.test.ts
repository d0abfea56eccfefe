import {describe, expect, it} from 'vitest';
import {parseSpec} from '../../src/stack/spec/index.ts';
import {omittedTests, strayTests} from '../../src/stack/tests.ts';

const warnings = (keys: string, ...files: readonly string[]): readonly string[] => {
  return strayTests(files, specOf(keys));
};

function specOf(keys: string) {
  const text = `images:\n  tools: {image_name: ghcr.io/o/tools${keys}}\ntag: {prefix: "1"}\n`;
  return parseSpec({file: 'images/spec.yml', text, stackDir: 'images', tagPrefix: undefined});
}

it.each([
  ['', 'images/tools/test/test_a.py', true],
  ['', 'images/tests_common/test_a.py', true],
  [', tests: {paths: [checks]}', 'checks/a', true],
  ['', 'images/tools/README.md', false],
  ['', 'images/other/test/test_a.py', false],
])('tests that are in the commit and not in the checkout%s: %s: %s', (keys, file, isOne) => {
  expect(omittedTests([file], specOf(keys), 'images').join()).toBe(
    isOne
      ? `images/spec.yml:2:3: tests of image "tools" are not checked out: ${file}. Without them it would pass. Add them to "sparse-checkout" of actions/checkout.`
      : '',
  );
});

describe('tests that nothing runs', () => {
  it.each([
    'images/tools/test_tools.py',
    'images/tools/tools_test.py',
    'images/tools/testing/test_a.py',
    'images/tools/Test/test_a.py',
  ])('have a warning with what to do: %s', (file) => {
    expect(warnings('', file)).toEqual([
      `images/spec.yml:2:3: tests of image "tools" are not run: ${file}. Move them to images/tools/test/, or list them in "tests.paths".`,
    ]);
  });

  it('are those of integration_tests/ without the key', () => {
    const file = 'images/tools/integration_tests/test_a.py';
    expect(warnings('', file)[0]).toContain('Write "integration_tests: true" there.');
    expect(warnings(', integration_tests: true', file)).toEqual([]);
  });

  it('are named once for an image, and not all of them', () => {
    const files = [1, 2, 3, 4, 5].map((one) => `images/tools/test_${one}.py`);
    expect(warnings('', ...files)).toHaveLength(1);
    expect(warnings('', ...files)[0]).toContain('test_3.py and 2 more.');
  });

  it.each([
    ['', 'images/tools/test/test_a.py'],
    ['', 'images/tools/tests/deep/test_a.py'],
    ['', 'images/tools/app/vendor/test_a.py'],
    ['', 'images/tests_common/test_a.py'],
    ['', 'images/tools/conftest.py'],
    [', tests: {paths: [images/tools/test_a.py]}', 'images/tools/test_a.py'],
    [', tests: {command: ./check.sh}', 'images/tools/test_a.py'],
  ])('are none of these: %s %s', (keys, file) => {
    expect(warnings(keys, file)).toEqual([]);
  });
});
