"""Attributes of rows and documents that are set under keys which a client chooses."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.validation.bodies import is_table_class, is_untyped, is_validator, parameter
from backaudit.backend.data.updates import open_updates
from backaudit.backend.web.inputs.reads import enclosed
from backaudit.backend.web.reads import request_names
from backaudit.backend.web.routes import client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.approvals import guarded
from backaudit.flow.rows import is_model, models
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, KEY, Access, Goal, Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.rule import Confidence, Step

_SERVING = ("production", "script")
_DOCUMENTS = ("insert_one", "insert_many", "replace_one", "insert")
_ROWS = ("create", "update", "update_or_create", "get_or_create", "acreate", "aupdate", "values", "insert")


class Assignment(msgspec.Struct, frozen=True):
    """Keys of a client's are set by the operation ``at`` on ``target`` (as one would say it)."""

    at: Node
    target: str
    origin: Origin
    confidence: Confidence = "high"


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
        if param is None or param.where not in ("body", "form") or not is_untyped(project, node.code, param):
            return None
        return f"`{param.name}` comes from the client ({param.where})"

    def _read(self, project: Project, node: Node) -> str | None:
        for name in request_names(project, node):
            if name in self._sources and "header" not in self._sources[name]:
                return f"{self._sources[name]} comes from the client"
        return None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if isinstance(node.op, (ops.Const, ops.Format)):
            return True
        if isinstance(node.op, ops.Call) and is_validator(search.project, node):
            return True
        return guarded(node, use, frozenset())


def assignments(project: Project) -> tuple[Assignment, ...]:
    """Everything in serving code that stores under keys of a client's. Ask with ``project.once``."""
    found: dict[Node, Assignment] = {}
    for at, value, access, target in _candidates(project):
        if project.role(at.code.path) not in _SERVING or at in found:
            continue
        origin = next(Trace(project, ClientKeys(project)).origins(value, access, at.value), None)
        if origin is not None:
            found[at] = Assignment(at, target, origin)
    return (*found.values(), *_table_bodies(project))


def _candidates(project: Project) -> Iterator[tuple[Node, Node, Access, str]]:
    yield from _constructions(project)
    yield from _calls(project)
    yield from _updated(project)


def _constructions(project: Project) -> Iterator[tuple[Node, Node, Access, str]]:
    for cls in project.once(models):
        for call in project.calls_of(cls.cls.name):
            func, op = call.func, call.call
            if func is None or op is None or f"type[{cls.name}]" not in project.types(func):
                continue
            for value in op.dstar:
                yield call, call.origin.to(value), (KEY,), f"a new `{cls.cls.name}`"


def _calls(project: Project) -> Iterator[tuple[Node, Node, Access, str]]:
    """``objects.create(**data)``, ``query.update(data)``, ``insert_one(data)``."""
    for method in (*_ROWS, *_DOCUMENTS):
        for call in project.calls_of(method):
            op, receiver = call.call, call.receiver
            if op is None or receiver is None or project.callees(call):
                continue
            row = _model_of(project, receiver)
            values = [*op.dstar, *(op.args[:1] if method in ("update", "values") else ())]
            if row:
                yield from ((call, call.origin.to(value), (KEY,), f"`{row}`") for value in values)
            elif method in _DOCUMENTS[:3] and op.args:
                yield call, call.to(op.args[-1 if method == "replace_one" else 0]), (KEY,), "a document"
    for method in ("update_one", "update_many", "find_one_and_update"):
        for call in project.calls_of(method):
            change = call.arg(1, "update")
            if change is not None and not project.callees(call):
                yield call, change, ("$set", KEY), "a document"


def _model_of(project: Project, receiver: Node) -> str:
    """The model that a manager, query or statement is over, or that a class is."""
    for name in project.types(receiver):
        head, over = split(name)
        if is_model(project, over) and (head == "type" or over):
            return split(over)[0].rpartition(".")[2]
    call = receiver.origin
    while call.call is not None:
        if call.method in ("insert", "update") and call.arg(0) is not None:
            return next((c.cls.name for c in project.denoted_classes(call.args()[0]) if is_model(project, c.name)), "")
        inner = call.receiver
        if inner is None:
            return ""
        call = inner.origin
    return ""


def _updated(project: Project) -> Iterator[tuple[Node, Node, Access, str]]:
    """``setattr(row, key, value)``, ``row.__dict__.update(data)``: attributes by names that come with the values."""
    for update in open_updates(project):
        types = [head for name in project.types(update.row) if (head := split(name)[0]) != "ext"]
        if update.name or not (any(is_model(project, name) for name in types) or not types):
            continue
        key = update.at.arg(1) if update.at.method == "setattr" else None
        yield (
            update.at,
            key or update.value,
            () if key is not None else (KEY,),
            f"`{update.row.spelled or 'an object'}`",
        )


def _table_bodies(project: Project) -> Iterator[Assignment]:
    """Handlers that take a table's own class as their body: every column is the client's."""
    seen: set[Node] = set()
    for route in routes(project):
        for param in route.params:
            for name in param.types if param.where == "body" else ():
                cls = enclosed(project, name)
                node = parameter(route.handler, param.index)
                if cls is None or node is None or node in seen or not is_table_class(cls):
                    continue
                if route.handler.file.role == "production":
                    seen.add(node)
                    what = f"`{param.name}` comes from the client (body)"
                    yield Assignment(node, f"the table `{cls.cls.name}`", Origin(node, what, (Step(node.place, what),)))
