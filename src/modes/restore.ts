import {fail, ok, type Result} from '../failure.ts';
import {
  checkRestore,
  type FactPorts,
  largestPromotionFile,
  parsePromotion,
  planRestore,
  type RestoreRequest,
  type TagPlan,
} from '../promote/index.ts';
import type {Run} from '../run/index.ts';
import type {Stack} from '../stack/index.ts';
import type {Promotion} from '../wiki/index.ts';

/** What a run of `mode: tag` is about to do: a promotion, or the undoing of one. */
export interface Wish {
  /** For the words of the log. */
  readonly what: 'promotion' | 'restore';
  /** The tag that is promoted; undefined where a promotion is undone. */
  readonly source?: string;
  /** The tag that the set gets, or got. */
  readonly tag: string | undefined;
  readonly target: Promotion['target'];
  readonly plan: TagPlan;
  readonly promotion: Promotion;
}

/** Reads the promotion.json that the input `restore` names; what is wrong with it comes back as one sentence. */
export async function readRestoreRequest(
  {workspace, event}: Run,
  stack: Stack,
  path: string,
): Promise<Result<RestoreRequest, string>> {
  const file = await findFile(workspace, path);
  const size = await workspace.size(file);
  if (size === undefined || (await workspace.isFolder(file))) {
    return fail(
      `Input "restore": there is no file ${file}. Download the artifact of the promotion first (actions/download-artifact), and give the path of its promotion.json.`,
    );
  }
  if (size > largestPromotionFile) return fail(`${file}: is too large to be a promotion.json.`);
  const promotion = parsePromotion((await workspace.read(file)) ?? '', file);
  if (!promotion.ok) return promotion;
  const {owner, repo} = event.repository;
  const request: RestoreRequest = {
    promotion: promotion.value,
    path: file,
    repository: repo === '' ? undefined : `${owner}/${repo}`,
    images: [...stack.spec.images.values()],
    extra: stack.spec.extraTags.stable,
  };
  const problems = checkRestore(request);
  return problems.length === 0 ? ok(request) : fail(problems.join('\n'));
}

/** The file itself, or the folder that an artifact was unpacked into. */
async function findFile(workspace: Run['workspace'], path: string): Promise<string> {
  if (!(await workspace.isFolder(path))) return path;
  const whole = `${path}/artifacts/promotion.json`;
  return (await workspace.size(whole)) === undefined ? `${path}/promotion.json` : whole;
}

/** What the undoing of a promotion moves, and what becomes of its row and pages in the wiki. */
export async function planRestoration(ports: FactPorts, request: RestoreRequest): Promise<Wish> {
  const {target, tag} = request.promotion;
  const plan = await planRestore(ports, request);
  const main = plan.moves.filter(({isExtra}) => !isExtra);
  return {
    what: 'restore',
    tag,
    target,
    plan,
    promotion: {
      target,
      images: main.flatMap(({after, source, builtAs, target: ref, revision}) =>
        after === undefined
          ? []
          : [{source: builtAs ?? source, target: ref, digest: after.digest, revision}],
      ),
      undone: {gone: main.flatMap((move) => (move.after === undefined ? move.target : []))},
    },
  };
}
