/** Fails when a package in dist/ has a licence that is not on the list, or none: node scripts/check-licenses.ts [file] */
import {readFileSync} from 'node:fs';

const allowed = new Set([
  ...['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'],
  ...['CC0-1.0', 'Python-2.0', 'Unlicense'],
]);
/** Package, then its licence as package.json says it, then the text. ncc puts an empty line between packages. */
const file = process.argv[2] ?? 'dist/licenses.txt';
const lines = readFileSync(file, 'utf8').split('\n');
const packages = lines.flatMap((name, index) => {
  const isStart = index === 0 || lines[index - 1] === '';
  const licence = lines[index + 1] ?? '';
  const isName = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/i.test(name);
  return isStart && isName && !/^\s*$/.test(licence) ? [{name, licence}] : [];
});

/** `MIT`, `(MIT OR Apache-2.0)`, `Apache-2.0 AND BSD-3-Clause` */
function isAllowed(licence: string): boolean {
  const words = licence.replace(/[()]/g, ' ').trim();
  const either = words.split(/\s+OR\s+/);
  return either.some((all) => all.split(/\s+AND\s+/).every((one) => allowed.has(one.trim())));
}

// Words of a text that stands where a package may begin.
const isLicence = ({licence}: {licence: string}): boolean =>
  /^[(A-Z0-9][\w.() +-]{1,60}$/.test(licence);
const found = packages.filter(isLicence);
const refused = found.filter(({licence}) => !isAllowed(licence));
for (const {name, licence} of refused) console.error(`${name}: ${licence} is not on the list`);
if (found.length < 5) console.error(`${file}: only ${found.length} packages were read`);
console.log(
  `${found.length} packages in dist/, ${refused.length} with a licence that is not allowed`,
);
process.exitCode = refused.length > 0 || found.length < 5 ? 1 : 0;
