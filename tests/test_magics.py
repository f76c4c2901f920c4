"""The magics: options, messages, tracebacks, loading and unloading."""

from __future__ import annotations

import gc
import re
import weakref

import pytest


def say(shell, cell, capsys, *, count=True):
    """Run a cell as a user does and return what is printed."""
    capsys.readouterr()
    shell.run_cell(cell, store_history=count)
    out, err = capsys.readouterr()
    return re.sub(r"\x1b\[[0-9;]*m", "", out + err)


# ---- what is shown -----------------------------------------------------------------------------------------


def test_a_terminal_shows_the_text_table(loaded, capsys):
    text = say(loaded, "import math\n", capsys)
    text = say(loaded, "%%grad x=2 y=3\nz = (x + 2*y)**2 * math.sin(x*y)", capsys)
    assert "z = −17.88" in text and "179.88" in text and "113.96" in text and "sin(" in text


@pytest.mark.parametrize("line", ["-q", "--quiet"])
def test_quiet_shows_nothing(loaded, capsys, line):
    assert say(loaded, f"%%grad x=2 {line} -o r\nz = x*x", capsys) == ""
    assert loaded.user_ns["r"].grad == {"x": 4.0}


def test_a_semicolon_shows_nothing(loaded, capsys):
    assert say(loaded, "%%grad x=2\nz = x*x;", capsys) == ""


def test_the_result_is_underscore(loaded, capsys):
    say(loaded, "%%grad x=2\nz = x*x", capsys)
    say(loaded, "%%grad x=3 -q\nz = x*x", capsys)  # shows nothing: _ stays
    say(loaded, "kept = _", capsys)
    assert loaded.user_ns["kept"].grad == {"x": 4.0}


@pytest.mark.parametrize("magic", ["%%grad", "%grad"])
def test_first_line_form(loaded, capsys, magic):
    say(loaded, f"{magic} x=2 -q -o r\nz = x**3", capsys)
    assert loaded.user_ns["r"].grad == {"x": 12.0}


def test_an_expression_on_one_line(loaded, capsys):
    loaded.user_ns.update(x=2.0, y=3.0)
    assert "x*y + 1 = 7" in say(loaded, "%grad x*y + 1", capsys)
    say(loaded, "%grad x - y -o r -q", capsys)
    assert loaded.user_ns["r"].grad == {"x": 1.0, "y": -1.0}


def test_modes_of_their_own(loaded, capsys):
    say(loaded, "%%tangent x=2 -o f -q\nz = x*x", capsys)
    say(loaded, "%%adjoint x=2 -o r -q\nz = x*x", capsys)
    assert (loaded.user_ns["f"].mode, loaded.user_ns["r"].mode) == ("forward", "reverse")
    assert loaded.user_ns["f"].grad == loaded.user_ns["r"].grad == {"x": 4.0}
    assert "use %%grad" in say(loaded, "%%tangent x=2 --mode reverse\nz = x*x", capsys)


def test_values_are_expressions(loaded, capsys):
    loaded.user_ns["k"] = 4
    say(loaded, '%%grad x=k/8 y="1 + 2" -q -o r\nz = x*y', capsys)
    assert loaded.user_ns["r"].inputs == {"x": 0.5, "y": 3.0}


# ---- one line for a mistake ---------------------------------------------------------------------------------

