"""The column that says whose a row is."""

from __future__ import annotations

from backaudit.backend.access.changes import DEPTH, changes
from backaudit.backend.access.tables import is_user_table
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import names_people

OWNER_NAME = meaning("people", "owner-column")


def owner_column(project: Project, table: Table) -> Column | None:
    """The column that says whose a row is; also that of a table between, filled together with this one."""
    if is_user_table(table):
        return None
    found = _own_owner(project, table)
    for link in schema(project).tables.values() if found is None else ():
        if len(link.columns) <= 4 and any(_leads_to(column, table) for column in link.columns):
            column = _own_owner(project, link)
            if column is not None and (table.name, link.name) in project.once(_written_together):
                return column
    return found


def _own_owner(project: Project, table: Table) -> Column | None:
    users = project.once(_user_tables)
    for column in table.columns:
        target = (column.references.rpartition(".")[0] or column.references).lower()
        refers = target in users or column.name.endswith("id") or bool(column.references)
        if OWNER_NAME.holds(column.name) and refers and (target in users or not _is_thing(project, target)):
            return column
    for relation in table.relations:
        own = schema(project).of_model(relation.target)
        named = not relation.many and relation.column and OWNER_NAME.holds(relation.name)
        if named and own is not None and is_user_table(own):
            return table.column(relation.column)
    return None


def _is_thing(project: Project, name: str) -> bool:
    """Whether a table that is referred to holds no people: the owner of a data source may be a service."""
    return bool(name) and schema(project).table(name) is not None and not names_people(name)


def _leads_to(column: Column, table: Table) -> bool:
    return (column.references.rpartition(".")[0] or column.references).lower() == table.name.lower()


def _written_together(project: Project) -> frozenset[tuple[str, str]]:
    """Pairs of tables that one function fills."""
    found: set[tuple[str, str]] = set()
    writers = {call.code for name in ("execute", "add", "create", "insert", "save") for call in project.calls_of(name)}
    for code in sorted(writers, key=lambda code: (code.path, code.index)):
        names = {change.table.name for change in changes(project, code, DEPTH) if change.table is not None}
        found |= {(one, other) for one in names for other in names if one != other}
    return frozenset(found)


def _user_tables(project: Project) -> frozenset[str]:
    return frozenset(name for name, table in schema(project).tables.items() if is_user_table(table))
