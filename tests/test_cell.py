"""Running a cell: what it may contain, and how it leaves the namespace."""

from __future__ import annotations

import functools
import gc
import math
import signal
import sys
import threading
import types

import numpy as np
import pytest

MODES = ["forward", "reverse", "both"]


def grad(shell, cell, *, mode="both", setup="", line="", **inputs):
    """Run `setup` in an earlier cell, assign the inputs, run the cell under %%grad; its Result."""
    if setup:
        done = shell.run_cell(setup, silent=True)
        assert done.success, done.error_in_exec
    shell.user_ns.update(inputs)
    done = shell.run_cell(f"%%grad {' '.join(inputs)} {line} --mode {mode} -o result_ -q\n{cell}", silent=True)
    error = done.error_in_exec or done.error_before_exec
    if error is not None:
        raise error
    return shell.user_ns.pop("result_")


def ours(value):
    return type(value).__module__.startswith("ad_magic")


# ---- what a cell may contain -------------------------------------------------------------------------

CELLS = {
    "functions bound early, in containers": (
        "import math\nops = {'s': math.sin, 'f': [math.exp, (math.tanh,)]}",
        "y = ops['s'](x) + ops['f'][0](x) * ops['f'][1][0](x)",
        lambda x: math.cos(x) + math.exp(x) * math.tanh(x) + math.exp(x) / math.cosh(x) ** 2,
    ),
    "default arguments and keyword defaults": (
        "import math\ndef act(t, f=math.tanh, *, g=math.exp): return f(t) + g(t)",
        "y = act(x)",
        lambda x: 1 / math.cosh(x) ** 2 + math.exp(x),
    ),
    "a function in a closure": (
        "import math\ndef make(f):\n    return lambda t: f(t) * t\ng = make(math.sin)",
        "y = g(x)",
        lambda x: math.sin(x) + x * math.cos(x),
    ),
    "a static method that is a function of math": (
        "import math\nclass Net:\n    act = staticmethod(math.tanh)\n    def __call__(self, t): return self.act(t)**2",
        "y = Net()(x)",
        lambda x: 2 * math.tanh(x) / math.cosh(x) ** 2,
    ),
    "functools.partial of a function of math": (
        "import math, functools\np = functools.partial(math.pow, 2)",
        "y = p(x)",
        lambda x: math.log(2) * 2**x,
    ),
    "map over a function of math": (
        "import math",
        "y = sum(map(math.sqrt, [x, x]))",
        lambda x: 1 / math.sqrt(x),
    ),
    "from math import * in the cell": ("", "from math import *\ny = sin(x) * pi", lambda x: math.pi * math.cos(x)),
    "an import inside a function": (
        "",
        "def f(t):\n    from math import cosh as c\n    return c(t)\ny = f(x)",
        lambda x: math.sinh(x),
    ),
    "float() in an earlier function": ("def f(t): return float(t) ** 2", "y = f(x)", lambda x: 2 * x),
    "type(x) is float": ("", "y = x * x if type(x) is float else -x", lambda x: 2 * x),
    "isinstance and numbers": (
        "import numbers",
        "y = x * x if isinstance(x, (float, str)) and isinstance(x, numbers.Real) else 0.0",
        lambda x: 2 * x,
    ),
    "a memo of an earlier plain call": (
        "from functools import lru_cache\n@lru_cache\ndef f(t): return t * t\nf(0.7)",
        "y = f(x) * x",
        lambda x: 3 * x**2,
    ),
    "match with class patterns": (
        "",
        "match (x, 2.0):\n    case (float(p), float(q)):\n        y = p ** 2 * q\n    case _:\n        y = -1.0",
        lambda x: 4 * x,
    ),
    "a generator that is sent values": (
        "",
        "def g(t=0.0):\n    while True:\n        t += yield t\nit = g(); next(it); it.send(x); y = it.send(x * x)",
        lambda x: 1 + 2 * x,
    ),
    "eval and exec": ("", "y = eval('x * x')\nexec('y = y + 3 * x')", lambda x: 2 * x + 3),
    "complex numbers on the way": (
        "import cmath",
        "y = abs(cmath.exp(1j * x) + x) ** 2",
        lambda x: 2 * (math.cos(x) - x * math.sin(x) + x),
    ),
    "random numbers": ("import random", "random.seed(1)\ny = random.gauss(x, 1.0) * 2", lambda x: 2.0),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CELLS)
