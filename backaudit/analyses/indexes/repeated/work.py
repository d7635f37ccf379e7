"""What is done with one row: lazy relations that are touched, queries that are run for it, here or in helpers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from backaudit.analyses.indexes.repeated.nested import is_part_of_another
from backaudit.analyses.indexes.repeated.remembering import is_asked_once, is_kept
from backaudit.analyses.indexes.workers import is_enqueued
from backaudit.backend.data.documents.tables import asks_documents
from backaudit.backend.data.queries import call_place, root_table
from backaudit.backend.data.queries.chains import chain_of, denoted_table, given_statement, table_of
from backaudit.backend.data.queries.handing import executed_statement
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import items
from backaudit.project.generic import is_open
from backaudit.project.holding import conditions
from backaudit.project.nodes import operands
from backaudit.project.operands import walk
from backaudit.project.strings import spelled_strings
from backaudit.project.types import split
from backaudit.sql import looks_like_query


class Work(msgspec.Struct, frozen=True):
    """Something that runs a query for every row. ``relation``: the lazy relation touched, empty for a query.

    ``path``: the calls that hand the row on, outermost first. ``writes``: one of the functions called changes things.
    ``explicit``: the relation is not only read but awaited, or asked for its rows by a call.
    """

    place: Place
    relation: str
    text: str
    path: tuple[Place, ...] = ()
    writes: bool = False
    explicit: bool = False


def work_on(project: Project, row: Node, table: Table | None) -> Iterator[Work]:
    """What a body does for the row that ``row`` is, deeper calls included; each relation once per body.

    Without a ``table`` the row is a value of which nothing is loaded: what is asked by it counts alone.
    """
    code = row.code
    first, last = _reach_of(row)
    for value in range(first, last):
        node, op = code.node(value), code.ops[value]
        if not isinstance(op, (ops.Attr, ops.Call)) or _ends_loop(code, row, value):
            continue
        if table is not None and _is_of_others(project, row, value, table):
            continue
        if isinstance(op, ops.Call):
            yield from _call(project, node, row, table)
        elif table is not None and code.origin(op.base) == row.value:
            yield from _attribute(project, node, op, table)


def _reach_of(row: Node) -> tuple[int, int]:
    """The operations that run for each row: those of the loop or comprehension that gives it, else the whole body."""
    code = row.code
    if isinstance(row.op, (ops.Element, ops.Part)):
        for region in code.regions_of(row.value):
            if region.kind in ("loop", "comp"):
                return region.first, region.last
    return 0, len(code.ops)


def _ends_loop(code: Code, row: Node, value: int) -> bool:
    """Whether the operation stands in a branch that leaves the loop: it runs for one row at most."""
    if not isinstance(row.op, (ops.Element, ops.Part)):
        return False
    branches = [
        region for region in code.regions_of(value) if region.first > row.value and region.kind in ("then", "else")
    ]
    return any(region.exits in ("return", "break", "raise") for region in branches)


def _is_of_others(project: Project, row: Node, value: int, table: Table) -> bool:
    """Whether an operation is run for rows of other classes alone: ``isinstance(row, Cover)``."""
    for test, truth in conditions(row.code, value):
        named = _classes_asked(project, row.code.node(test), row)
        own = set(project.lineage(table.model)) if table.model else set[str]()
        if named and own and named.isdisjoint(own) == truth:
            return True
    return False


def _classes_asked(project: Project, test: Node, row: Node) -> set[str]:
    """The classes that a condition asks about a row."""
    asked = test.args() if test.method == "isinstance" else ()
    if len(asked) != 2 or asked[0].origin != row.origin:
        return set()
    listed = items(asked[1].origin) or [asked[1]]
    return {cls.name for item in listed for cls in project.denoted_classes(item)}


def _attribute(project: Project, node: Node, op: ops.Attr, table: Table) -> Iterator[Work]:
    found = schema(project).relation(table, op.name)
    if found is not None:
        relation = found[1]
        if not relation.eager and not (relation.many and (_only_changed(node) or _only_combined(node))):
            text = f"`{op.name}` is loaded for each row"
            yield Work(_name_place(node, op), op.name, text, explicit=_is_asked(node))
        return
    method = project.method(table.model, op.name) if table.model else None
    if method is not None and _is_property(method):
        for inner in _inside(project, method, 0, table):
            yield Work(
                _name_place(node, op), inner.relation, f"the property `{op.name}` asks the database: {inner.text}"
            )
            return


def _only_changed(node: Node) -> bool:
    """Whether a row is only added to or removed from the relation, which reads nothing."""
    changes = ("add", "append", "set", "remove", "clear")
    return any(
        isinstance(op, ops.Attr) and op.name in changes and node.code.origin(op.base) == node.value
        for op in node.code.ops
    )


def _only_combined(node: Node) -> bool:
    """Whether the rows of a relation only become part of a larger query: ``found |= row.tags.all()``."""
    sides = (node.code.node(side) for op in node.code.ops for side in _combined(op))
    return any(node in _receivers(side) for side in sides)


def _combined(op: ops.AnyOp) -> tuple[int, ...]:
    return (op.left, op.right) if isinstance(op, ops.Bin) and op.operator in ("|", "&", "|=", "&=") else ()


def _receivers(node: Node) -> Iterator[Node]:
    """What a chain of calls hangs on, outermost first."""
    here: Node | None = node.origin
    while here is not None and here.call is not None:
        here = here.receiver.origin if here.receiver is not None else None
        if here is not None:
            yield here


def _is_asked(node: Node) -> bool:
    """Whether a relation is awaited, or asked for its rows by a call."""
    kinds = node.code.project.models.kinds
    calls = kinds["query-ends"] | kinds["query-filters"] | kinds["relation-links"]
    return any(
        (isinstance(op, ops.Attr) and op.name in calls and node.code.origin(op.base) == node.value)
        or (isinstance(op, ops.Await) and node.code.origin(op.value) == node.value)
        for op in node.code.ops
    )


def _is_property(method: Code) -> bool:
    return any(
        d.spelled.rpartition(".")[2] in ("property", "cached_property", "hybrid_property") for d in method.decorators
    )


def _name_place(node: Node, op: ops.Attr) -> Place:
    at = node.at
    return Place(node.code.path, Span(at.end_line, max(at.end_column - len(op.name), 0), at.end_line, at.end_column))


def _call(project: Project, node: Node, row: Node, table: Table | None) -> Iterator[Work]:
    if is_asked_once(node):
        return
    # A value made of a row is not followed into helpers: they ask by it as they would ask by any.
    given = table is not None and any(argument.origin.value == row.value for argument in node.args())
    receiver = node.receiver
    on_row = receiver is not None and receiver.origin.value == row.value
    if on_row or (given and not runs_query(project, node)):
        yield from _handed_on(project, node, row, table, on_row)
    elif given or any(_derives(argument, row) for argument in node.args()):
        asked = asks(project, node)
        if asked and not is_part_of_another(project, node):
            said = f"`{node.spelled or node.method}` runs a query"
            yield Work(call_place(node), "", said, writes=asked == "writes")


def _certain_callees(project: Project, node: Node) -> tuple[Code, ...]:
    """The functions that a call runs at once, unless its name alone connects it to one of the project's."""
    func = node.func
    unknown = func is not None and not project.types(func)
    if func is None or (unknown and (node.is_call_of("query-ends") or _is_of_import(project, func))):
        return ()
    return tuple(code for code in project.callees(node) if not is_enqueued(project, node, code))


