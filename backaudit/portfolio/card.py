"""Putting a scorecard together."""

from __future__ import annotations

from backaudit.portfolio.questions import questions
from backaudit.portfolio.records import Scorecard
from backaudit.portfolio.rows import rows
from backaudit.portfolio.stack import served, surveyed
from backaudit.project import Project


def scorecard(project: Project) -> Scorecard:
    """All rows of one back end, and what its author will be asked. Ask with ``project.once``."""
    if not served(project):
        return Scorecard()
    return Scorecard(
        rows=project.once(rows),
        questions=tuple(questions(project)),
        tables=surveyed(project).tables,
        routes=len(served(project)),
    )
