"""ASKING: the magics. Arguments in, report or panel out; parsing only."""

from __future__ import annotations

import ast
import difflib
import re
import shlex
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.error import UsageError
from IPython.core.magic import Magics, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import Bool, Enum, Int

from ad_magic.cell.again import Again
from ad_magic.cell.names import containers_read, names_read
from ad_magic.cell.run import CellError, Program, compile_cell, run_program
from ad_magic.report.options import ViewOptions
from ad_magic.report.result import Result

MODES = ("both", "forward", "reverse")
STYLES = ("elementary", "compact")
VIEWS = ("panel", "static", "text")
SHOWS_TO_COME = ("check", "cost", "equations")
SHOWS_THERE = ("tables", "graph", "curves", "code")
SHOWS = (*SHOWS_THERE, *SHOWS_TO_COME)
CELL_MAGICS = ("grad", "tangent", "adjoint", "interleave", "gradcheck")
_COMMON = (
    argument("inputs", nargs="*", metavar="NAME[=VALUE]",
             help="the inputs; a VALUE is a Python expression, quoted if it has spaces"),
    argument("--of", action="append", default=[], metavar="NAME[,NAME]",
             help="what to differentiate (default: the trailing expression, else the variable assigned last)"),
    argument("--mode", choices=MODES, help="both (default), forward or reverse"),
    argument("--range", action="append", default=[], metavar="NAME=LO:HI[:STEP]",
             help="the range of an input's slider, or of one entry's: w[0]=0:1 (repeatable)"),
    argument("--view", choices=VIEWS, help="panel (default), static or text"),
    argument("--show", choices=SHOWS, help="what is open first: tables (default), graph, curves or code"),
    argument("-o", "--out", metavar="NAME", help="store the Result under this name"),
    argument("-q", "--quiet", action="store_true", help="compute, show nothing"),
)  # fmt: skip


def common_arguments(function: Any) -> Any:
    """The options that all the magics share."""
    for decorate in reversed(_COMMON):
        function = decorate(function)
    return magic_arguments()(function)


