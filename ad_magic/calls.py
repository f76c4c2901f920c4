"""ASKING: trace and explore. A function and its arguments in, a Result or a panel out."""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ad_magic.cell.call import Call, bound, is_input, run_call, text_of
from ad_magic.cell.errors import CellError
from ad_magic.engine.boundary import boundary
from ad_magic.engine.words import of_a_function
from ad_magic.report.grid import given
from ad_magic.report.options import ViewOptions
from ad_magic.report.result import Result

from .points import Again, Span, call_line

Spans = dict[str, Span]


@boundary
def trace(
    f: Callable[..., Any], /, *args: Any, mode: str | None = None, order: int | None = None, **options: Any
) -> Result:
    """Run a function once and return the Result: value, derivatives, and the table of its operations.

    Each real number or array among the arguments is an input under the name of its parameter, ints too; so is a float
    or an array that is a parameter's default. Anything else, and `fixed(2.0)`, is given to the function as it is. The
    rows stand at the lines of the function's source. What f returns is the output, named like the function; a dict or a
    tuple is several outputs, named by its keys, or as in `return a, b`.

    `mode` is "both", "forward" or "reverse"; with `order` 2 the faces of the Result show gradient and Hessian too. A
    keyword that f has a parameter for is f's. Raises what f raises, and ValueError where there is nothing to
    differentiate.

    >>> import math
    >>> def f(x, y):
    ...     return (x + 2 * y) ** 2 * math.sin(x * y)
    >>> r = trace(f, 2.0, 3.0)
    >>> round(r.value, 10), round(r.grad["x"], 10), round(r.grad["y"], 10)
    (-17.8825918847, 179.8820470657, 113.9605007489)
    >>> r.rows[-1].expression, r.at({"x": 0.0}).value
    ('v5 * v7', 0.0)
    """
    __tracebackhide__ = True
    of_a_function("trace", f)
    mine, options = _options(f, options, mode=mode, order=order)
    call, inputs, _ = _read(f, args, options, spans=False)
    return _traced(f, call, inputs, mine["mode"] or "both", mine["order"] or 1)


@boundary
def explore(
    f: Callable[..., Any],
    /,
    *args: Any,
    mode: str | None = None,
    view: str | None = None,
    show: str | None = None,
    order: int | None = None,
    ranges: Mapping[str, Sequence[float | None]] | None = None,
    **options: Any,
) -> None:
    """Show the panel for a function: what %%grad shows for a cell. In a script the report is printed.

    Arguments are as for `trace`. Those by name may be abbreviations, as for ipywidgets' interact: (lo, hi) and
    (lo, hi, step) are the range of a slider, that starts at the parameter's default or in the middle; an
    `ad_magic.slider` is shared with the other panels that it is given to; fixed(…) has no slider.

    `mode` is "both", "forward" or "reverse"; `view` "panel", "html", "static" or "text"; `show` what is open first:
    "tables", "graph", "curves" or "code"; `order` 2 adds gradient and Hessian; `ranges` has (lo, hi) or
    (lo, hi, step) by input or entry, {"w[0]": (0, 1)}. A keyword that f has a parameter for is f's. Raises
    as `trace` does.

    >>> explore(lambda x, y: x * y, x=1.5, y=(0, 10))
    f = 7.5   ∂f/∂x = 5   ∂f/∂y = 1.5
    <BLANKLINE>
    line  code    variable  expression  value │ ∂v/∂x  ∂v/∂y │ v̄ = ∂f/∂v
    ──────────────────────────────────────────┼──────────────┼──────────
          inputs  v1        x             1.5 │     1    0   │       5
                  v2        y             5   │     0    1   │       1.5
       1  explore(lambda x, y: x * y, x=1.5, y=(0, 10))
                  v3        v1 * v2       7.5 │     5    1.5 │       1
    """
    __tracebackhide__ = True
    of_a_function("explore", f)
    mine, options = _options(f, options, mode=mode, view=view, show=show, order=order, ranges=ranges)
    call, inputs, spans = _read(f, args, options, spans=True)
    spans |= _ranges(mine["ranges"] or {}, inputs)
    shared = {name: x for name, x in call.values.items() if is_slider(x)}
    call = replace(call, values={**call.values, **inputs})
    result = _traced(f, call, inputs, mine["mode"] or _settings().get("mode", "both"), mine["order"] or 1)
    asked = {name: mine[name] for name in ("mode", "view", "show", "order")}
    names = getattr(f, "__globals__", {})
    still = {name: x for name, x in call.values.items() if name not in inputs}

    def again(now: Mapping[str, Any], ranges: Mapping[str, Span]) -> str:
        return call_line(text_of(f), still, asked, now, ranges, names)

    display_result(result, _shell(), mine["view"] or "auto", mine["show"] or "tables", spans, shared, again)


