// The forward and the reverse sweep as a film: a bar to step through it, the table and the graph fill as it passes. What it
// has not reached yet is blank, but keeps its place. film.py draws the bar.


function film(report, data) {
  const root = report.querySelector(".ad-film");
  if (!root) return { show() {}, state: () => null, restore() {}, stop() {} };
  const stopping = new AbortController(), { signal } = stopping;
  const all = (selector) => report.querySelectorAll(selector);
  const one = (selector) => root.querySelector(selector);
  const bar = one(".ad-film-bar"), place = one("input"), choice = one("select"), count = one("output"), text = one(".ad-film-step"), said = one("[aria-live]");
  const rows = [...all("tr[data-ad-row]")];
  const mark = (elements, name, isOn) => elements.forEach((element) => element.classList.toggle(name, Boolean(isOn(element))));
  let last = null, sweep = null, k = 0, playing = 0, tall = 0, wanted = null;

  function begin() { // the rows that are shown now: what is folded is left out
    const shown = rows.filter((row) => !row.matches("tbody:not(:has(.ad-fold[open])) > .ad-earlier")).map((row) => Number(row.dataset.adRow));
    const before = wanted ? wanted.row : sweep?.steps[k], seed = data.seeds.indexOf(choice.value.slice("tangent:".length));
    sweep = sweepOf(data, shown, choice.value === "adjoint" ? null : seed);
    const left = data.operations - shown.filter((row) => data.parents[row].length).length;
    one(".ad-note").textContent = left > 0 ? `Left out: ${left} operation${left > 1 ? "s" : ""} that ${left > 1 ? "are" : "is"} folded or not listed.` : "";
    place.max = sweep.steps.length - 1;
    report.dataset.adSweep = choice.value.split(":")[0];
    return Math.max(sweep.steps.indexOf(before), 0);
  }

  // ---- what a step says

  function operation(row, found) {
    if (row === null) return escaped(choice.selectedOptions[0].text);
    const element = report.querySelector(`tr[data-ad-row="${row}"]`), label = element.querySelector(".ad-label").innerHTML;
    const value = sweep.value(found, row);
    return `${sweep.v(row)} = ${element.querySelector(".ad-expression code").innerHTML}${value && ` = ${value}`}${label && ` <i>${label}</i>`}`;
  }
  const content = (step) => [`<b>${operation(sweep.steps[step], last)}</b>`, `<i>${sweep.partials(last, step)}</i>`, ...sweep.lines(last, step)].map((line) => `<div>${line}</div>`).join("");

  function write() {
    text.firstChild.innerHTML = content(k);
  }

  // Room for the step that needs most, so that nothing moves from one to the next.
  function reserve() {
    const probe = text.appendChild(document.createElement("div"));
    probe.className = "ad-film-probe";
    probe.innerHTML = sweep.steps.map((_, step) => `<div>${content(step)}</div>`).join("");
    tall = Math.ceil(Math.max(...[...probe.children].map((step) => step.getBoundingClientRect().height)));
    text.style.minHeight = `${tall}px`;
    probe.remove();
  }
  let wide = 0;
  const watch = new ResizeObserver(([{ contentRect: { width, height } }]) => {
    if (!root.open || !sweep) return;
    if (width !== wide) reserve();
    else if (height > tall) text.style.minHeight = `${(tall = height)}px`;
    wide = width;
  });
  watch.observe(text.firstChild);

  // ---- where the sweep is

  function paint() {
    const row = sweep.steps[k], key = choice.value, isNow = (element, one) => Number(element.dataset[one]) === row && row !== null;
    const group = row === null ? "" : /\bad-g\d+/.exec(report.querySelector(`tr[data-ad-row="${row}"]`).parentNode.querySelector(".ad-code").className)[0];
    for (const cell of all("[data-ad-cell]")) {
      cell.classList.toggle("ad-blank", cell.dataset.adCell === key && sweep.reached(Number(cell.parentNode.dataset.adRow)) > k);
    }
    mark(rows, "ad-now", (element) => isNow(element, "adRow"));
    for (const node of all("[data-ad-node]")) node.classList.toggle("ad-ahead", sweep.reached(Number(node.dataset.adNode)) > k);
    mark(all(".ad-svg .ad-node"), "ad-now", (element) => isNow(element, "adNode") || (group && element.matches(`.ad-line.${group}`)));
    mark(all(".ad-source-line"), "ad-now", (element) => group && element.classList.contains(group));
    for (const edge of all("[data-ad-edge]")) {
      const head = Number(edge.dataset.adEdge.split(" ")[1]);
      edge.classList.toggle("ad-now", head === row);
      edge.classList.toggle("ad-ahead", head !== row && (sweep.turn(head) >= k && sweep.steps[sweep.turn(head)] === head || sweep.turn(head) > k));
    }
    place.value = k;
    count.textContent = `${k + 1} of ${sweep.steps.length}`;
    for (const button of all("[data-ad-step]")) {
      const by = button.dataset.adStep, isEnd = /first|previous/.test(by) ? k === 0 : /next|last/.test(by) && k === sweep.steps.length - 1;
      button.setAttribute("aria-disabled", isEnd);
    }
  }

  // The row of the step stays in sight where the one before it was, and the column always: a page that is looked at
  // elsewhere does not move.
  function follow(before) {
    const cell = report.querySelector(`tr.ad-now [data-ad-cell="${CSS.escape(choice.value)}"]`), box = cell?.closest(".ad-scroll");
    if (!cell) return;
    const over = cell.getBoundingClientRect().right - box.getBoundingClientRect().right;
    if (over > 0) box.scrollLeft += over;
    if (before && before.bottom > 0 && before.top < innerHeight) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function go(step, isQuiet) {
    const before = report.querySelector("tr.ad-now")?.getBoundingClientRect();
    k = Math.min(Math.max(step, 0), sweep.steps.length - 1);
    paint();
    write();
    follow(before);
    const lines = [...text.firstChild.children].map((line) => line.textContent).filter(Boolean);
    place.setAttribute("aria-valuetext", `${count.textContent}: ${lines[0]}`);
    if (!isQuiet) said.textContent = `Step ${count.textContent}: ${lines.join("; ")}`;
  }

  function clear() {
    delete report.dataset.adSweep;
    for (const name of ["ad-blank", "ad-now", "ad-ahead"]) mark(all(`.${name}`), name, () => false);
  }

  function open() {
    if (!last) return;
    go(begin(), true);
    reserve();
    if (wanted?.playing) play(true);
    wanted = null;
  }

  function play(isOn) {
    clearInterval(playing);
    playing = 0;
    if (isOn && k === sweep.steps.length - 1) go(0);
    if (isOn) {
      playing = setInterval(() => {
        go(k + 1);
        if (k === sweep.steps.length - 1) play(false);
      }, 1600);
    }
    root.classList.toggle("ad-playing", isOn);
    one('[data-ad-step="play"]').setAttribute("aria-label", isOn ? "Pause" : "Play");
  }

  const moves = { first: () => 0, previous: () => k - 1, next: () => k + 1, last: () => sweep.steps.length - 1 };
  function move(which) {
    if (!sweep) return; // there are no numbers yet
    if (which === "play") return play(!playing);
    play(false);
    go(moves[which]());
  }

  bar.addEventListener("click", ({ target }) => {
    const which = target.closest("[data-ad-step]")?.dataset.adStep;
    if (which) move(which);
  }, { signal });
  place.addEventListener("input", () => {
    play(false);
    if (sweep) go(Number(place.value));
  }, { signal });
  choice.addEventListener("change", () => {
    play(false);
    sweep = null;
    open();
  }, { signal });
  bar.addEventListener("keydown", (event) => {
    const { key, target } = event, which = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last" }[key];
    if (target === choice || event.altKey || event.ctrlKey || event.metaKey) return;
    if (key === " " && target === place) move("play");
    else if (which) move(which);
    else return;
    event.preventDefault();
  }, { signal });
  report.addEventListener("toggle", ({ target }) => {
    if (target === root && !root.open) {
      play(false);
      clear();
    } else if (root.open && (target.matches(".ad-fold") || (target === root && !report.querySelector(".ad-now")))) open();
  }, { signal, capture: true });
  sheltered(root, signal);

  return {
    // Write the numbers of another point into the step that is shown; where the program decides otherwise they stay.
    show(found) {
      if (found.changed) return;
      last = found;
      if (root.open && !sweep) open();
      else if (root.open) write();
    },
    state: () => ({ open: root.open, choice: choice.value, row: sweep?.steps[k] ?? null, playing: Boolean(playing) }),
    restore(state) { // for the report that comes in the place of this one: at the same row, as soon as there are numbers
      if (!state?.open) return;
      if ([...choice.options].some(({ value }) => value === state.choice)) choice.value = state.choice;
      wanted = state;
      root.open = true;
      open();
    },
    stop() {
      clearInterval(playing);
      stopping.abort();
      watch.disconnect();
      clear();
    },
  };
}
