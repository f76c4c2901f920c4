"""`rule`: a primitive of the user's own with its derivative, checked against differences when it is declared."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ad_magic.engine.boundary import boundary
from ad_magic.engine.frames import user_frame
from ad_magic.engine.own import Own
from ad_magic.engine.words import kind_of
from ad_magic.rules.own import own_rule, signature
from ad_magic.rules.rule import ARGUMENTS
from ad_magic.transforms.pairs import OwnPair


@boundary
def rule(
    what: Any = None,
    /,
    *expressions: Any,
    partials: str | Sequence[str] | None = None,
    jvp: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    kink: str | None = None,
    at: Any = None,
    domain: Any = None,
    check: bool = True,
) -> Any:
    """A primitive of your own: what it computes, and its derivative in the place of the one that would be recorded.

    In the language of the derivative table: a name, the value, and one partial for each argument, in the arguments
    a, b, c, … and the result z, with the functions of `math` and `scipy.special` that have a derivative.

    >>> import math
    >>> from ad_magic import grad, rule
    >>> softplus = rule("softplus", "log1p(exp(a))", "1 / (1 + exp(-a))")
    >>> softplus(0.0) == math.log(2), grad(softplus)(0.0), grad(grad(softplus))(0.0)
    (True, 0.5, 0.25)

    Arguments with names of their own stand behind that of the rule: `rule("area(w, h)", "w * h", "h", "w")`. The value
    may also be a function of plain numbers, written in anything; as a decorator it has its own parameters:

    >>> @rule(partials="exp(-x * x)")
    ... def bell_integral(x):
    ...     return 0.5 * math.sqrt(math.pi) * math.erf(x)
    >>> grad(bell_integral)(0.0)
    1.0

    These work on numbers and, entry by entry, on arrays; the partials, which are text, are differentiated again for
    higher orders. What comes out is called as the function is: by position, by name, with its defaults.

    By functions, for functions of numbers, arrays, and lists, tuples, dicts of them:

    - `jvp(primals, tangents)` gives (value, tangent), as `ad_magic.jvp(f, primals, tangents)` does: both are tuples
      with one entry for each argument. It is linear in the tangents.
    - `vjp(*primals)` gives (value, pull), as `ad_magic.vjp(f, *primals)` does: `pull(adjoint)` is a tuple with one
      adjoint for each argument.

    One of them is enough: the engine transposes it for the other mode, which asks that it computes with functions that
    have rules. f itself gets plain numbers and arrays and may call anything.

    >>> def cube_root_jvp(primals, tangents):
    ...     (x,), (dx,) = primals, tangents
    ...     z = cube_root(x)
    ...     return z, dx / (3 * z**2)
    >>> @rule(jvp=cube_root_jvp)
    ... def cube_root(x):
    ...     return math.cbrt(x)
    >>> round(grad(cube_root)(8.0), 12), round(grad(grad(cube_root))(8.0), 12)
    (0.083333333333, -0.006944444444)

    It is compared with central differences here and now: at some points on both sides of zero where it has a finite
    value, at the points `at` (a list; each a number or a tuple of arguments), or within `domain` (a pair, or one for
    each argument). `check=False` leaves that out. `kink` is a condition in the arguments for where there is no
    derivative; it becomes a flag. Raises ValueError, with one sentence, where the derivative is wrong, or the
    declaration.
    """
    made = _made(what, expressions, partials, jvp, vjp, kink, at, domain, check)
    return boundary(made) if what is None else made


def _made(
    what: Any,
    expressions: Sequence[Any],
    partials: Any,
    jvp: Any,
    vjp: Any,
    kink: Any,
    at: Any,
    domain: Any,
    check: bool,
) -> Any:
    """The rule, or where there is no function yet the function that makes it of one."""
    if expressions and isinstance(what, str):
        made = _by_expressions(what, expressions[0], expressions[1:], partials, jvp, vjp, kink)
        if check:
            _check_row(made, at, domain)
        return made
    if expressions or isinstance(what, str):
        raise ValueError("a rule by expressions is rule('name', 'value', 'partial for a', …)")
    if partials is None and jvp is None and vjp is None:
        raise ValueError("rule(f) needs the derivative of f: partials=, jvp= or vjp=")
    if partials is not None and (jvp is not None or vjp is not None):
        raise ValueError("the derivative is given by partials= or by jvp= and vjp=, not by both")
    texts = () if partials is None else _texts(partials)
    for name, function in (("jvp", jvp), ("vjp", vjp)):
        if function is not None and not callable(function):
            raise ValueError(f"{name}= is a function, not {kind_of(function)}")
    if what is not None and not callable(what):
        raise ValueError(f"rule(f) is of a function, not of {kind_of(what)}")

    def declared(f: Callable[..., Any]) -> Any:
        if partials is not None:
            own = _of_function(f, getattr(f, "__name__", "f"), None, texts, kink)
            if check:
                _check_row(own, at, domain)
            return own
        if kink is not None or domain is not None:
            raise ValueError(
                "kink= and domain= go with partials; a function with a jvp or vjp is checked at= arguments"
            )
        pair = OwnPair(f, jvp, vjp)
        if check:
            from ad_magic.check.declared_pairs import check_pair

            with _in_its_place(pair):
                check_pair(pair, at)
        return pair

    return declared if what is None else declared(what)


@contextlib.contextmanager
def _in_its_place(pair: OwnPair) -> Iterator[None]:
    """A jvp may call the function by its name, which does not yet stand for the rule where that is a decorator."""
    names, name = getattr(pair.f, "__globals__", None), pair.__name__
    if names is None or getattr(pair.f, "__qualname__", "") != name:
        names = {}
    before = names.get(name, names)
    names[name] = pair
    try:
        yield
    except NameError as error:
        if name not in str(error):
            raise
        raise ValueError(
            f"the derivative of {name} calls {name}, which is not there before it is declared: write {name} = "
            f"rule({name}, …) below both"
        ) from None
    finally:
        if before is names:
            names.pop(name, None)
        else:
            names[name] = before


def _check_row(own: Own, at: Any, domain: Any) -> None:
    from ad_magic.check.declared import check_row

    check_row(own, at, domain)


def _by_expressions(
    what: str, value: Any, texts: Sequence[Any], partials: Any, jvp: Any, vjp: Any, kink: str | None
) -> Own:
    if partials is not None or jvp is not None or vjp is not None:
        raise ValueError("a rule by expressions has its partials behind the value: rule('name', 'value', 'partial')")
    title, names = signature(what)
    if callable(value):
        return _of_function(value, title, names, texts, kink)
    row = own_rule(title, names, value, texts, kink)
    return Own(row, names or ARGUMENTS[: len(row.partials)], home=_home())


def _of_function(
    f: Callable[..., Any], title: str, names: Sequence[str] | None, texts: Sequence[Any], kink: str | None
) -> Own:
    if not title.isidentifier():
        raise ValueError("a function without a name needs one: rule('name(x)', f, 'partial')")
    arguments = names or _parameters(f, title)
    row = own_rule(title, arguments, _plain(f, title), texts, kink)
    return Own(row, arguments, f if names is None else None, _home() if names is not None else "")


def _home() -> str:
    """The module in which a rule is declared."""
    return str(user_frame().f_globals.get("__name__", "__main__"))


def _texts(partials: Any) -> tuple[Any, ...]:
    """What `partials=` gives: one expression, or several. Raises ValueError."""
    if isinstance(partials, str):
        return (partials,)
    found = tuple(partials) if isinstance(partials, (list, tuple)) else (partials,)
    other = next((x for x in found if not isinstance(x, str)), "")
    if not isinstance(other, str):
        given = "a function goes with jvp= or vjp=" if callable(other) else f"this is of type {type(other).__name__}"
        raise ValueError(f'partials= takes expressions in quotes, one for each argument, as partials="2 * x"; {given}')
    return found


def _parameters(f: Callable[..., Any], title: str) -> list[str]:
    """The names of the arguments of a function of numbers. Raises ValueError where they cannot be told."""
    if hasattr(f, "nin"):  # of NumPy or SciPy
        return list(ARGUMENTS[: f.nin])
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return ["a"]
    names = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    alone = next((p.name for p in found if p.kind is p.KEYWORD_ONLY and p.default is p.empty), None)
    if alone is not None:
        raise ValueError(
            f"{title} takes {alone} by name alone; a function with partials takes its arguments by position"
        )
    if not names:
        raise ValueError(
            f"{title} has no arguments that can be told; name them: rule('{title}(x, y)', f, 'partial for x', …)"
        )
    return names


def _plain(f: Callable[..., Any], title: str) -> Callable[..., float]:
    def value(*args: float) -> float:
        z = f(*args)
        if type(z) is float:
            return z
        if isinstance(z, (float, int)) or getattr(z, "shape", None) == ():
            return float(z)
        raise TypeError(f"{title} gives {kind_of(z)}; a function with partials gives a number")

    made: Any = value
    made.__wrapped__ = f  # its source is that of the user's
    if hasattr(f, "nin"):
        made.ufunc = f  # it goes over arrays by itself
    return value
