// A sweep step by step, in words: the operation, its local partials, and what they add to which derivative.


// One sweep over the rows that are `shown`: `seed` is null for the reverse one, else the number of the seed. A step is a
// row, null for the inputs that a forward sweep begins with. The texts are HTML.
function sweepOf(data, shown, seed) {
  const { digits, tape, parents } = data, isBack = seed === null;
  const isShown = new Set(shown);
  const order = isBack ? data.order : Object.keys(parents).map(Number).filter((row) => parents[row].length);
  const some = order.filter((row) => isShown.has(row) && parents[row].length);
  const steps = isBack ? (some.length ? some : order.slice(0, 1)) : [null, ...some];
  const usersOf = new Map();
  for (const row of order) for (const parent of new Set(parents[row])) usersOf.set(parent, [...(usersOf.get(parent) ?? []), row]);

  // When the sweep comes to a row (one that is not shown: with the step before), and when its derivative is known.
  const turns = new Map();
  order.reduce((step, row) => {
    const next = steps[step + 1] === row ? step + 1 : step;
    turns.set(row, next);
    return next;
  }, isBack ? -1 : 0);
  const turn = (row) => Math.max(turns.get(row) ?? 0, 0);
  const users = (row) => usersOf.get(row) ?? [];
  const reached = (row) => (!isBack ? turn(row) : !turns.has(row) ? 0 : users(row).length ? turn(users(row).at(-1)) : row === order[0] ? 0 : turn(row));

  // ---- numbers

  const shapeOf = (row) => data.shapes[row] ?? [];
  const derivative = (found, row) => {
    const column = isBack ? found.adjoints : found.tangents[seed];
    return column?.[tape[row]] === undefined ? null : arranged(column[tape[row]], data.shapes[row]);
  };
  const slopesOf = (found, row, parent) => {
    const slopes = found.partials?.[tape[row]] ?? [];
    return parents[row].flatMap((other, k) => (other !== parent ? [] : [(slopes[k] ?? null) === null ? null : arranged(slopes[k], data.partials[row]?.[k])]));
  };

  // What a row adds to the adjoint of an operand, or that adds to its tangent; null where no partial says it.
  function part(found, row, parent) {
    const slopes = slopesOf(found, row, parent), given = derivative(found, isBack ? row : parent);
    if (given === null || !slopes.length || slopes.includes(null)) return null;
    const large = shapeOf(row), shape = isBack ? shapeOf(parent) : large;
    const sum = Array(product(shape)).fill(0);
    for (let n = 0; n < product(large); n++) {
      const g = entryAt(given, n, large);
      for (const slope of slopes) {
        const s = entryAt(slope, n, large);
        if (g !== 0 && s !== 0) sum[placeIn(n, large, shape)] += g * s; // a zero is absent, also beside an infinite slope
      }
    }
    return shape.length ? { shape, data: sum } : sum[0];
  }

  // The parts of an adjoint by row, as far as they are known; one that no partial says is what the others leave.
  function partsOf(found, row) {
    const parts = users(row).map((user) => [user, part(found, user, row)]);
    const unknown = parts.filter(([, x]) => x === null), total = derivative(found, row);
    if (unknown.length === 1 && !data.unseen[row] && total !== null) {
      const known = parts.flatMap(([, x]) => (x === null ? [] : [x]));
      const rest = (k) => known.reduce((left, x) => left - entryAt(x, k, shapeOf(row)), entryAt(total, k, shapeOf(row)));
      const flat = Array.from({ length: product(shapeOf(row)) }, (_, k) => rest(k));
      unknown[0][1] = shapeOf(row).length ? { shape: shapeOf(row), data: flat } : flat[0];
    }
    return new Map(parts);
  }

  // ---- texts

  const v = (row) => `v<sub>${row + 1}</sub>`;
  const d = (row) => `v${isBack ? "\u0304" : "\u0307"}<sub>${row + 1}</sub>`;
  const slope = (row, parent) => `\u2202${v(row)}/\u2202${v(parent)}`;
  const shownAs = (x) => brief(x, digits);
  const factor = (x) => (typeof x === "number" && x < 0 ? `(${shownAs(x)})` : shownAs(x));
  const plus = (terms) => terms.reduce((text, term) => text + (term.startsWith(MINUS) ? ` ${MINUS} ${term.slice(1)}` : ` + ${term}`));
  const slopesText = (slopes) => (slopes.length > 1 ? `(${plus(slopes.map(shownAs))})` : factor(slopes[0]));
  const times = (x, y) => (typeof x === "number" || typeof y === "number" ? "\u00b7" : "\u2299"); // entry by entry
  const more = (count, what) => (count > 0 ? [`\u2026 ${count} more ${what}${count > 1 ? "s" : ""}`] : []);
  const operands = (row) => [...new Set(parents[row])];

  function partialsText(found, row) {
    const texts = operands(row).flatMap((parent) => {
      const slopes = slopesOf(found, row, parent);
      return slopes.includes(null) ? [] : [`${slope(row, parent)} = ${plus(slopes.map(shownAs))}`];
    });
    return [...texts.slice(0, OPERANDS), ...more(texts.length - OPERANDS, "operand")].join(", ");
  }

  function added(found, row, parent) {
    const given = derivative(found, row), slopes = slopesOf(found, row, parent), x = partsOf(found, parent).get(row) ?? null;
    const known = given !== null && !slopes.includes(null), sums = known && shapeOf(row).length > shapeOf(parent).length ? "\u03a3 " : "";
    const numbers = known ? ` = ${sums}${shownAs(given)} ${times(given, slopes[0])} ${slopesText(slopes)}` : "";
    const count = users(parent).length + (data.unseen[parent] ?? 0), place = users(parent).indexOf(row) + 1;
    const which = count > 1 ? ` <i>part ${place} of ${count}</i>` : "";
    return `${d(parent)} += ${d(row)} \u00b7 ${slope(row, parent)}${numbers}${x === null ? "" : ` = ${shownAs(x)}`}${which}`;
  }

  // A derivative that has several parts, when the last of them has arrived.
  function sum(found, row) {
    const total = derivative(found, row), unseen = data.unseen[row] ?? 0;
    const terms = [...partsOf(found, row)].map(([user, x]) => (x === null ? `${d(user)} \u00b7 ${slope(user, row)}` : shownAs(x)));
    const shown = terms.length > TERMS ? [...terms.slice(0, TERMS - 1), "\u2026", terms.at(-1)] : terms;
    const rest = unseen ? ` + \u2026 <i>${unseen} from rows that are not listed</i>` : "";
    return `${d(row)} = ${plus(shown)}${rest}${total === null ? "" : ` = ${shownAs(total)}`}`;
  }

  function backward(found, k) {
    const row = steps[k], mine = operands(row), several = (other) => users(other).length + (data.unseen[other] ?? 0) > 1;
    const full = [...usersOf.keys()].filter((other) => reached(other) === k && several(other) && (isShown.has(other) || mine.includes(other)));
    return [
      ...(row === order[0] ? [`${d(row)} = 1 <i>the seed</i>`] : []),
      ...mine.slice(0, OPERANDS).map((parent) => added(found, row, parent)),
      ...more(mine.length - OPERANDS, "operand"),
      ...full.slice(0, OPERANDS).map((parent) => `<b>${sum(found, parent)}</b>`),
    ];
  }

  function forward(found, k) {
    const shownTangent = (row) => (derivative(found, row) === null ? "" : ` = ${shownAs(derivative(found, row))}`);
    if (k === 0) {
      const inputs = shown.filter((row) => !parents[row].length);
      return [[...inputs.slice(0, OPERANDS).map((row) => d(row) + shownTangent(row)), ...more(inputs.length - OPERANDS, "input")].join(", ")];
    }
    const row = steps[k], mine = operands(row), few = mine.slice(0, OPERANDS), left = mine.length > few.length ? " + \u2026" : "";
    const known = few.every((parent) => part(found, row, parent) !== null);
    const products = few.map((parent) => {
      const slopes = slopesOf(found, row, parent), given = derivative(found, parent);
      return known ? `${slopesText(slopes)} ${times(slopes[0], given)} ${factor(given)}` : "";
    });
    const symbols = `${d(row)} = ${few.map((parent) => `${slope(row, parent)} \u00b7 ${d(parent)}`).join(" + ")}${left}`;
    return known ? [symbols, `= ${products.join(" + ")}${left}${shownTangent(row)}`] : [symbols + shownTangent(row)];
  }

  return {
    steps, turn, reached, v, d,
    partials: (found, k) => (steps[k] === null ? "" : partialsText(found, steps[k])),
    lines: (found, k) => (isBack ? backward(found, k) : forward(found, k)),
    value: (found, row) => ((found.values[tape[row]] ?? null) === null ? "" : shownAs(arranged(found.values[tape[row]], data.shapes[row]))),
    derivative: (found, row) => (derivative(found, row) === null ? "" : shownAs(derivative(found, row))),
  };
}

const OPERANDS = 5, TERMS = 6; // of one operation, of one sum: more are counted
const entryAt = (x, n, large) => (typeof x === "number" ? x : x.data[placeIn(n, large, x.shape)]);

// The place in an array of shape `small` that stands for place n of shape `large` where it is broadcast.
function placeIn(n, large, small) {
  let at = 0, size = 1;
  for (let axis = 1; axis <= small.length; axis++) {
    const wide = large.at(-axis);
    if (small.at(-axis) > 1) at += (n % wide) * size;
    n = Math.floor(n / wide);
    size *= small.at(-axis);
  }
  return at;
}
