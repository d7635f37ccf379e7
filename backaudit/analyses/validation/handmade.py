"""Pages that a program writes by hand, where nothing but its own header says that they are HTML."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Flow, Flows, Sink
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project

_TYPE = "content-type"
_STARTING = "start_response"


def handmade_pages(project: Project) -> Iterator[Flow]:
    """Client input in the body of an answer that is told to be HTML in the same place."""
    flows = Flows(project, "html")
    for file in project.files.values():
        for index in range(len(file.facts.functions)) if file.role == "production" else ():
            code = file.code(index)
            for at, value in (*_set(code), *_written(code), *_listed(code), *_mapped(code)):
                flow = flows.into(Sink(at, value, "return"))
                if flow is not None:
                    yield flow


def _set(code: Code) -> Iterator[tuple[Node, Node]]:
    """``resp.text = page`` of an answer whose type is set to HTML."""
    stores = [(node, node.op) for node in code.nodes(ops.SetAttr)]
    typed = [op.base for node, op in stores if isinstance(op, ops.SetAttr) and _says_html(node, op)]
    bodies = code.project.models.kinds["answer-bodies"]
    for node, op in stores if typed else ():
        if isinstance(op, ops.SetAttr) and op.name in bodies and op.base in typed:
            yield node, node.to(op.value)


def _says_html(node: Node, op: ops.SetAttr) -> bool:
    return op.name in node.code.project.models.kinds["media-type-keywords"] and _is_html(node.to(op.value))


def _is_html(value: Node) -> bool:
    """A type as text, or as the name of a constant (``falcon.MEDIA_HTML``)."""
    text = value.text
    return "html" in (text if text is not None else value.spelled).lower()


def _written(code: Code) -> Iterator[tuple[Node, Node]]:
    """``self.wfile.write(page)`` in a class that sends the header of a page."""
    for call in code.nodes(ops.Call):
        receiver, first = call.receiver, call.arg(0)
        to_client = call.method == "write" and receiver is not None and receiver.spelled == "self.wfile"
        if to_client and first is not None and _sends_html(code):
            yield call, first


def _sends_html(code: Code) -> bool:
    bodies = code.cls.methods.values() if code.cls is not None else ()
    sends = (call for body in bodies for call in body.calls_of("send_header"))
    return any(_is_type_header(call.arg(0), call.arg(1)) for call in sends)


def _is_type_header(name: Node | None, value: Node | None) -> bool:
    named = name is not None and (name.text or "").lower() == _TYPE
    return named and value is not None and _is_html(value)


def _listed(code: Code) -> Iterator[tuple[Node, Node]]:
    """What a WSGI application returns or yields after it has begun a page."""
    begun = [call for call in code.nodes(ops.Call) if call.spelled == f"{_STARTING}()"]
    if not any(_has_type(argument) for call in begun for argument in call.args()):
        return
    for node in (*code.nodes(ops.Return), *code.nodes(ops.Yield)):
        op = node.op
        value = node.to(op.value).origin if isinstance(op, (ops.Return, ops.Yield)) and op.value != NONE else None
        if value is not None:
            yield from ((node, part) for part in _items(value))


def _items(value: Node) -> list[Node]:
    op = value.op
    return [value.to(item) for item in op.items] if isinstance(op, ops.Build) and op.kind == "list" else [value]


def _has_type(node: Node) -> bool:
    """Whether a display of headers holds the type of a page."""
    here = node.origin
    op = here.op
    if not isinstance(op, ops.Build):
        return False
    if op.kind == "tuple" and len(op.items) == 2:
        return _is_type_header(here.to(op.items[0]), here.to(op.items[1]))
    if op.kind == "dict":
        return any(_is_type_header(key, value) for key, value in here.entries_and_unpacked())
    return any(_has_type(here.to(item)) for item in op.items)


def _mapped(code: Code) -> Iterator[tuple[Node, Node]]:
    """``{"statusCode": 200, "headers": {…}, "body": page}``, as platforms of functions are answered."""
    for node in code.nodes(ops.Return):
        op = node.op
        value = node.to(op.value).origin if isinstance(op, ops.Return) and op.value != NONE else None
        given = {key.text: part for key, part in value.entries()} if value is not None else {}
        headers, body = given.get("headers"), given.get("body")
        if headers is not None and body is not None and _has_type(headers):
            yield node, body
