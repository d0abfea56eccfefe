/** The first part of the page's script: the data, words, elements. Text from the data becomes text nodes, never markup. */
export const basics = String.raw`
const data = JSON.parse(document.getElementById('data').textContent);
const all = data.images.map((image, index) => Object.assign({}, image, {id: 'image-' + (index + 1)}));
const byName = new Map(all.map((image) => [image.image, image]));
const order = ['failed', 'blocked', 'cancelled', 'built', 'reused', 'skipped'];
const sorted = all.slice().sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
const stepNames = {pull: 'pull', build: 'build', test: 'tests', push: 'push', reuse: 'tagging', 'integration-test': 'integration tests', manifest: 'page', prune: 'clean-up'};

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === '') continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}
function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}
function svg(name, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}
function byId(id) {
  return document.getElementById(id);
}
/** Only addresses of the web are linked; the label stays in any case. */
function link(label, address) {
  let url;
  try { url = new URL(address); } catch { return label; }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return label;
  return el('a', {href: url.href, rel: 'noopener noreferrer'}, label);
}
function clean(text) {
  return String(text).replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}
function time(seconds) {
  if (seconds === undefined) return '';
  if (seconds < 1) return Math.round(seconds * 1000) + ' ms';
  if (seconds < 59.95) return seconds.toFixed(1) + ' s';
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, '0');
  if (whole < 3600) return Math.floor(whole / 60) + ' min ' + two(whole % 60) + ' s';
  const minutes = Math.round(whole / 60);
  return Math.floor(minutes / 60) + ' h ' + two(minutes % 60) + ' min';
}
function bytes(value) {
  if (value === undefined) return '';
  if (value < 1000) return value + ' B';
  const units = ['kB', 'MB', 'GB', 'TB'];
  let rest = value / 1000, unit = 0;
  while (rest >= 999.5 && unit < 3) { rest /= 1000; unit++; }
  return (rest < 10 ? rest.toFixed(1) : rest.toFixed(0)) + ' ' + units[unit];
}
function change(value) {
  return (value < 0 ? '\u2212' : '+') + bytes(Math.abs(value));
}
function sizeOf(image) {
  const moved = image.difference && image.difference.size_change;
  return bytes(image.size) + (image.size !== undefined && moved ? ' (' + change(moved) + ')' : '');
}
function secondsOf(image) {
  return image.steps.length === 0 || image.state === 'not started' ? undefined : image.steps.reduce((sum, step) => sum + step.seconds, 0);
}
function testsOf(image) {
  const counts = image.tests;
  if (!counts) return image.steps.some((step) => (step.notes || []).some((note) => /^no tests\b/.test(note))) ? 'no tests' : '';
  const parts = ['failed', 'passed', 'skipped'].filter((word) => counts[word] > 0).map((word) => counts[word] + ' ' + word);
  return parts.length === 0 ? 'no tests' : parts.join(', ');
}
function stateOf(image) {
  return el('span', {class: 'state ' + image.outcome}, image.state);
}
function whyOf(image) {
  return clean(image.not_done || image.why || '');
}
function show(id) {
  const section = byId(id);
  section.hidden = false;
  return section;
}
function table(caption, names, rows, more) {
  const head = el('thead', {}, el('tr', {}, names.map((name) => el('th', {scope: 'col'}, name))));
  const body = el('tbody', {}, rows.map((cells) => el('tr', {}, cells.map((cell, index) =>
    el('td', {'data-name': names[index], class: cell && cell.number ? 'number' : undefined}, cell && cell.number ? cell.number : cell)))));
  return el('table', Object.assign({class: 'rows'}, more), caption ? el('caption', {}, caption) : undefined, head, body);
}
function number(text) {
  return text === '' ? '' : {number: text};
}
function toImage(image) {
  return el('a', {href: '#' + image.id}, clean(image.image));
}
`;
