import {join} from 'node:path/posix';
import {parseReference} from '../image/reference.ts';
import {variantOf} from '../image/tags.ts';
import {findUses, type ImageUse, readDockerfile} from '../stack/dockerfile/index.ts';
import type {ImageSpec, Spec} from '../stack/spec/index.ts';
import {byFolder, foldersOf, isPytestFile} from '../util/globs.ts';
import {type DoctorFacts, error, type Finding, note} from './types.ts';

/** What the spec and the Dockerfiles say together. */
export function examineImages(facts: DoctorFacts, spec: Spec): readonly Finding[] {
  const images = [...spec.images.values()].filter(({track}) => track === undefined);
  // Several images may share a repository, with a variant each.
  const owners = Map.groupBy(images, ({repository}) => repositoryOf(repository));
  const read = images.map((image) => ({image, ...readUses(facts, image)}));
  return [
    ...read.flatMap(({findings}) => findings),
    ...read.flatMap(({image, uses}) => edgesOf(spec, image, uses, owners)),
    ...read.flatMap(({image, uses}) => basesOf(image, uses, owners)),
    ...contextsOf(facts, images),
    ...testsOf(facts, images, spec),
    ...tagsOf(spec),
  ];
}

const howWords = {from: 'FROM', copy: 'COPY --from', mount: 'RUN --mount'} as const;

function readUses(
  {texts}: DoctorFacts,
  image: ImageSpec,
): {readonly uses: readonly ImageUse[]; readonly findings: readonly Finding[]} {
  const {dockerfile, platforms, target, key} = image;
  const text = texts.get(dockerfile);
  if (text?.ok !== true) {
    const why = text === undefined ? 'is not there' : `cannot be read: ${text.error}`;
    return {
      uses: [],
      findings: [
        error(
          dockerfile,
          `The Dockerfile of "${key}" ${why}`.replace(/\.?$/, '.'),
          'Add it, or set "context" and "dockerfile" of the image.',
        ),
      ],
    };
  }
  const parsed = readDockerfile(text.value);
  const found = findUses(parsed, {args: withBase(image), platforms, target});
  const problems = new Map(
    [...parsed.problems, ...found.problems].map(({line, message}) => [
      `${dockerfile}:${line}`,
      message,
    ]),
  );
  const findings = [...problems].map(([place, message]) =>
    error(
      place,
      `"${key}" cannot be built: ${message}`,
      'Mend the line; docker build stops there too.',
    ),
  );
  return {uses: found.images, findings};
}

/**
 * A child gets these from the action, and a root that should be one would get them; what they come to is of no
 * matter here.
 */
function withBase({buildArgs, parents, repository}: ImageSpec): ReadonlyMap<string, string> {
  const base = parents.length === 0 ? [] : [['BASE_IMAGE', `${repository}:tag`] as const];
  return new Map([['BASE_TAG', 'tag'], ...base, ...buildArgs]);
}

function repositoryOf(ref: string): string {
  const reference = parseReference(ref);
  return `${reference?.registry}/${reference?.repository}`;
}

function edgesOf(
  spec: Spec,
  image: ImageSpec,
  uses: readonly ImageUse[],
  owners: Owners,
): readonly Finding[] {
  // An empty list says that all of them are pinned on purpose.
  if (image.dependOn === 'empty') return [];
  const missing = new Map<string, ImageUse>();
  for (const use of uses) {
    const parent = ownerOf(use, owners);
    if (parent === undefined || parent === image.key || use.isPinned) continue;
    if (!image.parents.includes(parent) && !missing.has(parent)) missing.set(parent, use);
  }
  if (missing.size === 0) return [];
  const all = [...image.parents, ...missing.keys()];
  const places = [...missing].map(
    ([parent, use]) => `"${parent}" (${howWords[use.kind]} in ${image.dockerfile}:${use.line})`,
  );
  const line = all.length === 1 ? `depend_on: ${all[0]}` : `depend_on: [${all.join(', ')}]`;
  return [
    note(
      `${spec.file}:${image.position.line}`,
      `depend_on of "${image.key}" does not name ${places.join(', ')}.`,
      `Write there: ${line}`,
    ),
  ];
}

type Owners = ReadonlyMap<string, readonly ImageSpec[]>;

/** The image that a reference means; its tag tells which of several in one repository. */
function ownerOf(use: ImageUse, owners: Owners): string | undefined {
  const all = owners.get(repositoryOf(use.reference)) ?? [];
  return variantOf(all, parseReference(use.reference)?.tag ?? 'latest')?.key;
}

