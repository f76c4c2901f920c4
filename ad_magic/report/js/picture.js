// The curve and the contour of a report that follows its inputs. They are sampled anew only when something else than
// their own inputs has moved, in slices between the frames; what was drawn stands until then, its point moving.

// Answers a generator that asks for points with what `at` finds there, a few ms at a time; what it returns goes to `done`.
// Returns a function that gives it up.
function inSlices(asking, at, done, slice = 5) {
  let wanted = asking.next(), seen = [], later = setTimeout(go);
  function go() {
    const until = performance.now() + slice;
    while (!wanted.done) {
      while (seen.length < wanted.value.length) {
        if (performance.now() > until) return (later = setTimeout(go));
        seen.push(at(wanted.value[seen.length]));
      }
      const part = (key) => seen.map((one) => one[key]);
      wanted = asking.next({ values: part("value"), slopes: part("slope"), valid: part("valid"), lines: part("line") });
      seen = [];
    }
    done(wanted.value);
  }
  return () => clearTimeout(later);
}

// Something that is sampled: `made` is what it was at last. What is under way is given up when another thing is wanted,
// but not when only the other inputs have moved: else it would never be finished while they move.
function sampler(shown) {
  let giveUp = () => {}, pending = null;
  const one = { made: null, key: null };
  one.want = (what, others, steps, at) => {
    const key = what + others;
    if (pending === null ? one.key === key : pending === what) return;
    giveUp();
    pending = what;
    giveUp = inSlices(steps(), at, (made) => {
      [one.made, one.key, pending] = [made, key, null];
      shown(true);
    });
  };
  one.stop = () => {
    giveUp();
    pending = null;
  };
  return one;
}

