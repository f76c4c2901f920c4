// What a reader is told of an array: array.py, strip.py and cells.py once more. An array is { shape, data }, in C order.

const SMALL = 4, SHOWN = 8, VECTOR = 6, MATRIX = 9, BLOCK = 4, SLICES = 3, TEXT_DIGITS = 4;
const LINE_ENDS = { 1: [[3, 3], [0, 0]], 2: [[2, 1], [1, 1]] };
const SPARKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
const STRIP_COLUMNS = 24, STRIP_ROWS = 5, LEVELS = 8;

const shapeText = (shape) => (shape.length === 1 ? `(${shape[0]},)` : shape.join("\u00d7"));
const isSmall = ({ shape }) => {
  const size = product(shape);
  return size > 0 && size <= SMALL && (shape.length === 1 || (shape.length === 2 && shape[1] <= 2));
};
const isShort = (array) => isSmall(array) && (array.shape.length === 1 || product(array.shape) === 1);

function part({ shape, data }, k) {
  const size = product(shape.slice(1));
  return { shape: shape.slice(1), data: data.slice(k * size, (k + 1) * size) };
}

function norm({ data }) {
  let top = 0;
  for (const x of data) {
    if (Number.isNaN(x)) return NaN;
    top = Math.max(top, Math.abs(x));
  }
  if (!(top > 0 && top < Infinity)) return top;
  let sum = 0;
  for (const x of data) sum += (x / top) ** 2;
  return top * Math.sqrt(sum);
}

// As a picture of few cells: where entries share a cell it is the one of greatest magnitude.
function pooled({ shape, data }, rows, columns) {
  const last = shape.at(-1);
  const width = shape.length === 1 || last === 1 ? data.length : last;
  let picture = [];
  for (let k = 0; k < data.length; k += width) picture.push(data.slice(k, k + width));
  const greatest = (cells) => cells.reduce((a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
    const high = Math.max(a, b), low = Math.min(a, b);
    return high >= -low ? high : low;
  });
  const pool = (lines, limit) => {
    if (lines.length <= limit) return lines;
    const start = (k) => Math.floor((k * lines.length) / limit);
    return Array.from({ length: limit }, (_, k) => lines.slice(start(k), start(k + 1)));
  };
  if (picture.length > rows) picture = pool(picture, rows).map((lines) => lines[0].map((_, x) => greatest(lines.map((line) => line[x]))));
  if (width > columns) picture = picture.map((line) => pool(line, columns).map(greatest));
  return picture;
}

function stripCells(picture) {
  const top = Math.max(0, ...picture.flat().filter(Number.isFinite).map(Math.abs));
  const level = (x) => (x ? Math.sign(x) * Math.min(LEVELS, Math.max(1, Math.ceil((Math.abs(x) / top) * LEVELS))) : 0);
  const short = (x) => String(Number(x.toPrecision(6)));
  const strokes = new Map();
  let crosses = "";
  picture.forEach((line, y) => {
    for (let x = 0; x < line.length; ) {
      if (!Number.isFinite(line[x])) {
        crosses += `M${short(x + 0.2)} ${short(y + 0.2)}l.6 .6m0 -.6l-.6 .6`;
        x++;
        continue;
      }
      const deep = level(line[x]), start = x;
      while (x < line.length && Number.isFinite(line[x]) && level(line[x]) === deep) x++;
      if (deep) strokes.set(deep, (strokes.get(deep) ?? "") + `M${start} ${short(y + 0.5)}h${x - start}`);
    }
  });
  const found = [...strokes].sort(([a], [b]) => a - b).map(([deep, d]) =>
    `<path class="ad-${deep > 0 ? "plus" : "less"}" stroke="currentColor" opacity="${Math.abs(deep) / LEVELS}" d="${d}"/>`);
  return found.join("") + (crosses ? `<path class="ad-cross" stroke="currentColor" d="${crosses}"/>` : "");
}

const stripOf = (array) => stripCells(pooled(array, STRIP_ROWS, STRIP_COLUMNS));

function explained(array) {
  const picture = pooled(array, STRIP_ROWS, STRIP_COLUMNS).flat();
  const top = Math.max(0, ...picture.filter(Number.isFinite).map(Math.abs));
  return `the strip's colours go from 0 to \u00b1${number(top, 4)}, red is negative` +
    (picture.length < array.data.length ? "; where entries share a cell it shows the one of greatest magnitude" : "");
}

