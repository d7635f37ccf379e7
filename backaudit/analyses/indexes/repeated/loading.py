"""How rows are fetched: which query an iterated value comes from, and what it loads along with them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.indexing import unique_lookup
from backaudit.analyses.indexes.repeated.eager import (
    came_with_parent,
    loaded,
    loaded_after,
    selected_along,
    unknown_options,
    ways_back,
)
from backaudit.backend.data.documents.tables import document_table, fetched_documents
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import call_place, query_sites
from backaudit.backend.data.queries.chains import chain_of, denoted_table, related_table, row_table
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.generic import is_open
from backaudit.sql import Use

_FEW_ROWS = 5


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a table that a value holds. ``eager``: the paths of relations loaded with them (``lines.bread``);
    ``everything``: maybe all of them.

    ``few``: a handful at most, by a constant limit or a unique key. ``inert``: reading their attributes runs no query
    (plain values, rows of an asynchronous session). ``origin``: the call in which the query stands.
    """

    table: Table
    origin: Node
    eager: frozenset[str] = frozenset()
    everything: bool = False
    few: bool = False
    inert: bool = False

    @property
    def settled(self) -> bool:
        """Whether showing them may run no query more, or none worth a word."""
        return self.few or self.everything or self.inert

    @property
    def is_in_sight(self) -> bool:
        """Whether it is a query, or a relation of a row, that holds them: not a parameter or a name."""
        return self.origin.call is not None or isinstance(self.origin.op, ops.Attr)

    @property
    def place(self) -> Place:
        """Where they are asked for."""
        return call_place(self.origin) if self.origin.call is not None else self.origin.place


def rows_of(project: Project, node: Node) -> Rows | None:
    """The rows that a value holds if it is a query or its result, made here or by functions of the project."""
    return next(iter(all_rows_of(project, node)), None)


def all_rows_of(project: Project, node: Node) -> tuple[Rows, ...]:
    """As :func:`rows_of`, of every caller that hands a query of its own to the function which runs it."""
    return project.solved(_rows_of, node)


def _rows_of(project: Project, node: Node) -> Iterator[Rows]:
    chain = chain_of(node)
    table = row_table(project, node) or fetched_documents(project, node)
    if table is None:
        handed = _handed_on(project, chain)
        yield from (handed,) if handed is not None else _of_given_query(project, node, chain)
        return
    made = _made_elsewhere(project, chain) or _handed_on(project, chain)
    if made is not None:
        yield _joined(project, node, table, chain, made)
    elif _begins(project, chain):
        yield _made_here(project, node, table, chain)
    else:
        inner = next(_of_any_model(project, chain), None)
        if inner is not None:
            yield _made_here(project, node, table, [*chain, *inner])
        else:
            yield from _of_given_query(project, node, chain)


def rows_from(project: Project, node: Node) -> Iterator[tuple[Code, Rows]]:
    """The rows that a value holds, by each of the project's functions that may have given them."""
    chain = chain_of(node)
    for link in chain:
        for code in project.callees(link) if link.call is not None else ():
            for returned in code.returned():
                found = rows_of(project, returned)
                if found is not None:
                    yield code, _joined(project, node, found.table, chain, found)


def one_row(project: Project, node: Node) -> Rows | None:
    """The one row that a value is, with what came along with it."""
    tables = schema(project)
    table = next((t for name in project.types(node) if (t := tables.of_model(name)) is not None), None)
    return _made_here(project, node, table, chain_of(node)) if table is not None else None


def _joined(project: Project, node: Node, table: Table, chain: list[Node], made: Rows) -> Rows:
    """Rows that another function gives, with what the chain here adds."""
    here = _made_here(project, node, table, chain)
    only = sum(link.call is not None for link in chain) + len(_inner_statements(chain)) <= 1
    return Rows(
        table=table,
        origin=made.origin if only else here.origin,
        eager=here.eager | made.eager,
        everything=here.everything or made.everything,
        few=here.few or made.few,
        inert=here.inert or made.inert,
    )


