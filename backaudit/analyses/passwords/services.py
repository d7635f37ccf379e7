"""Passwords that let the server in elsewhere: it has to know them, so that no hash would do."""

from __future__ import annotations

from backaudit.analyses.passwords.stores import Store
from backaudit.backend.access.owners import filled_table
from backaudit.backend.access.tables import is_user_table, touched_table
from backaudit.backend.data.schema import Table
from backaudit.facts import ops
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning, words

_ADDRESS = meaning("passwords", "service-address")
_ELSEWHERE = assume("purpose", "people log in here by it, and not this server at the address beside it")


def of_a_service(table: Table | None) -> Assumed:
    """What is supposed of a password in a row that also says where a service is; a person's own page is none."""
    if table is None or is_user_table(table):
        return KNOWN
    beside = any(not _ADDRESS.words.isdisjoint(words(column.name)) for column in table.columns)
    return _ELSEWHERE if beside else KNOWN


def table_of_store(project: Project, store: Store) -> Table | None:
    """The table of the row in which a password is kept."""
    op = store.at.op
    if isinstance(op, ops.SetAttr):
        return touched_table(project, store.at.to(op.base))
    return filled_table(project, store.at) if store.at.call is not None else None
