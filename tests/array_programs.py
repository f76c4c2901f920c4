"""Programs for test_array_programs.py, by subject: cells as people write them, and one-line expressions."""

# ruff: noqa: E501  # a program of a line is read, and found, as a line
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

NUMPY = np.lib.NumpyVersion(np.__version__)
VECTOR = "np.array([0.5, 1.5, -0.7, 2.0])"
POSITIVE = "np.array([0.5, 1.5, 0.7, 2.0])"
MATRIX = "np.array([[0.5, 1.5, -0.7], [2.0, -0.3, 0.9]])"
OFF_GRID = "np.array([[0.53, 1.46, -0.7], [2.04, -0.3, 0.9]])"
SQUARE = "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"


@dataclass(eq=False)
class Program:
    """A cell, what is run before it, and its inputs: the text of each, None for a name of the setup."""

    group: str
    name: str
    cell: str
    inputs: dict[str, str | None]
    setup: str = ""
    of: str | None = "y"
    grad: dict[str, Any] | None = None  # instead of differences
    flagged: bool = False  # it has a flag, or may have one
    tolerance: float = 0.0  # of values, relative
    rtol: float = 1e-6  # of the derivative
    h: float = 1e-5  # the step of the differences
    raises: str = ""  # the error that the plain program raises
    message: bool = False  # with the same words
    refused: str = ""  # a sentence says that it cannot be differentiated: "cell" or "output"
    fails: str = ""  # why it does not pass yet


PROGRAMS: list[Program] = []


def program(group: str, name: str, cell: str, x: str | None = VECTOR, inputs: Any = None, **options: Any) -> None:
    PROGRAMS.append(Program(group, name, cell.strip("\n"), inputs or {"x": x}, **options))


def expressions(group: str, x: str, texts: list[str], **options: Any) -> None:
    """One program for each expression in x: the sum of its squares, weighed by their places."""
    for text in texts:
        cell = f"r = {text}\ny = (np.arange(1.0, 1 + np.size(r)).reshape(np.shape(r)) * r ** 2).sum()"
        given = dict(options)
        if text in FAILING:
            given["fails"] = FAILING[text]
        PROGRAMS.append(Program(group, text, cell, {"x": x}, **given))


# ---- views ---------------------------------------------------------------------------------------

program(
    "views",
    "slice view written",
    """
b = x * 2
v = b[1:3]
v[0] = x[0] ** 2
y = (b * b).sum()
""",
)
program(
    "views",
    "slice view of zeros",
    """
b = np.zeros(4)
v = b[1:3]
v[0] = x[0] ** 2
b[3] = v[0] * x[1]
y = (b * b).sum()
""",
)
program(
    "views",
    "step slice",
    """
b = np.zeros(6)
v = b[::2]
v += x[:3]
v[::-1][0] *= x[3]
y = (b * np.arange(6.)).sum()
""",
)
program(
    "views",
    "reverse view",
    """
b = x.copy()
r = b[::-1]
r[0] = x[1]
b[0] = x[2] * x[3]
y = (r * np.arange(4.)).sum()
""",
)
program(
    "views",
    "reshape view",
    """
b = np.zeros(4)
m = b.reshape(2, 2)
m[0] = x[:2]
m[1, 1] = x[2] * x[3]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "reshape view of x",
    """
m = x.reshape(2, 2)
m[0, 1] = m[1, 0] ** 2
y = (x ** 2).sum()
""",
)
program(
    "views",
    "transpose view",
    """
b = np.zeros((2, 3))
t = b.T
t[0] = x[:2]
t[2, 1] = x[2] * x[3]
y = (b * np.arange(6.).reshape(2, 3)).sum()
""",
)
program(
    "views",
    "transpose of active",
    """
b = x * 1.0
t = b.T
t[0, 1] = x[1, 0] ** 2
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "ravel view",
    """
b = np.zeros((2, 2))
r = b.ravel()
r[1:3] = x[:2] * x[2:]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "ravel of transposed copies",
    """
b = np.zeros((2, 2))
r = b.T.ravel()
r[1:3] = x[:2]
y = (b ** 2).sum() + r.sum() * x[0]
""",
)
program(
    "views",
    "ravel order F",
    """
b = x * 1.0
r = b.ravel(order='F')
r[0] = 5.0
y = (b * b).sum() + (r ** 3).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "reshape order F",
    """
b = x * 1.0
r = b.reshape((3, 2), order='F')
r[0, 0] = x[1, 1]
y = (b * b).sum() + (r ** 3).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "flat assign one",
    """
b = np.zeros((2, 2))
b.flat[1] = x[0] * x[1]
b.flat[2:] = x[2]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "flat assign all",
    """
b = np.zeros((2, 2))
b.flat = x
y = (b ** 2 * np.arange(4.).reshape(2, 2)).sum()
""",
)
program(
    "views",
    "flat of active assign",
    """
b = x * 2
b.flat[2] = x[0, 0] ** 2
y = (b ** 2).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "flat iterate",
    """
y = 0.0
for k, v in enumerate(x.flat):
    y = y + k * v ** 2
""",
    x=MATRIX,
)
program(
    "views",
    "flat read index",
    """
y = x.flat[3] * x.flat[1] + x.flat[::2].sum()
""",
    x=MATRIX,
)
program(
    "views",
    "flat of buffer read",
    """
b = np.zeros((2, 2))
b[0] = x[:2]
y = sum(k * v for k, v in enumerate(b.flat)) + b.flat[1] ** 2
""",
)
program(
    "views",
    "np.nditer",
    """
y = 0.0
for v in np.nditer(x * 1.0):
    y = y + float(v) ** 2
""",
    x=MATRIX,
    refused="cell",
)
program(
    "views",
    "ndenumerate",
    """
y = 0.0
for (i, j), v in np.ndenumerate(x):
    y = y + (i + 1) * (j + 2) * v ** 2
""",
    x=MATRIX,
)
program(
    "views",
    "ndindex",
    """
y = 0.0
for i, j in np.ndindex(x.shape):
    y += (i + 1) * (j + 2) * x[i, j] ** 2
""",
    x=MATRIX,
)
program(
    "views",
    "diagonal write via strided slice",
    """
b = np.zeros((3, 3))
b.reshape(-1)[::4] = x[:3]
b[0, 2] = x[3]
y = (b @ b).sum()
""",
)
program(
    "views",
    "fill_diagonal",
    """
b = np.zeros((3, 3))
np.fill_diagonal(b, x[:3])
y = (b * b).sum() + b[1, 1] * x[3]
""",
)
program(
    "views",
    "fill_diagonal scalar active target",
    """
b = np.outer(x, x)
np.fill_diagonal(b, x[0])
y = (b * b).sum()
""",
)
program(
    "views",
    "diag indices write",
    """
b = np.zeros((4, 4))
b[np.diag_indices(4)] = x
b[np.arange(4), [1, 2, 3, 0]] = x * x
y = (b @ b @ b).sum()
""",
)
program(
    "views",
    "einsum diag view read",
    """
b = np.outer(x, x)
d = np.einsum('ii->i', b)
y = (d * np.arange(4.)).sum()
""",
)
program(
    "views",
    "diagonal read of buffer",
    """
b = np.zeros((3, 3))
b[1, 1] = x[0]
b[2, 2] = x[1]
d = b.diagonal()
y = (d ** 2).sum() + np.trace(b) * x[2]
""",
)
program(
    "views",
    "real part write",
    """
z = np.zeros(4, complex)
z.real = x
z.imag = x[::-1] ** 2
y = (np.abs(z) ** 2).sum() + z.real[0] * x[1]
""",
)
program(
    "views",
    "real slice write",
    """
z = np.zeros(4, complex)
z.real[1:3] = x[:2]
z.imag[0] = x[2]
y = (np.abs(z) ** 2).sum()
""",
)
program(
    "views",
    "complex entries",
    """
z = np.zeros(3, dtype=complex)
z[0] = x[0] + 1j * x[1]
z[1] = x[2] * 1j
z[2] = x[3]
w = z * z
y = w.real.sum() + (w.imag ** 2).sum()
""",
)
program(
    "views",
    "mask write",
    """
b = x * 2
b[b > 1.1] = 0.0
y = (b * b).sum()
""",
)
program(
    "views",
    "mask write active",
    """
b = x * 2
b[b > 1.1] = x[2] ** 2
y = (b * b).sum()
""",
)
program(
    "views",
    "mask write array",
    """
b = np.ones(4)
b[x > 0] = x[x > 0] ** 2
y = (b * b).sum()
""",
)
program(
    "views",
    "mask augmented",
    """
b = x * 1.0
b[b > 0] *= x[0]
b[~(b > 0)] -= x[1]
y = (b * b).sum()
""",
)
program(
    "views",
    "2d mask",
    """
b = x * 1.0
b[b < 0] = 0
y = (b * b * b).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "row mask",
    """
b = x * 1.0
b[np.array([True, False])] = x[1] ** 2
y = (b * b * b).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "fancy repeated write last wins",
    """
b = np.zeros(3)
b[[0, 0, 2, 0]] = x
y = (b * np.array([1., 2., 3.])).sum() + (b ** 2).sum()
""",
)
program(
    "views",
    "fancy repeated augmented",
    """
b = np.ones(3)
b[[0, 0, 2]] += x[:3]
y = (b ** 2).sum() * x[3]
""",
)
program(
    "views",
    "fancy repeated mult augmented",
    """
b = x * 1.0
b[[0, 0, 2]] *= x[:3]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "fancy write into rows",
    """
b = x * 1.0
b[[1, 0]] = b[[0, 1]] * 2
y = (b * np.arange(6.).reshape(2, 3)).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "swap tuple",
    """
a, b = x[:2], x[2:]
a, b = b, a
y = (a * np.array([1., 2.])).sum() + (b * b).sum()
""",
)
program(
    "views",
    "swap entries tuple",
    """
b = x.copy()
b[0], b[1] = b[1], b[0]
y = (b * np.arange(1., 5.)).sum() * x[0]
""",
)
program(
    "views",
    "swap entries fancy",
    """
b = x.copy()
b[[0, 1]] = b[[1, 0]]
y = (b * np.arange(1., 5.)).sum() * x[0]
""",
)
program(
    "views",
    "swap entries fancy input",
    """
x[[0, 1]] = x[[1, 0]]
y = (x ** 2 * np.arange(1., 5.)).sum()
""",
)
program(
    "views",
    "swap rows views aliasing",
    """
b = x * 1.0
b[0], b[1] = b[1], b[0]
y = (b * np.arange(6.).reshape(2, 3)).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "swap slices in x",
    """
x[:2], x[2:] = x[2:], x[:2]
y = (x ** 2 * np.arange(1., 5.)).sum()
""",
)
program(
    "views",
    "swap copies",
    """
x[:2], x[2:] = x[2:].copy(), x[:2].copy()
y = (x ** 2 * np.arange(1., 5.)).sum()
""",
)
program(
    "views",
    "overlap shift",
    """
b = x * 1.0
b[1:] = b[:-1]
y = (b * b * np.arange(4.)).sum()
""",
)
program(
    "views",
    "overlap add",
    """
b = x * 1.0
b[1:] += b[:-1]
y = (b * b * np.arange(4.)).sum()
""",
)
program(
    "views",
    "overlap reversed",
    """
b = x * 1.0
b[:] = b[::-1]
y = (b * b * np.arange(4.)).sum()
""",
)
program(
    "views",
    "overlap add reversed",
    """
b = x * 1.0
b += b[::-1]
y = (b * b * np.arange(4.)).sum()
""",
)
program(
    "views",
    "overlap in transposed",
    """
b = x @ x.T
b += b.T
b *= x[0, 0]
y = (b * np.arange(4.).reshape(2, 2)).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "ufunc out overlap",
    """
b = x * 1.0
np.multiply(b[1:], b[:-1], out=b[1:])
y = (b * b).sum()
""",
)
program(
    "views",
    "two views of one",
    """
b = np.zeros(5)
p = b[:3]
q = b[2:]
p[:] = x[:3]
q *= 2
q[0] += x[3]
y = (p ** 2).sum() + (q ** 3).sum()
""",
)
program(
    "views",
    "view of view of view",
    """
b = np.zeros((3, 4))
v = b[1:][:, 1:][0]
v[:] = x[:3]
w = v[1:]
w[...] *= x[3]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "newaxis view write",
    """
b = x * 1.0
c = b[:, None]
c[1, 0] = x[0] * x[2]
y = (b * b).sum()
""",
)
program(
    "views",
    "squeeze view write",
    """
b = np.zeros((1, 4, 1))
s = b.squeeze()
s[:] = x * x
y = (b ** 2).sum()
""",
)
program(
    "views",
    "expand dims write",
    """
b = np.zeros(4)
s = np.expand_dims(b, 0)
s[0, 1:] = x[1:] * x[0]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "swapaxes write",
    """
b = np.zeros((2, 3, 2))
s = np.swapaxes(b, 0, 1)
s[2, 1] = x[:2]
s[0] = x[2]
y = (b ** 2 * np.arange(12.).reshape(2, 3, 2)).sum()
""",
)
program(
    "views",
    "moveaxis write",
    """
b = np.zeros((2, 3, 2))
s = np.moveaxis(b, 0, -1)
s[2, 1] = x[:2]
y = (b ** 2 * np.arange(12.).reshape(2, 3, 2)).sum() * x[3]
""",
)
program(
    "views",
    "split views write",
    """
b = x * 1.0
p, q = np.split(b, 2)
p += q
q[0] = 7.0
y = (b ** 2).sum()
""",
)
program(
    "views",
    "array_split views write",
    """
b = np.zeros(5)
p, q = np.array_split(b, 2)
p += x[:3]
q[0] = x[3]
y = (b ** 2).sum() + b[3] * x[0]
""",
)
program(
    "views",
    "iterate rows write",
    """
b = np.zeros((2, 3))
for k, row in enumerate(b):
    row[:] = x[k] * (k + 1)
    row[k] += x[3]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "iterate rows of active write",
    """
b = x * 1.0
for row in b:
    row *= row.sum()
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "views",
    "zip rows write",
    """
b = np.zeros((2, 2))
for row, v in zip(b, x):
    row += v ** 2
y = (b * b).sum() * x[2]
""",
)
program(
    "views",
    "enumerate element assign",
    """
b = np.empty_like(x)
for k, v in enumerate(x):
    b[k] = v ** (k + 1)
y = b.sum()
""",
)
program(
    "views",
    "atleast_2d write",
    """
b = x * 1.0
m = np.atleast_2d(b)
m[0, 2] = x[0] ** 3
y = (b * b).sum()
""",
)
program(
    "views",
    "asarray aliases",
    """
b = np.asarray(x)
b[0] = x[1] * x[2]
y = (x ** 2).sum()
""",
)
program(
    "views",
    "np.array copies",
    """
b = np.array(x)
b[0] = x[1] * x[2]
y = (x ** 2).sum() + (b ** 3).sum()
""",
)
program(
    "views",
    "x[:] aliases",
    """
b = x[:]
b[0] = x[1] * x[2]
y = (x ** 2).sum() + (b ** 3).sum()
""",
)
program(
    "views",
    "broadcast_to reads later write",
    """
b = x * 1.0
c = np.broadcast_to(b, (2, 4))
b[0] = x[3] ** 2
y = (c * np.arange(8.).reshape(2, 4)).sum()
""",
)
program(
    "views",
    "view method",
    """
b = x * 1.0
v = b.view()
v[1] = x[0] ** 2
y = (b * b).sum()
""",
)
program(
    "views",
    "shape setter",
    """
b = x * 1.0
b.shape = (2, 2)
b[1] = b[0] * x[0]
y = (b @ b).sum()
""",
)
program(
    "views",
    "resize-like reshape -1",
    """
b = np.zeros((2, 2))
b.reshape(-1)[3] = x[0] * x[1]
y = b[1, 1] * x[2]
""",
)
program(
    "views",
    "saved operand then overwritten",
    """
b = x * 1.0
c = b * b
b[:] = 0
d = np.exp(c)
b += d
y = (b * c).sum()
""",
)
program(
    "views",
    "saved constant then overwritten",
    """
c = np.ones(4)
z = x * c
c[:] = 5
y = z.sum() * c.sum()
""",
)
program(
    "views",
    "large constant overwritten",
    """
c = np.ones(2000)
z = x.sum() * c
c *= 3
y = z.sum() + (x[0] * c).sum()
""",
)
program(
    "views",
    "saved constant through view",
    """
c = np.ones(4)
v = c[::-1]
z = x * c
v[0] = 9
y = (z * v * x).sum()
""",
)
program(
    "views",
    "matmul saved operand",
    """
W = np.eye(4)
h = W @ x
W[0, 1] = 7.
h2 = W @ h
y = (h2 ** 2).sum()
""",
)
program(
    "views",
    "input augmented",
    """
x += 1
y = (x * x).sum()
""",
)
program(
    "views",
    "input augmented active",
    """
x *= x[0]
y = (x * x).sum()
""",
)
program(
    "views",
    "input slice assigned",
    """
x[1:] = 3.0
y = (x * x).sum()
""",
)
program(
    "views",
    "input rebound",
    """
x = x * 2
x[0] = 1.0
y = (x * x).sum()
""",
)
program(
    "views",
    "write then view before",
    """
b = np.zeros(4)
v = b[1:]
w = v * x[1:]
b[2] = x[0]
y = (v * x[1:]).sum() + w.sum()
""",
)
program(
    "views",
    "plain write after active",
    """
b = np.zeros(4)
b[:] = x
b[1] = 2.5
b[2:] += 1
y = (b * b).sum()
""",
)
program(
    "views",
    "overwritten to plain entirely",
    """
b = np.zeros(4)
b[:] = x
b[:] = 2.5
y = (b * b).sum() * x[0]
""",
)
program(
    "views",
    "fill active",
    """
b = np.empty(3)
b.fill(x[0] * x[1])
y = (b * b).sum()
""",
)
program(
    "views",
    "negative index write",
    """
b = np.zeros(4)
b[-1] = x[0]
b[-2:] *= x[1]
b[-3] = -x[2]
y = (b * b).sum()
""",
)
program(
    "views",
    "ellipsis write",
    """
b = np.zeros((2, 2, 2))
b[..., 0] = x.reshape(2, 2)
b[1, ...] += x[0]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "mixed fancy slice write",
    """
b = np.zeros((3, 4))
b[[0, 2], 1:3] = x.reshape(2, 2)
b[:, [0, 3]] += x[:2]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "ix_ write",
    """
b = np.zeros((3, 4))
b[np.ix_([0, 2], [1, 3])] = x.reshape(2, 2)
y = (b ** 2 * np.arange(12.).reshape(3, 4)).sum()
""",
)
program(
    "views",
    "broadcast write",
    """
b = np.zeros((3, 4))
b[:] = x
b[:, 1:2] = x[:3, None] * x[3]
y = (b ** 2 * np.arange(12.).reshape(3, 4)).sum()
""",
)
program(
    "views",
    "write shape with leading ones",
    """
b = np.zeros(4)
b[:] = x[None]
y = (b ** 2).sum()
""",
)
program(
    "views",
    "0-d array write",
    """
b = np.zeros(())
b[()] = x[0] * x[1]
b[...] += x[2]
y = b * x[3]
""",
)
program(
    "views",
    "0-d array augmented",
    """
b = np.array(0.0)
for v in x:
    b += v * v
y = b
""",
)
program(
    "views",
    "np.float64 accumulate",
    """
s = np.float64(0)
for v in x:
    s += v * v
y = s
""",
)
program(
    "views",
    "list of arrays augmented",
    """
L = [np.zeros(2), np.zeros(2)]
L[0] += x[:2]
L[1] -= x[2:]
L[0][1] = x[0] * x[3]
y = (L[0] * L[1]).sum()
""",
)
program(
    "views",
    "dict of arrays",
    """
d = {'a': np.zeros(2), 'b': np.ones(2)}
d['a'][0] = x[0]
d['b'] *= x[1:3]
d['c'] = d['a'] + d['b']
y = sum((v ** 2).sum() for v in d.values())
""",
)
program(
    "views",
    "same array twice in list",
    """
a = np.zeros(2)
L = [a, a]
L[0][0] = x[0]
L[1][1] = x[1]
y = (a * a).sum() * x[2]
""",
)
program(
    "views",
    "list multiplication of one array",
    """
L = [np.zeros(2)] * 3
L[0] += x[:2]
L[2] += x[2:]
y = (L[1] ** 2).sum()
""",
)
program(
    "views",
    "aliases after run",
    """
a = x * 2
b = a
c = a[1:]
d = a.reshape(2, 2)
a[2] = x[0]
y = (a * a).sum()
""",
)
program(
    "views",
    "aliases after run, not written",
    """
a = x * 2
b = a
c = a[1:]
d = a.reshape(2, 2).T
e = [a, c]
y = (a * a).sum()
""",
)
program(
    "views",
    "buffer aliases after",
    """
a = np.zeros(4)
b = a
c = a[1:]
d = a.reshape(2, 2)
a[2] = x[0]
y = (a * a).sum()
""",
)
program(
    "views",
    "plain aliases after",
    """
a = np.zeros(4)
b = a
c = a[1:]
a[2] = 3.
y = (x * a).sum()
""",
)

# ---- augmented -----------------------------------------------------------------------------------

program(
    "augmented",
    "b +=",
    """
b = np.arange(4.).copy() + 1
b += x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] +=",
    """
b = np.arange(1., 5.)
b[1:] += x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] +=",
    """
b = np.arange(1., 5.)
b[[0, 2]] += x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] +=",
    """
b = np.arange(1., 5.)
b[b > 2] += x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b += const",
    """
b = x * 1.5
b += 2.0
v = b[1:]
v += np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray += scalar input",
    """
b = np.arange(1., 4.)
b += x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "b -=",
    """
b = np.arange(4.).copy() + 1
b -= x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] -=",
    """
b = np.arange(1., 5.)
b[1:] -= x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] -=",
    """
b = np.arange(1., 5.)
b[[0, 2]] -= x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] -=",
    """
b = np.arange(1., 5.)
b[b > 2] -= x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b -= const",
    """
b = x * 1.5
b -= 2.0
v = b[1:]
v -= np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray -= scalar input",
    """
b = np.arange(1., 4.)
b -= x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "b *=",
    """
b = np.arange(4.).copy() + 1
b *= x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] *=",
    """
b = np.arange(1., 5.)
b[1:] *= x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] *=",
    """
b = np.arange(1., 5.)
b[[0, 2]] *= x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] *=",
    """
b = np.arange(1., 5.)
b[b > 2] *= x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b *= const",
    """
b = x * 1.5
b *= 2.0
v = b[1:]
v *= np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray *= scalar input",
    """
b = np.arange(1., 4.)
b *= x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "b /=",
    """
b = np.arange(4.).copy() + 1
b /= x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] /=",
    """
b = np.arange(1., 5.)
b[1:] /= x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] /=",
    """
b = np.arange(1., 5.)
b[[0, 2]] /= x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] /=",
    """
b = np.arange(1., 5.)
b[b > 2] /= x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b /= const",
    """
b = x * 1.5
b /= 2.0
v = b[1:]
v /= np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray /= scalar input",
    """
b = np.arange(1., 4.)
b /= x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "b **=",
    """
b = np.arange(4.).copy() + 1
b **= x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] **=",
    """
b = np.arange(1., 5.)
b[1:] **= x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] **=",
    """
b = np.arange(1., 5.)
b[[0, 2]] **= x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] **=",
    """
b = np.arange(1., 5.)
b[b > 2] **= x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b **= const",
    """
b = x * 1.5
b **= 2.0
v = b[1:]
v **= np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray **= scalar input",
    """
b = np.arange(1., 4.)
b **= x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "b //=",
    """
b = np.arange(4.).copy() + 1
b //= x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] //=",
    """
b = np.arange(1., 5.)
b[1:] //= x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] //=",
    """
b = np.arange(1., 5.)
b[[0, 2]] //= x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] //=",
    """
b = np.arange(1., 5.)
b[b > 2] //= x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b //= const",
    """
b = x * 1.5
b //= 2.0
v = b[1:]
v //= np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray //= scalar input",
    """
b = np.arange(1., 4.)
b //= x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "b %=",
    """
b = np.arange(4.).copy() + 1
b %= x
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[1:] %=",
    """
b = np.arange(1., 5.)
b[1:] %= x[1:]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[[0, 2]] %=",
    """
b = np.arange(1., 5.)
b[[0, 2]] %= x[:2]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "b[b > 2] %=",
    """
b = np.arange(1., 5.)
b[b > 2] %= x[0]
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "active b %= const",
    """
b = x * 1.5
b %= 2.0
v = b[1:]
v %= np.array([1.5, 2.5, 1.2])
y = (b * b).sum()
""",
    x="np.array([0.53, 1.57, 0.71, 2.13])",
    flagged=True,
)
program(
    "augmented",
    "ndarray %= scalar input",
    """
b = np.arange(1., 4.)
b %= x
y = (b * b).sum()
""",
    x="1.37",
    flagged=True,
)
program(
    "augmented",
    "@=",
    """
A = np.eye(2) * 2
A @= x.reshape(2, 2)
y = (A * A).sum()
""",
)
program(
    "augmented",
    "active @=",
    """
A = x.reshape(2, 2) * 1.0
A @= np.array([[1., 2.], [3., 4.]])
y = (A * A).sum()
""",
)
program(
    "augmented",
    "int array += refused as numpy",
    """
b = np.arange(4)
b += x
y = b.sum()
""",
    raises="UFuncTypeError",
)
program(
    "augmented",
    "int array assigned truncates",
    """
b = np.arange(4)
b[1] = x[3] * 2.7
y = b[1] * x[0]
""",
    flagged=True,
)
program(
    "augmented",
    "float32 buffer",
    """
b = np.zeros(4, dtype=np.float32)
b[:] = x
y = (b * b).sum()
""",
    tolerance=1e-06,
    rtol=0.0001,
    h=0.02,
)
program(
    "augmented",
    "bool &=",
    """
m = x > 0
m &= x < 1
y = (x * x)[m].sum()
""",
)
program(
    "augmented",
    "bool array in arithmetic",
    """
m = x > 0
y = (x * m).sum() + (m * 2.0).sum() * x[0] + (~m * x).sum()
""",
)
program(
    "augmented",
    "shape mismatch raises",
    """
b = np.zeros(3)
b += x
y = b.sum()
""",
    raises="ValueError",
)
program(
    "augmented",
    "shape mismatch assign raises",
    """
b = np.zeros(3)
b[:] = x
y = b.sum()
""",
    raises="ValueError",
)
program(
    "augmented",
    "index error",
    """
b = np.zeros(3)
b[5] = x[0]
y = b.sum()
""",
    raises="IndexError",
    message=True,
)
program(
    "augmented",
    "index error read",
    """
y = x[7]
""",
    raises="IndexError",
    message=True,
)
program(
    "augmented",
    "index error read 2d",
    """
y = x[1, 7]
""",
    x=MATRIX,
    raises="IndexError",
    message=True,
)
program(
    "augmented",
    "too many indices",
    """
y = x[1, 2]
""",
    raises="IndexError",
    message=True,
)
program(
    "augmented",
    "add mismatch",
    """
y = (x + np.ones(3)).sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "matmul mismatch",
    """
y = (np.ones((3, 3)) @ x).sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "ambiguous truth",
    """
y = 1.0 if x > 0 else x.sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "reshape mismatch",
    """
y = x.reshape(3, 2).sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "concat mismatch",
    """