MISTAKES = {
    "%%grad x=2 --mdoe forward\nz = x": "did you mean '--mode'",
    "%%grad x=2 --mode forwrd\nz = x": "did you mean 'forward'",
    "%%grad alhpa\nz = alpha": "did you mean 'alpha'",
    "%%grad nothing_like_it\nz = 1": "give it a value",
    "%%grad x=2 --range x=4:0\nz = x": "LO < HI",
    "%%grad x=2 --range y=0:1\nz = x": "there is x",
    "%%grad x=1+\nz = x": "is no expression",
    "%%grad 3x\nz = 1": "is not an input",
    "%%grad x=2\nz = 'text'": "not a number",
    "%%grad x=2\nz = None": "None",
    "%%grad x=2 --of w\nz = x": "no variable 'w'",
    "%%grad x=\"'s'\"\nz = x": "a str",
    '%%grad x="2\nz = x': "is not closed in",
    "%%grad x=2\nimport math": "nothing to differentiate",
    "%%grad x=2\nawait something": "awaits",
    "%%grad x=2\nz = x +": "line 2: invalid syntax",
    "import math\n%%grad x=2\nz = x": "must be the first line",
    "# a comment\n%%grad x=2\nz = x": "must be the first line",
    "%%grad x=2\nz = 1j * x": "complex",
    "%%grad x=2\nz = [[x, x], [x]]": "ragged",
    "%%grad x=2\n": "empty",
    "%%grad w=[0.5,1.0]\nz = w[0]": "array of real numbers: put np.array(…) around it",
    "%%gradcheck x=2 --expect y=1\nz = x": "NAME=FORMULA",
}


@pytest.mark.parametrize("cell", MISTAKES)
def test_a_mistake_is_one_line(loaded, capsys, cell):
    loaded.user_ns["alpha"] = 1.0
    text = say(loaded, cell, capsys)
    assert MISTAKES[cell] in text
    assert text.startswith("UsageError: ")
    assert "Traceback" not in text and "ad_magic/" not in text
    if "syntax" not in text:
        assert len(text.strip().splitlines()) == 1


def test_no_inputs(loaded, capsys):
    assert "no inputs" in say(loaded, "%%grad\nz = 1.0", capsys)


def test_no_variable_expansion(loaded, capsys):
    """IPython would put the value of {x} or $x into the line."""
    loaded.user_ns["x"] = 2.0
    say(loaded, '%%grad x="len({1, 2, 3})" -q -o r\nz = x', capsys)
    assert loaded.user_ns["r"].inputs == {"x": 3.0}


# ---- tracebacks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse", "both"])
@pytest.mark.parametrize(
    "error", ["math.sqrt(x - 5)", "1 / (x - 2)", "math.log(y := x - 2)", "(x - 2) ** -1", "x.nothing", "[x][5]"]
)
def test_a_traceback_shows_the_cell_and_none_of_our_frames(loaded, capsys, error, mode):
    say(loaded, "import math", capsys)
    number = loaded.execution_count
    text = say(loaded, f"%%grad x=2.0 --mode {mode}\na = 1\nb = {error}\nc = 3", capsys)
    assert f"Cell In[{number}], line 3" in text
    assert f"----> 3 b = {error}" in text
    assert "ad_magic" not in text and "<ad_magic" not in text and "contextlib" not in text
    plain = say(loaded, f"x = 2.0\na = 1\nb = {error}\nc = 3", capsys)
    assert (
        text.strip().splitlines()[-1].replace("Traced", "float").replace("Dual", "float")
        == plain.strip().splitlines()[-1]
    )


def test_an_error_in_an_earlier_function_names_its_cell(loaded, capsys):
    say(loaded, "import math\ndef f(t):\n    return math.log(t)", capsys)
    first = loaded.execution_count - 1
    text = say(loaded, "%%grad x=-2.0\nz = f(x)", capsys)
    assert f"Cell In[{first}], line 3" in text and "ad_magic" not in text


def test_a_lost_derivative_names_the_line_and_what_to_write(loaded, capsys):
    text = say(loaded, "%%grad x=2.0\nimport struct\ny = x * 2\nb = struct.pack('d', y)", capsys)
    assert "line 4" in text and "ad_magic.primal(x)" in text


# ---- help, completion, settings --------------------------------------------------------------------------------


def test_help_has_the_options_and_examples(loaded):
    info = loaded.object_inspect("%%grad")
    for text in ("--of", "--mode", "--range", "--view", "--out", "Examples", "%%grad x=2 y=3"):
        assert text in info["docstring"]


def completions(shell, text):
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        return [c.text for c in shell.Completer.completions(text, len(text))]


