"""What the stand-ins reach: all that a function may call or read, and nothing else that it need not."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
import types

import pytest

from ad_magic.engine.operation import value_of
from ad_magic.engine.users import is_users_code
from ad_magic.rules import RULES
from ad_magic.rules.rule import compile_expression, define
from ad_magic.transforms import grad, value_and_grad


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes a module of the user's from its text."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(text, name="users_own"):
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        made.append(name)
        return __import__(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


SINE = "from math import sin\nimport functools\nimport numpy as np\ndef s(x): return sin(x)\n"
A = "class A:\n"
USE = "def f(x):\n    a = A()\n    a.x = x\n    return a.go"


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return s(x)",
        "def f(x): return [s][0](x)",
        "table = {'s': s}\ndef f(x): return table['s'](x)",
        "def f(x, by=s): return by(x)",
        "def f(x, by=(sin,)): return by[0](x)",
        "def f(x, *, by=sin): return by(x)",
        "def make(g):\n    def f(x): return g(x)\n    return f\nf = make(s)",
        "def deep(x):\n    def inner(): return s(x)\n    return inner()\ndef f(x): return deep(x)",
        "class A:\n    def go(self, x): return sin(x)\nclass B(A): pass\ndef f(x): return B().go(x)",
        "class A:\n    go = staticmethod(sin)\na = A()\ndef f(x): return a.go(x)",
        (
            "class A:\n    @functools.cached_property\n    def go(self): return sin(self.x)\n"
            "def f(x):\n    a = A()\n    a.x = x\n    return a.go"
        ),
        (
            "class A:\n    def by(self, g, x): return g(x)\n    go = functools.partialmethod(by, s)\n"
            "def f(x): return A().go(x)"
        ),
        (
            "class A:\n    @property\n    def go(self): return sin(self.x)\n"
            "def f(x):\n    a = A()\n    a.x = x\n    return a.go"
        ),
        "p = functools.partial(s)\ndef f(x): return p(x)",
        "@functools.lru_cache\ndef kept(x): return sin(x)\ndef f(x): return kept(x)",
        "@functools.wraps(math_sin)\ndef other(x): return sin(x)\ndef f(x): return other(x)",
        "@functools.singledispatch\ndef one(x): return sin(x)\ndef f(x): return one(x)",
        "lot = map(s, iter([]))\nv = np.vectorize(s)\ndef f(x): return v(x)",
        "def f(x): return globals()['s'](x)",
        "def f(x): return eval('s')(x)",
        "import sys\ndef f(x): return sys.modules[__name__].s(x)",
        "import sys\nme = sys.modules[__name__]\ndef f(x): return getattr(me, 's')(x)",
        "def f(x):\n    import users_own\n    return users_own.s(x)",
        "def f(x):\n    from users_own import s as t\n    return t(x)",
        (
            "def several(x):\n    while True: x = yield sin(x)\n"
            "going = several(0.0)\nnext(going)\ndef f(x): return going.send(x)"
        ),
        "def f(x): return (lambda: [sin(y) for y in [x]])()[0]",
    ],
)
def test_a_name_bound_early(module, text):
    users = module(SINE + "math_sin = functools.partial(sin)\n" + text)
    kept = dict(vars(users))
    assert value_and_grad(users.f)(0.5) == (math.sin(0.5), pytest.approx(math.cos(0.5)))
    assert users.sin is math.sin
    assert dict(vars(users)) == kept


def test_a_wrapper_that_looks_like_a_function_of_a_library(module):
    """functools.wraps copies __module__: what counts is where the function itself looks up its names."""
    users = module(
        "import functools\nfrom math import sin\n@functools.wraps(functools.reduce)\ndef f(x): return sin(x)"
    )
    assert users.f.__module__ in ("_functools", "functools")
    assert grad(users.f)(0.5) == pytest.approx(math.cos(0.5))


def test_builtins_that_a_function_calls(module):
    users = module(
        "def g(x): return max(x, 0.0) + sum([x, x]) + float(x)\n"
        "def k(x): return [type(x) is float, isinstance(x, float)]\n"
        "def f(x): return g(x) if all(k(x)) else 0.0 * x\n"
    )
    assert value_and_grad(users.f)(2.0) == (8.0, 4.0)
    assert not {"max", "sum", "float", "type"} & set(vars(users))


def test_what_is_not_named_is_left_alone(module):
    users = module("from math import sin\nclass Strict(dict):\n    def __getitem__(self, key): raise ValueError(key)\n"
                   "rest = Strict(a=[sin])\ndef f(x): return x * x\n")  # fmt: skip
    assert grad(users.f)(3.0) == 6.0


@pytest.mark.parametrize("again", [1, 2, 3])
def test_globals_that_change_between_calls(module, again):
    users = module("import math\ng = math.sin\ndef f(x): return g(x)\n")
    for k in range(again):
        users.g = [math.sin, math.cos, lambda x: users.h(x)][k]
        users.h = math.exp
        expected = [math.cos(0.5), -math.sin(0.5), math.exp(0.5)][k]
        assert grad(users.f)(0.5) == pytest.approx(expected)
        assert users.h is math.exp


def test_plain_numbers_are_left(module):
    users = module(
        "kept = None\nlist_of = []\nclass A: pass\na = A()\n"
        "def f(x):\n    global kept, new\n    kept = new = x * x\n    list_of.append(kept)\n    a.b = kept\n"
        "    f.last = kept\n    return kept\n"
    )
    assert value_and_grad(users.f)(3.0) == (9.0, 6.0)
    for value in (users.kept, users.new, users.list_of[0], users.a.b, users.f.last):
        assert type(value) is float
        assert value == 9.0


def test_plain_numbers_are_left_in_closures():
    kept = 0.0
    other = [0.0]

    def f(x):
        nonlocal kept
        kept = 2 * x
        other[0] = kept
        return kept * x

    for _ in range(3):
        assert grad(f)(3.0) == 12.0
        assert type(kept) is float
        assert type(other[0]) is float


def test_a_module_that_is_first_imported_in_a_run(module, tmp_path):
    (tmp_path / "late.py").write_text("from math import sin\ndef s(x): return sin(x)\n")
    users = module("def f(x):\n    from late import s\n    return s(x)\n")
    try:
        assert grad(users.f)(0.5) == pytest.approx(math.cos(0.5))
        assert sys.modules["late"].sin is math.sin
        assert grad(users.f)(0.5) == pytest.approx(math.cos(0.5))
    finally:
        sys.modules.pop("late", None)


def test_arguments_that_are_not_differentiated():
    from math import sin

    class Model:
        def __init__(self):
            self.by = sin

        def go(self, x):
            return self.by(x)

    model = Model()
    f = lambda x, g, m, *, by=None: g[0](x) + m.go(x) + by(x)
    functions = [sin]
    assert grad(f)(0.5, functions, model, by=sin) == pytest.approx(3 * math.cos(0.5))
    assert functions[0] is sin
    assert model.by is sin


def test_nothing_is_left_in_the_modules():
    import numpy as np

    before = [dict(vars(m)) for m in (math, np, np.linalg, functools)]
    grad(lambda x: math.sin(x) * np.sin(x))(1.0)
    grad(lambda x: grad(lambda y: np.sum(np.array([x * y, y])))(x))(1.0)
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: grad(lambda y: 1 / 0)(x))(1.0)
    assert all(dict(vars(m)) == kept for m, kept in zip((math, np, np.linalg, functools), before, strict=True))


def test_a_method_and_an_object_that_is_called():
    class Line:
        def __init__(self, a):
            self.a = a

        def __call__(self, x):
            return self.a * x

        def loss(self, x):
            return math.exp(self(x))

    line = Line(2.0)
    assert grad(line)(3.0) == 2.0
    assert grad(functools.lru_cache(line))(3.0) == 2.0
    assert grad(line.loss)(0.0) == 2.0
    assert isinstance(line.a, float)
    assert isinstance(Line.loss, types.FunctionType)


@pytest.mark.parametrize("names", [{}, {"__name__": "nowhere"}, {"__name__": None}], ids=["none", "nowhere", "None"])
def test_functions_of_a_namespace_that_is_no_module(names):
    """They are the user's own: what they make may be written to, what they have bound early is replaced."""
    exec(
        "import numpy as np\nfrom math import sin\ndef g(b, x):\n    b[1] = sin(x)\n    return b\n"
        "def f(x):\n    b = np.zeros(2)\n    b[0] = x\n    return g(b, x).sum() * 2\n",
        names,
    )
    assert grad(names["f"])(1.0) == pytest.approx(2 + 2 * math.cos(1.0))


@pytest.mark.parametrize(
    "source",
    [
        "def f(k):\n    from scipy.integrate import quad\n    return quad(lambda t: k*t*t, 0, 3)[0]",
        "import scipy\ndef f(k):\n    return scipy.integrate.quad(lambda t: k*t*t, 0, 3)[0]",
        "def g(k):\n    import scipy.optimize as so\n    return so.brentq(lambda t: t/9 - k, 0, 99)\nf = g",
    ],
)
def test_a_function_that_is_the_first_to_import_a_solver(source):
    program = f"from ad_magic import grad\n{source}\nprint(round(grad(f)(2.0), 9))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("9.0\n", "")


@pytest.mark.parametrize("kind", ["plain", "active"])
def test_functions_made_of_the_table_are_ours(kind):
    """Else a run that reaches one would put the real `sin` into it when it takes its stand-ins back."""
    functions = [
        value_of(RULES["sin"], kind),
        compile_expression("cos(a)", ("a",), {}),
        define("def f(): ...", "f", {}, "f"),
    ]
    assert not any(is_users_code(one.__globals__) for one in functions)
