import {execFileSync} from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {openWiki, type Wiki} from '../../src/adapters/git/wiki.ts';
import {runCommand} from '../../src/adapters/process/index.ts';
import {planPages, publishManifestPages} from '../../src/wiki/index.ts';
import {type Promotion, publishPromotion, readPromotionPages} from '../../src/wiki/promotion.ts';
import {type BareWiki, startWikiServer, type WikiServer} from '../support/servers/wiki-server.ts';

const token = 'ghs_secretTokenOfTheJob0123456789';
const repository = 'o/stack';
const sha = '4a5926011223344556677889900aabbccddeeff0';
const image = 'ghcr.io/o/base';
const digest = `sha256:${'d'.repeat(64)}`;
const page = 'ghcr-io-o-base-2023.2-main.md';
const stablePage = 'ghcr-io-o-base-2023.2-stable.md';
const home = '| Commit | Image | Manifest |\r\n|---|---|---|\r\n|x|y|z|\r\n\r\nend ü';
const promotion: Promotion = {
  target: 'stable',
  images: [
    {source: `${image}:2023.2-main`, target: `${image}:2023.2-stable`, digest, revision: sha},
  ],
};

let server: WikiServer;
let temp: string;
let place: {readonly serverUrl: string; readonly repository: string};

const opened: Wiki[] = [];

function wikiOf(
  change: Partial<Parameters<typeof openWiki>[0]> = {},
  more: Partial<Parameters<typeof openWiki>[1]> = {},
): Wiki {
  const ports = {run: runCommand, tempDir: temp, pause: async () => {}, ...more};
  const wiki = openWiki({...place, token, ...change}, ports);
  opened.push(wiki);
  return wiki;
}

beforeAll(async () => {
  server = await startWikiServer(token);
  place = {serverUrl: server.url, repository};
});
afterAll(() => server.close());
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'wiki-test-'));
});
afterEach(async () => {
  server.intercept(undefined);
  await Promise.all(opened.splice(0).map((wiki) => wiki.close()));
  // Clones are gone, whatever happened.
  expect(readdirSync(temp).filter((name) => name.startsWith('stack-wiki'))).toEqual([]);
  rmSync(temp, {recursive: true, force: true});
});

describe('manifest pages', () => {
  it('are published in one commit by the bot, and no other page is touched', async () => {
    const bytes = Buffer.from('Grüße\r\n\xff\n', 'latin1');
    const bare = server.addWiki(repository, {'Home.md': bytes, '_Sidebar.md': 'side'});
    const result = await publishManifestPages(
      wikiOf(),
      new Map([
        ['ghcr-io-o-base-2023.2-main', '# Base ü\r\n'],
        ['ghcr-io-o-leaf-2023.2-main', '# Leaf\n'],
      ]),
      sha,
    );
    expect(result).toMatchObject({ok: true, value: {state: 'published', rejections: 0}});
    expect(bare.files()).toEqual([
      'Home.md',
      '_Sidebar.md',
      'ghcr-io-o-base-2023.2-main.md',
      'ghcr-io-o-leaf-2023.2-main.md',
    ]);
    expect(bare.read('Home.md')).toEqual(bytes);
    expect(bare.read(page).toString()).toBe('# Base ü\r\n');
    const bot = 'github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>';
    expect(bare.git('log', '-1', '--format=%an <%ae>|%cn <%ce>|%B').trim()).toBe(
      `${bot}|${bot}|[skip ci] Automated publish for ${sha}`,
    );
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('2');
  });

  it('make no commit when they stand there already', async () => {
    const bare = server.addWiki(repository, {[page]: 'same\r\n'});
    const result = await publishManifestPages(
      wikiOf(),
      new Map([[page.slice(0, -3), 'same\r\n']]),
      sha,
    );
    expect(result).toMatchObject({ok: true, value: {state: 'unchanged'}});
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('1');
  });

  it('go to the branch that the wiki shows, whatever it is called', async () => {
    const bare = server.addWiki(repository, {'Home.md': 'x'});
    bare.git('branch', '--move', 'master', 'trunk');
    bare.git('symbolic-ref', 'HEAD', 'refs/heads/trunk');
    await publishManifestPages(wikiOf(), new Map([['a', 'b']]), sha);
    expect(bare.git('branch', '--list').trim()).toBe('* trunk');
    expect(bare.files()).toEqual(['Home.md', 'a.md']);
  });

  it('start a wiki that has no commit yet', async () => {
    const bare = server.addWiki('o/empty');
    const wiki = wikiOf({repository: 'o/empty'});
    const result = await publishManifestPages(wiki, new Map([['a', 'b']]), sha);
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    expect(bare.files()).toEqual(['a.md']);
  });

  it('keep their bytes against the attributes of the wiki and the settings of the machine', async () => {
    const bare = server.addWiki(repository, {
      '.gitattributes': '* text=auto eol=crlf\n*.md ident\n',
    });
    const text = '$Id$\r\none\ntwo\r\n';
    await publishManifestPages(wikiOf(), new Map([['a', text]]), sha);
    expect(bare.read('a.md').toString()).toBe(text);
  });
});

