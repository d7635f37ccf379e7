"""Fixes of what the rules on indexes report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.missing import MissingIndex
from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import Table
from backaudit.facts.changes import AnyChange
from backaudit.models import OrmModel
from backaudit.project import Node, Project
from backaudit.project.changing import argument, assigned, needed, type_alone, written_from
from backaudit.rule import Fix


def declared(project: Project, index: MissingIndex) -> Iterator[Fix]:
    """An index over one column, given to the column where its model declares it."""
    table = index.table
    orm = traits(project, table.orm)
    if not orm.index_argument or len(index.keys) != 1:
        return
    bind = _field(project, table, index.keys[0].text, orm)
    changes = tuple(_changes(bind, orm)) if bind is not None else ()
    if changes:
        name = f"{table.name}.{index.keys[0].text}"
        yield Fix(summary=f"Give `{name}` an index (and make a migration for it)", changes=changes)


def _field(project: Project, table: Table, key: str, orm: OrmModel) -> Node | None:
    """Where the table's own class declares a column; a foreign key's is called without its ending."""
    cls = project.class_named(table.model) if table.model else None
    column = table.column(key)
    attribute = (column.attribute if column is not None else "") or key
    fields = cls.fields if cls is not None else {}
    return fields.get(attribute) or fields.get(attribute.removesuffix(orm.key_suffix))


def _changes(bind: Node, orm: OrmModel) -> Iterator[AnyChange]:
    value, annotation = assigned(bind), type_alone(bind)
    if annotation is not None and orm.plain_column:
        module, _, name = orm.plain_column.rpartition(".")
        yield written_from(annotation, annotation, f"{{0}} = {name}({orm.index_argument}=True)", annotation)
        yield needed(bind, module, name)
    elif value.call is not None and value.origin is value:
        yield argument(value, orm.index_argument, "True")
