"""Radau IIA collocation with five points: order nine, stiff or not (Hairer & Wanner 1996, section IV.5).

On a step from t_k to t_k + h the solution of y' = f(t, y) is a polynomial Y with
Y_i = y_k + h Σ_j a_ij f(t_k + c_j h, Y_j); the last node is the end of the step. Linearised, with J_j = f_y there,
these are the equations of the sensitivities, and transposed those of the adjoint.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from ad_magic.rules.arrays.frozen import np

from .arrays.array import is_active

STAGES = 5
_ROOM = 4_000_000  # numbers of the matrices that are solved with at once


@functools.cache
def radau() -> tuple[Any, Any]:
    """The nodes c and the matrix a.

    >>> c, a = radau()
    >>> float(c[-1]), round(float(a[-1] @ c**8), 14) == round(1 / 9, 14)
    (1.0, True)
    """
    s = STAGES
    derived = np.polyder(np.poly([0.0] * (s - 1) + [1.0] * s), s - 1)  # of t^(s-1) (t - 1)^s
    c = np.sort(np.roots(derived).real)
    for _ in range(3):  # to the last digit
        c = c - np.polyval(derived, c) / np.polyval(np.polyder(derived), c)
    c[-1] = 1.0
    powers = np.arange(s)
    a = (c[:, None] ** (powers + 1) / (powers + 1)) @ np.linalg.inv(c[:, None] ** powers)
    return c, a


def times_of(mesh: Any) -> Any:
    """The times of all nodes, for each step: (N, stages)."""
    h = np.diff(mesh)
    times = mesh[:-1, None] + h[:, None] * radau()[0]
    times[:, -1] = mesh[1:]
    return times


class Steps:
    """The linearised equations of all steps. `h` are their lengths, `slopes` the matrices J of all nodes: (N, s, n, n).

    The matrices may be active arrays: derivatives of derivatives.
    """

    def __init__(self, h: Any, slopes: Any) -> None:
        self.h, self.slopes = h, slopes
        self.count, _, self.n, _ = slopes.shape
        start = np.tile(np.eye(self.n), (self.count, STAGES, 1))
        self.across = self._solved(start, False)  # what a change at the start of a step makes of its nodes

    def forward(self, start: Any, nodes: Any) -> Any:
        """The nodes' tangents (N, s·n), where the equations have the tangents `nodes` on the right, and y_0 `start`."""
        if not self.count:
            return np.zeros((0, STAGES * self.n))
        own = self._solved(nodes[..., None], False)[..., 0]
        last = slice(-self.n, None)
        y, starts = start, []
        for across, moved in zip(_each(self.across), _each(own), strict=True):
            starts.append(y)
            y = across[last] @ y + moved[last]
        return np.einsum("kpa,ka->kp", self.across, np.stack(starts)) + own

    def backward(self, nodes: Any) -> tuple[Any, Any]:
        """From the adjoints of the nodes (N, s·n) those of y_0 and of the right sides of the equations."""
        if not self.count:
            return np.zeros(self.n), nodes
        mu: Any = np.zeros(self.n)
        before = np.zeros((STAGES - 1) * self.n)
        whole = []
        for across, g in zip(reversed(_each(self.across)), reversed(_each(nodes)), strict=True):
            g = g + np.concatenate([before, mu])
            whole.append(g)
            mu = across.T @ g
        return mu, self._solved(np.stack(whole[::-1])[..., None], True)[..., 0]

    def _solved(self, right: Any, transposed: bool) -> Any:
        """The solution of (1 - h a ⊗ J) x = right for each step."""
        size = STAGES * self.n
        chunk = self.count if is_active(self.slopes) else max(1, _ROOM // (size * size))
        ha = self.h[:, None, None] * radau()[1]
        parts = []
        for k in range(0, self.count, max(chunk, 1)):
            cut = slice(k, k + chunk)
            product = np.reshape(np.einsum("kij,kjab->kiajb", ha[cut], self.slopes[cut]), (-1, size, size))
            matrix = np.eye(size) - product
            parts.append(np.linalg.solve(np.swapaxes(matrix, 1, 2) if transposed else matrix, right[cut]))
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(right.shape)


def _each(x: Any) -> list[Any]:
    return [x[k] for k in range(len(x))]


def on_the_right(h: Any, rates: Any) -> Any:
    """What the tangents of f at the nodes, (N, s, n), add to the equations: (N, s·n)."""
    count, s, n = rates.shape
    return np.reshape(np.einsum("kij,kja->kia", h[:, None, None] * radau()[1], rates), (count, s * n))


def at_the_rates(h: Any, nodes: Any, n: int) -> Any:
    """The adjoint of `on_the_right`."""
    count = len(h)
    return np.einsum("kij,kia->kja", h[:, None, None] * radau()[1], np.reshape(nodes, (count, STAGES, n)))


# ---- the polynomial of a step --------------------------------------------------------------------


@functools.cache
def _powers() -> Any:
    """From the values at the start and the nodes of a step to the coefficients of the polynomial in (t - t_k) / h."""
    places = np.concatenate([[0.0], radau()[0]])
    return np.linalg.inv(places[:, None] ** np.arange(STAGES + 1))


@functools.cache
def _last() -> Any:
    """The same to its coefficient on the last Legendre polynomial."""
    x = 2.0 * np.concatenate([[0.0], radau()[0]]) - 1.0
    legendre = [np.ones(len(x)), x]
    for k in range(1, STAGES):
        legendre.append(((2 * k + 1) * x * legendre[k] - k * legendre[k - 1]) / (k + 1))
    return np.linalg.inv(np.stack(legendre, axis=1))[-1]


def tails(start: Any, nodes: Any) -> Any:
    """How much of the solution each step's polynomial only just reaches, in relation to the size of each component."""
    if not len(nodes):
        return np.zeros(0)
    whole = np.concatenate([np.concatenate([start[None], nodes[:-1, -1]])[:, None], nodes], axis=1)
    size = np.max(np.abs(whole), axis=(0, 1), initial=0.0)
    size = size + 1e-10 * np.max(size, initial=0.0) + math.ulp(0.0)
    return np.max(np.abs(np.einsum("i,kia->ka", _last(), whole)) / size, axis=1, initial=0.0)


def coefficients(mesh: Any, every: Any, k: int) -> Any:
    """Those of the polynomial of step k in (t - t_k) / h. `every` has y_0 and all nodes: (N·s + 1, n)."""
    return _powers() @ every[k * STAGES : (k + 1) * STAGES + 1]


def at_times(mesh: Any, every: Any, times: Any) -> Any:
    """The solution at times, (len(times), n), by the polynomials of the steps."""
    rows = []
    for t in times:
        k = step_at(mesh, t)
        theta = (t - mesh[k]) / (mesh[k + 1] - mesh[k])
        rows.append(theta ** np.arange(STAGES + 1) @ coefficients(mesh, every, k))
    return np.array(rows)


def step_at(mesh: Any, t: float) -> int:
    """Which step a time belongs to; beyond the ends the first or the last."""
    up = mesh[-1] >= mesh[0]
    k = int(np.searchsorted(mesh if up else -mesh, t if up else -t, side="left")) - 1
    return min(max(k, 0), len(mesh) - 2)