describe('a promotion', () => {
  it('copies the source pages and puts its row on top, byte for byte', async () => {
    const manifest = Buffer.from(`# ${image}:2023.2-main\r\nB\xff\r\nno newline`, 'latin1');
    const before = Buffer.concat([Buffer.from(home), Buffer.from([0xff, 0xfe])]);
    const bare = server.addWiki(repository, {'Home.md': before, [page]: manifest});
    const wiki = wikiOf();
    const planned = await readPromotionPages(wiki, {place}, promotion);
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('1');
    const result = await publishPromotion(wiki, {place}, {promotion, sha});
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    // Titled and linked as what it is; every other byte is the source's.
    expect(bare.read(stablePage).toString('latin1')).toBe(
      `# ${image}:2023.2-stable\r\n\r\nPromoted from [\`${image}:2023.2-main\`](${server.url}/o/stack/wiki/${page.slice(0, -3)}).\r\n\r\nB\xff\r\nno newline`,
    );
    const row =
      `|[\`4a59260\`](${server.url}/o/stack/commit/${sha})|\`${image}:2023.2-stable\`` +
      `|[Link](${server.url}/o/stack/wiki/${stablePage.slice(0, -3)})|\r\n`;
    const after = Buffer.from(home.replace('|x|y|z|', `${row}|x|y|z|`));
    expect(bare.read('Home.md')).toEqual(Buffer.concat([after, Buffer.from([0xff, 0xfe])]));
    expect(planned).toMatchObject({ok: true, value: {missing: []}});
    if (!planned.ok) throw new Error('unreachable');
    expect([...planned.value.pages.keys()]).toEqual(['Home.md', stablePage]);
    expect(planned.value.pages.get('Home.md')).toBe(bare.read('Home.md').toString());
  });

  it('changes nothing the second time', async () => {
    const bare = server.addWiki(repository, {'Home.md': home, [page]: 'x'});
    await publishPromotion(wikiOf(), {place}, {promotion, sha});
    const again = await publishPromotion(wikiOf(), {place}, {promotion, sha: 'another'});
    expect(again).toMatchObject({ok: true, value: {state: 'unchanged'}});
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('2');
  });

  it('to the global stable tag rewrites Stable_Tag.md, and each of its links names a page', async () => {
    const bare = server.addWiki(repository, {'Stable_Tag.md': 'old', [stablePage]: 'manifest'});
    const images = [
      {source: `${image}:2023.2-stable`, target: `${image}:stable`, digest, revision: sha},
    ];
    const global = {target: 'global-stable', images} as const;
    await publishPromotion(wikiOf(), {place}, {promotion: global, sha});
    const text = bare.read('Stable_Tag.md').toString();
    const links = [...text.matchAll(/\/wiki\/([^)]+)\)/g)].map(([, name]) => `${name}.md`);
    expect(links).toEqual(['ghcr-io-o-base-stable.md']);
    expect(links.map((file) => bare.read(file).toString())).toEqual([
      expect.stringMatching(/^# ghcr\.io\/o\/base:stable\n[\s\S]*2023\.2-stable[\s\S]*\nmanifest$/),
    ]);
    expect(text).not.toContain('old');
  });

  it('names every source whose manifest page is missing, and publishes nothing', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    const planned = await readPromotionPages(wikiOf(), {place}, promotion);
    expect(planned).toMatchObject({ok: true, value: {missing: [`${image}:2023.2-main`]}});
    const result = await publishPromotion(wikiOf(), {place}, {promotion, sha});
    expect(result).toMatchObject({ok: false, error: {class: 'not-found'}});
    expect(JSON.stringify(result)).toContain(`${image}:2023.2-main`);
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('1');
  });

  it('of no image at all is a bug of the caller, never an empty table', async () => {
    const bare = server.addWiki(repository, {'Stable_Tag.md': 'old'});
    const empty = {target: 'global-stable', images: []} as const;
    await expect(publishPromotion(wikiOf(), {place}, {promotion: empty, sha})).rejects.toThrow(
      'Internal error',
    );
    expect(bare.read('Stable_Tag.md').toString()).toBe('old');
  });

  it('finds pages as GitHub does, without regard to case', async () => {
    const bare = server.addWiki(repository, {
      'home.md': home,
      [page.toUpperCase().replace('.MD', '.md')]: 'x',
    });
    const result = await publishPromotion(wikiOf(), {place}, {promotion, sha});
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    expect(bare.files()).not.toContain('Home.md');
    expect(bare.read('home.md').toString()).toContain('2023.2-stable');
  });

  it('does not follow a link that somebody put in place of a page', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    const link = bare.git('rev-parse', 'HEAD').trim();
    expect(link).not.toBe('');
    const blob = execFileSync('git', ['--git-dir', bare.folder, 'hash-object', '-w', '--stdin'], {
      input: '/etc/hostname',
    });
    bare.git('update-index', '--add', '--cacheinfo', `120000,${blob.toString().trim()},${page}`);
    const tree = bare.git('write-tree').trim();
    const commit = bare.git(
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@y',
      'commit-tree',
      tree,
      '-m',
      'x',
    );
    bare.git('update-ref', 'refs/heads/master', commit.trim());
    const planned = await readPromotionPages(wikiOf(), {place}, promotion);
    expect(planned).toMatchObject({ok: true, value: {missing: [`${image}:2023.2-main`]}});
  });
});