function described(array) {
  const { data } = array;
  const finite = data.filter(Number.isFinite);
  const bad = data.length - finite.length;
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity), most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const span = finite.length ? ` from ${number(least, 6)} to ${number(most, 6)}` : "";
  return `${shapeText(array.shape)}: entries${span}` + (bad ? `, ${bad} of ${data.length} NaN or infinite` : "");
}

const titleOf = (array) => `${described(array)}; \u2016\u00b7\u2016 is the 2-norm of all entries; ${explained(array)}`;

const placesOf = (length, head, tail) => (length <= head + tail ? range(0, length) : [...range(0, head), null, ...range(length - tail, length)]);
const shownPlaces = (length) => (length <= SHOWN ? range(0, length) : placesOf(length, SHOWN / 2, SHOWN / 2 - 1));

function oneLine(array, digits, between = ", ") {
  const size = product(array.shape), axes = array.shape.length;
  const cut = size > (axes === 1 ? VECTOR : MATRIX);
  const text = nested(array, digits, between, cut ? LINE_ENDS[axes] ?? [[2, 0], [1, 0]] : null);
  return cut || !size ? `${text} ${shapeText(array.shape)}` : text;
}

function nested(array, digits, between, ends) {
  const { shape, data } = array;
  if (!shape.length) return number(data[0], digits);
  const places = ends ? placesOf(shape[0], ...ends[shape.length > 1 ? 1 : 0]) : range(0, shape[0]);
  return `[${places.map((k) => (k === null ? "\u2026" : nested(part(array, k), digits, between, ends))).join(between)}]`;
}

// The entries as a row of bars, from the lowest to the highest of them and zero.
function spark({ data }) {
  const row = pooled({ shape: [data.length], data }, 1, SHOWN).flat();
  const top = Math.max(0, ...row.filter(Number.isFinite).map(Math.abs)) || 1;
  const shares = row.map((x) => x / top);
  const low = Math.min(0, ...shares.filter(Number.isFinite)), high = Math.max(0, ...shares.filter(Number.isFinite));
  const step = (SPARKS.length - 1) / (high - low || 1);
  const round = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)); // a half goes to the even one
  return shares.map((x) => (Number.isFinite(x) ? SPARKS[round((x - low) * step)] : "\u00d7")).join("");
}

// The entries as lines with aligned columns.
function blockOf(array, digits, pad) {
  const { shape, data } = array;
  const few = shape.at(-1) > 2 && shape.length > 1 ? Math.min(digits, TEXT_DIGITS) : digits;
  if (shape.length <= 2) return matrixLines({ shape: [shape[0], data.length / shape[0]], data }, few, pad);
  const leading = shape.slice(0, -2), size = shape.at(-2) * shape.at(-1);
  return placesOf(product(leading), SLICES - 1, 1).flatMap((place) => {
    if (place === null) return ["\u2026"];
    const index = leading.map((n, axis) => Math.floor(place / product(leading.slice(axis + 1))) % n);
    const matrix = { shape: shape.slice(-2), data: data.slice(place * size, (place + 1) * size) };
    return [`[${index.join(", ")}]`, ...matrixLines(matrix, few, pad)];
  });
}

function matrixLines({ shape, data }, digits, pad) {
  const [rows, columns] = shape.map(shownPlaces);
  const shown = columns.map((c) => align(rows.map((r) => (r === null || c === null ? "\u2026" : number(data[r * shape[1] + c], digits))), pad));
  const end = new RegExp(`${pad}+$`);
  return rows.map((_, k) => shown.map((column) => column[k]).join(pad + pad).replace(end, ""));
}

// A small matrix as lines that Python reads.
function bracketed({ shape: [rows, width], data }, digits) {
  const columns = range(0, width).map((c) => {
    const mark = c < width - 1 ? "," : "]";
    return align(range(0, rows).map((r) => number(data[r * width + c], digits)), " ")
      .map((text) => text.trimEnd() + mark + " ".repeat(text.length - text.trimEnd().length));
  });
  return range(0, rows).map((r) => `${r ? " [" : "[["}${columns.map((column) => column[r]).join(" ").trimEnd()}${r < rows - 1 ? "," : "]"}`);
}
