"""Follows values to what a client sent, whatever its type: for rules about what is missing, not about what harms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.web.inputs.classes import schema_of
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Field
from backaudit.backend.web.reads import converted_type
from backaudit.backend.web.records import RouteParam
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.flow.approvals import guarded
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access, Goal, Origin, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.types import split

_TEXTS = frozenset(("builtins.str", "builtins.None", "None", "types.NoneType", "builtins.NoneType"))
_BYTES = frozenset(("builtins.bytes",))


class ClientValue(Goal):
    """Anything that a client chose. ``untyped``: only what nothing has converted or declared yet. ``texts``: that, and
    the texts, bytes and files whose form no declaration says.
    """

    def __init__(self, project: Project, *, untyped: bool = False, texts: bool = False) -> None:
        kinds = project.models.kinds
        self._names = frozenset(project.models.sources) | kinds["raising-mappings"] | kinds["other-client-data"]
        self._untyped = untyped or texts
        self._texts = texts

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Param):
            param = client_input(search.project, node.code, op.index)
            if param is None or not can_have(search.project, param.types, access):
                return None
            if self._untyped and not _is_unformed(search.project, param, access, self._texts):
                return None
            if self._untyped and _is_declared_narrow(search.project, node.code, op.index, access):
                return None
            return f"`{param.name}` comes from the client ({param.where})"
        if isinstance(op, (ops.Attr, ops.Call)) and not self._names.isdisjoint(request_names(search.project, node)):
            return f"`{node.spelled}` comes from the client"
        return None

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        if not self._untyped:
            return False
        if isinstance(node.op, ops.Call) and node.method in ("int", "float", "len", "bool"):
            return True
        if isinstance(node.op, ops.Call) and _is_read_as(search.project, node):
            return True
        return 0 <= use < len(node.code.ops) and guarded(node, use, frozenset())


def _is_unformed(project: Project, param: RouteParam, access: Access, texts: bool) -> bool:
    """Whether a client fills a parameter with what nothing has converted; with ``texts``, or a field of its schema."""
    if not texts or not param.schema:
        free = _TEXTS | (project.models.kinds["uploads"] | _BYTES if texts else frozenset())
        return not param.schema and free.issuperset(param.types)
    fields = [_field(project, name, access) for name in param.types]
    return bool(fields) and all(field is not None and _is_free(field) for field in fields)


def _field(project: Project, name: str, access: Access) -> Field | None:
    made = schema_named(project, split(name)[0]) if len(access) == 1 and access[0] != ANY else None
    return made.field(str(access[0])) if made is not None else None


def _is_free(field: Field) -> bool:
    """Whether a declaration admits every text."""
    shapes = field.shape.either or (field.shape,)
    formed = any(shape.format or shape.choices or shape.limit("pattern") is not None for shape in shapes)
    return not field.validated and not formed and {shape.kind for shape in shapes} <= {"string", "null"}


def _is_declared_narrow(project: Project, code: Code, index: int, access: Access) -> bool:
    """Whether what is read of a serializer's checked values is of a field that lets no text through."""
    steps = project.models.kinds["steps-with-checked-values"]
    given = code.function.name in steps and index == len(code.function.params) - 1
    made = schema_of(project, code.cls) if given and access and code.cls is not None else None
    field = made.field(str(access[0])) if made is not None else None
    shape = field.shape if field is not None else None
    for _ in access[1:]:
        shape = shape.items if shape is not None else None
    return shape is not None and shape.kind not in ("any", "array", "object") and not shape.free


def _is_read_as(project: Project, read: Node) -> bool:
    """Whether a read converts what it gives: ``request.args.get("page", type=int)``."""
    kind = read.arg(None, "type")
    return kind is not None and not _TEXTS.issuperset(converted_type(project, kind))


class ServerAnswer(Goal):
    """What another server answered to a request of ours."""

    def __init__(self, project: Project) -> None:
        self._asking = frozenset(project.models.sinks.get("url", {})) | project.models.kinds["provider-answers"]

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        func = node.func
        asks = func is not None and not self._asking.isdisjoint(search.project.names(func))
        return "another server answers" if asks else None

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        """``answer.json()`` is still the answer."""
        return [call.receiver] if call.receiver is not None else []


def can_have(project: Project, types: tuple[str, ...], access: Access, scalars: frozenset[str] = frozenset()) -> bool:
    """Whether an object of one of ``types`` can have the wanted part: a schema has its fields and no others.

    ``scalars``: types whose values have no parts.
    """
    known = [found for name in types if access and (found := _has(project, name, access, scalars)) is not None]
    return any(known) if known else True


def _has(project: Project, name: str, access: Access, scalars: frozenset[str]) -> bool | None:
    """The same for one type; None where nothing is known of its parts."""
    if name in scalars:
        return False
    head, over = split(name)
    wanted = str(access[0])
    if wanted == ANY and project.class_named(head) is not None and len(access) > 1:
        return _any_field_has(project, head, access[1:], scalars)
    if project.class_named(head) is None or wanted == ANY:
        element = over if wanted == ANY or isinstance(access[0], int) else ""
        known = element in scalars or project.class_named(element) is not None
        return can_have(project, (element,), access[1:], scalars) if known else None
    return _field_has(project, head, wanted, access[1:], scalars)


def _field_has(project: Project, name: str, wanted: str, rest: Access, scalars: frozenset[str]) -> bool | None:
    """The same for a field of a class by its name."""
    views = [view for view in map(project.class_named, project.lineage(name)) if view is not None]
    declared = next((view.fields[wanted] for view in views if wanted in view.fields), None)
    if declared is None:
        return any(wanted in view.methods or wanted in view.assigned for view in views)
    op = declared.op
    if rest and _is_scalar(project, name, wanted):
        return False
    if not rest or not isinstance(op, ops.Bind) or op.annotation == NONE:
        return True
    return can_have(project, project.annotated(declared.to(op.annotation)), rest, scalars)


def _is_scalar(project: Project, name: str, field: str) -> bool:
    """Whether a schema says of a field that it is a text, a number or the like, without parts."""
    cls = project.class_named(name)
    made = schema_of(project, cls) if cls is not None else None
    known = made.field(field) if made is not None else None
    return known is not None and known.shape.kind in ("string", "integer", "number", "boolean")


def _any_field_has(project: Project, name: str, rest: Access, scalars: frozenset[str]) -> bool | None:
    """The same for some field of a class, whichever it is; None where a field says nothing of itself."""
    views = [view for view in map(project.class_named, project.lineage(name)) if view is not None]
    declared = [annotation for view in views for annotation in _annotations(view)]
    if not declared or any("__init__" in view.methods for view in views):
        return None
    return any(can_have(project, project.annotated(annotation), rest, scalars) for annotation in declared)


def _annotations(view: ClassView) -> Iterator[Node]:
    for bind in view.fields.values():
        if isinstance(bind.op, ops.Bind) and bind.op.annotation != NONE:
            yield bind.to(bind.op.annotation)


def answered_by_server(project: Project, node: Node) -> bool:
    """Whether a value came in the answer to a request of ours, and no client could choose it."""
    fetched = next(Trace(project, ServerAnswer(project)).origins(node), None)
    return fetched is not None and client_origin(project, node) is None


def client_origin(project: Project, node: Node, *, untyped: bool = False, texts: bool = False) -> Origin | None:
    """Where a value comes from, if a client chose it."""
    return next(Trace(project, ClientValue(project, untyped=untyped, texts=texts)).origins(node), None)
