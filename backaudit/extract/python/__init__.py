"""Python to facts. This folder is the only home of libcst."""

from __future__ import annotations

import ast
import warnings

import libcst as cst
import msgspec

from backaudit.extract.python.bounds import Cut, affordable
from backaudit.extract.python.directives import directives
from backaudit.extract.python.expressions import Malformed
from backaudit.extract.python.lower import FileLowerer
from backaudit.facts.comments import Comment, Extent
from backaudit.facts.problem import Problem
from backaudit.facts.python import PythonFacts
from backaudit.source import Source

__all__ = ["Lowered", "lower"]


def _trusted(node: cst.CSTNode) -> None:
    """In place of libcst's validation of every node it makes."""


# A tree that the parser made is valid, and this package makes none by hand: validating each node again would be a
# quarter of the time that parsing takes.
cst.CSTNode.__post_init__ = _trusted  # type: ignore[method-assign,assignment]


class Lowered(msgspec.Struct, frozen=True):
    """``facts`` is None where the text is not Python; ``problems`` say why, or which parts of it were not read."""

    facts: PythonFacts | None
    comments: tuple[Comment, ...] = ()
    extents: tuple[Extent, ...] = ()
    problems: tuple[Problem, ...] = ()


def lower(source: Source) -> Lowered:
    """The facts of one Python file, with its directive comments and the statements they may stand on."""
    text, cuts = affordable(source.text)
    problems = tuple(_not_read(source, cut) for cut in cuts)
    if text is None:
        return Lowered(None, problems=problems)
    try:
        module = cst.parse_module(text)
        file = FileLowerer(module, text)
        facts = file.run()
    except cst.ParserSyntaxError as error:
        return _invalid(source, error.raw_line, _reason(error))
    except Malformed:
        return _invalid(source, 0, "a literal is malformed.")
    except (RecursionError, KeyError) as error:
        # Where the recursion ends in the middle of a node, the node's end is missing.
        if isinstance(error, KeyError) and not isinstance(error.__context__, RecursionError):
            raise
        return _problem(source, "Nested too deeply to be analysed.", 0)
    if "backaudit" not in source.text.lower():
        return Lowered(facts, problems=problems)
    comments, extents = directives(module, file.span)
    return Lowered(facts, comments, extents, problems)


def _not_read(source: Source, cut: Cut) -> Problem:
    return Problem(source.path, "bound", f"Not asked: {cut.what}", cut.line)


def _problem(source: Source, message: str, line: int) -> Lowered:
    return Lowered(None, problems=(Problem(source.path, "unparsable", message, line),))


def _invalid(source: Source, line: int, reason: str) -> Lowered:
    """What is wrong in the interpreter's own words and at its place, where it refuses the text too."""
    told = _interpreters(source.text)
    if told is not None:
        reason, line = told
    return _problem(source, f"Not valid Python: {reason}", line)


def _interpreters(text: str) -> tuple[str, int] | None:
    """The interpreter's message, which names no more than a name, and its line; None if it takes the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"{error.msg[:160].rstrip('.')}.", error.lineno or 0
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def _reason(error: cst.ParserSyntaxError) -> str:
    # The parser quotes the offending line, which may hold a secret; its first sentence says enough, or nothing.
    first = error.message.partition("\n")[0].partition(":")[2].strip()
    reason = first.partition(" at ")[0][:120]
    return f"{reason if reason not in ('', 'error') else 'syntax error'}."