describe('a promotion that is undone', () => {
  const row = '|c|`ghcr.io/o/base:2023.2-stable`|l|';
  const undoneHome = home.replace('|x|y|z|', `${row}\r\n|x|y|z|`);
  const undone: Promotion = {...promotion, undone: {gone: []}};

  it('marks its row, and copies the page of the image that the tag has again', async () => {
    const text = `# ${image}:2023.2-main\n\n- Digest: \`${digest}\`\n`;
    const bare = server.addWiki(repository, {'Home.md': undoneHome, [page]: text});
    await publishPromotion(wikiOf(), {place}, {promotion: undone, sha});
    expect(bare.read('Home.md').toString()).toMatch(
      /\(restored\)\|`ghcr\.io\/o\/base:2023\.2-stable`/,
    );
    expect(bare.read('Home.md').toString()).not.toContain(row);
    expect(bare.read(stablePage).toString()).toMatch(
      /^# ghcr\.io\/o\/base:2023\.2-stable\n\nRestored to \[`ghcr\.io\/o\/base:2023\.2-main`\][\s\S]*- Digest/,
    );
  });

  it.each([
    ['is of a younger image', {[page]: `# x\n- Digest: \`sha256:${'e'.repeat(64)}\`\n`}],
    ['does not exist', {}],
  ])('says no more than is known where that page %s', async (_, pages) => {
    const bare = server.addWiki(repository, {'Home.md': undoneHome, ...pages});
    const result = await publishPromotion(wikiOf(), {place}, {promotion: undone, sha});
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    const text = bare.read(stablePage).toString();
    expect(text).toContain('was undone');
    expect(text).toContain(digest);
    expect(text).not.toContain('eeee');
  });

  it('links to no page that is of a later image by now', async () => {
    const later = `# ${image}:2023.2-main\n\n- Digest: \`sha256:${'e'.repeat(64)}\`\n`;
    const bare = server.addWiki(repository, {'Home.md': undoneHome, [page]: later});
    const renderPage = async () => `# ${image}:2023.2-stable\n\n- Digest: \`${digest}\`\n`;
    await publishPromotion(wikiOf(), {place, renderPage}, {promotion: undone, sha});
    const text = bare.read(stablePage).toString();
    expect(text).toContain(`Restored to the image that was built as \`${image}:2023.2-main\`.`);
    expect(text).not.toContain('](');
    const again = await publishPromotion(wikiOf(), {place, renderPage}, {promotion: undone, sha});
    expect(again).toMatchObject({value: {state: 'unchanged'}});
  });

  it('takes its row off the page when its tags are gone, and says so on their pages', async () => {
    const bare = server.addWiki(repository, {'Home.md': undoneHome, [stablePage]: 'old'});
    const gone = {
      target: 'stable',
      images: [],
      undone: {gone: [`${image}:2023.2-stable`]},
    } as const;
    await publishPromotion(wikiOf(), {place}, {promotion: gone, sha});
    expect(bare.read('Home.md').toString()).toBe(home);
    expect(bare.read(stablePage).toString()).toContain('no longer exists');
    const again = await publishPromotion(wikiOf(), {place}, {promotion: gone, sha});
    expect(again).toMatchObject({ok: true, value: {state: 'unchanged'}});
  });
});

