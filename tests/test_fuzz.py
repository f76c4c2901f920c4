"""Random cells at the magics: there is a result or one clear error, and afterwards all is as a plain run leaves it.

AD_MAGIC_FUZZ=7 draws other cells, AD_MAGIC_FUZZ=7:5000 so many of them in each part.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import math
import os
import random
import signal
import types
import warnings

import fuzz_cells
import pytest
from IPython.core.error import UsageError

PARTS = 8
_wish = os.environ.get("AD_MAGIC_FUZZ", "0").partition(":")
SEED, CELLS = int(_wish[0]), int(_wish[2] or 250)
SETUP = "import math, cmath, statistics\nimport numpy as np\nx = 1.25\nn = 3\nw = np.array([0.5, -1.0, 2.0])"


class TooLong(Exception):
    """A random cell that does not end."""


@pytest.fixture
def loaded(shell):
    import numpy as np

    shell.run_line_magic("load_ext", "ad_magic")
    kept = {name: dict(vars(module)) for name, module in {"math": math, "numpy": np, "builtins": builtins}.items()}
    kept["names"] = dict(shell.user_ns)
    before = shell.showtraceback, shell.automagic, signal.getsignal(signal.SIGALRM)
    shell.showtraceback, shell.automagic = (lambda *args, **options: None), False

    def too_long(*_):
        raise TooLong

    signal.signal(signal.SIGALRM, too_long)
    yield shell, kept
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before[2])
    shell.showtraceback, shell.automagic = before[:2]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a cell that does not end is stopped by a timer")
@pytest.mark.parametrize("part", range(PARTS))
def test_a_result_or_one_clear_error(loaded, part):
    shell, kept = loaded
    draw = random.Random(f"{SEED} {part}")
    counts = {"result": 0, "usage": 0, "error": 0}
    for _ in range(CELLS):
        magic, line, source = fuzz_cells.cell(draw)
        shown = f"%%{magic} {line}\n{source}"
        counts[one(shell, kept, magic, line, source, shown)] += 1
    assert all(counts.values()), counts


def one(shell, kept, magic, line, source, shown):
    """What became of a cell; everything is looked at."""
    names = shell.user_ns
    names.clear()
    names.update(kept["names"])
    exec(SETUP, names)
    error = run(shell, magic, line, source)
    as_before(kept, source, shown)
    only_plain(names, shown)
    if error is None:
        as_a_plain_run_leaves_it(shell, kept, line, source, shown)
        return "result"
    if type(error) is UsageError:
        assert str(error).strip() and "\n\n" not in str(error) and len(str(error)) < 2000, (shown, str(error))
        return "usage"
    own_frames_are_hidden(shell, error, shown)
    assert "Traced" not in str(error) and "Dual'" not in str(error), (shown, str(error))
    return "error"


def run(shell, magic, line, source):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signal.setitimer(signal.ITIMER_REAL, 5)
        try:
            shell.run_cell_magic(magic, line, source)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            return error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def as_before(kept, source, shown):
    import numpy as np

    for name, module in {"math": math, "numpy": np, "builtins": builtins}.items():
        now = vars(module)
        different = [k for k, v in kept[name].items() if k != "_" and now.get(k) is not v]
        if different == ["sin"] and "math.sin = None" in source:  # as a plain run leaves it
            math.sin = kept["math"]["sin"]
            different = []
        for k in different:
            now[k] = kept[name][k]
        assert not different, (shown, name, different)


def as_a_plain_run_leaves_it(shell, kept, line, source, shown):
    """The same names with the same values, where the line says plainly what x is."""
    import numpy as np

    words = line.split()
    if not line.startswith("x=") or words[0][2:] not in fuzz_cells.SENSIBLE or "math.sin = None" in source:
        return
    plain = dict(kept["names"])
    exec(SETUP, plain)
    value = eval(words[0][2:], plain)
    plain["x"] = value if isinstance(value, np.ndarray) else float(value)
    plain["n"] = float(plain["n"]) if "n" in words else plain["n"]
    before = dict(plain)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(shell.transform_cell(source), plain)
    given = {word.partition("=")[0] for word in words}
    for name in given & set(shell.user_ns):  # an input that the cell does not assign is the user's own object
        if plain.get(name) is before.get(name):
            plain[name] = shell.user_ns[name]
    ours = {k: v for k, v in shell.user_ns.items() if k not in ("r", "Out", "In") and not k.startswith("_")}
    theirs = {k: v for k, v in plain.items() if k not in ("r", "Out", "In") and not k.startswith("_")}
    assert set(ours) == set(theirs), (shown, set(ours) ^ set(theirs))
    for name, want in theirs.items():
        if isinstance(want, (float, int, str, np.ndarray, list, tuple, dict)):
            assert alike(ours[name], want), (shown, name, ours[name], want)


def alike(got, want):
    """Equal up to the rounding of another order, and of the same type."""
    import numpy as np

    if type(got) is not type(want):
        return False
    if isinstance(want, (list, tuple)):
        return len(got) == len(want) and all(map(alike, got, want))
    if isinstance(want, dict):
        return len(got) == len(want) and all(alike(a, b) for a, b in zip(got.values(), want.values(), strict=True))
    if isinstance(want, int):
        return got == want
    if isinstance(want, (float, np.ndarray)) and getattr(getattr(want, "dtype", None), "kind", "f") != "O":
        if isinstance(want, np.ndarray) and (want.dtype.kind not in "fciub" or got.dtype != want.dtype):
            return got.dtype == want.dtype
        return np.allclose(got, want, rtol=1e-9, atol=1e-300, equal_nan=True)
    return not isinstance(want, str) or got == want


def only_plain(names, shown):
    """No number of ours is left, nor a stand-in for a builtin, in whatever the cell has made."""
    found, seen = list(names.items()), set()
    for name, value in found:
        if id(value) in seen:
            continue
        seen.add(id(value))
        kind = type(value)
        homes = [kind.__module__]
        if isinstance(value, (types.FunctionType, type)):
            homes.append(str(value.__module__))
        assert not any(home.startswith("ad_magic.engine") for home in homes), (shown, name, value)
        if isinstance(value, dict) and len(seen) < 2000 and value is not names:
            found += [(f"{name}[…]", x) for x in value.values()]
        elif isinstance(value, (list, tuple, set)) and len(value) < 100:
            found += [(f"{name}[…]", x) for x in value]


def own_frames_are_hidden(shell, error, shown):
    """The user's own exception, with the line of his cell; every frame of ours on the way is marked as hidden."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    inside = [frame for frame in frames if "run_cell_magic" not in frame.f_code.co_name]
    ours = [frame for frame in inside if "/ad_magic/" in frame.f_code.co_filename.replace(os.sep, "/")]
    assert all(frame.f_locals.get("__tracebackhide__") for frame in ours), (shown, error, ours)
    assert any(frame.f_code.co_filename in shell.compile._filename_map for frame in inside), (shown, repr(error))
    last = frames[-1].f_code.co_filename.replace(os.sep, "/")
    assert "/ad_magic/" not in last, (shown, repr(error))
