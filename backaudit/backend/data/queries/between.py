"""Tables between many and many: their keys to both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from backaudit.backend.data.schema import Column, Relation, Schema, Table, schema
from backaudit.project import Project
from backaudit.sql import Use


class Between(NamedTuple):
    """A table between two, its key to the owner's rows (``here``) and to the others' (``there``)."""

    table: Table
    here: Column
    there: Column

    def joined_to(self, target: Table) -> Iterator[Use]:
        """The join from the table between to the rows that its relation leads to."""
        return pair((self.table, self.there.name), (target, key_of(target)))

    def joined_from(self, owner: Table) -> Iterator[Use]:
        """The join from the owner's rows to the table between."""
        return pair((owner, key_of(owner)), (self.table, self.here.name))


def pair(first: tuple[Table, str], second: tuple[Table, str]) -> Iterator[Use]:
    """A join, seen from both of its sides."""
    for mine, other in ((first, second), (second, first)):
        yield Use(table=mine[0].name, column=mine[1], role="join", other=(other[0].name, other[1]))


def key_of(table: Table) -> str:
    """The column by which others refer to a table's rows."""
    return (table.primary_key or ("id",))[0]


def keys_between(project: Project, owner: Table, relation: Relation) -> Between | None:
    """The table between the rows of a relation from many to many, where it is known and nothing else fits as well."""
    tables = schema(project)
    target = tables.of_model(relation.target)
    if target is None:
        return None
    named = (tables.of_model(relation.link) or tables.table(relation.link)) if relation.link else None
    candidates = [named] if named is not None else _nothing_else(tables)
    found = [between for table in candidates if (between := _between(table, owner, target)) is not None]
    return found[0] if found else None


def _nothing_else(tables: Schema) -> list[Table]:
    """The tables that no model stands for."""
    return [table for table in tables.tables.values() if not table.model]


def _between(table: Table, owner: Table, target: Table) -> Between | None:
    here = [column for column in table.columns if _leads_to(column, owner)]
    there = [column for column in table.columns if _leads_to(column, target)]
    return Between(table, here[0], there[0]) if len(here) == len(there) == 1 and here != there else None


def _leads_to(column: Column, table: Table) -> bool:
    return column.references.partition(".")[0].lower() == table.name.lower()
