import {parseSpec} from '../../../src/stack/spec/index.ts';
import {SpecError} from '../../../src/stack/yaml/findings.ts';

/** What parseSpec says of a text; empty when it is good. */
export function mistakesOf(text: string, tagPrefix?: string): readonly string[] {
  try {
    parseSpec({file: 'images/spec.yml', text, stackDir: 'images', tagPrefix});
  } catch (error) {
    if (error instanceof SpecError) return error.mistakes;
    throw error;
  }
  return [];
}
