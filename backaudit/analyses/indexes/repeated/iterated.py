"""What a loop goes over: rows of a query, values made of them, records of a raw cursor, items that a client sends."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.repeated.loading import Rows, all_rows_of, is_few
from backaudit.backend.data.documents.tables import many_documents
from backaudit.backend.data.queries.chains import chain_of, given_statement, table_of
from backaudit.backend.data.queries.handing import executed_statement, fetched_by_helper
from backaudit.backend.web.catching import request_handlers
from backaudit.backend.web.reads import part_read
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.project import Node, Project
from backaudit.project.nodes import operands
from backaudit.project.operands import same, walk
from backaudit.project.strings import spelled_strings
from backaudit.project.types import split
from backaudit.sql import looks_like_query, statement

# What gives the records of a statement that a cursor ran before.
_FETCHES = frozenset({"fetchall", "fetchmany"})
# What takes an entry of a body, or all entries of one name.
_TAKES = frozenset({"get", "getlist"})
_BODIES = frozenset({"body", "form"})


class Many(msgspec.Struct, frozen=True, kw_only=True):
    """Many things that a value gives one by one. ``what``: one of them, as a reader calls it; ``origin``: what fetches
    them. ``rows``: the rows of a model that they are; None for values that were made of rows, records and items, by
    which nothing is loaded but what is asked for. ``part``: the part of each element that is meant, if not the whole.
    ``sent``: a client sends them, and may send few.
    """

    what: str
    origin: Node
    rows: Rows | None = None
    part: int | None = None
    sent: bool = False


def many(project: Project, node: Node) -> Many | None:
    """What a value gives when it is gone through; None if it is nothing known, or a handful at most."""
    return next(iter(every_many(project, node)), None)


def every_many(project: Project, node: Node) -> tuple[Many, ...]:
    """As :func:`many`, of every caller that hands a query of its own to the function which goes through it."""
    return project.solved(_many, node)


def _many(project: Project, node: Node) -> Iterator[Many]:
    every = all_rows_of(project, node)
    for rows in every:
        if not rows.few:
            yield Many(what=f"row of `{rows.table.name}`", origin=rows.origin, rows=rows)
    found = _of_op(project, node.origin) if not every else None
    if found is not None:
        yield found


def _of_op(project: Project, node: Node) -> Many | None:
    op = node.op
    if isinstance(op, ops.Await):
        return many(project, node.to(op.value))
    if isinstance(op, (ops.Phi, ops.Choice)):
        return _first(project, (node.to(value) for value in _ways(node)))
    if isinstance(op, ops.Call):
        return _of_call(project, node) or _documents(project, node)
    if isinstance(op, ops.Comp):
        return _made_of(project, node.to(op.value))
    if isinstance(op, ops.Build) and op.kind == "list":
        return _appended(project, node)
    if isinstance(op, ops.Param):
        return _handed(project, node, op) or _sent(project, node)
    return _sent(project, node) or _body_sent(project, node) if isinstance(op, (ops.Attr, ops.Item, ops.Part)) else None


def _first(project: Project, nodes: Iterator[Node]) -> Many | None:
    found = (many(project, node) for node in nodes)
    return next((each for each in found if each is not None), None)


# -- what is made of rows ----------------------------------------------------------------------------------------------


def _of_call(project: Project, node: Node) -> Many | None:
    raw = _records(project, node) or _entry_sent(project, node) or _body_sent(project, node)
    if raw is not None:
        return raw
    callees = project.callees(node)
    if callees and fetched_by_helper(project, node) is not None:
        return _selected(project, node)
    if callees:
        return _first(project, (value for code in callees for value in code.returned()))
    names = project.names(node.func) if node.func is not None else ()
    for index, argument in enumerate(node.args()):
        given = many(project, argument)
        if given is not None:
            return _through(project, names, given, index)
    return None


def _through(project: Project, names: tuple[str, ...], given: Many, index: int) -> Many | None:
    """What a library's function gives for many: themselves, in pairs, or something made of each."""
    if "builtins.enumerate" in names:
        return msgspec.structs.replace(given, part=1) if given.part is None else None
    if "builtins.zip" in names:
        return msgspec.structs.replace(given, part=index) if given.part is None else None
    same = any("same" in project.models.propagates.get(name, ()) for name in names)
    return given if same else msgspec.structs.replace(given, rows=None, part=None)


def _made_of(project: Project, value: Node) -> Many | None:
    """What the value of a comprehension, or what is appended in a loop, was made of."""
    value = value.origin
    if isinstance(value.op, ops.Element):
        return many(project, value.to(value.op.base))
    for element in _elements(value):
        op = element.op
        given = many(project, element.to(op.base)) if isinstance(op, ops.Element) else None
        if given is not None:
            return msgspec.structs.replace(given, rows=None, part=None)
    return None


def _elements(node: Node) -> Iterator[Node]:
    """The elements of loops that a value is made of."""
    return (part for part in walk(node, _made_with) if isinstance(part.op, ops.Element))


def _made_with(node: Node) -> tuple[int, ...]:
    return () if isinstance(node.op, (ops.Element, ops.Comp, ops.Phi)) else operands(node.op)


def _appended(project: Project, node: Node) -> Many | None:
    """What a list that begins empty is filled with in a loop."""
    effects = (node.code.node(value) for value in node.code.effects.get(node.value, ()))
    filled = (effect.arg(0) for effect in effects if effect.call is not None and effect.method in ("append", "add"))
    found = (_made_of(project, value) for value in filled if value is not None)
    return next((each for each in found if each is not None), None)


