/**
 * Cuts the calls that this project makes out of GitHub's own OpenAPI description. Run it when a call is added:
 *
 *   (cd "$(mktemp -d)" && npm install @octokit/openapi@23.0.2 && pwd)
 *   node scripts/github-openapi.ts <that folder>/node_modules/@octokit/openapi/generated/api.github.com.json
 *
 * The whole description is 13 MB in a package of 385 MB, so only the cut is kept, in __tests__/fixtures.
 */
import {readFileSync, writeFileSync} from 'node:fs';

type Json = null | boolean | number | string | Json[] | {[key: string]: Json};

const calls: Readonly<Record<string, readonly string[]>> = {
  '/repos/{owner}/{repo}/pulls/{pull_number}/files': ['get'],
  '/repos/{owner}/{repo}/compare/{basehead}': ['get'],
  '/repos/{owner}/{repo}/commits/{ref}': ['get'],
  '/repos/{owner}/{repo}/issues/{issue_number}/comments': ['get', 'post'],
  '/repos/{owner}/{repo}/issues/comments/{comment_id}': ['patch'],
};
const target = new URL('../__tests__/fixtures/github-openapi.json', import.meta.url);

const [source] = process.argv.slice(2);
if (source === undefined) {
  console.error('Usage: node scripts/github-openapi.ts <api.github.com.json>');
  process.exit(2);
}
const whole: Json = JSON.parse(readFileSync(source, 'utf8'));

const paths: {[key: string]: Json} = {};
for (const [path, methods] of Object.entries(calls)) {
  const item = at(whole, ['paths', path]);
  paths[path] = Object.fromEntries(methods.map((method) => [method, clean(at(item, [method]))]));
}
const components: {[key: string]: {[key: string]: Json}} = {};
const queue = refsOf(paths);
for (let ref = queue.pop(); ref !== undefined; ref = queue.pop()) {
  const [kind = '', name = ''] = ref.replace('#/components/', '').split('/');
  const group = components[kind] ?? {};
  components[kind] = group;
  if (group[name] !== undefined) continue;
  group[name] = clean(at(whole, ['components', kind, name]));
  queue.push(...refsOf(group[name]));
}
const subset = {
  openapi: at(whole, ['openapi']),
  info: at(whole, ['info']),
  // Any host: the tests put their own server behind the description.
  servers: [{url: '/'}],
  paths,
  components,
};
writeFileSync(target, `${JSON.stringify(subset, undefined, 1)}\n`);

/** Without examples, and with the media type that Octokit asks for, which Prism would else refuse with 406. */
function clean(value: Json): Json {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  const result: {[key: string]: Json} = {};
  for (const [key, child] of Object.entries(value)) {
    const isExample = key === 'examples' || key === 'example' || key === 'externalDocs';
    // Its example points to the real host, where a paginating client would follow it.
    const isLink =
      key === 'headers' && typeof child === 'object' && child !== null && 'Link' in child;
    if (isExample || isLink || key.startsWith('x-')) continue;
    result[key] = clean(child);
  }
  const json = result['application/json'];
  if (json !== undefined) result['application/vnd.github.v3+json'] = json;
  return result;
}

function refsOf(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(refsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === '$ref' && typeof child === 'string' ? [child] : refsOf(child),
  );
}

function at(value: Json, path: readonly string[]): Json {
  let found = value;
  for (const key of path) {
    const next = typeof found === 'object' && !Array.isArray(found) ? found?.[key] : undefined;
    if (next === undefined) throw new Error(`The description has no ${path.join(' > ')}`);
    found = next;
  }
  return found;
}
