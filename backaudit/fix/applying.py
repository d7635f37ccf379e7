"""Edits put into a text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from backaudit.facts.place import Span
from backaudit.rule import Edit, Fix

_NEWLINE = re.compile(r"\r\n?|\n")


def chosen(fixes: Iterable[Fix]) -> list[bool]:
    """Which of several fixes can be made together, the earlier before the later: those whose edits do not meet."""
    taken: dict[str, set[Edit]] = {}
    found = []
    for fix in fixes:
        fits = not any(_meets(edit, taken.get(edit.place.path, ())) for edit in fix.edits)
        found.append(fits)
        for edit in fix.edits if fits else ():
            taken.setdefault(edit.place.path, set()).add(edit)
    return found


def _meets(edit: Edit, taken: Iterable[Edit]) -> bool:
    """Whether an edit touches what another one changes; the very same edit (an import that both need) is no other."""
    others = (other for other in taken if other != edit and not (_adds_lines(edit) and _adds_lines(other)))
    return any(_touch(edit.place.span, other.place.span) for other in others)


def _adds_lines(edit: Edit) -> bool:
    """Whether an edit takes nothing away and puts whole lines between others: any number of such go to one place."""
    span = edit.place.span
    return (span.line, span.column) == (span.end_line, span.end_column) and edit.text.endswith(("\n", "\r"))


def _touch(one: Span, other: Span) -> bool:
    if one == other:
        return True
    first, second = sorted((one, other))
    return (second.line, second.column) < (first.end_line, first.end_column)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; they do not overlap."""
    offsets = Offsets(text)
    by_span: dict[Span, list[str]] = {}
    for edit in dict.fromkeys(edits):
        by_span.setdefault(edit.place.span, []).append(edit.text)
    for span in sorted(by_span, reverse=True):
        start, end = offsets.range_of(span)
        text = text[:start] + _one_behind_another(by_span[span]) + text[end:]
    return text


def _one_behind_another(texts: list[str]) -> str:
    """What several edits put in one place; an empty line that sets each of them apart sets all of them apart."""
    joined, *others = sorted(texts)
    for text in others:
        for newline in ("\r\n", "\n"):
            if joined.endswith(newline * 2) and text.endswith(newline * 2):
                joined = joined.removesuffix(newline)
            if joined.startswith(newline) and text.startswith(newline):
                text = text.removeprefix(newline)
        joined += text
    return joined


class Offsets:
    """Lines and columns of a text as offsets, and where they are once edits are made."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    def of(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def range_of(self, span: Span) -> tuple[int, int]:
        return self.of(span.line, span.column), self.of(span.end_line, span.end_column)

    def line_of(self, offset: int) -> int:
        return bisect_right(self._starts, offset)


def line_after(line: int, before: str, after: str, edits: Sequence[Edit]) -> int:
    """Where what stood at the beginning of ``line`` stands once the edits have made ``after`` of ``before``."""
    offsets = Offsets(before)
    at = offsets.of(line, 0)
    moved = at
    for edit in set(edits):
        start, end = offsets.range_of(edit.place.span)
        if end <= at:
            moved += len(edit.text) - (end - start)
    return Offsets(after).line_of(moved)
