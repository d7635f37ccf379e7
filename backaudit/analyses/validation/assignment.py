"""Attributes of rows and documents that are set under keys which a client chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from backaudit.analyses.validation.bodies import carried, is_table_class, is_text, is_untyped, is_validator, parameter
from backaudit.analyses.validation.privileged import only_privileged
from backaudit.backend.data.given_rows import GivenRows, given_rows
from backaudit.backend.data.updates import open_updates
from backaudit.backend.web.inputs.classes import schema_of
from backaudit.backend.web.inputs.reads import enclosed
from backaudit.backend.web.records import RouteParam
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import by_handler, client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.approvals import guarded
from backaudit.flow.client import client_origin
from backaudit.flow.rows import is_model, models
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, KEY, Access, Goal, Origin, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, Step, assume

_SERVING = ("production", "script")


class Assignment(msgspec.Struct, frozen=True):
    """Keys of a client's are set by the operation ``at`` on ``target`` (as one would say it)."""

    at: Node
    target: str
    origin: Origin
    assumed: Assumed = KNOWN


class ClientKeys(Goal):
    """A mapping whose keys a client chooses: a body, a form or a query as a whole, or one of its keys."""

    def __init__(self, project: Project) -> None:
        self._sources = project.models.sources

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if access not in ((), (KEY,)) and not (access and set(access) <= {ANY, KEY}):
            return None if not isinstance(op, (ops.Attr, ops.Call)) else self._nested(search.project, node, access)
        if isinstance(op, ops.Param):
            return self._parameter(search.project, node, op)
        if isinstance(op, (ops.Attr, ops.Call)):
            return self._read(search.project, node)
        return None

    def _nested(self, project: Project, node: Node, access: Access) -> str | None:
        """``request.json["user"]`` is the client's as much as the whole."""
        kinds = project.models.kinds.get("body-reads", frozenset())
        if kinds.isdisjoint(request_names(project, node)):
            return None
        return self._read(project, node)

    def _parameter(self, project: Project, node: Node, op: ops.Param) -> str | None:
        param = client_input(project, node.code, op.index)
        if param is None or param.where not in ("body", "form") or _is_of_schema(project, node.code):
            return None
        # What a function gets as an event's data is the body itself; what routes' decorators and serializers' methods
        # hand over was checked.
        is_event = node.code.cls is None and node.code not in project.once(by_handler)
        bare = is_event and node.code.function.params[op.index].annotation == ops.NONE
        if not (bare or is_untyped(project, node.code, param) or _takes_more(project, param)):
            return None
        return f"`{param.name}` comes from the client ({param.where})"

    def _read(self, project: Project, node: Node) -> str | None:
        for name in request_names(project, node):
            if name in self._sources and "header" not in self._sources[name]:
                return f"{self._sources[name]} comes from the client"
        return None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if isinstance(node.op, (ops.Const, ops.Format)) or is_text(node):
            return True  # ``"attributes." + key``: a key inside of what is named
        if isinstance(node.op, ops.Call) and is_validator(search.project, node):
            return True
        return guarded(node, use, frozenset())


def _is_of_schema(project: Project, code: Code) -> bool:
    """Whether a body is a method of a serializer, schema or form: it is handed the fields that its class declares."""
    known = project.models.kinds["schemas"] | project.models.kinds["forms"]
    return code.cls is not None and not known.isdisjoint(project.lineage(code.cls.name))


def _takes_more(project: Project, param: RouteParam) -> bool:
    """Whether a schema keeps fields that it does not declare."""
    classes = [cls for name in param.types if param.schema and (cls := enclosed(project, name)) is not None]
    found = [schema_of(project, cls) for cls in classes]
    return any(made is not None and made.extra == "allow" for made in found)


def assignments(project: Project) -> tuple[Assignment, ...]:
    """Everything in serving code that stores under keys of a client's. Ask with ``project.once``."""
    found: dict[Node, Assignment] = {}
    goal = ClientKeys(project)
    for at, value, access, target, _ in spreads(project):
        if project.role(at.code.path) not in _SERVING or at in found:
            continue
        origin = next(Trace(project, goal).origins(value, access, at.value), None)
        if origin is not None:
            found[at] = Assignment(at, target, origin, _meant(project, origin.node.code))
    return (*found.values(), *_table_bodies(project))