def _is_of_import(project: Project, func: Node) -> bool:
    """Whether a function is asked of an imported name: what that is nobody knows, but no object of the project's."""
    op = func.origin.op
    base = func.origin.to(op.base).origin if isinstance(op, ops.Attr) else None
    bound = project.free(base.code, base.op.name) if base is not None and isinstance(base.op, ops.Name) else base
    return bound is not None and isinstance(bound.origin.op, ops.Import)


def _handed_on(project: Project, node: Node, row: Node, table: Table | None, on_row: bool) -> Iterator[Work]:
    """The work of a function that gets the row itself, as argument or as ``self``."""
    model = table.model if on_row and table is not None else ""
    method = project.method(model, node.method) if model else None
    if method is not None:
        yield from _from_outside(node, method, _inside(project, method, 0, table))
        return
    for callee in _certain_callees(project, node):
        for index, _ in enumerate(callee.function.params):
            passed = project.argument(node, callee, index)
            if passed is not None and passed.origin.value == row.value:
                yield from _from_outside(node, callee, _inside(project, callee, index, table))


def _from_outside(node: Node, code: Code, found: Iterator[Work]) -> Iterator[Work]:
    for work in found:
        yield msgspec.structs.replace(work, path=(call_place(node), *work.path), writes=work.writes or _writes(code))


def _writes(code: Code) -> bool:
    """Whether a function changes something: what it does row by row is its business, and reading the least of it."""
    return any(node.is_call_of("loop-writes") for node in code.nodes(ops.Call))


def in_no_hurry(project: Project, row: Node) -> bool:
    """Whether the loop that gives a row changes something for each, or pauses: reading is the least of it then."""
    if not isinstance(row.op, (ops.Element, ops.Part)):
        return False
    first, last = _reach_of(row)
    calls = [node for node in row.code.nodes(ops.Call) if first <= node.value < last]
    return any(_changes(project, node) for node in calls) or any(
        _changes(project, inner) for node in calls for code in _certain_callees(project, node) for inner in _calls(code)
    )


def _calls(code: Code) -> Iterator[Node]:
    return code.nodes(ops.Call)


def _changes(project: Project, node: Node) -> bool:
    """Whether a call removes something, hands it to a queue, pauses, or runs a text that writes."""
    return node.is_call_of("paces") or (_runs_text(project, node) and not _reads_text(project, node))


