"""What two clients get who register one name at the same moment."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.accounts import registers
from backaudit.portfolio.records import Question
from backaudit.portfolio.stack import at_line, place_of, served, surveyed
from backaudit.project import Project
from backaudit.survey.records import ColumnRow, RouteRow, TableRow
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, names_accounts

_LOGGED_IN_BY = meaning("people", "login-name")
_CONFLICT = (409, 400, 422)


def ask(project: Project) -> Iterator[Question]:
    """Asked of the first registration that writes to a table of people."""
    for row in (row for row in served(project) if registers(project, row)):
        written = (table for table in surveyed(project).tables if table.name in row.writes)
        table = next(filter(_of_accounts, written), None)
        column = _identity(table) if table is not None else None
        if table is not None and column is not None:
            yield _question(row, table, column)
            return


def _of_accounts(table: TableRow) -> bool:
    """Those who log in: no profiles of theirs."""
    return names_accounts(table.name) or any(is_password_column(column.name) for column in table.columns)


def _identity(table: TableRow) -> ColumnRow | None:
    """The column by which somebody logs in; a unique one before others."""
    found = [column for column in table.columns if _LOGGED_IN_BY.holds(column.name)]
    return min(found, key=lambda column: not _is_unique(table, column), default=None)


def _is_unique(table: TableRow, column: ColumnRow) -> bool:
    return column.unique or any(index.unique and index.keys == (column.name,) for index in table.indexes)


def _question(row: RouteRow, table: TableRow, column: ColumnRow) -> Question:
    named = f"`{table.name}.{column.name}`"
    ask_it = f"Two clients register with the same {column.name} at the same moment: what happens?"
    if not _is_unique(table, column):
        answer = f"Both get an account: {named} has no unique constraint, and a look-up before the insert sees neither."
        return Question(ask=ask_it, answer=answer, at=place_of(table.at))
    status = next((status for status in _CONFLICT if status in row.statuses), 0)
    if status:
        answer = f"The unique index on {named} lets one in; the route answers the other {status}."
        return Question(ask=ask_it, answer=answer, at=at_line(row.at))
    answer = f"The unique index on {named} lets one in; no answer of the route's own for the other was found."
    return Question(ask=ask_it, answer=answer, at=at_line(row.at), known=False)
