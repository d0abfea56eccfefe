import {
  DockerfileParser,
  type Instruction,
  type ModifiableInstruction,
  type PropertyInstruction,
} from 'dockerfile-ast';
import type {Position} from '../yaml/index.ts';

/** What a Dockerfile says about the images it needs; everything else is left out. */
export interface Dockerfile {
  readonly escapeChar: string;
  readonly lines: readonly DockerfileLine[];
  readonly problems: readonly DockerfileProblem[];
}

export interface DockerfileProblem {
  readonly position: Position;
  readonly message: string;
}

/** Words are as written, with variables and quotes. */
export type DockerfileLine =
  | {readonly kind: 'arg'; readonly args: readonly ArgDefault[]}
  | ({readonly kind: 'from'; readonly stage: string | undefined} & WrittenImage)
  | ({readonly kind: 'copy' | 'mount'} & WrittenImage);

export interface ArgDefault {
  readonly name: string;
  readonly value: string | undefined;
}

export interface WrittenImage {
  readonly image: string;
  readonly position: Position;
}

/** Reads a Dockerfile without any value for its ARGs. What docker would refuse is in `problems`. */
export function readDockerfile(text: string): Dockerfile {
  const lines: DockerfileLine[] = [];
  const problems: DockerfileProblem[] = [];
  const parsed = parse(text);
  if (parsed === undefined) {
    problems.push({position: {line: 1, column: 1}, message: 'is no Dockerfile.'});
    return {escapeChar: '\\', lines, problems};
  }
  const escapeChar = parsed.getEscapeCharacter();
  let hasStage = false;
  for (const instruction of parsed.getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') {
      hasStage = true;
      readFrom(instruction, lines, problems);
    } else if (keyword === 'ARG') lines.push({kind: 'arg', args: readArgs(instruction)});
    else if (!hasStage) {
      const message = `${keyword} stands before the first FROM. Only ARG may.`;
      problems.push({position: positionOf(instruction.getRange()), message});
    } else if (keyword === 'COPY' || keyword === 'RUN') lines.push(...readFlags(instruction));
  }
  if (!hasStage && problems.length === 0) {
    problems.push({position: {line: 1, column: 1}, message: 'there is no FROM. Add one.'});
  }
  return {escapeChar, lines, problems};
}

/** The parser is made for editors and takes nearly everything; should it fail, the user's file is the cause. */
function parse(text: string): ReturnType<typeof DockerfileParser.parse> | undefined {
  try {
    return DockerfileParser.parse(text);
  } catch {
    return undefined;
  }
}

function readFrom(
  instruction: Instruction,
  lines: DockerfileLine[],
  problems: DockerfileProblem[],
): void {
  const [image, as, stage] = instruction.getArguments();
  if (image === undefined) {
    const position = positionOf(instruction.getRange());
    problems.push({position, message: 'FROM names no image. Add one.'});
    return;
  }
  lines.push({
    kind: 'from',
    image: image.getValue(),
    stage: as?.getValue().toUpperCase() === 'AS' ? stage?.getValue() : undefined,
    position: positionOf(image.getRange()),
  });
}

function readArgs(instruction: Instruction): readonly ArgDefault[] {
  if (!hasProperties(instruction)) return [];
  return instruction.getProperties().map((property) => ({
    name: property.getName(),
    value: property.getUnescapedValue() ?? undefined,
  }));
}

/** `--from` of a COPY, `from=` in every `--mount` of a RUN. */
function readFlags(instruction: Instruction): readonly DockerfileLine[] {
  // Long RUN lines are most of a Dockerfile, and splitting them into words costs most of the time.
  if (!hasFlags(instruction) || !instruction.getTextContent().includes('from=')) return [];
  return instruction.getFlags().flatMap((flag): readonly DockerfileLine[] => {
    const value = flag.getValue() ?? '';
    const range = flag.getValueRange();
    if (range === null) return [];
    const position = positionOf(range);
    if (flag.getName() === 'from') return [{kind: 'copy', image: value, position}];
    const from = /(?:^|,)from=([^,]*)/.exec(value)?.[1];
    return flag.getName() === 'mount' && from ? [{kind: 'mount', image: from, position}] : [];
  });
}

function hasProperties(instruction: Instruction): instruction is PropertyInstruction {
  return 'getProperties' in instruction;
}

function hasFlags(instruction: Instruction): instruction is ModifiableInstruction {
  return 'getFlags' in instruction;
}

interface Range {
  readonly start: {readonly line: number; readonly character: number};
}

function positionOf({start}: Range): Position {
  return {line: start.line + 1, column: start.character + 1};
}
