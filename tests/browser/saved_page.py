"""A saved page that is open in a browser without network and without kernel, and what a person does with it."""

from __future__ import annotations


class Saved:
    """A saved page that is open."""

    def __init__(self, context, path) -> None:
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.tab = context.new_page()
        self.tab.set_default_timeout(10_000)
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("console", lambda message: self.errors.append(message.text))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.goto(path.as_uri())
        self.url = path.as_uri()

    def slider(self, name: str):
        return self.tab.locator(f'.ad-input[data-ad-input="{name}"] input[type=range]')

    def box(self, name: str):
        return self.tab.locator(f'.ad-input[data-ad-input="{name}"] input[type=text]')

    def type(self, name: str, text: str) -> None:
        self.box(name).fill(text)
        self.settle()

    def settle(self) -> None:
        """Until the next frame is drawn."""
        self.tab.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
        )

    def value(self) -> float:
        return float(self.tab.locator(".ad-value").text_content())