y = np.concatenate([x, np.ones((2, 2))]).sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "caught exception",
    """
try:
    y = (x + np.ones(3)).sum()
except ValueError as e:
    message = str(e)
    y = (x * x).sum()
""",
)
program(
    "augmented",
    "caught index error in write",
    """
b = np.zeros(4)
try:
    b[:2] = x[:2]
    b[9] = x[0]
except IndexError:
    b[3] = x[3]
y = (b * b).sum()
""",
)
program(
    "augmented",
    "read-only raises",
    """
b = np.zeros(4)
b.flags.writeable = False
b[0] = x[0]
y = b.sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "read-only active raises",
    """
b = x * 2
b.flags.writeable = False
b[0] = 3.
y = b.sum()
""",
    raises="ValueError",
    message=True,
)
program(
    "augmented",
    "broadcast_to is read-only",
    """
b = np.broadcast_to(x, (2, 4))
b[0, 0] = 3.
y = b.sum()
""",
    raises="ValueError",
    message=True,
)

# ---- out -----------------------------------------------------------------------------------------

program(
    "out",
    "add out empty",
    """
b = np.empty(4)
np.add(x, 1, out=b)
y = (b * b).sum()
""",
)
program(
    "out",
    "out returns same",
    """
b = np.empty(4)
c = np.exp(x, out=b)
same = c is b
c[0] = 1.
y = (b * b).sum()
""",
)
program(
    "out",
    "out active",
    """
b = x * 2
c = np.sin(b, out=b)
c *= x
y = (b * b).sum()
""",
)
program(
    "out",
    "out positional",
    """
b = np.empty(4)
np.multiply(x, x, b)
y = (b * b).sum()
""",
)
program(
    "out",
    "out slice",
    """
b = np.zeros((2, 4))
np.multiply(x, 2, out=b[0])
np.exp(x, out=b[1])
y = (b * b).sum()
""",
)
program(
    "out",
    "out where",
    """
b = np.ones(4)
np.log(x, out=b, where=x > 0)
y = (b * b).sum()
""",
    flagged=True,
)
program(
    "out",
    "out where zeros policy",
    """
b = np.zeros(4)
np.sqrt(x, out=b, where=x > 0)
y = b.sum()
""",
    x="np.array([0.0, 4.0, -1.0, 9.0])",
    grad={"x": [0, 0.25, 0, 0.16666666666666666]},
    flagged=True,
)
program(
    "out",
    "divide where away",
    """
q = np.divide(1.0, x, out=np.zeros_like(x), where=x > 0)
y = (q * q).sum()
""",
)
program(
    "out",
    "sum out",
    """
b = np.empty(2)
np.sum(x, axis=1, out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "mean out",
    """
b = np.empty(3)
np.mean(x, axis=0, out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "cumsum out",
    """
b = np.empty(4)
np.cumsum(x * x, out=b)
y = (b * b).sum()
""",
)
program(
    "out",
    "method out",
    """
b = np.empty(2)
(x * x).sum(axis=1, out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "max out",
    """
b = np.empty(2)
x.max(axis=1, out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "dot out",
    """
b = np.empty(2)
np.dot(x, np.array([1., 2., 3.]), out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "matmul out",
    """
b = np.empty((2, 2))
np.matmul(x, x.T, out=b)
y = (b * np.arange(4.).reshape(2, 2)).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "einsum out",
    """
b = np.empty((2, 2))
np.einsum('ij,kj->ik', x, x, out=b)
y = (b * np.arange(4.).reshape(2, 2)).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "clip out self",
    """
b = x * 2
np.clip(b, 0, 2.5, out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "take out",
    """
b = np.empty(3)
np.take(x, [3, 1, 1], out=b)
y = (b * b).sum()
""",
)
program(
    "out",
    "concatenate out",
    """
b = np.empty(8)
np.concatenate([x, x * x], out=b)
y = (b * np.arange(8.)).sum()
""",
)
program(
    "out",
    "stack out",
    """
b = np.empty((2, 4))
np.stack([x, x * x], out=b)
y = (b * np.arange(8.).reshape(2, 4)).sum()
""",
)
program(
    "out",
    "add.reduce out",
    """
b = np.empty(3)
np.add.reduce(x, 0, out=b)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "out",
    "add.accumulate out",
    """
b = np.empty(4)
np.add.accumulate(x, out=b)
y = (b * b).sum()
""",
)
program(
    "out",
    "multiply.outer out",
    """
b = np.empty((4, 4))
np.multiply.outer(x, x, out=b)
y = (b * np.arange(16.).reshape(4, 4)).sum()
""",
)
program(
    "out",
    "modf two outs",
    """
a, b = np.empty(4), np.empty(4)
np.modf(x * 3.3, out=(a, b))
y = (a * a).sum()
""",
    flagged=True,
)
program(
    "out",
    "divmod outs",
    """
a, b = np.empty(4), np.empty(4)
np.divmod(x, 0.31, out=(a, b))
y = (b * b).sum()
""",
    flagged=True,
)
program(
    "out",
    "round out",
    """
b = np.empty(4)
np.round(x, 1, out=b)
y = (x * b).sum()
""",
    flagged=True,
)
program(
    "out",
    "out of earlier cell",
    """
np.multiply(x, 3, out=keep)
y = (keep ** 2).sum()
""",
    setup="keep = np.zeros(4)",
)
program(
    "out",
    "out float32",
    """
b = np.empty(4, np.float32)
np.multiply(x, 3, out=b, casting='same_kind')
y = (b.astype(float) ** 2).sum()
""",
    tolerance=1e-06,
    rtol=0.0001,
    h=0.02,
)

# ---- ufunc methods -------------------------------------------------------------------------------

program(
    "ufunc methods",
    "add.at",
    """
b = np.zeros(3)
np.add.at(b, [0, 0, 2, 1], x)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "add.at active target",
    """
b = x[:3] * 1.0
np.add.at(b, [0, 0, 2, 1], x)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "add.at scalar",
    """
b = np.zeros(3)
np.add.at(b, [0, 0, 1], x[0])
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "subtract.at 2d tuple",
    """
b = np.zeros((2, 2))
np.subtract.at(b, ([0, 1, 1, 0], [0, 1, 1, 1]), x)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "multiply.at",
    """
b = np.arange(1., 4.)
np.multiply.at(b, [0, 0, 2, 1], x)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "maximum.at",
    """
b = np.full(3, 0.1)
np.maximum.at(b, [0, 0, 2, 1], x)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "negative.at",
    """
b = x * 1.0
np.negative.at(b, [0, 2])
y = (b ** 3).sum()
""",
)
program(
    "ufunc methods",
    "add.at rows",
    """
b = np.zeros((2, 3))
np.add.at(b, [0, 0, 1], x[[0, 1, 0]])
y = (b ** 2).sum()
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "add.at slice",
    """
b = np.zeros(4)
np.add.at(b, slice(1, 3), x[:2])
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "add.at of x view",
    """
b = x * 1.0
v = b[1:]
np.add.at(v, [0, 0], x[:2])
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "add.at constant operand",
    """
b = x * 1.0
np.add.at(b, [0, 0], 2.0)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "add.at mask",
    """
b = x * 1.0
np.add.at(b, x > 0, 2.0)
y = (b ** 2).sum()
""",
)
program(
    "ufunc methods",
    "add.reduce axes",
    """
y = (np.add.reduce(x, axis=1) ** 2).sum() + np.add.reduce(x, axis=(0, 1)) ** 2 + np.add.reduce(x, axis=None)
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "multiply.reduce",
    """
y = np.multiply.reduce(x) + np.multiply.reduce(x, initial=3.0)
""",
)
program(
    "ufunc methods",
    "maximum.reduce",
    """
y = np.maximum.reduce(x) ** 2 + np.minimum.reduce(x, keepdims=True)[0]
""",
)
program(
    "ufunc methods",
    "subtract.reduce",
    """
y = np.subtract.reduce(x) ** 2
""",
)
program(
    "ufunc methods",
    "divide.reduce",
    """
y = np.divide.reduce(x) ** 2
""",
)
program(
    "ufunc methods",
    "hypot.reduce",
    """
y = np.hypot.reduce(x) ** 3
""",
)
program(
    "ufunc methods",
    "logaddexp.reduce",
    """
y = np.logaddexp.reduce(x) ** 2
""",
)
program(
    "ufunc methods",
    "logaddexp.reduce axis",
    """
y = (np.logaddexp.reduce(x, axis=1) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "add.reduce where",
    """
y = np.add.reduce(x, where=x > 0) ** 2
""",
)
program(
    "ufunc methods",
    "multiply.reduce where",
    """
y = np.multiply.reduce(x, where=x > 0) ** 2
""",
)
program(
    "ufunc methods",
    "subtract.accumulate",
    """
y = (np.subtract.accumulate(x) ** 2).sum()
""",
)
program(
    "ufunc methods",
    "maximum.accumulate",
    """
y = (np.maximum.accumulate(x) ** 2).sum()
""",
)
program(
    "ufunc methods",
    "minimum.accumulate axis",
    """
y = (np.minimum.accumulate(x, axis=1) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "multiply.accumulate axis",
    """
y = (np.multiply.accumulate(x, axis=0) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "add.outer",
    """
y = (np.add.outer(x, x) ** 3).sum()
""",
)
program(
    "ufunc methods",
    "subtract.outer ndarray first",
    """
y = (np.subtract.outer(np.arange(3.), x) ** 3).sum()
""",
)
program(
    "ufunc methods",
    "power.outer",
    """
y = np.power.outer(x, [1., 2., 3.]).sum()
""",
    x=POSITIVE,
)
program(
    "ufunc methods",
    "maximum.outer matrix",
    """
y = (np.maximum.outer(x, np.array([0.1, 0.6])) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "less.outer",
    """
m = np.less.outer(x, x - 0.1)
y = (m * x).sum()
""",
)
program(
    "ufunc methods",
    "add.reduceat",
    """
y = (np.add.reduceat(x, [0, 2, 1]) ** 2).sum()
""",
)
program(
    "ufunc methods",
    "multiply.reduceat axis",
    """
y = (np.multiply.reduceat(x, [0, 2], axis=1) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "ufunc methods",
    "maximum.reduceat",
    """
y = (np.maximum.reduceat(x, [0, 2]) ** 2).sum()
""",
)
program(
    "ufunc methods",
    "logical reduce",
    """
y = x.sum() ** 2 if np.logical_and.reduce(x > -5) else x.sum()
""",
)
program(
    "ufunc methods",
    "frompyfunc",
    """
f = np.frompyfunc(lambda a, b: a * b + 1, 2, 1)
y = f(x, np.arange(4.)).sum() ** 2
""",
    fails="the sum of objects is a Python float in NumPy",
)
program(
    "ufunc methods",
    "nin nout",
    """
y = np.add.nin * x.sum() ** 2
""",
)

# ---- put -----------------------------------------------------------------------------------------

program(
    "put",
    "np.put",
    """
b = np.zeros(4)
np.put(b, [0, 3], x[:2])
y = (b * b).sum() * x[2]
""",
)
program(
    "put",
    "np.put short values",
    """
b = np.zeros(4)
np.put(b, [0, 3, 1], x[:2])
y = (b * b * np.arange(1., 5.)).sum()
""",
)
program(
    "put",
    "np.put 2d scalar",
    """
b = x * 1.0
np.put(b, [0, 4], x[0, 0] ** 2)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "np.put wrap",
    """
b = x * 1.0
np.put(b, [0, 9], x[0, :2] ** 2, mode='wrap')
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "np.put clip",
    """
b = x * 1.0
np.put(b, [-5, 99], x[0, :2] ** 2, mode='clip')
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "put method",
    """
b = x * 1.0
b.put([1, 2], [x[0], 5.0])
y = (b * b).sum()
""",
)
program(
    "put",
    "place",
    """
b = np.zeros(4)
np.place(b, x > 0, x[:2])
y = (b * b * np.arange(1., 5.)).sum()
""",
)
program(
    "put",
    "place active",
    """
b = x * 1.0
np.place(b, b > 0, [x[2], 4.0])
y = (b * b * np.arange(1., 5.)).sum()
""",
)
program(
    "put",
    "putmask",
    """
b = np.zeros(4)
np.putmask(b, x > 0, x ** 2)
y = (b * b * np.arange(1., 5.)).sum()
""",
)
program(
    "put",
    "putmask short",
    """
b = x * 1.0
np.putmask(b, b > 0, x[:3])
y = (b * b * np.arange(1., 5.)).sum()
""",
)
program(
    "put",
    "copyto",
    """
b = np.zeros(4)
np.copyto(b, x ** 2)
y = (b * b).sum()
""",
)
program(
    "put",
    "copyto where",
    """
b = np.ones(4)
np.copyto(b, x ** 2, where=x > 0)
y = (b * b).sum()
""",
)
program(
    "put",
    "copyto broadcast",
    """
b = np.zeros((2, 4))
np.copyto(b, x)
y = (b * b * np.arange(8.).reshape(2, 4)).sum()
""",
)
program(
    "put",
    "copyto active from plain",
    """
b = x * 2
np.copyto(b, np.arange(4.), where=[True, False, True, False])
y = (b * b).sum()
""",
)
program(
    "put",
    "copyto view",
    """
b = np.zeros(6)
np.copyto(b[1:5], x)
y = (b ** 2).sum()
""",
)
program(
    "put",
    "put_along_axis",
    """
b = x * 1.0
np.put_along_axis(b, np.array([[2], [0]]), x[:, 1:2] ** 2, axis=1)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "put_along_axis zeros",
    """
b = np.zeros((2, 3))
np.put_along_axis(b, np.array([[2], [0]]), x[:, 1:2] ** 2, axis=1)
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "sort in place",
    """
b = x * 1.0
b.sort()
y = (b * np.arange(4.)).sum()
""",
)
program(
    "put",
    "sort in place axis0",
    """
b = x * 1.0
b.sort(axis=0)
y = (b * np.arange(6.).reshape(2, 3)).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "sort of view",
    """
b = x * 1.0
b[1:].sort()
y = (b * np.arange(4.)).sum()
""",
)
program(
    "put",
    "sort of input",
    """
x.sort()
y = (x * np.arange(4.)).sum() ** 2
""",
)
program(
    "put",
    "sort buffer",
    """
b = np.zeros(4)
b[:] = x
b.sort()
y = (b * np.arange(4.)).sum() ** 2
""",
)
program(
    "put",
    "partition in place",
    """
b = x * 1.0
b.partition(2)
y = b[:2].sum() ** 2 + b[2] * x[0]
""",
)
program(
    "put",
    "itemset like",
    """
b = np.zeros(4)
b[np.argmax(x)] = x.max()
b[x.argmin()] = x.min() ** 2
y = (b ** 2).sum()
""",
)
program(
    "put",
    "np.resize",
    """
b = np.resize(x, (2, 3))
y = (b * b * np.arange(6.).reshape(2, 3)).sum()
""",
)
program(
    "put",
    "ndarray.resize",
    """
b = x * 1.0
b.resize((2, 2))
y = (b @ b).sum()
""",
)
program(
    "put",
    "np.append delete insert",
    """
b = np.append(x, [x[0] * x[1], 3.0])
b = np.delete(b, [0, 2])
b = np.insert(b, 1, x[3] ** 2)
y = (b * np.arange(5.)).sum()
""",
)
program(
    "put",
    "insert several",
    """
b = np.insert(x, [1, 3], x[:2] ** 2)
y = (b * b * np.arange(6.)).sum()
""",
)
program(
    "put",
    "delete axis",
    """
b = np.delete(x, 1, axis=1)
c = np.insert(x, 0, 5.0, axis=0)
d = np.append(x, x ** 2, axis=0)
y = (b ** 2).sum() + (c ** 3).sum() + (d ** 2 * np.arange(12.).reshape(4, 3)).sum()
""",
    x=MATRIX,
)
program(
    "put",
    "trim_zeros",
    """
y = (np.trim_zeros(np.concatenate([[0.], x, [0., 0.]])) * np.arange(4.)).sum()
""",
)
program(
    "put",
    "random shuffle in place plain",
    """
rng = np.random.default_rng(3)
c = np.arange(4.)
rng.shuffle(c)
y = (c * x).sum()
""",
)
program(
    "put",
    "random shuffle legacy active",
    """
np.random.seed(3)
b = x * 1.0
np.random.shuffle(b)
y = (b * np.arange(4.)).sum()
""",
)
program(
    "put",
    "random permutation active",
    """
rng = np.random.default_rng(3)
b = rng.permutation(x)
y = (b * np.arange(4.)).sum()
""",
)
program(
    "put",
    "random choice active",
    """
rng = np.random.default_rng(3)
b = rng.choice(x, 3)
y = (b * np.arange(3.)).sum()
""",
)
program(
    "put",
    "random normal loc scale",
    """
np.random.seed(1)
z = np.random.normal(x[0], x[1], size=5)
y = (z ** 2).sum()
""",
    refused="cell",
)
program(
    "put",
    "random consts",
    """
np.random.seed(0)
w = np.random.randn(4)
r = np.random.default_rng(5)
u = r.normal(size=4) + r.uniform(size=4)
w += u * x
y = (x * w).sum()
""",
)
program(
    "put",
    "random array in place",
    """
w = np.random.default_rng(0).normal(size=(2, 4))
w[0] = x
w *= 0.5
y = (w ** 2).sum()
""",
)
program(
    "put",
    "random state after",
    """
np.random.seed(7)
a = np.random.rand(3)
b = np.random.rand()
y = (a.sum() + b) * (x * x).sum()
""",
)
program(
    "put",
    "rng with active arg",
    """
rng = np.random.default_rng(1)
z = rng.normal(0, 1, 4) * x[0] + x[1]
z[z < 0] = 0
y = (z ** 2).sum()
""",
)

# ---- earlier cells -------------------------------------------------------------------------------

program(
    "earlier cells",
    "earlier array written",
    """
keep[1] = x[0] * x[1]
y = (keep ** 2).sum()
""",
    setup="keep = np.zeros(4)",
)
program(
    "earlier cells",
    "earlier array augmented",
    """
keep += x
y = (keep ** 2).sum()
""",
    setup="keep = np.arange(4.)",
)
program(
    "earlier cells",
    "earlier view written",
    """
v[0] = x[0] ** 2
y = (keep ** 2).sum()
""",
    setup="""
keep = np.zeros(4)
v = keep[1:3]
""",
)
program(
    "earlier cells",
    "earlier array written, view read",
    """
keep[1] = x[0] ** 2
y = (v ** 2).sum()
""",
    setup="""
keep = np.zeros(4)
v = keep[1:3]
""",
)
program(
    "earlier cells",
    "view whose base has no name",
    """
v[0, 1] = x[0] ** 2
y = (w ** 2).sum()
""",
    setup="""
v = np.zeros(4).reshape(2, 2)
w = v.T
""",
)
program(
    "earlier cells",
    "earlier dict",
    """
d['w'][0] = x[0] * x[1]
d['w'] *= x[2]
y = (d['w'] ** 2).sum()
""",
    setup="d = {'w': np.ones(3)}",
)
program(
    "earlier cells",
    "earlier list",
    """
L[1][:] = x[:2]
L[0] += L[1] * x[3]
y = (L[0] ** 2).sum()
""",
    setup="L = [np.ones(2), np.zeros(2)]",
)
program(
    "earlier cells",
    "earlier object",
    """
o.w[0] = x[0] * x[1]
o.w *= x[2]
o.b = x * 2
y = (o.w ** 2).sum() + o.b[0]
""",
    setup="""
class O:
    def __init__(self):
        self.w = np.ones(3)
o = O()
""",
)
program(
    "earlier cells",
    "method that mutates",
    """
o.step(x)
o.step(x * 2)
y = (o.w ** 2).sum()
""",
    setup="""
class O:
    def __init__(self):
        self.w = np.ones(4); self.n = 0
    def step(self, g):
        self.w -= 0.1 * g * self.w
        self.n += 1
o = O()
""",
)
program(
    "earlier cells",
    "class attribute",
    """
C.w[0] = x[0]
y = (C.w ** 2).sum()
""",
    setup="""
class C:
    w = np.ones(3)
""",
)
program(
    "earlier cells",
    "slots object",
    """
o.w[0] = x[0] ** 2
y = (o.w ** 2).sum()
""",
    setup="""
class O:
    __slots__ = ('w',)
    def __init__(self): self.w = np.ones(3)
o = O()
""",
)
program(
    "earlier cells",
    "dataclass",
    """
p.pos[:] = x[:2]
p.vel += x[2:] * p.pos
y = p.energy()
""",
    setup="""
from dataclasses import dataclass, field
@dataclass
class P:
    pos: np.ndarray
    vel: np.ndarray = field(default_factory=lambda: np.ones(2))
    def energy(self): return (self.vel ** 2).sum() + (self.pos ** 2).sum()
p = P(np.zeros(2))
""",
)
program(
    "earlier cells",
    "dataclass made in cell",
    """
p = P(x[:2], x[2:])
q = replace(p, vel=p.vel * p.pos)
y = q.energy()
""",
    setup="""
from dataclasses import dataclass, replace
@dataclass
class P:
    pos: np.ndarray
    vel: np.ndarray
    def energy(self): return (self.vel ** 2).sum() + (self.pos ** 2).sum()
""",
)
program(
    "earlier cells",
    "closure array",
    """
y = push(x[0]) + push(x[1] * x[2])
y = y ** 2
""",
    setup="""
def make():
    state = np.zeros(2)
    def push(v):
        state[0] = state[1]
        state[1] = v
        return state[0] * v + state.sum()
    return push
push = make()
""",
)
program(
    "earlier cells",
    "default argument array",
    """
add(x[0], 0)
add(x[1], 1)
b = add(x[2], 0)
y = (b ** 2).sum()
""",
    setup="""
def add(v, i, acc=np.zeros(3)):
    acc[i] += v
    return acc
""",
)
program(
    "earlier cells",
    "function mutates its argument",
    """
b = np.zeros(4)
fill(b, x)
fill(x, b * 2)
y = (x ** 2).sum() + (b ** 2).sum()
""",
    setup="""
def fill(target, source):
    target[:2] = source[:2] ** 2
    target[2:] += source[2:]
""",
)
program(
    "earlier cells",
    "function makes buffer",
    """
y = scan(x)[-1] ** 2 + scan(x * 2).sum()
""",
    setup="""
def scan(v):
    out = np.empty_like(v)
    out[0] = v[0]
    for i in range(1, len(v)):
        out[i] = out[i - 1] * 0.5 + v[i]
    return out
""",
)
program(
    "earlier cells",
    "from numpy import zeros",
    """
b = zeros(3)
b[0] = x[0]
c = array([x[1], x[2]])
d = np.concatenate([b, c])
y = norm(d) + exp(c).sum()
""",
    setup="""
from numpy import zeros, array, exp
from numpy.linalg import norm
""",
)
program(
    "earlier cells",
    "import in cell",
    """
import numpy as N
from numpy import sin, zeros_like
b = zeros_like(x)
b[1] = N.cos(x[0])
y = sin(b).sum() * x[1]
""",
)
program(
    "earlier cells",
    "global array in function",
    """
def f():
    G[0] = x[0]
    return (G * x[:2]).sum()
y = f() ** 2
""",
    setup="G = np.ones(2)",
)
program(
    "earlier cells",
    "earlier array aliased in dict",
    """
keep[0] = x[0] ** 2
y = d['k'].sum() * x[1]
""",
    setup="""
keep = np.ones(2)
d = {'k': keep, 'v': keep[:1]}
""",
)
program(
    "earlier cells",
    "earlier int array index",
    """
b = np.zeros(4)
b[idx] = x
b[idx[0]] += 1
y = (b * np.arange(4.)).sum() ** 2
""",
    setup="idx = np.array([2, 0, 3, 1])",
)
program(
    "earlier cells",
    "earlier int array written plain",
    """
cnt[1] += 1
b = np.zeros(3)
b[cnt[1]] = x[0]
y = (b ** 2).sum() + cnt.sum() * x[1]
""",
    setup="cnt = np.zeros(3, int)",
)
program(
    "earlier cells",
    "earlier bool array",
    """
seen[1] = True
b = np.where(seen, x[:3], 0)
y = (b ** 2).sum()
""",
    setup="seen = np.zeros(3, bool)",
)
program(
    "earlier cells",
    "earlier float32",
    """
y = (w * x).sum() + (w @ x) ** 2
""",
    setup="w = np.arange(4, dtype=np.float32)",
    tolerance=1e-15,
)
program(
    "earlier cells",
    "earlier float32 written",
    """
w[0] = x[0]
y = (w.astype(float) ** 2).sum()
""",
    setup="w = np.arange(4, dtype=np.float32)",
    tolerance=1e-06,
    rtol=0.0001,
    h=0.02,
)
program(
    "earlier cells",
    "earlier complex",
    """
z *= x
y = (np.abs(z) ** 2).sum()
""",
    setup="z = np.array([1 + 1j, 2j, 3., -1j])",
)
program(
    "earlier cells",
    "earlier structured array untouched",
    """
y = (x * rec['a']).sum()
""",
    setup="""
rec = np.zeros(4, dtype=[('a', float), ('b', int)])
rec['a'] = [1, 2, 3, 4]
""",
)
program(
    "earlier cells",
    "earlier Fortran array",
    """
A[1] = x[:3]
A[:, 0] *= x[3]
y = (A ** 2).sum()
""",
    setup="A = np.asfortranarray(np.arange(1., 10.).reshape(3, 3))",
)
program(
    "earlier cells",
    "earlier non-contiguous",
    """
A[1] = x[:2]
A[:, 0] *= x[3]
y = (B ** 2).sum()
""",
    setup="""
B = np.arange(1., 13.).reshape(3, 4)
A = B[:, ::2]
""",
)
program(
    "earlier cells",
    "input is a view",
    """
x[0] = x[1] ** 2
y = (big ** 2).sum()
""",
    x="big[1:4]",
    setup="big = np.arange(1., 6.)",
    grad={"x": [0, 114.0, 8]},
)
program(
    "earlier cells",
    "input is aliased",
    """
b[0] = x[1] ** 2
y = (x ** 2).sum()
""",
    inputs={"x": None},
    setup="""
x = np.arange(1., 5.)
b = x
""",
)
program(
    "earlier cells",
    "input has a view",
    """
v[0] = x[3] ** 2
y = (x ** 2).sum()
""",
    inputs={"x": None},
    setup="""
x = np.arange(1., 5.)
v = x[1:3]
""",
)
program(
    "earlier cells",
    "input view read",
    """
x *= 2
y = (v ** 2).sum()
""",
    inputs={"x": None},
    setup="""
x = np.arange(1., 5.)
v = x[1:3]
""",
)
program(
    "earlier cells",
    "input view read without write",
    """
y = (v ** 2).sum() + x[0]
""",
    inputs={"x": None},
    setup="""
x = np.arange(1., 5.)
v = x[1:3]
""",
)
program(
    "earlier cells",
    "input in dict read",
    """
y = (d['x'] * x).sum()
""",
    inputs={"x": None},
    setup="""
x = np.arange(1., 5.)
d = {'x': x}
""",
)
program(
    "earlier cells",
    "input transposed view read",
    """
y = (T @ x).sum() ** 2
""",
    inputs={"x": None},
    setup="""
x = np.arange(1., 7.).reshape(2, 3)
T = x.T
""",
)
program(
    "earlier cells",
    "two inputs share memory",
    """
y = (x * z).sum()
""",
    inputs={"x": None, "z": None},
    setup="""
x = np.arange(1., 5.)
z = x[::-1]
""",
    grad={"x": [4, 3, 2, 1], "z": [1, 2, 3, 4]},
)
program(
    "earlier cells",
    "input int array",
    """
y = (x ** 2 / 2).sum()
""",
    x="np.array([1, 2, 3])",
)
program(
    "earlier cells",
    "input 2d Fortran",
    """
x[0] = x[1] * 1.5
v = x.ravel(order='K')
v[1] = 3.0
y = (x ** 2 / 2 * np.arange(4.).reshape(2, 2)).sum()
""",
    x="np.asfortranarray(np.array([[1., 2.], [3., 4.]]))",
)
program(
    "earlier cells",
    "input non-contiguous",
    """
x[0] = x[1] * 1.5
v = x[1:]
v *= 2
y = (x ** 2 / 2).sum()
""",
    inputs={"x": None},
    setup="""
big = np.arange(1., 10.)
x = big[::3]
""",
)
program(
    "earlier cells",
    "input empty",
    """
y = x.sum() + 3.0
""",
    x="np.zeros(0)",
)
program(
    "earlier cells",
    "input 0-d",
    """
y = x * x + np.sin(x)
""",
    x="np.array(1.3)",
)
program(
    "earlier cells",
    "input 1x1",
    """
y = (x @ x)[0, 0] * x.item()
""",
    x="np.array([[1.3]])",
)
program(
    "earlier cells",
    "scalar and array",
    """
y = (a * x).sum() ** 2 + a
""",
    inputs={"a": "1.3", "x": "np.array([0.5, 1.5, -0.7, 2.0])"},
)
program(
    "earlier cells",
    "scalar np.float64",
    """
y = np.exp(a) * (np.arange(3.) * a).sum()
""",
    inputs={"a": "np.float64(1.3)"},
)
program(
    "earlier cells",
    "array output",
    """
y = np.outer(x, x)[1:]
""",
)
program(
    "earlier cells",
    "list output",
    """
y = [x[0] * x[1], x.sum(), 3.0]
""",
)
program(
    "earlier cells",
    "list of arrays output",
    """
y = [x[:2] * x[1], x[2:] ** 2]
""",
)
program(
    "earlier cells",
    "array untouched output",
    """
y = np.arange(3.)
""",
)
program(
    "earlier cells",
    "trailing expression",
    """
b = x * 2
b[0] = 1
(b ** 2).sum()
""",
    of=None,
)
program(
    "earlier cells",
    "trailing array expression",
    """
b = x * 2
b[0] = 1
b ** 2
""",
    of=None,
)
program(
    "earlier cells",
    "buffer as output",
    """
y = np.zeros(3)
y[0] = x[0] * x[1]
y[2] = x[2]
""",
)
program(
    "earlier cells",
    "plain buffer as output",
    """
y = np.zeros(3)
y[0] = 2.5
""",
)
program(
    "earlier cells",
    "view of buffer as output",
    """
b = np.zeros(5)
b[1:] = x
y = b[::-2]
""",
)
program(
    "earlier cells",
    "output then overwritten alias",
    """
y = x * 2
v = y[:2]
v[0] = x[3]
""",
)
program(
    "earlier cells",
    "input as output",
    """
y = x
""",
)
program(
    "earlier cells",
    "input as output written",
    """
x[0] = 2 * x[1]
y = x
""",
)
program(
    "earlier cells",
    "output 0-d array",
    """
y = np.array(x[0] * x[1])
""",
)
program(
    "earlier cells",
    "output object array",
    """
y = np.array([x[0], x[1] ** 2], dtype=object)
""",
)
program(
    "earlier cells",
    "complex output refused",
    """
y = x * 1j
""",
    refused="output",
)
program(
    "earlier cells",
    "generator of earlier cell",
    """
y = 0.0
for v in gen(x):
    y = y + (v ** 2).sum()
""",
    setup="""
def gen(a):
    buf = np.zeros(2)
    for k in range(3):
        buf[:] = a[k:k + 2]
        buf *= k + 1
        yield buf
""",
)
program(
    "earlier cells",
    "lambda with default",
    """
y = sum(f(x) for f in fs)
""",
    setup="fs = [lambda v, k=k: (v ** k).sum() for k in range(1, 4)]",
)
program(
    "earlier cells",
    "partial",
    """
y = g(x) ** 2
""",
    setup="""
from functools import partial
g = partial(np.dot, np.arange(4.))
""",
)
program(
    "earlier cells",
    "functools.reduce of arrays",
    """
y = reduce(np.multiply, [x, x + 1, x * 2]).sum()
""",
    setup="from functools import reduce",
)
program(
    "earlier cells",
    "map of np function",
    """
y = sum(map(np.sin, x)) + sum(map(np.sum, [x, x * x]))
""",
)
program(
    "earlier cells",
    "sorted with key",
    """
y = sorted(x, key=lambda v: -v)[0] ** 2 + max(x) * min(x) + sum(x)
""",
)
program(
    "earlier cells",
    "namedtuple of arrays",
    """
s = S(x * 2, np.zeros(2))
s.b[0] = x[0]
y = (s.a ** 2).sum() + (s.b ** 3).sum()
""",
    setup="""
from collections import namedtuple
S = namedtuple('S', 'a b')
""",
)
program(
    "earlier cells",
    "deque of arrays",
    """
q = deque([x, x * 2], maxlen=2)
q.append(q[0] + q[1])
y = (q[0] * q[1]).sum()
""",
    setup="from collections import deque",
)
program(
    "earlier cells",
    "defaultdict of arrays",
    """
acc = defaultdict(lambda: np.zeros(2))
for k in range(4):
    acc[k % 2] += x[k] * np.array([1., 2.])
y = sum((v ** 2).sum() for v in acc.values())
""",
    setup="from collections import defaultdict",
)
program(
    "earlier cells",
    "copy.deepcopy of buffers",
    """
b = np.zeros(2)
b[0] = x[0]
c = copy.deepcopy({'b': b, 'x': x})
c['b'][1] = x[1]
b[1] = 3.
y = (c['b'] ** 2).sum() + (b ** 2).sum() * (c['x'] ** 2).sum()
""",
)
program(
    "earlier cells",
    "copy.copy of object",
    """
o2 = copy.copy(o)
o2.w[0] = x[0]
o3 = copy.deepcopy(o)
o3.w[1] = x[1]
y = (o.w ** 2).sum() + (o3.w ** 3).sum()
""",
    setup="""
class O: pass
o = O()
o.w = np.ones(2)
""",
)
program(
    "earlier cells",
    "exception leaves plain",
    """
b = np.zeros(2)
b[0] = x[0]
raise RuntimeError('stop')
""",
    raises="RuntimeError",
    message=True,
)
program(
    "earlier cells",
    "try finally restores",
    """
old = w.copy()
try:
    w[:] = x
    y = (w ** 2).sum()
finally:
    w[:] = old
""",
    setup="w = np.ones(4)",
)
program(
    "earlier cells",
    "context manager np.errstate",
    """
with np.errstate(divide='ignore', invalid='ignore'):
    y = np.where(x > 0, np.log(x), 0.0).sum()
""",
    flagged=True,
)
program(
    "earlier cells",
    "memoised by id",
    """
cache = {}
def f(a):
    k = id(a)
    if k not in cache: cache[k] = a * 2
    return cache[k]
b = x * 3
y = (f(b) * f(b)).sum()
cache.clear()
""",
)
program(
    "earlier cells",
    "weakref",
    """
import weakref
b = x * 2
r = weakref.ref(b)
y = (r() ** 2).sum()
del r
""",
)
program(
    "earlier cells",
    "pickle roundtrip plain",
    """
import pickle
w2 = pickle.loads(pickle.dumps(w))
w2[0] = 5.
with_none = pickle.loads(pickle.dumps({'a': w2}))
y = (w2 * x).sum()
""",
    setup="w = np.arange(4.)",
)
program(
    "earlier cells",
    "import pandas-less csv text",
    """
import io
w = np.loadtxt(io.StringIO('1 2 3 4'))
w[0] *= x[0]
y = (w * x).sum()
""",
)

# ---- python side ---------------------------------------------------------------------------------

program(
    "python side",
    "isinstance",
    """
ok = [isinstance(x, np.ndarray), isinstance(x[0], float), isinstance(x[0], np.floating), isinstance(x[0], np.float64), isinstance(x, (list, tuple))]
y = (x * x).sum()
""",
)
program(
    "python side",
    "isinstance derived",
    """
b = x * 2
z = np.zeros(2)
ok = [isinstance(b, np.ndarray), isinstance(z, np.ndarray), isinstance(b.sum(), float), isinstance(b.sum(), np.float64), isinstance(np.sin(x[0]), np.float64)]
y = (b * b).sum()
""",
)
program(
    "python side",
    "type is",
    """
b = x * 2
z = np.zeros(2)
z[0] = x[0]
ok = [type(x) is np.ndarray, type(b) is np.ndarray, type(z) is np.ndarray, type(np.ones(2)) is np.ndarray, type(x[0]) is np.float64, type(x[0]) is float]
y = (b * b).sum() + z.sum()
""",
)
program(
    "python side",
    "type name",
    """
b = np.zeros(2)
names = [type(x).__name__, type(b).__name__, x.__class__.__name__, b.__class__.__name__, type(x[0]).__name__]
y = (x * x).sum()
""",
)
program(
    "python side",
    "type dispatch dict",
    """
y = {np.ndarray: lambda v: (v * v).sum(), float: lambda v: v}[type(x)](x)
""",
)
program(
    "python side",
    "singledispatch",
    """
y = f(x) + f(x[0])
""",
    setup="""
from functools import singledispatch
@singledispatch
def f(v): return 0.0
@f.register(np.ndarray)
def _(v): return (v * v).sum()
@f.register(float)
def _(v): return v ** 3
""",
)
program(
    "python side",
    "match on type",
    """
match x:
    case np.ndarray(): y = (x * x).sum()
    case _: y = 0.0
""",
)
program(
    "python side",
    "attributes",
    """
info = [x.dtype, x.shape, x.ndim, x.size, x.itemsize, x.nbytes, x.strides, x.dtype == float, x.dtype == np.float64, x.dtype.kind, x.dtype.name, len(x)]
y = (x * x).sum()
""",
    x=MATRIX,
)
program(
    "python side",
    "flags attributes",
    """
b = x * 2
info = [b.flags.c_contiguous, b.T.flags.c_contiguous, b.flags['OWNDATA'], b.flags.writeable, b.base is None, b[1:].base is b]
y = (b * b).sum()
""",
    x=MATRIX,
)
program(
    "python side",
    "issubdtype",
    """
info = [np.issubdtype(x.dtype, np.floating), np.issubdtype(x.dtype, np.integer), np.isscalar(x), np.isscalar(x[0]), np.isscalar(x.sum()), np.ndim(x), np.shape(x), np.size(x), np.isrealobj(x), np.iscomplexobj(x)]
y = (x * x).sum()
""",
    x=MATRIX,
)
program(
    "python side",
    "result_type",
    """
info = [np.result_type(x, 1.0), np.result_type(x, np.float32), np.can_cast(x.dtype, int), np.promote_types(x.dtype, np.float32)]
y = (x * x).sum()
""",
    x=MATRIX,
)
program(
    "python side",
    "len unpack star",
    """
a, *b, c = x
d, e = x[:2]
n = len(x)
y = a * sum(b) + c ** 2 + d * e + n
""",
)
program(
    "python side",
    "enumerate zip reversed",
    """
y = 0.0
for k, (a, b) in enumerate(zip(x, reversed(x))):
    y += k * a * b
""",
)
program(
    "python side",
    "comprehensions",
    """
sq = [v ** 2 for v in x]
d = {k: v for k, v in enumerate(x)}
t = tuple(v for v in x if v > 0)
y = sum(sq) + d[0] * d[1] + len(t) * t[-1]
""",
)
program(
    "python side",
    "x in list",
    """
y = (x * x).sum() if 9.0 not in x else x.sum()
""",
)
program(
    "python side",
    "any all builtins",
    """
y = (x * x).sum() if any(x > 1) and not all(x > 1) else x.sum()
""",
)
program(
    "python side",
    "min max of arrays",
    """
y = max(x) * min(x) + max(x[0], x[1]) * min(2.0, x[3] + 3)
""",
)
program(
    "python side",
    "sum with start array",
    """
y = (sum([x, x * 2, x ** 2], np.zeros(4)) ** 2).sum()
""",
)
program(
    "python side",
    "sum of rows",
    """
y = (sum(x) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "python side",
    "math on entries",
    """
y = math.sin(x[0]) + math.exp(x[1]) * math.hypot(x[2], x[3]) + math.fsum(x) + math.prod(x) + math.dist(x[:2], x[2:]) + math.sumprod(x, x) if hasattr(math, 'sumprod') else math.sin(x[0]) * math.sqrt(x[3]) + math.fsum(x) + math.prod(x) + math.dist(x[:2], x[2:])
""",
)
program(
    "python side",
    "float of entry",
    """
y = float(x[0]) * x[1] + float(x.sum())
""",
)
program(
    "python side",
    "int of entry",
    """
k = int(x[3])
y = x[k] * x[0] + k
""",
    x="np.array([0.5, 1.5, -0.7, 2.1])",
    flagged=True,
)
program(
    "python side",
    "index by computed int",
    """
k = np.argmax(x)
j = int(np.argmin(x))
y = x[k] ** 2 * x[j]
""",
)
program(
    "python side",
    "round of array builtin",
    """
y = (x - round(x[0], 1)).sum() + abs(x).sum()
""",
    x="np.array([0.53, 1.5, -0.7])",
    flagged=True,
)
program(
    "python side",
    "divmod builtin",
    """
q, r = divmod(x, 0.31)
y = (r * x).sum() + q.sum()
""",
    flagged=True,
)
program(
    "python side",
    "pow builtin",
    """
y = pow(x, 3).sum() + pow(2.0, x).sum()
""",
)
program(
    "python side",
    "abs builtin",
    """
y = abs(x).sum() * abs(x[2])
""",
)
program(
    "python side",
    "chained comparison on entries",
    """
y = x.sum() ** 2 if -1 < x[0] < 1 else 0.0
""",
)
program(
    "python side",
    "ndarray on the left",
    """
w = np.arange(4.)
y = (w + x).sum() * (w * x).sum() + (w - x)[0] ** 2 + (w / (x + 3)).sum() + (w ** (x + 2)).sum() + (w @ x) + w.dot(x) + np.dot(w, x)
""",
)
program(
    "python side",
    "np.float64 on the left",
    """
c = np.float64(1.5)
y = (c * x).sum() + (c - x).sum() * (c / (x + 3)).sum() + (c ** x).sum() + c * x[0] + c ** x[1]
""",
)
program(
    "python side",
    "np.float32 scalar",
    """
c = np.float32(1.5)
y = (c * x).sum() + c * x[0]
""",
)
program(
    "python side",
    "np.int64 scalar",
    """
c = np.int64(2)
y = (x ** c).sum() + c * x[0] + x[0] ** c + (c ** (x + 1.)).sum()
""",
)
program(
    "python side",
    "list on the side",
    """
y = (x + [1, 2, 3, 4]).sum() * ([1., 2., 3., 4.] * x).sum() + (x @ [1, 2, 3, 4]) + np.dot([1, 2, 3, 4], x)
""",
)
program(
    "python side",
    "tuple on the side",
    """
y = ((1, 2, 3, 4) - x).sum() ** 2
""",
)
program(
    "python side",
    "bool times array",
    """
y = (True * x).sum() ** 2 + (x * False).sum()
""",
)
program(
    "python side",
    "None comparison",
    """
y = (x * x).sum() if x is not None else 0.0
""",
)
program(
    "python side",
    "eq None elementwise",
    """
m = (x == None)
y = (x * x).sum() + m.sum()
""",
)
program(
    "python side",
    "string comparison",
    """
m = (x == 'a')
y = (x * x).sum()
""",
)
program(
    "python side",
    "prints",
    """
print(x)
print(repr(x), str(x[0]), x[0])
print(f'{x} {x[1]:.3f} {x.sum():8.2e} {x!r}')
print('%s %.2f' % (x, x[0]), '{}'.format(x * 2))
y = (x * x).sum()
""",
)
program(
    "python side",
    "prints of buffers",
    """
b = np.zeros(3)
print(b, repr(b))
b[0] = x[0]
print(b, repr(b), f'{b}', b[0], [b], {'a': b})
y = (b * b).sum()
""",
)
program(
    "python side",
    "prints of lists",
    """
print([x, x[0]], (x,), {'a': x[1]})
y = (x * x).sum()
""",
)
program(
    "python side",
    "printoptions",
    """
with np.printoptions(precision=2, suppress=True):
    s = str(x) + np.array2string(x * 2, separator=',')
print(s)
y = (x * x).sum()
""",
)
program(
    "python side",
    "format spec on array raises",
    """
s = f'{x:.2f}'
y = x.sum()
""",
    raises="TypeError",
)
program(
    "python side",
    "np.testing",
    """
b = np.zeros(4)
b[:] = x
np.testing.assert_allclose(b, x)
np.testing.assert_array_equal(b, x)
np.testing.assert_almost_equal(b[0], x[0])
assert np.allclose(b, x) and np.isclose(b, x).all() and np.array_equal(b, x)
y = (b * x).sum()
""",
    flagged=True,
)
program(
    "python side",
    "np.testing fails",
    """
np.testing.assert_allclose(x, x + 1)
y = (x * x).sum()
""",
    raises="AssertionError",
    message=True,
)
program(
    "python side",
    "assert shape",
    """
assert x.shape == (4,) and (x < 9).all(), 'bad'
y = (x * x).sum()
""",
)
program(
    "python side",
    "tolist",
    """
L = x.tolist()
y = sum(v * v for v in L) + L[0]
""",
)
program(
    "python side",
    "tolist 2d",
    """
L = x.tolist()
y = sum(v * v for r in L for v in r) + L[1][0]
""",
    x=MATRIX,
)
program(
    "python side",
    "list(x)",
    """
L = list(x)
L.append(x[0] * 2)
L[0] = 3.0
y = np.sum(L) ** 2 + np.mean(L)
""",
)
program(
    "python side",
    "item",
    """
y = x[1:2].item() * x.item(0) + x.item(3)
""",
)
program(
    "python side",
    "item 2d",
    """
y = x.item(1, 2) * x.item(4)
""",
    x=MATRIX,
)
program(
    "python side",
    "nested list of rows",
    """
rows = [x, x * 2, [1., 2., 3., 4.]]
A = np.array(rows)
y = (A @ A.T).sum()
""",
)
program(
    "python side",
    "hash raises",
    """
try:
    hash(x)
except TypeError as e:
    s = str(e)
y = (x * x).sum()
""",
)
program(
    "python side",
    "boolean of size one",
    """
y = (x * x).sum() if x[:1] > 0 else x.sum()
""",
)
program(
    "python side",
    "bool of empty",
    """
y = (x * x).sum() if x[:0].size else x.sum()
""",
)
program(
    "python side",
    "while not converged",
    """
b = x * 1.0
n = 0
while np.abs(b).max() > 0.1:
    b = b * 0.5
    n += 1
y = (b * b).sum() * n
""",
)
program(
    "python side",
    "del and gc",
    """
b = x * 2
v = b[1:]
del b
v[0] = x[3]
y = (v * v).sum()
""",
)
program(
    "python side",
    "walrus",
    """
y = (b := x * 2).sum() + (b ** 2).sum()
""",
)
program(
    "python side",
    "class in cell",
    """
class Layer:
    def __init__(self, W): self.W = W; self.cache = np.zeros(2)
    def __call__(self, v):
        self.cache[:] = self.W @ v
        return np.tanh(self.cache)
l = Layer(x.reshape(2, 2))
y = (l(np.array([1., 2.])) ** 2).sum()
""",
)
program(
    "python side",
    "recursion on halves",
    """
def ms(v):
    if len(v) <= 1: return v
    a, b = ms(v[:len(v) // 2]), ms(v[len(v) // 2:])
    out = np.empty(len(v)); i = j = 0
    for k in range(len(v)):
        if j >= len(b) or (i < len(a) and a[i] <= b[j]): out[k] = a[i]; i += 1
        else: out[k] = b[j]; j += 1
    return out
y = (ms(x) * np.arange(4.)).sum() ** 2
""",
)
program(
    "python side",
    "getattr setattr",
    """
o = type('O', (), {})()
setattr(o, 'v', np.zeros(2))
getattr(o, 'v')[0] = x[0]
y = (o.v ** 2).sum()
""",
)
program(
    "python side",
    "operator module",
    """
import operator as op
b = x * 1.0
b = op.iadd(b, 1)
op.setitem(b, 0, x[1] * x[2])
y = op.matmul(b, b) + op.getitem(b, 1) + op.itemgetter(2)(b)
""",
)
program(
    "python side",
    "itertools",
    """
from itertools import accumulate, product, combinations
y = sum(accumulate(x)) + sum(a * b for a, b in combinations(x, 2)) + sum(a * b for a, b in product(x, x))
""",
)
program(
    "python side",
    "statistics module",
    """
import statistics
y = statistics.mean(x) + statistics.variance(x.tolist()) + statistics.median(list(x))
""",
    tolerance=1e-14,
)
program(
    "python side",
    "threadless exec",
    """
exec('b = np.zeros(2); b[0] = x[0] ** 2')
y = (b ** 2).sum()
""",
)
program(
    "python side",
    "np.random in loop with seed",
    """
rng = np.random.default_rng(0)
w = np.zeros(4)
for _ in range(5):
    w -= 0.1 * (w - x + rng.normal(size=4))
y = (w * w).sum()
""",
)

# ---- loops ---------------------------------------------------------------------------------------

program(
    "loops",
    "HIPS 58 filled in loop",
    """
B = np.zeros((2, 2))
for i in range(2):
    for j in range(2):
        B[i, j] = x[i] * x[2 + j] + i
y = np.sum(B @ B)
""",
)
program(
    "loops",
    "HIPS 177 assignment in array",
    """
def f(x):
    out = np.zeros(4)
    for i in range(4):
        out[i] = x[i] ** i
    return np.sum(out)
y = f(x)
""",
)
program(
    "loops",
    "HIPS 375 array of arrays",
    """
z = np.zeros(4)
z[0] = x[0] ** 2
z[1:] = x[1:] * z[0]
y = z[-1] * z.sum()
""",
)
program(
    "loops",
    "HIPS 515 A[i,j]",
    """
A = np.zeros((4, 4))
for i in range(4):
    for j in range(4):
        A[i, j] = np.exp(-(x[i] - x[j]) ** 2)
y = np.sum(A) + np.trace(A @ A)
""",
)
program(
    "loops",
    "HIPS 13 in-place",
    """
a = np.zeros(4)
a += x
a[2] = 5.0
a *= a
y = a.sum()
""",
)
program(
    "loops",
    "RNN",
    """
h = np.zeros(2)
hs = np.zeros((5, 2))
for t in range(5):
    h = np.tanh(x.reshape(2, 2) @ h + U[t])
    hs[t] = h
y = (hs ** 2).sum()
""",
    setup="U = np.linspace(-1, 1, 10).reshape(5, 2)",
)
program(
    "loops",
    "heat equation",
    """
u = np.zeros(8)
u[2:6] = x
for _ in range(6):
    u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
y = (u ** 2).sum()
""",
)
program(
    "loops",
    "heat two buffers",
    """
u, v = np.zeros(8), np.zeros(8)
u[2:6] = x
for _ in range(6):
    v[1:-1] = u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    u, v = v, u
y = (u ** 2).sum() + v[3]
""",
)
program(
    "loops",
    "heat 2d",
    """
u = np.zeros((5, 5))
u[2, 2] = x[0]
u[1, 1:3] = x[1:3]
for _ in range(3):
    u[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
y = (u ** 2).sum() * x[3]
""",
)
program(
    "loops",
    "Gauss-Seidel",
    """
u = np.zeros(6)
for _ in range(4):
    for i in range(1, 5):
        u[i] = 0.5 * (u[i - 1] + u[i + 1] + x[i - 1])
y = (u * u).sum()
""",
)
program(
    "loops",
    "Gauss elimination",
    """
A = S.copy()
b = x.copy()
n = len(b)
for k in range(n):
    A[k, k] += x[k]
for k in range(n):
    for i in range(k + 1, n):
        f = A[i, k] / A[k, k]
        A[i, k:] -= f * A[k, k:]
        b[i] -= f * b[k]
z = np.zeros(n)
for i in range(n - 1, -1, -1):
    z[i] = (b[i] - A[i, i + 1:] @ z[i + 1:]) / A[i, i]
y = (z * z).sum()
""",
    x="np.array([0.5, 1.5, 0.7])",
    setup="S = np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])",
)
program(
    "loops",
    "Gauss with pivoting",
    """
A = x.copy()
b = np.array([1., 2., 3.])
for k in range(3):
    p = k + np.argmax(np.abs(A[k:, k]))
    A[[k, p]] = A[[p, k]]
    b[[k, p]] = b[[p, k]]
    for i in range(k + 1, 3):
        f = A[i, k] / A[k, k]
        A[i] -= f * A[k]
        b[i] -= f * b[k]
y = (b ** 2).sum() + A[2, 2]
""",
    x="np.array([[0.2, 0.5, -0.3], [1.4, 0.7, 0.6], [-2.2, 0.1, 0.5]])",
)
program(
    "loops",
    "LU by hand",
    """
A = x.copy()
L = np.eye(3)
for k in range(3):
    L[k + 1:, k] = A[k + 1:, k] / A[k, k]
    A[k + 1:] -= np.outer(L[k + 1:, k], A[k])
y = np.log(np.abs(np.diag(A))).sum() + (L ** 2).sum()
""",
    x=SQUARE,
)
program(
    "loops",
    "Cholesky by hand",
    """
n = 3
A = x @ x.T + np.eye(n)
L = np.zeros((n, n))
for i in range(n):
    for j in range(i + 1):
        s = A[i, j] - L[i, :j] @ L[j, :j]
        L[i, j] = np.sqrt(s) if i == j else s / L[j, j]
y = 2 * np.log(np.diag(L)).sum() + L.sum()
""",
    x=SQUARE,
)
program(
    "loops",
    "Gram-Schmidt",
    """
Q = x.copy()
for i in range(3):
    for j in range(i):
        Q[:, i] -= (Q[:, j] @ Q[:, i]) * Q[:, j]
    Q[:, i] /= np.sqrt(Q[:, i] @ Q[:, i])
y = (Q * np.arange(9.).reshape(3, 3)).sum()
""",
    x=SQUARE,
)
program(
    "loops",
    "Jacobi power iteration",
    """
v = np.ones(3)
for _ in range(20):
    v = x @ v
    v /= np.linalg.norm(v)
y = v @ x @ v
""",
    x=SQUARE,
)
program(
    "loops",
    "Floyd-Warshall",
    """
D = np.full((4, 4), 10.0)
D[0, 1], D[1, 2], D[2, 3], D[0, 3] = x[0], x[1], x[2], 5.0
np.fill_diagonal(D, 0)
for k in range(4):
    for i in range(4):
        for j in range(4):
            if D[i, k] + D[k, j] < D[i, j]:
                D[i, j] = D[i, k] + D[k, j]
y = D[0].sum() + D[1, 3] ** 2
""",
    x=POSITIVE,
    flagged=True,
)
program(
    "loops",
    "Floyd-Warshall minimum",
    """
D = np.full((4, 4), 10.0)
D[0, 1], D[1, 2], D[2, 3], D[0, 3] = x[0], x[1], x[2], 5.0
for k in range(4):
    D = np.minimum(D, D[:, k:k + 1] + D[k:k + 1])
y = D[0].sum() + D[1, 3] ** 2
""",
    x=POSITIVE,
)
program(
    "loops",
    "min out update",
    """
D = np.full(4, 3.0)
np.minimum(D, x, out=D)
np.maximum(D, -0.2, out=D)
y = (D * D).sum()
""",
)
program(
    "loops",
    "conv loop 1d",
    """
k = x[:2]
s = np.arange(1., 6.)
out = np.zeros(4)
for i in range(4):
    for j in range(2):
        out[i] += k[j] * s[i + j]
y = (out ** 2).sum()
""",
)
program(
    "loops",
    "conv loop 2d",
    """
img = np.arange(16.).reshape(4, 4) / 10
K = x.reshape(2, 2)
out = np.empty((3, 3))
for i in range(3):
    for j in range(3):
        out[i, j] = (img[i:i + 2, j:j + 2] * K).sum()
y = np.maximum(out, 0.5).sum()
""",
)
program(
    "loops",
    "im2col sliding window",
    """
from numpy.lib.stride_tricks import sliding_window_view
w = sliding_window_view(x, 2)
y = ((w @ np.array([1., 2.])) ** 2).sum()
""",
)
program(
    "loops",
    "sliding window of buffer",
    """
from numpy.lib.stride_tricks import sliding_window_view
b = np.zeros(5)
b[1:] = x
w = sliding_window_view(b, 3)
y = (w.max(axis=1) ** 2).sum()
""",
)
program(
    "loops",
    "as_strided",
    """
from numpy.lib.stride_tricks import as_strided
w = as_strided(x, (3, 2), (8, 8))
y = (w ** 2 * np.arange(6.).reshape(3, 2)).sum()
""",
)
program(
    "loops",
    "cumulative DP",
    """
best = np.zeros(5)
for i in range(1, 5):
    best[i] = max(best[i - 1], best[i - 2] + x[i - 1] if i > 1 else x[0])
y = best[-1] ** 2
""",
)
program(
    "loops",
    "DTW",
    """
n = 4
D = np.full((n + 1, n + 1), np.inf)
D[0, 0] = 0
for i in range(n):
    for j in range(n):
        D[i + 1, j + 1] = (x[i] - t[j]) ** 2 + min(D[i, j + 1], D[i + 1, j], D[i, j])
y = D[n, n]
""",
    setup="t = np.array([0.4, 1.2, -0.1, 1.1])",
)
program(
    "loops",
    "forward algorithm HMM",
    """
A = np.exp(x.reshape(2, 2)); A /= A.sum(1, keepdims=True)
a = np.array([0.5, 0.5])
ll = 0.0
for o in [0, 1, 1, 0]:
    a = a @ A
    a *= E[:, o]
    s = a.sum(); ll += np.log(s); a /= s
y = ll
""",
    setup="E = np.array([[0.7, 0.3], [0.2, 0.8]])",
)
program(
    "loops",
    "Verlet",
    """
p, v = np.array([1., 0.]), x[:2].copy()
traj = np.empty((10, 2))
for k in range(10):
    a = -p / np.linalg.norm(p) ** 3 * x[3]
    v += 0.05 * a
    p += 0.05 * v
    traj[k] = p
y = (traj[-1] ** 2).sum() + traj[:, 0].mean()
""",
)
program(
    "loops",
    "trajectory appended in place bug",
    """
p = x[:2].copy()
traj = []
for k in range(3):
    p += x[2:]
    traj.append(p)
y = (np.array(traj) * np.arange(6.).reshape(3, 2)).sum()
""",
)
program(
    "loops",
    "trajectory copies",
    """
p = x[:2].copy()
traj = []
for k in range(3):
    p += x[2:]
    traj.append(p.copy())
y = (np.array(traj) ** 2 * np.arange(6.).reshape(3, 2)).sum()
""",
)
program(
    "loops",
    "SGD with momentum",
    """
w, m = np.zeros(4), np.zeros(4)
for t in range(5):
    g = 2 * (w - x)
    m *= 0.9
    m += g
    w -= 0.1 * m
y = (w * w).sum()
""",
)
program(
    "loops",
    "Adam",
    """
w, m, v = np.zeros(4), np.zeros(4), np.zeros(4)
for t in range(1, 6):
    g = 2 * (w - x)
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g ** 2
    w -= 0.1 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
y = (w * w).sum() + (w * x).sum()
""",
)
program(
    "loops",
    "Adam all in place",
    """
w, m, v = np.zeros(4), np.zeros(4), np.zeros(4)
for t in range(1, 6):
    g = 2 * (w - x)
    m *= 0.9; m += 0.1 * g
    v *= 0.999; v += 0.001 * np.square(g)
    w -= 0.1 * m / (np.sqrt(v) + 1e-3)
y = (w * w).sum() + (w * x).sum()
""",
)
program(
    "loops",
    "training with params dict",
    """
params = {'W': x.reshape(2, 2) * 1.0, 'b': np.zeros(2)}
for _ in range(3):
    h = np.tanh(X @ params['W'] + params['b'])
    dh = (h - Y) * (1 - h ** 2)
    grads = {'W': X.T @ dh, 'b': dh.sum(0)}
    for k in params:
        params[k] -= 0.1 * grads[k]
y = ((np.tanh(X @ params['W'] + params['b']) - Y) ** 2).mean()
""",
    setup="""
X = np.linspace(-1, 1, 6).reshape(3, 2)
Y = np.array([[0., 1.], [1., 0.], [0.5, 0.5]])
""",
)
program(
    "loops",
    "outer loop accumulating matrix",
    """
C = np.zeros((2, 2))
for a in x:
    for b in x:
        C += np.array([[a, b], [a * b, 1.0]])
y = np.linalg.norm(C) ** 2
""",
)
program(
    "loops",
    "prefix sums in place",
    """
b = x.copy()
for i in range(1, 4):
    b[i] += b[i - 1]
y = (b * b).sum()
""",
)
program(
    "loops",
    "np.cumsum vs loop",
    """
b = np.zeros(5)
b[1:] = np.cumsum(x)
y = ((b[2:] - b[:-2]) ** 2).sum()
""",
)
program(
    "loops",
    "Horner in place",
    """
acc = np.zeros(3)
t = np.array([0.1, 0.5, 2.0])
for c in x:
    acc *= t
    acc += c
y = (acc ** 2).sum()
""",
)
program(
    "loops",
    "bubble sort",
    """
b = x.copy()
for i in range(4):
    for j in range(3 - i):
        if b[j] > b[j + 1]:
            b[j], b[j + 1] = b[j + 1], b[j]
y = (b * np.arange(1., 5.)).sum() ** 2
""",
)
program(
    "loops",
    "FFT by hand",
    """
def fft(a):
    n = len(a)
    if n == 1: return a
    e, o = fft(a[::2]), fft(a[1::2])
    w = np.exp(-2j * np.pi * np.arange(n // 2) / n) * o
    return np.concatenate([e + w, e - w])
y = (np.abs(fft(x)) ** 2 * np.arange(4.)).sum()
""",
)
program(
    "loops",
    "Haar wavelet in place",
    """
b = x.copy()
n = 4
while n > 1:
    e, o = b[:n:2].copy(), b[1:n:2].copy()
    b[:n // 2] = (e + o) / 2
    b[n // 2:n] = (e - o) / 2
    n //= 2
y = (b ** 2 * np.arange(1., 5.)).sum()
""",
)
program(
    "loops",
    "k-means step",
    """
c = x[:2].copy()
for _ in range(3):
    lab = np.argmin(np.abs(pts[:, None] - c), axis=1)
    for k in range(2):
        if (lab == k).any():
            c[k] = 0.5 * c[k] + 0.5 * pts[lab == k].mean()
y = (c ** 2).sum() * x[3]
""",
    setup="pts = np.array([0., 0.3, 1.2, 1.9, 2.2])",
)
program(
    "loops",
    "bilinear interp",
    """
i = np.floor(x * 1.3).astype(int)
f = x * 1.3 - i
y = ((1 - f) * tab[i] + f * tab[i + 1]).sum()
""",
    setup="tab = np.array([0., 1., 4., 9., 16., -1.])",
    flagged=True,
)
program(
    "loops",
    "histogram soft",
    """
centers = np.linspace(-1, 2, 5)
w = np.exp(-(x[:, None] - centers) ** 2)
h = np.zeros(5)
for row in w:
    h += row / row.sum()
y = (h ** 2).sum()
""",
)
program(
    "loops",
    "scatter add",
    """
out = np.zeros(3)
for i, k in enumerate([0, 2, 2, 1]):
    out[k] += x[i] ** 2
y = (out ** 2).sum()
""",
)
program(
    "loops",
    "sparse matvec",
    """
out = np.zeros(3)
for r, c, v in zip([0, 1, 2, 2], [1, 0, 2, 1], x):
    out[r] += v * vec[c]
y = (out ** 3).sum()
""",
    setup="vec = np.array([1., 2., 3.])",
)
program(
    "loops",
    "game of neighbours roll",
    """
g = x.reshape(2, 2).copy()
for _ in range(2):
    g = 0.5 * g + 0.25 * (np.roll(g, 1, 0) + np.roll(g, -1, 1))
y = (g ** 2 * np.arange(4.).reshape(2, 2)).sum()
""",
)
program(
    "loops",
    "while buffer grows",
    """
b = np.zeros(1)
for v in x:
    b = np.append(b, b[-1] + v ** 2)
y = (b ** 2).sum()
""",
)
program(
    "loops",
    "reused scratch buffer",
    """
tmp = np.empty(2)
acc = 0.0
for k in range(3):
    tmp[:] = x[k:k + 2]
    tmp *= k + 1
    acc = acc + (tmp ** 2).sum()
y = acc
""",
)
program(
    "loops",
    "scratch buffer saved then reused",
    """
tmp = np.empty(2)
terms = []
for k in range(3):
    tmp[:] = x[k:k + 2]
    terms.append(np.exp(tmp))
    tmp[:] = 0
y = (np.sum(terms, axis=0) ** 2).sum()
""",
)
program(
    "loops",
    "long loop writes",
    """
b = np.zeros(50)
b[0] = x[0]
for i in range(1, 50):
    b[i] = 0.9 * b[i - 1] + 0.1 * np.sin(x[i % 4] * i)
y = (b ** 2).sum()
""",
)
program(
    "loops",
    "batch matmul loop",
    """
W = x.reshape(2, 2)
H = np.zeros((3, 2))
for i in range(3):
    H[i] = W @ X[i]
H[H < 0] = 0
y = (H ** 2).sum()
""",
    setup="X = np.array([[1., 2.], [-1., 0.5], [0.3, -2.]])",
)
program(
    "loops",
    "attention",
    """
q, k, v = X @ x.reshape(2, 2), X @ x.reshape(2, 2).T, X
s = q @ k.T / np.sqrt(2)
s[np.triu_indices(3, 1)] = -np.inf
e = np.exp(s - s.max(axis=-1, keepdims=True))
a = e / e.sum(axis=-1, keepdims=True)
y = ((a @ v) ** 2).sum()
""",
    setup="X = np.array([[1., 2.], [-1., 0.5], [0.3, -2.]])",
    flagged=True,
)
program(
    "loops",
    "layernorm inplace",
    """
h = x.reshape(2, 2) * 1.0
h -= h.mean(axis=1, keepdims=True)
h /= np.sqrt((h ** 2).mean(axis=1, keepdims=True) + 1e-5)
y = (h * np.arange(4.).reshape(2, 2)).sum() ** 2
""",
)
program(
    "loops",
    "softmax xent",
    """
z = x - x.max()
y = np.log(np.exp(z).sum()) - z[1]
""",
)
program(
    "loops",
    "GP loglik",
    """
K = np.exp(-0.5 * (t[:, None] - t) ** 2 / x[0] ** 2) * x[1] ** 2
K[np.diag_indices(4)] += x[3] ** 2
L = np.linalg.cholesky(K)
a = np.linalg.solve(L, f)
y = 0.5 * a @ a + np.log(np.diag(L)).sum()
""",
    setup="""
t = np.array([0., 0.5, 1.1, 2.])
f = np.sin(t)
""",
    tolerance=1e-12,
)

# ---- constructors --------------------------------------------------------------------------------

program(
    "constructors",
    "nested list with scalars",
    """
a, b, *_ = x
R = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
y = (R @ np.array([1., b])).sum() ** 2
""",
)
program(
    "constructors",
    "array of arrays and lists",
    """
A = np.array([x, [1, 2, 3, x[0]], np.arange(4)])
y = (A @ A.T).sum()
""",
)
program(
    "constructors",
    "array of buffers",
    """
b = np.zeros(4)
b[0] = x[1]
A = np.array([b, x])
A[0, 1] = 7.
y = (A ** 2).sum() + b.sum()
""",
)
program(
    "constructors",
    "array dtype float32",
    """
A = np.array([x[0], x[1]], dtype=np.float32)
y = (A.astype(float) ** 2).sum()
""",
    tolerance=1e-06,
    rtol=0.0001,
    h=0.02,
)
program(
    "constructors",
    "array dtype int",
    """
A = np.array([x[0], x[1]], dtype=int)
y = A.sum() * x[3]
""",
    x="np.array([2.3, 1.5, .7, 2.0])",
    flagged=True,
)
program(
    "constructors",
    "array dtype complex",
    """
A = np.array([x[0], x[1]], dtype=complex)
y = np.abs(A * (1 + 2j)).sum()
""",
)
program(
    "constructors",
    "array ndmin",
    """
A = np.array(x, ndmin=3)
y = (A ** 2).sum() * A.shape[0]
""",
)
program(
    "constructors",
    "array 0-d",
    """
a = np.array(x[0])
y = a * a * x[1] + a[()] + float(a.ndim)
""",
)
program(
    "constructors",
    "asarray of list",
    """
A = np.asarray([x[0], 2.0])
B = np.asarray(A)
B[1] = x[1]
y = (A ** 2).sum()
""",
)
program(
    "constructors",
    "ascontiguousarray",
    """
A = np.ascontiguousarray(x.T)
A[0, 0] = 5.
y = (A ** 2).sum() + (x ** 2).sum()
""",
    x=MATRIX,
)
program(
    "constructors",
    "full",
    """
A = np.full((2, 3), x[0])
A[0, 0] = x[1]
y = (A ** 2).sum()
""",
)
program(
    "constructors",
    "full row fill",
    """
A = np.full((2, 4), x)
A[0, 0] = 1.
y = (A ** 2 * np.arange(8.).reshape(2, 4)).sum()
""",
)
program(
    "constructors",
    "full_like",
    """
A = np.full_like(x, x[0])
B = np.full_like(np.arange(3.), x[1])
A[1] = 2.
y = (A ** 2).sum() + (B ** 3).sum()
""",
)
program(
    "constructors",
    "zeros_like ones_like",
    """
A = np.zeros_like(x)
B = np.ones_like(x)
C = np.empty_like(x)
A[0] = x[0]
B *= x
C[:] = x ** 2
y = (A ** 2).sum() + (B ** 3).sum() + C.sum()
""",
)
program(
    "constructors",
    "zeros_like 2d rows",
    """
A = np.zeros_like(x)
for i in range(2):
    A[i] = x[i] * x[1 - i]
y = (A ** 2).sum()
""",
    x=MATRIX,
)
program(
    "constructors",
    "zeros_like of int",
    """
A = np.zeros_like(np.arange(3), dtype=float)
A[0] = x[0]
y = (A ** 2).sum()
""",
)
program(
    "constructors",
    "zeros like shape dtype",
    """
A = np.zeros_like(x, shape=(2, 2))
A[0] = x[:2]
y = (A ** 2).sum()
""",
)
program(
    "constructors",
    "eye identity",
    """
A = np.eye(4)
A[1] = x
B = np.identity(4) * x
y = (A @ B).sum()
""",
)
program(
    "constructors",
    "linspace active ends",
    """
t = np.linspace(x[0], x[1], 5)
y = (t ** 2 * np.arange(5.)).sum()
""",
)
program(
    "constructors",
    "linspace options",
    """
t, step = np.linspace(x[0], x[1], 5, endpoint=False, retstep=True)
y = (t ** 2 * np.arange(5.)).sum() * step
""",
)
program(
    "constructors",
    "linspace arrays",
    """
t = np.linspace(x[:2], x[2:], 3)
u = np.linspace(0, x, 3, axis=1)
y = (t ** 2 * np.arange(6.).reshape(3, 2)).sum() + (u ** 2).sum()
""",
)
program(
    "constructors",
    "linspace num 1",
    """
t = np.linspace(x[0], x[1], 1)
y = (t ** 2).sum()
""",
)
program(
    "constructors",
    "logspace geomspace",
    """
y = np.logspace(x[0], x[1], 4).sum() + np.geomspace(x[0], x[1], 4).sum() + np.logspace(0, x[0], 3, base=2.0).sum()
""",
    x=POSITIVE,
    tolerance=1e-14,
)
program(
    "constructors",
    "arange active",
    """
t = np.arange(x[0], x[3], 0.3)
y = (t ** 2).sum()
""",
    x="np.array([0.5, 1., 1., 2.1])",
    flagged=True,
    tolerance=1e-15,
)
program(
    "constructors",
    "arange active step",
    """
t = np.arange(0, 1, x[0])
y = (t ** 2).sum()
""",
    x="np.array([0.23, 1.])",
    flagged=True,
    tolerance=1e-15,
)
program(
    "constructors",
    "arange active one arg",
    """
t = np.arange(x[0])
y = (t * x[0]).sum()
""",
    x="np.array([3.4, 1.])",
    flagged=True,
)
program(
    "constructors",
    "meshgrid",
    """
A, B = np.meshgrid(x[:2], x[1:])
C, D = np.meshgrid(x[:2], x[1:], indexing='ij')
y = (A * B).sum() ** 2 + (C ** 2 * D * np.arange(6.).reshape(2, 3)).sum()
""",
)
program(
    "constructors",
    "meshgrid mixed sparse",
    """
A, B = np.meshgrid(x, np.arange(3.), sparse=True)
y = (A * B ** 2).sum() ** 2
""",
)
program(
    "constructors",
    "r_ c_",
    """
a = np.r_[x[0], 0, x[2:], 5.0]
b = np.c_[x, x ** 2]
y = (a ** 2).sum() + (b * np.arange(8.).reshape(4, 2)).sum()
""",
)
program(
    "constructors",
    "r_ ranges",
    """
a = np.r_[0:3, x, 1:2:3j]
y = (a ** 2).sum()
""",
)
program(
    "constructors",
    "r_ matrix string",
    """
a = np.r_['0,2', x, x * 2]
y = (a ** 2 * np.arange(8.).reshape(2, 4)).sum()
""",
)
program(
    "constructors",
    "stack variants",
    """
y = (np.stack([x, x * 2], axis=1) ** 2 * np.arange(8.).reshape(4, 2)).sum() + np.vstack([x, x]).sum() + (np.hstack([x, x ** 2]) ** 2).sum() + (np.dstack([x, x]) ** 2).sum() + (np.column_stack([x, x ** 2]) ** 2).sum()
""",
)
program(
    "constructors",
    "stack of scalars",
    """
y = (np.stack([x[0], x[1] * x[2], np.float64(2.0)]) ** 2).sum() + np.hstack([x[0], x[1]]).sum() ** 2 + (np.concatenate([[x[0]], [x[1]]]) ** 3).sum()
""",
)
program(
    "constructors",
    "block2",
    """
A = x.reshape(2, 2)
B = np.block([[A, np.zeros((2, 1))], [np.ones((1, 2)), 4 * A[:1, :1]]])
y = (B ** 2 * np.arange(9.).reshape(3, 3)).sum()
""",
)
program(
    "constructors",
    "vectorize",
    """
f = np.vectorize(lambda a, b=2.0: a ** b if a > 0 else -a)
y = f(x).sum() + f(x, 3.0).sum()
""",
)
program(
    "constructors",
    "vectorize otypes excluded",
    """
f = np.vectorize(lambda a, k: a * k[0] + k[1], excluded=['k'], otypes=[float])
y = f(x, k=[2., 3.]).sum() ** 2
""",
)
program(
    "constructors",
    "vectorize signature",
    """
f = np.vectorize(lambda v: v @ v, signature='(n)->()')
y = f(x).sum() ** 2
""",
    x=MATRIX,
)
program(
    "constructors",
    "vectorize decorator two outputs",
    """
@np.vectorize
def f(a): return a * 2, a ** 2
p, q = f(x)
y = (p * q).sum()
""",
)
program(
    "constructors",
    "apply_along_axis",
    """
y = (np.apply_along_axis(lambda v: v / v.sum(), 1, x) ** 2).sum() + np.apply_along_axis(np.sum, 0, x).prod()
""",
    x=MATRIX,
)
program(
    "constructors",
    "apply_over_axes",
    """
y = (np.apply_over_axes(np.sum, x, [0]) ** 2).sum()
""",
    x=MATRIX,
)
program(
    "constructors",
    "fromiter",
    """
a = np.fromiter((v ** 2 for v in x), float)
b = np.fromiter(x, dtype=float, count=4)
a[0] = 1.
y = (a * b).sum()
""",
)
program(
    "constructors",
    "fromfunction",
    """
A = np.fromfunction(lambda i, j: x[0] * i + x[1] * j, (2, 3))
y = (A ** 2).sum()
""",
)
program(
    "constructors",
    "fromfunction index",
    """
A = np.fromfunction(lambda i: x[i] ** 2, (4,), dtype=int)
y = (A * np.arange(4.)).sum()
""",
)
program(
    "constructors",
    "piecewise select",
    """
p = np.piecewise(x, [x < 0, x >= 1], [lambda v: -v ** 2, lambda v: v ** 3, 7.0])
s = np.select([x < 0, x > 1], [x ** 2, x ** 3], default=x)
y = p.sum() * s.sum()
""",
)
program(
    "constructors",
    "choose",
    """
c = np.choose([0, 1, 1, 0], [x, x ** 2])
y = (c * np.arange(4.)).sum()
""",
)
program(
    "constructors",
    "tile repeat",
    """
y = (np.tile(x, (2, 2)) * np.arange(16.).reshape(2, 8)).sum() + (np.repeat(x, [1, 0, 2, 3]) ** 2).sum() + (np.repeat(x, 2).reshape(2, 4) ** 2 * np.arange(8.).reshape(2, 4)).sum()
""",
)
program(
    "constructors",
    "pad",
    """
y = (np.pad(x, 1) ** 2).sum() + (np.pad(x, (1, 2), mode='edge') ** 2).sum() + (np.pad(x, 2, mode='reflect') ** 2 * np.arange(8.)).sum() + (np.pad(x, 1, constant_values=3.0) ** 2).sum()
""",
)
program(
    "constructors",
    "pad constant active",
    """
y = (np.pad(np.zeros(2), 1, constant_values=x[0]) ** 2).sum()
""",
)
program(
    "constructors",
    "pad 2d",
    """
y = (np.pad(x, ((1, 0), (0, 2)), mode='wrap') ** 2 * np.arange(15.).reshape(3, 5)).sum()
""",
    x=MATRIX,
)
program(
    "constructors",
    "pad mean mode",
    """
y = (np.pad(x, 1, mode='mean') ** 2).sum()
""",
)
program(
    "constructors",
    "diag tri",
    """
y = (np.diag(x) @ np.diag(x, 1)[:4, :4]).sum() + (np.diagflat(x) ** 2).sum() + (np.tril(np.outer(x, x)) ** 2).sum() + (np.triu(np.outer(x, x), 1) ** 3).sum() + np.vander(x, 3).sum()
""",
)
program(
    "constructors",
    "ogrid mgrid",
    """
i, j = np.ogrid[0:2, 0:2]
y = ((x.reshape(2, 2) * (i + j)) ** 2).sum() + (np.mgrid[0:2, 0:2] * x[0]).sum()
""",
)
program(
    "constructors",
    "indices ix_",
    """
y = x[np.ix_([0, 1], [2, 0])].sum() ** 2 + (np.indices((2, 3)) * x).sum()
""",
    x=MATRIX,
)
program(
    "constructors",
    "object arrays",
    """
o = np.empty(2, dtype=object)
o[0] = x[0] * x[1]
o[1] = x[2]
t = o * o
y = t.sum() + (o @ o)
""",
)
program(
    "constructors",
    "object array to float",
    """
o = np.array([x[0], x[1]], dtype=object)
y = (o.astype(float) ** 2).sum() + np.sum(o)
""",
    fails="astype(float) of an array of objects is refused",
)
program(
    "constructors",
    "matrix class",
    """
y = (np.asmatrix(np.eye(4)) @ x).sum() ** 2
""",
)
program(
    "constructors",
    "masked array",
    """
y = np.ma.masked_array(np.arange(4.), mask=[0, 1, 0, 0]).sum() * x.sum()
""",
)
program(
    "constructors",
    "np.copy order",
    """
A = np.copy(x)
A[0] = 1.
B = x.copy(order='F')
B[0, 0] = 3.
y = (A ** 2).sum() + (B ** 3).sum() + x.sum()
""",
    x=MATRIX,
    tolerance=1e-14,
)
program(
    "constructors",
    "astype",
    """
a = x.astype(float)
a[0] = 4.
b = x.astype(float, copy=False)
b[1] = 5.
c = x.astype(np.float64)
y = (a ** 2).sum() + (b ** 3).sum() + c.sum()
""",
)
program(
    "constructors",
    "astype int",
    """
k = x.astype(int)
y = (k * x).sum()
""",
    x="np.array([2.3, 1.5, .7, 2.1])",
    flagged=True,
)
program(
    "constructors",
    "np.float64 call",
    """
y = np.float64(x[0]) * x[1] + np.float64(2.0) * x[2] + np.double(x[3])
""",
)
program(
    "constructors",
    "np.require",
    """
a = np.require(x, dtype=float, requirements=['C'])
y = (a * a).sum()
""",
)
program(
    "constructors",
    "broadcast_arrays",
    """
a, b = np.broadcast_arrays(x[:2, None], x[None, 1:])
y = (a * b).sum() ** 2
""",
)
program(
    "constructors",
    "unravel_index of argmax",
    """
i, j = np.unravel_index(np.argmax(x), x.shape)
y = x[i, j] ** 2 + x[np.unravel_index(x.argmin(), x.shape)] * 3
""",
    x=MATRIX,
)
program(
    "constructors",
    "nonzero where",
    """
idx = np.nonzero(x > 0)[0]
(k,) = np.where(x < 0)
y = (x[idx] ** 2).sum() + x[k[0]] ** 3 + (x[np.flatnonzero(x > 1)]).prod() + np.count_nonzero(x > 0) * x[0]
""",
)
program(
    "constructors",
    "searchsorted digitize",
    """
e = np.array([-1., 0., 1.])
y = (x * np.searchsorted(e, x)).sum() + (x * np.digitize(x, e)).sum()
""",
)
program(
    "constructors",
    "isnan mask",
    """
b = np.where(np.isnan(q), x, q)
b[np.isnan(q)] *= 2
y = (b ** 2).sum()
""",
    setup="q = np.array([1., np.nan, np.nan, 2.])",
)
program(
    "constructors",
    "bool reductions",
    """
y = (x > 0).sum() * x.sum() + (x > 0).mean() * x[0] + np.any(x > 1) * x[1] + (x < 1).astype(float) @ x
""",
)
program(
    "constructors",
    "bincount weights",
    """
y = (np.bincount([0, 2, 2, 1], weights=x) ** 2).sum() + (np.bincount([0, 1, 0, 1], weights=x, minlength=5) ** 2).sum()
""",
)
program(
    "constructors",
    "histogram weights refused",
    """
h, e = np.histogram(x, bins=3)
y = x.sum()
""",
    refused="cell",
)
program(
    "constructors",
    "interp",
    """
y = np.interp(x, [-1., 0., 1., 3.], [0., 2., -1., 4.]).sum() + np.interp(0.3, [0., 1.], x[:2]) + np.interp([0.1, 1.5], x[:2], [3., 4.]).sum()
""",
    x="np.array([0.2, 1.4, -0.7, 2.0])",
)
program(
    "constructors",
    "trapezoid",
    """
y = np.trapezoid(x ** 2, dx=0.5) + np.trapezoid(x, np.cumsum(x ** 2))
""",
)
program(
    "constructors",
    "convolve correlate",
    """
y = (np.convolve(x, x[:2]) ** 2).sum() + (np.convolve(x, [1., 2., 3.], 'same') ** 2).sum() + (np.correlate(x, x[1:3], 'valid') ** 2).sum() + (np.convolve([1., 2.], x, mode='valid') ** 2).sum()
""",
)
program(
    "constructors",
    "gradient diff",
    """
y = (np.gradient(x) ** 2).sum() + (np.gradient(x, 0.5, edge_order=2) ** 2).sum() + (np.diff(x, 2) ** 2).sum() + (np.diff(x, prepend=0.0) ** 3).sum() + (np.ediff1d(x) ** 2).sum()
""",
)
program(
    "constructors",
    "polynomials",
    """
y = np.polyval(x, 1.3) + np.polyval([1., 2., 3.], x).sum() + np.polyval(x, x).sum() + np.polyder(x).sum() + np.polyint(x)[0] + (np.polymul(x, x) ** 2).sum() + (np.polyadd(x, [1., 2.]) ** 2).sum() + np.poly1d([1., 2.])(x).sum()
""",
)
program(
    "constructors",
    "polyfit",
    """
c = np.polyfit(np.arange(4.), x, 1)
y = (c ** 2).sum()
""",
    tolerance=1e-12,
)
program(
    "constructors",
    "poly1d of active",
    """
p = np.poly1d(x)
y = p(2.0) ** 2
""",
)
program(
    "constructors",
    "polynomial class",
    """
from numpy.polynomial import Polynomial, chebyshev
p = Polynomial([1., 2., 3.])
y = p(x).sum() + chebyshev.chebval(0.3, x)
""",
)
program(
    "constructors",
    "roots companion",
    """
r = np.roots([1., -x[1], x[0] / 10])
y = r.sum() * r[0]
""",
    x=POSITIVE,
    tolerance=1e-12,
)
program(
    "constructors",
    "cov corrcoef",
    """
y = (np.cov(x) ** 2).sum() + np.corrcoef(x)[0, 1] + np.average(x, weights=[1., 2., 3.], axis=1).sum() ** 2
""",
    x=MATRIX,
    tolerance=1e-14,
)
program(
    "constructors",
    "kron cross",
    """
y = (np.kron(x[:2], x) ** 2).sum() + (np.cross(x[:3], x[1:]) ** 2).sum()
""",
)

# ---- linalg --------------------------------------------------------------------------------------

program(
    "linalg",
    "linalg then write",
    """
A = np.linalg.inv(x)
A[0] *= 2
L, V = np.linalg.eigh(A + A.T)
L[0] = 1.0
y = (L ** 2).sum() + (A ** 2).sum()
""",
    x=SQUARE,
    tolerance=1e-12,
)
program(
    "linalg",
    "linalg singular raises",
    """
y = np.linalg.inv(x * 0).sum()
""",
    x=SQUARE,
    raises="LinAlgError",
    message=True,
)
program(
    "linalg",
    "linalg not square raises",
    """
y = np.linalg.inv(x).sum()
""",
    x=MATRIX,
    raises="LinAlgError",
    message=True,
)
program(
    "linalg",
    "cholesky not pd raises",
    """
y = np.linalg.cholesky(-x @ x.T).sum()
""",
    x=SQUARE,
    raises="LinAlgError",
    message=True,
)
program(
    "linalg",
    "solve into buffer",
    """
A = np.zeros((2, 2))
A[0, 0], A[1, 1], A[0, 1] = x[0], x[1], x[2]
y = (np.linalg.solve(A, x[:2]) ** 2).sum() * np.linalg.det(A)
""",
    tolerance=1e-12,
)
program(
    "linalg",
    "linalg of buffer float",
    """
A = np.eye(3)
A[0] = x[:3]
w, v = np.linalg.eig(A)
y = w.real.sum() + np.linalg.norm(A)
""",
    x="np.array([2.5, 0.3, -0.7, 2.0])",
    flagged=True,
    tolerance=1e-12,
    fails="the entries lie in memory in another order than NumPy's" if NUMPY < "2.5.0" else "",
)
program(
    "linalg",
    "fidelity lstsq",
    """
X = np.c_[np.ones(4), t]
b, res, rank, sv = np.linalg.lstsq(X, x, rcond=None)
y = ((X @ b - x) ** 2).sum() + rank
""",
    setup="t = np.arange(4.)",
    flagged=True,
    tolerance=1e-12,
)

# ---- complex -------------------------------------------------------------------------------------

program(
    "complex",
    "complex in-place",
    """
z = np.exp(1j * x)
z *= 1j
z[0] = x[1]
z[1:] += x[1:] * 2j
y = (np.abs(z) ** 2).sum() + z.real.sum()
""",
)
program(
    "complex",
    "complex real view write",
    """
z = np.exp(1j * x)
z.real[0] = x[1]
z.imag = 0.5
y = (np.abs(z) ** 2).sum() + z.real.sum()
""",
)
program(
    "complex",
    "DFT by hand",
    """
N = 4
X = np.zeros(N, dtype=complex)
for k in range(N):
    for n in range(N):
        X[k] += x[n] * np.exp(-2j * np.pi * k * n / N)
y = (np.abs(X) ** 2 * np.arange(4)).sum()
""",
    tolerance=1e-12,
)
program(
    "complex",
    "Mandelbrot",
    """
c = x[0] / 4 + 1j * x[1] / 4
z = 0j
for _ in range(4):
    z = z * z + c
y = abs(z) + z.real * z.imag
""",
)
program(
    "complex",
    "complex entry times",
    """
z = (x * 1j)[1]
w = z * (2 + 1j) + x[0]
y = w.real + abs(w) + w.imag ** 2
""",
)
program(
    "complex",
    "quantum phase",
    """
psi = np.array([1, 0], dtype=complex)
H = np.array([[np.cos(x[0]), -1j * np.sin(x[0])], [-1j * np.sin(x[0]), np.cos(x[0])]])
for _ in range(3):
    psi = H @ psi
y = np.abs(psi[1]) ** 2 + np.vdot(psi, psi).real * x[1]
""",
)
program(
    "complex",
    "transfer function",
    """
w = np.array([0.5, 1., 2.])
s = 1j * w
Hs = x[0] / (s ** 2 + x[1] * s + x[3])
y = (20 * np.log10(np.abs(Hs))).sum() + np.angle(Hs).sum()
""",
    tolerance=1e-13,
)

# ---- zeros ---------------------------------------------------------------------------------------

program(
    "zeros",
    "where sqrt at 0",
    """
y = np.where(x > 0, np.sqrt(x), 0.0).sum()
""",
    x="np.array([0., 4.])",
    grad={"x": [0, 0.25]},
    flagged=True,
)
program(
    "zeros",
    "where log negative",
    """
y = np.where(x > 0, np.log(x), 0.0).sum()
""",
    x="np.array([-1., 0., 4.])",
    grad={"x": [0, 0, 0.25]},
    flagged=True,
)
program(
    "zeros",
    "where div",
    """
y = np.where(x != 0, np.sin(x) / x, 1.0).sum()
""",
    x="np.array([0., 1.])",
    grad={"x": [0, -0.30116867893975674]},
    flagged=True,
)
program(
    "zeros",
    "mask sqrt index",
    """
m = x > 0
y = np.sqrt(x[m]).sum()
""",
    x="np.array([0., 4., -1.])",
    grad={"x": [0, 0.25, 0]},
    flagged=True,
)
program(
    "zeros",
    "masked write log",
    """
b = np.log(x)
b[x <= 0] = 0
y = b.sum()
""",
    x="np.array([-1., 0., 4.])",
    grad={"x": [0, 0, 0.25]},
    flagged=True,
)
program(
    "zeros",
    "nan_to_num log",
    """
y = np.nan_to_num(np.log(x), nan=0.0, neginf=0.0).sum()
""",
    x="np.array([-1., 0., 4.])",
    grad={"x": [0, 0, 0.25]},
    flagged=True,
)
program(
    "zeros",
    "nansum",
    """
y = np.nansum(np.log(x))
""",
    x="np.array([-1., 4.])",
    grad={"x": [0, 0.25]},
    flagged=True,
)
program(
    "zeros",
    "prod one zero",
    """
y = np.prod(x)
""",
    x="np.array([2., 0., 3.])",
    grad={"x": [0, 6, 0]},
    flagged=True,
)
program(
    "zeros",
    "prod two zeros",
    """
y = np.prod(x)
""",
    x="np.array([2., 0., 0.])",
    grad={"x": [0, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "cumprod zero",
    """
y = np.cumprod(x).sum()
""",
    x="np.array([2., 0., 3.])",
    grad={"x": [1, 8, 0]},
    flagged=True,
)
program(
    "zeros",
    "multiply.reduce zero",
    """
y = np.multiply.reduce(x)
""",
    x="np.array([2., 0., 3.])",
    grad={"x": [0, 6, 0]},
    flagged=True,
)
program(
    "zeros",
    "multiply.accumulate zero",
    """
y = np.multiply.accumulate(x)[-1]
""",
    x="np.array([2., 0., 3.])",
    grad={"x": [0, 6, 0]},
    flagged=True,
)
program(
    "zeros",
    "norm at 0",
    """
y = np.linalg.norm(x)
""",
    x="np.zeros(3)",
    grad={"x": [0, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "norm squared at 0",
    """
y = np.linalg.norm(x) ** 2
""",
    x="np.zeros(3)",
    grad={"x": [0, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "norm axis with zero row",
    """
y = np.linalg.norm(x.reshape(2, 2), axis=1).sum()
""",
    x="np.array([0., 0., 3., 4.])",
    grad={"x": [0, 0, 0.6, 0.8]},
    flagged=True,
)
program(
    "zeros",
    "norm 1 at 0",
    """
y = np.linalg.norm(x, 1)
""",
    x="np.array([0., -2.])",
    grad={"x": [0, -1]},
    flagged=True,
)
program(
    "zeros",
    "norm 3 at 0",
    """
y = np.linalg.norm(x, 3)
""",
    x="np.zeros(2)",
    grad={"x": [0, 0]},
    flagged=True,
)
program(
    "zeros",
    "std of equal",
    """
y = np.std(x)
""",
    x="np.ones(3)",
    grad={"x": [0, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "std of equal rows",
    """
y = np.std(x.reshape(2, 2), axis=1).sum()
""",
    x="np.array([1., 1., 0., 2.])",
    grad={"x": [0, 0, -0.5, 0.5]},
    flagged=True,
)
program(
    "zeros",
    "sqrt of sum of squares",
    """
y = np.sqrt((x ** 2).sum())
""",
    x="np.zeros(2)",
    grad={"x": [0, 0]},
    flagged=True,
)
program(
    "zeros",
    "sinc at 0",
    """
y = np.sinc(x).sum()
""",
    x="np.array([0., 1.])",
    grad={"x": [0, -1]},
    flagged=True,
)
program(
    "zeros",
    "abs at 0",
    """
y = np.abs(x).sum()
""",
    x="np.array([0., -2.])",
    grad={"x": [0, -1]},
    flagged=True,
)
program(
    "zeros",
    "relu at 0",
    """
y = np.maximum(x, 0).sum()
""",
    x="np.array([0., 2., -1.])",
    grad={"x": [0.5, 1, 0]},
    flagged=True,
)
program(
    "zeros",
    "relu by mask",
    """
y = (x * (x > 0)).sum()
""",
    x="np.array([0., 2., -1.])",
    grad={"x": [0, 1, 0]},
    flagged=True,
)
program(
    "zeros",
    "relu in place",
    """
b = x * 1.0
b[b < 0] = 0
y = b.sum()
""",
    x="np.array([0.5, 2., -1.])",
    grad={"x": [1, 1, 0]},
    flagged=True,
)
program(
    "zeros",
    "max tie",
    """
y = np.max(x)
""",
    x="np.array([1., 2., 2.])",
    grad={"x": [0, 0.5, 0.5]},
    flagged=True,
)
program(
    "zeros",
    "sort tie sum",
    """
y = np.sort(x)[::-1][:2].sum()
""",
    x="np.array([1., 2., 2.])",
    grad={"x": [0, 1, 1]},
    flagged=True,
)
program(
    "zeros",
    "hypot at 0",
    """
y = np.hypot(x[0], x[1])
""",
    x="np.zeros(2)",
    grad={"x": [0, 0]},
    flagged=True,
)
program(
    "zeros",
    "arctan2 axis",
    """
y = np.arctan2(x[1], x[0])
""",
    x="np.array([1., 0.])",
    grad={"x": [0, 1]},
    flagged=True,
)
program(
    "zeros",
    "x**0 at 0",
    """
y = (x ** 0).sum() + (x ** 0.).sum()
""",
    x="np.array([0., 2.])",
    grad={"x": [0, 0]},
    flagged=True,
)
program(
    "zeros",
    "x**1 at 0",
    """
y = (x ** 1).sum() + (x ** 1.).sum()
""",
    x="np.array([0., 2.])",
    grad={"x": [2, 2]},
    flagged=True,
)
program(
    "zeros",
    "x**2 at 0",
    """
y = (x ** 2).sum() + np.power(x, 2.).sum()
""",
    x="np.array([0., 2.])",
    grad={"x": [0, 8]},
    flagged=True,
)
program(
    "zeros",
    "x**array at 0",
    """
y = (x ** np.array([0., 1., 2.])).sum()
""",
    x="np.zeros(3)",
    grad={"x": [0, 1, 0]},
    flagged=True,
)
program(
    "zeros",
    "0**x",
    """
y = (0.0 ** x).sum()
""",
    x="np.array([1., 2.])",
    grad={"x": [0, 0]},
    flagged=True,
)
program(
    "zeros",
    "neg base int power",
    """
y = (x ** 3).sum() + (x ** np.array([2., 3.])).sum()
""",
    x="np.array([-1., -2.])",
    grad={"x": [1, 24]},
    flagged=True,
)
program(
    "zeros",
    "xlogx at 0",
    """
y = np.where(x > 0, x * np.log(x), 0.).sum()
""",
    x="np.array([0., 1.])",
    grad={"x": [0, 1]},
    flagged=True,
)
program(
    "zeros",
    "entropy with zero in place",
    """
p = x * 1.0
out = np.zeros_like(p)
np.log(p, out=out, where=p > 0)
y = -(p * out).sum()
""",
    x="np.array([0., 1.])",
    grad={"x": [0, -1]},
    flagged=True,
)
program(
    "zeros",
    "logaddexp big",
    """
y = np.logaddexp(x, 0).sum()
""",
    x="np.array([1000., -1000.])",
    grad={"x": [1, 0]},
    flagged=True,
)
program(
    "zeros",
    "logsumexp -inf masked",
    """
s = x.copy()
s[1] = -np.inf
y = np.logaddexp.reduce(s)
""",
    x="np.array([0., 5., 0.])",
    grad={"x": [0.5, 0, 0.5]},
    flagged=True,
)
program(
    "zeros",
    "softmax -inf",
    """
s = x.copy()
s[1] = -np.inf
e = np.exp(s - s.max())
y = (e / e.sum())[0]
""",
    x="np.array([0., 5., 0.])",
    grad={"x": [0.25, 0, -0.25]},
    flagged=True,
)
program(
    "zeros",
    "fabs fmax",
    """
y = np.fabs(x).sum() + np.fmax(x, np.nan).sum()
""",
    x="np.array([1., -2.])",
    grad={"x": [2, 0]},
    flagged=True,
)
program(
    "zeros",
    "clip at edge",
    """
y = np.clip(x, 0, 1).sum()
""",
    x="np.array([0.5, -1., 2.])",
    grad={"x": [1, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "median of even",
    """
y = np.median(x)
""",
    x="np.array([3., 1., 2., 5.])",
    grad={"x": [0.5, 0, 0.5, 0]},
    flagged=True,
)
program(
    "zeros",
    "var of one",
    """
y = np.var(x)
""",
    x="np.array([3.])",
    grad={"x": [0]},
    flagged=True,
)
program(
    "zeros",
    "sign and heaviside",
    """
y = (np.sign(x) * x + np.heaviside(x, .5)).sum()
""",
    x="np.array([3., -2.])",
    grad={"x": [1, -1]},
    flagged=True,
)
program(
    "zeros",
    "zero times inf constant",
    """
y = (x[:1] * 0.0).sum() + x[1]
""",
    x="np.array([3., 2.])",
    grad={"x": [0, 1]},
    flagged=True,
)
program(
    "zeros",
    "cbrt at 0",
    """
y = np.where(x == 0, 0, np.cbrt(x)).sum()
""",
    x="np.array([0., 8.])",
    grad={"x": [0, 0.08333333333333333]},
    flagged=True,
)
program(
    "zeros",
    "eig repeated values",
    """
y = np.linalg.eigvalsh(np.diag(x)).sum()
""",
    x="np.array([1., 1., 2.])",
    grad={"x": [1, 1, 1]},
    flagged=True,
)
program(
    "zeros",
    "svd zero",
    """
y = np.linalg.svd(np.diag(x), compute_uv=False).sum()
""",
    x="np.array([2., 3.])",
    grad={"x": [1, 1]},
    flagged=True,
)
program(
    "zeros",
    "det singular",
    """
y = np.linalg.det(x.reshape(2, 2))
""",
    x="np.array([1., 2., 2., 4.])",
    grad={"x": [4, -2, -2, 1]},
    flagged=True,
)
program(
    "zeros",
    "det zero matrix",
    """
y = np.linalg.det(x.reshape(2, 2))
""",
    x="np.zeros(4)",
    grad={"x": [0, 0, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "interp at knot",
    """
y = np.interp(x, [0., 1., 2.], [0., 1., 4.]).sum()
""",
    x="np.array([0.5, -1., 3.])",
    grad={"x": [1, 0, 0]},
    flagged=True,
)
program(
    "zeros",
    "arccos inside where",
    """
y = np.where(np.abs(x) < 1, np.arccos(x), 0.).sum()
""",
    x="np.array([1., 0.])",
    grad={"x": [0, -1]},
    flagged=True,
)
program(
    "zeros",
    "divide guard",
    """
out = np.divide(1., x, out=np.zeros_like(x), where=x != 0)
y = out.sum()
""",
    x="np.array([0., 2.])",
    grad={"x": [0, -0.25]},
    flagged=True,
)
program(
    "zeros",
    "normalise zero row",
    """
n = np.linalg.norm(x.reshape(2, 2), axis=1, keepdims=True)
n[n == 0] = 1
y = (x.reshape(2, 2) / n)[1, 0]
""",
    x="np.array([0., 0., 3., 4.])",
    grad={"x": [0, 0, 0.128, -0.096]},
    flagged=True,
)
program(
    "zeros",
    "sqrt at zero times zero",
    """
y = (np.sqrt(x) * 0.0).sum() + np.sqrt(x[1])
""",
    x="np.array([0., 4.])",
    grad={"x": [0, 0.25]},
    flagged=True,
)
program(
    "zeros",
    "abs complex at 0",
    """
y = np.abs(x * 1j).sum()
""",
    x="np.array([0., -2.])",
    grad={"x": [0, -1]},
    flagged=True,
)
program(
    "zeros",
    "fft abs at zero",
    """
y = np.abs(np.fft.fft(x)).sum()
""",
    x="np.array([1., 1., 1., 1.])",
    grad={"x": [1, 1, 1, 1]},
    flagged=True,
)

# ---- layouts -------------------------------------------------------------------------------------

program(
    "layouts",
    "write into columns by list",
    """
c = x[:, [0, 2]]
c[0, 1] = x[1, 1] ** 2
y = (c ** 2 * np.arange(6.).reshape(2, 3)[:, :2]).sum()
""",
    x=MATRIX,
)
program(
    "layouts",
    "write into a doubly fancy choice",
    """
c = x[[0, 1]][:, [1, 2]]
c[1, 0] = 7.0
y = (c ** 2 * np.arange(4.).reshape(2, 2)).sum()
""",
    x=MATRIX,
)
program(
    "layouts",
    "write into columns of a buffer",
    """
b = np.zeros((2, 3))
b[:] = x
c = b[:, [0, 2]]
c[0, 1] = 9.0
y = (c ** 3).sum() + (b ** 2).sum()
""",
    x=MATRIX,
)
program(
    "layouts",
    "ravel in memory order",
    """
y = (np.rot90(x).ravel('K') * np.arange(6.)).sum() ** 2
""",
    x=MATRIX,
)
program(
    "layouts",
    "stack of transposed",
    """
d = np.stack([x.T, x.T])[1]
y = (d ** 2).sum()
""",
    x=MATRIX,
)
program(
    "layouts",
    "stack of columns written",
    """
b = x[:, [0, 2]]
c = np.stack([b, b])[1]
c *= 1.3
y = (c ** 3).sum()
""",
    x=MATRIX,
)
program(
    "layouts",
    "asarray of a buffer is it",
    """
z = np.zeros(4)
z[1:] = x[1:]
a = np.asarray(z)
a[0] = 2.0
y = (z * z).sum()
""",
)
program(
    "layouts",
    "whole view of a buffer",
    """
z = np.zeros(4)
v = z[:]
z[1:] = x[1:]
y = (v * v).sum()
""",
    fails="the same object where NumPy has a view",
)
program(
    "layouts",
    "pad with active constants",
    """
y = (np.pad(x, (1, 2), constant_values=(x[0], 3 * x[1])) ** 2).sum()
""",
)
program(
    "layouts",
    "mutated condition",
    """
c = np.array([True, False, True, False])
z = np.where(c, x, 0.)
c[:] = True
y = (z * z).sum()
""",
)
program(
    "layouts",
    "mutated where of a sum",
    """
c = np.array([True, False, True, False])
z = np.sum(x * x, where=c)
c[:] = True
y = z ** 2
""",
)
program(
    "layouts",
    "mutated bins",
    """
c = np.array([0, 2, 2, 1])
z = np.bincount(c, weights=x)
c[:] = 0
y = (z * z).sum()
""",
)
program(
    "layouts",
    "mutated choice",
    """
c = np.array([0, 1, 1, 0])
z = np.choose(c, [x, x ** 2])
c[:] = 0
y = (z * z).sum()
""",
)
program(
    "layouts",
    "initial with where",
    """
y = np.sum(x, initial=0.7, where=[True, False, True, False]) * np.prod(x, initial=2., where=[True, True, True, False])
""",
)
program(
    "layouts",
    "conj is a copy",
    """
r = np.conj(x)
r[0] = 7.0
y = (x ** 2).sum() + r.sum()
""",
)
program(
    "layouts",
    "method compress",
    """
y = (x.compress([0, 1, 0, 1]) ** 2).sum()
""",
)
program(
    "layouts",
    "rows in a list",
    """
q = np.zeros((3, 3))
rows = list(q)
rows[1][:] = x[:3]
f, *_, l = q
l[0] = x[3]
y = (q ** 2 * np.arange(9.).reshape(3, 3)).sum()
""",
)
program(
    "layouts",
    "sliding window sees a write",
    """
from numpy.lib.stride_tricks import sliding_window_view
w = sliding_window_view(x, 2)
x[0] = 5.
y = (w * w).sum()
""",
)
program(
    "layouts",
    "broadcast arrays see a write",
    """
a, b = np.broadcast_arrays(x[:2, None], x[None, 1:])
x[0] = 5.
y = (a * b).sum()
""",
)
program(
    "layouts",
    "einsum view written",
    """
b = np.outer(x, x)
d = np.einsum('ii->i', b)
d[:] = 1.0
y = b.sum()
""",
)
program(
    "layouts",
    "reduction of a number",
    """
r = x.sum()
y = (r * r).sum() + r.mean() * np.max(r)
""",
)

# ---- one-line expressions --------------------------------------------------------------------

FAILING = {}

expressions(
    "functions",
    OFF_GRID,
    [
        "np.sum(x, axis=1)",
        "x.sum(axis=(0, 1))",
        "np.sum(x, axis=-1, keepdims=True)",
        "np.sum(x, where=[True, False, True])",
        "np.sum(x, initial=2.0)",
        "np.sum(x, axis=0, dtype=float)",
        "np.mean(x, axis=0)",
        "x.mean(1, keepdims=True)",
        "np.mean(x, where=x > 0)",
        "np.var(x)",
        "np.var(x, axis=1, ddof=1)",
        "np.std(x, axis=0, keepdims=True)",
        "x.std(ddof=1)",
        "np.std(x, where=x > 0)",
        "np.prod(x, axis=1)",
        "x.prod()",
        "np.prod(x, where=x > 0, initial=2.)",
        "np.cumsum(x)",
        "np.cumsum(x, axis=0)",
        "x.cumprod(axis=1)",
        "np.max(x, axis=1)",
        "x.min(axis=0, keepdims=True)",
        "np.max(x, initial=1.0)",
        "np.max(x, axis=1, where=x < 1, initial=-5.)",
        "np.ptp(x, axis=1)",
        "np.median(x)",
        "np.median(x, axis=0)",
        "np.median(x, axis=1, keepdims=True)",
        "np.percentile(x, 30)",
        "np.percentile(x, [10, 60.], axis=1)",
        "np.quantile(x, 0.4, method='lower')",
        "np.quantile(x, 0.4, method='hazen')",
        "np.average(x, axis=0)",
        "np.average(x, weights=x ** 2)",
        "np.average(x, axis=1, weights=[1, 2, 3], returned=True)[0]",
        "np.clip(x, 0.1, 1.2)",
        "x.clip(min=0.1)",
        "np.where(x > 0, x, x ** 2)",
        "np.where([True, False, True], x, 0)",
        "np.maximum(x, x[::-1])",
        "np.fmin(x, 0.2)",
        "np.abs(x)",
        "np.select([x > 1, x > 0], [x, x ** 2], 3.0)",
        "np.dot(x, x.T)",
        "x.dot(x.T)",
        "x @ x.T",
        "x[0] @ x.T",
        "np.vdot(x, x)",
        "np.inner(x, x)",
        "np.outer(x, x[0])",
        "np.tensordot(x, x, axes=([0], [0]))",
        "np.tensordot(x, x, 2)",
        "np.kron(x, [1., 2.])",
        "np.trace(x)",
        "np.trace(x, offset=1)",
        "np.diag(x)",
        "np.diagonal(x, 1)",
        "np.tril(x)",
        "np.triu(x, 1)",
        "np.einsum('ij->ji', x)",
        "np.einsum('ij->', x)",
        "np.einsum('ij,ij->i', x, x)",
        "np.einsum('ij,jk', x, x.T)",
        "np.einsum('...j,j', x, x[0])",
        "np.einsum('ij,kj,k->i', x, x, x[:, 0], optimize=True)",
        "np.einsum(x, [0, 1], x, [2, 1], [0, 2])",
        "np.einsum('ii', x @ x.T)",
        "np.einsum('i,j', x[0], x[1])",
        "np.einsum('ij,jk,kl->il', x, x.T, x, optimize='greedy')",
        "np.einsum('ba', x)",
        "np.matvec(x, x[0])",
        "np.vecdot(x, x)",
        "np.linalg.multi_dot([x, x.T, x])",
        "np.cross(x[0], x[1])",
        "np.matrix_transpose(x)",
        "x.mT",
        "x.reshape(-1)",
        "x.reshape(3, 2)",
        "np.reshape(x, (3, -1))",
        "x.ravel('F')",
        "x.flatten()",
        "x.T",
        "np.transpose(x, (1, 0))",
        "x.swapaxes(0, 1)",
        "np.moveaxis(x, 0, 1)",
        "np.rollaxis(x, 1)",
        "x[None].squeeze()",
        "np.squeeze(x[:, :1], axis=1)",
        "np.expand_dims(x, (0, 2))",
        "np.broadcast_to(x, (2, 2, 3))",
        "np.concatenate([x, x], axis=1)",
        "np.concatenate((x, x[:1]), axis=None)",
        "np.stack((x, x), -1)",
        "np.block([[x], [x]])",
        "np.split(x, [1], axis=1)[1]",
        "np.hsplit(x, 3)[2]",
        "np.vsplit(x, 2)[1]",
        "np.array_split(x, 2, axis=1)[0]",
        "np.tile(x, 2)",
        "np.repeat(x, 2, axis=1)",
        "np.repeat(x, [1, 2], axis=0)",
        "np.roll(x, 2)",
        "np.roll(x, (1, 2), axis=(0, 1))",
        "np.flip(x)",
        "np.flipud(x)",
        "np.fliplr(x)",
        "np.rot90(x)",
        "np.rot90(x, 2)",
        "np.pad(x, ((1, 2), (0, 1)))",
        "np.append(x, 3.0)",
        "np.insert(x, 1, 2.0, axis=1)",
        "np.delete(x, [0], axis=1)",
        "np.unstack(x)[1]",
        "x[1]",
        "x[:, 1]",
        "x[..., -1]",
        "x[None, :, None]",
        "x[[1, 0, 1]]",
        "x[[0, 1], [2, 0]]",
        "x[x > 0]",
        "x[1, [0, 2]]",
        "x[:, [2, 2, 0]]",
        "x[np.array([True, False])]",
        "x[1, x[1] > 0]",
        "x[::-1, ::2]",
        "x[np.newaxis, 0, ..., 1]",
        "x[()]",
        "x[[]]",
        "x[0:0]",
        "np.take(x, [1, 4])",
        "np.take(x, [0, 2], axis=1)",
        "np.take(x, [[1, -1], [0, 1]], axis=0)",
        "np.take_along_axis(x, np.argsort(x, axis=1), axis=1)",
        "np.compress([True, False, True], x, axis=1)",
        "np.extract(x > 0, x)",
        "x.compress([0, 1], axis=0)",
        "np.choose([[0, 1, 0], [1, 1, 0]], (x, x * 2))",
        "np.sort(x)",
        "np.sort(x, axis=0)",
        "np.sort(x, axis=None)",
        "-np.sort(-x)",
        "x[x[:, 1].argsort()]",
        "np.partition(x, 1, axis=1)[:, :1]",
        "np.argsort(x) * x",
        "np.diff(x)",
        "np.diff(x, axis=0)",
        "np.diff(x, append=1.0)",
        "np.gradient(x, axis=0)",
        "np.gradient(x, 0.3, [0., 0.5, 2.], axis=(0, 1))[1]",
        "np.ediff1d(x, to_end=[1.], to_begin=x[0, 0])",
        "np.trapezoid(x, axis=1)",
        "np.trapezoid(x, [0., 1., 3.])",
        "np.interp(x, [-1, 0, 1, 3], [0, 1, 4, 9.])",
        "np.unwrap(x * 5)",
        "np.cov(x)",
        "np.cov(x, rowvar=False, ddof=0)",
        "np.logaddexp(x, x[::-1])",
        "np.logaddexp2(x, 0.1)",
        "np.sinc(x)",
        "np.i0(x)",
        "np.hypot(x, 1.0)",
        "np.arctan2(x, x[::-1] + 3)",
        "np.exp2(x)",
        "np.expm1(x)",
        "np.log1p(x + 1)",
        "np.cbrt(x)",
        "np.square(x)",
        "np.reciprocal(x)",
        "np.arcsinh(x)",
        "np.arctan(x)",
        "np.tanh(x)",
        "np.deg2rad(x)",
        "np.rad2deg(x)",
        "np.float_power(np.abs(x), 1.5)",
        "np.power(np.abs(x), x)",
        "np.power(x, 3)",
        "x ** 2",
        "x ** -1",
        "x ** 0",
        "x ** 1",
        "np.remainder(x, -0.31)",
        "np.ldexp(x, 2)",
        "np.frexp(x)[0]",
        "np.positive(x)",
        "np.negative(x)",
        "np.conj(x)",
        "np.real(x)",
        "x.real",
        "np.imag(x) + x",
        "x.imag + x",
        "np.real_if_close(x)",
        "np.angle(x) * x",
        "np.convolve(x[0], x[1])",
        "np.polyval(x[0], x[1])",
        "np.vander(x[0])",
        "np.linalg.norm(x)",
        "np.linalg.norm(x, axis=1)",
        "np.linalg.norm(x[0], 1)",
        "np.linalg.norm(x[0], 3)",
        "np.linalg.norm(x[0], np.inf)",
        "np.linalg.norm(x[0], -np.inf)",
        "np.linalg.norm(x, 'fro')",
        "np.linalg.norm(x, 1)",
        "np.linalg.norm(x, np.inf)",
        "np.linalg.norm(x, 2)",
        "np.linalg.norm(x, 'nuc')",
        "np.linalg.norm(x, -2)",
        "np.linalg.norm(x, axis=0, keepdims=True)",
        "np.linalg.norm(x, axis=(0, 1))",
        "np.linalg.vector_norm(x)",
        "np.linalg.matrix_norm(x)",
        "np.cumulative_sum(x, axis=1)",
        "np.cumulative_sum(x[0], include_initial=True)",
        "np.lib.stride_tricks.sliding_window_view(x, 2, axis=1)",
        "np.apply_along_axis(lambda v: v * v.sum(), 0, x)",
        "np.amax(x)",
        "np.correlate(x[0], x[1], 'full')",
        "np.atleast_3d(x)",
        "np.asanyarray(x)",
        "np.resize(x, 8)",
        "np.fill_diagonal(x.copy(), 0) or x",
        "np.tri(2, 3) * x",
        "np.triu_indices(2)[0].sum() * x",
        "np.argwhere(x > 0).sum() * x",
        "x.trace()",
        "x.diagonal()",
        "x.repeat(2)",
        "x.argmax() * x",
        "x.argsort(axis=0) * x",
        "x.nonzero()[0].sum() * x",
        "x.any() * x",
        "(x > 0).all(axis=0) * x",
        "x[0].searchsorted(9) * x",
        "np.lexsort((x[0], x[1])) * x",
        "np.shape(x)[0] * x",
        "np.vstack([x, np.ones(3)])",
        "np.hstack([x, np.ones((2, 1))])",
        "np.emath.sqrt(x + 1)",
        "np.emath.log(x + 1)",
        "np.trim_zeros(x[0])",
        "np.spacing(1.0) * x",
        "np.flatnonzero(x)[1] * x",
        "np.packbits(x > 0).sum() * x",
        "np.bincount([0, 1, 1], x[0])",
        "np.ravel_multi_index(([0], [1]), (2, 3))[0] * x",
    ],
    tolerance=1e-13,
)
expressions(  # an entry stands on its own bound, which is told as a corner
    "functions",
    OFF_GRID,
    ["np.clip(x, None, x[0])", "np.clip(x, x[0, 0], 1.2)"],
    tolerance=1e-13,
    flagged=True,
)
expressions(
    "functions",
    OFF_GRID,
    [
        "np.nansum(np.where(x > 1, np.nan, x), axis=1)",
        "np.nanmean(np.where(x > 1, np.nan, x))",
        "np.nanstd(np.where(x > 1, np.nan, x))",
        "np.nanmax(np.where(x > 1, np.nan, x), axis=1)",
        "np.nanmedian(np.where(x > 1, np.nan, x))",
        "np.nanpercentile(np.where(x > 1, np.nan, x), 40)",
        "np.nanprod(np.where(x > 1, np.nan, x))",
        "np.nancumsum(np.where(x > 1, np.nan, x))",
        "np.sign(x) * x",
        "x.take([7], mode='wrap')",
        "np.unique(x)",
        "np.nan_to_num(x)",
        "np.heaviside(x, 0.5) * x",
        "np.copysign(x, -1.0)",
        "np.fmod(x, 0.33)",
        "np.mod(x, 0.33)",
        "np.modf(x)[0]",
        "np.floor(x) * x",
        "np.rint(x) * x",
        "np.trunc(x) * x",
        "np.fix(x) * x",
        "np.round(x, 1) * x",
        "x.round(2) * x",
        "np.array_equal(x, x) * x",
        "np.array2string(x) and x",
        "np.setdiff1d(x, [5.0])",
        "np.union1d(x, [0.25])",
        "np.intersect1d(x, x)",
        "np.isin(x, [7.0]) * x",
        "np.nanquantile(x, 0.3, axis=0)",
        "np.nanvar(x, axis=1)",
        "np.nanargmax(x) * x",
    ],
    tolerance=1e-13,
    flagged=True,
)
expressions(
    "linalg",
    SQUARE,
    [
        "np.linalg.solve(x, [1., 2., 3.])",
        "np.linalg.solve(x, x.T)",
        "np.linalg.solve(np.eye(3) * 2, x)",
        "np.linalg.inv(x)",
        "np.linalg.det(x)",
        "np.linalg.slogdet(x)[1]",
        "np.linalg.slogdet(x).logabsdet",
        "np.linalg.cholesky(x @ x.T)",
        "np.linalg.cholesky(x @ x.T, upper=True)",
        "np.linalg.eigvalsh(x + x.T)",
        "np.linalg.eigh(x @ x.T)[0]",
        "np.linalg.eigh(x + x.T)[1] ** 2",
        "np.linalg.eigh(x + x.T, UPLO='U').eigenvalues",
        "np.abs(np.linalg.eigvals(x))",
        "np.linalg.svd(x, compute_uv=False)",
        "np.linalg.svd(x)[0] ** 2",
        "np.linalg.svd(x[:, :2], full_matrices=False)[2] ** 2",
        "np.linalg.svdvals(x)",
        "np.linalg.pinv(x)",
        "np.linalg.pinv(x[:, :2])",
        "np.linalg.matrix_power(x, 3)",
        "np.linalg.matrix_power(x, -2)",
        "np.linalg.matrix_power(x, 0) * x",
        "np.linalg.lstsq(x[:, :2], [1., 2., 3.], rcond=None)[0]",
        "np.linalg.lstsq(x, x.sum(1), rcond=None)[0]",
        "np.linalg.cond(x)",
        "np.linalg.cond(x, 1)",
        "np.linalg.tensorsolve(x, np.ones(3))",
        "np.linalg.tensorinv(x, ind=1)",
        "np.linalg.inv(np.stack([x, x.T]))",
        "np.linalg.solve(np.stack([x, x.T]), np.ones((2, 3, 1)))",
        "np.linalg.det(np.stack([x, x @ x]))",
        "np.linalg.matrix_rank(x) * x",
        "np.linalg.outer(x[0], x[1])",
        "np.linalg.cross(x[0], x[1])",
        "np.linalg.diagonal(x)",
        "np.linalg.trace(x)",
    ],
    tolerance=1e-12,
)
expressions(
    "linalg",
    SQUARE,
    [
        "np.abs(np.linalg.qr(x)[1])",
        "np.abs(np.linalg.qr(x)[0])",
        "np.linalg.qr(x, mode='r') ** 2",
    ],
    tolerance=1e-12,
    flagged=True,
)
expressions(
    "fft",
    VECTOR,
    [
        "np.abs(np.fft.fft(x))",
        "np.fft.fft(x).real",
        "np.fft.fft(x).imag",
        "np.fft.ifft(x).real",
        "np.abs(np.fft.rfft(x)) ** 2",
        "np.fft.irfft(np.fft.rfft(x) * 2)",
        "np.fft.irfft(np.fft.rfft(x), n=5)",
        "np.abs(np.fft.fft(x, n=6))",
        "np.abs(np.fft.fft(x, n=3))",
        "np.abs(np.fft.fft(x, norm='ortho'))",
        "np.real(np.fft.ifft(np.fft.fft(x) * np.fft.fft([1., 2., 0, 0])))",
        "np.abs(np.fft.fftshift(np.fft.fft(x)))",
        "np.fft.fftshift(x)",
        "np.fft.hfft(x)",
        "np.fft.ihfft(x).real",
        "np.abs(np.fft.fft2(x.reshape(2, 2)))",
        "np.abs(np.fft.rfft2(x.reshape(2, 2)))",
        "np.abs(np.fft.fftn(x.reshape(2, 2), axes=(0,)))",
        "np.fft.irfft2(np.fft.rfft2(x.reshape(2, 2)), s=(2, 2))",
        "np.abs(np.fft.rfft(x.reshape(2, 2), axis=0))",
        "np.fft.fftfreq(4) * x",
        "np.angle(np.fft.fft(x))[1:2]",
        "np.fft.ifft(1j * np.fft.fftfreq(4) * np.fft.fft(x)).real",
    ],
    tolerance=1e-12,
)
expressions(
    "complex",
    VECTOR,
    [
        "np.abs(x + 1j)",
        "np.abs(np.exp(1j * x))",
        "np.exp(1j * x).real",
        "np.angle(x + 1j * x[::-1] ** 2)",
        "(x * (1 + 2j)).imag",
        "np.real((x + 1j) ** 3)",
        "np.abs(1 / (x + 1j))",
        "np.sqrt(x + 0j).real + np.sqrt(x + 0j).imag",
        "np.log(x + 1j).imag",
        "(np.conj(x + 1j * x ** 2) * (2 - 1j)).real",
        "np.abs((x + 1j) @ (x - 2j))",
        "(np.array([[1j, 2], [3, 4j]]) @ (x.reshape(2, 2) + 1j)).imag",
        "np.abs(np.sum(np.exp(1j * x[:, None] * np.arange(3)), axis=0))",
        "np.abs(np.prod(x + 1j))",
        "np.cumsum(x * 1j).imag",
        "np.abs(np.where(x > 0, x + 1j, x * 1j))",
        "np.sin(x + 1j).real",
        "np.tanh(x * 1j + 0.3).imag",
        "np.absolute(np.array([x[0] + 1j * x[1], x[2]]))",
        "np.vdot(x + 1j, x * 1j).real",
        "np.roots([1., 0.3, x[1]]).real",
        "np.abs(np.poly([x[0] + 1j, x[0] - 1j]))",
        "np.abs(np.linalg.eigvals(np.array([[x[0], -x[1]], [x[3], x[2]]])))",
        "(x.astype(complex) * 1j).imag",
        "abs(complex(1, 2) * x)",
        "np.einsum('i,i->', x + 1j, x - 1j).real",
        "np.mean(x + 1j * x ** 2).imag",
        "np.concatenate([x + 1j, x])[2:6].real",
        "np.power(x + 1j, 2.5).real",
        "np.power(2j, x).real",
        "np.hypot(np.real(x * 1j), np.imag(x * 1j))",
        "np.isreal(x + 0j) * x",
        "np.abs(x * 1j)[x > 0]",
        "np.sort_complex(x).real",
        "np.linalg.inv(x.reshape(2, 2) + 1j * np.eye(2)).imag",
        "np.linalg.solve(np.eye(2) * (1 + 1j), x[:2] + 0j).imag",
        "np.sign(x + 1j).real",
        "np.expm1(x * 1j).real",
        "np.square(x + 1j).imag",
        "np.reciprocal(x + 1j).imag",
    ],
    tolerance=1e-12,
)
expressions(
    "scipy",
    POSITIVE,
    [
        "__import__('scipy.special').special.erf(x)",
        "__import__('scipy.special').special.erfc(x)",
        "__import__('scipy.special').special.gammaln(x)",
        "__import__('scipy.special').special.digamma(x)",
        "__import__('scipy.special').special.expit(x)",
        "__import__('scipy.special').special.logit(x / 3)",
        "__import__('scipy.special').special.xlogy(x, x)",
        "__import__('scipy.special').special.logsumexp(x)",
        "__import__('scipy.special').special.logsumexp(x, axis=0, b=[1., 2., 3., 4.])",
        "__import__('scipy.special').special.softmax(x)",
        "__import__('scipy.special').special.log_softmax(x)",
        "__import__('scipy.special').special.gamma(x)",
        "__import__('scipy.special').special.beta(x, 2.)",
        "__import__('scipy.special').special.ndtr(x)",
        "__import__('scipy.special').special.erfinv(x / 3)",
        "__import__('scipy.special').special.j0(x)",
        "__import__('scipy.special').special.log1p(x)",
        "__import__('scipy.special').special.entr(x)",
        "__import__('scipy.special').special.rel_entr(x, [1., 1., 2., 3.])",
        "__import__('scipy.special').special.exprel(x)",
        "__import__('scipy.special').special.log_expit(x)",
        "__import__('scipy.special').special.ndtri(x / 3)",
        "__import__('scipy.special').special.betaln(x, 1.5)",
        "__import__('scipy.special').special.polygamma(1, x)",
        "__import__('scipy.special').special.huber(1., x)",
    ],
    tolerance=1e-12,
    flagged=True,
)

# ---- borders, layouts and kinds of results -------------------------------------------------------

expressions(
    "borders",
    OFF_GRID,
    [
        "np.pad(x, 2, mode='mean')",
        "np.pad(x, 1, mode='mean', stat_length=2)",
        "np.pad(x, ((1, 2), (0, 1)), mode='maximum')",
        "np.pad(x, 2, mode='minimum', stat_length=((1, 2), (2, 1)))",
        "np.pad(x, (0, 2), mode='median')",
        "np.pad(x, ((1, 2), (0, 3)), mode='linear_ramp', end_values=5)",
        "np.pad(x, 2, mode='linear_ramp', end_values=((1, 2), (3, 4)))",
        "np.pad(x, 4, mode='reflect', reflect_type='odd')",
        "np.pad(x, 3, mode='symmetric', reflect_type='odd')",
        "np.pad(x[:1, :1], 2, mode='reflect', reflect_type='odd')",
    ],
    tolerance=1e-14,
)
expressions(
    "layouts",
    OFF_GRID,
    [
        "(x.T * 2).ravel('K')",
        "(x.T * 2).ravel('A')",
        "(x.T + x.T).flatten('K')",
        "np.sin(x).T.reshape(6, order='A')",
        "np.reshape(np.sin(x).T, (2, 3), order='A')",
        "np.roll(x.T, 1, axis=0).ravel('K')",
        "x.T.copy()",
        "x.T.copy('K')",
        "x.copy('F') * 2",
        "np.array(x, order='F')",
        "np.asfortranarray(x) + 1",
        "np.r_['0,3', x, x * 2]",
        "np.r_['1,3,0', x, x * 2]",
        "np.r_['-1', x, x[:, :1]]",
        "np.vectorize(lambda v: np.cumsum(v) * v[0], signature='(n)->(n)')(x)",
        "np.vectorize(lambda v, w: v @ w, signature='(n),(n)->()')(x, x[0])",
        "np.vectorize(lambda v: (v.sum(), v * 2), signature='(n)->(),(n)')(x)[1]",
    ],
)
program(
    "kinds",
    "of results without axes",
    """
a = np.array(x)
b, c, d, e, f = a * 2, np.asarray(x), np.sum(a), np.array(x)[()], a.copy()
g, h, i = np.squeeze(np.array([x])), np.reshape(np.array([x]), ()), np.where(x > 0, x, 2.0)
j, k, l = np.tensordot([x], [x], 1), np.einsum("i->", np.array([x])), np.full((), x)
m, n, o = np.piecewise(x, [x < 2], [lambda t: t * 2]), np.select([x > 1], [x]), np.i0(x)
p, q, r = np.sum(x), np.max(a), float(i)
y = b * d * e + g * h * i * j * k * l * m + n * o * p * q * r
""",
    x="1.3",
    tolerance=1e-14,
)
program(
    "kinds",
    "of float32",
    """
a = np.float32(x)
b = x.astype(np.float32)
c = np.array(x, dtype=np.float32)
d = [b.dtype == np.float32, c.dtype, isinstance(b[0], np.float32), isinstance(b[0], float)]
y = float((a * b + c).sum())
""",
    tolerance=1e-7,
    grad={"x": [2 * 0.5 + 1, 2 * 1.5 + 1, 2 * -0.7 + 1, 2 * 2.0 + 1]},
    rtol=1e-6,
)
program(
    "kinds",
    "np.float32 of a number",
    """
a = np.float32(x)
b = a * a
y = float(b) + x
""",
    x="1.5",
    grad={"x": 4.0},
)
program(
    "kinds",
    "nan_to_num in place",
    """
b = x * 1.0
c = np.nan_to_num(b, copy=False)
c[0] = 3.0
y = (b * b * np.arange(4.0)).sum()
""",
)
program(
    "views",
    "as_strided written where it overlaps",
    """
from numpy.lib.stride_tricks import as_strided
b = x * 1.0
w = as_strided(b, (3, 2), (8, 8))
w[:] = np.arange(6.0).reshape(3, 2) * x[:3, None]
y = (b ** 2 * np.arange(1.0, 5.0)).sum() + w.sum()
""",
)
program(
    "complex",
    "NumPy's functions of a complex number",
    """
z = x[0] + 1j * x[1]
w = np.exp(1j * z) * np.sqrt(z)
u = np.array([z, w, z * w])
t = type(z), type(w), z.dtype, w.shape, np.conj(z)
y = np.abs(w) + np.angle(z) + (u * u).sum().real
""",
    tolerance=1e-14,
)
program(
    "complex",
    "of plain floats",
    """
z = complex(x, 2 * x)
w = np.exp(1j * x) * z
y = abs(w) + w.real * (z ** 2).imag
""",
    x="0.8",
    tolerance=1e-14,
)
program(
    "complex",
    "on a branch cut",
    """
z = np.array([-3.0, 2.0]) * x[1] + 0j
y = (np.arccos(z).imag * np.array([1.0, 2.0])).sum() + np.arcsin(z).imag[0] + np.arcsinh(z * 1j).real[1]
""",
)

# ---- ordinary cells ------------------------------------------------------------------------------

program(
    "ordinary cells",
    "Newton's method for a system",
    """
def F(v):
    return np.array([v[0]**2 + v[1]**2 - a, v[0] * v[1] - b])
def J(v):
    return np.array([[2*v[0], 2*v[1]], [v[1], v[0]]])
v = np.array([1.8, 0.6])
for _ in range(8):
    step = np.linalg.solve(J(v), F(v))
    v -= step
    if np.linalg.norm(step) < 1e-13:
        break
y = v @ v * v[0]
""",
    inputs={"a": "4.0", "b": "1.0"},
    flagged=True,
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Runge-Kutta 4 of a pendulum",
    """
def f(t, s):
    theta, omega = s
    return np.array([omega, -g / L * np.sin(theta)])
def rk4(f, s, t, h):
    k1 = f(t, s)
    k2 = f(t + h/2, s + h/2 * k1)
    k3 = f(t + h/2, s + h/2 * k2)
    k4 = f(t + h, s + h * k3)
    return s + h / 6 * (k1 + 2*k2 + 2*k3 + k4)
s = np.array([theta0, 0.0])
ts, h = np.linspace(0, 1, 11, retstep=True)
traj = np.empty((len(ts), 2))
traj[0] = s
for i, t in enumerate(ts[:-1]):
    traj[i + 1] = rk4(f, traj[i], t, h)
y = traj[-1, 0] + np.abs(traj[:, 1]).max()
""",
    inputs={"theta0": "0.7", "g": "9.81", "L": "1.2"},
    tolerance=1e-12,
    flagged=True,
)
program(
    "ordinary cells",
    "Euler with preallocated history",
    """
n = 20
pos = np.zeros((n + 1, 2))
vel = np.zeros((n + 1, 2))
vel[0] = [v0 * np.cos(angle), v0 * np.sin(angle)]
dt = 0.02
for k in range(n):
    drag = -0.1 * np.linalg.norm(vel[k]) * vel[k]
    acc = drag + np.array([0, -9.81])
    vel[k+1] = vel[k] + dt * acc
    pos[k+1] = pos[k] + dt * vel[k+1]
rng = pos[:, 0].max()
y = rng + pos[-1, 1]
""",
    inputs={"v0": "5.0", "angle": "0.8"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "verlet N-body",
    """
def accel(q, m, G=1.0, eps=0.05):
    d = q[None, :, :] - q[:, None, :]
    r2 = (d ** 2).sum(-1) + eps ** 2
    inv = r2 ** -1.5
    np.fill_diagonal(inv, 0.0)
    return G * (d * inv[..., None] * m[None, :, None]).sum(1)
q = q0.copy()
v = np.zeros_like(q)
a = accel(q, m)
for _ in range(5):
    v += 0.5 * 0.05 * a
    q += 0.05 * v
    a = accel(q, m)
    v += 0.5 * 0.05 * a
E = 0.5 * (m[:, None] * v ** 2).sum()
y = E + q[0] @ q[1]
""",
    inputs={"q0": "np.array([[0., 0.], [1., 0.2], [-0.3, 0.8]])", "m": "np.array([1.0, 0.5, 0.3])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "logistic regression loss",
    """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def nll(w, b, X, t, lam=0.1):
    p = sigmoid(X @ w + b)
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)) + lam * np.sum(w ** 2)
y = nll(w, b, X, t, lam=0.05)
""",
    inputs={"w": "np.array([0.5, -0.2])", "b": "0.1"},
    setup="rng=np.random.default_rng(0)\nX=rng.normal(size=(20,2))\nt=(X[:,0]>0).astype(int)",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "softmax cross entropy with one-hot",
    """
def softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)
logits = X @ W
P = softmax(logits)
onehot = np.eye(3)[labels]
loss = -np.sum(onehot * np.log(P)) / len(labels)
acc = np.mean(np.argmax(P, axis=1) == labels)
loss2 = -np.log(P[np.arange(len(labels)), labels]).mean()
y = loss + loss2
""",
    inputs={"W": "np.array([[0.1, 0.4, -0.2], [0.3, -0.5, 0.2]])"},
    setup="rng=np.random.default_rng(1)\nX=rng.normal(size=(6,2))\nlabels=rng.integers(0,3,6)",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "batch norm and dropout",
    """
def batchnorm(x, gamma, beta, eps=1e-5):
    mu = x.mean(0)
    var = x.var(0)
    return gamma * (x - mu) / np.sqrt(var + eps) + beta
np.random.seed(3)
mask = (np.random.rand(*X.shape) > 0.3) / 0.7
h = batchnorm(X * mask, gamma, beta)
h = np.maximum(h, 0.01 * h)
y = (h ** 2).mean()
""",
    inputs={"X": "np.array([[0.5, 1.2], [-0.3, 0.8], [1.1, -0.4]])", "gamma": "np.array([1.0, 0.5])", "beta": "0.1"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "LSTM cell",
    """
def cell(x, h, c, W, b):
    z = np.concatenate([x, h]) @ W + b
    i, f, o, g = np.split(z, 4)
    sig = lambda t: 1 / (1 + np.exp(-t))
    c = sig(f) * c + sig(i) * np.tanh(g)
    return sig(o) * np.tanh(c), c
h = np.zeros(2); c = np.zeros(2)
for x in xs:
    h, c = cell(x, h, c, W, b)
y = h @ h + c.sum()
""",
    inputs={"W": "np.linspace(-0.5, 0.5, 24).reshape(3, 8)", "b": "np.linspace(-.1,.2,8)"},
    setup="xs=np.array([[.5],[1.],[-.3]])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "attention",
    """
d = Q.shape[-1]
scores = Q @ K.T / np.sqrt(d)
mask = np.tril(np.ones(scores.shape, dtype=bool))
scores = np.where(mask, scores, -1e9)
A = np.exp(scores - scores.max(-1, keepdims=True))
A /= A.sum(-1, keepdims=True)
out = A @ V
y = np.sum(out ** 2)
""",
    inputs={
        "Q": "np.array([[.1,.4],[.5,-.2],[.3,.3]])",
        "K": "np.array([[.2,.1],[-.5,.2],[.7,.3]])",
        "V": "np.array([[1.,2.],[3.,-1.],[.5,.5]])",
    },
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "conv with sliding window view",
    """
from numpy.lib.stride_tricks import sliding_window_view
win = sliding_window_view(img, k.shape)
out = np.einsum('ijkl,kl->ij', win, k)
pooled = out.reshape(1, 2, 1, 2).max(axis=(1, 3))
y = np.tanh(out).sum() + pooled.item()
""",
    inputs={"img": "np.arange(9.).reshape(3,3)/7-.5", "k": "np.array([[1.,-.5],[.3,.2]])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "moving average by cumsum",
    """
def moving_average(a, n=3):
    ret = np.cumsum(a, dtype=float)
    ret[n:] = ret[n:] - ret[:-n]
    return ret[n - 1:] / n
m = moving_average(x, 2)
y = (m ** 2).sum() + m.max()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0, 0.3])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "exponential smoothing",
    """
s = np.empty_like(x)
s[0] = x[0]
for t in range(1, len(x)):
    s[t] = alpha * x[t] + (1 - alpha) * s[t-1]
mse = np.mean((x[1:] - s[:-1])**2)
y = mse
""",
    inputs={"alpha": "0.3"},
    setup="x=np.array([0.5, 1.5, -0.7, 2.0, 0.3])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "FFT low-pass",
    """
n = len(x)
X = np.fft.rfft(x)
freqs = np.fft.rfftfreq(n, d=0.1)
H = 1 / (1 + 1j * freqs / fc)
out = np.fft.irfft(X * H, n)
psd = np.abs(X) ** 2 / n
y = (out ** 2).sum() + psd[1:3].sum()
""",
    inputs={"x": "np.array([0.5, 1.5, -0.7, 2.0, 0.3, 1.1])", "fc": "2.0"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "spectrogram peaks and windows",
    """
w = np.hanning(4)
frames = np.stack([x[i:i+4] * w for i in range(0, len(x) - 3, 2)])
S = np.abs(np.fft.fft(frames, axis=1))[:, :3]
db = 20 * np.log10(S + 1e-3)
y = db.mean() + S.max()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0, 0.3, 1.1, 0.2, -0.8])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "autocorrelation",
    """
z = x - x.mean()
ac = np.correlate(z, z, mode='full')[len(z)-1:]
ac /= ac[0]
y = (ac[1:] ** 2).sum() + np.convolve(x, [0.25, 0.5, 0.25], 'same')[2]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0, 0.3])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "AR model least squares",
    """
A = np.column_stack([x[1:-1], x[:-2]])
coef, res, rank, sv = np.linalg.lstsq(A, x[2:], rcond=None)
pred = A @ coef
y = coef[0] - coef[1] + np.sum((pred - x[2:])**2)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0, 0.3, 1.2])",
    tolerance=1e-11,
)
program(
    "ordinary cells",
    "Gaussian log likelihood",
    """
def log_mvn(x, mu, S):
    d = x - mu
    L = np.linalg.cholesky(S)
    z = np.linalg.solve(L, d)
    return -0.5 * z @ z - np.log(np.diag(L)).sum() - 0.5 * len(x) * np.log(2*np.pi)
S = np.array([[s1**2, rho*s1*s2], [rho*s1*s2, s2**2]])
y = log_mvn(np.array([0.3, -0.5]), np.zeros(2), S)
""",
    inputs={"s1": "1.2", "s2": "0.8", "rho": "0.3"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "mixture by logsumexp",
    """
def logsumexp(a, axis=None):
    m = np.max(a, axis=axis, keepdims=True)
    s = np.log(np.sum(np.exp(a - m), axis=axis, keepdims=True)) + m
    return np.squeeze(s, axis=axis)
logp = np.log(pi / pi.sum()) - 0.5 * ((data[:, None] - mu) / sigma) ** 2 - np.log(sigma)
y = logsumexp(logp, axis=1).sum()
""",
    inputs={"mu": "np.array([-1.0, 1.5])", "sigma": "np.array([0.5, 0.9])", "pi": "np.array([0.4, 0.8])"},
    setup="data=np.array([-1.2,-.7,1.1,2.,.3])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Kalman filter",
    """
x = np.zeros(2)
P = np.eye(2)
F = np.array([[1., 1.], [0., 1.]])
H = np.array([[1., 0.]])
Q = q * np.eye(2)
ll = 0.0
for z in meas:
    x = F @ x
    P = F @ P @ F.T + Q
    S = H @ P @ H.T + r
    K = P @ H.T @ np.linalg.inv(S)
    inn = z - H @ x
    x = x + K @ inn
    P = (np.eye(2) - K @ H) @ P
    ll += -0.5 * (inn @ np.linalg.solve(S, inn) + np.log(np.linalg.det(S)))
y = float(ll)
""",
    inputs={"q": "0.1", "r": "0.5"},
    setup="meas=np.array([[1.],[2.1],[2.9],[4.2]])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "HMM forward",
    """
alpha = pi0 * B[:, obs[0]]
loglik = 0.0
for o in obs[1:]:
    c = alpha.sum()
    loglik += np.log(c)
    alpha = (alpha / c) @ A * B[:, o]
loglik += np.log(alpha.sum())
y = loglik
""",
    inputs={"A": "np.array([[.7,.3],[.4,.6]])", "B": "np.array([[.5,.4,.1],[.1,.3,.6]])"},
    setup="pi0=np.array([.6,.4])\nobs=[0,1,2,1]",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "heat equation Crank-Nicolson",
    """
n = 5
A = np.diag(np.full(n, 1 + r)) - np.diag(np.full(n - 1, r / 2), 1) - np.diag(np.full(n - 1, r / 2), -1)
B = np.diag(np.full(n, 1 - r)) + np.diag(np.full(n - 1, r / 2), 1) + np.diag(np.full(n - 1, r / 2), -1)
u = np.sin(np.pi * np.arange(1, n + 1) / (n + 1))
for _ in range(3):
    u = np.linalg.solve(A, B @ u)
y = u.sum()
""",
    inputs={"r": "0.4"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "wave equation in place",
    """
u = np.zeros((6, 7))
u[0, 3] = amp
u[1, 1:-1] = u[0, 1:-1] + 0.5 * c2 * (u[0, 2:] - 2*u[0, 1:-1] + u[0, :-2])
for n in range(1, 5):
    u[n+1, 1:-1] = 2*u[n, 1:-1] - u[n-1, 1:-1] + c2 * (u[n, 2:] - 2*u[n, 1:-1] + u[n, :-2])
y = (u[-1] ** 2).sum() + u[3, 2]
""",
    inputs={"amp": "1.0", "c2": "0.3"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Jacobi and Gauss-Seidel",
    """
x = np.zeros_like(b)
for it in range(10):
    x_new = np.zeros_like(x)
    for i in range(A.shape[0]):
        s1 = np.dot(A[i, :i], x_new[:i])
        s2 = np.dot(A[i, i+1:], x[i+1:])
        x_new[i] = (b[i] - s1 - s2) / A[i, i]
    if np.allclose(x, x_new, rtol=1e-14):
        break
    x = x_new
y = x @ x
""",
    inputs={"A": "np.array([[4.,1.,.5],[1.,5.,1.],[.2,1.,3.]])", "b": "np.array([1.,2.,3.])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Thomas algorithm in place",
    """
def thomas(a, b, c, d):
    n = len(d)
    c, d = c.copy(), d.copy()
    b = b.astype(float)
    for i in range(1, n):
        w = a[i-1] / b[i-1]
        b[i] -= w * c[i-1]
        d[i] -= w * d[i-1]
    x = np.zeros(n)
    x[-1] = d[-1] / b[-1]
    for i in range(n-2, -1, -1):
        x[i] = (d[i] - c[i] * x[i+1]) / b[i]
    return x
s = thomas(lo, np.array([4, 5, 6]), up, rhs)
y = s[0] * s[1] + s[2]
""",
    inputs={"lo": "np.array([1.,.5])", "up": "np.array([.3,.8])", "rhs": "np.array([1.,2.,3.])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "Gram-Schmidt",
    """
Q = np.zeros(A.shape)
R = np.zeros((A.shape[1], A.shape[1]))
for j in range(A.shape[1]):
    v = A[:, j].copy()
    for i in range(j):
        R[i, j] = Q[:, i] @ A[:, j]
        v -= R[i, j] * Q[:, i]
    R[j, j] = np.linalg.norm(v)
    Q[:, j] = v / R[j, j]
y = np.prod(np.diag(R)) + Q[0, 1]
""",
    inputs={"A": "np.array([[2.0, 0.5], [0.4, 1.7], [-0.2, 0.1]])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "Gaussian elimination with pivoting",
    """
M = np.hstack([A.copy(), b.reshape(-1, 1)])
n = len(b)
for k in range(n):
    p = k + np.argmax(np.abs(M[k:, k]))
    if p != k:
        M[[k, p]] = M[[p, k]]
    M[k] = M[k] / M[k, k]
    for i in range(n):
        if i != k:
            M[i] -= M[i, k] * M[k]
sol = M[:, -1]
y = sol.sum() + sol[0] * sol[1]
""",
    inputs={"A": "np.array([[0.5,1.,2.],[3.,.2,1.],[1.,1.,4.]])", "b": "np.array([1.,2.,3.])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "power iteration",
    """
v = np.ones(3)
for _ in range(60):
    w = A @ v
    v = w / np.linalg.norm(w)
lam = v @ A @ v / (v @ v)
y = lam
""",
    inputs={"A": "np.array([[2.,.5,.3],[.5,1.,.2],[.3,.2,.7]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "conjugate gradient",
    """
x = np.zeros(3)
r = b - A @ x
p = r.copy()
rs = r @ r
for _ in range(3):
    Ap = A @ p
    alpha = rs / (p @ Ap)
    x += alpha * p
    r -= alpha * Ap
    rs_new = r @ r
    if np.sqrt(rs_new) < 1e-10:
        break
    p = r + (rs_new / rs) * p
    rs = rs_new
y = x.sum() ** 2
""",
    inputs={"A": "np.array([[2.,.5,.3],[.5,1.,.2],[.3,.2,.7]])", "b": "np.array([1.,2.,3.])"},
    tolerance=1e-11,
    rtol=1e-05,
)
program(
    "ordinary cells",
    "PCA explained variance",
    """
Xc = X - X.mean(axis=0)
C = np.cov(Xc, rowvar=False)
vals, vecs = np.linalg.eigh(C)
order = np.argsort(vals)[::-1]
vals, vecs = vals[order], vecs[:, order]
ratio = vals / vals.sum()
scores = Xc @ vecs[:, :1]
y = ratio[0] + (scores ** 2).sum()
""",
    inputs={"X": "np.array([[0.5, 1.2], [-0.3, 0.8], [1.1, -0.4], [0.2, 0.1]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "whitening by svd",
    """
U, s, Vt = np.linalg.svd(X - X.mean(0), full_matrices=False)
rank1 = s[0] * np.outer(U[:, 0], Vt[0])
err = np.linalg.norm(X - X.mean(0) - rank1, 'fro')
y = err + s.sum()
""",
    inputs={"X": "np.array([[0.5, 1.2], [-0.3, 0.8], [1.1, -0.4], [0.2, 0.1]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "ridge polynomial regression",
    """
deg = 3
Phi = np.vander(x, deg + 1, increasing=True)
w = np.linalg.inv(Phi.T @ Phi + lam * np.eye(deg + 1)) @ Phi.T @ t
resid = Phi @ w - t
y = np.sqrt(np.mean(resid ** 2)) + np.polyval(w[::-1], 0.5)
""",
    inputs={"lam": "0.1", "t": "np.array([1.,.5,-.2,.3,.9])"},
    setup="x=np.linspace(-1,1,5)",
    tolerance=1e-11,
)
program(
    "ordinary cells",
    "RBF kernel Gaussian process",
    """
def kernel(a, b, ell=1.0, sf=1.0):
    d2 = np.sum(a**2, 1).reshape(-1, 1) + np.sum(b**2, 1) - 2 * a @ b.T
    return sf**2 * np.exp(-0.5 / ell**2 * d2)
K = kernel(X, X, ell=ell, sf=sf) + sn**2 * np.eye(len(X))
Ki = np.linalg.inv(K)
sign, logdet = np.linalg.slogdet(K)
nll = 0.5 * t @ Ki @ t + 0.5 * logdet
Ks = kernel(X, np.array([[0.5]]), ell, sf)
mu = Ks.T @ Ki @ t
y = nll + mu[0]
""",
    inputs={"ell": "0.8", "sf": "1.1", "sn": "0.2"},
    setup="X=np.linspace(0,2,5)[:,None]\nt=np.sin(3*X[:,0])",
    tolerance=1e-10,
    rtol=1e-05,
)
program(
    "ordinary cells",
    "k-means step",
    """
for _ in range(3):
    d = np.linalg.norm(X[:, None] - C, axis=2)
    lab = d.argmin(axis=1)
    C = np.array([X[lab == k].mean(axis=0) for k in range(len(C))])
inertia = sum(((X[lab == k] - C[k])**2).sum() for k in range(len(C)))
y = inertia
""",
    inputs={"X": "np.array([[0.5, 1.2], [-0.3, 0.8], [3.1, -0.4], [2.2, 0.1]])"},
    setup="C=np.array([[0.,1.],[3.,0.]])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "histogram weights via bincount",
    """
idx = np.digitize(x, [0.0, 1.0, 2.0])
sums = np.bincount(idx, weights=x ** 2, minlength=4)
counts = np.bincount(idx, minlength=4)
means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
y = (means * np.arange(4)).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 0.2, 1.3])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "np.add.at scatter",
    """
acc = np.zeros(3)
np.add.at(acc, idx, x * w)
np.subtract.at(acc, [0, 2], w[:2])
np.multiply.at(acc, [1, 1], 2.0)
y = (acc ** 2).sum()
""",
    inputs={"x": "np.array([0.5, 1.5, -0.7, 0.2])", "w": "np.array([1.,2.,.5,.3])"},
    setup="idx=np.array([0,2,0,1])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "finite elements assembly",
    """
n = 4
K = np.zeros((n, n))
f = np.zeros(n)
for e in range(n - 1):
    h = nodes[e+1] - nodes[e]
    ke = E[e] / h * np.array([[1, -1], [-1, 1]])
    dofs = [e, e + 1]
    K[np.ix_(dofs, dofs)] += ke
    f[dofs] += h / 2
free = np.arange(1, n)
u = np.zeros(n)
u[free] = np.linalg.solve(K[np.ix_(free, free)], f[free])
y = u[-1] + f @ u
""",
    inputs={"nodes": "np.array([0.,.3,.7,1.])", "E": "np.array([1.,2.,1.5])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "truss rotation matrices",
    """
def rot(a):
    c, s = np.cos(a), np.sin(a)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
R = rot(a) @ rot(2*b).T
p = R @ np.array([1.0, 2.0, 3.0])
T = np.eye(4)
T[:3, :3] = R
T[:3, 3] = [a, b, a*b]
q = (T @ np.append(p, 1))[:3]
y = q @ np.cross(p, [0, 1, 0]) + np.trace(T)
""",
    inputs={"a": "0.4", "b": "0.9"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "forward kinematics",
    """
angles = np.cumsum(theta)
x = np.sum(lengths * np.cos(angles))
yy = np.dot(lengths, np.sin(angles))
end = np.array([x, yy])
y = np.linalg.norm(end - target) ** 2 + np.hypot(*end)
""",
    inputs={"theta": "np.array([.3,.5,-.2])"},
    setup="lengths=np.array([1.,.8,.5])\ntarget=np.array([1.,1.])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "quaternion",
    """
def qmul(p, q):
    w0, x0, y0, z0 = p
    w1, x1, y1, z1 = q
    return np.array([w0*w1 - x0*x1 - y0*y1 - z0*z1, w0*x1 + x0*w1 + y0*z1 - z0*y1,
                     w0*y1 - x0*z1 + y0*w1 + z0*x1, w0*z1 + x0*y1 - y0*x1 + z0*w1])
q /= np.linalg.norm(q)
conj = q * [1, -1, -1, -1]
v = qmul(qmul(q, np.r_[0, 1, 2, 3]), conj)[1:]
y = v @ [0.3, 0.2, 0.1]
""",
    inputs={"q": "np.array([1.,.2,.3,.4])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "Black-Scholes with erf by hand",
    """
def N(x):
    t = 1 / (1 + 0.2316419 * np.abs(x))
    poly = t*(0.319381530 + t*(-0.356563782 + t*(1.781477937 + t*(-1.821255978 + t*1.330274429))))
    p = 1 - np.exp(-x**2/2) / np.sqrt(2*np.pi) * poly
    return np.where(x >= 0, p, 1 - p)
K = np.array([90., 100., 110.])
d1 = (np.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * np.sqrt(T))
d2 = d1 - sigma * np.sqrt(T)
price = S * N(d1) - K * np.exp(-r*T) * N(d2)
y = price.sum()
""",
    inputs={"S": "100.0", "sigma": "0.2", "r": "0.05", "T": "1.0"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Monte Carlo option",
    """
rng = np.random.default_rng(42)
Z = rng.standard_normal((50, 4))
dt = T / Z.shape[1]
paths = S0 * np.exp(np.cumsum((r - 0.5*vol**2)*dt + vol*np.sqrt(dt)*Z, axis=1))
payoff = np.maximum(paths.mean(axis=1) - 100, 0)
y = np.exp(-r*T) * payoff.mean()
se = payoff.std(ddof=1) / np.sqrt(len(payoff))
""",
    inputs={"S0": "100.0", "vol": "0.2", "r": "0.03"},
    setup="T=1.0",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "binomial tree in place",
    """
n = 6
dt = 1.0 / n
u = np.exp(sigma * np.sqrt(dt))
d = 1 / u
p = (np.exp(r * dt) - d) / (u - d)
ST = S * u ** np.arange(n, -1, -1.0) * d ** np.arange(0, n + 1, 1.0)
V = np.maximum(95 - ST, 0)
for i in range(n - 1, -1, -1):
    V[:i+1] = np.exp(-r*dt) * (p * V[:i+1] + (1 - p) * V[1:i+2])
    ST = S * u ** np.arange(i, -1, -1.0) * d ** np.arange(0, i + 1, 1.0)
    V[:i+1] = np.maximum(V[:i+1], 95 - ST)
y = V[0]
""",
    inputs={"S": "93.0", "sigma": "0.3", "r": "0.05"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "portfolio with weights normalised",
    """
w = np.exp(z) / np.exp(z).sum()
ret = w @ mu
risk = np.sqrt(w @ Sigma @ w)
sharpe = (ret - 0.01) / risk
hhi = np.square(w).sum()
y = sharpe - 0.1 * hhi
""",
    inputs={"z": "np.array([.1,.5,-.3])"},
    setup="mu=np.array([.05,.08,.03])\nSigma=np.array([[.04,.01,0],[.01,.09,.02],[0,.02,.02]])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "simpson and trapezoid",
    """
t = np.linspace(a, b, 21)
f = np.exp(-t ** 2)
h = (b - a) / 20
simpson = h / 3 * (f[0] + f[-1] + 4 * f[1:-1:2].sum() + 2 * f[2:-1:2].sum())
trap = np.trapezoid(f, t)
y = simpson + trap
""",
    inputs={"a": "-0.5", "b": "1.5"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "Gauss-Legendre quadrature",
    """
nodes, weights = np.polynomial.legendre.leggauss(5)
x = 0.5 * (b - a) * nodes + 0.5 * (a + b)
y = 0.5 * (b - a) * np.sum(weights * np.sin(x) * np.exp(a * x))
""",
    inputs={"a": "0.2", "b": "1.5"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "lagrange interpolation",
    """
def lagrange(xs, ys, x):
    total = 0.0
    for i in range(len(xs)):
        others = np.delete(xs, i)
        total += ys[i] * np.prod((x - others) / (xs[i] - others))
    return total
y = lagrange(xs, ys, p)
""",
    inputs={"p": "0.4", "ys": "np.array([1.,2.,.5])", "xs": "np.array([0.,.7,1.5])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "cubic spline natural",
    """
n = len(xs)
h = np.diff(xs)
A = np.zeros((n, n)); rhs = np.zeros(n)
A[0, 0] = A[-1, -1] = 1
for i in range(1, n - 1):
    A[i, i-1:i+2] = h[i-1], 2*(h[i-1] + h[i]), h[i]
    rhs[i] = 3 * ((ys[i+1] - ys[i]) / h[i] - (ys[i] - ys[i-1]) / h[i-1])
c = np.linalg.solve(A, rhs)
b = np.diff(ys) / h - h * (2*c[:-1] + c[1:]) / 3
d = np.diff(c) / (3 * h)
k = np.searchsorted(xs, p) - 1
dx = p - xs[k]
y = ys[k] + b[k]*dx + c[k]*dx**2 + d[k]*dx**3
""",
    inputs={"xs": "np.array([0.,1.,2.5,3.])", "ys": "np.array([1.,2.,.5,.8])", "p": "1.7"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "bilinear image sampling",
    """
i, j = np.floor(pts).astype(int).T
fi, fj = (pts - np.floor(pts)).T
vals = (img[i, j] * (1 - fi) * (1 - fj) + img[i+1, j] * fi * (1 - fj)
        + img[i, j+1] * (1 - fi) * fj + img[i+1, j+1] * fi * fj)
y = (vals ** 2).sum()
""",
    inputs={"pts": "np.array([[.3,.6],[1.2,.4]])", "img": "np.arange(12.).reshape(3,4)**1.3"},
    flagged=True,
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "piecewise function and select",
    """
f = np.piecewise(x, [x < 0, (x >= 0) & (x < 1), x >= 1], [lambda t: -t, lambda t: t ** 2, 1.0])
g = np.select([x < 0, x < 1], [np.exp(x), 1 + x], default=2 * np.sqrt(np.abs(x)))
h = np.where(np.isnan(x), 0, x)
huber = np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5)
y = (f * g).sum() + huber.mean() + h.sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "masked statistics",
    """
ok = ~np.isnan(data)
z = data[ok] * scale
med = np.median(z)
mad = np.median(np.abs(z - med))
keep = np.abs(z - med) < 3 * mad
y = z[keep].mean() + z[keep].std()
z[~keep] = 0
""",
    inputs={"scale": "1.5"},
    setup="data=np.array([1.,np.nan,2.2,3.1,30.,2.5])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "class with arrays and methods",
    """
class Layer:
    def __init__(self, W, b, act=np.tanh):
        self.W, self.b, self.act = W, b, act
        self.cache = {}
    def __call__(self, x):
        self.cache['in'] = x
        self.cache['out'] = self.act(x @ self.W + self.b)
        return self.cache['out']
class Net:
    def __init__(self, *layers):
        self.layers = list(layers)
    def forward(self, x):
        for l in self.layers:
            x = l(x)
        return x
net = Net(Layer(W1, np.zeros(3)), Layer(W2, np.full(1, 0.1), act=lambda z: z))
out = net.forward(X)
y = np.mean((out[:, 0] - t) ** 2)
""",
    inputs={"W1": "np.array([[.1,.4,-.2],[.3,-.5,.2]])", "W2": "np.array([[.5],[.2],[-.3]])"},
    setup="X=np.array([[1.,2.],[.5,-1.],[0.,.3]])\nt=np.array([1.,0.,.5])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "dataclass state and replace",
    """
from dataclasses import dataclass, replace, field
@dataclass
class State:
    q: np.ndarray
    p: np.ndarray
    history: list = field(default_factory=list)
    def energy(self):
        return 0.5 * self.p @ self.p + 0.5 * k * self.q @ self.q
s = State(q0 * 1.0, np.zeros(2))
for _ in range(4):
    s.p = s.p - 0.1 * k * s.q
    s = replace(s, q=s.q + 0.1 * s.p)
    s.history.append(s.energy())
y = s.history[-1] + np.ptp(s.history)
""",
    inputs={"q0": "np.array([1.,.5])", "k": "2.0"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "gradient descent with momentum loop",
    """
w = w0.copy()
v = np.zeros_like(w)
losses = []
for epoch in range(6):
    r = X @ w - t
    g = 2 * X.T @ r / len(t)
    v = mom * v - lr * g
    w += v
    losses.append((r ** 2).mean())
losses = np.array(losses)
y = losses[-1] + losses.min()
""",
    inputs={"lr": "0.1", "mom": "0.5", "w0": "np.array([0.5,-0.5])"},
    setup="rng=np.random.default_rng(5)\nX=rng.normal(size=(8,2))\nt=X@[1.,2.]",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Adam",
    """
m = np.zeros(2); v = np.zeros(2); th = x.copy()
for t in range(1, 5):
    g = 2 * th * np.array([1., 10.])
    m = 0.9*m + 0.1*g
    v = 0.999*v + 0.001*g**2
    mh, vh = m/(1-0.9**t), v/(1-0.999**t)
    th = th - 0.1 * mh/(np.sqrt(vh) + 1e-8)
y = th @ [1., 3.]
""",
    x="np.array([1.,.5])",
    tolerance=1e-12,
    rtol=0.0001,
)
program(
    "ordinary cells",
    "einsum contractions",
    """
G = np.einsum('ij,kj->ik', A, A)
t = np.einsum('ii', G)
o = np.einsum('i,j,k->ijk', v, v, v)
b = np.einsum('bij,bjk->bik', np.stack([A, 2*A]), np.stack([A.T, A.T]))
s = np.einsum('ij,ij->i', A, A)
y = t + o.sum() + np.einsum('bii->b', b) @ [1, 2] + s[0]
""",
    inputs={"A": "np.array([[.5,1.,2.],[3.,.2,1.]])", "v": "np.array([1.,2.])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Ising energy with roll",
    """
E = -J * np.sum(s * (np.roll(s, 1, axis=0) + np.roll(s, 1, axis=1))) - h * s.sum()
beta = 1 / T
w = np.exp(-beta * np.array([E, 0.9 * E, 1.1 * E]) / s.size)
y = np.log(w.sum())
""",
    inputs={"J": "1.0", "h": "0.2", "T": "2.0"},
    setup="s=np.array([[1,-1,1],[1,1,-1],[-1,1,1]], float)",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "lotka volterra vectorised over species",
    """
N = N0 * 1.0
hist = [N]
for _ in range(6):
    dN = N * (r + A @ N)
    N = N + 0.05 * dN
    hist.append(N)
H = np.vstack(hist)
y = H[-1].sum() + H.max(axis=0) @ [1., 2.]
""",
    inputs={"N0": "np.array([1.,.5])", "r": "np.array([1.,-.5])", "A": "np.array([[0.,-.8],[.6,0.]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "SIR with events",
    """
S, I, R = 0.99, 0.01, 0.0
out = np.zeros((30, 3))
for k in range(30):
    out[k] = S, I, R
    new = beta * S * I
    rec = gamma * I
    S, I, R = S - new, I + new - rec, R + rec
peak = out[:, 1].max()
day = out[:, 1].argmax()
y = peak + 0.1 * out[-1, 2]
""",
    inputs={"beta": "0.5", "gamma": "0.1"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "random walk metropolis accepted path",
    """
rng = np.random.default_rng(7)
x = 0.0
chain = []
for _ in range(10):
    prop = x + scale * rng.normal()
    if np.log(rng.uniform()) < -0.5 * (prop**2 - x**2):
        x = prop
    chain.append(x)
chain = np.asarray(chain)
y = chain.var() + chain[-1]
""",
    inputs={"scale": "0.8"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "dtype mixes",
    """
a = np.arange(4)
b = a * x
c = (a > 1) * x
d = np.ones(4, dtype=np.float32) * x
e = np.array([1, 2, 3, 4]) // 2 + x
f = np.uint8(3) * x[0]
g = b.astype(np.float64) + True
y = (b + c + d + e).sum() + f + g[0]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "views and aliases",
    """
a = np.zeros((3, 3))
diag = np.einsum('ii->i', a)
row, col = a[1], a[:, 2]
row[:] = x
col += 1
flat = a.ravel()
flat[0] = x[0] * x[1]
a.T[2, 0] = x[2] ** 2
y = (a * np.arange(9.).reshape(3, 3)).sum() + diag.sum() * row[1]
""",
    x="np.array([0.5, 1.5, -0.7])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "game of in-place updates",
    """
a = x.copy()
a[a < 0] *= -1
a[::2] += a[1::2]
a[[0, -1]] = a[[-1, 0]]
np.multiply(a, 2, out=a)
np.sqrt(a, out=a)
a -= a.mean()
a.sort()
y = (a ** 3).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    flagged=True,  # two values are equal when they are sorted
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "structured loop with zip and enumerate",
    """
total = 0
for i, (row, t) in enumerate(zip(X, T)):
    for j, v in np.ndenumerate(row):
        total += (i + 1) * v * t ** (j[0] + 1)
y = total / X.size
""",
    inputs={"X": "np.array([[.5,1.,2.],[3.,.2,1.]])", "T": "np.array([.5,2.])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "meshgrid potential",
    """
xs = np.linspace(-1, 1, 4)
X, Y = np.meshgrid(xs, xs, indexing='ij')
r = np.sqrt((X - cx) ** 2 + (Y - cy) ** 2 + 0.1)
V = q / r
Ex, Ey = np.gradient(-V, xs, xs)
y = (Ex ** 2 + Ey ** 2).sum() + V[1, 2]
""",
    inputs={"cx": "0.1", "cy": "-0.2", "q": "1.5"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "Bezier curve",
    """
from math import comb
t = np.linspace(0, 1, 7)[:, None]
n = len(P) - 1
B = sum(comb(n, i) * (1 - t) ** (n - i) * t ** i * P[i] for i in range(n + 1))
length = np.linalg.norm(np.diff(B, axis=0), axis=1).sum()
y = length + B[3] @ [1., 2.]
""",
    inputs={"P": "np.array([[0.,0.],[1.,2.],[2.,-1.],[3.,0.5]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "polygon area and centroid",
    """
x, yy = P.T
xn, yn = np.roll(x, -1), np.roll(yy, -1)
cross = x * yn - xn * yy
area = 0.5 * abs(cross.sum())
cx = ((x + xn) * cross).sum() / (6 * area)
y = area + cx
""",
    inputs={"P": "np.array([[0.,0.],[2.,.1],[2.2,1.5],[.3,1.]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "distance matrix and stress",
    """
D = np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=-1))
iu = np.triu_indices(len(X), k=1)
stress = ((D[iu] - target) ** 2).sum()
y = np.sqrt(stress)
""",
    inputs={"X": "np.array([[0.5, 1.2], [-0.3, 0.8], [1.1, -0.4]])"},
    setup="target=np.array([1.,2.,1.5])",
    tolerance=1e-12,
    flagged=True,
)
program(
    "ordinary cells",
    "triplet loss with norms",
    """
def dist(a, b):
    return np.linalg.norm(a - b, axis=-1)
loss = np.maximum(0, dist(e[0], e[1]) - dist(e[0], e[2]) + 0.5)
cos = e[0] @ e[1] / (np.linalg.norm(e[0]) * np.linalg.norm(e[1]))
y = loss + (1 - cos)
""",
    inputs={"e": "np.array([[0.5, 1.2], [-0.3, 0.8], [1.1, -0.4]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "page rank",
    """
n = 3
M = L / L.sum(axis=0, keepdims=True)
r = np.ones(n) / n
for _ in range(30):
    r = d * M @ r + (1 - d) / n
y = r @ np.arange(1, n + 1)
""",
    inputs={"d": "0.85", "L": "np.array([[1.,2.,.5],[.3,1.,1.],[2.,.2,1.]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "string of options in kwargs",
    """
def fit(x, *, method='mean', axis=None, **kw):
    fn = {'mean': np.mean, 'median': np.median, 'max': np.max}[method]
    return fn(x, axis=axis, **kw)
opts = dict(axis=0, keepdims=True)
m = fit(A, method='mean', **opts)
d = fit(A, method='median', **opts)
y = ((A - m) ** 2).sum() + (m * d).sum() + fit(A, method='max')
""",
    inputs={"A": "np.array([[.5,1.,2.],[3.,.2,1.]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "lambda dictionary of activations",
    """
acts = {'relu': lambda z: np.maximum(z, 0), 'elu': lambda z: np.where(z > 0, z, np.expm1(z)),
        'gelu': lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2/np.pi) * (z + 0.044715 * z**3))),
        'softplus': lambda z: np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0), 'swish': lambda z: z / (1 + np.exp(-z))}
res = {k: f(x) for k, f in acts.items()}
y = sum((v ** 2).sum() for v in res.values())
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "print in the loop and f-strings",
    """
x = start
for it in range(4):
    fx, dfx = x**3 - 2*x - 5, 3*x**2 - 2
    x = x - fx / dfx
    print(f"{it}: x = {x:.6f}, |f| = {abs(fx):.2e}", np.round(x, 3))
y = x * start
print("done", y, np.array([x, y]), sep=" | ")
""",
    inputs={"start": "2.5"},
    tolerance=1e-13,
    flagged=True,
)
program(
    "ordinary cells",
    "matrix exponential by Taylor and scaling",
    """
def expm(A, order=12, squarings=3):
    A = A / 2 ** squarings
    E = np.eye(len(A)); term = np.eye(len(A))
    for k in range(1, order + 1):
        term = term @ A / k
        E = E + term
    for _ in range(squarings):
        E = E @ E
    return E
A = np.array([[0.0, w], [-w, -g]])
y = (expm(A) @ [1.0, 0.0])[0] + np.linalg.matrix_power(A, 3)[0, 1]
""",
    inputs={"w": "2.0", "g": "0.3"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "block matrices and kron",
    """
I = np.eye(2)
M = np.block([[a * I, np.ones((2, 1))], [np.ones((1, 2)), np.array([[b]])]])
L = np.kron(I, M) + np.kron(M[:2, :2], np.eye(3))
y = np.linalg.det(M) + np.linalg.slogdet(L)[1] + np.linalg.eigvalsh(M + M.T).max()
""",
    inputs={"a": "2.0", "b": "0.7"},
    tolerance=1e-11,
)
program(
    "ordinary cells",
    "quantum two level",
    """
H = np.array([[delta, omega], [omega, -delta]]) / 2
vals, vecs = np.linalg.eigh(H)
U = vecs @ np.diag(np.exp(-1j * vals * t)) @ vecs.conj().T
psi = U @ np.array([1, 0], dtype=complex)
p = np.abs(psi) ** 2
y = p[1] + np.real(np.vdot(psi, H @ psi))
""",
    inputs={"delta": "0.4", "omega": "1.2", "t": "2.0"},
    tolerance=1e-11,
)
program(
    "ordinary cells",
    "AC circuit impedance",
    """
f = np.array([50.0, 100.0, 400.0])
wv = 2 * np.pi * f
Z = R + 1j * wv * L + 1 / (1j * wv * Cap * 1e-4)
gain_db = 20 * np.log10(np.abs(R / Z))
phase = np.degrees(np.angle(Z))
y = gain_db.sum() + 0.01 * phase @ [1, 2, 3]
""",
    inputs={"R": "10.0", "L": "0.05", "Cap": "1.0"},
    tolerance=1e-11,
)
program(
    "ordinary cells",
    "damped response complex exponent",
    """
s = complex(-zeta * wn, wn * np.sqrt(1 - zeta ** 2))
t = np.linspace(0, 1, 5)
resp = np.real(np.exp(s * t))
y = resp.sum() + abs(s) + np.exp(s).imag
""",
    inputs={"zeta": "0.2", "wn": "3.0"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "mandelbrot smooth potential",
    """
z = 0j
cc = complex(a, b)
n = 0
while abs(z) < 50 and n < 30:
    z = z * z + cc
    n += 1
y = n + 1 - np.log2(np.log(np.abs(z)))
""",
    inputs={"a": "0.5", "b": "0.6"},
    flagged=True,
    tolerance=1e-12,
    rtol=1e-05,
)
program(
    "ordinary cells",
    "cumulative max drawdown",
    """
wealth = np.cumprod(1 + r)
peak = np.maximum.accumulate(wealth)
dd = (peak - wealth) / peak
y = dd.max() + np.log(wealth[-1])
""",
    inputs={"r": "np.array([.05,-.1,.03,-.04,.08])"},
    flagged=True,
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "DTW dynamic programming",
    """
n, m = len(a), len(b)
D = np.full((n + 1, m + 1), np.inf)
D[0, 0] = 0
for i in range(1, n + 1):
    for j in range(1, m + 1):
        cost = abs(a[i-1] - b[j-1])
        D[i, j] = cost + min(D[i-1, j], D[i, j-1], D[i-1, j-1])
y = D[n, m]
""",
    inputs={"a": "np.array([.5,1.5,.2])", "b": "np.array([.4,1.1,.9])"},
    flagged=True,
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "soft-min viterbi in log space",
    """
V = np.zeros((3, 2))
V[0] = logp[0]
for t in range(1, 3):
    for k in range(2):
        cand = V[t-1] + T[:, k]
        V[t, k] = np.logaddexp.reduce(cand) + logp[t, k]
y = np.logaddexp(*V[-1])
""",
    inputs={"logp": "np.array([[-1.,-.5],[-.3,-2.],[-1.2,-.8]])", "T": "np.array([[-.2,-1.5],[-1.,-.4]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "bootstrap indices",
    """
rng = np.random.default_rng(0)
idx = rng.integers(0, len(x), size=(5, len(x)))
means = x[idx].mean(axis=1)
lo, hi = np.percentile(means, [5, 95])
y = hi - lo + np.median(means)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "permutation and shuffle",
    """
rng = np.random.default_rng(2)
p = rng.permutation(len(x))
z = x[p]
np.random.seed(0)
np.random.shuffle(order := np.arange(4))
y = (z * np.arange(4)).sum() + (x[order] * [1, 2, 3, 4]).sum() ** 2
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "correlation and regression line",
    """
r = np.corrcoef(x, z)[0, 1]
slope, intercept = np.polyfit(x, z, 1)
zs = (x - x.mean()) / x.std(ddof=1)
skew = np.mean(zs ** 3)
kurt = np.mean(zs ** 4) - 3
y = r + slope * intercept + skew + kurt
""",
    inputs={"x": "np.array([0.5, 1.5, -0.7, 2.0])", "z": "np.array([1.,2.2,.3,1.9])"},
    tolerance=1e-11,
)
program(
    "ordinary cells",
    "weighted quantile loss",
    """
def pinball(u, q):
    return np.maximum(q * u, (q - 1) * u)
qs = np.array([0.1, 0.5, 0.9])
u = t[:, None] - (a + b * xx)[:, None] - c
y = pinball(u, qs).mean()
""",
    inputs={"a": "0.3", "b": "0.7", "c": "np.array([-1.,.05,.8])"},
    setup="xx=np.linspace(0,1,4)\nt=np.array([.2,.9,.6,1.3])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "sorting network and ranks",
    """
order = np.argsort(-x)
top = x[order[:2]]
ranks = np.empty(len(x), int)
ranks[order] = np.arange(len(x))
gain = (2 ** top - 1) / np.log2(np.arange(2) + 2)
y = gain.sum() + (x * ranks).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "list of arrays stacked later",
    """
rows = []
for k in range(3):
    rows.append(np.array([x[0] ** k, np.sin(k * x[1]), k]))
M = np.array(rows)
N = np.vstack(rows + [np.ones(3)])
y = np.linalg.norm(M) + N.sum() + np.concatenate(rows)[3]
""",
    x="np.array([0.5, 1.5])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "array filled by comprehension of floats",
    """
vals = np.array([float(v) ** 2 for v in x])
tot = float(np.sum(vals))
lst = x.tolist()
m = max(lst) + min(lst) + sum(lst)
y = tot * m + np.float64(lst[0]) + len(lst)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "early exit and while",
    """
a, n = x.copy(), 0
while np.abs(a).max() > 0.1 and n < 50:
    a = a * 0.5 - 0.01 * a ** 2
    n += 1
y = a.sum() * n
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "upwind advection with np.where and roll",
    """
u = u0.copy()
vel = np.where(np.arange(5) < 3, c, -c)
for _ in range(3):
    back = (u - np.roll(u, 1)) / 0.2
    fwd = (np.roll(u, -1) - u) / 0.2
    u = u - 0.05 * (np.maximum(vel, 0) * back + np.minimum(vel, 0) * fwd)
y = (u ** 2).sum() + u[2]
""",
    inputs={"u0": "np.array([0.,.5,1.,.4,.1])", "c": "0.8"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "multigrid restriction by slices",
    """
fine = np.sin(x)
coarse = 0.25 * fine[:-2:2] + 0.5 * fine[1:-1:2] + 0.25 * fine[2::2]
back = np.zeros_like(fine)
back[1:-1:2] = coarse
back[2:-2:2] = 0.5 * (coarse[:-1] + coarse[1:])
y = ((fine - back) ** 2).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0, .3, .9, -.2])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "laplacian 2d five-point",
    """
lap = np.zeros_like(U)
lap[1:-1, 1:-1] = (U[:-2, 1:-1] + U[2:, 1:-1] + U[1:-1, :-2] + U[1:-1, 2:] - 4 * U[1:-1, 1:-1])
U = U + 0.1 * lap
U[0, :] = U[-1, :] = 0
U[:, [0, -1]] = 1.0
y = (U ** 2).sum()
""",
    inputs={"U": "np.arange(16.).reshape(4,4)**1.2/5"},
    tolerance=1e-12,
)

# ---- ordinary cells, more of them ----------------------------------------------------------------

program(
    "ordinary cells",
    "builtins on arrays",
    """
import math, functools, itertools, operator
a = max(x) + min(x) + sum(x) + sum(v * v for v in x)
b = sorted(x)[1] * sorted(x, reverse=True)[0]
d = functools.reduce(lambda p, q: p * q + 1, x)
e = list(itertools.accumulate(x, operator.mul))[-1]
f = math.fsum(x) + math.prod(x) + math.hypot(*x) + math.dist(x[:2], x[2:])
first, *rest = x
g = first * sum(rest) + len(rest)
y = a + b * d + e + f + g + max(abs(v) for v in x) + (2.0 in x) + any(x > 1) + all(v < 3 for v in x)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    flagged=True,
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "zip star and transposition",
    """
cols = [np.array(c) for c in zip(*A)]
dots = [c @ c for c in cols]
pairs = [(p * q).sum() for p, q in zip(A, A[::-1])]
y = sum(dots) + pairs[0] + np.array(list(map(np.sum, A))).prod()
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "recursive fft by hand",
    """
def fft(v):
    n = len(v)
    if n == 1:
        return v + 0j
    even, odd = fft(v[::2]), fft(v[1::2])
    w = np.exp(-2j * np.pi * np.arange(n // 2) / n) * odd
    return np.concatenate([even + w, even - w])
S = np.abs(fft(x)) ** 2
y = S[1] + S[2] * 0.5
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "scalar phasors",
    """
z = 0
for k, v in enumerate(x):
    z += v * np.exp(1j * k * 0.3)
w = z / (1 + 0.5j * x[0])
y = w.real ** 2 + w.imag + np.abs(z) + np.angle(w)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "phasor scalar input",
    """
z = A0 * np.exp(1j * phi)
w = np.conj(z) * (2 - 1j) + np.sqrt(z)
p = np.array([z, w, 1.0])
q = p * p[::-1]
y = np.abs(w) + q[1].real + np.imag(np.log(z)) + abs(q.sum())
""",
    inputs={"A0": "1.3", "phi": "0.4"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "float32 buffer",
    """
b = np.zeros(4, dtype=np.float32)
b[:] = x
b[1] += x[0]
y = float((b.astype(float) * 2).sum())
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-06,
    grad={"x": [4.0, 2.0, 2.0, 2.0]},
)
program(
    "ordinary cells",
    "global and nonlocal",
    """
count = 0
def f(v):
    global count
    count += 1
    acc = 0.0
    def add(t):
        nonlocal acc
        acc = acc + t * count
        return acc
    for t in v:
        add(t)
    return acc
y = f(x) + f(x[:2])
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
)
program(
    "ordinary cells",
    "generator pipeline",
    """
def windows(v, n):
    for i in range(len(v) - n + 1):
        yield v[i:i + n]
means = [w.mean() for w in windows(x, 2)]
y = np.var(means) + np.max(np.fromiter((w.std() for w in windows(x, 3)), float))
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "try except singular",
    """
try:
    B = np.linalg.inv(np.zeros((3, 3)))
except np.linalg.LinAlgError:
    B = np.linalg.inv(A)
try:
    A[5]
except IndexError as err:
    msg = str(err)
y = B.trace()
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "errstate and nan guards",
    """
with np.errstate(divide='ignore', invalid='ignore'):
    r = np.where(x > 0, np.log(np.abs(x)), 0)
    s = np.divide(1, x, out=np.zeros_like(x), where=x > 0)
    t = np.sqrt(x, where=x > 0, out=np.zeros_like(x))
y = r.sum() + (s * t).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "masked by multiplication",
    """
m = (x > 0).astype(float)
n = m.sum()
mu = (x * m).sum() / n
sd = np.sqrt((((x - mu) * m) ** 2).sum() / n)
y = mu / sd + np.count_nonzero(x > 1)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "masked array",
    """
m = np.ma.masked_less(x, 0)
y = m.mean() + m.sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    refused="cell",
)
program(
    "ordinary cells",
    "structured array",
    """
s = np.zeros(4, dtype=[('pos', float), ('vel', float)])
s['pos'] = x
s['vel'][1:] = x[1:] * 2
y = (s['pos'] * s['vel']).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    refused="cell",
)
program(
    "ordinary cells",
    "array of arrays dict",
    """
params = {'W': A, 'b': A[0] * 2}
grads = {k: np.zeros_like(v) for k, v in params.items()}
for k, v in params.items():
    grads[k] += 2 * v
new = {k: params[k] - 0.1 * grads[k] for k in params}
y = sum((v ** 2).sum() for v in new.values())
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "copy semantic checks",
    """
import copy
a = x.copy(); b = a; d = copy.deepcopy({'v': a})
b *= 2
e = d['v']
e[0] = 0
f = np.array(a, copy=True); f += 1
g = a.view(); g[1] = x[3]
h = a[:]; h[2] = x[0] * x[1]
y = a.sum() + (e * f).sum()
same = (a is b, np.shares_memory(a, g), e is a)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "printoptions",
    """
np.set_printoptions(precision=3, suppress=True)
s = np.array2string(x * 2, precision=2)
print(x, s, repr(x[0] > 0), f"{x[1]:.2f} {x.mean():8.3e}")
np.set_printoptions()
y = (x ** 2).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    flagged=True,
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "interp and searchsorted table",
    """
grid = np.linspace(0, 3, 7)
table = np.exp(-grid)
v = np.interp(np.abs(x) + 0.03, grid, table)
k = np.searchsorted(grid, np.abs(x) + 0.03)
w = table[k] * (grid[k] - np.abs(x))
y = v.sum() + w.sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    flagged=True,
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "chunks and array_split",
    """
parts = np.array_split(x, 3)
y = sum(p.mean() * (i + 1) for i, p in enumerate(parts)) + np.concatenate(parts[::-1])[0] ** 2
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "pairs by combinations",
    """
from itertools import combinations
E = 0.0
for i, j in combinations(range(len(x)), 2):
    r = abs(x[i] - x[j])
    E += 4 * ((1 / r) ** 4 - (1 / r) ** 2)
y = E
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-12,
    h=1e-06,
)
program(
    "ordinary cells",
    "property and operator overloading",
    """
class Vec:
    def __init__(self, v): self.v = np.asarray(v)
    def __add__(self, o): return Vec(self.v + o.v)
    def __mul__(self, s): return Vec(self.v * s)
    __rmul__ = __mul__
    def __matmul__(self, o): return self.v @ o.v
    @property
    def norm(self): return np.sqrt(self @ self)
    def __iter__(self): return iter(self.v)
    def __len__(self): return len(self.v)
a, b = Vec(x[:2]), Vec([x[2], x[3]])
d = a + 2 * b
y = d.norm * (a @ b) + sum(d) + len(d)
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "lru cache on floats",
    """
from functools import lru_cache
@lru_cache(maxsize=None)
def cheb(n, t):
    return 1.0 if n == 0 else t if n == 1 else 2 * t * cheb(n - 1, t) - cheb(n - 2, t)
y = sum(cheb(n, x[0]) * c for n, c in enumerate(x[1:]))
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
    flagged=True,
)
program(
    "ordinary cells",
    "polynomial class",
    """
p = np.polynomial.Polynomial([1.0, 2.0, 0.5])
y = p(x).sum() + p.deriv()(x[0])
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "polynomial with active coefficients",
    """
p = np.polynomial.Polynomial(x)
y = p(0.5) * p(x[0])
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "chebyshev and hermite values",
    """
y = np.polynomial.chebyshev.chebval(0.3, x) + np.polynomial.polynomial.polyval(x[0], [1., 2., 3.]) + np.polynomial.legendre.legval(x, [0., 1., .5]).sum()
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "unique and counts on plain",
    """
labels = np.array([0, 1, 0, 2])
u, cnt = np.unique(labels, return_counts=True)
s = np.array([x[labels == k].sum() for k in u])
y = (s / cnt) @ [1., 2., 3.]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "groupby with add.reduceat",
    """
starts = [0, 2]
g = np.add.reduceat(x, starts)
m = np.maximum.reduceat(x, starts)
y = g[0] * m[1] + np.multiply.outer(x[:2], x[2:]).sum() + np.subtract.accumulate(x)[-1]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "boolean matrix writes",
    """
B = A.copy()
B[B < 0] = 0
B[np.arange(3), np.arange(3)] += 1
B[[0, 2]] *= A[0, 1]
B[:, 1][B[:, 1] > 1] = A[2, 2] * 0.1
i, j = np.where(A > 1)
B[i, j] -= A[i, j] ** 2
y = np.tril(B).sum() + np.linalg.norm(B, 1)
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-13,
    flagged=True,
)
program(
    "ordinary cells",
    "iterative refinement of sqrtm",
    """
Y, Z = A.copy(), np.eye(3)
for _ in range(12):
    Y, Z = 0.5 * (Y + np.linalg.inv(Z)), 0.5 * (Z + np.linalg.inv(Y))
y = np.trace(Y) + Z[0, 1]
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "qr algorithm eigenvalues",
    """
T = (A + A.T) / 2
for _ in range(40):
    Q, R = np.linalg.qr(T)
    T = R @ Q
ev = np.sort(np.diag(T))
y = ev[0] * 2 + ev[-1]
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-11,
    rtol=1e-05,
)
program(
    "ordinary cells",
    "householder",
    """
R = A.copy(); Q = np.eye(3)
for k in range(2):
    v = R[k:, k].copy()
    v[0] += np.sign(v[0]) * np.linalg.norm(v)
    v /= np.linalg.norm(v)
    R[k:, k:] -= 2 * np.outer(v, v @ R[k:, k:])
    Q[:, k:] -= 2 * np.outer(Q[:, k:] @ v, v)
y = np.abs(np.diag(R)).sum() + Q[0, 1]
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-12,
    flagged=True,
)
program(
    "ordinary cells",
    "trapz cumulative and diff",
    """
t = np.linspace(0, 1, 4)
F = np.concatenate([[0], np.cumsum(np.diff(t) * (x[1:] + x[:-1]) / 2)])
d2 = np.diff(x, n=2)
g = np.gradient(x, t)
ed = np.ediff1d(x, to_end=x[0])
y = F[-1] + (d2 ** 2).sum() + g[1] * ed[-1]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "np.apply and vectorize user function",
    """
def f(row, k=2):
    return (row ** k).sum() / (1 + np.abs(row).max())
r = np.apply_along_axis(f, 1, A, k=3)
step = np.vectorize(lambda a, b: a if a > b else b * b)
y = r.sum() + step(A, 0.45).sum()
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "swap and rotate in place",
    """
a = x.copy()
a[0], a[3] = a[3], a[0]
a[1:3] = a[2:0:-1]
a = np.roll(a, 1)
a[::2], a[1::2] = a[1::2].copy(), a[::2].copy()
y = (a * np.arange(1, 5)).sum() * a[0]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "matmul broadcasting batch",
    """
T = np.stack([A, A.T, A @ A])
v = T @ np.ones(3)
s = np.linalg.solve(T, v[..., None])[..., 0]
d = np.linalg.det(T)
y = (v ** 2).sum() + d @ [1., 2., 3.] + np.einsum('bij,bj->', T, s * v) + np.trace(T, axis1=1, axis2=2).prod()
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-12,
)
program(
    "ordinary cells",
    "integer powers and negative base",
    """
y = (x ** 3).sum() + np.power(x, 2).sum() + (np.abs(x) ** 1.5).sum() + (2.0 ** x).sum() + x[2] ** 2 + (-x) ** 2 @ np.ones(4) + (x ** -1).sum() + x[0] ** x[1]
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "mod floor round of active",
    """
a = np.mod(x, 0.6) + np.floor(x) * x + np.round(x, 1) * 2 + np.trunc(x) + x // 0.4
b = np.fmod(x, 0.6) + np.remainder(x, -0.6) + divmod(x[3], 0.7)[1]
y = a.sum() + b.sum()
""",
    x="np.array([0.52, 1.53, -0.74, 2.11])",
    flagged=True,
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "softplus stable and logs",
    """
y = np.logaddexp(0, x).sum() + np.log1p(np.exp(-np.abs(x))).sum() + np.expm1(x).sum() + np.log2(np.abs(x)).sum() + np.arctan2(x, x[::-1]).sum() + np.hypot(x, 1).prod() + np.sinc(x).sum() + np.tanh(x[0])
""",
    x="np.array([0.5, 1.5, -0.7, 2.0])",
    tolerance=1e-13,
)
program(
    "ordinary cells",
    "cdist with broadcasting and argmin gather",
    """
P = A[:, :2]
D = np.sqrt(((P[:, None] - P[None]) ** 2).sum(-1) + np.eye(3) * 100)
nn = D.argmin(1)
y = D[np.arange(3), nn].sum() + np.take_along_axis(D, nn[:, None], 1).max() + np.partition(D.ravel(), 2)[2]
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-13,
    flagged=True,
)
program(
    "ordinary cells",
    "np.testing inside",
    """
B = A @ np.linalg.inv(A)
np.testing.assert_allclose(B, np.eye(3), atol=1e-10)
assert np.allclose(B, np.eye(3)) and A.shape == (3, 3) and A.ndim == 2
y = np.trace(A) * np.linalg.cond(A, 2)
""",
    inputs={"A": "np.array([[2.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.2, 0.1, 2.5]])"},
    tolerance=1e-12,
)

# ---- as a NumPy user, a lecturer, a reviewer write them --------------------------------------------

program(
    "parts of complex arrays", "imaginary parts written to a real one", "w = x + 0j\nw.imag = x ** 2\ny = np.abs(w)"
)
program(
    "parts of complex arrays",
    "imaginary parts written through a view",
    "w = x + 0j\nw.imag[1:] += x[:-1] * x[1:]\nw.real *= 2\ny = w.imag ** 2 + w.real",
)
program("in place", "matrix product of a vector", "a = np.ones(4)\na @= np.diag(x)\na @= np.eye(4)\ny = a * a")
expressions(
    "products along other axes",
    VECTOR,
    ["np.matmul(x, x ** 2, axes=[0, 0, ()])", "np.matmul(np.ones((4, 2)), np.diag(x), axes=[(1, 0), (0, 1), (1, 0)])"],
)
program("in place", "marked as read-only by its method", "b = x * 2\nb.setflags(write=False)\ny = b ** 2")
_POLYNOMIALS = [
    "Polynomial(x).deriv()(2.0)",
    "Polynomial(x).deriv(2)(0.3)",
    "Polynomial(x).integ(lbnd=1)(x[0])",
    "Polynomial([1, x[0], 3]).deriv()(x[1])",
    "Polynomial(x).roots().real.sum()",
    "(Polynomial(x) ** 2 % Polynomial([1, 2, 1.0]))(0.5)",
    "Polynomial(x).convert(kind=Chebyshev).deriv()(0.3)",
    "Legendre(x).integ()(0.3)",
    "np.polynomial.polynomial.polyint(x, 2)",
    "np.sort(np.abs(np.polynomial.polynomial.polyroots(x)))",
]
for _text in _POLYNOMIALS:
    program(
        "polynomials",
        _text,
        f"y = {_text}",
        setup="from numpy.polynomial import Chebyshev, Legendre, Polynomial",
        flagged="sort" in _text,
        tolerance=1e-12,
    )
for _name, _cell in {
    "a record made of numbers": "b = np.array([(x[0], 1)], dtype=[('a', float), ('b', int)])\ny = b['a'][0]",
    "an entry of a record": "b = np.zeros(2, dtype=[('a', float)])\nb['a'][0] = x[0]\ny = b['a'].sum()",
    "a masked array": "y = np.ma.masked_where(x < 0, x).sum()",
    "its plain memory": "y = float(len(x.data)) * x[0]",
    "an array of objects as floats": "y = np.array([x[0], 1.0], dtype=object).astype(float).sum()",
}.items():
    program("refused", _name, _cell, refused="cell")
program("refused", "complex output", "y = np.fft.fft(x)", refused="output")
program("refused", "truth values", "y = x > 0", refused="output")
