"""Whether the schema is changed by migrations, and whether these say what the models say."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed, place_of, surveyed
from backaudit.portfolio.tables import own_tables
from backaudit.project import Project
from backaudit.survey.records import TableRow
from backaudit.vocabulary.meaning import meaning

_STEP = meaning("migrations", "step-file")


def row(project: Project) -> Row:
    """Steps that bring a database from one version of the schema to the next."""
    tables = own_tables(project)
    only_documents = not tables and bool(surveyed(project).collections)
    steps = migration_files(project)
    return Row(
        key="migrations",
        title="Migrations",
        facts=tuple(_facts(steps)),
        lacks=tuple(_lacks(project, tables, steps)),
        basis=bool(steps),
        open="a store of documents has no schema to migrate" if only_documents else "",
    )


def migration_files(project: Project) -> tuple[str, ...]:
    """The files that are steps of a migration."""
    found = (path for path, file in project.facts.items() if file.kind in ("python", "sql"))
    return tuple(path for path in found if project.role(path) == "migration" and _STEP.holds(path))


def _facts(steps: tuple[str, ...]) -> Iterator[Fact]:
    if steps:
        yield Fact(f"{counted(len(steps), 'migration')} in {_folders(steps)}", Place(steps[0], WHOLE_FILE))


def _folders(steps: tuple[str, ...]) -> str:
    return listed(sorted({path.rpartition("/")[0] for path in steps}))


def _lacks(project: Project, tables: tuple[TableRow, ...], steps: tuple[str, ...]) -> Iterator[Lack]:
    if not steps:
        yield lack(project, "migrations/none", "nothing changes the schema step by step")
        return
    for table in tables:
        # An index that only one of them has is advice elsewhere; a column or table that is missing breaks the app.
        gone = [one for one in table.differences if one.kind in ("table", "column") and one.only == "models"]
        if gone:
            names = listed([one.name or table.name for one in gone])
            text = f"the migrations lack what the model of `{table.name}` has: {names}"
            yield lack(project, "migrations/behind", text, place_of(gone[0].at or table.at))
            return
