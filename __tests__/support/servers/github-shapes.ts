/** The least that GitHub's description allows for each object; Prism holds these to it. */
export interface FakeFile {
  readonly filename: string;
  readonly status?: string;
  readonly previous_filename?: string;
}

const api = 'https://api.github.com/repos/o/r';
const html = 'https://github.com/o/r';
const someSha = 'e'.repeat(40);

export function asFile(file: FakeFile): unknown {
  const path = encodeURI(file.filename);
  return {
    sha: someSha,
    status: 'modified',
    additions: 1,
    deletions: 0,
    changes: 1,
    blob_url: `${html}/blob/main/${path}`,
    raw_url: `${html}/raw/main/${path}`,
    contents_url: `${api}/contents/${path}?ref=main`,
    ...file,
  };
}

export function asCommit(sha: string, message: string): unknown {
  const person = {name: 'A', email: 'a@example.org', date: '2026-01-01T00:00:00Z'};
  return {
    url: `${api}/commits/${sha}`,
    sha,
    node_id: 'C',
    html_url: `${html}/commit/${sha}`,
    comments_url: `${api}/commits/${sha}/comments`,
    commit: {
      url: `${api}/git/commits/${sha}`,
      author: person,
      committer: person,
      message,
      comment_count: 0,
      tree: {sha: someSha, url: `${api}/git/trees/${someSha}`},
    },
    author: null,
    committer: null,
    parents: [],
  };
}

export function asComparison(
  basehead: string,
  comparison: {readonly status: string; readonly files: readonly FakeFile[]},
): unknown {
  const [base = '', head = ''] = basehead.split('...');
  return {
    url: `${api}/compare/${basehead}`,
    html_url: `${html}/compare/${basehead}`,
    permalink_url: `${html}/compare/${basehead}`,
    diff_url: `${html}/compare/${basehead}.diff`,
    patch_url: `${html}/compare/${basehead}.patch`,
    base_commit: asCommit(base, 'base'),
    merge_base_commit: asCommit(base, 'base'),
    status: comparison.status,
    ahead_by: 1,
    behind_by: 0,
    total_commits: 1,
    commits: [asCommit(head, 'head')],
    files: comparison.files.map(asFile),
  };
}

/** A user as lists of comments have them; the name of an app ends in `[bot]`. */
function asUser(login: string): unknown {
  const url = `${api}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id: 1,
    node_id: 'U',
    avatar_url: html,
    gravatar_id: '',
    url,
    html_url: html,
    followers_url: url,
    following_url: url,
    gists_url: url,
    starred_url: url,
    subscriptions_url: url,
    organizations_url: url,
    repos_url: url,
    events_url: url,
    received_events_url: url,
    type: login.endsWith('[bot]') ? 'Bot' : 'User',
    site_admin: false,
  };
}

export function asComment(id: number, body: string, author: string | undefined): unknown {
  return {
    id,
    node_id: 'IC',
    url: `${api}/issues/comments/${id}`,
    html_url: `${html}/pull/5#issuecomment-${id}`,
    body,
    user: author === undefined ? null : asUser(author),
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    issue_url: `${api}/issues/5`,
    author_association: 'NONE',
  };
}