def test_ordinary_code(loaded, name, mode):
    setup, cell, derivative = CELLS[name]
    result = grad(loaded, cell, mode=mode, setup=setup, x=0.7)
    assert result.grad["x"] == pytest.approx(derivative(0.7), rel=1e-12)
    left = {k for k, v in loaded.user_ns.items() if ours(v) and not k.startswith("_")}
    assert not left


@pytest.mark.parametrize("mode", MODES)
def test_functions_of_the_users_own_module(loaded, mode, tmp_path, monkeypatch):
    (tmp_path / "users_module.py").write_text(
        "from math import exp, sqrt\nimport math as m\nTABLE = {'tanh': m.tanh}\n"
        "def f(t, g=m.sin):\n    return g(t) * sqrt(t) + TABLE['tanh'](t) + max(exp(t), 0.0)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    setup = "import users_module\nfrom users_module import f"
    try:
        result = grad(loaded, "y = f(x)", mode=mode, setup=setup, x=0.7)
        module = sys.modules["users_module"]
        s = math.sqrt(0.7)
        want = math.cos(0.7) * s + math.sin(0.7) / (2 * s) + 1 / math.cosh(0.7) ** 2 + math.exp(0.7)
        assert result.grad["x"] == pytest.approx(want, rel=1e-13)
        assert (module.exp, module.TABLE["tanh"]) == (math.exp, math.tanh)
        assert not hasattr(module, "max")
        assert module.f.__defaults__ == (math.sin,)
    finally:
        sys.modules.pop("users_module", None)


# ---- the namespace afterwards -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_everything_the_cell_built_is_plain_afterwards(loaded, mode):
    cell = """
from collections import ChainMap, UserDict, UserList, namedtuple, deque, defaultdict
from dataclasses import dataclass
from queue import Queue
@dataclass
class Point:
    a: float
    b: list
class Slotted:
    __slots__ = ("v",)
Pair = namedtuple("Pair", "u v")
lst = [x, [x * x], (x, {"k": x})]
dct = {"a": x, x: 1, "deep": {"b": [x]}}
st = {x, 2 * x}
fz = frozenset([x])
pt = Point(x, [x]); pt.extra = {"e": x}
sl = Slotted(); sl.v = x * 3
pr = Pair(x, [x])
dq = deque([x])
dd = defaultdict(float); dd["z"] += x
cm = ChainMap({"a": x}, {"b": x * x})
ud = UserDict(a=x); ud["b"] = [x]
ul = UserList([x]); ul.append(x * x)
qu = Queue(); qu.put(x)
def closure():
    inner = x * 5
    return lambda: inner
fn = closure()
def default(t=x): return t
f = float
y = x * x + sl.v
"""
    grad(loaded, cell, mode=mode, x=1.5)
    ns = loaded.user_ns
    assert ns["lst"] == [1.5, [2.25], (1.5, {"k": 1.5})]
    assert ns["dct"] == {"a": 1.5, 1.5: 1, "deep": {"b": [1.5]}}
    assert type(ns["fn"]()) is float and ns["fn"]() == 7.5
    assert type(ns["default"]()) is float
    assert ns["f"] is float and ns["Point"].__annotations__["a"] is float

    def plain(value, seen=()):
        if isinstance(value, (list, tuple, set, frozenset)) or type(value).__name__ == "deque":
            return all(map(plain, value))
        if isinstance(value, dict):
            return all(plain(k) and plain(v) for k, v in value.items())
        if hasattr(value, "__dict__") and not isinstance(value, (type, types.ModuleType)):
            return plain(vars(value))
        return not ours(value)

    for name in ("lst", "dct", "st", "fz", "pt", "pr", "dq", "dd", "cm", "ud", "ul", "y"):
        assert plain(ns[name]), name
    assert type(ns["qu"].get_nowait()) is float
    assert type(ns["sl"].v) is float


def test_an_object_of_an_earlier_cell_is_plain_too(loaded):
    grad(loaded, "history.append(x); state['last'] = [x]; y = x * 2", setup="history = []; state = {}", x=1.5)
    assert [type(v) for v in loaded.user_ns["history"]] == [float]
    assert type(loaded.user_ns["state"]["last"][0]) is float


def test_inputs_keep_what_a_plain_run_would_leave(loaded):
    grad(loaded, "z = x * y; y = y + 1", x=3, y=2.0)
    assert loaded.user_ns["x"] == 3 and type(loaded.user_ns["x"]) is int  # not assigned by the cell
    assert loaded.user_ns["y"] == 3.0 and type(loaded.user_ns["y"]) is float
    loaded.run_cell("%%grad x=1.25 --mode reverse -q\nz = x", silent=True)
    assert loaded.user_ns["x"] == 1.25


def before_and_after():
    names = vars(math), vars(functools), __import__("builtins").__dict__, vars(__import__("statistics"))
    return [dict(n) for n in names]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("error", ["1 / 0", "undefined_name", "math.sqrt(-x)", "raise KeyError('k')", "[x][3]"])
def test_after_an_exception_all_is_as_before(loaded, mode, error):
    modules = before_and_after()
    setup = "import math\nfrom math import sin\nfs = [math.cos]\ndef g(t, f=math.exp): return f(t)"
    loaded.run_cell(setup, silent=True)
    names = set(loaded.user_ns)
    with pytest.raises(Exception) as caught:
        grad(loaded, f"a = sin(x)\nb = [a]\n{error}\nc = 2", mode=mode, x=1.5)
    assert before_and_after() == modules
    ns = loaded.user_ns
    assert ns["sin"] is math.sin and ns["fs"] == [math.cos] and ns["g"].__defaults__ == (math.exp,)
    assert set(ns) - names == {"a", "b", "x"}
    assert type(ns["a"]) is type(ns["b"][0]) is type(ns["x"]) is float
    assert not ours(caught.value)


def test_after_ctrl_c_all_is_as_before(loaded):
    modules = before_and_after()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
    timer = threading.Timer(0.4, lambda: signal.raise_signal(signal.SIGINT))
    loaded.user_ns |= {"x": 1.5, "start": timer.start}  # by the cell: on a busy machine it may begin late
    text = "%%grad x --mode reverse -q\nlist_ = [x]\nstart()\nfor _ in range(10**7):\n    x = x * 1.0000001"
    done = loaded.run_cell(text, silent=True)
    timer.join()
    assert isinstance(done.error_in_exec, KeyboardInterrupt)
    assert before_and_after() == modules
    assert type(loaded.user_ns["x"]) is float and type(loaded.user_ns["list_"][0]) is float
    assert "max" not in loaded.user_ns


def test_a_library_imported_by_the_cell_keeps_no_stand_in(loaded, tmp_path, monkeypatch):
    site = tmp_path / "fresh_library.py"
    site.write_text("from math import sin\nfrom functools import lru_cache\n@lru_cache\ndef f(t): return t * t\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        result = grad(loaded, "import fresh_library\ny = fresh_library.sin(x) + fresh_library.f(x)", x=0.5)
        assert result.grad["x"] == pytest.approx(math.cos(0.5) + 1.0)
        assert sys.modules["fresh_library"].sin is math.sin
        assert type(sys.modules["fresh_library"].f) is type(functools.lru_cache(len))
    finally:
        sys.modules.pop("fresh_library", None)


def test_a_number_that_outlives_its_run_is_a_plain_value(loaded):
    setup = "def gen(t):\n    while True:\n        yield t\n"
    grad(loaded, "g = gen(x); next(g); y = x * x", setup=setup, x=3.0)  # a generator's locals cannot be reached
    result = grad(loaded, "y = next(g) * x", x=5.0)
    assert result.value == 15.0
    assert result.grad["x"] == 3.0  # not 8: the 3.0 of the earlier run is no variable of this one


def test_the_cell_runs_once(loaded):
    grad(loaded, "calls.append(1); y = x * x", setup="calls = []", x=3.0)
    assert loaded.user_ns["calls"] == [1]


# ---- inputs and outputs --------------------------------------------------------------------------------


def test_inputs_are_the_floats_that_the_cell_reads(loaded):
    setup = "from math import pi\nx = 2.0; y = 3.0; k = 4; name = 's'\ndef f(t): return t * y"
    loaded.run_cell(setup, silent=True)
    loaded.run_cell("%%grad -q -o r\nw = x * k\nu = w * pi\ndef g(): return y\nz = u + g()", silent=True)
    assert list(loaded.user_ns["r"].inputs) == ["x", "y"]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("a = x\nb = a * 2\na * 3", "out"),
        ("a = x\nb = a * 2\nb", "b"),
        ("a = x\nb = a * 2", "b"),
        ("total = 0.0\nfor k in range(3):\n    total += x * k\nprint(total)", "total"),
        ("if x > 0:\n    u = x\nelse:\n    u = -x", "u"),
        ("p, q = x, x * 2", "q"),
        ("s = x * 2\ndef f(): pass", "s"),
    ],
)
def test_the_output(loaded, cell, name):
    assert grad(loaded, cell, x=1.5).outputs == (name,)


