// A page of its own: sliders and number boxes move the inputs, the program computes, the report and the curve follow.

function page(root, data, program) {
  const find = (selector) => root.querySelector(selector);
  const report = find(".ad-report");
  for (const row of report.querySelectorAll("tr[data-ad-row]")) { // the file leaves out what is alike in all rows
    row.querySelectorAll(":scope > .ad-number").forEach((cell, k) => (cell.dataset.adCell = data.columns[k]));
  }
  const live = follow(report, data);
  const start = program.inputs.map(({ value }) => value);
  const x = [...start];
  const labels = program.inputs.map(({ name, entry }) => name + (entry?.length ? `[${entry.join(", ")}]` : ""));
  const controls = data.moving.map(({ lo, hi, steps, ...what }, place) => {
    const row = root.querySelectorAll(".ad-input")[place];
    return {
      what,
      k: labels.indexOf(what.name), // its place among the inputs of the program
      slider: row.querySelector("input[type=range]"),
      box: row.querySelector("input[type=text]"),
      ends: row.querySelectorAll(".ad-end"),
      start: { lo, hi, steps },
      grid: { lo, hi, steps },
    };
  });
  const note = find(".ad-live"), reset = find(".ad-reset"), figure = find("svg.ad-curve"), along = find(".ad-along");

  // ---- the inputs

  function showInput({ slider, box, ends, grid, k }, typed) {
    attribute(slider, "max", grid.steps);
    slider.value = gridIndex(grid, x[k]);
    slider.setAttribute("aria-valuetext", number(x[k], 6));
    if (!typed) box.value = String(x[k]);
    box.removeAttribute("aria-invalid");
    ends[0].textContent = number(grid.lo, 6);
    ends[1].textContent = number(grid.hi, 6);
  }
  function attribute(element, name, value) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }

  function put(control, value, typed = false) {
    x[control.k] = value;
    control.grid = widen(control.grid, value);
    showInput(control, typed);
    if (along) along.value = controls.indexOf(control);
    soon();
  }

  for (const control of controls) {
    const { slider, box } = control;
    slider.addEventListener("input", () => put(control, gridValue(control.grid, Number(slider.value))));
    box.addEventListener("input", () => {
      const text = box.value.trim().replaceAll(MINUS, "-").replace(/^(-?\d*),(\d+)$/, "$1.$2");
      const value = text === "" ? NaN : Number(text);
      if (Number.isFinite(value)) put(control, value, true);
      else box.setAttribute("aria-invalid", "true");
    });
    box.addEventListener("change", () => showInput(control));
  }
  reset.addEventListener("click", () => {
    for (const control of controls) {
      x[control.k] = start[control.k];
      control.grid = control.start;
      showInput(control);
    }
    soon();
  });
  along?.addEventListener("change", () => soon());

  // ---- what follows from them: once for each frame

  let waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      update();
    });
  }

  function update() {
    const found = program.run([...x]);
    const moved = x.some((value, k) => !Object.is(value, start[k]));
    live.show(found, moved);
    reset.disabled = !moved;
    say(found);
    if (figure) draw(found);
  }

  function say(found) {
    const bad = found.changed ? -1 : live.firstBad(found);
    const text = found.changed
      ? `Line ${found.changed.line} decides otherwise: ${found.changed.text}. What is grey no longer holds.`
      : bad >= 0 ? `v${bad + 1} has no finite value here: Python may raise an error at this point.` : "";
    if (note.textContent !== text) note.textContent = text;
    for (const line of root.querySelectorAll("[data-ad-line]")) {
      line.classList.toggle("ad-deciding", Boolean(found.changed) && Number(line.dataset.adLine) === found.changed.line);
    }
  }

  // The curve is sampled anew only when something else than its own input has moved; then after the numbers.
  let curve = null, drawn = "", later = 0;
  function draw(found) {
    const { k, grid, what } = controls[along ? Number(along.value) : 0];
    const key = JSON.stringify([k, grid, x.filter((_, i) => i !== k)]);
    clearTimeout(later);
    if (key === drawn) return putPoint(found, k, what);
    later = setTimeout(() => {
      curve = curveOf((points) => look(points, k, what), { ...what, lo: grid.lo, hi: grid.hi, digits: data.digits }, {});
      drawn = key;
      putPoint(found, k, what);
    });
  }

  function look(points, k, what) {
    const seen = { values: [], slopes: [], valid: [] };
    const there = [...x];
    for (const point of points) {
      there[k] = point;
      const found = program.run(there);
      const [value, slope] = found.changed ? [NaN, NaN] : live.curve(found, what.input, what.place);
      seen.values.push(value);
      seen.slopes.push(slope);
      seen.valid.push(!found.changed);
    }
    return seen;
  }

  function putPoint(found, k, what) {
    const [value, slope] = found.changed ? [null, null] : live.curve(found, what.input, what.place);
    attribute(figure, "aria-label", `${what.head} along ${what.name}, its tangent line, and ${what.slope_head} below`);
    figure.innerHTML = drawCurve({ ...curve, at: x[k], value, slope });
  }

  // ---- the beginning: room for the numbers to come, as far as it is found in a moment

  const until = performance.now() + 80;
  for (const { k, grid } of controls) {
    for (let place = 0; place <= 24 && performance.now() < until; place++) {
      live.prepare(program.run(x.map((value, i) => (i === k ? gridValue(grid, Math.round((place * grid.steps) / 24)) : value))));
    }
  }
  controls.forEach((control) => showInput(control));
  update();
}
