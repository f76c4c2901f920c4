"""ASKING: the magics. Arguments in, report or panel out; parsing only."""

from __future__ import annotations

import re
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument
from traitlets import Bool, Enum, Int

from ad_magic.arguments import (
    CELL_MAGICS,
    MODES,
    STYLES,
    VIEWS,
    check_names,
    check_range,
    common_arguments,
    complete,
    expression_line,
    inputs,
    parse,
    quiz_arguments,
    ranges,
    taylor_arguments,
    unknown,
)
from ad_magic.calls import is_slider, teller
from ad_magic.cell.again import Again
from ad_magic.cell.errors import CellError
from ad_magic.cell.names import containers_read, find_inputs, names_read
from ad_magic.cell.run import Program, run_program
from ad_magic.cells import compiled
from ad_magic.engine.active import LostDerivative
from ad_magic.engine.errors import as_told_of_sweep
from ad_magic.report.result import Result
from ad_magic.showing import show_check, show_exercise, show_program, show_quiz, show_report, show_taylor

AD_WORDS = ("freeze",)  # what %ad can be told


@magics_class
class ADMagic(Magics):
    """Derivatives of ordinary cells: %%grad, %%tangent, %%adjoint, %%interleave, %%gradcheck, %%taylor."""

    shell: Any

    digits = Int(6, min=1, max=17, help="Significant digits of the numbers in a table.").tag(config=True)
    max_rows = Int(
        60, min=1, help="Rows of a table and nodes of a graph that are shown; more are folded or left out."
    ).tag(config=True)
    view = Enum(
        ("auto", *VIEWS),
        "auto",
        help="How a result is shown: panel, html (a panel of core ipywidgets only), static or text; "
        "auto takes the panel in a notebook, text in a terminal.",
    ).tag(config=True)
    mode = Enum(MODES, "both", help="Forward mode, reverse mode, or both.").tag(config=True)
    continuous_update = Bool(True, help="Recompute while a slider moves; False waits until it is let go.").tag(
        config=True
    )

    @no_var_expand
    @common_arguments
    @quiz_arguments
    def grad(self, line: str, cell: str | None = None) -> None:
        """Differentiate a cell: values, tangents, adjoints, the graph, and a slider for every input.

        Examples
        --------
        ::

            %%grad x=2 y=3
            z = (x + 2*y)**2 * math.sin(x*y)

            %%grad                      inputs: every float that the cell reads
            %%grad x=2 --range x=0:4    a range for the slider
            %%grad x y --order 2        gradient and Hessian, with the eigenvalues
            %%grad x y -o r -q          store the Result as r, show nothing
            %grad x**2 + 1              on its own line: differentiate an expression
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = expression_line(line)
        self._run("grad", line, cell)

    @no_var_expand
    @common_arguments
    @quiz_arguments
    def tangent(self, line: str, cell: str | None = None) -> None:
        """Differentiate a cell in forward mode: it runs under dual numbers, all seeds in one run.

        Examples
        --------
        ::

            %%tangent x=2 y=3
            z = (x + 2*y)**2 * math.sin(x*y)
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = expression_line(line)
        self._run("tangent", line, cell, mode="forward")

    @no_var_expand
    @common_arguments
    @quiz_arguments
    def adjoint(self, line: str, cell: str | None = None) -> None:
        """Differentiate a cell in reverse mode: it runs under traced numbers, then adjoints are accumulated backwards.

        Examples
        --------
        ::

            %%adjoint x=2 y=3
            z = (x + 2*y)**2 * math.sin(x*y)

            %%adjoint x=2 y=3 --quiz    the adjoints are blank: type them
            %adjoint --exercise 2:7     the same on a program that is drawn: level 2, seed 7
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = expression_line(line)
        self._run("adjoint", line, cell, mode="reverse")

    @no_var_expand
    @common_arguments
    @argument("--style", choices=STYLES, help="elementary (default): one operation in a statement; or compact")
    @argument("--seed", metavar="NAME", help="the one input with respect to which it differentiates (default: all)")
    @argument("--insert", action="store_true", help="put the program into a new cell below")
    def interleave(self, line: str, cell: str | None = None) -> None:
        """Rewrite a cell: each statement that carries a derivative is followed by that of its tangents.

        The program stands on its own: imports, then `derivative(x, y)`. The cell itself is run too.

        Examples
        --------
        ::

            %%interleave x=2 y=3
            z = (x + 2*y)**2 * math.sin(x*y)

            %%interleave x=2 y=3 --style compact      one derivative statement for each of the cell
            %%interleave x=2 y=3 --seed x --insert    along x only; into a new cell below
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = expression_line(line)
        self._run("interleave", line, cell)

    @no_var_expand
    @common_arguments
    @argument(
        "--expect",
        action="append",
        default=[],
        metavar="NAME=FORMULA",
        help="a hand-written derivative with respect to an input (repeatable)",
    )
    @argument("--directions", type=int, metavar="N", help="so many random directions (default: 20 for many inputs)")
    @argument("--seed", type=int, default=0, metavar="N", help="another number draws other random directions")
    def gradcheck(self, line: str, cell: str | None = None) -> None:
        """Check a cell's derivatives: against central differences, the complex step, and formulas of your own.

        Examples
        --------
        ::

            %%gradcheck x=2 y=3 --expect "x=2*(x+2*y)*sin(x*y) + y*cos(x*y)*(x+2*y)**2"
            z = (x + 2*y)**2 * math.sin(x*y)

            %%gradcheck --directions 50 --seed 1      random directions, where there are many inputs
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = expression_line(line)
        self._run("gradcheck", line, cell)

    @no_var_expand
    @common_arguments
    @taylor_arguments
    def taylor(self, line: str, cell: str | None = None) -> None:
        """The Taylor polynomial of a cell along one input: coefficients, the polynomial over the curve, sliders.

        Examples
        --------
        ::

            %%taylor x=0 --order 8
            y = math.exp(math.sin(x))

            %%taylor x=0.5 k=2 --along k     along another input than the first
            %taylor math.sin(x) --order 7    on its own line: of an expression
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = expression_line(line)
        self._run("taylor", line, cell)

    @line_magic
    def ad(self, line: str) -> None:
        """What concerns all panels of the notebook.

        Examples
        --------
        ::

            %ad freeze      put the report in the place of each panel, at the point where it stands
        """
        __tracebackhide__ = True
        word = line.strip()
        if word not in AD_WORDS:
            raise UsageError(f"%ad: {unknown(word, list(AD_WORDS), 'word')}" if word else "%ad: write %ad freeze")
        panel = sys.modules.get("ad_magic.panel")
        if panel is not None:
            panel.freeze_all()

    # ---- from the arguments to a Result and its view ----

    def _run(self, name: str, line: str, cell: str, mode: str | None = None) -> None:
        __tracebackhide__ = True
        args = parse(getattr(type(self), name).parser, name, line)
        if mode and args.mode not in (None, mode):
            raise UsageError(f"%%{name} is {mode} mode; for --mode {args.mode} use %%grad")
        shell = self.shell
        namespace = shell.user_ns
        if (getattr(args, "quiz", False) or getattr(args, "exercise", None)) and args.order == "2":
            raise UsageError(f"%%{name}: a quiz asks for first derivatives: leave out --order 2")
        if getattr(args, "exercise", None):
            show_exercise(self, name, args, cell, mode or args.mode or self.mode)
            return
        program = compiled(shell, name, cell)
        if name == "taylor":
            _check_taylor(args)
        given, shared = _with_sliders(inputs(args.inputs, namespace), program, namespace)
        of = tuple(dict.fromkeys(n.strip() for part in args.of for n in part.split(",") if n.strip()))
        check_names("--of", of)
        check_names("--out", [args.out] if args.out is not None else [])
        spans = ranges(args.range)
        before, kept = _without_results(namespace, program), containers_read(program.whole, namespace)
        try:
            run, _ = run_program(
                program,
                namespace,
                given,
                of=of,
                mode=mode or args.mode or self.mode,
                skip=shell.user_ns_hidden,
                say=None if args.quiet else teller(shell),
            )
        except CellError as error:
            raise UsageError(str(error)) from None
        except LostDerivative as error:
            raise _told(error) from None
        for target in spans:
            check_range(target, run.inputs)
        for n, slider in shared.items():  # the run has put its value there
            if slider is before.get(n) and namespace.get(n) is given[n]:
                namespace[n] = slider
        again = Again(program, namespace, before, of, shell.user_ns_hidden, kept)
        result = Result(run, again, int((name != "taylor" and getattr(args, "order", None)) or 1))
        if args.out:
            namespace[args.out] = result
        if args.quiet or DisplayHook.semicolon_at_end_of_expression(cell):
            return
        _swept(result)
        shell.displayhook.update_user_ns(result)  # `_` and Out, as for a cell that shows a value
        moving = {**{n: s.span for n, s in shared.items()}, **spans}
        if name == "gradcheck":
            show_check(result, args)
        elif name == "interleave":
            show_program(self, result, args)
        elif name == "taylor":
            show_taylor(self, result, args, moving, shared)
        elif args.quiz:
            show_quiz(self, name, result, args)
        else:
            show_report(self, name, result, args, moving, shared)


