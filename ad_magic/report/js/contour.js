// A contour as SVG: contour.py and relief.py once more, character for character.

const RELIEF = { left: 60, top: 26, wide: 366, high: 280, narrow: 0.45, arrow: 46, labels: [0.5, 0.25, 0.75, 0.125, 0.375, 0.625, 0.875] };

// The two points of an edge: 2k leads from point k to the right, 2k + 1 upward; -1 where there is none.
const endsOf = (edge, n) => {
  const p = edge >> 1;
  return edge % 2 ? [p, p + n < n * n ? p + n : -1] : [p, (p + 1) % n ? p + 1 : -1];
};
const between = (p, q, s, n) => {
  const i = p % n, j = Math.floor(p / n);
  return [i + ((q % n) - i) * s, j + (Math.floor(q / n) - j) * s];
};
const insideOf = (c) => c.values.map((z, k) => c.valid[k] && Math.abs(z) < 1e300);

// Values and rim, and of the rim the lines that decide; it yields the points [x, y] at which it wants { values, valid, lines }.
function* contourSteps(frame) {
  const { x, y, count: n } = frame;
  const at = ([i, j]) => [x, y].map(({ lo, hi }, k) => lo * (1 - [i, j][k] / (n - 1)) + hi * ([i, j][k] / (n - 1)));
  const { values, valid, lines } = yield range(0, n * n).map((k) => at([k % n, Math.floor(k / n)]));
  const inside = insideOf({ values, valid }), ends = [];
  for (const edge of range(0, 2 * n * n)) {
    const [p, q] = endsOf(edge, n);
    if (q < 0 || inside[p] === inside[q]) continue;
    const [known, other] = inside[p] ? [p, q] : [q, p];
    ends.push({ edge, known, other, near: 0, far: 1, last: values[known], line: lines[other] });
  }
  for (let round = 0; round < 6 && ends.length; round++) {
    const seen = yield ends.map(({ known, other, near, far }) => at(between(known, other, (near + far) / 2, n)));
    ends.forEach((end, k) => {
      const half = (end.near + end.far) / 2;
      if (seen.valid[k] && Math.abs(seen.values[k]) < 1e300) Object.assign(end, { near: half, last: seen.values[k] });
      else Object.assign(end, { far: half, line: seen.lines[k] });
    });
  }
  const rim = ends.map(({ edge, known, other, near, last }) => [edge, known < other ? near : 1 - near, last]);
  return { ...frame, values, valid, rim, lines: ends.filter(({ line }) => line).map(({ edge, line }) => [edge, line]) };
}

// Of each cell the part that is inside, as corners: the side that begins there lies on an edge, or leaves it for the rim.
function polygonsOf({ count: n, values, rim }, inside) {
  const ends = new Map(rim.map(([edge, s, z]) => [edge, [s, z]])), found = [];
  for (let k = 0; k < n * (n - 1); k++) {
    if ((k + 1) % n === 0) continue;
    const points = [k, k + 1, k + n + 1, k + n], polygon = [];
    [2 * k, 2 * k + 3, 2 * (k + n), 2 * k + 1].forEach((edge, side) => {
      const p = points[side], q = points[(side + 1) % 4];
      if (inside[p]) polygon.push({ x: p % n, y: Math.floor(p / n), value: values[p], side: edge });
      if (inside[p] === inside[q]) return;
      const [s, value] = ends.get(edge), [x, y] = between(Math.min(p, q), Math.max(p, q), s, n);
      polygon.push({ x, y, value, side: inside[q] ? edge : edge + 2 * n * n });
    });
    if (polygon.length) found.push([k, polygon]);
  }
  return found;
}

// The lines on which the value is `level`, in units of the grid. A closed one ends where it begins.
function levelLines(cells, level) {
  const spots = new Map(), pairs = [];
  for (const [, polygon] of cells) {
    const crossed = [];
    polygon.forEach((p, k) => {
      const q = polygon[(k + 1) % polygon.length];
      if (p.value >= level === q.value >= level) return;
      const s = (level - p.value) / (q.value - p.value);
      if (!spots.has(p.side)) spots.set(p.side, [p.x + (q.x - p.x) * s, p.y + (q.y - p.y) * s]);
      crossed.push([p.side, q.value >= level]);
    });
    if (!crossed.length) continue;
    const middle = polygon.reduce((sum, p) => sum + p.value, 0) / polygon.length >= level; // which side of a saddle is one
    if (crossed[0][1] === middle) crossed.push(crossed.shift());
    for (let k = 0; k < crossed.length; k += 2) pairs.push([crossed[k][0], crossed[k + 1][0]]);
  }
  return chained(pairs).map((line) => line.map((side) => spots.get(side)));
}

// Pairs of neighbours as chains, the open ones first.
function chained(pairs) {
  const links = new Map(), found = [], seen = new Set();
  const link = (a, b) => links.has(a) ? links.get(a).push(b) : links.set(a, [b]);
  for (const [a, b] of pairs) link(a, b), link(b, a);
  for (const start of [...[...links.keys()].filter((a) => links.get(a).length === 1), ...links.keys()]) {
    if (seen.has(start)) continue;
    const line = [];
    for (let at = start; at !== undefined; at = links.get(at).find((b) => !seen.has(b))) {
      line.push(at);
      seen.add(at);
    }
    if (line.length > 2 && links.get(line.at(-1)).includes(start)) line.push(start);
    found.push(line);
  }
  return found;
}

