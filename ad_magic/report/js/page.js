// A page of its own: sliders and number boxes move the inputs, the program computes, the report and the curve follow.

function page(root, data, program) {
  const find = (selector) => root.querySelector(selector);
  const report = find(".ad-report");
  whole(report, data);
  const live = follow(report, data), sweeps = film(report, data);
  linked(report, data, (row) => drawing?.subject(row));
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
  const note = find(".ad-live"), reset = find(".ad-reset");
  let last = null; // what was moved last
  const drawing = find(".ad-picture") && picture(find(".ad-picture"), data, program, live, { moved });

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
    last = control;
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
  function moved(pairs) {
    for (const [k, value] of pairs) put(controls.find((control) => control.k === k), value);
  }

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
    sweeps.show(found);
    reset.disabled = !moved;
    say(found);
    drawing?.draw(found, x, last?.k, last?.grid, last?.what);
    last = null;
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

  // ---- the beginning: room for the numbers to come, as far as it is found in a moment

  const until = performance.now() + 150, inner = [...Array(23).keys()].map((place) => place + 1);
  for (const place of [0, 24, ...inner]) { // the ends first: there the numbers are longest
    for (const { k, grid } of controls) {
      if (performance.now() > until) break;
      live.prepare(program.run(x.map((value, i) => (i === k ? gridValue(grid, Math.round((place * grid.steps) / 24)) : value))));
    }
  }
  controls.forEach((control) => showInput(control));
  update();
}
