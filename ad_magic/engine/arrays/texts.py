"""Operations on arrays as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ad_magic.rules.arrays.frozen import np

_HOMES = {"fft": "np.fft", "linalg": "np.linalg", "special": "special"}


def pair_text(op: Any, operands: Sequence[str], written: Sequence[str] = ()) -> str:
    """An operation with these texts for its operands: "v1 @ v2", "v3[1:3]", "np.sum(v1, axis=0)". `written` are the
    arguments of the call as they stand in the source: the names of constant arrays."""
    template = getattr(op, "template", None)
    special = _SPECIAL.get(op.name)
    if op.name in _FIRST and template is None:  # functions whose first argument is an option
        function, option = _FIRST[op.name]
        return f"{function}({', '.join(by_name([constant(op.options[option]), *operands], written))})"
    if special is not None and template is None:
        return special(op, operands)
    if template is not None:
        args, kwargs = template
        texts = by_name([text_of(x, operands) for x in args], written)
        texts += [f"{k}={text_of(x, operands)}" for k, x in kwargs.items()]
        return f"{_called(op)}({', '.join(texts)})"
    if op.rule.several:
        operands = [f"[{', '.join(operands)}]"]
    options = [f"{name}={constant(x)}" for name, x in op.options.items()]
    return f"{_called(op)}({', '.join([*operands, *options])})"


def by_name(texts: Sequence[str], written: Sequence[str]) -> list[str]:
    """Arrays of which only the shape is said, by the names that they have in the source.

    >>> by_name(["<64×2>", "v1"], ["X", "w"])
    ['X', 'v1']
    """
    names = [*written, *[""] * len(texts)]
    return [name if name and text[:1] == "<" else text for text, name in zip(texts, names, strict=False)]


def _called(op: Any) -> str:
    name = op.name.removeprefix("np.")
    if name.startswith("scipy."):
        return name.removeprefix("scipy.")
    if "." in name:
        return f"np.{name}"
    module = getattr(op.rule.value, "__module__", None) or ""
    if module == "scipy.linalg":
        return f"linalg.{name}"
    return f"{_HOMES.get(module.rpartition('.')[2], 'np')}.{name}"


def text_of(x: Any, operands: Sequence[str]) -> str:
    from .moves import Hole

    if type(x) is Hole:
        return operands[x.k]
    if type(x) is list or type(x) is tuple:
        inner = ", ".join(text_of(y, operands) for y in x)
        return f"[{inner}]" if type(x) is list else f"({inner}{',' * (len(x) == 1)})"
    return constant(x)


def constant(x: Any) -> str:
    """A constant: as it was written where that is short; a long array by its shape.

    >>> constant(2.0), constant(np.ones((2, 3))), constant(slice(1, None))
    ('2.0', '<2×3>', '1:')
    """
    if isinstance(x, np.ndarray):
        if x.size <= 4 and x.ndim == 1:
            return "[" + ", ".join(f"{y:g}" if isinstance(y, float) else str(y) for y in x.tolist()) + "]"
        return f"<{'×'.join(map(str, x.shape))}>" if x.ndim else f"{x[()]:g}"
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, slice):
        ends = ["" if y is None else constant(y) for y in (x.start, x.stop)]
        return ":".join(ends) + (f":{constant(x.step)}" if x.step is not None else "")
    if isinstance(x, (tuple, list)):
        inner = ", ".join(map(constant, x))
        return f"({inner}{',' * (len(x) == 1)})" if isinstance(x, tuple) else f"[{inner}]"
    if x is ...:
        return "..."
    if isinstance(x, float):
        text = repr(x)
        return text if len(text) <= 10 else f"{x:.6g}"
    if callable(x):
        return getattr(x, "__name__", "function")
    return repr(x)


def _bracketed(text: str) -> str:
    return text if text.isidentifier() or text.endswith(("]", ")")) or text[:1] == "<" else f"({text})"


def _item(op: Any, operands: Sequence[str]) -> str:
    index = op.options["index"]
    inner = ", ".join(map(constant, index)) if isinstance(index, tuple) and index else constant(index)
    return f"{_bracketed(operands[0])}[{inner}]"


def _reshape(op: Any, operands: Sequence[str]) -> str:
    return f"{_bracketed(operands[0])}.reshape({', '.join(map(str, op.options['shape']))})"


def _transpose(op: Any, operands: Sequence[str]) -> str:
    if op.options["axes"] is None:
        return f"{_bracketed(operands[0])}.T"
    return f"np.transpose({operands[0]}, {constant(tuple(op.options['axes']))})"


def _array(op: Any, operands: Sequence[str]) -> str:
    def nested(items: Sequence[str], shape: tuple[int, ...]) -> str:
        if len(shape) > 1:
            step = len(items) // shape[0]
            items = [nested(items[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]
        return f"[{', '.join(items)}]"

    return f"np.array({nested(operands, op.options['shape'])})"


_SPECIAL = {
    "item": _item,
    "reshape": _reshape,
    "transpose": _transpose,
    "array": _array,
    "matmul": lambda op, t: f"{_bracketed(t[0])} @ {_bracketed(t[1])}",
    "einsum": lambda op, t: f"np.einsum({op.options['subscripts']!r}, {', '.join(t)})",
    "real": lambda op, t: f"{_bracketed(t[0])}.real",
    "imag": lambda op, t: f"{_bracketed(t[0])}.imag",
    "modulus": lambda op, t: f"np.abs({t[0]})",
    "conj": lambda op, t: f"np.conj({t[0]})",
    "complex": lambda op, t: f"{t[0]} + 1j * {t[1]}",
    "astype": lambda op, t: f"{_bracketed(t[0])}.astype({op.options['dtype']})",
    "entries": lambda op, t: f"{_bracketed(t[0])}[…]",
}
_FIRST = {"where": ("np.where", "condition"), "scattered": ("np.bincount", "places")}
