"""What one link of a query's chain asks: ``filter(...)``, ``order_by(...)``, ``join(...)``, ``get(...)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries.chains import denoted_table, root_table, table_of
from backaudit.backend.data.queries.expressions import Conditions
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.written import is_written, written_uses
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import entries, items
from backaudit.project.types import split
from backaudit.sql import Use


def is_link(node: Node) -> bool:
    """Whether a call adds conditions, joins or an order to a query, or fetches one row by conditions."""
    if node.is_call_of("query-links") and node.args():
        return True
    expressed = any(isinstance(argument.origin.op, (ops.Compare, ops.Bin)) for argument in node.args())
    return node.is_call_of("one-row-lookups") and (bool(node.keywords()) or expressed)


def uses_of_link(
    project: Project, node: Node, over: Table | None = None, rows: Mapping[Node, Table] = {}
) -> Iterator[Use]:
    """What one call of a chain asks.

    ``over``: the table that the chain's rows come from, where who calls the function knows it better than the function;
    ``rows``: what there stands for that table.
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
        yield from _looked_up(project, table, node, _positional(node))
    else:
        yield from _expressed(project, table, node, rows)


def _positional(node: Node) -> list[Node]:
    """The positional arguments, with those unpacked from a list that the function builds."""
    call = node.call
    if call is None:
        return []
    found = [node.origin.to(value) for value in call.args]
    for value in call.star:
        listed = node.origin.to(value)
        found += items(listed)
        effects = map(node.code.node, node.code.effects.get(listed.origin.value, ()))
        appending = [effect for effect in effects if effect.call is not None and effect.method == "append"]
        found += [argument for call in appending for argument in call.args()]
    return found


def _looked_up(project: Project, table: Table, node: Node, positional: list[Node]) -> Iterator[Use]:
    lookups, expressed = Lookups(project, node), Conditions(project, node)
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
    yield from lookups.keywords(table, {**node.keywords(), **_unpacked(node)}, negated)


def _unpacked(node: Node) -> dict[str, Node]:
    """The keywords that ``**narrowed`` hands on, where the function writes them down."""
    call = node.call
    mappings = [node.origin.to(value) for value in call.dstar] if call is not None else []
    return {name: value for mapping in mappings for name, value in entries(mapping).items()}


def _sorted(lookups: Lookups, expressed: Conditions, table: Table, argument: Node) -> Iterator[Use]:
    """An order by what is no name: ``F("name").desc()``, ``desc(Note.created)``."""
    named = tuple(lookups.sort(table, argument))
    yield from named or expressed.sort(argument)


def _expressed(project: Project, table: Table | None, node: Node, rows: Mapping[Node, Table]) -> Iterator[Use]:
    reader = Conditions(project, node, rows)
    if node.method == "order_by":
        for argument in _positional(node):
            yield from reader.sort(argument)
    elif node.method in ("join", "outerjoin"):
        yield from reader.join(node, table)
    elif node.method == "filter_by":
        if table is not None:
            yield from Lookups(project).keywords(table, node.keywords())
    elif node.method == "with_parent":
        yield from _of_parent(project, table, node)
    elif node.method in ("filter", "where", "get", "get_or_none"):
        for argument in _positional(node):
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
