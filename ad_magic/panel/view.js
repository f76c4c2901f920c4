// The live panel in the page. Sliders and boxes are ipywidgets' own; their models are observed here, the run's program
// computes, and the scripts of the report (report/js) write what it finds into what Python has drawn, all in one turn.
// The kernel is asked where a decision comes out otherwise and where a number is not finite; telling.py has the messages.
// And what the panel needs of a page, and ipywidgets does not do:
// - while the panel lives, the static report beside it is hidden;
// - arrow keys move a slider instead of the notebook's cell cursor, and letters do not cut cells;
// - sliders and number boxes have names, and say their value rather than the number of their step.

const runtimes = (globalThis.adMagicRuntimes ??= new Map()); // once for a page
const PARTS = ["follow", "gridValue", "gridIndex", "linked", "film", "picture"];
const KEPT = 8; // programs of other paths, for a slider that goes back and forth
const views = (globalThis.adMagicViews ??= new Map()); // how many there are of each panel
const PATIENCE = 20000; // ms after which a panel without a view is closed: until then its cell may be pasted, or come back
const BY_HAND = { updated_view: true }; // what a view of ipywidgets says of a change that a person makes in it
const REST = 120; // ms after which a number box is told to the kernel: it hears of the slider in any case

function scriptsOf({ runtime, code }) {
  if (!runtimes.has(runtime)) {
    runtimes.set(runtime, new Function(`"use strict";\n${code}\nreturn { ${PARTS.join(", ")} };`)());
  }
  return runtimes.get(runtime);
}

function unpacked(text) {
  try {
    return JSON.parse(text);
  } catch {
    return new Function(`return ${text}`)(); // NaN, Infinity
  }
}

// ---- the report is drawn anew in the place of the one before: what is alike stays, with all that a reader did to it

const keyOf = (node) => {
  if (node.nodeType !== 1) return node.nodeName;
  const { adRow, adNode, adEdge, adCell, adGrad, adOutput, adMark } = node.dataset;
  const line = node.localName === "tbody" ? node.querySelector(".ad-line-number")?.textContent : "";
  return [node.localName, adRow, adNode, adEdge, adCell, adGrad, adOutput, adMark, line, node.classList[0]].join("|");
};

