// A report that follows its inputs: what a program computes is written into what Python has drawn, in its place.
// A column keeps the width that it has had, what is unfolded stays so. live.py says what `data` is; `rooms` has the widths
// of columns, for a report that is drawn anew in the place of another.

const CONDITION_DIGITS = 2;

// What a program gives for a row as a number or an array; what is absent is zero.
function arranged(x, shape) {
  if (!shape?.length) return x ?? 0;
  const size = product(shape);
  return { shape, data: x === null || x === undefined ? Array(size).fill(0) : typeof x === "number" ? Array(size).fill(x) : x };
}

function follow(report, data, rooms = new Map()) {
  const { digits, tape, shapes } = data;
  const all = (selector, within = report) => [...within.querySelectorAll(selector)];
  const written = new WeakMap(); // what stands in an element, because asking the page for it takes long
  const put = (element, content, how) => {
    if (!element || written.get(element) === content) return;
    element[how] = content;
    written.set(element, content);
  };
  const write = (element, text) => put(element, text, "textContent");
  const fill = (element, html) => put(element, html, "innerHTML");
  const attribute = (element, name, value) => element && element.getAttribute(name) !== value && element.setAttribute(name, value);
  const minus = (text) => text.replaceAll(MINUS, "-").replaceAll("-", '<span class="ad-minus">-</span>');
  const least = (element, text) => { // as wide as its longest text so far
    const wide = Math.max(element.adWide ?? 0, text.length);
    if (wide !== element.adWide) element.style.minWidth = `${(element.adWide = wide)}ch`;
  };

  const roomOf = (what) => rooms.get(what) ?? rooms.set(what, { left: 0, right: 0 }).get(what);
  const output = data.outputs.length === 1 && !data.outputs[0].shape ? data.outputs[0] : null;

  // ---- numbers: of a row by its place on the tape

  const at = (column, row) => arranged(column?.[tape[row]], shapes[row]);
  const entryOf = (x, place) => (typeof x === "number" ? x : x?.[place] ?? 0);

  function slopeOf(found, output, input) {
    const { shape, row, seeds } = data.inputs[input];
    if (found.slopes) return found.slopes[output.name][input];
    if (found.adjoints) return arranged(found.adjoints[row], shape);
    if (seeds.at(-1) >= found.tangents.length) return null; // so many that the program has none
    const along = seeds.map((seed) => output.parts.map(([from, place]) => (from === null ? 0 : entryOf(found.tangents[seed]?.[from], place))));
    const flat = output.parts.flatMap((_, k) => along.map((tangent) => tangent[k]));
    const wide = [...(output.shape ?? []), ...(shape ?? [])];
    return wide.length ? { shape: wide, data: flat } : flat[0];
  }

  function valueOf(found, output) {
    if (output.parts.some(([row]) => row !== null && (found.values[row] ?? null) === null)) return null;
    const flat = output.parts.map(([row, place]) => (row === null ? place : entryOf(found.values[row], place)));
    return output.shape ? { shape: output.shape, data: flat } : flat[0];
  }

  // ---- the parts of the report, looked up once

  const columns = new Map();
  for (const cell of all("[data-ad-cell]")) {
    const key = cell.dataset.adCell;
    if (!columns.has(key)) columns.set(key, { key, cells: [], room: roomOf(key) });
    const row = Number(cell.closest("tr").dataset.adRow);
    columns.get(key).cells.push({ cell, row, line: cell.closest("tr"), texts: null, room: roomOf(`${key} ${row}`) });
  }
  const numbersOf = (found, key) =>
    key === "value" ? found.values : key === "adjoint" ? found.adjoints : found.tangents[data.seeds.indexOf(key.slice("tangent:".length))];
  const rows = all("tr[data-ad-row]").map((element) => ({ element, row: Number(element.dataset.adRow), partial: element.querySelector("td.ad-partial") }));
  const nodes = all("[data-ad-node]").map((element) => ({ element, row: Number(element.dataset.adNode), text: element.querySelector(".ad-node-value"), room: Number(element.querySelector("rect").getAttribute("width")) - 8 }));
  const edges = all("g[data-ad-edge]").map((element) => {
    const [tail, head] = element.dataset.adEdge.split(" ").map(Number);
    return { element, tail, head, path: element.querySelector("path"), label: report.querySelector(`text.ad-partial-label[data-ad-edge="${tail} ${head}"]`) };
  });
  const results = data.outputs.flatMap((output) => {
    const which = data.outputs.length > 1 ? `[data-ad-output="${CSS.escape(output.name)}"]` : "";
    const slopes = Object.keys(data.inputs).map((input) => ({ element: report.querySelector(`[data-ad-grad="${CSS.escape(input)}"]${which}`), digits, of: (found) => slopeOf(found, output, input) }));
    return [{ element: report.querySelector(`.ad-value${which}`), digits: output.digits, of: (found) => valueOf(found, output) }, ...slopes];
  }).filter(({ element }) => element && element.textContent);

  // What can be seen, nearly: null as long as nobody has looked.
  let near = null, eye = null;
  function look() {
    eye = new IntersectionObserver((seen) => {
      near ??= new Set();
      for (const { isIntersecting, target } of seen) near[isIntersecting ? "add" : "delete"](target);
    }, { rootMargin: "50%", scrollMargin: "50%" });
    for (const { element } of rows) eye.observe(element);
    if (graph) eye.observe(graph);
  }
  const hessian = data.second && heat(report, data, rooms, (found, input) => slopeOf(found, output, input));
  const graph = report.querySelector(".ad-graph svg"), folded = report.querySelector("details.ad-switch");

  // ---- writing

  // The texts of a value that line up with those of the other cells of its column.
  const alignedTexts = (x) => {
    if (typeof x === "number") return [number(x, digits)];
    if (!x.data.length) return [];
    return isSmall(x) ? matrixOf(x).map((line) => number(line.at(-1), digitsOf(x))) : [number(norm(x), digits)];
  };
  const digitsOf = ({ shape }) => (shape.length > 1 && shape[1] > 1 ? Math.min(digits, TEXT_DIGITS) : digits);
  const matrixOf = ({ shape, data: flat }) => range(0, shape[0]).map((k) => flat.slice((k * flat.length) / shape[0], ((k + 1) * flat.length) / shape[0]));

  function writeArray(details, x, few) {
    attribute(details.querySelector("summary"), "title", titleOf(x));
    fill(details.querySelector(".ad-strip"), stripOf(x));
    fill(details.querySelector(":scope > .ad-entries"), blockOf(x, few, NBSP).map(escaped).join("<br>"));
  }

  function writeCell({ cell, room }, x, lines) {
    const bad = typeof x === "number" ? !Number.isFinite(x) : !x.data.every(Number.isFinite);
    const zero = !bad && (typeof x === "number" ? x === 0 : x.data.every((y) => y === 0));
    cell.classList.toggle("ad-zero", zero);
    cell.classList.toggle("ad-bad", bad);
    if (!lines.length) return;
    if (typeof x === "number") return write(cell.querySelector("samp"), lines[0]);
    if (!isSmall(x)) {
      write(cell.querySelector("summary > samp:last-of-type").lastChild, NBSP + lines[0]);
      return writeArray(cell.querySelector("details"), x, digits);
    }
    const matrix = matrixOf(x), entries = cell.querySelector(".ad-entries");
    const two = matrix[0].length === 2, first = two && align(matrix.map((line) => number(line[0], digitsOf(x))), NBSP, room);
    fill(entries, lines.map((line, k) => (two ? first[k] + NBSP + NBSP : "") + line).join("<br>"));
    attribute(entries, "title", described(x) + (two ? `: ${bracketed(x, digits).join("")}` : ""));
  }

  // A derivative that is absent is zero; a column or a value that is absent is not known.
  const isKnown = (numbers, key, row) => numbers && (key !== "value" || (numbers[tape[row]] ?? null) !== null);

  function writeColumn({ key, cells: all, room }, found, isStale, moved, isNear) {
    const cells = all.filter(({ line }) => isNear(line));
    const numbers = numbersOf(found, key), texts = [];
    const fresh = cells.map((one) => {
      const unknown = !isKnown(numbers, key, one.row) || (key === "adjoint" && found.changed);
      const x = unknown || isStale(one.row) ? null : at(numbers, one.row);
      if (x !== null) one.texts = alignedTexts(x);
      one.cell.classList.toggle("ad-stale", Boolean(unknown && moved));
      texts.push(...(one.texts ?? []));
      return x;
    });
    const lines = align(texts, NBSP, room);
    let next = 0;
    cells.forEach((one, k) => {
      const mine = lines.slice(next, (next += (one.texts ?? []).length));
      if (fresh[k] !== null) writeCell(one, fresh[k], mine);
    });
  }

  function writeResult({ element, digits: few, of }, found, moved) {
    const x = of(found), details = element.closest("details.ad-array");
    element.classList.toggle("ad-stale", x === null && moved);
    if (x === null) return;
    if (typeof x === "number") {
      const text = number(x, few);
      least(element, text);
      return fill(element, minus(text));
    }
    const matrix = x.shape.length === 2 && Math.max(...x.shape) <= BLOCK;
    if (matrix && !details) return fill(element.querySelector(".ad-block"), minus(bracketed(x, few).join("\n")));
    const text = oneLine(x, few), end = ` ${shapeText(x.shape)}`;
    fill(element, minus(details && text.endsWith(end) ? text.slice(0, -end.length) : text));
    if (details) writeArray(details, x, few);
  }

  function writeNode({ element, row, text, room }, found) {
    const x = at(found.values, row), before = data.nodes[row] ?? "";
    const shown = typeof x === "number" ? number(x, digits) : isShort(x) ? brief(x, digits) : number(norm(x), digits);
    write(text, before + shown);
    element.classList.toggle("ad-bad", typeof x === "number" ? !Number.isFinite(x) : !x.data.every(Number.isFinite));
    const long = (before + shown).length * 6.65 > room; // squeezed into its box, which keeps its size
    if (long) text.setAttribute("textLength", room);
    else text.removeAttribute("textLength");
    if (long) text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }

  function writeEdge({ element, tail, head, path, label }, found) {
    const slopes = data.parents[head].flatMap((parent, k) => (parent === tail ? [found.partials[tape[head]]?.[k]] : [])).filter((s) => typeof s === "number");
    if (!label || !slopes.length || element.classList.contains("ad-array")) return;
    const slope = slopes.reduce((a, b) => a + b, 0);
    const kind = slope === 0 ? "zero" : !Number.isFinite(slope) ? "bad" : slope < 0 ? "negative" : "positive";
    element.classList.remove("ad-zero", "ad-bad", "ad-negative", "ad-positive");
    element.classList.add(`ad-${kind}`);
    const weight = kind === "positive" || kind === "negative" ? 1.3 + 0.5 * Math.max(-1, Math.min(3, Math.log10(Math.abs(slope)))) : 1;
    attribute(path, "stroke-width", weight.toFixed(2));
    if (kind === "zero") path.setAttribute("stroke-dasharray", "3 3");
    else path.removeAttribute("stroke-dasharray");
    write(label, slopes.map((s) => number(s, Math.min(digits, 4))).join(" + "));
  }

  // By how much a relative error of a row is larger in the output: |v̄ v / z|, summed over the entries of an array.
  function conditionOf(row, found) {
    const z = output && data.order.length && found.adjoints ? Math.abs(valueOf(found, output)) : 0;
    if (!z || !Number.isFinite(z)) return null;
    const [value, adjoint] = [found.values, found.adjoints].map((column) => at(column, row));
    const size = typeof value === "number" ? Math.abs(value * adjoint) : value.data.reduce((sum, v, k) => sum + Math.abs(v * adjoint.data[k]), 0);
    return Number.isFinite(size / z) ? size / z : null;
  }

  function writePartials({ row, partial }, found, moved) {
    const slopes = found.partials[tape[row]] ?? [];
    const unknown = slopes.includes(null); // of a function pair there are none, in Python too
    partial.classList.toggle("ad-stale", unknown && moved);
    if (unknown) return;
    const texts = data.parents[row].flatMap((parent, k) =>
      k >= slopes.length ? [] : [`\u2202v<sub>${row + 1}</sub>/\u2202v<sub>${parent + 1}</sub> = ${brief(arranged(slopes[k], data.partials[row]?.[k]), digits)}`]);
    const condition = conditionOf(row, found);
    if (condition !== null) texts.push(`condition = ${brief(condition, CONDITION_DIGITS)}`);
    fill(partial, texts.join(", "));
    least(partial, texts.join(", ").replace(/<.*?>/g, ""));
  }

  // What does not follow is greyed, and has its colour back as soon as it does.
  let greyed = true;
  function grey(found, isStale, moved) {
    report.classList.toggle("ad-elsewhere", Boolean(found.changed));
    report.classList.toggle("ad-moved", moved);
    report.classList.toggle("ad-without-partials", moved && !found.partials);
    if (!found.changed && !greyed) return;
    greyed = Boolean(found.changed);
    for (const { element, row } of [...rows, ...nodes]) element.classList.toggle("ad-stale", isStale(row));
    for (const { element, head, label } of edges) {
      element.classList.toggle("ad-stale", isStale(head));
      label?.classList.toggle("ad-stale", isStale(head));
    }
  }

  // ---- what a caller gets

  // Write what the program has found at a point; `moved` says whether it is another than the report was made at.
  // `inPassing` leaves out what nobody can see: a gesture goes on, and at its end all is written.
  function show(found, moved = true, inPassing = false) {
    if (inPassing && !eye) look();
    const isNear = (element) => !inPassing || !near || near.has(element);
    const isStale = (row) => Boolean(found.changed) && tape[row] >= found.changed.row;
    for (const column of columns.values()) writeColumn(column, found, isStale, moved, isNear);
    if (!found.changed) for (const one of results) writeResult(one, found, moved);
    if (isNear(graph)) for (const one of nodes) if (!isStale(one.row) && isKnown(found.values, "value", one.row)) writeNode(one, found);
    if (found.partials) {
      if (isNear(graph)) for (const one of edges) if (!isStale(one.head)) writeEdge(one, found);
      const isOpen = !inPassing || folded?.open;
      for (const one of rows) if (isOpen && one.partial && !isStale(one.row) && isNear(one.element)) writePartials(one, found, moved);
    }
    hessian?.show(found, moved);
    grey(found, isStale, moved);
  }

  // Make room for the numbers of a point, so that nothing moves when they come.
  function prepare(found) {
    if (found.changed) return;
    for (const { key, cells, room } of columns.values()) {
      const numbers = numbersOf(found, key);
      const known = cells.filter(({ row }) => isKnown(numbers, key, row));
      align(known.flatMap(({ row }) => alignedTexts(at(numbers, row))), NBSP, room);
    }
    for (const { element, digits: few, of } of results) {
      const x = of(found);
      if (typeof x === "number") least(element, number(x, few));
    }
  }

  // The first row whose value is not finite, where all were finite at the point of the report; -1 for none.
  function firstBad(found) {
    const isBad = (x) => (typeof x === "number" ? !Number.isFinite(x) : !x.data.every(Number.isFinite));
    return data.finite ? Number(Object.keys(tape).find((row) => isBad(at(found.values, row))) ?? -1) : -1;
  }

  // The slope of a row along entry `place` of an input; NaN where the program does not tell.
  function slopeAt(found, { row, place }, input, entry) {
    const { row: start, seeds } = data.inputs[input], seed = seeds[entry];
    if (row === null) return 0;
    if (found.tangents?.[seed]) return entryOf(found.tangents[seed][row], place);
    const known = new Map(); // in reverse mode: forward through the local partials of numbers
    for (const [key, at] of Object.entries(tape)) {
      const slope = (sum, parent, k) => known.get(parent) === 0 ? sum : sum + (known.get(parent) ?? NaN) * (found.partials?.[at]?.[k] ?? NaN);
      known.set(Number(key), at === start ? 1 : shapes[key] ? NaN : data.parents[key].reduce(slope, 0));
      if (at === row) return known.get(Number(key));
    }
    return NaN;
  }

  // Value and slope along entry `entry` of an input, of a number: of data.subjects, or { row, place } of the tape.
  function curve(found, input, entry, of = data.subjects[0]) {
    const value = of.row === null ? of.place : (found.values[of.row] ?? null) === null ? NaN : entryOf(found.values[of.row], of.place);
    const whole = of === data.subjects[0] && data.subjects.length === 1; // the one that adjoints are of
    return [value, whole && found.adjoints ? entryOf(found.adjoints[data.inputs[input].row], entry) : slopeAt(found, of, input, entry)];
  }

  return {
    show,
    second: (told) => hessian?.put(told),
    prepare,
    firstBad,
    curve,
    stop: () => eye?.disconnect(),
  };
}
