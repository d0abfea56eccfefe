/** The last part of the page's script: the head, the table, the failures, and image by image. */
export const images = String.raw`
function drawHead() {
  const words = {passed: 'Passed', failed: 'Failed', cancelled: 'Cancelled'};
  byId('title').textContent = words[data.outcome] + ': ' + clean(data.tag);
  document.title = words[data.outcome] + ': ' + clean(data.tag);
  const counts = new Map();
  for (const image of sorted) counts.set(image.state, (counts.get(image.state) || 0) + 1);
  byId('headline').append(all.length + (all.length === 1 ? ' image: ' : ' images: '), [...counts].map(([state, count]) => count + ' ' + clean(state)).join(', '));
  const run = data.run || {}, commit = data.commit || {};
  const facts = [
    data.event && [data.event + (data.branch ? ' of ' + clean(data.branch) : '')],
    commit.sha && ['commit ', link(String(commit.sha).slice(0, 7), commit.url), commit.subject ? ' ' + clean(commit.subject) : ''],
    run.url && [link('run ' + (run.id || ''), run.url), run.attempt > 1 ? ', attempt ' + run.attempt : ''],
    data.artifact_url && [link('artifact', data.artifact_url)],
    data.wiki_url && [link('wiki', data.wiki_url)],
  ].filter(Boolean);
  byId('facts').append(...facts.map((parts) => el('li', {}, parts)));
}
function placeOf(image) {
  return image.place ? clean(image.place.file) + ':' + image.place.line : undefined;
}
function explained(image) {
  const step = image.steps.find((one) => one.failure && one.failure.class !== 'cancelled');
  if (!step) return [];
  const place = placeOf(image);
  return [el('p', {class: 'cause'}, clean(image.cause || step.failure.message)),
    place ? el('p', {}, 'At ', el('code', {}, place)) : undefined,
    step.failure.hint ? el('p', {}, el('strong', {}, 'What to do: '), clean(step.failure.hint)) : undefined];
}
function drawFailures() {
  const failed = sorted.filter((image) => image.outcome === 'failed');
  if (failed.length > 0) show('failures').append(...failed.map((image) => el('div', {class: 'failure'},
    el('h3', {}, toImage(image), ': ', stepNames[(image.steps.find((one) => one.failure) || {}).step] || 'build', ' failed', image.allowed_failure ? ' (allowed to fail)' : ''), explained(image))));
  const notes = (data.notes || []).map((note) => el('li', {}, clean(note)));
  for (const image of all) for (const note of image.notes || []) notes.push(el('li', {}, toImage(image), ': ', clean(note)));
  if (notes.length > 0) show('notes').append(el('ul', {}, notes));
}
function drawTable() {
  const names = ['State', 'Image', 'Why', 'Tests', 'Time', 'Size'];
  const rows = table('', names, sorted.map((image) => [stateOf(image), toImage(image), whyOf(image), testsOf(image), number(time(secondsOf(image))), number(sizeOf(image))]));
  const body = [...rows.tBodies[0].rows];
  const texts = sorted.map((image) => [image.image, image.state, image.ref, whyOf(image), image.cause || '', (image.packages || []).map((one) => one.name).join(' ')].join(' ').toLowerCase());
  const found = el('output', {});
  const search = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    texts.forEach((text, index) => {
      const fits = words.every((word) => text.includes(word));
      body[index].hidden = !fits;
      count += fits ? 1 : 0;
    });
    found.textContent = words.length === 0 ? '' : count + ' of ' + all.length;
  };
  const input = el('input', {type: 'search', id: 'search', oninput: search});
  byId('images').append(el('div', {class: 'tools', role: 'search'}, el('label', {for: 'search'}, 'Find an image by name, state, reason or package'), input, found),
    el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of the images'}, rows));
}
const failing = /^E: |(?:^|\s|\b\w*)(?:Error|error|ERROR|FAILED|fatal|Exception)\b|not found$|>>> /;
function logOf(image, log, number) {
  const lines = log.lines.map((line) => el('div', {}, clean(line)));
  const holder = el('div', {class: 'scroll log', tabindex: 0, role: 'region', 'aria-label': 'Log ' + clean(log.name)}, lines);
  const cause = image.cause ? clean(image.cause).split(': ').pop() : '';
  let bad = cause === '' ? -1 : lines.findIndex((line) => line.textContent.includes(cause));
  if (bad < 0) bad = lines.findLastIndex((line) => failing.test(line.textContent));
  if (image.outcome === 'failed' && bad >= 0) lines[bad].classList.add('bad');
  const found = el('output', {});
  let marks = [], now = -1;
  const go = (by) => {
    if (marks.length === 0) return;
    if (marks[now]) marks[now].classList.remove('now');
    now = (now + by + marks.length) % marks.length;
    marks[now].classList.add('now');
    holder.scrollTop = marks[now].parentElement.offsetTop - holder.offsetTop - holder.clientHeight / 3;
    found.textContent = (now + 1) + ' of ' + marks.length;
  };
  const search = () => {
    const word = input.value.toLowerCase();
    marks = [];
    now = -1;
    for (const line of lines) {
      const text = line.textContent, low = text.toLowerCase();
      const parts = [];
      let from = 0;
      for (let at = word === '' ? -1 : low.indexOf(word); at >= 0 && low.length === text.length; at = low.indexOf(word, from)) {
        const mark = el('mark', {}, text.slice(at, at + word.length));
        parts.push(text.slice(from, at), mark);
        marks.push(mark);
        from = at + word.length;
      }
      if (parts.length > 0 || line.childElementCount > 0) line.replaceChildren(...parts, text.slice(from));
    }
    found.textContent = word === '' ? '' : 'nothing found';
    go(1);
  };
  const id = image.id + '-log-' + number;
  const input = el('input', {type: 'search', id, oninput: search, onkeydown: (event) => { if (event.key === 'Enter') go(event.shiftKey ? -1 : 1); }});
  return [el('h4', {}, clean(log.name)), el('div', {class: 'tools'}, el('label', {for: id}, 'Search'), input,
    el('button', {type: 'button', onclick: () => go(-1)}, 'Previous'), el('button', {type: 'button', onclick: () => go(1)}, 'Next'),
    image.outcome === 'failed' && bad >= 0 ? el('button', {type: 'button', onclick: () => {
      holder.scrollTop = lines[bad].offsetTop - holder.offsetTop - holder.clientHeight / 3;
      holder.focus();
    }}, 'Jump to the failing line') : undefined, found), holder];
}
function scrolled(label, content) {
  return el('div', {class: 'scroll frame', tabindex: 0, role: 'region', 'aria-label': label}, content);
}
function fact(name, value) {
  return value === undefined || value.length === 0 ? [] : [el('dt', {}, name), el('dd', {}, value)];
}
function bodyOf(image) {
  const name = clean(image.image), parts = [];
  parts.push(el('dl', {}, fact('Why', clean(image.why || '')), fact('State', image.not_done ? clean(image.not_done) : image.state),
    fact('Reference', el('code', {}, clean(image.ref))), fact('Digest', image.digest ? el('code', {}, clean(image.digest)) : undefined),
    fact('Size', sizeOf(image)), fact('Tests', testsOf(image)), fact('Built on', (image.parents || []).flatMap((parent, index) => [index > 0 ? ', ' : '', byName.has(parent) ? toImage(byName.get(parent)) : clean(parent)])),
    fact('Page', image.url ? link(clean(image.url), image.url) : undefined)));
  if (image.outcome === 'failed') parts.push(...explained(image));
  if (image.steps.length > 0) parts.push(el('h4', {}, 'Steps'), scrolled('Steps of ' + name, table('', ['Step', 'Result', 'Time', 'Tests', 'Notes'], image.steps.map((step) => [
    stepNames[step.step], step.failure ? (step.failure.class === 'cancelled' ? 'stopped' : 'failed') : 'done', number(time(step.seconds)),
    step.tests ? testsOf({tests: step.tests, steps: []}) : '', clean((step.notes || []).join('; '))]))));
  const difference = image.difference;
  if (difference) parts.push(el('h4', {}, 'Differences'), el('p', {}, 'Compared with ', el('code', {}, clean(difference.against)),
    difference.size_change ? ', ' + change(difference.size_change) : '', difference.base ? ', base image moved from ' + clean(difference.base.before) + ' to ' + clean(difference.base.after) : '', '.', difference.inherited ? ' It also has the changes of ' + clean(difference.inherited.join(', ')) + ', which are listed there.' : ''),
    difference.packages.length === 0 ? el('p', {}, (difference.compared || []).length === 0 ? 'Packages were not compared: no info command lists them in both images.' : 'The packages are the same.') : scrolled('Differences of ' + name, table('', ['Package', 'Before', 'After', 'Of'],
      difference.packages.map((one) => [clean(one.name), one.before === undefined ? 'added' : clean(one.before), one.after === undefined ? 'removed' : clean(one.after), clean(one.manager)]))));
  const tail = image.steps.filter((step) => step.failure && step.failure.tail.length > 0).map((step) => ({name: 'Last lines of the ' + stepNames[step.step], lines: step.failure.tail}));
  const logs = image.logs && image.logs.length > 0 ? image.logs : tail;
  if (logs.length > 0) parts.push(logs.map((log, index) => logOf(image, log, index + 1)));
  if (image.layers && image.layers.length > 0) parts.push(el('h4', {}, 'Layers, oldest first'), scrolled('Layers of ' + name,
    table('', ['Size', 'Command'], image.layers.map((layer) => [number(bytes(layer.size)), el('code', {}, clean(layer.command))]))));
  if (image.packages && image.packages.length > 0) parts.push(el('h4', {}, 'Packages: ' + image.packages.length), scrolled('Packages of ' + name,
    table('', ['Package', 'Version', 'Of'], image.packages.map((one) => [clean(one.name), clean(one.version), clean(one.manager)]))));
  return parts;
}
const fillers = new Map();
function drawDetails() {
  for (const image of sorted) {
    const body = el('div', {class: 'body'});
    const fillOnce = () => { if (body.childElementCount === 0) fill(body, {}, bodyOf(image)); };
    const holder = el('details', {class: 'image', id: image.id, ontoggle: () => { if (holder.open) fillOnce(); }},
      el('summary', {}, el('h3', {}, clean(image.image)), ' ', stateOf(image), el('span', {class: 'quiet'}, time(secondsOf(image)))), body);
    fillers.set(holder, fillOnce);
    byId('details').append(holder);
  }
}
function openTarget() {
  const target = byId(location.hash.slice(1));
  if (!target || !fillers.has(target)) return;
  fillers.get(target)();
  target.open = true;
  target.querySelector('summary').focus();
  target.scrollIntoView();
}
function drawSections() {
  const shown = [...document.querySelectorAll('main > section')].filter((section) => !section.hidden);
  byId('sections').append(...shown.map((section) => el('li', {}, el('a', {href: '#' + section.id}, section.querySelector('h2').textContent))));
}
drawHead();
drawFailures();
drawTable();
drawGraph();
drawTimeline();
drawDetails();
drawSections();
openTarget();
addEventListener('hashchange', openTarget);
addEventListener('beforeprint', () => {
  for (const [holder, fillOnce] of fillers) {
    const isFailed = holder.querySelector('.failed') !== null;
    if (fillers.size > 100 && !isFailed) continue;
    fillOnce();
    holder.open = true;
  }
});
`;
