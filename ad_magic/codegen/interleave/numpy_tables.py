"""What functions of NumPy do with tangents: linear ones, plain ones, and those whose tangent is a short formula."""

from __future__ import annotations

# f(da) is the tangent of f(a), also as a method
LINEAR = {
    "sum", "mean", "cumsum", "reshape", "transpose", "ravel", "squeeze", "expand_dims", "moveaxis", "swapaxes", "diff",
    "trace", "diagonal", "diag", "roll", "flip", "flipud", "fliplr", "rot90", "tile", "repeat", "broadcast_to",
    "atleast_1d", "atleast_2d", "atleast_3d", "array", "asarray", "asanyarray", "ascontiguousarray", "copy", "triu",
    "tril", "flatten", "rollaxis", "nansum", "real", "take", "positive", "conj", "conjugate", "astype",
    "item", "tolist", "concatenate", "stack", "vstack", "hstack", "column_stack", "row_stack", "dstack", "block",
    "array_split", "split", "hsplit", "vsplit", "gradient", "trapezoid", "trapz",
}  # fmt: skip
# linear in each of two arguments
BILINEAR = {"dot", "matmul", "inner", "outer", "vdot", "tensordot", "kron", "convolve", "correlate", "cross"}
JOINT = {"linspace": 2, "full": 2, "full_like": 2, "append": 2}  # linear in all of the first arguments together
MAKERS = {
    "zeros", "ones", "empty", "eye", "identity", "arange", "zeros_like", "ones_like", "empty_like", "indices", "tri",
}  # fmt: skip
# steps, and what only looks
PLAIN = {
    "argmax", "argmin", "argsort", "any", "all", "count_nonzero", "allclose", "array_equal", "isfinite", "isnan",
    "isinf", "shape", "size", "ndim", "sign", "floor", "ceil", "trunc", "rint", "round", "around", "greater", "less",
    "greater_equal", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not", "logical_xor",
    "isclose", "nonzero", "flatnonzero", "searchsorted", "digitize", "floor_divide", "heaviside", "iscomplexobj",
    "array_repr", "array2string", "array_str", "may_share_memory", "shares_memory", "broadcast_shapes", "result_type",
    "errstate", "argwhere", "nanargmax", "nanargmin", "signbit", "lexsort", "argpartition", "isscalar",
}  # fmt: skip
INT_RESULTS = {
    "argmax", "argmin", "count_nonzero", "size", "ndim", "any", "all", "allclose", "array_equal", "isscalar",
}  # fmt: skip
RENAMED = {"amax": "max", "amin": "min", "nanmax": "max", "nanmin": "min", "absolute": "abs"}
# methods that give a view
VIEWS = {"reshape", "ravel", "transpose", "squeeze", "swapaxes", "diagonal"}

# The tangent of f(a, …) in a, da and the result z, and the options of the call that stand in it.
FORMULAS = {
    "max": ("tied(a, da, z, OPTIONS)", ("axis", "keepdims")),
    "min": ("tied(a, da, z, OPTIONS)", ("axis", "keepdims")),
    "prod": ("prod_tangent(a, da, OPTIONS)", ("axis", "keepdims")),
    "cumprod": ("cumprod_tangent(a, da, OPTIONS)", ("axis",)),
    "var": ("var_tangent(a, da, OPTIONS)", ("axis", "ddof", "keepdims")),
    "std": ("times(0.5 / z, var_tangent(a, da, OPTIONS))", ("axis", "ddof", "keepdims")),
    "ptp": ("tied(a, da, np.max(a, OPTIONS), OPTIONS) - tied(a, da, np.min(a, OPTIONS), OPTIONS)", ("axis",)),
    "linalg.norm": ("norm_tangent(a, da, z, OPTIONS)", ("axis", "keepdims")),
    "linalg.inv": ("-z @ da @ z", ()),
    "linalg.det": ("z * np.trace(np.linalg.solve(a, da))", ()),
    "linalg.cholesky": ("cholesky_tangent(z, da)", ()),
    "linalg.slogdet": ("(0.0, np.trace(np.linalg.solve(a, da)))", ()),
    "sort": ("np.take_along_axis(da, np.argsort(a, axis=AXIS, kind='stable'), axis=AXIS)", ("axis",)),
}
FORMULA_HELPERS = (
    "tied", "prod_tangent", "cumprod_tangent", "var_tangent", "norm_tangent", "times", "cholesky_tangent",
)  # fmt: skip
# options that may be given by position, behind the array
POSITIONS = {
    "max": ("axis",), "min": ("axis",), "prod": ("axis",), "cumprod": ("axis",), "var": ("axis",), "std": ("axis",),
    "ptp": ("axis",), "linalg.norm": ("ord", "axis", "keepdims"), "sort": ("axis",),
}  # fmt: skip
