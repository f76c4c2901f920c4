"""The solution of an initial value problem between the steps: `sol.sol(t)`, with derivatives."""

from __future__ import annotations

from typing import Any

from ad_magic.rules.arrays.frozen import np

from .arrays.adjoints import shape_of
from .arrays.array import operand
from .arrays.compose import compose
from .collocation import coefficients, step_at


class Dense:
    """What solve_ivp calls `sol`: a function of t. Its numbers are those of SciPy, its derivatives those of the
    polynomials through `nodes`, an active array (N·s + 1, n)."""

    def __init__(self, plain: Any, mesh: Any, nodes: Any) -> None:
        self.plain, self.mesh, self.nodes = plain, mesh, nodes

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "plain":  # a copy in the making has none
            raise AttributeError(name)
        return getattr(self.plain, name)

    @property
    def over(self) -> bool:
        """Whether the run is over: then SciPy's own stands in this one's place."""
        return not hasattr(self.nodes, "tape") or self.nodes.tape.values is None

    def on(self, nodes: Any) -> Dense:
        """The same solution with other numbers for its nodes: a function that reads it reads these."""
        return Dense(self.plain, self.mesh, nodes)

    def __call__(self, t: Any) -> Any:
        """y at a time (n,) or at several (n, len(t))."""
        from .lifting import bottom

        mesh, given = self.mesh, operand(t)
        times = bottom(given)
        value = self.plain(times)

        def body(nodes: Any, t: Any) -> Any:
            columns = []
            for j, time in enumerate(np.atleast_1d(times).tolist()):
                if len(mesh) < 2:  # no time has passed
                    columns.append(nodes[0])
                    continue
                k = step_at(mesh, time)
                theta = ((t[j] if shape_of(t) else t) - mesh[k]) / (mesh[k + 1] - mesh[k])
                columns.append(sum(c * theta**p for p, c in enumerate(coefficients(mesh, nodes, k))))
            y = np.stack(columns, axis=1) if np.ndim(times) else columns[0]
            return y + (value - bottom(y))

        return compose("scipy.sol", body, (self.nodes, given), {})