def _swept(result: Result) -> None:
    """What functions of the user's raise that only the sweeps call is raised now, its traceback without our frames."""
    __tracebackhide__ = True
    if any(hasattr(op, "pair") or hasattr(op, "stored") for op in result.run.tape.ops):
        try:
            _ = result.rows
        except Exception as error:
            raise _told(error) from None


def _told(error: Exception) -> BaseException:
    """An error with the user's frames alone; a sentence of ours, in which he has none, as one line."""
    told = as_told_of_sweep(error)
    return UsageError(str(error)) if told is None else told


def _check_taylor(args: Any) -> None:
    """What %%taylor cannot do is said before the cell runs."""
    __tracebackhide__ = True
    from ad_magic.transforms.taylor import order_of

    if args.show:
        raise UsageError("%%taylor shows the polynomial; --show is for %%grad")
    try:
        order_of(0 if args.order is None else args.order)
    except ValueError:
        raise UsageError(f"%%taylor --order {args.order}: the order is a whole number from 0 to 100") from None


def _without_results(namespace: dict[str, Any], program: Program) -> dict[str, Any]:
    """A copy of the namespace. A result of an earlier run that the cell does not read is left out: each run would hold
    the one before it, with all its values."""
    read = set(names_read(program.whole))
    return {name: x for name, x in namespace.items() if type(x) is not Result or name in read}