@magics_class
class ADMagic(Magics):
    """Derivatives of ordinary cells: %%grad, %%tangent, %%adjoint, %%interleave, %%gradcheck."""

    shell: Any

    digits = Int(6, min=1, max=17, help="Significant digits of the numbers in a table.").tag(config=True)
    max_rows = Int(
        60, min=1, help="Rows of a table and nodes of a graph that are shown; more are folded or left out."
    ).tag(config=True)
    view = Enum(
        ("auto", *VIEWS),
        "auto",
        help="How a result is shown: panel, static or text; auto takes the panel in a notebook, text in a terminal.",
    ).tag(config=True)
    mode = Enum(MODES, "both", help="Forward mode, reverse mode, or both.").tag(config=True)
    continuous_update = Bool(True, help="Recompute while a slider moves; False waits until it is let go.").tag(
        config=True
    )

    @no_var_expand
    @common_arguments
    def grad(self, line: str, cell: str | None = None) -> None:
        """Differentiate a cell: values, tangents, adjoints, the graph, and a slider for every input.

        Examples
        --------
        ::

            %%grad x=2 y=3
            z = (x + 2*y)**2 * math.sin(x*y)

            %%grad                      inputs: every float that the cell reads
            %%grad x=2 --range x=0:4    a range for the slider
            %%grad x y -o r -q          store the Result as r, show nothing
            %grad x**2 + 1              on its own line: differentiate an expression
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = _expression_line(line)
        self._run("grad", line, cell)

    @no_var_expand
    @common_arguments
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
            line, cell = _expression_line(line)
        self._run("tangent", line, cell, mode="forward")

    @no_var_expand
    @common_arguments
    def adjoint(self, line: str, cell: str | None = None) -> None:
        """Differentiate a cell in reverse mode: it runs under traced numbers, then adjoints are accumulated backwards.

        Examples
        --------
        ::

            %%adjoint x=2 y=3
            z = (x + 2*y)**2 * math.sin(x*y)
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = _expression_line(line)
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
            line, cell = _expression_line(line)
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
    def gradcheck(self, line: str, cell: str | None = None) -> None:
        """Check a cell's derivatives: against central differences, the complex step, and formulas of your own.

        Examples
        --------
        ::

            %%gradcheck x=2 y=3 --expect "x=2*(x+2*y)*sin(x*y) + y*cos(x*y)*(x+2*y)**2"
            z = (x + 2*y)**2 * math.sin(x*y)
        """
        __tracebackhide__ = True
        if cell is None:
            line, cell = _expression_line(line)
        self._run("gradcheck", line, cell)

    # ---- from the arguments to a Result and its view ----

    def _run(self, name: str, line: str, cell: str, mode: str | None = None) -> None:
        __tracebackhide__ = True
        args = self._parse(name, line)
        if mode and args.mode not in (None, mode):
            raise UsageError(f"%%{name} is {mode} mode; for --mode {args.mode} use %%grad")
        if args.show in SHOWS_TO_COME:
            raise UsageError(f"%%{name}: --show {args.show} is not there yet; there are {', '.join(SHOWS_THERE)}")
        shell = self.shell
        namespace = shell.user_ns
        program = self._compile(name, cell)
        given = self._inputs(args.inputs)
        of = tuple(n for part in args.of for n in part.split(",") if n)
        ranges = self._ranges(args.range)
        before, kept = _without_results(namespace, program), containers_read(program.whole, namespace)
        try:
            run, _ = run_program(
                program, namespace, given, of=of, mode=mode or args.mode or self.mode, skip=shell.user_ns_hidden
            )
        except CellError as error:
            raise UsageError(str(error)) from None
        for target in ranges:
            _check_range(target, run.inputs)
        again = Again(program, namespace, before, of, shell.user_ns_hidden, kept)
        result = Result(run, again)
        if args.out:
            namespace[args.out] = result
        if args.quiet or DisplayHook.semicolon_at_end_of_expression(cell):
            return
        shell.displayhook.update_user_ns(result)  # `_` and Out, as for a cell that shows a value
        if name == "gradcheck":
            from IPython.display import display

            display(self._check(result, args.expect))
        elif name == "interleave":
            self._show_program(result, args)
        else:
            self._show(result, args, ranges)

    def _check(self, result: Result, expect: list[str]) -> Any:
        __tracebackhide__ = True
        formulas = {}
        for text in expect:
            target, _, formula = text.partition("=")
            if not formula or target.strip() not in result.seeds:
                raise UsageError(
                    f'--expect takes NAME=FORMULA, as in --expect "x=2*x", for {_names(result.seeds)}; got {text!r}'
                )
            formulas[target.strip()] = formula.strip()
        try:
            return result.check(expect=formulas)
        except (ValueError, TypeError, SyntaxError, NameError) as error:
            raise UsageError(str(error)) from None

    def _show(self, result: Result, args: Any, ranges: dict[str, tuple[float, float, float | None]]) -> None:
        __tracebackhide__ = True
        from IPython.display import display

        view = args.view or self.view
        if view == "auto":
            view = "panel" if hasattr(self.shell, "kernel") else "text"
        options = ViewOptions(self.digits, self.max_rows, args.show or "tables", self.continuous_update)
        if view in ("text", "static"):
            how = (self.digits, self.max_rows, options.show, ranges)
            bundle = {"text/plain": result.to_text(*how)}
            if view == "static":
                bundle["text/html"] = result.to_html(*how)
            display(bundle, raw=True)
        else:
            from ad_magic.panel import show

            show(result, result.at, ranges=ranges, options=options)

    def _show_program(self, result: Result, args: Any) -> None:
        __tracebackhide__ = True
        from IPython.display import display

        try:
            program = result.interleaved(args.style or "elementary", args.seed)
        except ValueError as error:
            raise UsageError(f"%%interleave: {error}") from None
        if args.insert:
            self.shell.set_next_input(program.text.rstrip("\n"))
            return
        bundle = {"text/plain": program.text.rstrip("\n")}
        if args.view != "text":
            from ad_magic.report.program import render

            bundle["text/html"] = render(result, program, self.digits)
        display(bundle, raw=True)

    def _parse(self, name: str, line: str) -> Any:
        __tracebackhide__ = True
        magic = getattr(type(self), name)
        try:
            return magic.parser.parse_args(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"%%{name}: {error}: a quote is left open in {line!r}") from None
        except UsageError as error:
            options = sorted({o for a in magic.parser._actions for o in a.option_strings if o.startswith("--")})
            wrong = re.search(r"unrecognized arguments: (\S+)", str(error))
            if wrong and wrong[1].startswith("-"):
                raise UsageError(f"%%{name}: {_unknown(wrong[1].partition('=')[0], options, 'option')}") from None
            choice = re.search(r"argument (\S+): invalid choice: '?([^' ]*)'? \(choose from (.*)\)", str(error))
            if choice:
                choices = re.findall(r"[\w-]+", choice[3])
                raise UsageError(
                    f"%%{name}: {choice[1].split('/')[-1]}: {_unknown(choice[2], choices, 'value')}"
                ) from None
            raise UsageError(f"%%{name}: {error}") from None

    def _inputs(self, words: list[str]) -> dict[str, Any]:
        __tracebackhide__ = True
        given: dict[str, Any] = {}
        for word in words:
            name, equals, text = word.partition("=")
            if not name.isidentifier():
                raise UsageError(
                    f"{word!r} is not an input: write NAME or NAME=VALUE, as in x=1.5 (with spaces: in quotes)"
                )
            if not equals:
                if name not in self.shell.user_ns:
                    candidates = [
                        n
                        for n, v in self.shell.user_ns.items()
                        if isinstance(v, (int, float)) and not n.startswith("_")
                    ]
                    close = _unknown(name, candidates, "input")
                    raise UsageError(f"{close}; give it a value ({name}=1.5) or assign it in an earlier cell")
                given[name] = None
                continue
            try:
                given[name] = eval(text, self.shell.user_ns)
            except Exception as error:
                raise UsageError(
                    f"the value of input {name!r}, {text!r}, does not work here: {type(error).__name__}: {error}"
                ) from None
        return given

    @staticmethod
    def _ranges(words: list[str]) -> dict[str, tuple[float, float, float | None]]:
        __tracebackhide__ = True
        ranges = {}
        for word in words:
            name, _, span = map(str.strip, word.partition("="))
            try:
                numbers = [float(part) for part in span.split(":")]
                low, high = numbers[:2]
                step = numbers[2] if len(numbers) > 2 else None
                if len(numbers) > 3 or not low < high or (step is not None and step <= 0):
                    raise ValueError
            except ValueError:
                raise UsageError(
                    f"--range {word}: write NAME=LO:HI or NAME=LO:HI:STEP with LO < HI, as in x=0:4:0.1"
                ) from None
            ranges[name] = (low, high, step)
        return ranges

    def _compile(self, name: str, cell: str) -> Program:
        __tracebackhide__ = True
        shell = self.shell
        source = "\n" + shell.transform_cell(cell)  # the empty line stands for the line of the magic
        if not source.strip():
            raise UsageError(f"%%{name}: the cell is empty; write the program to differentiate below the magic")
        cells = dict(getattr(shell.compile, "_filename_map", {}))
        file = shell.compile.cache(source, _cell_number(cells, shell), raw_code=f"%%{name}\n{cell}")
        try:
            tree = shell.compile.ast_parse(source, filename=file)
        except SyntaxError as error:
            raise UsageError(_syntax_error(error)) from None
        if _awaits(tree):
            raise UsageError(
                f"%%{name}: a cell that awaits cannot be differentiated; await in an earlier cell, use the result here"
            )
        tree = shell.transform_ast(tree)
        return compile_cell(tree, source, file, cells, shell.compile.flags)


