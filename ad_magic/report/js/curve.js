// A curve as SVG: curves.py once more, character for character.

const CURVE = { width: 440, left: 60, right: 14, top: 26, high: 150, between: 32, low: 84, foot: 44 };
const NEEDLE = 72; // px on each side of the point
const DUST = 1e-12; // of the greatest value: a smaller step is rounding, no jump

// The range of an axis that shows the numbers; what stands far out is cut off. `held` must be within.
function extent(numbers, held) {
  const all = numbers.filter((y) => Math.abs(y) < 1e300).sort((a, b) => a - b);
  if (!all.length) return [-1, 1];
  const n = all.length - 1;
  const low = all[Math.floor(0.05 * n)], high = all[Math.ceil(0.95 * n)], span = high - low;
  let lo = all[0], hi = all[n];
  if (lo < low - 3 * span) lo = low - span;
  if (hi > high + 3 * span) hi = high + span;
  for (const y of held) {
    if (Math.abs(y) < 1e300) {
      lo = Math.min(lo, y);
      hi = Math.max(hi, y);
    }
  }
  if (hi - lo <= 1e-9 * Math.max(Math.abs(lo), Math.abs(hi))) {
    const reach = Math.abs(lo) / 2 || 1;
    return [lo - reach, hi + reach];
  }
  const margin = 0.06 * (hi - lo);
  return [lo - margin, hi + margin];
}

// About `count` round numbers from lo to hi, with their texts.
function ticks(lo, hi, count) {
  const size = (hi - lo) / count;
  const power = Math.floor(Math.log10(size));
  const step = [1, 2, 5, 10, 20].map((m) => Number(`${m}e${power}`)).find((m) => m >= size * (1 - 1e-9));
  const digits = Math.min(15, Math.max(6, Math.ceil(Math.log10(Math.max(Math.abs(lo), Math.abs(hi)) / step)) + 2));
  const found = [];
  for (let k = Math.ceil(lo / step - 1e-9); k <= Math.floor(hi / step + 1e-9); k++) found.push([k * step, number(k * step, digits)]);
  return found;
}

const spot = (v) => String(Math.floor(v * 10 + 0.5) / 10 + 0);
const share = (v, lo, hi) => (v / 2 - lo / 2) / (hi / 2 - lo / 2);
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#x27;");

// The curve within a box of the size width × high; broken where it is not valid, and where it jumps.
function pathOf(xs, ys, valid, [lo, hi], [low, top], width, high, breaks) {
  let d = "", last = null;
  xs.forEach((x, i) => {
    const y = ys[i];
    if (!valid[i] || !Number.isFinite(y)) {
      last = null;
      return;
    }
    const at = Math.min(Math.max(1 - share(y, low, top), -1), 2); // clamped far outside of the box, which is cut off
    const torn = last === null || (last < 0 && at > 1) || (last > 1 && at < 0) || breaks.some((b) => xs[i - 1] <= b && b <= x);
    d += `${torn ? "M" : "L"}${spot(share(x, lo, hi) * width)} ${spot(at * high)}`;
    last = at;
  });
  return d;
}

const svgText = (kind, px, py, anchor, content) => `<text class="${kind}" x="${spot(px)}" y="${spot(py)}" text-anchor="${anchor}">${content}</text>`;

