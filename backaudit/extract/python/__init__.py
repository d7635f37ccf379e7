"""Python to facts. This folder is the only home of libcst."""

from __future__ import annotations

import ast
import warnings

import msgspec

from backaudit.extract.python.bounds import Cut, affordable
from backaudit.extract.python.directives import directives
from backaudit.extract.python.lower import FileLowerer
from backaudit.extract.python.reading import Malformed, parse_module
from backaudit.facts.comments import Comment, Extent
from backaudit.facts.problem import Problem
from backaudit.facts.python import PythonFacts
from backaudit.source import Source

__all__ = ["Lowered", "lower"]


class Lowered(msgspec.Struct, frozen=True):
    """``facts`` is None where the text is not Python; ``problems`` say why, or which parts of it were not read.

    ``tree``: as the interpreter's own parser made it.
    """

    facts: PythonFacts | None
    comments: tuple[Comment, ...] = ()
    extents: tuple[Extent, ...] = ()
    problems: tuple[Problem, ...] = ()
    tree: ast.Module | None = None


def lower(source: Source) -> Lowered:
    """The facts of one Python file, with its directive comments and the statements they may stand on."""
    text, cuts = affordable(source.text)
    problems = tuple(_not_read(source, cut) for cut in cuts)
    if text is None:
        return Lowered(None, problems=problems)
    try:
        tree, is_known = parse_module(text)
        facts = FileLowerer(tree, text).run()
    except SyntaxError as error:
        return _invalid(source, error.lineno or 0, error.msg)
    except Malformed:
        return _invalid(source, 0, "a literal is malformed.")
    except RecursionError:
        return _problem(source, "Nested too deeply to be analysed.", 0)
    own = tree if is_known else None
    if "backaudit" not in source.text.lower():
        return Lowered(facts, problems=problems, tree=own)
    try:
        comments, extents = directives(text)
    except SyntaxError:
        told = Problem(source.path, "unparsable", "Its comments to backaudit were not read.", 0)
        return Lowered(facts, problems=(*problems, told), tree=own)
    return Lowered(facts, comments, extents, problems, own)


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
