"""Where a project's code filters, joins and sorts, and by which columns: through an ORM or in SQL text."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries.chains import (
    chain_of,
    conditions,
    denoted_table,
    ends_early,
    related_uses,
    root_table,
    table_of,
    upstream,
)
from backaudit.backend.data.queries.expressions import Conditions
from backaudit.backend.data.queries.filtersets import filterset_sites
from backaudit.backend.data.queries.handed import handed_sites
from backaudit.backend.data.queries.listed import listed_sites
from backaudit.backend.data.queries.lookups import Lookups
from backaudit.backend.data.queries.raw import raw_sites
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.queries.written import is_written, written_calls, written_uses
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.types import split
from backaudit.sql import Use

__all__ = ["QuerySite", "call_place", "denoted_table", "query_sites", "root_table", "table_of"]


def _narrows_nothing(link: Node) -> bool:
    """Whether what a link says, even if it is unknown, leaves out no row that is asked for."""
    return link.is_call_of("one-row-lookups") or link.is_call_of("order-links")


class _Link(msgspec.Struct, frozen=True):
    node: Node
    uses: tuple[Use, ...]
    before: frozenset[Node]


def query_sites(project: Project) -> tuple[QuerySite, ...]:
    """All places that ask something of a column of a known table, by file."""
    return project.once(_query_sites)


def _query_sites(project: Project) -> tuple[QuerySite, ...]:
    if not schema(project).tables:
        return ()
    declared = [*filterset_sites(project), *listed_sites(project)]
    found = [*_chained(project), *raw_sites(project), *declared, *handed_sites(project)]
    return tuple(sorted(found, key=lambda site: site.place))


def call_place(node: Node) -> Place:
    """The name of the method called: the line where a reader looks for the query, also in a chain over many."""
    func = node.func
    if func is None or not isinstance(func.op, ops.Attr):
        at = node.origin.at  # a plain name may be bound elsewhere: the call begins with it
        return Place(node.code.path, Span(at.line, at.column, at.line, at.column + len(node.method)))
    at = func.at
    start = max(at.end_column - len(node.method), 0)
    return Place(node.code.path, Span(at.end_line, start, at.end_line, at.end_column))


def _chained(project: Project) -> Iterator[QuerySite]:
    by_code: dict[Code, list[_Link]] = {}
    for node in dict.fromkeys(_candidates(project)):
        uses = tuple(dict.fromkeys(_uses(project, node)))
        by_code.setdefault(node.code, []).append(_Link(node, uses, frozenset(upstream(node))))
    for code, links in by_code.items():
        ends = [node for node in code.nodes(ops.Call) if node.receiver is not None]
        before = {node: frozenset(upstream(node)) for node in ends}
        for link in links:
            later = [node for node in ends if link.node in before[node]]
            if link.uses:
                yield _site(project, link, by_code, later)


def _candidates(project: Project) -> Iterator[Node]:
    for last in sorted(project.models.kinds["query-links"]):
        yield from (node for node in project.calls_of(last) if node.args())
    for last in sorted(project.models.kinds["one-row-lookups"]):
        for node in project.calls_of(last):
            if node.keywords() or any(isinstance(a.origin.op, (ops.Compare, ops.Bin)) for a in node.args()):
                yield node
    for last in sorted(project.models.kinds["shortcut-lookups"]):
        yield from project.calls_of(last)
    yield from written_calls(project)


def _site(project: Project, link: _Link, by_code: dict[Code, list[_Link]], later: list[Node]) -> QuerySite:
    node = link.node
    around = conditions(node)
    links = by_code[node.code]
    chain = [other for other in links if other is not link and (other.node in link.before or node in other.before)]
    always = [other for other in chain if conditions(other.node) <= around]
    companions = [use for other in always for use in other.uses]
    companions += [*related_uses(project, link.before), *_returned_uses(project, link, by_code)]
    limits = [other for other in link.before if other.call is not None and other.method == "limit"]
    limited, single = ends_early(node, [*later, *limits])
    unknown = any(not other.uses and not _narrows_nothing(other.node) for other in always)
    return QuerySite(
        place=call_place(node),
        code=node.code,
        node=node,
        uses=link.uses,
        companions=tuple(companions),
        limited=limited,
        single=single,
        verb=_verb(later),
        tables=tuple(dict.fromkeys(use.table for use in (*link.uses, *companions))),
        after=_places_after(link, links, later),
        unread=unknown or _opens_unknown(link),
    )


def _places_after(link: _Link, links: list[_Link], later: list[Node]) -> tuple[Place, ...]:
    """Where the chain that a link is part of goes on in further statements."""
    known = {other.node for other in links}
    return tuple(call_place(node) for node in later if node in known and _begins_at_a_name(node))


def _begins_at_a_name(link: Node) -> bool:
    """Whether a link stands behind a name that the query was given, and so in a statement of its own."""
    return link.receiver is not None and link.receiver.op is not link.receiver.origin.op


def _verb(later: list[Node]) -> str:
    """What a chain does with the rows at its end."""
    methods = {other.method for other in later}
    return "delete" if "delete" in methods else "update" if "update" in methods else "select"


def _opens_unknown(link: _Link) -> bool:
    """Whether the chain has a condition of unknown meaning, or begins at a query that a caller hands in."""
    if any(not use.column for use in link.uses):
        return True
    roots = (node.op for node in link.before)
    method = link.node.code.cls is not None
    return any(isinstance(op, ops.Param) and not (method and op.index == 0) and op.name != "request" for op in roots)


def _returned_uses(project: Project, link: _Link, by_code: dict[Code, list[_Link]]) -> Iterator[Use]:
    """What a query asks that a function of the project returned and this chain goes on with."""
    for node in link.before:
        for callee in project.callees(node) if node.call is not None else ():
            for value in (op.value for op in callee.ops if isinstance(op, ops.Return) and op.value != ops.NONE):
                made = set(chain_of(callee.node(value)))
                for other in by_code.get(callee, ()):
                    if other.node in made and not conditions(other.node):
                        yield from other.uses


def _uses(project: Project, node: Node) -> Iterator[Use]:
    """What one call of a chain asks."""
    if node.is_call_of("shortcut-lookups"):
        first = node.arg(0)
        table = (denoted_table(project, first) or table_of(project, first)) if first is not None else None
        if table is not None and node.call is not None:
            rest = [node.origin.to(value) for value in node.call.args[1:]]
            yield from _looked_up(project, table, node, rest)
        return
    if any(map(is_written, node.args())):
        yield from written_uses(project, node)
    table = root_table(project, node)
    if table is not None and traits(project, table.orm).queries == "keywords":
        yield from _looked_up(project, table, node, _positional(node))
    else:
        yield from _expressed(project, table, node)


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
    lookups, expressed = Lookups(project), Conditions(project)
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


def _sorted(lookups: Lookups, expressed: Conditions, table: Table, argument: Node) -> Iterator[Use]:
    """An order by what is no name: ``F("name").desc()``, ``desc(Note.created)``."""
    named = tuple(lookups.sort(table, argument))
    yield from named or expressed.sort(argument)


def _expressed(project: Project, table: Table | None, node: Node) -> Iterator[Use]:
    reader = Conditions(project)
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
