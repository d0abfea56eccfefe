/** Where a page of docs/ is read: a user of the action has no copy of it. */
export function docsUrl(page: string): string {
  return `https://github.com/ucsd-ets/stack-action/blob/main/docs/${page}.md`;
}
