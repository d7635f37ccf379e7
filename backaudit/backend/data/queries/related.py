"""Rows read through a relation: ``user.posts`` asks for the posts by the user's key, though nobody writes a query."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.queries.between import keys_between
from backaudit.backend.data.queries.chains import denoted_table
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.schema import Relation, Schema, Table, schema
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.sql import Form, Use


def related_sites(project: Project) -> tuple[QuerySite, ...]:
    """A site for every reading of rows over a key that stands in their own table."""
    return project.once(_related_sites)


def _related_sites(project: Project) -> tuple[QuerySite, ...]:
    tables = schema(project)
    found = [*_read(project, tables), *_loaded(project, tables), *_deleted(project, tables)]
    return tuple(sorted(found, key=lambda site: site.place))


def _keyed(tables: Schema) -> frozenset[str]:
    """The names of the relations whose key the other table holds."""
    every = (relation for table in tables.tables.values() for relation in table.relations)
    return frozenset(relation.name for relation in every if relation.link or relation.remote not in ("", "*"))


def _read(project: Project, tables: Schema) -> Iterator[QuerySite]:
    """``user.posts`` on a row."""
    keyed = _keyed(tables)
    for code in project.mentioned(keyed.__contains__):
        for node in code.nodes(ops.Attr):
            op = node.op
            if isinstance(op, ops.Attr) and op.name in keyed:
                yield from _of_row(project, tables, node, node.to(op.base), op.name)


def _of_row(project: Project, tables: Schema, node: Node, base: Node, name: str) -> Iterator[QuerySite]:
    for type_ in project.types(base):
        head, _ = split(type_)
        table = tables.of_model(head)
        relation = tables.relation(table, name) if table is not None else None
        if relation is not None:
            yield from _site(tables, *relation, node, node.place, "eq")
            return


def _loaded(project: Project, tables: Schema) -> Iterator[QuerySite]:
    """What ``prefetch_related("posts")`` and ``selectinload(User.posts)`` load along."""
    for last in sorted(project.models.kinds["loads-by-attribute"]):
        for node in project.calls_of(last):
            for argument in node.args():
                op = argument.origin.op
                table = denoted_table(project, argument.origin.to(op.base)) if isinstance(op, ops.Attr) else None
                if table is not None and isinstance(op, ops.Attr):
                    yield from _along(tables, table, [op.name], node)
    for last in sorted(project.models.kinds["loads-by-name"]):
        for node in project.calls_of(last):
            yield from _prefetched(project, tables, node)


def _prefetched(project: Project, tables: Schema, node: Node) -> Iterator[QuerySite]:
    receiver = node.receiver
    over = [split(name) for name in project.types(receiver)] if receiver is not None else []
    table = next((t for head, inner in over if (t := tables.of_model(inner or head)) is not None), None)
    if table is None:
        return
    for argument in node.args():
        first = argument.origin.arg(0) if argument.origin.call is not None else argument
        if first is not None and first.text:
            yield from _along(tables, table, first.text.split("__"), node)


def _along(tables: Schema, table: Table, path: list[str], node: Node) -> Iterator[QuerySite]:
    for name in path:
        relation = tables.relation(table, name)
        target = tables.of_model(relation[1].target) if relation is not None else None
        if relation is None or target is None:
            return
        yield from _site(tables, *relation, node, node.place, "in")
        table = target


def _deleted(project: Project, tables: Schema) -> Iterator[QuerySite]:
    """Where a relation says that its rows are deleted with their owner: the ORM loads them first."""
    for table in tables.tables.values():
        cls = project.class_named(table.model) if table.model else None
        for relation in table.relations if cls is not None else ():
            bind = cls.fields.get(relation.name) if cls is not None else None
            if relation.cascades and bind is not None:
                for site in _site(tables, table, relation, bind, bind.origin.place, "eq"):
                    yield msgspec.structs.replace(site, implied=True)


def _site(
    tables: Schema, owner: Table, relation: Relation, node: Node, place: Place, form: Form
) -> Iterator[QuerySite]:
    between = keys_between(node.code.project, owner, relation) if relation.link else None
    key = (between.table, between.here.name) if between is not None else _key_there(tables, relation)
    if key is not None:
        table, column = key
        uses = [Use(table=table.name, column=column, role="filter", form=form)]
        if relation.typed:
            uses.append(Use(table=table.name, column=relation.typed, role="filter"))
        yield QuerySite(place=place, code=node.code, node=node, uses=tuple(uses), tables=(table.name,))


def _key_there(tables: Schema, relation: Relation) -> tuple[Table, str] | None:
    """The related rows' own key to their owner."""
    target = tables.of_model(relation.target)
    if target is None or relation.remote in ("", "*"):
        return None
    column = target.column(relation.remote)
    return target, column.name if column else relation.remote
