"""A recorded run as a program: it stands on its own and gives the numbers of the run."""

from __future__ import annotations

import math

import pytest


def result(shell, cell, **inputs):
    shell.user_ns.update(inputs)
    done = shell.run_cell(f"%%grad {' '.join(inputs)} -o r_ -q\nimport math\n{cell}", silent=True)
    assert done.success, done.error_in_exec
    return shell.user_ns.pop("r_")


CELLS = [
    "z = (x + 2*y)**2 * math.sin(x*y)",
    "z = math.sqrt(x) / y - abs(-y) + 2 ** x + x ** y + math.log(x, 2) + math.degrees(x)",
    "z = x\nfor k in range(5):\n    z = z * y + k\nz = sum([z, x, 3.0]) + math.hypot(x, y, 1.0)",
    "z = 3.0",
]


@pytest.mark.parametrize("kind", ["forward", "reverse"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_program_stands_on_its_own(loaded, cell, kind):
    r = result(loaded, cell, x=2.0, y=3.0)
    namespace: dict = {}
    exec(r.code(kind), namespace)
    value, gradient = namespace["derivative"](2.0, 3.0)
    assert value == r.value
    assert gradient == pytest.approx(r.grad, rel=1e-13)


@pytest.mark.parametrize("kind", ["forward", "reverse"])
def test_it_works_at_another_input(loaded, kind):
    namespace: dict = {}
    exec(result(loaded, CELLS[0], x=2.0, y=3.0).code(kind), namespace)
    value, gradient = namespace["derivative"](6.0, 1.0)
    s, sin, cos = 8.0, math.sin(6.0), math.cos(6.0)
    assert value == pytest.approx(s**2 * sin)
    assert gradient == pytest.approx({"x": 2 * s * sin + cos * s**2, "y": 4 * s * sin + 6 * cos * s**2})


def test_another_kind_is_refused(loaded):
    with pytest.raises(ValueError, match="'forward', 'reverse', 'interleaved', 'jax' and 'torch'"):
        result(loaded, CELLS[0], x=2.0, y=3.0).code("backward")


@pytest.mark.parametrize("view", ["text", "static"])
@pytest.mark.parametrize(("mode", "statement"), [("both", "v8_bar = 1.0"), ("forward", "dx_x = 1.0")])
def test_the_program_is_shown(loaded, view, mode, statement, capsys):
    loaded.run_cell(f"%%grad x=2.0 y=3.0 --mode {mode} --view {view} --show code\nimport math\n{CELLS[0]}")
    assert statement in capsys.readouterr().out


def test_a_report_says_why_there_is_no_program(loaded):
    setup = "from scipy.optimize import brentq"
    loaded.run_cell(setup)
    r = result(loaded, "z = brentq(lambda t: t * t - x, 0, 10)", x=2.0)
    assert "line 3: brentq" in r.to_text(show="code")
    assert "line 3: brentq" in r.to_html(show="code")


def test_of_a_very_long_program_the_middle_is_left_out(loaded):
    from ad_magic.report.listing import listing

    cell = "z = x\n" + "".join(
        f"z = z * {1 + 1 / (k + 2)} {'+-'[k % 3 == 0]} math.{'sin' if k % 5 else 'cos'}(x * {k}.5)\n"
        for k in range(200)
    )
    shown = listing(result(loaded, cell, x=0.5))
    assert len(shown) == 261
    assert any("lines more" in line for line, _ in shown)
    assert shown[-1][0].strip().startswith("return")
