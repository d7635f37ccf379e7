"""Where a project's code filters, joins and sorts, and by which columns: through an ORM or in SQL text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import msgspec

from backaudit.backend.data.queries.chains import conditions, denoted_table, ends_early, root_table, table_of, upstream
from backaudit.backend.data.queries.filtersets import filterset_sites
from backaudit.backend.data.queries.handed import handed_sites
from backaudit.backend.data.queries.links import is_link, uses_of_link
from backaudit.backend.data.queries.listed import listed_sites
from backaudit.backend.data.queries.raw import raw_sites
from backaudit.backend.data.queries.records import Part, QuerySite
from backaudit.backend.data.queries.returned import related_uses, returned_uses
from backaudit.backend.data.queries.written import written_calls
from backaudit.backend.data.schema import schema
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import Code, Node, Project
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
    by_code: dict[Code, list[Node]] = {}
    for node in dict.fromkeys(_candidates(project)):
        by_code.setdefault(node.code, []).append(node)
    for code, nodes in by_code.items():
        links = list(_links(project, nodes))
        ends = [node for node in code.nodes(ops.Call) if node.receiver is not None]
        before = {node: frozenset(upstream(node)) for node in ends}
        for link in links:
            later = [node for node in ends if link.node in before[node]]
            if link.uses:
                yield _site(project, link, links, later)


def _links(project: Project, nodes: list[Node]) -> Iterator[_Link]:
    """What each of a function's links asks, in the order in which they run; no two of them number an OR alike."""
    known = 0
    for node in sorted(nodes, key=lambda node: node.value):
        uses = tuple(_renumbered(use, known) for use in dict.fromkeys(uses_of_link(project, node)))
        known = max((known, *(use.branch[0] for use in uses)))
        yield _Link(node, uses, frozenset(upstream(node)))


def _renumbered(use: Use, known: int) -> Use:
    either, alternative = use.branch
    return msgspec.structs.replace(use, branch=(either + known, alternative)) if known and either else use


def _candidates(project: Project) -> Iterator[Node]:
    kinds = project.models.kinds
    for last in sorted(kinds["query-links"] | kinds["one-row-lookups"]):
        yield from (node for node in project.calls_of(last) if is_link(node))
    for last in sorted(kinds["shortcut-lookups"]):
        yield from project.calls_of(last)
    yield from written_calls(project)


def _site(project: Project, link: _Link, links: list[_Link], later: list[Node]) -> QuerySite:
    node = link.node
    always = [other for other in links if other is link or _always_with(link, other)]
    before = [other for other in link.before if conditions(other) <= conditions(node)]
    companions = list(chain.from_iterable(other.uses for other in always if other is not link))
    companions += related_uses(project, before)
    ordered = _is_ordered(before, later) or any(use.role == "sort" for use in (*link.uses, *companions))
    companions += (use for use in returned_uses(project, before) if not (ordered and use.role == "sort"))
    limits = [other for other in link.before if other.call is not None and other.method == "limit"]
    limited, single = ends_early(node, [*later, *limits])
    return QuerySite(
        place=call_place(node),
        code=node.code,
        node=node,
        uses=link.uses,
        companions=tuple(dict.fromkeys(companions)),
        parts=tuple(Part(call_place(one.node), one.uses) for one in always),
        limited=limited,
        single=single,
        verb=_verb(later),
        tables=tuple(dict.fromkeys(use.table for use in (*link.uses, *companions))),
        after=_places_after(link, links, later),
        unread=any(map(_is_unknown, always)) or _opens_unknown(link),
    )


def _is_ordered(before: list[Node], later: list[Node]) -> bool:
    """Whether a chain says by itself in which order its rows come, or that it is none: nothing else's order counts."""
    return any(other.is_call_of("order-links") for other in (*before, *later))


def _always_with(link: _Link, other: _Link) -> bool:
    """Whether another link is part of the same chain, and runs whenever this one does."""
    same = other.node in link.before or link.node in other.before
    return same and conditions(other.node) <= conditions(link.node)


def _is_unknown(link: _Link) -> bool:
    """Whether nobody can tell what a link asks, and it may leave out rows."""
    return not link.uses and not _narrows_nothing(link.node)


def _places_after(link: _Link, links: list[_Link], later: list[Node]) -> tuple[Place, ...]:
    """Where the chain that a link is part of goes on in further statements."""
    known = {other.node for other in links}
    return tuple(call_place(node) for node in later if node in known and _begins_at_a_name(node))


def _begins_at_a_name(link: Node) -> bool:
    """Whether a link stands behind a name that the query was given, and so in a statement of its own."""
    receiver = link.receiver
    if receiver is None:
        return False
    return receiver.op is not receiver.origin.op or isinstance(receiver.op, ops.Phi)


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