def _with_sliders(
    given: dict[str, Any], program: Program, namespace: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs, of a slider its value; and the sliders, by input.

    Where no input is named, a slider that the cell reads is one, beside the floats.
    """
    if not given and any(map(is_slider, namespace.values())):
        read = [name for name in names_read(program.whole) if is_slider(namespace.get(name))]
        found = {*read, *find_inputs(program.whole, namespace)} if read else set()
        given = {name: None for name in names_read(program.whole) if name in found}
    asked: dict[str, Any] = {n: namespace.get(n) if value is None else value for n, value in given.items()}
    shared = {name: value for name, value in asked.items() if is_slider(value)}
    return {**given, **{name: slider.value for name, slider in shared.items()}}, shared


# ---- loading and unloading -----------------------------------------------------------------------


def first_line_magic(lines: list[str]) -> list[str]:
    """`%grad …` on the first line of a cell that has more lines does what `%%grad …` does.

    >>> first_line_magic(["%grad x=2\\n", "z = x*x\\n"])[0]
    '%%grad x=2\\n'
    """
    if lines and re.match(rf"%({'|'.join(CELL_MAGICS)})\b", lines[0]) and any(line.strip() for line in lines[1:]):
        return ["%" + lines[0], *lines[1:]]
    return lines


def _misplaced(name: str) -> Any:
    def explain(line: str) -> None:
        __tracebackhide__ = True
        raise UsageError(
            f"%%{name} must be the first line of its cell: move what stands above it (imports, comments, %load_ext) "
            "to an earlier cell"
        )

    return explain


def load(shell: Any) -> None:
    """Register the magics, their completion and the first-line form."""
    magics = ADMagic(shell)
    shell.register_magics(magics)
    for name in CELL_MAGICS:
        function = getattr(magics, name)
        shell.magics_manager.register_function(function, "line_cell", name)
        shell.magics_manager.register_function(_misplaced(name), "line", f"%{name}")
        for key in (f"%{name}", f"%%{name}"):
            shell.set_hook("complete_command", complete, str_key=key)
    shell.set_hook("complete_command", lambda shell, event: list(AD_WORDS), str_key="%ad")
    shell.input_transformers_cleanup.append(first_line_magic)


def unload(shell: Any) -> None:
    """Take back all that `load` added, and close the panels."""
    for name in CELL_MAGICS:
        for kind, key in (("line", name), ("cell", name), ("line", f"%{name}")):
            shell.magics_manager.magics[kind].pop(key, None)
        for key in (f"%{name}", f"%%{name}"):
            shell.strdispatchers["complete_command"].strs.pop(key, None)
    shell.magics_manager.magics["line"].pop("ad", None)
    shell.strdispatchers["complete_command"].strs.pop("%ad", None)
    shell.magics_manager.registry.pop(ADMagic.__name__, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, ADMagic)]
    if first_line_magic in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(first_line_magic)
    panel = sys.modules.get("ad_magic.panel")
    if panel is not None:
        panel.close_all()