def _meant(project: Project, code: Code) -> Assumed:
    """Those who may do everything to such rows may be meant to set all that they have."""
    asked = project.once(by_handler).get(code, ())
    kept = bool(asked) and all(only_privileged(project, route) for route in asked)
    return assume("purpose", "the privileged are not meant to set all of it") if kept else KNOWN


Spread = tuple[Node, Node, Access, str, str]


def spreads(project: Project) -> Iterator[Spread]:
    """What sets a row's columns by the keys of a mapping.

    The operation, the mapping, what is wanted of it (its keys), the row as one would say it, and its class.
    """
    yield from _constructions(project)
    yield from _calls(project)
    yield from _updated(project)
    yield from _of_tables(project)
    yield from _merged(project)


_KEYS: Access = (KEY,)


def _merged(project: Project) -> Iterator[Spread]:
    """``{"author": me, **data}`` and ``entry.update(data)``, where what the server put under a key is read again."""
    for call in project.calls_of("update"):
        receiver, first = call.receiver, call.arg(0)
        made = receiver.origin if receiver is not None else None
        if made is None or first is None or not made.is_dict:
            continue
        names = _overridden(project, made, made.entries(), call.value)
        if names:
            yield call, first, _KEYS, _over(names), ""
    served = [project.files[path] for path in sorted(project.files) if project.role(path) == "production"]
    for code in (file.code(index) for file in served for index in range(len(file.facts.functions))):
        for display in code.nodes(ops.Build):
            yield from _merged_in(project, display)


def _merged_in(project: Project, display: Node) -> Iterator[Spread]:
    entries = display.entries_and_unpacked()
    for position, (key, value) in enumerate(entries):
        if key is not None:
            continue
        later = {name.text for name, _ in entries[position + 1 :] if name is not None}
        names = _overridden(project, display, entries[:position], display.value)
        left = [name for name in names if name not in later]
        if left:
            yield display, value, _KEYS, _over(left), ""


def _over(names: list[str]) -> str:
    return "the dictionary, over the server's own " + ", ".join(f"`{name}`" for name in names)


def _overridden(project: Project, made: Node, entries: Sequence[tuple[Node | None, Node]], at: Value) -> list[str]:
    """The keys of a dictionary, of those given, that the server fills, that nothing sets again, and that are read."""
    held = carried(made.code, made.value)
    again = _set_again(made.code, held, at)
    read = _read_after(made.code, held, at)
    found = []
    for key, value in entries:
        name, given = key.text if key is not None else None, value.origin
        if name in read - again and not isinstance(given.op, ops.Const) and client_origin(project, given) is None:
            found.append(str(name))
    return found


def _read_after(code: Code, held: set[Value], at: Value) -> set[str | None]:
    items = [(node, node.op) for node in code.nodes(ops.Item) if node.value > at]
    return {node.to(op.key).text for node, op in items if isinstance(op, ops.Item) and op.base in held} - {None}


def _set_again(code: Code, held: set[Value], at: Value) -> set[str | None]:
    """The constant keys that are set later, one by one or by ``update({…})``."""
    stores = [(node, node.op) for node in code.nodes(ops.SetItem) if node.value > at]
    found = {node.to(op.key).text for node, op in stores if isinstance(op, ops.SetItem) and op.base in held}
    for call in code.nodes(ops.Call):
        receiver, first = call.receiver, call.arg(0)
        is_held = receiver is not None and receiver.value in held
        later = call.method == "update" and call.value > at
        if first is not None and later and is_held:
            found |= _keys_of(first.origin)
    return found


def _keys_of(display: Node) -> set[str | None]:
    op = display.op
    return {display.to(key).text for key in op.keys if key != NONE} if isinstance(op, ops.Build) else set()


def _constructions(project: Project) -> Iterator[Spread]:
    for cls in project.once(models):
        for call in project.constructions(cls):
            for value in call.call.dstar if call.call is not None else ():
                yield call, call.origin.to(value), _KEYS, f"a new `{cls.cls.name}`", cls.name


def _calls(project: Project) -> Iterator[Spread]:
    """``objects.create(**data)``, ``query.update(data)``, ``insert_one(data)``."""
    whole = project.models.kinds["whole-documents"]
    for method in sorted(project.models.kinds["row-writes"] | whole):
        for call in project.calls_of(method):
            op, receiver = call.call, call.receiver
            if op is not None and receiver is not None and not project.callees(call):
                yield from _of_row_or_document(call, op, _model_of(project, receiver))
    for method in sorted(project.models.kinds["collection-updates"]):
        for call in project.calls_of(method):
            change = call.arg(1, "update")
            if change is not None and not project.callees(call):
                yield call, change, ("$set", KEY), "a document", ""