def test_completion(loaded):
    loaded.user_ns["alpha_value"] = 1.0
    assert "--mode" in completions(loaded, "%%grad --mo")
    assert "--range" in completions(loaded, "%%adjoint x=2 --ra")
    assert "alpha_value" in completions(loaded, "%%grad alp")
    assert {"both", "forward", "reverse"} <= set(completions(loaded, "%%grad --mode "))
    assert "alpha_value" in completions(loaded, "%%grad x=2\nz = alp")  # in the body, as in any cell


def test_settings_are_documented_traits(loaded, capsys):
    text = say(loaded, "%config ADMagic", capsys)
    for name in ("digits", "max_rows", "view", "continuous_update"):
        assert f"ADMagic.{name}" in text
    say(loaded, "%config ADMagic.digits = 3", capsys)
    text = say(loaded, "%%grad x=2.0\nz = x / 3", capsys)
    assert "0.333 " in text or "0.333\n" in text


def test_unloading_takes_back_all_that_loading_added(shell, capsys):
    def state():
        return (
            {kind: dict(functions) for kind, functions in shell.magics_manager.magics.items()},
            dict(shell.magics_manager.registry),
            list(shell.configurables),
            list(shell.input_transformers_cleanup),
            {k: list(v) for k, v in shell.strdispatchers.get("complete_command").strs.items()},
            {name: list(callbacks) for name, callbacks in shell.events.callbacks.items()},
            set(shell.user_ns),
        )

    shell.run_line_magic("load_ext", "ad_magic")
    shell.run_line_magic("unload_ext", "ad_magic")
    before = state()
    for _ in range(3):
        shell.run_line_magic("load_ext", "ad_magic")
        assert "grad" in shell.magics_manager.magics["cell"]
        shell.run_line_magic("unload_ext", "ad_magic")
        assert state() == before
    assert "grad" not in shell.magics_manager.magics["cell"]


def test_importing_the_package_is_light():
    import subprocess
    import sys

    heavy = ("numpy", "IPython", "ipywidgets", "pandas", "anywidget")
    code = f"import sys, ad_magic; from ad_magic import Dual, eps; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_chained_errors_show_as_in_a_plain_cell(loaded, capsys):
    cell = "try:\n    1 / (x - x)\nexcept ZeroDivisionError:\n    raise ValueError('no')"
    text = say(loaded, f"%%grad x=2.0\n{cell}", capsys)
    assert "During handling of the above exception" in text and "ZeroDivisionError" in text
    assert "ad_magic" not in text


def test_round_refuses_what_float_refuses(loaded, capsys):
    assert "TypeError" in say(loaded, "%%grad x=2.0\nz = round(x, 'a')", capsys)


def test_the_check_beside_the_tables(loaded, capsys):
    text = say(loaded, "%%grad x=2.0 --show check\nz = x", capsys)
    assert text.index("✓ z at x = 2: all 3 comparisons agree") < text.index("variable")


def test_a_loss_inside_a_library_names_the_line_of_the_cell(loaded, capsys):
    text = say(
        loaded,
        "%%grad x=2.0\nimport textwrap\nfrom decimal import Context\ny = Context().create_decimal_from_float(x)",
        capsys,
    )
    text += say(loaded, "%%grad x=2.0\nfrom statistics import NormalDist\ny = NormalDist(x, 1.0).cdf(0.5)", capsys)
    assert "LostDerivative: line 3: " in text


def test_a_result_does_not_keep_the_one_before(loaded):
    """A cell that is run again and again with -o r: what it can be run again with holds no earlier result."""
    loaded.run_cell("%%grad x=2 -q -o r\ny = x**3", silent=True)
    first = weakref.ref(loaded.user_ns["r"])
    loaded.run_cell("%%grad x=2 -q -o r\ny = x**3", silent=True)
    gc.collect()
    assert first() is None
    loaded.run_cell("%%grad x=2 -q -o s\ny = x if x < 3 else r.value * x", silent=True)
    assert loaded.user_ns["s"].at({"x": 4.0}).value == 32.0  # the cell reads r: it is there
