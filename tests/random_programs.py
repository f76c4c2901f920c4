"""Random programs as people write them: branches, loops, functions, lists and dicts, of a few numbers."""

from __future__ import annotations

import random

_FUNCTIONS = ("math.sin", "math.cos", "math.tanh", "math.atan", "abs", "soft")
_PRELUDE = '''
def soft(v, w=0.5):
    """Bent at 1."""
    if v > 1:
        return 1 + w * (v - 1)
    return v * w + 0.5

def both(a, b=2):
    if a < b:
        a, b = b, a
    return a * 0.5, b - 0.1 * a
'''


class Program:
    """Writes one program; `names` are the numbers that exist at the place that is written."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.fresh = 0

    def name(self) -> str:
        self.fresh += 1
        return f"a{self.fresh}" if self.random.random() < 0.8 else f"v{self.fresh}"

    def number(self, names: list[str]) -> str:
        if self.random.random() < 0.7:
            return self.random.choice(names)
        return self.random.choice(["2", "0.5", "1", "3.0", "-1.5", "0.25"])

    def expression(self, names: list[str], depth: int = 2) -> str:
        draw = self.random.random()
        if depth == 0 or draw < 0.15:
            return self.number(names)
        a, b = (self.expression(names, depth - 1) for _ in range(2))
        if draw < 0.5:
            return f"({a} {self.random.choice('+-*')} {b})"
        if draw < 0.58:
            return f"{a} / (1 + {b} * {b})" if self.random.random() < 0.5 else f"-({a})"
        if draw < 0.64:
            return f"({a}) ** {self.random.choice(['2', '3'])}"
        if draw < 0.78:
            return f"{self.random.choice(_FUNCTIONS)}({a})"
        if draw < 0.86:
            return f"({a} if {self.condition(names)} else {b})"
        if draw < 0.90:
            return f"{self.random.choice(['min', 'max'])}({a}, {b})"
        if draw < 0.94:
            return f"sum([{a}, {b}, {self.number(names)}])"
        if draw < 0.97:
            return f"sum(k * {self.number(names)} for k in ({a}, {b}))"
        return f"both({a}, {b})[{self.random.choice('01')}]"

    def condition(self, names: list[str]) -> str:
        first = f"{self.number(names)} {self.random.choice(['<', '>', '<=', '>='])} {self.number(names)}"
        draw = self.random.random()
        if draw < 0.15:
            return f"0 < {self.number(names)} < 2"
        if draw < 0.3:
            return f"{first} and {self.number(names)} > -1"
        return f"not {first}" if draw < 0.4 else first

    def block(self, names: list[str], indent: str, depth: int, loop: bool = False) -> list[str]:
        """Some statements; the names that exist after all of them."""
        names = list(names)
        for _ in range(self.random.randint(1, 3)):
            names = self.statement(names, indent, depth, loop)
        return names

    def statement(self, names: list[str], indent: str, depth: int, loop: bool) -> list[str]:
        write = lambda text: self.lines.append(indent + text)
        draw = self.random.random()
        own = [n for n in names if n not in ("x", "y")] or names
        if draw < 0.3 or depth == 0:
            target = self.random.choice(own) if self.random.random() < 0.4 else self.name()
            write(f"{target} = {self.expression(names)}")
            return [*names, target] if target not in names else names
        if draw < 0.42:
            write(f"{self.random.choice(own)} {self.random.choice(['+=', '-=', '*='])} {self.expression(names, 1)}")
            return names
        if draw < 0.5:
            a, b = self.name(), self.name()
            swap = len(own) > 1 and self.random.random() < 0.5
            if swap:
                a, b = self.random.sample(own, 2)
            value = f"both({self.expression(names, 1)}, {self.number(names)})"
            if self.random.random() < 0.5:
                value = f"{self.expression(names, 1)}, {self.expression(names, 1)}"
            write(f"{a}, {b} = {value}")
            return [*names, *(n for n in (a, b) if n not in names)]
        if draw < 0.66:
            write(f"if {self.condition(names)}:")
            self.block(names, indent + "    ", depth - 1, loop)
            if self.random.random() < 0.6:
                write("else:")
                self.block(names, indent + "    ", depth - 1, loop)
            return names
        if draw < 0.78:
            counter = self.name()
            write(f"for {counter} in range({self.random.randint(1, 4)}):")
            self.block([*names, counter], indent + "    ", depth - 1, True)
            if self.random.random() < 0.3:
                write(f"    if {self.condition(names)}:")
                write(f"        {self.random.choice(['break', 'continue'])}")
            return names
        if draw < 0.9:
            items = self.name()
            write(f"{items} = [{', '.join(self.expression(names, 1) for _ in range(3))}]")
            if self.random.random() < 0.5:
                entry, sign = f"{items}[{self.random.randint(0, 2)}]", self.random.choice(["=", "+=", "*="])
                write(f"{entry} {sign} {self.expression(names, 1)}")
            if self.random.random() < 0.5:
                write(f"{items}.append({self.expression(names, 1)})")
            one, total = self.name(), self.random.choice(own)
            write(f"for {one} in {items}:")
            write(f"    {total} = {total} * 0.5 + {self.expression([*names, one], 1)}")
            return names
        if draw < 0.95:
            table = self.name()
            write(f"{table} = {{'p': {self.expression(names, 1)}, 'q': {self.number(names)}}}")
            write(f"{table}['p'] = {table}['q'] * {self.expression(names, 1)}")
            key, one = self.name(), self.name()
            write(f"for {key}, {one} in {table}.items():")
            write(f"    {self.random.choice(own)} += {one}")
            return names
        steps = self.name()
        write(f"{steps} = 0")
        write(f"while {self.condition(names)} and {steps} < 3:")
        write(f"    {steps} += 1")
        self.block(names, indent + "    ", depth - 1, True)
        return names

    def text(self) -> str:
        self.lines = ["u = x * 0.5 + y", "w = 1.0"]
        names = self.block(["x", "y", "u", "w"], "", 2)
        for _ in range(3):
            names = self.block(names, "", 2)
        ends = " + ".join(dict.fromkeys(n for n in names if n not in ("x", "y")))
        return _PRELUDE + "\n" + "\n".join(self.lines) + f"\nout = {ends}\n"


def program(seed: int) -> str:
    """The source of a random program of x and y that computes `out`."""
    return Program(seed).text()