function drawCurve(c) {
  const { width, left, right, top, high, between, low, foot } = CURVE;
  const wide = width - left - right, second = top + high + between, bottom = second + low;
  const here = c.value !== null;
  const inside = c.valid.map((ok, i) => ok && Number.isFinite(c.values[i]));
  const upper = extent(c.values.filter((_, i) => inside[i]), here ? [c.value] : []);
  const lower = extent(c.slopes.filter((_, i) => inside[i]), here ? [0, c.slope] : [0]);
  const x = (v) => left + share(v, c.lo, c.hi) * wide;
  const shown = (head, v) => `<tspan class="ad-name">${escaped(head)}</tspan>${here && !Number.isNaN(v) ? ` = ${number(v, c.digits)}` : ""}`;
  let s = svgText("ad-curve-head", left, top - 10, "start", shown(c.head, c.value));
  s += svgText("ad-curve-head ad-curve-second", left, second - 10, "start", shown(c.slope_head, c.slope));
  for (const [v, label] of ticks(c.lo, c.hi, 6)) {
    s += `<path class="ad-curve-grid" d="M${spot(x(v))} ${top}v${high}M${spot(x(v))} ${second}v${low}"/>`;
    s += svgText("ad-curve-tick", x(v), bottom + 14, "middle", label);
  }
  for (const [y0, tall, [a, b], count] of [[top, high, upper, 5], [second, low, lower, 4]]) {
    for (const [v, label] of ticks(a, b, count)) {
      const py = y0 + (1 - share(v, a, b)) * tall;
      s += `<path class="ad-curve-grid${v === 0 ? " ad-curve-zero" : ""}" d="M${left} ${spot(py)}h${wide}"/>`;
      s += svgText("ad-curve-tick", left - 6, py + 3.5, "end", label);
    }
  }
  s += svgText("ad-curve-tick ad-name", left - 18, bottom + 14, "end", escaped(c.name));
  for (const [a, b] of c.elsewhere) {
    const from = spot(x(a)), size = spot(x(b) - x(a));
    s += `<path class="ad-curve-elsewhere" d="M${from} ${top}h${size}v${high}h-${size}zM${from} ${second}h${size}v${low}h-${size}z"/>`;
  }
  for (const { kind, x: v, text: title, line, row } of c.marks) {
    const px = spot(x(v));
    const from = (line ? ` data-ad-line="${line}"` : "") + (row === null ? "" : ` data-ad-row="${row}"`);
    s += `<g class="ad-curve-mark ad-${kind}"${from}><title>${escaped(title)}</title><path d="M${px} ${top}v${high}M${px} ${second}v${low}"/>`;
    s += `<path class="ad-tip" d="M${px} ${bottom}l-4 7h8z"/></g>`;
  }
  if (c.marks.length) s += svgText("ad-curve-tick ad-curve-note", left, bottom + 28, "start", escaped(c.note));
  if (here) s += `<path class="ad-curve-here" d="M${spot(x(c.at))} ${top}v${high}M${spot(x(c.at))} ${second}v${low}"/>`;
  const jumps = c.marks.filter(({ kind }) => kind !== "kink").map((mark) => mark.x);
  const torn = c.marks.map((mark) => mark.x);
  const box = (y0, tall, content) => `<svg x="${left}" y="${y0}" width="${wide}" height="${tall}">${content}</svg>`;
  let above = `<path class="ad-curve-f" d="${pathOf(c.xs, c.values, c.valid, [c.lo, c.hi], upper, wide, high, jumps)}"/>`;
  let below = `<path class="ad-curve-slope" d="${pathOf(c.xs, c.slopes, c.valid, [c.lo, c.hi], lower, wide, low, torn)}"/>`;
  if (here && Math.abs(c.value) < 1e300 && Math.abs(c.slope) < 1e300) { // also no NaN
    const px = share(c.at, c.lo, c.hi) * wide, py = (1 - share(c.value, ...upper)) * high;
    const ux = wide / (c.hi - c.lo), uy = (-c.slope * high) / (upper[1] - upper[0]);
    const t = NEEDLE / Math.hypot(ux, uy);
    above += `<path class="ad-curve-tangent" d="M${spot(px - t * ux)} ${spot(py - t * uy)}L${spot(px + t * ux)} ${spot(py + t * uy)}"/>`;
    above += `<circle class="ad-curve-point" cx="${spot(px)}" cy="${spot(py)}" r="4"/>`;
    below += `<circle class="ad-curve-point ad-curve-second" cx="${spot(px)}" cy="${spot((1 - share(c.slope, ...lower)) * low)}" r="3.5"/>`;
  }
  return s + box(top, high, above) + box(second, low, below);
}

// Where the curve leaves the recorded path, or has a corner or a jump, found by looking closer and closer. It yields the
// points at which it wants { values, slopes, valid }; `origin(points)` gives the line and the row that a mark comes from.
function* findMarks({ name, xs, values, slopes, valid }, origin) {
  const found = [];
  const add = (kind, x, text, [line, row]) => found.push({ kind, x, text, line, row });
  function* closer(a, b, which) {
    for (let round = 0; round < 5; round++) {
      const points = Array.from({ length: 17 }, (_, k) => a + ((b - a) * k) / 16);
      const k = which(yield points);
      if (k < 0 || !(points[k] < points[k + 1])) break;
      [a, b] = [points[k], points[k + 1]];
    }
    return [a, b];
  }
  const change = (seen) => seen.valid.findIndex((ok, k) => k < 16 && ok !== seen.valid[k + 1]);
  const steepest = (seen) => largest(seen.slopes, seen.valid)[0];
  for (let i = 0; i + 1 < xs.length; i++) {
    if (valid[i] !== valid[i + 1]) {
      const [a, b] = yield* closer(xs[i], xs[i + 1], change), at = roundWithin(a, b), [line] = origin([a, b]);
      add("decision", at, `at ${name} = ${number(at, 6)} ${line ? `line ${line}` : "the program"} decides otherwise`, [line, null]);
    }
  }
  for (const i of candidates(slopes, valid)) {
    const [a, b] = yield* closer(xs[i], xs[i + 1], steepest);
    const reach = (xs[i + 1] - xs[i]) / 64, at = roundWithin(a, b);
    const seen = yield [at - reach, a, b, at + reach];
    const jump = Math.abs(slopes[i + 1] - slopes[i]), left = seen.slopes[0], right = seen.slopes[3];
    const still = Math.abs(seen.slopes[2] - seen.slopes[1]);
    const known = seen.valid.every((ok) => ok) && [left, right, still].every(Number.isFinite);
    if (!known || still < jump / 4 || Math.abs(right - left) < jump / 4 || still > 4 * jump || found.some((m) => Math.abs(m.x - at) < reach)) continue;
    const sides = `slope ${number(left, 4)} on the left, ${number(right, 4)} on the right`;
    add("kink", at, `kink at ${name} = ${number(at, 6)}: ${sides}`, origin([xs[i], a, b, xs[i + 1]]));
  }
  const dust = DUST * values.reduce((most, z, k) => (valid[k] && Number.isFinite(z) ? Math.max(most, Math.abs(z)) : most), 0);
  for (let i = 0; i + 1 < xs.length; i++) {
    const step = Math.abs(values[i + 1] - values[i]), smooth = Math.max(Math.abs(slopes[i]), Math.abs(slopes[i + 1])) * (xs[i + 1] - xs[i]);
    if (!valid[i] || !valid[i + 1] || !Number.isFinite(step) || !(step > 3 * smooth) || !(step > Math.max(1e-9 * Math.abs(values[i]), dust))) continue;
    const [a, b] = yield* closer(xs[i], xs[i + 1], (seen) => largest(seen.values, seen.valid)[0]);
    const seen = yield [a, b];
    if (!(Math.abs(seen.values[1] - seen.values[0]) > step / 2)) continue;
    const at = roundWithin(a, b);
    if (found.some((m) => Math.abs(m.x - at) < (xs[i + 1] - xs[i]) / 64)) continue;
    add("jump", at, `jump at ${name} = ${number(at, 6)}`, origin([xs[i], a, b, xs[i + 1]]));
  }
  return found.sort((p, q) => p.x - q.x);
}

