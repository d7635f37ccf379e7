"""Client input that is stored, mailed or looked up as it came: nothing asked for its type, length or form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from backaudit.analyses.validation.bodies import is_validator
from backaudit.analyses.validation.client_input import ClientInput
from backaudit.analyses.validation.limits import is_amount
from backaudit.backend.data.running import statement_given
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.inputs.reads import form_field
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.flow.approvals import ORDER, about
from backaudit.flow.guards import arriving
from backaudit.flow.rows import assigned, is_model, models
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.strings import spelled_strings
from backaudit.project.types import split

_WRITES = re.compile(r"\s*(insert|update|replace)\b", re.I)
# A helper that stores is called from many handlers, and each of them lets its input through.
_ORIGINS = 20
_NUMBERS = ("builtins.int", "builtins.float", "decimal.Decimal")


class Stored(msgspec.Struct, frozen=True):
    """Raw input leaves the function that read it at ``place``; ``name``: the column or argument that it becomes."""

    place: Place
    name: str
    origin: Origin
    at: Node


class RawInput(ClientInput):
    """Client input that nothing has checked. ``amount``: a number of any size and sign counts, too."""

    def __init__(self, project: Project, *, amount: bool = False) -> None:
        super().__init__(project, "store")
        self._amount = amount
        if amount:
            self._guards -= {"builtins.len"}

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Param):
            param = client_input(search.project, node.code, op.index)
            if param is None or param.schema:
                return None
            if param.types or param.bounded:
                return None
            return f"`{op.name}` comes from the client ({param.where})"
        if isinstance(op, ops.Call) and node.method == "parse_args":
            return None
        return super().source(search, node, access) if isinstance(op, (ops.Attr, ops.Call)) else None

    def _checked(self, project: Project, node: Node, access: Access) -> str | None:
        """A field of a form whose validators never run: nobody asks the form."""
        field = form_field(project, node)
        if field is None or any(call.is_call_of("whole-checks") for call in node.code.nodes(ops.Call)):
            return None
        form = node.spelled.partition(".")[0]
        handed = any(form == argument.spelled for call in node.code.nodes(ops.Call) for argument in call.args())
        made = f"`{node.spelled}` comes from the client (form), which is never asked to validate"
        return None if handed or node.code.function.kind == "class" or form == "self" else made

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        if isinstance(node.op, ops.Call):
            if is_validator(search.project, node):
                return True
            func = node.func
            if self._amount and func is not None and not set(_NUMBERS).isdisjoint(search.project.names(func)):
                return False
        if self._amount and _has_range(node, use):
            return True
        if self._amount and set(search.project.types(node)) & set(_NUMBERS):
            return False
        return super().ends(search, node, access, use)


def _has_range(node: Node, use: int) -> bool:
    """Whether a condition that holds compares the number with one that the code knows."""
    code = node.code
    held = (*conditions(code, use), *arriving(code, node.value, use)) if 0 <= use < len(code.ops) else ()
    for test, _ in held:
        op = code.ops[test]
        if isinstance(op, ops.Compare) and op.operator in ORDER:
            for mine, other in ((op.left, op.right), (op.right, op.left)):
                if code.project.constant(code.node(other)) is not None and _is_about(code, mine, node.value):
                    return True
    return False


def _is_about(code: Code, part: int, value: int) -> bool:
    converted = code.node(part).origin
    inner = converted.args()[:1] if converted.method in ("int", "float", "Decimal", "abs") else []
    return any(about(code, each, value) for each in (part, *(node.value for node in inner)))


class RawNumber(RawInput):
    """As :class:`RawInput`, through the conversions to a number."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, amount=True)

    def through(self, search: Search, call: Node) -> list[Node]:
        func = call.func
        converts = func is not None and not set(_NUMBERS).isdisjoint(search.project.names(func))
        return call.args()[:1] if converts else []


def raw_stores(project: Project) -> Iterator[Stored]:
    """Each statement of a function that lets raw input through, once, with its first name."""
    told: set[tuple[str, int]] = set()
    for at, value, name in (*_stores(project), *_lookups(project)):
        if project.role(at.code.path) != "production":
            continue
        goal = RawNumber(project) if is_amount(name) else RawInput(project)
        ways = list(islice(Trace(project, goal).origins(value, (), at.value), _ORIGINS + 1))
        for origin in project.bounded(ways, _ORIGINS, at.place, "what is stored here"):
            place = _leaving(at, origin)
            key = (place.path, place.span.line)
            if key not in told:
                told.add(key)
                yield Stored(place, f"`{name}`" if " " not in name else name, origin, at)


def _leaving(at: Node, origin: Origin) -> Place:
    """Where the value leaves the function that has it: the store, or the call that hands it on."""
    if at.code is origin.node.code:
        return at.place
    here = [s.place for s in origin.steps if s.place.path == origin.node.code.path and s.text.startswith("is passed")]
    own = [p for p in here if origin.node.code.function.at.covers(p.span.line)]
    return own[0] if own else at.place


