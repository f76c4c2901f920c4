// What belongs together lights up together: a source line, its rows, their nodes and edges, their marks on the curve.
// Hover lights it, a click or Space pins it, arrow keys move over rows and nodes. What is lit is said by a style sheet of
// a few rules: no element is changed, and what is drawn anew is lit too.


// A key that is pressed in `root` does not reach the notebook around it, which asks the very element that has the focus.
function sheltered(root, signal) {
  root.addEventListener("focusin", ({ target }) => (target.dataset.lmSuppressShortcuts = "true"), { signal });
  root.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.stopPropagation(), { signal });
}

// `told(row)` hears of the row that is pinned, of null when none is; of a line it is the last row, of an edge its head.
function linked(report, data, told = () => {}) {
  const stopping = new AbortController(), { signal } = stopping;
  const on = (kind, listener) => report.addEventListener(kind, listener, { signal });
  const one = (selector) => report.querySelector(selector);
  const all = (selector) => [...report.querySelectorAll(selector)];
  const scope = Math.random().toString(36).slice(2);
  report.dataset.adLinked = scope;
  const page = report.getRootNode(), sheet = new CSSStyleSheet(); // its rules are changed faster than those of a <style>
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];

  // ---- a subject: "row 4", "edge 1 4", "line 2 5" (group and number; a line without operations has no group)

  const groupOf = (element) => /\bad-g(\d+)/.exec(element?.getAttribute("class"))?.[1] ?? "";
  const groupOfRow = (row) => groupOf(one(`tr[data-ad-row="${row}"]`)?.parentNode.querySelector(".ad-code"));
  const rowsOf = (group) => (group ? all(`tbody:has(> tr > .ad-g${group}) > tr[data-ad-row]`).map((row) => row.dataset.adRow) : []);
  const isOfLine = (line) => ({ textContent }) => line !== "" && textContent === line;

  function subjectOf(target) {
    const element = target.closest("th.ad-code, td.ad-line-number, [data-ad-row], [data-ad-node], [data-ad-edge], [data-ad-line], g.ad-source, g.ad-line");
    if (!element || !report.contains(element)) return null;
    const { adRow, adNode, adEdge, adLine } = element.dataset;
    if (adEdge) return `edge ${adEdge}`;
    if (adRow ?? adNode) return `row ${adRow ?? adNode}`;
    const code = element.matches("td") ? element.nextElementSibling : element;
    const group = groupOf(code) || groupOf(all("td.ad-line-number").find(isOfLine(adLine ?? ""))?.nextElementSibling);
    const line = adLine ?? one(`th.ad-g${group || "x"}`)?.previousElementSibling.textContent ?? "";
    return `line ${group} ${line}`;
  }

  const rowOf = (subject) => {
    if (!subject) return null;
    const [kind, a, b] = subject.split(" ");
    const row = kind === "row" ? a : kind === "edge" ? b : rowsOf(a).at(-1);
    return row === undefined ? null : Number(row);
  };

  const rule = (selectors, look) => (selectors.length ? `[data-ad-linked="${scope}"] :is(${selectors})${look}\n` : "");

  // An edge into what is lit has a broad band, one out of it a narrow one: [the rules of these, all others].
  function rulesOf(subject, isPinned) {
    if (!subject) return ["", ""];
    const [kind, a, b] = subject.split(" ");
    const rows = kind === "row" ? [a] : kind === "edge" ? [a, b] : rowsOf(a);
    const group = kind === "row" ? groupOfRow(a) : kind === "line" ? a : "";
    const number = kind === "line" ? b : one(`.ad-source-line.ad-g${group || "x"}`)?.dataset.adLine;
    const own = kind === "line" ? [...(a ? [`.ad-g${a}`] : []), ...(b ? [`[data-ad-line="${b}"]`] : [])]
      : kind === "row" ? [`[data-ad-row="${a}"]`, `[data-ad-node="${a}"]`] : [`[data-ad-edge="${a} ${b}"]`];
    const lit = [...own, ...rows.flatMap((row) => [`[data-ad-row="${row}"]`, `[data-ad-node="${row}"]`])];
    if (group) lit.push(`.ad-g${group}`);
    if (number) lit.push(`[data-ad-line="${number}"]`);
    const edges = kind === "edge" ? [] : rows;
    return [
      rule(edges.map((row) => `[data-ad-edge^="${row} "]`), "{--ad-on:var(--ad-lit);--ad-band:4px}"),
      rule(edges.map((row) => `[data-ad-edge$=" ${row}"]`), "{--ad-on:var(--ad-lit);--ad-band:11px}")
        + rule(lit, "{--ad-on:var(--ad-lit);--ad-heavy:3}")
        + (isPinned ? rule(own, "{--ad-pin:2px}") + rule(own, "> rect{stroke-width:3.5;stroke:var(--ad-text)}") : ""),
    ];
  }

  let hovered = null, focused = null, pinned = null, before = null, rules = "";
  function light() {
    const kept = rulesOf(pinned, true), passing = rulesOf(hovered ?? focused, false);
    const next = kept[0] + passing[0] + kept[1] + passing[1];
    if (next !== rules) sheet.replaceSync((rules = next));
  }

  function pin(subject) {
    if (subject === pinned) return;
    const row = rowOf(pinned), next = rowOf(subject);
    for (const [element, value] of [[pinned, "false"], [subject, "true"]]) {
      const [kind, a] = (element ?? "").split(" ");
      if (kind === "row") one(`tr[data-ad-row="${a}"]`)?.setAttribute("aria-selected", value);
      if (kind === "row") one(`[data-ad-node="${a}"]`)?.setAttribute("aria-pressed", value);
    }
    pinned = subject;
    light();
    if (row !== next) told(next);
  }
  const toggle = (subject) => pin(subject === pinned ? null : subject);

  on("pointerover", ({ target }) => {
    const subject = subjectOf(target);
    if (subject === hovered) return;
    hovered = subject;
    light();
  });
  on("pointerleave", () => {
    hovered = null;
    light();
  });
  on("click", ({ target, detail }) => {
    const subject = subjectOf(target);
    if (!subject || target.closest("summary, button, input, select, label, a")) return;
    if (detail > 1) return pin(before); // a double click selects a word
    before = pinned;
    if (getSelection().isCollapsed) toggle(subject);
  });
  document.addEventListener("keydown", ({ key, target }) => {
    if (key === "Escape" && (report.contains(target) || target.contains(report))) pin(null);
  }, { signal, capture: true });

  // ---- keys: the table is one stop of the Tab key, the graph another

  const table = one(".ad-table"), graph = one(".ad-graph svg");
  const rows = all("tr[data-ad-row], tr.ad-fold-row"), nodes = all(".ad-graph .ad-node");
  const partsOf = (row) => [...row.querySelectorAll("details")];
  table?.setAttribute("role", "treegrid");
  table?.querySelectorAll("summary").forEach((summary) => (summary.tabIndex = -1));
  graph?.setAttribute("role", "group");
  for (const node of nodes) node.setAttribute("role", "button");
  for (const shown of [table, graph]) shown?.closest(".ad-scroll").removeAttribute("tabindex"); // keys reach what is in it
  for (const list of [rows, nodes]) list.forEach((element, k) => element.setAttribute("tabindex", k ? -1 : 0));
  for (const row of rows) if (partsOf(row).length) row.setAttribute("aria-expanded", partsOf(row)[0].open);
  for (const edge of all("g[data-ad-edge]")) { // so that a pointer finds it
    const band = edge.querySelector("path").cloneNode();
    band.setAttribute("class", "ad-band");
    edge.append(band);
  }
  report.addEventListener("toggle", ({ target }) => target.closest("tr")?.setAttribute("aria-expanded", target.open), { signal, capture: true });

  function beside(list, place, by) {
    while (list[(place += by)]) if (list[place].getClientRects().length) return list[place];
  }

  function moved(element, key) {
    const list = rows.includes(element) ? rows : nodes, place = list.indexOf(element), row = element.dataset.adNode;
    if (key === "Home") return beside(list, -1, 1);
    if (key === "End") return beside(list, list.length, -1);
    if (row !== undefined && key === "ArrowUp") return nodes[data.parents[row][0]];
    if (row !== undefined && key === "ArrowDown") return nodes.find((node) => data.parents[node.dataset.adNode].includes(Number(row)));
    return beside(list, place, /Up|Left/.test(key) ? -1 : 1);
  }

  function unfold(row) {
    const fold = row.parentNode.querySelector(".ad-fold"), parts = partsOf(row).length ? partsOf(row) : fold ? [fold] : [];
    const open = parts.length && !parts[0].open;
    for (const part of parts) part.open = open;
    if (!row.getClientRects().length) fold.closest("tr").focus();
  }

  sheltered(report, signal);
  on("keydown", (event) => {
    const { key, target } = event, element = target.closest("tr, .ad-node"), isRow = rows.includes(element);
    if (event.altKey || event.ctrlKey || event.metaKey || !(isRow || nodes.includes(element))) return;
    if (isRow ? /^(Arrow(Up|Down)|Home|End)$/.test(key) : /^(Arrow\w+|Home|End)$/.test(key)) moved(element, key)?.focus();
    else if (target !== element || !(key === " " || key === "Enter")) return;
    else if (key === "Enter" && isRow) unfold(element);
    else if (subjectOf(element)) toggle(subjectOf(element));
    event.preventDefault();
  });
  on("focusin", ({ target }) => {
    const element = target.closest("tr, .ad-node"), list = [rows, nodes].find((some) => some.includes(element));
    if (list) { // the Tab key comes back to it
      list.find((other) => other.tabIndex === 0)?.setAttribute("tabindex", -1);
      element.setAttribute("tabindex", 0);
    }
    focused = target.matches(":focus-visible") ? subjectOf(target) : null;
    light();
  });
  on("focusout", () => {
    focused = null;
    light();
  });

  // ---- what a caller gets

  const placeOf = (element) => [rows, nodes].map((list) => list.indexOf(element)).join();
  return {
    // what is pinned, and which row or node has the focus: for the report that comes in the place of this one
    state: () => ({ pinned, focus: placeOf(document.activeElement) }),
    restore(state) {
      const { pinned: subject = null, focus = "" } = state ?? {};
      const [kind, a] = (subject ?? "").split(" ");
      const gone = kind === "row" ? !one(`tr[data-ad-row="${a}"]`) : kind === "edge" && !one(`[data-ad-edge="${subject.slice(5)}"]`);
      pin(gone ? null : subject);
      const [row, node] = focus.split(",");
      (rows[row] ?? nodes[node])?.focus({ preventScroll: true });
    },
    stop() {
      stopping.abort();
      page.adoptedStyleSheets = page.adoptedStyleSheets.filter((other) => other !== sheet);
      delete report.dataset.adLinked;
      for (const band of all(".ad-band")) band.remove();
    },
  };
}