function morph(old, now) {
  if (old.isEqualNode(now)) return;
  if (old.nodeType !== 1) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    const kept = (name === "open" && old.localName === "details") || (name === "style" && old.adWide);
    if (!kept && !now.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if ("adKept" in old.dataset) return;
  const there = new Map();
  for (const child of old.childNodes) {
    const key = keyOf(child);
    there.set(key, [...(there.get(key) ?? []), child]);
  }
  let place = old.firstChild;
  for (const child of [...now.childNodes]) {
    const same = there.get(keyOf(child))?.shift();
    if (same) morph(same, child);
    const next = same ?? child;
    if (next === place) place = place.nextSibling;
    else old.insertBefore(next, place);
  }
  for (const left of there.values()) for (const child of left) child.remove();
}

// What can be unfolded, by its class and its place among those.
function folds(root) {
  const counts = {};
  return Object.fromEntries([...root.querySelectorAll("details")].map((fold) => {
    const count = counts[fold.className] = (counts[fold.className] ?? 0) + 1;
    return [`${fold.className} ${count}`, fold];
  }));
}

// ---- the page around the panel

function hideStatic(key) {
  // By a rule, not by changing the element: the report may be drawn anew at any time.
  const rule = document.createElement("style");
  const report = `[data-ad-static="${key}"]`;
  rule.textContent = `${report}, .jp-OutputArea-child:has(> * ${report}) { display: none !important; }`;
  document.head.append(rule);
  return () => rule.remove();
}

function say({ lo, hi, steps }, index) {
  const value = Number((lo * (1 - index / steps) + hi * (index / steps)).toPrecision(6));
  const text = String(value);
  return text.length > 8 ? value.toExponential().replace("e+", "e") : text;
}

function set(element, name, value) {
  if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// The notebook leaves the keys alone of an element that says so: on one around it Notebook 7 does not look. All that has
// keys in a panel or beside one; once for a page.
globalThis.adMagicKeys ??= document.addEventListener("focusin", ({ target }) => {
  if (!target.closest?.(".ad-panel, .ad-boxes")) return;
  set(target, "data-lm-suppress-shortcuts", "true");
  const label = target.matches(".ad-boxes .noUi-handle") && target.closest(".widget-slider")?.querySelector(".widget-label");
  if (label) set(target, "aria-label", label.textContent);
}, true) ?? true;

function dress(panel, inputs) {
  panel.querySelectorAll(".ad-input").forEach((row, place) => {
    const input = inputs[place];
    if (!input) return;
    const handle = row.querySelector(".noUi-handle");
    set(handle, "aria-label", input.name);
    if (handle) set(handle, "aria-valuetext", say(input, Number(handle.getAttribute("aria-valuenow"))));
    for (const end of ["lower", "upper"]) set(row.querySelector(`.ad-${end} input`), "aria-label", `${input.name}, ${end} end of the range`);
    set(row.querySelector(".ad-box input"), "aria-label", `${input.name}, value`);
    set(row.querySelector(".ad-index input"), "aria-label", `${input.name.split("[")[0]}, index of the entry`);
  });
}

function watchRows(panel, model) {
  const look = () => dress(panel, model.get("inputs"));
  const observer = new MutationObserver(look);
  const what = { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuenow"] };
  for (const part of panel.querySelectorAll(".ad-inputs, .ad-bar")) observer.observe(part, what);
  // the slider itself goes to the end that it had when it was made
  const toEnd = async (event) => {
    const row = event.key === "End" && event.target.closest?.(".noUi-handle")?.closest(".ad-input");
    const input = row && model.get("inputs")[[...panel.querySelectorAll(".ad-input")].indexOf(row)];
    if (!input) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    const slider = await model.widget_manager.get_model(input.slider);
    slider.set("value", slider.get("max"), BY_HAND);
    slider.save_changes();
  };
  panel.addEventListener("keydown", toEnd, true);
  model.on("change:inputs", look);
  look();
  return () => {
    observer.disconnect();
    panel.removeEventListener("keydown", toEnd, true);
    model.off("change:inputs", look);
  };
}

// ---- what a button of the panel asks of the page

function copy(text) {
  const byHand = () => { // where the page is not from a secure place there is no clipboard
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).catch(byHand);
  else byHand();
}

function save({ name, text }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// ---- the sliders and boxes: `moved(name, value)` for each that moves, in the page or by the kernel. `put` moves one.

async function attach(model, scripts, moved, alive) {
  const rows = await Promise.all(model.get("inputs").map(async ({ slider, box }, place) => ({
    place,
    slider: await model.widget_manager.get_model(slider),
    box: await model.widget_manager.get_model(box),
  })));
  if (!alive()) return null;
  const ends = rows.map(({ place, slider, box }) => {
    let own = false, later = 0;
    const input = () => model.get("inputs")[place];
    // What the kernel moves it says of the box too; of the two the slider may come first, and before a new grid.
    const slid = (_, index, { updated_view: byHand } = {}) => {
      const grid = input();
      if (!byHand || scripts.gridIndex(grid, box.get("value")) === index) return;
      const value = scripts.gridValue(grid, index);
      quietly(value);
      clearTimeout(later);
      later = setTimeout(() => {
        later = 0;
        box.save_changes();
      }, REST);
      moved(grid.name, value);
    };
    const quietly = (value) => {
      own = true;
      box.set("value", value);
      own = false;
    };
    const typed = () => {
      const { lo, hi, name, ...grid } = input(), value = box.get("value");
      if (own || !Number.isFinite(value)) return;
      // The kernel repeats what it was told of the box: of a slider that has moved on since, that is no news.
      if (later) return quietly(scripts.gridValue(input(), slider.get("value")));
      if (lo <= value && value <= hi) { // else the kernel makes the range longer
        slider.set("value", scripts.gridIndex({ lo, hi, ...grid }, value));
        slider.save_changes();
      }
      moved(name, value);
    };
    slider.on("change:value", slid);
    box.on("change:value", typed);
    // while the report was on its way they may have been moved
    if (slider.get("max") === input().steps) slid(slider, slider.get("value"), BY_HAND);
    typed();
    return () => {
      clearTimeout(later);
      slider.off("change:value", slid);
      box.off("change:value", typed);
    };
  });
  return {
    put(name, value) {
      const { box } = rows[model.get("inputs").findIndex((input) => input.name === name)] ?? {};
      box?.set("value", value);
      box?.save_changes();
    },
    stop: () => ends.forEach((end) => end()),
  };
}

// A cell that is deleted, or whose output is cleared, tells the kernel nothing. A page that is closed is another matter.
// (Out here, so that what waits holds no report.)
function part(model, key, notebook) {
  views.set(key, views.get(key) - 1);
  setTimeout(() => {
    if (views.get(key)) return;
    views.delete(key);
    if (notebook?.isConnected) model.send({ ask: "gone" });
  }, PATIENCE);
}

// ---- the report

function render({ model, el }) {
  const ends = [], rooms = new Map(), paths = new Map();
  let widest = { room: 0 };

  // Where the figures stand, and whether the code has room, does not go to and fro with the path: the widest table says it.
  function keepRoom(beside) {
    const room = parseFloat(beside.style.getPropertyValue("--ad-room"));
    if (room > widest.room) widest = { room, kind: beside.className, style: beside.style.cssText };
    beside.className = widest.kind;
    beside.style.cssText = widest.style;
  }

  const place = el.appendChild(document.createElement("div"));
  const note = document.createElement("p");
  note.className = "ad-live";
  note.setAttribute("role", "status");
  let over = false, hidden = false, scripts = null, controls = null;
  let now = null; // the report that is shown: its path, data, program, and the scripts at work in it
  let names = [], x = []; // all numbers of the inputs, of which some have a slider
  let visible = true, late = false, framed = false, last = -1; // last: the row that has moved
  let rest = 0, asking = false, asked = "", trouble = ""; // one question at a time, and none twice; where the program raises

  const labelOf = ({ name, entry }) => name + (entry?.length ? `[${entry.join(", ")}]` : "");
  const at = (point) => JSON.stringify(point);

  // ---- from the kernel

  function told(message) {
    if (over) return;
    const { tell } = message;
    if (tell === "program") introduce(message);
    else if (tell === "report") {
      const known = paths.get(message.path);
      if (known) take({ ...known, ...message });
      else model.send({ ask: "program", has: [...runtimes.keys()] });
    } else if (tell === "numbers" && now) {
      const found = unpacked(message.found);
      now.live.show(found, true);
      now.film.show(found);
      grey(false);
      clearTimeout(rest);
      rest = setTimeout(() => draw(found, message.found), REST);
    } else if (tell === "figures") {
      now?.picture?.put(message);
    } else if (tell === "copy") copy(message.text);
    else if (tell === "save") save(message);
    else if (tell === "trouble") {
      trouble = at(unpacked(message.x));
      grey(true);
    } else if (tell === "rest" && now) {
      if (message.second) now.live.second(unpacked(message.second));
      now.made = at(unpacked(message.x));
      if (now.program) soon();
    } else if (tell === "inputs") {
      x = unpacked(message.x);
      soon();
    }
    if (["program", "report", "trouble", "same"].includes(tell)) {
      asking = false;
      if (tell !== "trouble") trouble = "";
      soon();
    }
  }

  function introduce(message) {
    const first = !scripts;
    if (message.runtime) scripts = scriptsOf(message); // that of another path comes without
    const program = message.program && new Function(`return ${message.program}`)();
    if (!names.length && program) {
      names = program.inputs.map(labelOf);
      x = unpacked(message.x);
    }
    if (first) {
      hide();
      attach(model, scripts, moved, () => !over).then((those) => (controls = those));
    }
    take({ ...message, program });
  }

  function take(report) {
    paths.delete(report.path);
    paths.set(report.path, report);
    for (const path of paths.keys()) if (paths.size > KEPT && path) paths.delete(path);
    // a late answer is kept, and not shown where the program that is shown holds
    if (now?.program && now.path !== report.path && !now.program.run([...x]).changed) return;
    swap(report);
  }

  function swap(report) {
    const kept = { linked: now?.linked?.state(), film: now?.film?.state(), picture: now?.picture?.state() };
    stop();
    const drawn = document.createElement("template");
    drawn.innerHTML = report.html;
    const box = place.cloneNode();
    box.append(drawn.content);
    const before = now ? {} : folds(place); // of the static report, which is not the same but has these too
    morph(place, box);
    for (const [name, fold] of Object.entries(folds(place))) if (before[name]) fold.open = before[name].open;
    const root = place.querySelector(".ad-report");
    const data = unpacked(report.data);
    root.querySelectorAll(".ad-beside").forEach(keepRoom);
    const live = scripts.follow(root, data, rooms);
    now = { ...report, root, live, made: at(unpacked(report.x)) };
    now.linked = scripts.linked(root, data, (row) => now.picture?.subject(row));
    now.film = scripts.film(root, data);
    const figure = root.querySelector(".ad-picture");
    if (figure) now.picture = scripts.picture(figure, { ...data, moving: model.get("inputs") }, report.program, live, { moved: pulled, ask: wanted });
    now.picture?.restore(kept.picture);
    now.linked.restore(kept.linked);
    now.film.restore(kept.film);
    if (now.program) return update();
    explain({});
    draw({}, now.made);
  }

  function stop() {
    for (const part of ["live", "linked", "film", "picture"]) now?.[part]?.stop();
  }

  // ---- from the inputs

  function moved(name, value) {
    const k = names.indexOf(name);
    if (x[k] === value) return;
    last = model.get("inputs").findIndex((input) => input.name === name);
    if (k < 0) return; // the kernel computes
    x[k] = value;
    soon();
  }

  const pulled = (pairs) => pairs.forEach(([k, value]) => controls?.put(names[k], value)); // the point of a contour
  const wanted = (what) => model.send({ ask: "figures", what }); // without a program the kernel draws

  // At once, and once more in the next frame if more has come until then.
  function soon() {
    if (framed) {
      late = true;
      return;
    }
    framed = true;
    update();
    requestAnimationFrame(() => {
      framed = false;
      if (late) soon();
    });
  }

  function update() {
    late = !visible;
    if (over || late || !now?.program) return;
    let found = now.program.run([...x]);
    if (found.changed) {
      const other = [...paths.values()].find(({ program }) => program && !program.run([...x]).changed);
      if (other) return swap(other);
    }
    const bad = !found.changed && now.live.firstBad(found) >= 0; // Python may raise an error here
    const raises = bad || trouble === at(x);
    if (found.changed || bad || (trouble && !raises)) ask();
    grey(raises);
    if (!bad) show(found);
    explain(found);
  }

  function show(found) {
    const shown = now, moved = at(x) !== now.made;
    now.live.show(found, moved, true);
    clearTimeout(rest);
    rest = setTimeout(() => shown === now && now.live.show(found, moved), REST);
    now.film.show(found);
    draw(found);
  }

  // `point` tells one point from another where the page does not know the numbers.
  function draw(found, point) {
    const { lo, hi, steps, ...what } = model.get("inputs")[last] ?? {};
    now.picture?.draw(found, point ? [point] : x, names.indexOf(what.name), { lo, hi, steps }, what);
    last = -1;
  }

  function grey(yes) {
    el.classList.toggle("ad-trouble", yes);
    if (!yes && !now?.program) trouble = "";
  }

  function ask() {
    if (asking || asked === at(x)) return;
    asking = true;
    asked = at(x);
    model.send({ ask: "path", x });
  }

  // For as long as the path differs from the one where the panel began, what decides.
  function explain({ changed }) {
    const first = paths.get(0)?.program;
    const way = (now.path === 0 ? changed : first ? first.run([...x]).changed : now.way) ?? (changed && now.way);
    const line = way?.line ? `Line ${way.line}` : "The program";
    const text = way ? `${line} goes another way: ${way.text}.` : "";
    if (note.textContent !== text) note.textContent = text;
  }

  // ---- life

  // until the report comes, the static one stands in its place
  const hide = () => {
    if (!hidden) ends.push(hideStatic(model.get("key")));
    hidden = true;
  };
  const twin = document.querySelector(`[data-ad-static="${model.get("key")}"]`);
  if (twin) {
    place.append(...twin.cloneNode(true).childNodes);
    hide();
  }
  const otherwise = () => now?.picture?.inputs(model.get("inputs"));
  model.on("msg:custom", told);
  model.on("change:inputs", otherwise);
  ends.push(() => model.off("msg:custom", told), () => model.off("change:inputs", otherwise));
  model.send({ ask: "program", has: [...runtimes.keys()] });

  // what is out of sight need not follow: it does as soon as it comes near
  const eye = new IntersectionObserver(
    (seen) => {
      visible = seen.at(-1).isIntersecting;
      if (visible && late) soon();
    },
    { rootMargin: "50%", scrollMargin: "50%" },
  );
  eye.observe(el);
  ends.push(() => eye.disconnect());

  const key = model.get("key");
  let notebook = null;
  views.set(key, (views.get(key) ?? 0) + 1);

  let tries = 300; // the box around us is put into the page later than we are
  const find = () => {
    if (over) return;
    const panel = el.closest(".ad-panel");
    if (panel) {
      notebook = el.closest(".jp-Notebook");
      ends.push(watchRows(panel, model), () => note.remove());
      panel.querySelector(".ad-bar")?.append(note);
    } else if (tries-- > 0) requestAnimationFrame(find);
  };
  find();

  return () => {
    over = true;
    clearTimeout(rest);
    controls?.stop();
    stop();
    for (const end of ends) end();
    // JupyterLab keeps the views of models that are closed: leave nothing in ours
    el.replaceChildren();
    paths.clear();
    now = null;
    part(model, key, notebook);
  };
}

export default { render };