def _stores(project: Project) -> Iterator[tuple[Node, Node, str]]:
    for cls in project.once(models):
        yield from _stored_in(project, cls)
    for method in sorted(project.models.kinds["row-creators"]):
        for call in project.calls_of(method):
            if call.receiver is not None and not project.callees(call):
                yield from _given(call)
    for method in sorted(project.models.kinds["collection-updates"]):
        for call in project.calls_of(method):
            if (change := call.arg(1, "update")) is not None and not project.callees(call):
                yield call, change, "a document"
    given = ((call, call.arg(2)) for call in project.calls_of("setattr"))
    yield from ((call, value, "an attribute") for call, value in given if value is not None)
    yield from _updated(project)
    yield from _kept(project)
    yield from _executed(project)
    for call in project.calls(*sorted(project.models.kinds["mail-senders"])):
        yield from _given(call)


def _stored_in(project: Project, cls: ClassView) -> Iterator[tuple[Node, Node, str]]:
    """What rows of one model are made with, and given later."""
    for call in project.constructions(cls):
        yield from _given(call)
    for name in cls.fields:
        yield from ((write.at, write.value, name) for write in assigned(project, cls, name))


def _updated(project: Project) -> Iterator[tuple[Node, Node, str]]:
    """``rows.update(column=value)`` of a query or a statement."""
    for method in ("update", "aupdate"):
        for call in project.calls_of(method):
            receiver = call.receiver
            inner = [split(name)[1] for name in project.types(receiver)] if receiver is not None else []
            if any(is_model(project, name) for name in inner) and not project.callees(call):
                yield from ((call, value, name) for name, value in call.keywords().items())


def _kept(project: Project) -> Iterator[tuple[Node, Node, str]]:
    """What a module keeps for all requests, in a dictionary or list of its own."""
    for path in sorted(project.files):
        file = project.files[path]
        if file.role != "production":
            continue
        for code in (file.code(index) for index, made in enumerate(file.facts.functions) if made.kind == "function"):
            for node in code.nodes(ops.SetItem):
                op = node.op
                if isinstance(op, ops.SetItem) and _is_modules(project, node.to(op.base)):
                    yield node, node.to(op.value), f"what `{node.to(op.base).spelled}` keeps"


def _is_modules(project: Project, node: Node) -> bool:
    if not isinstance(node.op, (ops.Name, ops.Import)):
        return False
    made = project.resolved(node)
    return made.code.function.kind == "module" and made.is_dict


def _given(call: Node) -> Iterator[tuple[Node, Node, str]]:
    assert call.call is not None
    yield from ((call, value, name) for name, value in call.keywords().items())
    yield from ((call, call.origin.to(value), "an argument") for value in call.call.args)


def _executed(project: Project) -> Iterator[tuple[Node, Node, str]]:
    """Bound parameters of statements that write."""
    for method in ("execute", "executemany"):
        for call in project.calls_of(method):
            text = statement_given(call)
            writes = text is not None and any(_WRITES.match(spelled) for spelled in spelled_strings(project, text))
            if writes and not project.callees(call):
                yield from ((call, argument, "a value of the statement") for argument in call.args()[:2])


def _lookups(project: Project) -> Iterator[tuple[Node, Node, str]]:
    """Look-ups by a number where text may come: a placeholder of the path without a converter."""
    for method in ("filter_by", "get", "filter", "get_or_404"):
        for call in project.calls_of(method):
            receiver = call.receiver
            if receiver is not None and not project.callees(call):
                tables = [project.once(schema).of_model(split(split(n)[1])[0]) for n in project.types(receiver)]
                yield from _by_numbers(project, call, tables)
    for method in ("filter", "where"):
        for call in project.calls_of(method):
            yield from _compared(project, call)


def _by_numbers(project: Project, call: Node, tables: list[Table | None]) -> Iterator[tuple[Node, Node, str]]:
    """What a look-up compares with columns of numbers: keywords, or the key of a row."""
    for name, value in call.keywords().items():
        if any(table is not None and _takes_numbers(project, table, name) for table in tables):
            yield call, value, name
    first = call.arg(0)
    if call.method in ("get", "get_or_404") and first is not None:
        yield from _by_key(project, call, first, tables)


def _takes_numbers(project: Project, table: Table, name: str) -> bool:
    column = table.column("id" if name == "pk" else name)
    kind = project.models.columns.get(column.type.lower().partition("(")[0], "") if column is not None else ""
    return kind.startswith("integer") or (column is not None and column.type in project.models.kinds["integer-columns"])


def _by_key(project: Project, call: Node, first: Node, tables: list[Table | None]) -> Iterator[tuple[Node, Node, str]]:
    """``query.get(value)``: by the primary key."""
    for table in tables:
        key = table.primary_key if table is not None else ()
        if table is not None and len(key) == 1 and _takes_numbers(project, table, key[0]):
            yield call, first, key[0]


def _compared(project: Project, call: Node) -> Iterator[tuple[Node, Node, str]]:
    """``where(Model.column == value)``."""
    for argument in call.args():
        test = argument.origin
        op = test.op
        column = test.to(op.left).origin if isinstance(op, ops.Compare) and op.operator == "==" else None
        if column is None or not isinstance(op, ops.Compare) or not isinstance(column.op, ops.Attr):
            continue
        for cls in project.denoted_classes(column.to(column.op.base)):
            table = project.once(schema).of_model(cls.name)
            if table is not None and _takes_numbers(project, table, column.op.name):
                yield call, test.to(op.right), column.op.name
