"""How a change of the schema comes to the database that people use."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.platforms import deployments
from backaudit.portfolio.records import Question
from backaudit.portfolio.rows.migrations import migration_files
from backaudit.portfolio.tables import own_tables
from backaudit.project import Project

_ASK = "You add a column: how does it come to the database that people use?"


def ask(project: Project) -> Iterator[Question]:
    """Asked where there are tables."""
    if not own_tables(project):
        return
    steps = migration_files(project)
    migrating = next((one for one in project.once(deployments) if one.migrates), None)
    if not steps:
        answer = (
            "There is no migration: tables are made where they are missing, and a table that is there stays as it is."
        )
        yield Question(ask=_ASK, answer=answer)
    elif migrating is not None:
        answer = (
            f"By a migration beside the others in {_folder(steps[-1])}, which {migrating.title} runs at each release."
        )
        yield Question(ask=_ASK, answer=answer, at=Place(migrating.path, WHOLE_FILE))
    else:
        answer = f"By a migration beside the others in {_folder(steps[-1])}; who runs it at a release, no file says."
        yield Question(ask=_ASK, answer=answer, at=Place(steps[-1], WHOLE_FILE), known=False)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
