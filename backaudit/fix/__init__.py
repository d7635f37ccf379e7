"""The fix stage: what rules want changed, worked out on the files' text as edits. It writes nothing.

A fix that cannot be made as a whole where it was found (the code is not of the shape that it needs, a name that it
needs means something else in that file) is not offered.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from backaudit.facts.place import Place
from backaudit.facts.problem import Problem
from backaudit.fix.changing import edits_of
from backaudit.fix.files import Files, Impossible
from backaudit.rule import Edit, Finding, Fix
from backaudit.source import Source

__all__ = ["Fixer"]


class Fixer:
    """Works out the fixes of findings; a file is read and parsed when the first of them needs it."""

    def __init__(self, read: Callable[[str], Source | Problem | None]) -> None:
        self._files = Files(read)

    def worked_out(self, finding: Finding) -> Finding:
        """The finding with the edits of its fixes, without those that cannot be made."""
        if not finding.fixes:
            return finding
        fixes = (self._worked_out(fix) for fix in finding.fixes)
        return msgspec.structs.replace(finding, fixes=tuple(fix for fix in fixes if fix is not None))

    def _worked_out(self, fix: Fix) -> Fix | None:
        texts: dict[Place, str] = {}
        try:
            for change in fix.changes:
                for edit in edits_of(change, self._files):
                    texts[edit.place] = _joined(texts.get(edit.place, ""), edit)
        except Impossible:
            return None
        edits = tuple(Edit(place, texts[place]) for place in sorted(texts))
        return Fix(summary=fix.summary, edits=edits, safe=fix.safe) if edits else None


def _joined(text: str, edit: Edit) -> str:
    """What two changes of a fix put in one place, one behind the other; Impossible where both take something away."""
    span = edit.place.span
    is_empty = (span.line, span.column) == (span.end_line, span.end_column)
    if text and not is_empty:
        raise Impossible
    return text + edit.text