describe('what a promotion plans for the wiki', () => {
  const sources = () => ({place});

  it('leaves it alone where it is not wanted, and shows the page as it would begin', async () => {
    const plan = await planPages({wiki: undefined, isWanted: false, sources: sources()}, promotion);
    expect(plan).toMatchObject({wiki: undefined, refusals: [], index: {name: 'Home.md'}});
    expect(plan.index.text).toContain('2023.2-stable');
  });

  it('refuses where it is wanted and cannot be read', async () => {
    const none = await planPages({wiki: undefined, isWanted: true, sources: sources()}, promotion);
    expect(none.refusals).toEqual([expect.stringContaining('"wiki: false"')]);
    const wiki = wikiOf({repository: 'o/none'});
    const plan = await planPages({wiki, isWanted: true, sources: sources()}, promotion);
    expect(plan.refusals).toEqual([expect.stringContaining('"wiki: false"')]);
  });

  it('refuses a source without a page, unless its record makes one', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    const wiki = wikiOf();
    const plan = await planPages({wiki, isWanted: true, sources: sources()}, promotion);
    expect(plan.refusals).toEqual([
      expect.stringContaining(`no manifest page for ${image}:2023.2-main`),
    ]);
    const renderPage = async () => `# ${image}:2023.2-stable\n\nfrom the record\n`;
    const request = {wiki, isWanted: true, sources: {place, renderPage}};
    expect(await planPages(request, promotion)).toMatchObject({refusals: []});
    await publishPromotion(wiki, request.sources, {promotion, sha});
    // There is no page of the source to link to.
    expect(bare.read(stablePage).toString()).not.toContain('Promoted from');
    expect(bare.read(stablePage).toString()).toMatch(
      /^# ghcr\.io\/o\/base:2023\.2-stable\n[\s\S]*from the record/,
    );
  });
});

