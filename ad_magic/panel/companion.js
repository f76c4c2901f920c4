// What the panel needs of the page, and ipywidgets does not do:
// - while the panel lives, the static report beside it is hidden;
// - arrow keys move a slider instead of the notebook's cell cursor, and letters do not cut cells;
// - sliders and number boxes have names, and say their value rather than the number of their step;
// - what is unfolded or scrolled in the report stays so when its numbers change, and a column that has become wide for
//   a long number stays wide, so that nothing moves under the reader's eyes.

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

function dress(root, inputs) {
  // one track below the other: the ends of all sliders are as wide as the longest of them
  const longest = (place) => `${Math.max(3, ...inputs.map((input) => say(input, place * input.steps).length))}ch`;
  root.style.setProperty("--ad-lo", longest(0));
  root.style.setProperty("--ad-hi", longest(1));
  root.querySelectorAll(".ad-input").forEach((row, place) => {
    const input = inputs[place];
    if (!input) return;
    const slider = row.querySelector(".ad-slider");
    const handle = row.querySelector(".noUi-handle");
    // on the focused element itself: on one around it Notebook 7 does not look
    set(handle, "data-lm-suppress-shortcuts", "true");
    set(handle, "aria-label", input.name);
    if (handle) set(handle, "aria-valuetext", say(input, Number(handle.getAttribute("aria-valuenow"))));
    set(slider, "data-lo", say(input, 0).replace(/-/g, "\u2212"));
    set(slider, "data-hi", say(input, input.steps).replace(/-/g, "\u2212"));
    set(row.querySelector(".ad-box input"), "aria-label", `${input.name}, value`);
    set(row.querySelector(".ad-index input"), "aria-label", `${input.name.split("[")[0]}, index of the entry`);
  });
}

// Elements of the report that a reader can open or scroll, each with a name that survives a new report.
function places(root) {
  const seen = {};
  return [...root.querySelectorAll(".ad-report :is(details, .ad-scroll)")].map((element) => {
    const kind = `${element.tagName} ${element.className}`;
    seen[kind] = (seen[kind] ?? 0) + 1;
    return [`${kind} ${seen[kind]}`, element];
  });
}

function remember(root, kept) {
  for (const [name, element] of places(root)) kept.set(name, [element.open, element.scrollLeft, element.scrollTop]);
}

function restore(root, kept) {
  for (const [name, element] of places(root)) {
    const [open, left, top] = kept.get(name) ?? [];
    if (open !== undefined) element.open = open;
    if (left) element.scrollLeft = left;
    if (top) element.scrollTop = top;
  }
}

// The widest that each column and each number of the result line has been, as a style rule for this panel.
function steady(root, widths, rule) {
  let grown = false;
  // a column in which an array is open is as wide as its entries, and narrow again when it is closed
  const opened = new Set([...root.querySelectorAll("[data-ad-cell]:has(.ad-array[open])")].map((cell) => cell.dataset.adCell));
  for (const element of root.querySelectorAll(".ad-value, [data-ad-grad], [data-ad-cell]")) {
    const { adCell, adGrad } = element.dataset;
    if (opened.has(adCell)) continue;
    const which = adCell ? `[data-ad-cell="${CSS.escape(adCell)}"]` : adGrad ? `[data-ad-grad="${CSS.escape(adGrad)}"]` : ".ad-value";
    const width = Math.ceil(element.getBoundingClientRect().width);
    if (width <= (widths.get(which) ?? 0)) continue;
    widths.set(which, width);
    grown = true;
  }
  if (!grown) return;
  const panel = `.ad-panel[data-ad-panel="${root.dataset.adPanel}"]`;
  const least = (which, width) => (which.startsWith("[data-ad-cell") ? `${width}px` : `min(${width}px, 100cqw)`);
  rule.textContent = [...widths].map(([which, width]) => `${panel} ${which} { min-width: ${least(which, width)} !important; }`).join("\n");
}

function accompany(root, el, model) {
  const kept = new Map();
  const widths = new Map();
  const rule = el.appendChild(document.createElement("style"));
  root.dataset.adPanel = model.get("key");
  let report = null;
  const look = () => {
    const now = root.querySelector(".ad-report");
    if (now && now !== report) {
      // before the page is painted: mutations are told at once
      if (report) restore(root, kept);
      steady(root, widths, rule);
    }
    report = now;
    dress(root, model.get("inputs"));
  };
  const note = (event) => {
    if (event.target.closest?.(".ad-report")) remember(root, kept);
  };
  const observer = new MutationObserver(look);
  observer.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuenow"] });
  root.addEventListener("toggle", note, true); // these two do not bubble
  root.addEventListener("scroll", note, true);
  model.on("change:inputs", look);
  look();
  return () => {
    observer.disconnect();
    root.removeEventListener("toggle", note, true);
    root.removeEventListener("scroll", note, true);
    model.off("change:inputs", look);
  };
}

function render({ model, el }) {
  const ends = [];
  let over = false;
  let hidden = false;
  el.classList.add("ad-companion");

  const alive = () => {
    if (over || hidden) return;
    hidden = true;
    ends.push(hideStatic(model.get("key")));
  };
  if (document.querySelector(".jp-NotebookPanel")) alive();
  else {
    model.on("msg:custom", alive);
    ends.push(() => model.off("msg:custom", alive));
    model.send({ ask: "alive" });
  }

  let tries = 300; // the box around us is put into the page later than we are
  const find = () => {
    const root = el.closest(".ad-panel");
    if (over) return;
    if (root) ends.push(accompany(root, el, model));
    else if (tries-- > 0) requestAnimationFrame(find);
  };
  find();

  return () => {
    over = true;
    for (const end of ends) end();
  };
}

export default { render };
