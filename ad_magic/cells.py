"""From the text of a cell below a magic to the program that is run."""

from __future__ import annotations

import ast
import sys
from typing import Any

from IPython.core.error import UsageError

from ad_magic.cell.run import Program, compile_cell

SHOWN = 100  # characters of a line with a syntax error

# What Python raises beside a SyntaxError: of half a character, of too many brackets; a SystemError of its tokenizer.
_UNREADABLE = (ValueError, OverflowError, MemoryError, RecursionError, SystemError)


def compiled(shell: Any, name: str, cell: str) -> Program:
    """The program of a cell below the magic `name`, as the shell would compile it. Raises UsageError."""
    __tracebackhide__ = True
    try:
        source = "\n" + shell.transform_cell(cell)  # the empty line stands for the line of the magic
        if not source.strip():
            raise UsageError(f"%%{name}: the cell is empty; write the program to differentiate below the magic")
        cells = dict(getattr(shell.compile, "_filename_map", {}))
        file = shell.compile.cache(source, _cell_number(cells, shell), raw_code=f"%%{name}\n{cell}")
        tree = shell.compile.ast_parse(source, filename=file)
        if not _awaits(tree):
            return compile_cell(shell.transform_ast(tree), source, file, cells, shell.compile.flags)
    except SyntaxError as error:
        raise UsageError(_syntax_error(error)) from None
    except _UNREADABLE as error:
        said = getattr(error.__cause__, "msg", "") or str(error) or "it is nested too deep"
        raise UsageError(f"%%{name}: the cell cannot be compiled: {said}") from None
    raise UsageError(
        f"%%{name}: a cell that awaits cannot be differentiated; await in an earlier cell, use the result here"
    )


def _cell_number(cells: dict[str, int], shell: Any) -> int:
    """The number of the cell that is running: that of the nearest frame that is one, so that tracebacks agree."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename not in cells:
        frame = frame.f_back
    return cells[frame.f_code.co_filename] if frame is not None else shell.execution_count


def _syntax_error(error: SyntaxError) -> str:
    """A syntax error of the cell, with its line and a mark below the place."""
    text, at = (error.text or "").rstrip(), max(0, (error.offset or 1) - 1)
    first = max(0, at - SHOWN // 2) if len(text) > SHOWN else 0  # of a very long line the part around the place
    text, mark = text[first : first + SHOWN], " " * (at - first) + "^"
    said = f"line {error.lineno}: {error.msg}" if error.lineno else f"{error.msg}"
    return f"{said}\n    {text}\n    {mark}" if text.strip() else said


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