def test_several_outputs_are_keyed_by_name(loaded):
    result = grad(loaded, "a = x * y\nb = x + y", line="--of a,b", x=2.0, y=3.0)
    assert result.value == {"a": 6.0, "b": 5.0}
    assert result.grad == {"a": {"x": 3.0, "y": 2.0}, "b": {"x": 1.0, "y": 1.0}}


@pytest.mark.parametrize("mode", MODES)
def test_a_list_is_a_vector_output(loaded, mode):
    result = grad(loaded, "v = [[x * y, x], [y, 2.0]]", mode=mode, x=2.0, y=3.0)
    assert result.value.tolist() == [[6.0, 2.0], [3.0, 2.0]]
    assert result.jacobian["x"].tolist() == [[3.0, 1.0], [0.0, 0.0]]
    with pytest.raises(TypeError, match="jacobian"):
        _ = result.grad


# ---- rows -----------------------------------------------------------------------------------------------


def test_rows_know_line_and_span(loaded):
    result = grad(loaded, "def f(t):\n    return t * t\né = f(x)\nz = (é +\n     x)", x=3.0)
    lines = ["%%grad x", "def f(t):", "    return t * t", "é = f(x)", "z = (é +", "     x)"]
    mul, add = result.rows[1], result.rows[2]
    assert (mul.line, mul.span) == (3, (3, 11, 3, 16))
    assert lines[2][11:16] == "t * t"
    assert (add.line, add.span) == (5, (5, 5, 6, 6))
    assert add.label == "z"


