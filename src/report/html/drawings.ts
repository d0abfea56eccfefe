/** The second part of the page's script: the graph by levels and the timeline, both drawn as SVG. */
export const drawings = String.raw`
/** 0 for an image without a parent in the stack, else one more than its deepest parent; a circle ends at itself. */
function levels() {
  const known = new Map();
  const look = (image, path) => {
    if (known.has(image)) return known.get(image);
    if (path.has(image)) return 0;
    path.add(image);
    const above = (image.parents || []).map((name) => byName.get(name)).filter(Boolean);
    const level = above.reduce((most, parent) => Math.max(most, look(parent, path) + 1), 0);
    path.delete(image);
    known.set(image, level);
    return level;
  };
  for (const image of all) look(image, new Set());
  return known;
}
function drawGraph() {
  if (all.length < 2) return;
  const level = levels();
  const columns = [];
  for (const image of all) (columns[level.get(image)] = columns[level.get(image)] || []).push(image);
  const place = new Map();
  const width = 216, height = 46, gapX = 70, gapY = 16;
  columns.forEach((column, x) => {
    const middle = (image) => {
      const rows = (image.parents || []).map((name) => place.get(byName.get(name))).filter(Boolean).map((at) => at.row);
      return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
    };
    if (x > 0) column.sort((a, b) => middle(a) - middle(b));
    column.forEach((image, row) => place.set(image, {row, x: 8 + x * (width + gapX), y: 8 + row * (height + gapY)}));
  });
  const most = Math.max(...columns.map((column) => column.length));
  const wide = columns.length * (width + gapX) - gapX + 16, high = most * (height + gapY) - gapY + 16;
  const edges = [];
  for (const image of all) for (const name of image.parents || []) {
    const from = place.get(byName.get(name)), to = place.get(image);
    if (!from) continue;
    const x1 = from.x + width, y1 = from.y + height / 2, x2 = to.x, y2 = to.y + height / 2, bend = Math.max(30, (x2 - x1) / 2);
    edges.push(svg('path', {class: 'edge', d: 'M' + x1 + ' ' + y1 + 'C' + (x1 + bend) + ' ' + y1 + ' ' + (x2 - bend) + ' ' + y2 + ' ' + x2 + ' ' + y2}));
  }
  const nodes = all.map((image) => {
    const at = place.get(image), name = clean(image.image);
    const parents = (image.parents || []).length === 0 ? '' : ', built on ' + clean(image.parents.join(', '));
    const shown = name.length > 28 ? name.slice(0, 27) + '\u2026' : name;
    return svg('a', {href: '#' + image.id, class: 'node ' + image.outcome},
      svg('title', {}, name + ' ' + image.state + parents),
      svg('rect', {x: at.x, y: at.y, width, height, rx: 6}),
      svg('text', {x: at.x + 10, y: at.y + 20}, shown),
      svg('text', {x: at.x + 10, y: at.y + 38}, image.state));
  });
  for (const [index, image] of all.entries()) nodes[index].style.color = 'var(--' + ({built: 'good', reused: 'cool', failed: 'bad', blocked: 'warn'}[image.outcome] || 'quiet') + ')';
  show('graph').append(el('div', {class: 'scroll frame', tabindex: 0, role: 'region', 'aria-label': 'Graph of the images'},
    svg('svg', {width: wide, height: high, viewBox: '0 0 ' + wide + ' ' + high, role: 'group', 'aria-label': 'Each image, from those it is built on'}, edges, nodes)));
}

function spans() {
  return all.map((image) => {
    const steps = image.steps.filter((step) => step.started && !Number.isNaN(Date.parse(step.started)))
      .map((step) => ({step, from: Date.parse(step.started) / 1000, to: Date.parse(step.started) / 1000 + step.seconds}));
    return {image, steps, from: Math.min(...steps.map((one) => one.from)), to: Math.max(...steps.map((one) => one.to))};
  }).filter((span) => span.steps.length > 0).sort((a, b) => a.from - b.from);
}
/** The images that the end of the run waited for. */
function longestChain(rows) {
  const byImage = new Map(rows.map((row) => [row.image.image, row]));
  const latest = (list) => list.reduce((last, row) => (last && last.to >= row.to ? last : row), undefined);
  const chain = [];
  for (let row = latest(rows); row && !chain.includes(row); row = latest((row.image.parents || []).map((name) => byImage.get(name)).filter(Boolean))) chain.unshift(row);
  return chain;
}
function drawTimeline() {
  const rows = spans();
  if (rows.length === 0) return;
  const start = Math.min(...rows.map((row) => row.from)), end = Math.max(...rows.map((row) => row.to));
  const span = Math.max(end - start, 0.001), chain = longestChain(rows);
  const left = 190, high = 26, top = 26;
  let zoom = 1;
  const holder = el('div', {class: 'scroll frame', tabindex: 0, role: 'region', 'aria-label': 'Timeline'});
  const scale = el('output', {}, '100 %');
  const draw = () => {
    const room = Math.max(320, holder.clientWidth - left - 72) * zoom;
    const x = (at) => left + ((at - start) / span) * room;
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
    const tick = steps.find((one) => (one / span) * room >= 80) || span;
    const height = top + rows.length * high + 8;
    const grid = [];
    for (let at = 0; at <= span && grid.length < 4000; at += tick) grid.push(
      svg('line', {class: 'grid', x1: x(start + at), x2: x(start + at), y1: top - 6, y2: height}),
      svg('text', {class: 'quiet', x: x(start + at) + 3, y: 14}, time(at).replace('.0 ', ' ').replace('0 ms', '0')));
    const bars = rows.map((row, index) => {
      const y = top + index * high, name = clean(row.image.image);
      return [svg('text', {x: 8, y: y + 16, class: chain.includes(row) ? 'chain' : undefined}, svg('title', {}, name), name.length > 25 ? name.slice(0, 24) + '\u2026' : name),
        row.steps.map(({step, from, to}) => svg('rect', {class: step.step + (step.failure ? ' broken' : ''), x: x(from), y: y + 3, height: 18, width: Math.max(2, x(to) - x(from)), rx: 2},
          svg('title', {}, name + ': ' + stepNames[step.step] + (step.failure ? ' failed' : '') + ', ' + time(step.seconds))))];
    });
    holder.replaceChildren(svg('svg', {width: left + room + 70, height, role: 'img', 'aria-label': 'When each image was worked on; the table of each image has the numbers'}, grid, bars));
    scale.textContent = Math.round(zoom * 100) + ' %';
  };
  const to = (next) => {
    const before = holder.scrollLeft + holder.clientWidth / 2, ratio = next / zoom;
    zoom = next;
    draw();
    holder.scrollLeft = before * ratio - holder.clientWidth / 2;
  };
  holder.addEventListener('keydown', (event) => {
    if (event.key === '+' || event.key === '=') to(Math.min(64, zoom * 2));
    else if (event.key === '-') to(Math.max(1, zoom / 2));
    else if (event.key === '0') to(1);
  });
  const kinds = [...new Set(rows.flatMap((row) => row.steps.map(({step}) => step.step)))];
  show('timeline').append(
    el('p', {}, 'The longest chain, in bold, took ' + time(chain[chain.length - 1].to - chain[0].from) + ': ' + clean(chain.map((row) => row.image.image).join(' \u2192 ')) + '.'),
    el('ul', {class: 'facts', 'aria-label': 'Colours'}, kinds.map((kind) => el('li', {}, el('span', {class: 'key ' + kind}), stepNames[kind]))),
    el('div', {class: 'tools'}, el('button', {type: 'button', onclick: () => to(Math.min(64, zoom * 2))}, 'Zoom in'),
      el('button', {type: 'button', onclick: () => to(Math.max(1, zoom / 2))}, 'Zoom out'),
      el('button', {type: 'button', onclick: () => to(1)}, 'Whole run'), scale),
    holder);
  draw();
  addEventListener('resize', draw);
}
`;
