"""axe-core on what is open in a browser: what it finds is said in words."""

from __future__ import annotations

import json

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_RUN = """async (selectors) => {
    const found = await axe.run(selectors.length ? { include: selectors.map((one) => [one]) } : document,
        { resultTypes: ["violations"] });
    return found.violations.map(({ id, help, nodes }) => [id, help, nodes.map((node) =>
        [node.target.join(" "), node.html.slice(0, 200), node.failureSummary.replace(/\\s*\\n\\s*/g, " ")])]);
}"""


def violations(page: Page, *selectors: str, but: str = "") -> str:
    """What axe finds wrong in these parts of the page (in all of it, if none are named), as text; "" is good.

    `but` is a rule that does not count.
    """
    page.evaluate(AXE_SCRIPT)
    page.evaluate("() => document.fonts.ready.then(() => null)")
    return "\n".join(
        f"{rule}: {says} ({len(nodes)} ×)\n" + "\n".join(f"    {json.dumps(node)}" for node in nodes[:4])
        for rule, says, nodes in page.evaluate(_RUN, list(selectors))
        if rule != but
    )
