"""What the fields of input schemas and forms are declared to be, and where code reads what passed through them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import class_field
from backaudit.project.types import split

_CONVERTERS = frozenset({"builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "decimal.Decimal"})
_HOLDERS = ("cleaned_data", "validated_data")


def checked_data(project: Project, node: Node) -> ClassView | None:
    """The form or schema whose checked values ``node`` holds (``form.cleaned_data``, ``serializer.validated_data``)."""
    op = node.op
    if not isinstance(op, ops.Attr) or op.name not in _HOLDERS:
        return None
    return next(iter(_schemas_of(project, node.to(op.base))), None)


def form_field(project: Project, node: Node) -> tuple[ClassView, str] | None:
    """The form and the field that ``form.name.data`` reads."""
    op = node.op
    if not isinstance(op, ops.Attr) or op.name != "data":
        return None
    field = node.to(op.base).origin.op
    if not isinstance(field, ops.Attr):
        return None
    forms = _schemas_of(project, node.to(op.base).origin.to(field.base))
    return next(((form, field.name) for form in forms), None)


def _schemas_of(project: Project, node: Node) -> Iterator[ClassView]:
    kinds = project.models.kinds
    known = kinds.get("forms", frozenset()) | kinds.get("schemas", frozenset())
    for cls in project.instances(node):
        if not known.isdisjoint(project.lineage(cls.name)):
            yield cls


def converts(project: Project, cls: ClassView, name: str) -> bool:
    """Whether a declared field gives something that is no free text."""
    field = class_field(project, cls, name)
    made = field.origin if field is not None else None
    return made is not None and made.call is not None and made.is_call_of("converting-fields")


def takes_file(project: Project, cls: ClassView, name: str) -> bool:
    """Whether a declared field, or that of the model below, gives an uploaded file: an object, and no text."""
    field = class_field(project, cls, name)
    if field is None:
        return _is_file_column(project, cls, name)
    made = field.origin if field is not None else None
    declared = (schema.fields for schema in project.models.schemas.values())
    return made is not None and made.call is not None and any(f.get(made.method) == "file" for f in declared)


def _is_file_column(project: Project, cls: ClassView, name: str) -> bool:
    metas = (view.inner.get("Meta") for view in project.lineage_views(cls.name))
    given = next((meta.fields["model"] for meta in metas if meta is not None and "model" in meta.fields), None)
    for model in project.denoted_classes(given) if given is not None else ():
        column = class_field(project, model, name)
        func = column.origin.func if column is not None else None
        if func is not None and not project.models.kinds["file-columns"].isdisjoint(project.names(func)):
            return True
    return False


def parser_converts(project: Project, call: Node, name: str) -> bool:
    """Whether the request parser behind ``parse_args()`` makes argument ``name`` something that is no free text."""
    for added in project.calls_of("add_argument"):
        first = added.arg(0, "name")
        if added.code.file is not call.code.file or first is None or first.const != name:
            continue
        kind = added.arg(None, "type")
        if added.arg(None, "choices") is not None:
            return True
        if kind is not None and not _CONVERTERS.isdisjoint(project.names(kind)):
            return True
    return False


def enclosed(project: Project, name: str) -> ClassView | None:
    """The class behind a type name, ``list[X]`` as X."""
    head, over = split(name)
    return project.class_named(over if head == "list" and over else head)
