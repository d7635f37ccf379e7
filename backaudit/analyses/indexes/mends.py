"""Fixes of what the rules on indexes report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.missing import MissingIndex
from backaudit.backend.data.orms import traits
from backaudit.project import Project
from backaudit.project.changing import argument, assigned
from backaudit.rule import Fix


def declared(project: Project, index: MissingIndex) -> Iterator[Fix]:
    """An index over one column, given to the column where its model declares it."""
    table = index.table
    name = traits(project, table.orm).index_argument
    cls = project.class_named(table.model) if table.model else None
    if not name or cls is None or len(index.keys) != 1:
        return
    key = index.keys[0]
    column = table.column(key.text)
    attribute = (column.attribute if column is not None else "") or key.text
    bind = cls.fields.get(attribute)
    declaration = assigned(bind) if bind is not None else None
    if declaration is not None and declaration.call is not None and declaration.origin is declaration:
        yield Fix(
            summary=f"Give `{table.name}.{key.text}` an index (and make a migration for it)",
            changes=(argument(declaration, name, "True"),),
        )
