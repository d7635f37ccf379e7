"""The tables that a project made itself: not those between many and many, nor those of a library."""

from __future__ import annotations

from backaudit.portfolio.stack import surveyed
from backaudit.project import Project
from backaudit.survey.records import TableRow
from backaudit.vocabulary.meaning import meaning

_KEPT_BY_TOOLS = meaning("migrations", "bookkeeping")


def own_tables(project: Project) -> tuple[TableRow, ...]:
    """Those that the survey shows and the project declares."""
    return project.once(_own_tables)


def _own_tables(project: Project) -> tuple[TableRow, ...]:
    return tuple(table for table in surveyed(project).tables if _is_own(table))


def _is_own(table: TableRow) -> bool:
    """A table that a class or a statement of the project is behind."""
    if table.model or table.source == "sql":
        return not _KEPT_BY_TOOLS.holds(table.name)
    return not _is_between(table) and not _KEPT_BY_TOOLS.holds(table.name)


def _is_between(table: TableRow) -> bool:
    """Nothing but two keys, with an id of its own at most: an ORM made it for many and many."""
    keys = [column for column in table.columns if column.references]
    return len(keys) == 2 and len(table.columns) <= 3
