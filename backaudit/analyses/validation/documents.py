"""Values that may be an object where text was meant: JSON of a client's inside a document store's query."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.bodies import is_text, is_untyped, is_validator
from backaudit.analyses.validation.client_input import ClientInput
from backaudit.analyses.validation.sinks import Flow, Sink, into_parameter, sinks
from backaudit.backend.data.documents import has_store
from backaudit.backend.data.documents.searches import compared_values, searches
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.flow.search import Search as Going
from backaudit.flow.trace import KEY, Access, Trace
from backaudit.project import Node, Project


class JsonValue(ClientInput):
    """A part of a client's JSON that nothing has made a text or number of."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, "nosql")
        kinds = project.models.kinds
        self._bodies = kinds["body-reads"]
        self._texts = kinds.get("text-body-reads", frozenset())

    def source(self, search: Going, node: Node, access: Access) -> str | None:
        op = node.op
        if access[:1] == (KEY,):
            return None
        if isinstance(op, ops.Param):
            return _open_body(search.project, node, op)
        if isinstance(op, (ops.Attr, ops.Call)) and not self._bodies.isdisjoint(request_names(search.project, node)):
            return "the JSON body comes from the client"
        if node.method == "loads" and node.arg(0) is not None:
            return self._loaded(search.project, node)
        return None

    def _loaded(self, project: Project, call: Node) -> str | None:
        first = call.args()[0].origin
        while (
            first.call is not None and first.receiver is not None and request_names(project, first)[:1] == ("*.decode",)
        ):
            first = first.receiver.origin
        read = not self._texts.isdisjoint(request_names(project, first))
        return "the JSON body comes from the client" if read else None

    def ends(self, search: Going, node: Node, access: Access, use: int) -> bool:
        if is_text(node) or _is_literal(node, use):
            return True
        if isinstance(node.op, ops.Call) and is_validator(search.project, node):
            return True
        return super().ends(search, node, access, use)


def _is_literal(node: Node, use: int) -> bool:
    """``{"$eq": value}``: whatever the value is, the store takes it for a value."""
    display = node.to(use) if 0 <= use < len(node.code.ops) else None
    return display is not None and any(key.text == "$eq" and value == node for key, value in display.entries())


class ScriptText(ClientInput):
    """What a client sent, as part of the JavaScript that a store runs."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, "nosql-script")


def script_flows(project: Project) -> Iterator[Flow]:
    """``{"$where": "this.name == '" + name + "'"}``: queries that are JavaScript with a client's text in it."""
    for sink in sinks(project, "document") if has_store(project) else ():
        for script in _scripts(sink.argument.origin):
            trace = Trace(project, ScriptText(project))
            origin = next(trace.origins(script, use=sink.call.value), None)
            if origin is not None:
                yield Flow(sink.call, script, origin, sink.name, trace.visited)


def _scripts(query: Node) -> Iterator[Node]:
    for key, value in query.entries():
        if key.text in ("$where", "$function", "$accumulator"):
            yield value


def document_flows(project: Project) -> Iterator[Flow]:
    """Queries of document stores that a client's JSON reaches as it came."""
    if not has_store(project):
        return
    told: set[Node] = set()
    for sink in (*sinks(project, "document"), *_look_ups(project)):
        first = sink.argument.origin
        if sink.call in told or isinstance(first.op, ops.Const):
            continue
        trace = Trace(project, JsonValue(project), within=into_parameter(sink))
        origin = next(trace.origins(sink.argument, use=sink.call.value), None)
        if origin is not None:
            told.add(sink.call)
            yield Flow(sink.call, sink.argument, origin, sink.name, trace.visited)


def _look_ups(project: Project) -> Iterator[Sink]:
    """The values by which classes of documents look up: ``Account.objects(email=email)``, ``find(Note.key == key)``."""
    for search in searches(project):
        if search.mapped and project.role(search.call.code.path) == "production":
            func = search.call.func
            name = next(iter(project.names(func)), "") if func is not None else ""
            yield from (Sink(search.call, value, name, told=False) for value in compared_values(project, search))


def _open_body(project: Project, node: Node, op: ops.Param) -> str | None:
    """A parameter that is a body of whatever form."""
    param = client_input(project, node.code, op.index)
    if param is None or param.where != "body" or param.schema:
        return None
    if param.types and not is_untyped(project, node.code, param):
        return None
    return f"`{param.name}` comes from the client (JSON)"