# ---- small helpers -------------------------------------------------------------------------------


def _names(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _unknown(word: str, known: list[str], what: str) -> str:
    """One sentence about an unknown word, with the closest known one."""
    close = difflib.get_close_matches(word, known, 1, 0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"there is {_names(sorted(known))}" if known else "there is none"
    return f"unknown {what} {word!r}: {hint}"


def _without_results(namespace: dict[str, Any], program: Program) -> dict[str, Any]:
    """A copy of the namespace. A result of an earlier run that the cell does not read is left out: each run would hold
    the one before it, with all its values."""
    read = set(names_read(program.whole))
    return {name: x for name, x in namespace.items() if type(x) is not Result or name in read}


def _check_range(target: str, inputs: dict[str, Any]) -> None:
    """A range is for an input, "x", or for one entry of an array, "x[1]" or "W[0, 3]"."""
    __tracebackhide__ = True
    name, bracket, index = target.partition("[")
    if name not in inputs:
        raise UsageError(f"--range: {_unknown(name, list(inputs), 'input')}")
    if not bracket:
        return
    shape = getattr(inputs[name], "shape", ())
    places = index.removesuffix("]").split(",")
    if len(places) != len(shape) or not all(
        re.fullmatch(r"\s*-?\d+\s*", k) and -n <= int(k) < n for k, n in zip(places, shape, strict=True)
    ):
        what = f"an array of shape {shape}" if shape else "a number"
        raise UsageError(f"--range: there is no entry {target}: {name} is {what}")


def _expression_line(line: str) -> tuple[str, str]:
    """`%grad EXPRESSION [options]` as (options, cell)."""
    found = re.search(r"(^|\s)(--?[a-z]+)\b", line)
    known = {o for a in _COMMON for o in a.args} | {"--expect", "--style", "--seed", "--insert"}
    if found and found[2] in known:
        return line[found.start() :].strip(), line[: found.start()].strip()
    return "", line


def _cell_number(cells: dict[str, int], shell: Any) -> int:
    """The number of the cell that is running: that of the nearest frame that is one, so that tracebacks agree."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename not in cells:
        frame = frame.f_back
    return cells[frame.f_code.co_filename] if frame is not None else shell.execution_count


def _syntax_error(error: SyntaxError) -> str:
    """A syntax error of the cell, with its line and a mark below the place."""
    text = (error.text or "").rstrip()
    mark = " " * max(0, (error.offset or 1) - 1) + "^"
    return (
        f"line {error.lineno}: {error.msg}\n    {text}\n    {mark}"
        if text.strip()
        else f"line {error.lineno}: {error.msg}"
    )


def _awaits(tree: ast.AST) -> bool:
    """Whether a cell awaits at its top level (inside an async function it may)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if (
            isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith))
            or bool(getattr(node, "is_async", 0))
            or _awaits(node)
        ):
            return True
    return False


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


