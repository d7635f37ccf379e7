"""Uploaded files that are kept, and what was asked of them before."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema import schema
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.client import client_origin
from backaudit.flow.rows import models, writes
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Origin, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.operands import made_of
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_CHECKING = meaning("inputs", "upload-check")


class Kept(msgspec.Struct, frozen=True):
    """The upload behind ``origin`` is stored by ``at``."""

    at: Node
    origin: Origin


class _Upload(Goal):
    """The content of an uploaded file."""

    def __init__(self, project: Project) -> None:
        self._uploads = project.models.kinds.get("uploads", frozenset())

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        by_key = isinstance(op, ops.Attr) and op.name in ("files", "FILES")
        if {"filename", "name"} & set(map(str, access[1:] if by_key else access)):
            return None  # the key of a field may be called so, too
        if isinstance(op, ops.Param):
            param = client_input(search.project, node.code, op.index)
            found = param is not None and any(
                head in self._uploads for name in param.types for head in (split(name)[0], split(name)[1])
            )
            return f"`{op.name}` is an uploaded file" if found else None
        if by_key:
            names = request_names(search.project, node)
            if any(search.models.sources.get(name) == "an uploaded file" for name in names):
                return "a file is uploaded"
        return None


# What is decided further off is about something else than the file.
_HELPERS = 2


def kept_uploads(project: Project) -> Iterator[Kept]:
    """Stores of uploaded files whose type nothing checks."""
    for at, value in _columns(project):
        sent = client_origin(project, value)
        if sent is not None and not any(_checks_type(project, code) for code in {sent.node.code, at.code}):
            yield Kept(at, msgspec.structs.replace(sent, what="a file is uploaded"))
    for at, value in _stores(project):
        if project.role(at.code.path) != "production":
            continue
        origin = next(Trace(project, _Upload(project)).origins(value, (), at.value), None)
        if origin is not None and not any(_checks_type(project, code) for code in {origin.node.code, at.code}):
            yield Kept(at, origin)


def _columns(project: Project) -> Iterator[tuple[Node, Node]]:
    """What is put into a column of a row that holds files."""
    fields = project.models.kinds["file-columns"]
    for cls in project.once(models):
        for name, field in cls.fields.items():
            made = field.origin
            if made.func is None or fields.isdisjoint(project.names(made.func)):
                continue
            for write in writes(project, cls, name):
                if project.role(write.at.code.path) == "production" and not write.access:
                    yield write.at, write.value


def _stores(project: Project) -> Iterator[tuple[Node, Node]]:
    for call in project.calls_of("save"):
        if call.receiver is not None and not project.callees(call):
            yield from _saved(project, call, call.receiver)
    for call in [*project.calls("shutil.copyfileobj"), *project.calls_of("upload_fileobj")]:
        if (first := call.arg(0, "Fileobj")) is not None:
            yield call, first
    for call in project.calls_of("write"):
        if (first := call.arg(0)) is not None and not project.callees(call):
            yield call, first
    for method in ("write_bytes", "put_object"):
        for call in project.calls_of(method):
            if (first := call.argument(("Body", 0, "data"))) is not None:
                yield call, first


def _saved(project: Project, call: Node, receiver: Node) -> Iterator[tuple[Node, Node]]:
    """``storage.save(name, content)``, ``upload.save(path)``, also of an upload that a helper is given."""
    content, types = call.arg(1, "content"), project.types(receiver)
    if content is not None and "storage" in f"{receiver.spelled}{' '.join(types)}".lower():
        yield call, content
    elif call.arg(0) is not None and (any("FileStorage" in name for name in types) or _is_handed_in(receiver, types)):
        yield call, receiver


def _is_handed_in(receiver: Node, types: tuple[str, ...]) -> bool:
    return isinstance(receiver.origin.op, ops.Param) and not types


def _checks_type(project: Project, code: Code, depth: int = 0) -> bool:
    """Whether a function, or a helper that it hands something to, decides by what kind of file it got."""
    if any(_mentions_type(code.node(value)) for value in _deciding(code)):
        return True
    for call in code.nodes(ops.Call):
        if call.is_call_of("raising-type-checks") or (_says_check(call) and call.args()):
            return True
        helpers = project.callees(call) if call.args() and depth < _HELPERS else ()
        if any(_checks_type(project, each, depth + 1) for each in helpers):
            return True
    return False


def _says_check(call: Node) -> bool:
    name = f"{call.spelled} {call.method}".lower()
    return _CHECKING.holds(name)


def _deciding(code: Code) -> Iterator[Value]:
    """What branches, assertions and answers of a function depend on."""
    yield from (region.test for region in code.body.regions if region.kind in ("then", "else", "case"))
    for op in code.ops:
        if isinstance(op, (ops.Choice, ops.Assert)):
            yield op.test
        elif isinstance(op, ops.Return) and op.value != NONE and not isinstance(code.ops[op.value], ops.Call):
            yield op.value


def _mentions_type(node: Node) -> bool:
    """Whether a value is made of a file's type, the end of its name, or what its content says."""
    return any(_tells_type(part) for part in made_of(node))


def _tells_type(part: Node) -> bool:
    if isinstance(part.op, ops.Attr):
        return part.op.name in part.code.project.models.kinds["tells-a-type"]
    if part.call is None:
        return False
    return part.is_call_of("tells-a-type") or part.method == "endswith" or _cuts_at_dot(part)


def _cuts_at_dot(call: Node) -> bool:
    """``name.rsplit(".", 1)``: the end of a name is among its parts."""
    first = call.arg(0)
    return call.is_call_of("cuts-text") and first is not None and first.text == "."


def open_file_fields(project: Project) -> Iterator[tuple[Node, ClassView, ClassView]]:
    """File fields of models without validators, and the form or serializer through which clients fill them."""
    for cls, user in _filled_models(project):
        for name, field in cls.fields.items():
            made = field.origin
            if made.method != "FileField" or made.arg(None, "validators") is not None:
                continue
            cleaned = {f"clean_{name}", f"validate_{name}"} & set(user.methods)
            if not cleaned and name not in user.fields and _lists(user, name):
                yield field, cls, user


def _filled_models(project: Project) -> Iterator[tuple[ClassView, ClassView]]:
    kinds = project.models.kinds
    bases = sorted(kinds.get("schemas", frozenset()) | kinds.get("forms", frozenset()))
    holders = [(cls, cls.inner["Meta"]) for cls in project.subclasses(*bases) if "Meta" in cls.inner]
    views = {route.view.name: route.view for route in routes(project) if route.view is not None}
    holders += [(view, view) for view in views.values() if "fields" in view.fields]
    for user, meta in holders:
        model = meta.fields.get("model")
        if model is not None and user.file.role == "production":
            for cls in project.denoted_classes(model.origin):
                if project.once(schema).of_model(cls.name) is not None:
                    yield cls, user


def _lists(user: ClassView, name: str) -> bool:
    meta = user.inner.get("Meta", user)
    fields = meta.fields.get("fields")
    if fields is None or fields.const == "__all__":
        excluded = meta.fields.get("exclude")
        return excluded is None or name not in _texts(excluded)
    return name in _texts(fields)


def _texts(field: Node) -> list[str]:
    display = field.origin
    items = display.op.items if isinstance(display.op, ops.Build) else ()
    return [text for item in items if (text := display.to(item).text) is not None]
