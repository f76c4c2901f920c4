"""What a program in JAX brings along, besides the `shared_library`, under the names and arguments of NumPy.

The source of these functions becomes part of a program; nothing here runs otherwise, and JAX is not imported.
"""

from __future__ import annotations

from typing import Any

jax: Any = None  # the program imports them
jnp: Any = None
np: Any = None


def floats(x: Any) -> Any:
    """Numbers as an array of floats."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)


def same(*values: Any) -> Any:
    """Numbers as arrays, which JAX brings to one type itself."""
    return [jnp.asarray(x) for x in values]


def holds(condition: Any, otherwise: str) -> Any:
    """Whether a decision comes out as recorded: an error if not, a condition where jit or vmap cannot know yet."""
    try:
        known = bool(condition)
    except jax.errors.ConcretizationTypeError:
        return condition
    if not known:
        raise AssertionError(otherwise)
    return True


def written(flat: Any, places: Any, value: Any) -> Any:
    """The content after an assignment, as a new array."""
    flat = jnp.asarray(flat)
    return flat.astype(jnp.result_type(flat, value)).at[places].set(value)


def placed(shape: Any, places: Any, entries: Any) -> Any:
    """Zeros but for some entries, in flat order."""
    out = jnp.zeros(shape, jnp.result_type(entries, float))
    return out.reshape(-1).at[places].add(entries).reshape(out.shape)


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """np.digitize"""
    return jnp.digitize(x, jnp.asarray(bins), right=right)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """np.take"""
    return jnp.take(x, np.asarray(indices), axis=axis)


def insert(x: Any, where: Any, values: Any, axis: Any = None) -> Any:
    """np.insert"""
    return jnp.insert(x, np.asarray(where), values, axis=axis)
