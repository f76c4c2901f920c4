// What lean.py has taken out of the file of a page is put back: what is alike in all rows, all nodes, all edges.

function whole(report, { classes, columns }) {
  const all = (selector) => report.querySelectorAll(selector);
  const set = (element, attributes) => Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  for (const element of all("[c]")) {
    set(element, { class: classes[element.getAttribute("c")] });
    element.removeAttribute("c");
  }
  for (const row of all("tr[data-ad-row]")) {
    const cells = [...row.cells].slice(-1 - columns.length, -1);
    columns.forEach(([key, kind], k) => set(cells[k], { class: kind, "data-ad-cell": key }));
    row.querySelector(".ad-variable").scope = "row";
  }
  for (const node of all("[data-ad-node]")) {
    const rect = node.querySelector("rect"), texts = node.querySelectorAll("text"), at = (name) => Number(rect.getAttribute(name));
    texts.forEach((text, k) => set(text, { x: at("x") + at("width") / 2, y: at("y") + (k ? 31 : 15.5) }));
    if (!node.querySelector("title")) node.insertAdjacentHTML("afterbegin", `<title>${escaped(texts[0].textContent)}</title>`);
  }
  for (const edge of all("g[data-ad-edge]")) {
    const d = edge.firstChild.getAttribute("d"), numbers = d.match(/[\d.]+/g), x = numbers.at(/V[^VC]*$/.test(d) ? -3 : -2);
    edge.insertAdjacentHTML("beforeend", `<path class="ad-tip" d="M${x} ${Number(numbers.at(-1)) + 4}l-3.2 -6h6.4z"/>`);
  }
}
