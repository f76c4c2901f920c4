"""What stands in a report that is open in a browser: its texts, its marks, the pictures of its arrays, its sizes."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

TEXTS = """() => {
    const found = {};
    const all = (selector) => document.querySelectorAll(selector);
    const add = (key, element) => {
        const copy = element.cloneNode(true);
        copy.querySelectorAll("br, samp").forEach((part) => part.after(" "));
        found[key] = copy.textContent;
    };
    for (const row of all(".ad-report tr[data-ad-row]")) {
        const name = `row ${row.dataset.adRow}`;
        for (const cell of row.querySelectorAll("[data-ad-cell]")) add(`${name} ${cell.dataset.adCell}`, cell);
        add(`${name} partials`, row.querySelector(".ad-partial"));
    }
    for (const node of all("[data-ad-node]")) add(`node ${node.dataset.adNode}`, node.querySelector(".ad-node-value"));
    for (const edge of all("text[data-ad-edge]")) add(`edge ${edge.dataset.adEdge}`, edge);
    for (const value of all("[data-ad-grad], .ad-value")) {
        add(`${value.dataset.adGrad ?? "value"} ${value.dataset.adOutput ?? ""}`, value);
    }
    return found;
}"""
MARKS = """() => [...document.querySelectorAll(".ad-report [data-ad-cell], [data-ad-node], g[data-ad-edge]")].map((e) =>
    [e.dataset.adCell, e.dataset.adNode, e.dataset.adEdge, ["ad-zero", "ad-bad", "ad-negative", "ad-positive"]
        .filter((mark) => e.classList.contains(mark)), e.querySelector("path")?.getAttribute("stroke-width")])"""
PICTURES = """() => [...document.querySelectorAll(".ad-report :is(.ad-strip, [data-ad-cell] summary, .ad-entries)")]
    .map((e) => e.classList.contains("ad-strip") ? e.innerHTML : e.title)"""
SIZES = """() => {
    const what = ".ad-report [data-ad-cell], .ad-report [data-ad-node] rect, .ad-result, .ad-curve";
    return [...document.querySelectorAll(what)].map((element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    });
}"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def texts(page: Page) -> dict[str, str]:
    """Every number by where it stands: "row 3 adjoint", "node 3", "edge 1 3", "x " for the derivative, "value "."""
    return {key: " ".join(text.split()) for key, text in page.evaluate(TEXTS).items()}


def marks(page: Page) -> list[Any]:
    """What is marked as zero, not finite or negative, and how heavy an edge is."""
    return page.evaluate(MARKS)


def pictures(page: Page) -> list[str]:
    """The heat strips of arrays, and what their titles say."""
    return page.evaluate(PICTURES)


def sizes(page: Page) -> list[list[int]]:
    return page.evaluate(SIZES)


def settle(page: Page) -> None:
    """Until the next frame is drawn."""
    page.evaluate(NEXT_FRAME)


def add_script(page: Page, code: str) -> None:
    page.evaluate(
        'code => { const s = document.createElement("script"); s.textContent = code; document.head.append(s); }', code
    )
