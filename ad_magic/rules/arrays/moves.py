"""Taking entries, putting arrays together, parts of complex numbers: linear, and each entry goes to its own place."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .rule import ArrayRule


def _item(a: Any, index: Any) -> Any:
    return a[index] if hasattr(type(a), "__getitem__") else a  # a number at ()


def _spread(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, complex if np.iscomplexobj(g) else float)
    if is_basic(index):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


def is_basic(index: Any) -> bool:
    """Whether an index takes each entry at most once, by slices and whole numbers.

    >>> is_basic((slice(1), 0)), is_basic([0, 0])
    (True, False)
    """
    keys = index if isinstance(index, tuple) else (index,)
    return all(
        (isinstance(k, (int, slice, np.integer)) and not isinstance(k, bool)) or k is None or k is ... for k in keys
    )


def _pull_item(k: int, g: Any, z: Any, a: Any, index: Any) -> Any:
    if type(g) is np.ndarray or isinstance(g, (float, complex)):
        return _spread(g, index, getattr(a, "shape", ()))  # of a number: x[()]
    raise NotImplementedError  # the engine has another way for an active adjoint


def _pull_transpose(k: int, g: Any, z: Any, a: Any, axes: Any = None) -> Any:
    return np.transpose(g, None if axes is None else np.argsort([n % a.ndim for n in axes]))


def _pull_concatenate(k: int, g: Any, z: Any, arrays: Any, axis: Any = 0) -> Any:
    if axis is None:
        sizes = np.cumsum([0, *(x.size for x in arrays)])
        return np.reshape(g[sizes[k] : sizes[k + 1]], arrays[k].shape)
    axis = axis % arrays[k].ndim
    ends = np.cumsum([0, *(x.shape[axis] for x in arrays)])
    return g[(*(slice(None),) * axis, slice(ends[k], ends[k + 1]))]


def _pull_stack(k: int, g: Any, z: Any, arrays: Any, axis: int = 0) -> Any:
    return g[(*(slice(None),) * (axis % z.ndim), k)]


def _gathered(entries: Any, shape: tuple[int, ...]) -> Any:
    return (
        np.stack(entries).reshape(shape)
        if any(hasattr(x, "__array_ufunc__") for x in entries)
        else np.reshape(entries, shape)
    )


def _pull_gathered(k: int, g: Any, z: Any, entries: Any, shape: tuple[int, ...]) -> Any:
    return np.reshape(g, -1)[k]


def _pull_where(k: int, g: Any, z: Any, x: Any, y: Any, condition: Any) -> Any:
    return np.where(condition, g, 0.0) if k == 0 else np.where(condition, 0.0, g)


def _push_where(k: int, t: Any, z: Any, x: Any, y: Any, condition: Any) -> Any:
    return np.where(condition, t, 0.0) if k == 0 else np.where(condition, 0.0, t)


def _value_where(x: Any, y: Any, condition: Any) -> Any:
    return np.where(condition, x, y)


# ---- parts of complex numbers: functions of the two real parts -----------------------------------


def _direction(a: Any) -> Any:
    """a / |a|; 0 at 0."""
    size = np.abs(a)
    return np.where(size == 0, 0.0, a / np.where(size == 0, 1.0, size))


def _pull_angle(k: int, g: Any, z: Any, a: Any) -> Any:
    return g * 1j * a / (np.real(a) ** 2 + np.imag(a) ** 2)


def _push_angle(k: int, t: Any, z: Any, a: Any) -> Any:
    return np.imag(np.conjugate(a) * t) / (np.real(a) ** 2 + np.imag(a) ** 2)


def _pull_complex(k: int, g: Any, z: Any, real: Any, imag: Any) -> Any:
    return np.real(g) if k == 0 else np.imag(g)


def _value_astype(a: Any, dtype: Any) -> Any:
    return (a if hasattr(a, "astype") else np.reshape(a, ())).astype(dtype)


def _value_complex(real: Any, imag: Any) -> Any:
    z = real + 1j * imag
    return z if hasattr(z, "tape") else np.asarray(z)


# fmt: off
RULES: tuple[ArrayRule, ...] = (
    ArrayRule("item", _item, ("a",), ("index",), _pull_item),
    ArrayRule("reshape", lambda a, shape: np.reshape(a, shape), ("a",), ("shape",),
              lambda k, g, z, a, shape: np.reshape(g, getattr(a, "shape", ()))),
    ArrayRule("transpose", np.transpose, ("a",), ("axes",), _pull_transpose),
    ArrayRule("concatenate", np.concatenate, ("arrays",), ("axis",), _pull_concatenate, several=True),
    ArrayRule("stack", np.stack, ("arrays",), ("axis",), _pull_stack, several=True),
    ArrayRule("array", _gathered, ("entries",), ("shape",), _pull_gathered, several=True),
    ArrayRule("where", _value_where, ("x", "y"), ("condition",), _pull_where, _push_where),
    ArrayRule("real", np.real, ("a",), (), lambda k, g, z, a: g),
    ArrayRule("imag", np.imag, ("a",), (), lambda k, g, z, a: 1j * g if np.iscomplexobj(a) else None),
    ArrayRule("conj", np.conjugate, ("a",), (), lambda k, g, z, a: np.conjugate(g)),
    ArrayRule("modulus", np.abs, ("a",), (), lambda k, g, z, a: g * _direction(a),
              lambda k, t, z, a: np.real(np.conjugate(_direction(a)) * t)),
    ArrayRule("angle", np.angle, ("a",), (), _pull_angle, _push_angle),
    ArrayRule("astype", _value_astype, ("a",), ("dtype",), lambda k, g, z, a, dtype: g,
              lambda k, t, z, a, dtype: t),
    ArrayRule("complex", _value_complex, ("real", "imag"), (), _pull_complex,
              lambda k, t, z, real, imag: t + 0j if k == 0 else 1j * t),
)
# fmt: on
