"""The gradient and the Hessian as a heat map: numbers on their ground where there is room, else a picture.

Zero is the ground, positive the colour of the text, negative the red of a negative partial, the deeper the greater
beside the greatest of the Hessian. js/second.js writes new numbers into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .markup import esc, scroller, style_sheet
from .number import align, is_finite, number
from .second import NUMBERS, Second, partial
from .strip import cells

NBSP = "\u00a0"
DEEPEST = 36  # percent of the colour in the cell of the greatest entry: its number is still read with ease
LABELLED = 24  # inputs of a picture each of which has a name; of more each array has one
SIDE = {True: 15, False: 6}  # px of a cell, by whether it is labelled
CHAR = 6.1  # px of a character of a label
NARROW = 14  # px: an array of less has no label on top


def body(s: Second) -> str:
    """The heat map, beside it the eigenvalues, below them what they mean and what to mind."""
    heat = _table(s) if len(s.names) <= NUMBERS else _picture(s)
    warnings = "".join(f'<li data-ad-flag="second">⚠ {esc(text)}</li>' for text in s.warnings)
    return (
        f"<style>{style_sheet('second')}</style>"
        f'<div class="ad-second-body">{scroller("Gradient and Hessian")}{heat}</div>{_eigenvalues(s)}</div>'
        f'<p class="ad-note ad-second-words">{esc(s.words)}</p>'
        + (f'<ul class="ad-flags ad-second-flags">{warnings}</ul>' if warnings else "")
    )


# ---- numbers ---------------------------------------------------------------------------------------


def _table(s: Second) -> str:
    heads = "".join(f'<th scope="col" align="right">{esc(name)}</th>' for name in s.names)
    columns = [align([number(float(x), s.digits) for x in (s.gradient[k], *s.hessian[:, k])], pad=NBSP)
               for k in range(len(s.names))]  # fmt: skip
    slopes = "".join(
        f'<td align="right" class="ad-adjoint{_kind(x)[0]}" title="{esc(f"∂{s.symbol}/∂{name}")}">'
        f"<samp>{column[0]}</samp></td>"
        for x, name, column in zip(s.gradient, s.names, columns, strict=True)
    )
    top = deepest(s.hessian)
    lines = ""
    for i, row in enumerate(s.names):
        line = ""
        for x, name, column in zip(s.hessian[i], s.names, columns, strict=True):
            kind, deep = _kind(x), _deep(x, top)
            ground = f' style="--ad-deep:{deep:g}%"' if deep else ""
            line += (
                f'<td align="right" class="ad-warm{kind[0]}{kind[1]}"{ground} '
                f'title="{esc(partial(s.symbol, row, name))}"><samp>{column[i + 1]}</samp></td>'
            )
        lines += f'<tr><th scope="row" align="left">{esc(row)}</th>{line}</tr>'
    return (
        f'<table class="ad-heat"><caption>{esc(s._table().caption)}: the first row is the gradient</caption>'
        f'<thead><tr><td></td>{heads}</tr></thead><tbody><tr><th scope="row" align="left">∇{esc(s.symbol)}</th>'
        f"{slopes}</tr></tbody><tbody>{lines}</tbody></table>"
    )


def deepest(hessian: Any) -> float:
    """The magnitude that has the deepest colour."""
    import numpy as np

    return float(np.abs(hessian[np.isfinite(hessian)]).max(initial=0.0))


def _deep(x: float, top: float) -> float:
    """Percent of the colour on the ground of an entry.

    >>> _deep(-1.0, 2.0), _deep(2.0, 2.0), _deep(0.0, 0.0)
    (18.0, 36.0, 0.0)
    """
    share = abs(x) / top if top else 0.0
    return round(DEEPEST * share, 1) if share <= 1 else 0.0  # NaN is none


def _kind(x: float) -> tuple[str, str]:
    """Classes for a number that is zero or not finite, and for a negative one."""
    if not is_finite(x):
        return " ad-bad", ""
    return ("", " ad-less" if x < 0 else "") if x else (" ad-zero", "")


# ---- eigenvalues -----------------------------------------------------------------------------------


def _eigenvalues(s: Second) -> str:
    values = s.listed()
    texts = align(["" if x is None else number(x, s.digits) for x in values], pad=NBSP)
    items = ""
    for x, text in zip(values, texts, strict=True):
        if x is None:
            items += f'<li class="ad-quiet">… {s.left_out()} more</li>'
        else:
            kind = _kind(x)
            items += f'<li class="{(kind[0] + kind[1]).strip()}"><samp>{text}</samp></li>'
    hidden = ' hidden="hidden"' if s.inputs > len(s.names) else ""  # never there are any
    return f'<div class="ad-eigen"{hidden}><span>eigenvalues</span><ol>{items}</ol></div>'


# ---- a picture -------------------------------------------------------------------------------------


def _picture(s: Second) -> str:
    """Small cells, the gradient as a row of its own above them, with its own scale; names on both axes."""
    n = len(s.names)
    each = n <= LABELLED
    side = SIDE[each]
    labels = list(enumerate(s.names)) if each else []
    blocks = list(_blocks(s.names))
    spans = [(name, k, k + 1) for k, name in labels] or blocks
    wide = max(len(f"∇{s.symbol}"), *(len(name) for name, _, _ in spans))
    left = wide * CHAR + 6
    upright = each and any(len(name) * CHAR > side for name, _, _ in spans)
    top = wide * CHAR + 6 if upright else 16
    down = top + side + 5  # where the Hessian begins: the gradient is above it
    texts = f'<text x="{left - 5:g}" y="{top + side / 2:g}" class="ad-heat-y">∇{esc(s.symbol)}</text>'
    for name, start, stop in spans:
        middle = (start + stop) / 2 * side
        texts += f'<text x="{left - 5:g}" y="{down + middle:g}" class="ad-heat-y">{esc(name)}</text>'
        if upright:
            x, y = left + middle, top - 5
            texts += f'<text transform="translate({x:g} {y:g}) rotate(-90)" class="ad-heat-x">{esc(name)}</text>'
        elif (stop - start) * side >= max(NARROW, len(name) * CHAR):
            texts += f'<text x="{left + middle:g}" y="{top - 5}" class="ad-heat-top">{esc(name)}</text>'
    rules = ""
    for _, start, _ in blocks[1:]:
        across, along = left + start * side, down + start * side
        rules += f"M{across:g} {down:g}v{n * side:g}M{left:g} {along:g}h{n * side:g}"
    size = n * side
    title = f"Hessian of {s.of}, {n} × {n}: the deepest colour is ±{number(deepest(s.hessian), 4)}, red is negative"
    return (
        f'<svg class="ad-svg ad-heat-picture" width="{left + size + 1:g}" height="{down + size + 1:g}" role="img" '
        f'viewBox="0 0 {left + size + 1:g} {down + size + 1:g}"><title>{esc(title)}</title>{texts}'
        f'<g class="ad-heat-slopes" fill="none" transform="translate({left:g} {top:g}) scale({side})">'
        f"{cells([s.gradient.tolist()])}</g>"
        f'<g class="ad-heat-cells" fill="none" transform="translate({left:g} {down:g}) scale({side})">'
        f"{cells(s.hessian.tolist())}</g>"
        f'<path class="ad-heat-rule" d="{rules}M{left:g} {down:g}h{size}v{size}h-{size}z'
        f'M{left:g} {top:g}h{size}v{side}h-{size}z"/></svg>'
    )


def _blocks(names: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """(input, first, behind its last) for each input whose entries are among the names.

    >>> list(_blocks(["x", "w[0]", "w[1]"]))
    [('x', 0, 1), ('w', 1, 3)]
    """
    start = 0
    for k, name in enumerate(names):
        own = name.partition("[")[0]
        if k + 1 == len(names) or names[k + 1].partition("[")[0] != own:
            yield own, start, k + 1
            start = k + 1