@cut_circles()
def _inside(project: Project, code: Code, index: int, table: Table | None) -> Iterator[Work]:
    """What a function, and those that it hands it to, do with the row that its parameter is; one that keeps what it
    gave asks but once.
    """
    if is_kept(project, code):
        return
    for value, op in enumerate(code.ops):
        if isinstance(op, ops.Param) and op.index == index:
            yield from work_on(project, code.node(value), table)
            return


def work_of_param(project: Project, code: Code, index: int, table: Table | None) -> Iterator[Work]:
    """What a function does with the row that its parameter is."""
    return _inside(project, code, index, table)


def _derives(node: Node, row: Node) -> bool:
    """Whether a value is made from the row: an attribute of it, or a comparison with one."""
    return any(part.value == row.value for part in walk(node, _made_of))


def _made_of(node: Node) -> tuple[int, ...]:
    op = node.op
    if isinstance(op, (ops.Attr, ops.Item)):
        return (op.base,)
    if isinstance(op, (ops.Compare, ops.Bin)):
        return (op.left, op.right)
    made = isinstance(op, (ops.Build, ops.Choice, ops.Phi, ops.Logic, ops.Call, ops.Part, ops.Format))
    return operands(op) if made else ()


def runs_query(project: Project, node: Node) -> bool:
    """Whether a call asks the database: the end of a query's chain, a session's execution, SQL text, a document."""
    if _asks_mapping(project, node):
        return False
    return asks_documents(project, node) or _asks_any_model(project, node) or _runs_statement(project, node)


def _runs_statement(project: Project, node: Node) -> bool:
    first = given_statement(node)
    narrows = node.is_call_of("query-ends") or node.is_call_of("query-filters")
    if narrows and root_table(project, node) is not None:
        return not _is_statement(node)
    if first is None:
        return False
    runs = node.is_call_of("session-reads") or node.is_call_of("driver-reads")
    if runs and (_is_statement(first) or _has_table(project, first)):
        return True
    if node.method in ("get_object_or_404", "get_list_or_404"):
        return denoted_table(project, first) is not None
    return _runs_text(project, node)


def _asks_any_model(project: Project, call: Node) -> bool:
    """Whether a generic class looks a row up, of whatever model the class of its caller is about."""
    kinds, func = project.models.kinds, call.func
    lookups = kinds["none-lookups"] | kinds["raising-lookups"]
    looks_up = func is not None and not lookups.isdisjoint(project.names(func))
    return looks_up and any(map(is_open, project.types(call)))


def _asks_mapping(project: Project, node: Node) -> bool:
    """``by_id.get(key)``: what is looked up in a mapping of rows was fetched before."""
    mappings = project.models.kinds["mapping-annotations"]
    heads = [split(name)[0] for name in project.types(node.receiver)] if node.receiver is not None else []
    return bool(heads) and all(head.rpartition(".")[2] in mappings for head in heads)


def _runs_text(project: Project, node: Node) -> bool:
    """Whether a call runs SQL text."""
    first = given_statement(node) if node.is_call_of("driver-reads") else None
    return first is not None and any(looks_like_query(text) for text in spelled_strings(project, first))


def _reads_text(project: Project, node: Node) -> bool:
    """Whether the text that a call runs reads rows."""
    first = given_statement(node)
    return first is not None and _reads(project, first)


def _reads(project: Project, statement: Node) -> bool:
    texts = spelled_strings(project, statement)
    return any(text.lstrip("( \n\t")[:6].lower().startswith(("select", "with")) for text in texts)


def _has_table(project: Project, node: Node) -> bool:
    return (table_of(project, node) or denoted_table(project, node)) is not None


def _is_statement(node: Node) -> bool:
    """Whether a chain only builds a statement, which something else runs."""
    return any(link.call is not None and _begins_statement(link) for link in chain_of(node))


def _begins_statement(link: Node) -> bool:
    return link.is_call_of("statement-makers") and (link.receiver is None or bool(link.args()))


Asked = Literal["", "reads", "writes"]


def asks(project: Project, node: Node) -> Asked:
    """What a call asks of the database, itself or however many calls deep: to read, or only to write."""
    if is_asked_once(node):
        return ""
    if runs_query(project, node):
        return "writes" if _runs_text(project, node) and not _reads_text(project, node) else "reads"
    callees = _certain_callees(project, node)
    statement = executed_statement(project, node) if callees else None
    if statement is not None and any(looks_like_query(text) for text in spelled_strings(project, statement)):
        return "reads" if _reads(project, statement) else "writes"
    return _most(asked for callee in callees for asked in project.solved(_asked_in, callee))


def _asked_in(project: Project, code: Code) -> Iterator[Asked]:
    calls = () if is_kept(project, code) else code.nodes(ops.Call)
    found = _most(asks(project, node) for node in calls)
    if found:
        # A function that writes does so row by row for its own reasons: what it reads before is the least of it.
        yield "writes" if _writes(code) else found


def _most(asked: Iterable[Asked]) -> Asked:
    every = set(asked)
    return "reads" if "reads" in every else "writes" if "writes" in every else ""
