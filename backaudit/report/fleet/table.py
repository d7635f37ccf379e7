"""A finding a line, for spreadsheets and databases: open ones, and those that were fixed in the last run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from backaudit.report.fleet.records import Entry, Repository, Summary
from backaudit.report.visible import encodable

COLUMNS = (
    *("repository", "labels", "state", "severity", "confidence", "family", "rule", "path", "line", "column"),
    *("message", "remedy", "first_seen", "last_seen", "fixed", "commit", "url", "fingerprint"),
)
# What a spreadsheet would take for a formula.
_ACTING = ("=", "+", "-", "@", "\t", "\r")


def render(summary: Summary) -> str:
    """The whole table. A cell that a spreadsheet would run begins with an apostrophe."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for repository in summary.repositories:
        writer.writerows(_rows(repository))
    return text.getvalue()


def _rows(repository: Repository) -> Iterator[list[str]]:
    for entry in (*repository.findings, *repository.fixed):
        state = "fixed" if entry.fixed else "new" if entry.is_new else "open"
        yield [_inert(cell) for cell in _cells(repository, entry, state)]


def _cells(repository: Repository, entry: Entry, state: str) -> Iterator[str]:
    yield from (repository.name, " ".join(repository.labels), state, entry.severity, entry.confidence, entry.family)
    yield from (entry.rule, entry.path, str(entry.line), str(entry.column), entry.message, entry.remedy)
    yield from (entry.first, entry.last, entry.fixed, repository.commit, repository.url, entry.fingerprint)


def _inert(cell: str) -> str:
    text = encodable(cell)
    return f"'{text}" if text.startswith(_ACTING) else text