def _made_here(project: Project, node: Node, table: Table, chain: list[Node]) -> Rows:
    calls = [link for link in chain if link.call is not None]
    parts = [*calls, *_inner_statements(chain)]
    cut = [link for link in chain if isinstance(link.op, ops.Item)]
    eager = frozenset((*(name for link in parts for name in loaded(link)), *loaded_after(chain)))
    known = _known_parents(project, table, parts) | came_with_parent(project, chain)
    known |= selected_along(project, table, parts) | ways_back(project, table, eager)
    return Rows(
        table=table,
        origin=next(iter(calls), node.origin),
        eager=eager | known,
        everything="*" in eager or any(unknown_options(link) for link in parts),
        few=any(is_few(link) for link in (*parts, *cut)) or _is_one(project, table, parts),
        inert=_is_inert(chain),
    )


def _inner_statements(chain: list[Node]) -> list[Node]:
    """The calls of the statements that a chain is given: ``session.scalars(select(...).where(...))``."""
    given = [argument for link in chain for argument in link.args()]
    return [inner for argument in given for inner in _statement(argument)]


def _is_inert(chain: list[Node]) -> bool:
    """Whether rows load nothing of themselves: an asynchronous session refuses to, plain values cannot."""
    if any(isinstance(link.op, ops.Await) or _is_awaited(link) for link in chain):
        return True
    calls = [link for link in chain if link.call is not None]
    run = _inner_statements([link for link in calls if link.is_call_of("statement-runners")])
    return any(link.is_call_of("plain-rows") for link in (*calls, *run))


def _is_one(project: Project, table: Table, parts: list[Node]) -> bool:
    """Whether the conditions pin a unique key: there is one row at most."""
    uses = project.once(_uses_of)
    return unique_lookup(table, _exact(parts, uses))


def _known_parents(project: Project, table: Table, parts: list[Node]) -> frozenset[str]:
    """The relations that lead to one row for all: a session that keeps its rows asks for it once at most."""
    if not traits(project, table.orm).keeps_rows:
        return frozenset()
    pinned = {use.column for use in _exact(parts, project.once(_uses_of)) if use.table == table.name}
    return frozenset(relation.name for relation in table.relations if relation.column in pinned)


def _exact(parts: list[Node], uses: dict[Node, tuple[Use, ...]]) -> Iterator[Use]:
    every = (use for link in parts for use in uses.get(link, ()))
    return (use for use in every if use.role == "filter" and use.form == "eq")


def _uses_of(project: Project) -> dict[Node, tuple[Use, ...]]:
    return {site.node: site.uses for site in query_sites(project)}


def _is_awaited(node: Node) -> bool:
    return any(isinstance(op, ops.Await) and node.code.origin(op.value) == node.value for op in node.code.ops)


def _of_any_model(project: Project, chain: list[Node]) -> Iterator[list[Node]]:
    """The chains by which methods of generic classes give rows, of whatever model their caller's class is about."""
    for link in chain:
        for returned in _given_back(project, link) if link.call is not None else ():
            if any(map(is_open, project.types(returned))):
                yield chain_of(returned)


def _begins(project: Project, chain: list[Node]) -> bool:
    """Whether the chain's beginning is in sight: a model, a session's query or a relation, not a parameter."""
    return any(_is_beginning(project, link) for link in chain)


def _is_beginning(project: Project, link: Node) -> bool:
    op = link.op
    if isinstance(op, ops.Attr):
        base = link.to(op.base)
        return bool(denoted_table(project, base) or related_table(project, link, op) or document_table(project, base))
    opener = link.method in ("query", "select") and any(denoted_table(project, a) for a in link.args())
    if opener or any(_opens(project, argument) for argument in link.args()):
        return True
    return link.call is not None and link.receiver is not None and denoted_table(project, link.receiver) is not None


def _opens(project: Project, argument: Node) -> bool:
    return any(
        part.method in ("select", "query") and any(denoted_table(project, a) for a in part.args())
        for part in _statement(argument)
    )


def _statement(argument: Node) -> list[Node]:
    """The calls that built a statement which is passed to an execution."""
    return [link for link in chain_of(argument) if link.call is not None]


