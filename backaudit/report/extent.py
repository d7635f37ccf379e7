"""How much was looked at, in words: a report of nothing must not read like one of something."""

from __future__ import annotations

from backaudit.issue import Report

NO_BACK_END = "No Python back end found here"


def extent_of(report: Report) -> str:
    """``4 routes, 2 tables``, and that there is no back end where there are neither; empty where nobody looked."""
    found = report.back_end
    if found is None:
        return ""
    parts = [
        (found.routes, "route"),
        (found.tables, "table"),
        *([(found.collections, "collection")] * bool(found.collections)),
    ]
    counts = ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in parts)
    return f"{NO_BACK_END}: {counts}" if found.is_empty else counts