@pytest.mark.parametrize("mode", MODES)
def test_the_three_modes_agree_row_by_row(loaded, mode):
    cell = "v = x + 2*y\nw = x*y\nz = v**2 * math.sin(w)"
    result = grad(loaded, cell, mode=mode, setup="import math", x=2.0, y=3.0)
    v, w = 8.0, 6.0
    assert [row.value for row in result.rows] == pytest.approx([2, 3, 6, v, w, v**2, math.sin(w), v**2 * math.sin(w)])
    if mode != "reverse":
        assert result.rows[6].tangents == pytest.approx({"x": 3 * math.cos(w), "y": 2 * math.cos(w)})
    if mode != "forward":
        adjoint = {row.name: row.adjoint for row in result.rows}
        assert adjoint["v8"] == 1.0 and adjoint["v7"] == v**2 and adjoint["v6"] == pytest.approx(math.sin(w))


def test_a_million_operations(loaded):
    result = grad(loaded, "y = x\nfor k in range(1_000_000):\n    y = y * 0.999999 + 1e-7", mode="reverse", x=1.0)
    assert result.grad["x"] == pytest.approx(0.999999**1_000_000, rel=1e-9)
    assert len(result.rows) + result.omitted == 2_000_001
    result = grad(loaded, "y = x\nfor k in range(1_000_000):\n    y = y * 0.999999 + 1e-7", mode="forward", x=1.0)
    assert result.grad["x"] == pytest.approx(0.999999**1_000_000, rel=1e-9)


