"""Python to facts. This folder is the only home of libcst."""

from __future__ import annotations

import libcst as cst
import msgspec

from backaudit.extract.python.directives import directives
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
    """``facts`` is None where the text is not Python, and ``problem`` says why."""

    facts: PythonFacts | None
    comments: tuple[Comment, ...] = ()
    extents: tuple[Extent, ...] = ()
    problem: Problem | None = None


def lower(source: Source) -> Lowered:
    """The facts of one Python file, with its directive comments and the statements they may stand on."""
    try:
        module = cst.parse_module(source.text)
        file = FileLowerer(module, source.text)
        facts = file.run()
    except cst.ParserSyntaxError as error:
        return _problem(source, f"Not valid Python: {_reason(error)}", error.raw_line)
    except RecursionError:
        return _problem(source, "Nested too deeply to be analysed.", 0)
    if "backaudit" not in source.text.lower():
        return Lowered(facts)
    comments, extents = directives(module, file.span)
    return Lowered(facts, comments, extents)


def _problem(source: Source, message: str, line: int) -> Lowered:
    return Lowered(None, problem=Problem(source.path, "unparsable", message, line))


def _reason(error: cst.ParserSyntaxError) -> str:
    # The parser quotes the offending line, which may hold a secret; its first sentence says enough.
    first = error.message.partition("\n")[0].partition(":")[2].strip() or "syntax error"
    return f"{first.partition(' at ')[0][:120]}."