// The step with the greatest difference between neighbours.
function largest(numbers, valid) {
  let place = -1, most = 0;
  for (let k = 0; k + 1 < numbers.length; k++) {
    const d = Math.abs(numbers[k + 1] - numbers[k]);
    if (valid[k] && valid[k + 1] && d > most) [place, most] = [k, d];
  }
  return [place, most];
}

// The steps at which the slope changes much more than two steps before and after it: at most twelve.
function candidates(slopes, valid) {
  const change = slopes.slice(1).map((s, i) => (valid[i] && valid[i + 1] && Number.isFinite(s - slopes[i]) ? Math.abs(s - slopes[i]) : 0));
  const scale = Math.max(0, ...slopes.filter((s, i) => valid[i] && Number.isFinite(s)).map(Math.abs));
  const found = change.map((d, i) => i).filter((i) => change[i] > 1e-4 * scale && change[i] > 1.5 * Math.max(change[i - 2] ?? 0, change[i + 2] ?? 0));
  return found.sort((i, k) => change[k] - change[i] || i - k).slice(0, 12).sort((i, k) => i - k);
}

// The roundest number from a to b.
function roundWithin(a, b) {
  if (a <= 0 && 0 <= b) return 0;
  for (let digits = 1; digits < 17; digits++) {
    const x = Number(((a + b) / 2).toPrecision(digits));
    if (a <= x && x <= b) return x;
  }
  return (a + b) / 2;
}

function stretches(xs, valid, marks) {
  const ends = [xs[0], ...marks.filter(({ kind }) => kind === "decision").map((mark) => mark.x), xs.at(-1)];
  const found = [];
  for (let k = 0; k + 1 < ends.length; k++) {
    const inside = valid.filter((_, i) => ends[k] <= xs[i] && xs[i] <= ends[k + 1]);
    if (ends[k] < ends[k + 1] && inside.filter((ok) => !ok).length * 2 > inside.length) found.push([ends[k], ends[k + 1]]);
  }
  return found;
}

// A few words on the marks, for below the axis.
function noteOf(name, marks) {
  const words = { decision: "decides otherwise", kink: "kink", jump: "jump" };
  const texts = Object.keys(words).flatMap((kind) => {
    const places = marks.filter((mark) => mark.kind === kind).map(({ x }) => number(x, 4));
    return places.length ? [`${words[kind]} at ${name} = ${places.slice(0, 3).join(", ")}${places.length > 3 ? ", \u2026" : ""}`] : [];
  });
  return texts.join(" \u00b7 ");
}

const pointsOf = (lo, hi) => Array.from({ length: 200 }, (_, k) => lo * (1 - k / 199) + hi * (k / 199));

// All of a curve but for the point; `head`, `slope_head`, `digits` and the grid come with `frame`. It yields the points
// at which it wants to know more. `early` gets the curve before its marks are found.
function* curveSteps(frame, origin = () => [null, null], early = () => {}) {
  const xs = pointsOf(frame.lo, frame.hi), { values, slopes, valid } = yield xs, c = { ...frame, xs, values, slopes, valid };
  early({ ...c, marks: [], elsewhere: [], note: "" });
  const marks = yield* findMarks(c, origin);
  return { ...c, marks, elsewhere: stretches(xs, valid, marks), note: noteOf(frame.name, marks) };
}