# ---- flags ------------------------------------------------------------------------------------------------

FLAGS = {
    "abs at 0": ("y = abs(x) + x", 0.0, "kink", 2),
    "a comparison at equality": ("y = x if x > 0 else 0.1 * x", 0.0, "kink", 2),
    "an equality": ("y = 1.0 if x == 1 else x ** 2", 1.0, "equality-branch", 2),
    "int() that goes on": ("n = int(x * 10)\ny = n + x", 1.23, "derivative-stops", 2),
    "floor division": ("y = x // 1 + x", 1.5, "derivative-stops", 2),
    "a text round trip": ("s = str(x)\ny = float(s) + x", 1.5, "derivative-stops", 3),
    "an infinite slope": ("y = x ** 0.5", 0.0, "nan", None),
    "an input that is not used": ("y = 3.0 if x is None else 2.0", 1.0, "independent", None),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FLAGS)
def test_flags(loaded, name, mode):
    cell, x, kind, line = FLAGS[name]
    flags = grad(loaded, cell, mode=mode, x=x).flags
    found = [flag for flag in flags if flag.kind == kind]
    assert found, flags
    assert line is None or found[0].line == line


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "cell",
    [
        "y = 0.0\nfor _ in range(int(x)):\n    y = y + x",
        "y = x * x\nprint(int(y), round(y))",
        "y = x if x > 0 else -x",
        "y = abs(x)",
    ],
)
def test_no_flag_without_a_reason(loaded, cell, mode, capsys):
    assert grad(loaded, cell, mode=mode, x=2.5).flags == []


def test_deeply_nested_tuples_do_no_harm(loaded):
    assert grad(loaded, "y = x * x", setup="t = ()\nfor k in range(5000):\n    t = (k, t)", x=3.0).grad["x"] == 6.0


def test_objects_that_refer_to_themselves_do_no_harm(loaded):
    setup = "a = []; a.append(a); d = {}; d['d'] = d\nclass N: pass\nn = N(); n.me = n; f = lambda: f"
    assert grad(loaded, "n.v = x; a.append(x); d['x'] = (x, a, d)\ny = n.me.v * x", setup=setup, x=3.0).grad["x"] == 6.0
    assert type(loaded.user_ns["a"][1]) is type(loaded.user_ns["d"]["x"][0]) is float


def test_a_dual_number_of_the_user_stays_what_it_is(loaded):
    grad(loaded, "y = x * x", setup="from ad_magic import Dual\nd = Dual(2.0, 1.0)\nkept = [d]", x=3.0)
    assert repr(loaded.user_ns["d"]) == "2 + 1ε"
    assert loaded.user_ns["kept"][0] is loaded.user_ns["d"]


