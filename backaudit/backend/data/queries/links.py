"""What one link of a query's chain asks: ``filter(...)``, ``order_by(...)``, ``join(...)``, ``get(...)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries.chains import denoted_table, root_table, stands, table_of
from backaudit.backend.data.queries.expressions import Conditions
from backaudit.backend.data.queries.given import listed, named
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.written import is_written, written_uses
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.sql import Use


def is_link(node: Node) -> bool:
    """Whether a call adds conditions, joins or an order to a query, or fetches one row by conditions."""
    if node.is_call_of("query-links") and node.args():
        return True
    expressed = any(isinstance(argument.origin.op, (ops.Compare, ops.Bin)) for argument in node.args())
    return node.is_call_of("one-row-lookups") and (bool(node.keywords()) or expressed)


def uses_of_link(
    project: Project,
    node: Node,
    over: Table | None = None,
    rows: Mapping[Node, Table] = {},
    told: Mapping[Node, Node] = {},
) -> Iterator[Use]:
    """What one call of a chain asks.

    ``over``: the table that the chain's rows come from, where who calls the function knows it better than the function;
    ``rows``: what there stands for that table; ``told``: parameters, with what a caller hands over for them.
    """
    if node.is_call_of("shortcut-lookups"):
        first = node.arg(0)
        table = (denoted_table(project, first) or table_of(project, first)) if first is not None else None
        if table is not None and node.call is not None:
            rest = [node.origin.to(value) for value in node.call.args[1:]]
            yield from _looked_up(project, table, node, rest)
        return
    if any(map(is_written, node.args())):
        yield from written_uses(project, node)
    table = over or root_table(project, node)
    if table is not None and traits(project, table.orm).queries == "keywords":
        yield from _looked_up(project, table, node, _positional(project, node), told)
    else:
        yield from _expressed(project, table, node, rows, told)


def _positional(project: Project, node: Node) -> list[Node]:
    """The positional arguments, with those unpacked from a list that grows before."""
    call = node.call
    if call is None:
        return []
    found = [node.origin.to(value) for value in call.args]
    return [*found, *(part for value in call.star for part in listed(project, node.origin.to(value)))]


def _looked_up(
    project: Project, table: Table, node: Node, positional: list[Node], told: Mapping[Node, Node] = {}
) -> Iterator[Use]:
    lookups, expressed = Lookups(project, node), Conditions(project, node, told=told)
    if node.method in ("order_by", "latest", "earliest"):
        for argument in positional:
            yield from lookups.sort(table, argument) if argument.text else _sorted(lookups, expressed, table, argument)
        return
    if node.method in ("join", "outerjoin"):
        return
    negated = node.method == "exclude"
    for argument in positional:
        yield from lookups.condition(table, argument, negated)
        yield from expressed.read(argument, negated=negated)
    yield from lookups.keywords(table, node.keywords(), negated)
    yield from _unpacked(project, table, node, told, negated)


def _unpacked(
    project: Project, table: Table, node: Node, told: Mapping[Node, Node], negated: bool = False
) -> Iterator[Use]:
    """What the keywords ask that ``**narrowed`` hands on, each with where and in which branch it was put there."""
    call = node.call
    for mapping in call.dstar if call is not None else ():
        for entry in named(project, node.origin.to(mapping), told):
            place, when = stands(entry.at, node)
            for use in Lookups(project).keywords(table, {entry.name: entry.value}, negated):
                yield msgspec.structs.replace(use, place=place, when=when)


def _sorted(lookups: Lookups, expressed: Conditions, table: Table, argument: Node) -> Iterator[Use]:
    """An order by what is no name: ``F("name").desc()``, ``desc(Note.created)``."""
    named = tuple(lookups.sort(table, argument))
    yield from named or expressed.sort(argument)


def _expressed(
    project: Project, table: Table | None, node: Node, rows: Mapping[Node, Table], told: Mapping[Node, Node]
) -> Iterator[Use]:
    reader = Conditions(project, node, rows, told)
    if node.method == "order_by":
        for argument in _positional(project, node):
            yield from reader.sort(argument, table)
    elif node.method in ("join", "outerjoin"):
        yield from reader.join(node, table)
    elif node.method == "filter_by":
        if table is not None:
            yield from Lookups(project).keywords(table, node.keywords())
            yield from _unpacked(project, table, node, told)
    elif node.method == "with_parent":
        yield from _of_parent(project, table, node)
    elif node.method in ("filter", "where", "get", "get_or_none"):
        for argument in _positional(project, node):
            yield from reader.read(argument)


def _of_parent(project: Project, table: Table | None, node: Node) -> Iterator[Use]:
    """``with_parent(author)`` asks for the rows with the author's key."""
    parent = node.arg(0)
    models = [split(name)[0] for name in project.types(parent)] if parent is not None else []
    over = next((found for name in models if (found := schema(project).of_model(name)) is not None), None)
    keys = [column for column in table.columns if over and _leads_to(column, over)] if table is not None else []
    if table is not None and len(keys) == 1:
        yield Use(table=table.name, column=keys[0].name, role="filter")


def _leads_to(column: Column, table: Table) -> bool:
    return column.references.partition(".")[0].lower() == table.name.lower()
