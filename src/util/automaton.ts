/**
 * Patterns as automata: every text is read once, from left to right, whatever the pattern is. A backtracking regular
 * expression takes exponential time for a pattern such as `*a*a*a*b`, and users write patterns.
 */

/** A pattern, put together from parts. Characters are code points. */
export type Part =
  | {readonly kind: 'one'; readonly test: (char: number) => boolean}
  | {readonly kind: 'sequence'; readonly parts: readonly Part[]}
  | {readonly kind: 'choice'; readonly options: readonly Part[]}
  /** Any number of times, none included. */
  | {readonly kind: 'many'; readonly part: Part}
  /** Takes no character, but holds only here. */
  | {readonly kind: 'place'; readonly holds: (place: Place) => boolean};

/** Between two characters: undefined is the beginning or the end. */
export interface Place {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export interface Matcher {
  /** Whether the whole text matches. */
  matches(text: string): boolean;
  /** Whether a text that begins like this could match, so that looking further makes sense. */
  mayBegin(text: string): boolean;
}

export const one = (test: (char: number) => boolean): Part => ({kind: 'one', test});
export const sequence = (...parts: readonly Part[]): Part => ({kind: 'sequence', parts});
export const choice = (...options: readonly Part[]): Part => ({kind: 'choice', options});
export const many = (part: Part): Part => ({kind: 'many', part});
export const optional = (part: Part): Part => choice(part, sequence());

export function literal(text: string): Part {
  return sequence(...[...text].map((char) => isChar(char.codePointAt(0) ?? 0)));
}

export function isChar(char: number): Part {
  return one((other) => other === char);
}

const slash = 47;

/** Any character but `/`. */
export const notSlash = one((char) => char !== slash);

type Node =
  | {readonly kind: 'one'; readonly test: (char: number) => boolean; readonly next: number}
  | {readonly kind: 'split'; readonly next: readonly number[]}
  | {readonly kind: 'place'; readonly holds: (place: Place) => boolean; readonly next: number}
  | {readonly kind: 'end'};

/** Where the automaton may be after some text; made when it is first needed. */
interface State {
  /** Before splits and places are followed, because a place depends on the next character. */
  readonly kernel: readonly number[];
  readonly before: number | undefined;
  readonly next: Map<number, State>;
  isEnd: boolean | undefined;
}

/** So many steps are remembered before memory is given back: a pattern and names can be made to need any number. */
const mostSteps = 20_000;

export function compileMatcher(part: Part): Matcher {
  const nodes: Node[] = [{kind: 'end'}];
  const first = addPart(nodes, part, 0);
  const hasPlaces = nodes.some(({kind}) => kind === 'place');
  let states = new Map<string, State>();
  let steps = 0;

  const stateOf = (kernel: readonly number[], before: number | undefined): State => {
    // What came before matters to places only.
    const known = hasPlaces ? before : undefined;
    const key = `${known} ${kernel}`;
    const found = states.get(key);
    if (found !== undefined) return found;
    const made = {kernel, before: known, next: new Map(), isEnd: undefined};
    states.set(key, made);
    return made;
  };
  const step = (state: State, char: number): State => {
    const found = state.next.get(char);
    if (found !== undefined) return found;
    const kernel = new Set<number>();
    for (const at of follow(nodes, state.kernel, {before: state.before, after: char})) {
      const node = nodes[at];
      if (node?.kind === 'one' && node.test(char)) kernel.add(node.next);
    }
    if (++steps > mostSteps) {
      states = new Map();
      steps = 0;
    }
    const next = stateOf(
      [...kernel].sort((a, b) => a - b),
      char,
    );
    state.next.set(char, next);
    return next;
  };
  const read = (text: string): State | undefined => {
    let state = stateOf([first], undefined);
    for (const char of text) {
      state = step(state, char.codePointAt(0) ?? 0);
      if (state.kernel.length === 0) return undefined;
    }
    return state;
  };
  return {
    matches: (text) => {
      const state = read(text);
      if (state === undefined) return false;
      state.isEnd ??= follow(nodes, state.kernel, {before: state.before, after: undefined}).has(0);
      return state.isEnd;
    },
    mayBegin: (text) => read(text) !== undefined,
  };
}

/** Adds what a part needs before the node `next`; the answer is where it begins. */
function addPart(nodes: Node[], part: Part, next: number): number {
  switch (part.kind) {
    case 'one':
      return nodes.push({kind: 'one', test: part.test, next}) - 1;
    case 'place':
      return nodes.push({kind: 'place', holds: part.holds, next}) - 1;
    case 'sequence':
      return part.parts.reduceRight((end, one) => addPart(nodes, one, end), next);
    case 'choice':
      return (
        nodes.push({
          kind: 'split',
          next: part.options.map((option) => addPart(nodes, option, next)),
        }) - 1
      );
    case 'many': {
      const targets: number[] = [next];
      const loop = nodes.push({kind: 'split', next: targets}) - 1;
      targets.push(addPart(nodes, part.part, loop));
      return loop;
    }
  }
}

/** All nodes that are reached without a character. */
function follow(nodes: readonly Node[], kernel: readonly number[], place: Place): Set<number> {
  const reached = new Set(kernel);
  for (const at of reached) {
    const node = nodes[at];
    if (node?.kind === 'split') for (const next of node.next) reached.add(next);
    if (node?.kind === 'place' && node.holds(place)) reached.add(node.next);
  }
  return reached;
}