def _of_row_or_document(call: Node, op: ops.Call, row: str) -> Iterator[Spread]:
    """What a call writes whole into rows of a model, or else into a document."""
    if row:
        said = f"`{row.rpartition('.')[2]}`"
        values = [*op.dstar, *(op.args[:1] if call.method in ("update", "values") else ())]
        yield from ((call, call.origin.to(value), _KEYS, said, row) for value in values)
    elif call.is_call_of("whole-documents") and op.args:
        yield call, call.to(op.args[-1 if call.method == "replace_one" else 0]), _KEYS, "a document", ""


def _model_of(project: Project, receiver: Node) -> str:
    """The model that a manager, query or statement is over, or that a class is."""
    for name in project.types(receiver):
        head, over = split(name)
        if is_model(project, over) and (head == "type" or over):
            return split(over)[0]
    call = receiver.origin
    while call.call is not None:
        if call.method in ("insert", "update") and call.arg(0) is not None:
            return next((c.name for c in project.denoted_classes(call.args()[0]) if is_model(project, c.name)), "")
        inner = call.receiver
        if inner is None:
            return ""
        call = inner.origin
    return ""


def _of_tables(project: Project) -> Iterator[Spread]:
    """``table("members").insert(data)``, ``execute(insert(Member), data)``, ``bulk_insert_mappings(Member, data)``."""
    for name in sorted(project.models.kinds["row-mappings"]):
        for call in project.calls(name):
            if (value := call.arg(0, "json")) is not None:
                yield call, value, _KEYS, "a row", ""
    for given in project.once(given_rows):
        row = _model_of(project, given.table)
        if row or not _is_statement(given):
            yield given.call, given.rows, _KEYS, f"`{row.rpartition('.')[2] or 'rows'}`", row


def _is_statement(given: GivenRows) -> bool:
    return given.call.arg(0) != given.table


def _updated(project: Project) -> Iterator[Spread]:
    """``setattr(row, key, value)``, ``row.__dict__.update(data)``: attributes by names that come with the values."""
    for update in open_updates(project):
        types = [head for name in project.types(update.row) if (head := split(name)[0]) != "ext"]
        row = next((name for name in types if is_model(project, name)), "")
        if update.name or (types and not row):
            continue
        key = update.at.arg(1) if update.at.method == "setattr" else None
        said = f"`{update.row.spelled or 'an object'}`"
        yield update.at, key or update.value, () if key is not None else _KEYS, said, row


def taken_over(project: Project) -> Iterator[Spread]:
    """``setattr(row, name, getattr(body, name))`` for names that nothing chooses among."""
    for update in open_updates(project):
        key = update.at.arg(1) if update.at.method == "setattr" else None
        if key is None or update.name or not update.mapping:
            continue
        if guarded(key, update.at.value, frozenset()):
            continue
        row = next((cls.name for cls in project.instances(update.row) if is_model(project, cls.name)), "")
        if row:
            yield update.at, update.value, (), f"`{update.row.spelled or 'an object'}`", row


def _is_row(project: Project, cls: ClassView) -> bool:
    """Whether a class that a body is read into is what the store keeps."""
    return is_table_class(cls) or project.inherits(cls.name, *sorted(project.models.kinds["document-bases"]))


def _table_bodies(project: Project) -> Iterator[Assignment]:
    """Handlers that take a table's own class as their body: every column is the client's."""
    seen: set[Node] = set()
    for route in routes(project):
        for param in route.params:
            for name in param.types if param.where == "body" else ():
                cls = enclosed(project, name)
                node = parameter(route.handler, param.index)
                if cls is None or not _is_row(project, cls):
                    continue
                if node is None or node in seen:
                    continue
                if route.handler.file.role == "production":
                    seen.add(node)
                    what = f"`{param.name}` comes from the client (body)"
                    kind = "table" if is_table_class(cls) else "document"
                    origin = Origin(node, what, (Step(node.place, what),))
                    yield Assignment(node, f"the {kind} `{cls.cls.name}`", origin)
