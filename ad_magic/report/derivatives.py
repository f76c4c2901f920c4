"""The numbers of a result: what a run has found, as values and derivatives by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ad_magic.cell.again import unit
from ad_magic.cell.run import Output, Run
from ad_magic.engine.boundary import boundary
from ad_magic.engine.tape import reverse_sweep


class Derivatives:
    """The value and the derivatives of one run, of the first order and of higher ones."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.mode = run.mode
        self.inputs: dict[str, Any] = dict(run.inputs)

    @cached_property
    def value(self) -> Any:
        """The plain value of the output; a dict by name where there are several."""
        return self._by_output({o.name: o.value for o in self.run.outputs})

    @cached_property
    def grad(self) -> dict[str, Any]:
        """The derivative of a scalar output with respect to each input, of the shape of the input.

        Raises TypeError where an output is not a scalar; `jacobian` has its derivative.
        """
        for output in self.run.outputs:
            if not output.scalar:
                raise TypeError(
                    f"{output.name} is an array: r.jacobian has its derivative, r.grad is for a scalar output"
                )
        return self._by_output({o.name: self._gradient(o) for o in self.run.outputs})

    def _gradient(self, output: Output) -> dict[str, Any]:
        """The derivative of a scalar output by input: a float, or an array of the input's shape."""
        jacobian = self._jacobian(output)
        return {name: float(x) if not x.shape else x for name, x in jacobian.items()}

    @cached_property
    def jacobian(self) -> dict[str, Any]:
        """The derivative of the output with respect to each input, an array of shape output.shape + input.shape."""
        return self._by_output({o.name: self._jacobian(o) for o in self.run.outputs})

    def _by_output(self, values: dict[str, Any]) -> Any:
        return values if len(values) > 1 else next(iter(values.values()))

    def _gradients(self, output: Output) -> Any:
        """For each entry of an output its derivative along each seed, flat."""
        import numpy as np

        count, rows = self.run.seed_count, self.run.rows
        if self.mode == "forward":
            absent = (0.0,) * count
            along = [t if t and len(t) == count else absent for _, _, t in output.flat()]
            return self._looked_again(output, np.array(along, dtype=float).reshape(len(along), count))
        gradients = []
        for row, position in output.seeds():
            adjoints = self._adjoints(row, position) if row is not None else None
            gradients.append(_flat(adjoints, rows, self.inputs))
        return self._looked_again(output, np.array(gradients).reshape(len(gradients), count))

    def _looked_again(self, output: Output, gradients: Any) -> Any:
        """The derivatives again in numbers of a greater range, where a value of the run is infinite."""
        import numpy as np

        from ad_magic.engine.extended import reverse_in_greater_range

        tape = self.run.tape
        if tape.recorded > len(tape) or (bool(np.isfinite(output.value).all()) and bool(np.isfinite(gradients).all())):
            return gradients
        rows = self.run.rows
        for k, (row, position) in enumerate(output.seeds()):
            if row is not None and row >= 0:
                adjoints = reverse_in_greater_range(tape, {row: unit(tape.values[row], position)})
                if adjoints is not None:
                    again = _flat(adjoints, rows, self.inputs)
                    gradients[k] = again if np.isfinite(again).all() else gradients[k]
        return gradients

    def _adjoints(self, row: int, position: tuple[int, ...] = ()) -> list[Any]:
        kept: dict[Any, list[Any]] = self.__dict__.setdefault("_sweeps", {})
        if (row, position) not in kept:
            kept.clear()  # one sweep is kept: that of a scalar output, which the table shows too
            kept[row, position] = reverse_sweep(self.run.tape, {row: unit(self.run.tape.values[row], position)})
        return kept[row, position]

    def _jacobian(self, output: Output) -> dict[str, Any]:
        flat = self._gradients(output)
        shape = getattr(output.value, "shape", ())
        jacobian, at = {}, 0
        for name, value in self.inputs.items():
            size, inner = (value.size, value.shape) if hasattr(value, "shape") else (1, ())
            jacobian[name] = flat[:, at : at + size].reshape(shape + inner)
            at += size
        return jacobian

    @boundary
    def hessian(self) -> Any:
        """The second derivatives of a scalar output on the flattened inputs, in order: a square array.

        Forward over reverse: the recorded operations under dual numbers, then the reverse sweep. Where an operation has
        no second derivative (`second_flags` names it) it is the mean of both sides, NaN where that is not known.

        Raises TypeError for several outputs, an array output, or a long run in forward mode (it keeps no tape).
        """
        from ad_magic.cell.second import hessian

        return hessian(self.run)

    @boundary
    def hvp(self, v: Any) -> Any:
        """The Hessian of a scalar output times a vector, without the Hessian: one replay and one reverse sweep.

        `v` is a dict of numbers and arrays by input (what is not named is zero), or a flat vector in the order of
        `hessian()`. The product has the same form: a dict with all inputs, or a flat vector. Raises TypeError as
        `hessian` does, ValueError where v does not fit the inputs.

        >>> from ad_magic import trace
        >>> r = trace(lambda x, y: x**2 * y, 3.0, 2.0)
        >>> r.hvp({"x": 1.0}), r.hvp([1.0, 1.0]).tolist()
        ({'x': 4.0, 'y': 6.0}, [10.0, 6.0])
        """
        from ad_magic.cell.second import product

        return product(self.run, v)

    @boundary
    def taylor(self, order: int = 5, along: str | Mapping[str, Any] | None = None) -> Any:
        """The Taylor coefficients c₀ … c_order of the output: cₖ is the k-th derivative over k!.

        `along` is an input or an entry of one, "x" or "w[0]", or a direction by input, {"x": 1.0, "y": 0.5}; inputs
        that are not named stay. Without it there is a dict with the coefficients along each input that is a number.
        They are a list of numbers; for an output that is an array, an array with an axis of length order + 1 before its
        own; with several outputs a dict by output. The recorded operations are used (see `ad_magic.taylor`).

        Raises ValueError for a name or an order that is none, LostDerivative, with the line, for an operation that has
        no series, and TypeError for a long run in forward mode.
        """
        from ad_magic.transforms.taylor import order_of

        from .taylor_run import by_output, number_along, seeds_of, series_along

        highest = order_of(order)
        if along is None:
            names = [name for name, value in self.inputs.items() if not hasattr(value, "shape")]
            if not names:
                number_along(self, None)  # it says what to write
            return {name: self.taylor(order, {name: 1.0}) for name in names}
        if isinstance(along, str):
            name, entry, _ = number_along(self, along)
            along = {name: unit(self.inputs[name], entry)}
        return self._by_output(by_output(self.run, series_along(self.run, seeds_of(self, along), highest), highest))


def _flat(adjoints: Sequence[Any] | None, rows: Mapping[str, int], inputs: Mapping[str, Any]) -> Any:
    """The adjoints of all entries of the inputs, in order; absent is zero."""
    import numpy as np

    shapes = {name: getattr(value, "shape", ()) for name, value in inputs.items()}
    if adjoints is None:
        return np.zeros(sum(int(np.prod(shape)) for shape in shapes.values()))
    parts = [np.broadcast_to(adjoints[rows[name]], shape).ravel() for name, shape in shapes.items() if name in rows]
    return np.concatenate(parts) if parts else np.zeros(0)