function basesOf(image: ImageSpec, uses: readonly ImageUse[], owners: Owners): readonly Finding[] {
  const seen = new Set<string>();
  return uses.flatMap((use) => {
    const reference = parseReference(use.reference);
    const place = `${image.dockerfile}:${use.line}`;
    if (reference === undefined || reference.digest !== undefined || seen.has(place)) return [];
    if (owners.has(repositoryOf(use.reference)) || (reference.tag ?? 'latest') !== 'latest')
      return [];
    if (image.parents.length > 0 && /\$\{?BASE_(?:TAG|IMAGE)\b/.test(use.written)) return [];
    seen.add(place);
    const bare = use.reference.replace(/:latest$/, '');
    // FROM base, where depend_on says that it is the one that is built here.
    if (image.parents.includes(bare)) return [];
    return [
      note(
        place,
        `${howWords[use.kind]} ${bare} has no tag or digest but "latest", so the image changes without a change here.`,
        `Write a version: ${bare}:<version>.`,
      ),
    ];
  });
}

function contextsOf({files}: DoctorFacts, images: readonly ImageSpec[]): readonly Finding[] {
  const known = new Set(files);
  const seen = new Set<string>();
  return images.flatMap(({context, dockerfile}) => {
    const ignore = join(context, '.dockerignore');
    if (known.has(ignore) || known.has(`${dockerfile}.dockerignore`) || seen.has(ignore)) return [];
    seen.add(ignore);
    const what =
      context === '.' ? 'the whole repository, .git included,' : `everything in ${context}`;
    return [
      note(
        ignore,
        `There is no such file, so ${what} can be copied into the image.`,
        'Write one that lists what no build needs: .git, test/, *.md.',
      ),
    ];
  });
}

const folders = /^(?:test|tests|integration_tests)\//;

function testsOf(
  {files, stackDir}: DoctorFacts,
  images: readonly ImageSpec[],
  spec: Spec,
): readonly Finding[] {
  const places = new Map<string, Finding>();
  const tests = byFolder(files.filter(isPytestFile));
  const listed = new Set(images.flatMap((image) => image.tests.paths));
  const own = new Set(images.map(({folder}) => folder));
  // Two images may have the same context: it is enough that one of them runs the file.
  const isRun = (file: string): boolean => {
    const above = foldersOf(file);
    return (
      [file, ...above].some((path) => listed.has(path)) ||
      above.some((folder) => own.has(folder) && folders.test(file.slice(folder.length + 1)))
    );
  };
  for (const image of images) {
    if (image.tests.words !== undefined) continue;
    const roots = [
      image.folder,
      ...(image.context === '.' || image.context === stackDir ? [] : [image.context]),
    ];
    for (const file of new Set(roots.flatMap((root) => tests.get(root) ?? []))) {
      const root = roots.find((one) => file.startsWith(`${one}/`)) ?? image.folder;
      const rest = file.slice(root.length + 1);
      const isIntegration = rest.startsWith('integration_tests/') && root === image.folder;
      if (isIntegration && !image.integrationTests) {
        const place = join(image.folder, 'integration_tests');
        places.set(
          place,
          note(
            `${spec.file}:${image.position.line}`,
            `Nothing runs the tests in ${place}: "${image.key}" has no integration_tests.`,
            'Write there: integration_tests: true',
          ),
        );
      } else if (root !== image.folder || !folders.test(rest)) {
        if (!isRun(file))
          places.set(
            file,
            note(
              file,
              `Nothing runs this test: those of "${image.key}" are in ${image.folder}/test.`,
              `Move it there: git mv ${file} ${image.folder}/test/`,
            ),
          );
      }
    }
  }
  return [...places.values()];
}

/** `2026.3` on the branch `gpu-main` is `2026.3-gpu` on the branch `main`. */
function tagsOf(spec: Spec): readonly Finding[] {
  const prefixes = [...new Set([...spec.images.values()].map(({tagPrefix}) => tagPrefix))];
  return prefixes.flatMap((long) =>
    prefixes.flatMap((short) => {
      if (!long.startsWith(`${short}-`)) return [];
      const rest = long.slice(short.length + 1);
      return [
        note(
          `${spec.file}:1`,
          `The tags of prefix "${short}" and "${long}" can collide: a branch "${rest}-stable" would be built as ${long}-stable.`,
          `Choose prefixes of which none begins another with "-": "${rest}-${short}".`,
        ),
      ];
    }),
  );
}