it('a page made from the record comes before a copy, with one title and a link to its source', async () => {
  const bare = server.addWiki(repository, {'Home.md': home, [page]: '# old page\n'});
  const renderPage = async () => `# ${image}:2023.2-stable\n\nfrom the record\n`;
  await publishPromotion(wikiOf(), {place, renderPage}, {promotion, sha});
  const text = bare.read(stablePage).toString();
  expect(text.match(/^# .*/gm)).toEqual([`# ${image}:2023.2-stable`]);
  expect(text).toContain('Promoted from [');
  expect(text).toContain('from the record');
});

describe('somebody else who pushes in between', () => {
  /** Pushes by another clone when the first `times` pushes of ours make this request. */
  function race(bare: BareWiki, times: number, request = 'POST /o/stack.wiki.git/git'): void {
    let left = times;
    server.intercept(({url, method}) => {
      const ours = url.endsWith('git-receive-pack') && `${method} ${url}`.startsWith(request);
      if (ours && left-- > 0) {
        bare.push({
          'Home.md': `${bare.read('Home.md').toString().replace('|x|y|z|', `|${left}|y|z|\r\n|x|y|z|`)}`,
        });
      }
      return undefined;
    });
  }

  it.each([
    ['git sees it', 'GET'],
    ['only the server sees it', 'POST'],
  ])('keeps what they wrote, made again on top, when %s', async (_, method) => {
    const bare = server.addWiki(repository, {'Home.md': home, [page]: 'x'});
    race(bare, 2, method);
    const result = await publishPromotion(wikiOf(), {place}, {promotion, sha});
    expect(result).toMatchObject({ok: true, value: {state: 'published', rejections: 2}});
    const rows = bare.read('Home.md').toString().split('\r\n').slice(2, 6);
    expect(rows[0]).toContain('2023.2-stable');
    expect(rows.slice(1)).toEqual(['|1|y|z|', '|0|y|z|', '|x|y|z|']);
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('4');
  });

  it('wins after five tries, and the failure says so', async () => {
    const bare = server.addWiki(repository, {'Home.md': home, [page]: 'x'});
    race(bare, 9);
    const result = await publishPromotion(wikiOf(), {place}, {promotion, sha});
    expect(result.ok ? '' : result.error.message).toContain('someone else pushed to it each time');
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('6');
    expect(bare.read('Home.md').toString()).not.toContain('2023.2-stable');
  });

  it('may also be our own push whose answer got lost', async () => {
    const bare = server.addWiki(repository, {'Home.md': home, [page]: 'x'});
    let dropped = false;
    server.intercept(({url, method}) => {
      if (dropped || method !== 'POST' || !url.endsWith('git-receive-pack')) return undefined;
      dropped = true;
      return 'drop-answer';
    });
    const result = await publishPromotion(wikiOf(), {place}, {promotion, sha});
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    expect(bare.git('rev-list', '--count', 'HEAD').trim()).toBe('2');
  });
});

describe('a wiki that is fetched before it is needed', () => {
  const pages = new Map([['a', 'ours']]);

  /** Resolves when the fetch is over: what comes then is news. */
  async function prepared(): Promise<Wiki> {
    const wiki = wikiOf();
    wiki.prepare();
    await wiki.read(async () => undefined);
    return wiki;
  }

  it('is cloned once for everything that a run does with it', async () => {
    server.addWiki(repository, {'Home.md': home, [page]: 'x'});
    const commands: string[] = [];
    const wiki = wikiOf(
      {},
      {
        run: (command) => {
          commands.push(command.args[0] ?? '');
          return runCommand(command);
        },
      },
    );
    wiki.prepare();
    await readPromotionPages(wiki, {place}, promotion);
    await publishPromotion(wiki, {place}, {promotion, sha});
    expect(commands.filter((name) => ['init', 'fetch', 'push'].includes(name))).toEqual([
      'init',
      'fetch',
      'push',
    ]);
  });

  it('keeps what was pushed since', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    const wiki = await prepared();
    bare.push({'Other.md': 'theirs'});
    const result = await publishManifestPages(wiki, pages, sha);
    expect(result).toMatchObject({ok: true, value: {state: 'published', rejections: 1}});
    expect(bare.files()).toEqual(['Home.md', 'Other.md', 'a.md']);
  });

  it('is not called unchanged where the page was changed since', async () => {
    const bare = server.addWiki(repository, {'Home.md': home, 'a.md': 'ours'});
    const wiki = await prepared();
    bare.push({'a.md': 'theirs'});
    const result = await publishManifestPages(wiki, pages, sha);
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    expect(bare.read('a.md').toString()).toBe('ours');
  });

  it('is called unchanged where nothing was changed since', async () => {
    const bare = server.addWiki(repository, {'Home.md': home, 'a.md': 'ours'});
    const wiki = await prepared();
    bare.push({'Other.md': 'theirs'});
    const result = await publishManifestPages(wiki, pages, sha);
    expect(result).toMatchObject({ok: true, value: {state: 'unchanged'}});
  });

  it('may be published twice', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    const wiki = await prepared();
    await publishManifestPages(wiki, pages, sha);
    const again = await publishManifestPages(wiki, new Map([['b', 'ours']]), sha);
    expect(again).toMatchObject({ok: true, value: {state: 'published', rejections: 0}});
    expect(bare.files()).toEqual(['Home.md', 'a.md', 'b.md']);
  });

  it('is let go while the server says nothing', async () => {
    server.addWiki(repository, {'Home.md': home});
    const asked = Promise.withResolvers<void>();
    server.intercept(async () => {
      asked.resolve();
      return await new Promise<undefined>(() => undefined);
    });
    const wiki = wikiOf();
    wiki.prepare();
    await asked.promise;
    await wiki.close();
    expect(readdirSync(temp)).toEqual([]);
    server.intercept(undefined);
  });

  it('hears of a failure when it is used, and is tried again then', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    let isFirst = true;
    server.intercept(async () => {
      const status = isFirst ? 503 : undefined;
      isFirst = false;
      return status;
    });
    const wiki = wikiOf();
    wiki.prepare();
    const result = await publishManifestPages(wiki, pages, sha);
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    expect(bare.files()).toEqual(['Home.md', 'a.md']);
  });
});