def _handed(project: Project, node: Node, op: ops.Param) -> Many | None:
    """What callers hand to a function that goes through it."""
    if op.index == 0 and node.code.cls is not None:
        return None
    given = (project.argument(call, node.code, op.index) for call in project.callers(node.code))
    return _first(project, (argument for argument in given if argument is not None))


# -- records and items -------------------------------------------------------------------------------------------------


def _documents(project: Project, node: Node) -> Many | None:
    """The documents that a search finds, unless it is told to end after a handful."""
    name = many_documents(project, node)
    found = [link for link in chain_of(node) if link.call is not None] if name else []
    if not name or any(map(is_few, found)):
        return None
    return Many(what=f"document of `{name}`", origin=next(iter(found), node))


def _records(project: Project, node: Node) -> Many | None:
    """The records of a SELECT that is run as text, here or on the same cursor before."""
    if node.method in _FETCHES and not node.args() and node.receiver is not None:
        run = _run_before(node)
        return _selected(project, run) if run is not None else None
    return _selected(project, node) if node.is_call_of("driver-reads") else None


def _run_before(node: Node) -> Node | None:
    """The execution whose records are fetched: the receiver itself, or the last one on the same cursor."""
    receiver = node.receiver.origin if node.receiver is not None else node
    if receiver.call is not None and receiver.is_call_of("driver-reads"):
        return receiver
    runs = [
        other
        for other in node.code.nodes(ops.Call)
        if other.is_call_of("driver-reads") and other.value < node.value and other.receiver is not None
        if same(node.code, other.receiver.value, receiver.value)
    ]
    return runs[-1] if runs else None


def _selected(project: Project, run: Node) -> Many | None:
    first = executed_statement(project, run) or given_statement(run)
    table = table_of(project, first) if first is not None and _is_select(first) else None
    if table is not None:
        return Many(what=f"row of `{table.name}`", origin=run)
    for text in sorted(spelled_strings(project, first)) if first is not None else ():
        parsed = statement(text) if looks_like_query(text) else None
        if parsed is None or not parsed.scopes or parsed.scopes[0].verb != "select":
            continue
        name = next((name for name in parsed.scopes[0].tables if name), "")
        return Many(what=f"row of `{name}`" if name else "row", origin=run)
    return None


def _is_select(statement: Node) -> bool:
    """Whether a statement is built, not written as text, and reads rows."""
    return any(_selects(way) for way in walk(statement, _ways))


def _selects(statement: Node) -> bool:
    return any(link.call is not None and link.method == "select" for link in chain_of(statement))


def _ways(node: Node) -> tuple[int, ...]:
    """What a value is on one way or another."""
    op = node.op
    return op.values if isinstance(op, ops.Phi) else (op.then, op.other) if isinstance(op, ops.Choice) else ()


def _sent(project: Project, node: Node) -> Many | None:
    """The items of a list in what a client sends: an entry of the body, a field of its schema, or the body itself."""
    taken = _entry_sent(project, node) if isinstance(node.op, ops.Item) else None
    if taken is not None:
        return taken
    name, base = "", node
    while (whole := _whole(base)) is not None:
        name = name or (base.op.name if isinstance(base.op, ops.Attr) else "")
        base = whole.origin
    if not _is_list(project, node) or not isinstance(base.op, ops.Param) or not _is_of_request(project, base):
        return None
    return Many(what=_item_of(name or base.op.name), origin=node, sent=True)


def _is_list(project: Project, node: Node) -> bool:
    """Whether it is known of what a value is a list or a set."""
    return any(split(type_)[0] in ("list", "set") and split(type_)[1] for type_ in project.types(node))


def _whole(part: Node) -> Node | None:
    """What a value is a part of: of an object, a mapping, or the pairs of one."""
    op = part.op
    if isinstance(op, (ops.Attr, ops.Item, ops.Part, ops.Element)):
        return part.to(op.base)
    return part.receiver if part.method == "items" else None


def _is_of_request(project: Project, param: Node) -> bool:
    """Whether a parameter is one of a handler's, or gets what the client sent from its callers."""
    return param.code in project.once(request_handlers) or client_origin(project, param) is not None


def _entry_sent(project: Project, node: Node) -> Many | None:
    """``data["lines"]`` or ``data.get("lines")`` of a body that no schema describes."""
    name, base = _entry(node)
    while base is not None and name and _entry(base)[0]:
        base = _entry(base)[1]
    if base is None or not name:
        return None
    op = base.op
    given = client_input(project, base.code, op.index) if isinstance(op, ops.Param) else None
    sent = given is not None or part_read(project, base) in _BODIES
    return Many(what=_item_of(name), origin=node, sent=True) if sent else None


def _body_sent(project: Project, node: Node) -> Many | None:
    """The body itself, gone through item by item, or name by name: ``request.get_json()``, ``request.form.items()``."""
    base = node.receiver if node.is_call_of("mapping-views") else node
    sent = base is not None and part_read(project, base.origin) in _BODIES
    return Many(what="item that the client sends", origin=node, sent=True) if sent else None


def _entry(node: Node) -> tuple[str, Node | None]:
    """The key under which an entry is taken, and what it is taken from."""
    op = node.origin.op
    if isinstance(op, ops.Item):
        return node.origin.to(op.key).text or "", node.origin.to(op.base).origin
    first, receiver = node.origin.arg(0), node.origin.receiver
    if node.origin.method not in _TAKES or first is None or receiver is None:
        return "", None
    return first.text or "", receiver.origin


def _item_of(name: str) -> str:
    return f"item of `{name}` that the client sends"