def _made_elsewhere(project: Project, chain: list[Node]) -> Rows | None:
    for link in chain:
        own = _of_view(project, link)
        if own is not None:
            return rows_of(project, own)
        for returned in _given_back(project, link):
            found = rows_of(project, returned)
            if found is not None:
                return found
    return None


def _handed_on(project: Project, chain: list[Node]) -> Rows | None:
    """The rows of a query that a function of the project is given, narrows or orders, and gives back."""
    for link in (link for link in chain if link.call is not None):
        for callee in project.callees(link):
            for returned in callee.returned():
                inner = chain_of(returned)
                found = given_rows(project, link, callee, inner)
                if found is not None:
                    eager = frozenset(name for part in inner if part.call is not None for name in loaded(part))
                    return msgspec.structs.replace(found, eager=found.eager | eager)
    return None


def _of_given_query(project: Project, node: Node, chain: list[Node]) -> Iterator[Rows]:
    """The rows, or the query of them, that a function's callers hand it: those of each caller."""
    for link in chain:
        if isinstance(link.op, ops.Param) and (link.op.index > 0 or link.code.cls is None):
            for call in project.callers(link.code):
                given = rows_handed(project, node, call)
                yield from (given,) if given is not None else ()


def rows_handed(project: Project, node: Node, call: Node) -> Rows | None:
    """The rows that a value holds where ``call`` runs its function: of the query, or the rows, that are handed over."""
    chain = chain_of(node)
    given = given_rows(project, call, node.code, chain)
    return _joined(project, node, given.table, chain, given) if given is not None else None


def given_rows(project: Project, call: Node, callee: Code, inner: list[Node]) -> Rows | None:
    """What a call hands to the parameter that a chain of the callee begins with."""
    for part in inner:
        argument = project.argument(call, callee, part.op.index) if isinstance(part.op, ops.Param) else None
        rows = rows_of(project, argument) if argument is not None else None
        if rows is not None:
            return rows
    return None


def _given_back(project: Project, link: Node) -> Iterator[Node]:
    """What the project's functions return for a call, or, for a place in what it gives, stand there."""
    op = link.op
    if isinstance(op, ops.Part):
        yield from _in_place(project, link.to(op.base).origin, op.index)
    elif isinstance(op, ops.Item) and isinstance(index := link.to(op.key).const, int):
        yield from _in_place(project, link.to(op.base).origin, index)
    elif isinstance(op, ops.Call):
        for callee in project.callees(link):
            yield from callee.returned()


@cut_circles()
def _in_place(project: Project, call: Node, place: int) -> Iterator[Node]:
    """What stands in one place of the pair that a call gives, also if it hands on what another gives."""
    for callee in project.callees(call) if call.call is not None else ():
        for returned in callee.returned():
            display = returned.origin.op
            if isinstance(display, ops.Build) and 0 <= place < len(display.items):
                yield returned.origin.to(display.items[place])
            yield from _in_place(project, returned.origin, place)


def _of_view(project: Project, link: Node) -> Node | None:
    """The ``queryset`` of a class-based view's body, for ``super().get_queryset()`` and ``self.queryset``."""
    cls, op = link.code.cls, link.op
    inherited = link.call is not None and link.method == "get_queryset" and not project.callees(link)
    if cls is None or not (inherited or (isinstance(op, ops.Attr) and op.name == "queryset")):
        return None
    views = project.lineage_views(cls.name)
    return next((view.fields["queryset"] for view in views if "queryset" in view.fields), None)


def is_few(link: Node) -> bool:
    """Whether a constant limit, or the end of a slice, leaves a handful of rows."""
    if isinstance(link.op, ops.Item):
        bounds = link.to(link.op.key).op
        ends = bounds.items[1:2] if isinstance(bounds, ops.Build) else ()
        known = [link.to(end).const for end in ends if end != ops.NONE]
        return any(isinstance(end, int) and 0 < end <= _FEW_ROWS for end in known)
    first = link.arg(0)
    value = first.const if first is not None and link.method == "limit" else None
    return isinstance(value, int) and value <= _FEW_ROWS
