"""Fixes of what the rules on indexes report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.advice import index_name, written
from backaudit.analyses.indexes.missing import MissingIndex
from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import Table
from backaudit.facts.changes import AnyChange, Import, ListInClass
from backaudit.models import OrmModel
from backaudit.project import Node, Project
from backaudit.project.changing import argument, assigned, needed, type_alone, written_from
from backaudit.rule import Fix


def declared(project: Project, index: MissingIndex) -> Iterator[Fix]:
    """An index, declared where the table's model is: at its one column, or in the list that the class has of them."""
    orm = traits(project, index.table.orm)
    columns = ", ".join(key.text for key in index.keys)
    changes = _at_column(project, index, orm) if len(index.keys) == 1 else _in_class(project, index, orm)
    if changes:
        name = f"{index.table.name}.{columns}" if len(index.keys) == 1 else f"{index.table.name} ({columns})"
        yield Fix(summary=f"Give `{name}` an index (and make a migration for it)", changes=changes)


def _at_column(project: Project, index: MissingIndex, orm: OrmModel) -> tuple[AnyChange, ...]:
    bind = _field(project, index.table, index.keys[0].text, orm) if orm.index_argument else None
    return tuple(_changes(bind, orm)) if bind is not None else ()


def _in_class(project: Project, index: MissingIndex, orm: OrmModel) -> tuple[AnyChange, ...]:
    cls = project.class_named(index.table.model) if index.table.model else None
    told_by_order = all(key.text and not key.nulls for key in index.keys)
    if cls is None or not orm.index_element or not told_by_order:
        return ()
    element = written(orm.index_element, orm, index.table, index.keys, index_name(index))
    module, _, name = orm.index_import.rpartition(".")
    imports = (Import(cls.file.path, module, name),) if name else ()
    return (ListInClass(cls.place, orm.index_option, element, orm.index_brackets), *imports)


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