// `element` holds the skeleton of picture.py. `moved([[k, value], …])` is told where a person puts the point of the contour.
// Where there is no program, `ask(what)` is told what is to be drawn (picture.figures), and `put` takes it.
function picture(element, data, program, live, { moved, ask } = {}) {
  const find = (selector) => element.querySelector(selector);
  let figure = find("svg.ad-curve"), relief = find("svg.ad-contour");
  const choice = { along: find(".ad-along"), across: find(".ad-across"), up: find(".ad-up"), of: find(".ad-of") };
  const place = { along: 0, across: 0, up: 1, of: 0 }; // of the numbers that move, and of the subjects
  const labels = program?.inputs.map(({ name, entry }) => name + (entry?.length ? `[${entry.join(", ")}]` : "")) ?? [];
  let moving = [], grids = [], index = []; // index: their places among the inputs of the program
  let found = null, x = [], row = null, subjects = data.subjects;
  const heard = new AbortController(), listen = (target, kind, act) => target?.addEventListener(kind, act, { signal: heard.signal });

  // ---- what they are of, and along

  function inputs(list) {
    moving = list;
    grids = list.map(({ lo, hi, steps }) => ({ lo, hi, steps }));
    index = list.map(({ name }) => labels.indexOf(name));
    for (const kind of ["along", "across", "up"]) offer(kind, list.map(({ name }) => name));
  }

  function offer(kind, names) {
    const select = choice[kind];
    if (!select) return;
    const html = names.map((name, k) => `<option value="${k}">${escaped(name)}</option>`).join("");
    if (select.innerHTML !== html) select.innerHTML = html;
    select.value = place[kind];
    select.closest("label").hidden = names.length < 2;
  }

  // The numbers of a row, as Python names them in subjects.py.
  function subjectsOf(index) {
    const name = `v${String(index + 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit])}`, shape = data.shapes[index] ?? [];
    const placeIn = (k) => shape.map((n, axis) => Math.floor(k / product(shape.slice(axis + 1))) % n).join(", ");
    return range(0, Math.min(product(shape), 24)).map((k) => {
      const head = shape.length ? `${name}[${placeIn(k)}]` : name;
      return { head, symbol: head, row: data.tape[index], place: k };
    });
  }

  const within = () => (row === null ? Infinity : data.tape[row] + 1); // what is decided after a row does not matter to it
  const isOpen = () => relief && relief.closest("details")?.open !== false;
  const holds = (at, last) => !at.changed || at.changed.row >= last;

  // ---- sampling

  const curve = sampler(show), contour = sampler(show);
  const key = (...what) => JSON.stringify([row, place.of, ...what]);
  const others = (...mine) => JSON.stringify(x.filter((_, k) => !mine.includes(k)));

  function sample() {
    place.of = Math.min(place.of, subjects.length - 1);
    const of = subjects[place.of];
    if (!program) return request();
    if (!of) return;
    sampleCurve(of);
    if (isOpen()) sampleContour(of);
  }

  function sampleCurve(of) {
    const { along } = place, what = moving[along], k = index[along], { lo, hi } = grids[along], last = within(), there = [...x];
    const at = (value) => program.run(there.map((old, i) => (i === k ? value : old)));
    const origin = originOf(at, data, last);
    const frame = { head: of.head, slope_head: `∂${of.symbol}/∂${what.name}`, name: what.name, lo, hi, digits: data.digits };
    const mine = { of, k, what, last }, began = performance.now();
    const early = (c) => {
      if (performance.now() - began > 50) [curve.made, curve.key] = [{ ...c, mine }, null], show();
    };
    function* steps() {
      return { ...(yield* curveSteps(frame, origin, early)), mine };
    }
    curve.want(key(along, lo, hi), others(k), steps, (value) => {
      const one = at(value), valid = holds(one, last), [y, slope] = valid ? live.curve(one, what.input, what.place, of) : [NaN, NaN];
      return { value: y, slope, valid };
    });
  }

  function sampleContour(of) {
    const pair = [place.across, place.up], [a, b] = pair.map((p) => index[p]), last = within(), there = [...x];
    const axes = pair.map((p) => ({ name: moving[p].name, lo: grids[p].lo, hi: grids[p].hi })), { input, place: entry } = moving[pair[0]];
    function* steps() {
      const slow = Math.min(...range(0, 3).map(() => ((began) => (program.run(there), performance.now() - began))(performance.now()))) > 0.5;
      const frame = { head: of.head, x: axes[0], y: axes[1], digits: data.digits, count: slow ? 24 : 60 };
      return reliefOf({ ...(yield* contourSteps(frame)), mine: { of, pair, a, b, last } });
    }
    contour.want(key(pair, axes), others(a, b), steps, ([across, up]) => {
      const one = program.run(there.map((old, i) => (i === a ? across : i === b ? up : old))), valid = holds(one, last);
      return { value: valid ? live.curve(one, input, entry, of)[0] : NaN, valid, line: one.changed?.line };
    });
  }

  let later = 0; // drawn elsewhere: when the inputs have come to rest
  function request() {
    const range = (p) => ({ name: moving[p].name, ...grids[p] });
    const what = { row, pick: place.of, along: range(place.along) };
    if (isOpen()) Object.assign(what, { across: range(place.across), up: range(place.up) });
    clearTimeout(later);
    later = setTimeout(() => ask?.(what), 150);
  }

  // ---- drawing

  function show(again = false) {
    showCurve();
    showContour();
    if (again) sample(); // the others may have moved meanwhile
  }

  function showCurve() {
    const c = curve.made;
    if (!c) return;
    const { of, k, what, last } = c.mine, [value, slope] = holds(found, last) ? live.curve(found, what.input, what.place, of) : [null, null];
    figure.setAttribute("aria-label", `${c.head} along ${c.name}, its tangent line, and ${c.slope_head} below`);
    figure.innerHTML = drawCurve({ ...c, at: x[k], value, slope });
  }

  let drawn = null;
  function showContour() {
    const c = contour.made;
    if (!c) return;
    const { of, pair, a, b, last } = c.mine, here = holds(found, last);
    const ends = pair.map((p) => (here ? live.curve(found, moving[p].input, moving[p].place, of) : [null, NaN]));
    if (drawn !== c) {
      relief.innerHTML = `<g>${drawStill(c)}</g><g></g>`;
      relief.setAttribute("aria-label", `${c.head} over ${c.x.name} and ${c.y.name}: level lines, the point, and the gradient`);
      drawn = c;
    }
    relief.lastChild.innerHTML = drawMoving({ ...c, at: [x[a], x[b]], value: ends[0][0], slopes: ends.map((end) => end[1]) });
  }

  // ---- what a person chooses, and where he puts the point

  function choose(name, k) {
    const pair = { across: "up", up: "across" }[name];
    if (pair && place[pair] === k) place[pair] = place[name];
    place[name] = k;
    for (const one of Object.keys(place)) if (choice[one]) choice[one].value = place[one];
  }
  for (const [name, select] of Object.entries(choice)) {
    listen(select, "change", () => {
      choose(name, Number(select.value));
      if (found) sample();
    });
  }
  listen(relief?.closest("details"), "toggle", () => found && sample());

  function point(event) {
    const { box, x: across, y: up, mine } = contour.made, spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(relief.getScreenCTM().inverse());
    const shares = [(spot.x - RELIEF.left) / box.wide, 1 - (spot.y - RELIEF.top) / box.high];
    if (event.type === "pointerdown" && shares.some((s) => s < 0 || s > 1)) return false;
    const values = [across, up].map(({ lo, hi }, k) => ((s) => lo * (1 - s) + hi * s)(Math.min(Math.max(shares[k], 0), 1)));
    moved(mine.pair.map((p, k) => [index[p], gridValue(grids[p], gridIndex(grids[p], values[k]))]));
    return true;
  }
  if (moved && relief) {
    relief.classList.add("ad-movable");
    listen(relief, "pointerdown", (event) => {
      if (event.button === 0 && contour.made && point(event)) relief.setPointerCapture(event.pointerId);
    });
    listen(relief, "pointermove", (event) => relief.hasPointerCapture(event.pointerId) && point(event));
  }
  inputs(data.moving);
  offer("of", subjects.map(({ head }) => head));

  return {
    inputs, // the numbers that move, where they are others: another entry of an array
    // What the program has found at x. `k` is the input that was moved, `grid` its range, `what` its entry in data.moving;
    // without them both go on as they are.
    draw(now, there, k, grid, what) {
      [found, x] = [now, [...there]];
      const p = moving.findIndex(({ name }) => name === what?.name);
      if (p >= 0) {
        if (k !== undefined) index[p] = k;
        if (grid) grids[p] = grid;
        choose("along", p);
        if (relief && p !== place.across && p !== place.up) choose("across", p);
      }
      index.forEach((at, i) => (grids[i] = at < 0 ? grids[i] : widen(grids[i], x[at])));
      show();
      sample();
    },
    // The row whose curve is wanted, by its place in the table; null for the output.
    subject(index) {
      const next = index !== null && data.tape[index] !== undefined ? index : null;
      if (next === row) return;
      [row, subjects, place.of] = [next, next === null ? data.subjects : subjectsOf(next), 0];
      offer("of", subjects.map(({ head }) => head));
      if (found) sample();
    },
    // Figures that were drawn elsewhere: the texts of <svg> elements, or why there are none.
    put({ curve: one, contour: other, why }) {
      if (why) figure.innerHTML = svgText("ad-curve-tick", 0, CURVE.top, "start", escaped(why));
      if (one) figure.outerHTML = one;
      if (other && relief) relief.outerHTML = other;
      [figure, relief] = [find("svg.ad-curve"), find("svg.ad-contour")];
    },
    state: () => ({ place: { ...place }, row, drawn: [figure?.innerHTML, relief?.innerHTML] }),
    restore(state) {
      if (!state) return;
      this.subject(state.row);
      for (const [name, k] of Object.entries(state.place)) if (k < (name === "of" ? subjects : moving).length) choose(name, k);
      [figure, relief].forEach((svg, k) => svg && state.drawn[k] && (svg.innerHTML = state.drawn[k]));
    },
    stop() {
      curve.stop();
      contour.stop();
      clearTimeout(later);
      heard.abort();
    },
  };
}

// Where a mark comes from: origin.py once more. `at(value)` is what the program finds there.
function originOf(at, data, last) {
  const numbers = ({ values, partials }, k) => [values[k], ...(partials?.[k] ?? [])].flat(1).map((z) => z ?? 0);
  const jumps = (start, left, right, end) => Math.abs(right - left) > Math.abs(end - start) / 4 && Math.abs(right - left) > 1e-9 * Math.max(Math.abs(start), Math.abs(end));
  return (points) => {
    const seen = points.map(at), changed = seen.find((one) => one.changed && one.changed.row < last)?.changed;
    if (changed) return [changed.line, null];
    if (points.length < 4 || points[2] - points[1] > (points[3] - points[0]) / 100) return [null, null];
    for (const [row, k] of Object.entries(data.tape)) {
      if (k >= last) break;
      const [start, left, right, end] = seen.map((one) => numbers(one, k));
      if (start.some((z, i) => jumps(z, left[i], right[i], end[i]))) return [null, Number(row)];
    }
    return [null, null];
  };
}