const isElsewhere = ({ valid, count: n }, k) => !(valid[k] && valid[k + 1] && valid[k + n] && valid[k + n + 1]);

function levelsOf(c) {
  const inside = insideOf(c), all = c.values.filter((z, k) => inside[k]).sort((a, b) => a - b), n = all.length - 1;
  if (n < 0 || all[0] === all[n]) return [];
  const sign = all[0] < 0 ? -1 : 1, sizes = sign > 0 ? all : all.map((z) => -z).reverse();
  const low = sizes[Math.floor(0.05 * n)], high = sizes[Math.ceil(0.95 * n)];
  if (sizes[0] >= 0 && 250 * low > 0 && 250 * low < high) return ladder(low, sizes[n]).map((z) => [sign * z, number(sign * z, 6)]);
  return ticks(...extent(all, []), 12).filter(([z]) => all[0] < z && z < all[n]);
}

function ladder(low, high) {
  const powers = range(Math.floor(Math.log10(low)) - 1, Math.floor(Math.log10(high)) + 2);
  const steps = (...leading) => powers.flatMap((e) => leading.map((m) => Number(`${m}e${e}`))).filter((z) => low <= z && z <= high);
  const found = steps(1, 2, 5).length > 12 ? steps(1) : steps(1, 2, 5);
  return found.filter((_, k) => k % (Math.ceil(found.length / 12) || 1) === 0);
}

// ---- drawing; `c.cells`, `c.box` are what both parts need

// Its scales are those of the axes where that leaves it a good shape.
function frameOf({ x, y }) {
  const { wide, high, narrow } = RELIEF, across = x.hi / 2 - x.lo / 2, up = y.hi / 2 - y.lo / 2;
  const w = Math.min(wide, (high / up) * across), h = Math.min(high, (wide / across) * up);
  return w >= narrow * wide && h >= narrow * high ? { wide: w, high: h, alike: true } : { wide, high, alike: false };
}

const reliefOf = (c) => ({ ...c, box: frameOf(c), cells: polygonsOf(c, insideOf(c)) });
const pixel = ({ box, count }, x, y) => [RELIEF.left + (x / (count - 1)) * box.wide, RELIEF.top + (1 - y / (count - 1)) * box.high];
const atPixel = (c, x, y) => pixel(c, x, y).map(spot).join(" ");

function drawStill(c) {
  const { left, top, labels: parts } = RELIEF, { wide, high } = c.box, bottom = top + high;
  let s = `<path class="ad-contour-box" d="M${left} ${top}h${spot(wide)}v${spot(high)}h-${spot(wide)}z"/>`;
  for (const [v, label] of ticks(c.x.lo, c.x.hi, wide > 250 ? 6 : 3)) {
    const px = left + share(v, c.x.lo, c.x.hi) * wide;
    s += `<path class="ad-curve-grid" d="M${spot(px)} ${top}v${spot(high)}"/>${svgText("ad-curve-tick", px, bottom + 14, "middle", label)}`;
  }
  for (const [v, label] of ticks(c.y.lo, c.y.hi, 6)) {
    const py = top + (1 - share(v, c.y.lo, c.y.hi)) * high;
    s += `<path class="ad-curve-grid" d="M${left} ${spot(py)}h${spot(wide)}"/>${svgText("ad-curve-tick", left - 6, py + 3.5, "end", label)}`;
  }
  s += svgText("ad-curve-tick ad-name", left - 18, bottom + 14, "end", escaped(c.x.name));
  s += svgText("ad-curve-tick ad-name", left - 18, top - 8, "end", escaped(c.y.name)) + drawElsewhere(c);
  const boxes = [];
  let lines = "", labels = "";
  for (const [level, label] of levelsOf(c)) {
    const found = levelLines(c.cells, level), half = 3.1 * label.length + 2;
    if (!found.length) continue;
    lines += `<path class="ad-contour-line" d="${linesPath(c, found)}"><title>${escaped(c.head)} = ${label}</title></path>`;
    const longest = found.reduce((a, b) => (b.length > a.length ? b : a));
    for (const part of parts) {
      const [px, py] = pixel(c, ...longest[Math.floor(part * (longest.length - 1))]);
      const within = left + half <= px && px <= left + wide - half && top + 7 <= py && py <= bottom - 7;
      if (!within || boxes.some(([qx, qy, room]) => Math.abs(px - qx) < half + room && Math.abs(py - qy) < 13)) continue;
      boxes.push([px, py, half]);
      labels += svgText("ad-contour-label", px, py + 3.5, "middle", label);
      break;
    }
  }
  return s + lines + labels;
}

