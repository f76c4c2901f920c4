"""What the magics show of a result: a check, a polynomial, a quiz, a program, the report with its panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.display import display

from ad_magic.arguments import Spans, exercise_of, names
from ad_magic.calls import display_result
from ad_magic.points import magic_line, options_of
from ad_magic.report.result import Result

if TYPE_CHECKING:
    from ad_magic.magics import ADMagic


def view_of(magics: ADMagic, args: Any) -> str:
    """The view that is asked for; of "auto" the one that is right here."""
    view: str = args.view or magics.view
    return view if view != "auto" else "panel" if hasattr(magics.shell, "kernel") else "text"


def show_report(magics: ADMagic, name: str, result: Result, args: Any, spans: Spans, shared: dict[str, Any]) -> None:
    """The report, and in a notebook the panel that moves it."""
    __tracebackhide__ = True
    words = {word.partition("=")[0]: word for word in args.inputs}
    options, namespace = options_of(getattr(type(magics), name).parser, args), magics.shell.user_ns

    def again(now: Mapping[str, Any], ranges: Mapping[str, Any]) -> str:
        return magic_line(name, options, words, result.inputs, now, ranges, namespace)

    display_result(result, magics.shell, args.view or "auto", args.show or "tables", spans, shared, again)


def show_check(result: Result, args: Any) -> None:
    """The comparison with independent derivatives and with the formulas that are given."""
    __tracebackhide__ = True
    from ad_magic.check.formulas import FormulaError

    formulas = {}
    for text in args.expect:
        target, _, formula = text.partition("=")
        known = [*result.inputs, *result.seeds]
        if not formula or target.strip() not in known:
            raise UsageError(f'--expect takes NAME=FORMULA, as in --expect "x=2*x", for {names(known)}; got {text!r}')
        formulas[target.strip()] = formula.strip()
    try:
        report = result.check(expect=formulas, directions=args.directions, seed=args.seed)
    except FormulaError as error:
        raise UsageError(str(error)) from None
    display(report)


def show_taylor(magics: ADMagic, result: Result, args: Any, spans: Spans, shared: dict[str, Any]) -> None:
    """The polynomial, and in a notebook sliders for its order and for the inputs."""
    __tracebackhide__ = True
    from ad_magic.report.taylor import USUAL

    order = USUAL if args.order is None else args.order
    view = view_of(magics, args)
    try:
        found = result.expansion(args.along, order, digits=magics.digits, ranges=spans)
    except (ValueError, TypeError) as error:
        raise UsageError(f"%%taylor: {error}") from None
    if view in ("text", "static"):
        bundle = {"text/plain": found.to_text()}
        display(bundle | ({} if view == "text" else {"text/html": found.to_html()}), raw=True)
        return
    from ad_magic.panel.taylor import show

    words = {word.partition("=")[0]: word for word in args.inputs}
    parser, namespace = type(magics).taylor.parser, magics.shell.user_ns

    def again(now: Mapping[str, Any], ranges: Mapping[str, Any], order: int, along: str) -> str:
        args.order, args.along = order, along if len(result.inputs) > 1 or args.along else None
        return magic_line("taylor", options_of(parser, args), words, result.inputs, now, ranges, namespace)

    show(result, found, spans, shared, again, digits=magics.digits, continuous_update=magics.continuous_update)


def show_exercise(magics: ADMagic, name: str, args: Any, cell: str, mode: str) -> None:
    """A program that is drawn, in a namespace of its own, as a quiz."""
    __tracebackhide__ = True
    if cell.strip() or args.inputs:
        raise UsageError(
            f"an exercise brings its own program and inputs: write %{name} --exercise {args.exercise} on a line "
            "of its own"
        )
    from ad_magic.report.exercise import exercise

    result = exercise(*exercise_of(args.exercise)).result(mode)
    if args.out:
        magics.shell.user_ns[args.out] = result
    if not args.quiet:
        magics.shell.displayhook.update_user_ns(result)
        show_quiz(magics, name, result, args)


def show_quiz(magics: ADMagic, name: str, result: Result, args: Any) -> None:
    """The sheet with blanks, and in a notebook boxes for the answers."""
    __tracebackhide__ = True
    try:
        quiz = result.quiz
    except ValueError as error:
        raise UsageError(f"%%{name} --quiz: {error}") from None
    view = view_of(magics, args)
    bundle = {"text/plain": quiz.to_text()}
    display(bundle | ({} if view == "text" else {"text/html": quiz.to_html()}), raw=True)
    if view not in ("text", "static"):
        from ad_magic.panel.quiz import show

        show(quiz)


def show_program(magics: ADMagic, result: Result, args: Any) -> None:
    """The interleaved program, or a new cell with it."""
    __tracebackhide__ = True
    try:
        program = result.interleaved(args.style or "elementary", args.seed)
    except ValueError as error:
        raise UsageError(f"%%interleave: {error}") from None
    if args.insert:
        magics.shell.set_next_input(program.text.rstrip("\n"))
        return
    bundle = {"text/plain": program.text.rstrip("\n")}
    if args.view != "text":
        from ad_magic.report.program import render

        bundle["text/html"] = render(result, program, magics.digits)
    display(bundle, raw=True)