@pytest.mark.parametrize("mode", MODES)
def test_library_functions_that_compute_with_math(loaded, mode):
    """random and statistics have bound functions of math under names of their own."""
    cell = "random.seed(3)\ny = random.lognormvariate(x, 0.1) + statistics.covariance([x, 1.0, 2.0], [1.0, 3.0, x])"
    result = grad(loaded, cell, mode=mode, setup="import random, statistics", x=0.7)
    import random
    import statistics

    random.seed(3)
    # exp(x + 0.1 g) and, with the means taken out, Σ (a - ā)(b - b̄) / 2
    slope = random.lognormvariate(0.7, 0.1) + (1.0 + 2.0 - (1.0 + 3.0 + 0.7) / 3 - (0.7 + 1.0 + 2.0) / 3) / 2
    assert result.grad["x"] == pytest.approx(slope, rel=1e-12)
    assert statistics.fsum is math.fsum and random._exp is math.exp


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("product", ["a * x", "x * a", "x + a - 1", "a / x", "x ** a", "np.linspace(0, x, 4)"])
def test_an_array_and_an_active_number(loaded, mode, product):
    """Entry by entry: an array of active numbers."""
    result = grad(
        loaded, f"y = ({product}).sum()", mode=mode, setup="import numpy as np\na = np.array([1.0, 2.0, 3.0])", x=2.0
    )
    want = {"a * x": 6, "x * a": 6, "x + a - 1": 3, "a / x": -6 / 4, "x ** a": 1 + 4 + 12, "np.linspace(0, x, 4)": 2}
    assert result.grad["x"] == pytest.approx(want[product])
    assert type(loaded.user_ns["y"]) is np.float64  # as NumPy's sum


def test_an_error_of_a_library_about_an_active_array_is_a_sentence(loaded):
    """SciPy's transforms have no rules: its own error is about types that are ours."""
    loaded.run_cell("import numpy as np\nimport scipy.fft", silent=True)
    done = loaded.run_cell("%%grad x=2 --quiet\ny = np.abs(scipy.fft.dct(np.arange(3.0) * x)).sum()", silent=True)
    error = done.error_in_exec
    assert type(error).__name__ == "LostDerivative"
    assert str(error).startswith("line 2: ") and "has no derivative rule" in str(error)


SENTENCES = {
    "y = np.ma.masked_where(x < 0, x).sum()": "np.ma.masked_where has no derivative rule",
    "y = np.ma.array(x).sum()": "np.ma.array has no derivative rule",
    "b = np.zeros(2, dtype=[('a', float)])\nb['a'][0] = x[0]\ny = b['a'].sum()": "line 3: the array that is written to",
    "y = np.array([(x[0], 1)], dtype=[('a', float), ('b', int)])['a'][0]": "one array for each field",
    "y = x.byteswap()": ".byteswap gives the plain memory of an array",
    "y = x.nothing": "'numpy.ndarray' object has no attribute 'nothing'",
    "y = np.fft.fft(x)": "an array of complex numbers; differentiate its parts",
    "y = x > 0": "an array of truth values, not a number",
    "y = np.array([x[0]], dtype=object).astype(float)": "makes an array of numbers",
}


@pytest.mark.parametrize("cell", SENTENCES)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_what_is_said_of_arrays(loaded, cell, mode):
    loaded.run_cell("import numpy as np\nx = np.array([0.5, -1.0])", silent=True)
    done = loaded.run_cell(f"%%grad x --of y --mode {mode} -q\n{cell}", silent=True)
    error = done.error_in_exec
    assert SENTENCES[cell] in str(error)


def test_a_view_that_is_left_holds_no_run(loaded):
    """Nothing of a run waits for the collector, also where the cell leaves views of what it wrote."""
    loaded.run_cell("import numpy as np\nx = np.array([0.5, -1.0, 2.0])\nb = np.zeros(4)", silent=True)
    cell = "%%grad x --of y -q -o r\nb[1:] = x\nv = b.reshape(2, 2)\nw = [v.T, v[0]]\ny = v.sum()"

    def runs():
        return sum(type(x).__name__ == "Tape" for x in gc.get_objects())

    loaded.run_cell(cell, silent=True)
    gc.collect()
    gc.disable()
    try:
        before = runs()
        for _ in range(3):
            loaded.run_cell(cell, silent=True)
        assert runs() == before
    finally:
        gc.enable()
    assert loaded.user_ns["w"][1].base is not None and loaded.user_ns["v"].tolist() == [[0.0, 0.5], [-1.0, 2.0]]