def _options(f: Callable[..., Any], options: dict[str, Any], **mine: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our own options, and the arguments of f: a name that f has a parameter for is f's."""
    import inspect

    try:
        parameters = set(inspect.signature(f).parameters)
    except ValueError:
        parameters = set()
    for name in [name for name, value in mine.items() if name in parameters and value is not None]:
        options = {**options, name: mine[name]}
        mine[name] = None
    spoken = {name: value for name, value in mine.items() if value is not None}
    if spoken:
        from .arguments import MODES, SHOWS, VIEWS, unknown  # not before: it loads IPython

        known = {"mode": MODES, "view": VIEWS, "show": SHOWS}
        for name, value in spoken.items():
            if name in known and value not in known[name]:
                raise ValueError(unknown(str(value), list(known[name]), name))
    if mine.get("order") not in (None, 1, 2):
        raise ValueError(f"order={mine['order']!r}: there are 1, the derivatives, and 2, the Hessian too")
    return mine, options


def _read(
    f: Callable[..., Any], args: tuple[Any, ...], options: Mapping[str, Any], *, spans: bool
) -> tuple[Call, dict[str, Any], Spans]:
    """The call, its inputs by name, and, where abbreviations are allowed, the ranges that they give."""
    __tracebackhide__ = True
    try:
        call = bound(f, args, options)
    except TypeError as error:
        raise TypeError(f"{getattr(f, '__name__', 'f')}: {error}") from None
    inputs: dict[str, Any] = {}
    ranges: Spans = {}
    values: dict[str, Any] = {}
    for name, value in call.values.items():
        span = _span(name, value) if spans and name in options else None
        if type(value).__name__ == "fixed" and hasattr(value, "value"):  # that of ipywidgets
            values[name] = value.value
        elif is_slider(value):
            values[name], inputs[name] = value, value.value
            ranges[name] = value.span
        elif span is not None:
            ranges[name] = span
            values[name] = inputs[name] = _start(f, name, span)
        else:
            values[name] = value
            if is_input(value):
                inputs[name] = value
    return replace(call, values=values), inputs, ranges


def _span(name: str, value: Any) -> tuple[float, float, float | None] | None:
    """(lo, hi) or (lo, hi, step) as a range; None for what is no such tuple."""
    if type(value) is not tuple or not 2 <= len(value) <= 3:
        return None
    if not all(isinstance(x, numbers.Real) and not isinstance(x, bool) and math.isfinite(x) for x in value):
        return None
    lo, hi, step = (*map(float, value), None)[:3] if len(value) == 2 else tuple(map(float, value))
    assert lo is not None
    assert hi is not None
    if not lo < hi or (step is not None and step <= 0):
        raise ValueError(
            f"{name}={value}: a range is (lo, hi) or (lo, hi, step) with lo < hi; fixed({value}) is a tuple"
        )
    return lo, hi, step


def _start(f: Callable[..., Any], name: str, span: tuple[float, float, float | None]) -> float:
    """Where a slider begins: at the default of the parameter where that is in the range, else at the middle."""
    import inspect

    try:
        default = inspect.signature(f).parameters[name].default
    except (ValueError, KeyError):
        default = None
    if is_input(default) and not getattr(default, "shape", ()) and span[0] <= float(default) <= span[1]:
        return float(default)
    grid = given(span)
    return grid.value(grid.steps // 2)


def _ranges(ranges: Mapping[str, Sequence[float | None]], inputs: Mapping[str, Any]) -> Spans:
    """The ranges that a user has given by input or entry."""
    found: Spans = {}
    for target, span in ranges.items():
        if target.partition("[")[0] not in inputs:
            raise ValueError(f"ranges: there is no input {target!r}; there is {', '.join(inputs)}")
        one = _span(target, tuple(span))
        if one is None:
            raise ValueError(f"ranges: {target!r} has {span!r}; a range is (lo, hi) or (lo, hi, step)")
        found[target] = one
    return found


def _traced(f: Callable[..., Any], call: Call, inputs: dict[str, Any], mode: str, up_to: int) -> Result:
    __tracebackhide__ = True
    try:
        return Result(*run_call(f, call, inputs, mode=mode, cells=_cells()), up_to)
    except CellError as error:
        raise ValueError(str(error)) from None


def is_slider(value: Any) -> bool:
    """Whether a value is an `ad_magic.slider`. Without one nothing of the panel is loaded."""
    module = sys.modules.get("ad_magic.panel.slider")
    return module is not None and isinstance(value, module.Slider)


# ---- what there is of IPython ---------------------------------------------------------------------


def _shell() -> Any:
    """The IPython shell that runs; None in a script, which then does not load IPython."""
    module = sys.modules.get("IPython.core.getipython")
    return module.get_ipython() if module is not None else None


def _cells() -> dict[str, int]:
    """File name of a cell -> its number."""
    return dict(getattr(getattr(_shell(), "compile", None), "_filename_map", {}))


def _settings() -> dict[str, Any]:
    """`%config ADMagic`, where the extension is loaded."""
    magics: Any = getattr(getattr(_shell(), "magics_manager", None), "registry", {}).get("ADMagic")
    names = ("digits", "max_rows", "view", "mode", "continuous_update")
    return {name: getattr(magics, name) for name in names} if magics is not None else {}


def display_result(
    result: Result,
    shell: Any,
    view: str,
    show: str,
    spans: Spans,
    shared: Mapping[str, Any] | None = None,
    again: Again | None = None,
) -> None:
    """Show a result: as a panel in a notebook, else as text. `view` "auto" is that of `%config ADMagic`.

    `shared` are the sliders of several panels, by input; `again` writes the line of code that begins at a point.
    """
    __tracebackhide__ = True
    settings = _settings()
    if view == "auto":
        view = settings.get("view", "auto")
    if view == "auto":
        view = "panel" if hasattr(shell, "kernel") else "text"
    names = ("digits", "max_rows", "continuous_update")
    given = {name: settings[name] for name in names if name in settings}
    options = ViewOptions(show=show, live=view != "html", **given)
    if view in ("text", "static"):
        how = (options.digits, options.max_rows, show, spans)
        text = result.to_text(*how)
        if shell is None:
            print(text)
            return
        from IPython.display import display

        display({"text/plain": text} | ({"text/html": result.to_html(*how)} if view == "static" else {}), raw=True)
    else:
        from ad_magic.panel import show as show_panel

        show_panel(result, result.at, ranges=spans, options=options, shared=shared, again=again)
        if show == "equations":
            from ad_magic.panel import slack

            slack.show(result)


def teller(shell: Any) -> Callable[[str], None] | None:
    """What says in the notebook or in the terminal how far a long run is: one line that changes. None elsewhere."""
    if hasattr(shell, "kernel"):
        shown: list[Any] = []

        def in_notebook(text: str) -> None:
            from IPython.display import DisplayHandle

            if not shown:
                shown.append(DisplayHandle())
                shown[0].display({"text/plain": text}, raw=True)
            else:
                shown[0].update({"text/plain": text}, raw=True)

        return in_notebook
    stream = sys.stderr
    if not getattr(stream, "isatty", bool)():
        return None
    return lambda text: print(f"\r{text}\x1b[K", end="\n" if "recorded" in text else "", file=stream, flush=True)