describe('a wiki that cannot be used', () => {
  const pages = new Map([['a', 'b']]);

  it.each([
    ['a wiki that does not exist', {repository: 'o/none'}, 'no page yet, is switched off'],
    ['a token that is refused', {token: 'wrong'}, 'the token has no access'],
    ['no token at all', {token: ''}, 'the token has no access'],
  ])('says in one sentence what may be wrong with %s, and the fix', async (_, change, words) => {
    server.addWiki(repository, {'Home.md': home});
    const result = await publishManifestPages(wikiOf(change), pages, sha);
    if (result.ok) throw new Error('a failure was expected');
    expect(result.error).toMatchObject({class: 'not-found'});
    expect(result.error.message).toContain(words);
    expect(result.error.hint).toContain('permissions: contents: write');
    expect(result.error.hint).toContain('/wiki by hand');
  });

  it('says which permission a refused push lacks, and does not try again', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    let pushes = 0;
    server.intercept(({url}) => {
      if (!url.includes('git-receive-pack')) return undefined;
      pushes++;
      return 403;
    });
    const result = await publishManifestPages(wikiOf(), pages, sha);
    expect(result).toMatchObject({ok: false, error: {class: 'permission'}});
    expect(JSON.stringify(result)).toContain('contents: write');
    expect(pushes).toBe(1);
    expect(bare.files()).toEqual(['Home.md']);
  });

  it('gets further tries when the server is down for a moment', async () => {
    const bare = server.addWiki(repository, {'Home.md': home});
    let failures = 3;
    server.intercept(() => (failures-- > 0 ? 503 : undefined));
    const result = await publishManifestPages(wikiOf(), pages, sha);
    expect(result).toMatchObject({ok: true, value: {state: 'published'}});
    expect(bare.files()).toEqual(['Home.md', 'a.md']);
  });

  it('ends when the run is cancelled', async () => {
    server.addWiki(repository, {'Home.md': home});
    const abort = new AbortController();
    server.intercept(async () => {
      abort.abort();
      return 503;
    });
    const result = await publishManifestPages(wikiOf({}, {signal: abort.signal}), pages, sha);
    expect(result).toMatchObject({ok: false, error: {class: 'cancelled'}});
  });
});

describe('the token', () => {
  it('is in no argument, no address, no file and no message', async () => {
    server.addWiki(repository, {'Home.md': home});
    const bin = join(temp, 'bin');
    const record = join(temp, 'argv');
    mkdirSync(bin);
    const git = execFileSync('sh', ['-c', 'command -v git']).toString().trim();
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\nprintf '%s\\n' "$@" >>${record}\ncat .git/config >>${record} 2>&1\nexec ${git} "$@"\n`,
    );
    chmodSync(join(bin, 'git'), 0o755);
    const path = process.env['PATH'] ?? '';
    process.env['PATH'] = `${bin}:${path}`;
    const results = [
      await publishManifestPages(wikiOf(), new Map([['a', 'b']]), sha),
      await publishManifestPages(wikiOf({repository: 'o/none'}), new Map([['a', 'b']]), sha),
    ];
    process.env['PATH'] = path;
    expect(results.map(({ok}) => ok)).toEqual([true, false]);
    const seen = readFileSync(record, 'utf8');
    expect(seen).toContain('push\n');
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    for (const text of [seen, JSON.stringify(results), server.requests.join('\n')]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(basic);
    }
  });
});