function drawMoving(c) {
  const { left, top, arrow } = RELIEF, { wide, high, alike } = c.box, here = c.value !== null;
  let s = svgText("ad-curve-head", left, top - 8, "start", `<tspan class="ad-name">${escaped(c.head)}</tspan>${here ? ` = ${number(c.value, c.digits)}` : ""}`);
  if (!here) return s;
  const px = left + share(c.at[0], c.x.lo, c.x.hi) * wide, py = top + (1 - share(c.at[1], c.y.lo, c.y.hi)) * high;
  if (Math.abs(c.value) < 1e300) s += `<path class="ad-contour-here" d="${linesPath(c, levelLines(c.cells, c.value))}"/>`;
  const gradient = `gradient (${c.slopes.map((slope) => number(slope, c.digits)).join(", ")})`;
  s += svgText("ad-curve-tick ad-contour-gradient", left, top + high + 29, "start", gradient);
  if (!alike) s += svgText("ad-curve-tick", left, top + high + 42, "start", "axes of different scale: not perpendicular to the line");
  const [fx, fy] = c.slopes, largest = Math.max(Math.abs(fx), Math.abs(fy));
  if (largest > 0 && largest < 1e300) { // drawn as a vector in the units of the axes
    let ux = (fx / largest) * (wide / (c.x.hi / 2 - c.x.lo / 2)), uy = (-fy / largest) * (high / (c.y.hi / 2 - c.y.lo / 2));
    const size = Math.sqrt(ux * ux + uy * uy);
    [ux, uy] = [ux / size, uy / size];
    const tx = px + arrow * ux, ty = py + arrow * uy, bx = tx - 8 * ux, by = ty - 8 * uy; // where the head begins
    s += `<g class="ad-contour-arrow"><title>${gradient}, its direction</title><path d="M${spot(px)} ${spot(py)}L${spot(bx)} ${spot(by)}"/>`;
    s += `<path class="ad-tip" d="M${spot(tx)} ${spot(ty)}L${spot(bx - 4 * uy)} ${spot(by + 4 * ux)}L${spot(bx + 4 * uy)} ${spot(by - 4 * ux)}z"/></g>`;
  }
  return `${s}<circle class="ad-curve-point" cx="${spot(px)}" cy="${spot(py)}" r="4"/>`;
}

// What the program decides otherwise: a pale area with its rim, hatched.
function drawElsewhere(c) {
  const { count: n } = c, inside = insideOf(c), whole = new Set();
  let area = "", hatch = "";
  for (const [k, polygon] of polygonsOf(c, inside.map((ok) => !ok))) {
    if (!isElsewhere(c, k)) continue;
    if (inside[k] || inside[k + 1] || inside[k + n] || inside[k + n + 1]) area += `M${polygon.map(({ x, y }) => atPixel(c, x, y)).join("L")}z`;
    else whole.add(k);
  }
  for (const k of [...whole].sort((a, b) => a - b)) {
    const i = k % n, j = Math.floor(k / n);
    let end = k;
    if (i === 0 || !whole.has(k - 1)) { // as many cells of a line as there are
      while (whole.has(end)) end++;
      area += `M${[[i, j], [i + end - k, j], [i + end - k, j + 1], [i, j + 1]].map(([x, y]) => atPixel(c, x, y)).join("L")}z`;
    }
    if ((i - j) % 3 || whole.has(k - n - 1)) continue;
    for (end = k; whole.has(end); ) end += n + 1;
    hatch += `M${atPixel(c, i, j)}L${atPixel(c, i + (end - k) / (n + 1), Math.floor(end / n))}`;
  }
  if (!area) return "";
  let s = `<path class="ad-curve-elsewhere" d="${area}"/><path class="ad-contour-hatch" d="${hatch}"/>`;
  const lines = new Map(c.lines), rim = new Map(c.rim);
  const pairs = c.cells.flatMap(([k, polygon]) => (isElsewhere(c, k) ? polygon.flatMap(({ side }, place) => (side >= 2 * n * n ? [[side - 2 * n * n, polygon[(place + 1) % polygon.length].side]] : [])) : []));
  for (const chain of chained(pairs)) {
    const line = lines.get(chain.find((edge) => lines.has(edge)));
    const d = linesPath(c, [chain.map((edge) => between(...endsOf(edge, n), rim.get(edge), n))]);
    s += `<path class="ad-contour-rim"${line ? ` data-ad-line="${line}"` : ""} d="${d}"><title>${line ? `line ${line}` : "the program"} decides otherwise</title></path>`;
  }
  return s;
}

// Lines as one path. Of points that are close to one another one is enough.
function linesPath(c, lines) {
  const { box, count } = c;
  let d = "";
  for (const line of lines) {
    let before = line[0];
    d += `M${atPixel(c, ...before)}`;
    for (let k = 1; k < line.length; k++) {
      const x = ((line[k][0] - before[0]) * box.wide) / (count - 1), y = ((line[k][1] - before[1]) * box.high) / (count - 1);
      if (k < line.length - 1 && x * x + y * y <= 6) continue;
      before = line[k];
      d += `L${atPixel(c, ...before)}`;
    }
  }
  return d;
}

const drawContour = (c) => ((r) => `<g>${drawStill(r)}</g><g>${drawMoving(r)}</g>`)(reliefOf(c));
