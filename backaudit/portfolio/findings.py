"""A row of the scorecard as a finding: what is missing in it, and the next step."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import Place
from backaudit.portfolio.records import Row
from backaudit.portfolio.rows import asked
from backaudit.portfolio.stack import anchor, served
from backaudit.project import Project
from backaudit.rule import Finding


def lacking(project: Project, key: str) -> Iterator[Finding]:
    """One finding for a row in which something is missing; none where there is no back end."""
    row = project.once(asked(key)) if served(project) else None
    if row is not None and row.verdict in ("no", "partly"):
        yield Finding(
            place=_where(project, row),
            message=f"{row.title}: {'; '.join(lack.text for lack in row.lacks)}.",
            remedy=row.step,
        )


def _where(project: Project, row: Row) -> Place:
    placed = [lack.at for lack in row.lacks if lack.at is not None]
    return placed[0] if placed else project.once(anchor)
