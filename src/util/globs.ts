/** The folders a file lies in, `/` separated: `a/b/c` -> `a/b`, `a`, `.` */
export function foldersOf(file: string): readonly string[] {
  const folders: string[] = [];
  for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) {
    folders.push(file.slice(0, end));
  }
  return [...folders, '.'];
}

/** Without `./` before and `/` after; `.` for the workspace itself. */
export function normalPath(path: string): string {
  return path.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '') || '.';
}
