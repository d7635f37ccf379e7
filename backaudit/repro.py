"""Which findings a user means by a fingerprint, or by a place."""

from __future__ import annotations

from collections.abc import Sequence

from backaudit.issue import Issue
from backaudit.usage import UsageError


def chosen(issues: Sequence[Issue], asked: str | None) -> tuple[Issue, ...]:
    """The findings that ``asked`` names; all that are not suppressed for None. UsageError if it names none."""
    if asked is None:
        return tuple(issue for issue in issues if issue.status != "suppressed")
    path, _, line = asked.rpartition(":")
    if path and line.isdigit():
        return _at(issues, path, int(line))
    found = tuple(issue for issue in issues if issue.fingerprint.startswith(asked))
    if not found:
        raise UsageError(f"no finding of errors/* has a fingerprint that begins with {asked}.")
    return found


def _at(issues: Sequence[Issue], path: str, line: int) -> tuple[Issue, ...]:
    in_file = [issue for issue in issues if issue.finding.place.path == path]
    found = tuple(issue for issue in in_file if _covers(issue, line))
    if found:
        return found
    lines = sorted({issue.finding.place.span.line for issue in in_file})
    known = f"those of the file stand on {', '.join(map(str, lines))}" if lines else "the file has none"
    raise UsageError(f"no finding of errors/* stands at {path}:{line}; {known}.")


def _covers(issue: Issue, line: int) -> bool:
    span = issue.finding.place.span
    return span.line <= line <= max(span.line, span.end_line)
