import {createChance} from '../__tests__/support/builders/chance.ts';
import {plannedImage} from '../__tests__/support/builders/simulation.ts';
import type {PlannedImage} from '../src/plan/index.ts';

/** Graphs laid out as public stacks are; times are made, the same in every run. */
export interface PublicGraph {
  readonly name: string;
  readonly images: readonly PlannedImage[];
}

/** The same numbers in every run: a table that is written anew differs only where the code does. */
function createRandom(seed: number): () => number {
  const chance = createChance(seed);
  return () => chance.upTo(2 ** 30) / 2 ** 30;
}

type Parents = readonly (readonly [name: string, parents: readonly string[], minutes: number])[];

function graph(name: string, rows: Parents): PublicGraph {
  const images = rows.map(([image, parents, minutes]) =>
    plannedImage(image, parents, 'build', Math.round(minutes * 60)),
  );
  return {name, images};
}

/** After jupyter/docker-stacks: one chain with branches, every image larger than its parent. */
export function notebooks(): PublicGraph {
  return graph('notebooks (14 images)', [
    ['foundation', [], 4],
    ['base', ['foundation'], 3],
    ['minimal', ['base'], 6],
    ['r', ['minimal'], 8],
    ['julia', ['minimal'], 9],
    ['scipy', ['minimal'], 7],
    ['datascience', ['scipy'], 12],
    ['tensorflow', ['scipy'], 6],
    ['tensorflow-cuda', ['scipy'], 10],
    ['pytorch', ['scipy'], 6],
    ['pytorch-cuda12', ['scipy'], 11],
    ['pytorch-cuda13', ['scipy'], 11],
    ['pyspark', ['scipy'], 6],
    ['all-spark', ['pyspark'], 7],
  ]);
}

/** After base images of languages: a few roots, versions and variants of each below them. */
export function languages(): PublicGraph {
  const random = createRandom(50);
  const rows: [string, readonly string[], number][] = [['os', [], 2]];
  for (const language of ['python', 'node', 'go', 'java', 'ruby', 'php', 'r']) {
    rows.push([language, ['os'], 2 + 6 * random()]);
    for (const version of ['old', 'stable', 'next']) {
      rows.push([`${language}-${version}`, [language], 2 + 8 * random()]);
      rows.push([`${language}-${version}-dev`, [`${language}-${version}`], 1 + 3 * random()]);
    }
  }
  return graph(`languages (${rows.length} images)`, rows);
}

/** After kolla: base, a common base of many services, each with a base and some parts of its own. */
export function services(): PublicGraph {
  const random = createRandom(170);
  const rows: [string, readonly string[], number][] = [
    ['base', [], 4],
    ['common-base', ['base'], 9],
  ];
  for (let index = 0; rows.length < 130; index++) {
    const service = `service${index}`;
    rows.push([`${service}-base`, ['common-base'], 1.5 + 3 * random()]);
    const parts = 1 + Math.floor(6 * random());
    for (let part = 0; part < parts; part++)
      rows.push([`${service}-part${part}`, [`${service}-base`], 0.5 + 1.5 * random()]);
  }
  while (rows.length < 170) rows.push([`tool${rows.length}`, ['base'], 0.5 + 3 * random()]);
  return graph(`services (${rows.length} images)`, rows);
}

/** A monorepo of 500: several roots, depth up to 7, most images small and some an hour long. */
export function monorepo(): PublicGraph {
  const random = createRandom(500);
  const rows: [string, readonly string[], number][] = [];
  const depth: number[] = [];
  while (rows.length < 500) {
    const index = rows.length;
    const parent = index < 6 ? -1 : Math.floor(random() ** 2 * index);
    const isDeep = parent >= 0 && (depth[parent] ?? 0) >= 7;
    depth.push(parent < 0 || isDeep ? 0 : (depth[parent] ?? 0) + 1);
    const minutes = random() < 0.03 ? 20 + 40 * random() : 0.5 + 5 * random() ** 2;
    rows.push([`image${index}`, parent < 0 || isDeep ? [] : [`image${parent}`], minutes]);
  }
  return graph(`monorepo (${rows.length} images)`, rows);
}