def _complete(shell: Any, event: Any) -> list[str]:
    """Completion on the line of a magic: options, their values, variables of the namespace."""
    words = event.line.split()
    if "\n" in event.line or not words:
        return []
    word = event.symbol if event.line[-1:].strip() else ""
    previous = words[-2] if word and len(words) > 1 else words[-1]
    choices = {"--mode": MODES, "--style": STYLES, "--view": VIEWS, "--show": SHOWS}.get(previous)
    if choices:
        return list(choices)
    if word.startswith("-") or event.line.endswith("-"):
        return sorted({o for decorate in _COMMON for o in decorate.args if o.startswith("-")})
    skip = set(shell.user_ns_hidden)
    return [
        n
        for n, v in shell.user_ns.items()
        if n not in skip and not n.startswith("_") and (isinstance(v, (int, float)) or type(v).__name__ == "ndarray")
    ]


def load(shell: Any) -> None:
    """Register the magics, their completion and the first-line form."""
    magics = ADMagic(shell)
    shell.register_magics(magics)
    for name in CELL_MAGICS:
        function = getattr(magics, name)
        shell.magics_manager.register_function(function, "line_cell", name)
        shell.magics_manager.register_function(_misplaced(name), "line", f"%{name}")
        for key in (f"%{name}", f"%%{name}"):
            shell.set_hook("complete_command", _complete, str_key=key)
    shell.input_transformers_cleanup.append(first_line_magic)


def unload(shell: Any) -> None:
    """Take back all that `load` added, and close the panels."""
    for name in CELL_MAGICS:
        for kind, key in (("line", name), ("cell", name), ("line", f"%{name}")):
            shell.magics_manager.magics[kind].pop(key, None)
        for key in (f"%{name}", f"%%{name}"):
            shell.strdispatchers["complete_command"].strs.pop(key, None)
    shell.magics_manager.registry.pop(ADMagic.__name__, None)
    shell.configurables[:] = [c for c in shell.configurables if not isinstance(c, ADMagic)]
    if first_line_magic in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(first_line_magic)
    panel = sys.modules.get("ad_magic.panel")
    if panel is not None:
        panel.close_all()
