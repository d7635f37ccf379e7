"""Keys of a mapping that a schema made of the client's data: what the schema does not ask for may not be there."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.inputs.applied import Applied, applied_to
from backaudit.backend.web.inputs.classes import library_of, schema_of
from backaudit.backend.web.inputs.mappings import schema_behind, schema_named
from backaudit.backend.web.inputs.records import InputSchema, Shape
from backaudit.backend.web.records import Where
from backaudit.backend.web.routes import by_handler, client_input, routes
from backaudit.facts import ops
from backaudit.flow.trace import Access
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import truth
from backaudit.project.locate import class_field

_LOADS = ("load", "loads")
_CHECKED = ("validated_data",)
_NAMED: dict[Where, tuple[str, ...]] = {
    "body": ("json", "body"),
    "query": ("query",),
    "form": ("form",),
    "header": ("header",),
}


def left_out(project: Project, node: Node, access: Access) -> str | None:
    """Why the key that ``access`` ends with may be missing in the mapping that ``node`` is, or in one in it; None where
    it is none, or the key is always there.
    """
    key = str(access[-1])
    for outer, whole in _schemas(project, node):
        made = _inner(project, outer, access)
        filled = made is None or _is_filled(project, outer) or _is_filled(project, made)
        if made is not None and not filled and _may_lack(made, key, whole and made is outer):
            return f"`{made.title}` lets the client leave `{key}` out"
    return None


def _may_lack(made: InputSchema, key: str, partial: bool) -> bool:
    """Whether the client may leave a field out, so that the mapping lacks it."""
    field = next((field for field in made.fields if field.attribute == key and not field.read_only), None)
    return field is not None and (field.omitted or (partial and not field.elsewhere))


def _inner(project: Project, made: InputSchema, access: Access) -> InputSchema | None:
    """The schema of the mapping in which the last key of ``access`` is looked for."""
    here: InputSchema | None = made
    shape: Shape | None = None
    for key in access[:-1]:
        field = here.field(str(key)) if here is not None else None
        shape = field.shape if field is not None else shape.items if shape is not None else None
        here = schema_named(project, shape.schema) if shape is not None and shape.schema else None
    return here


def _schemas(project: Project, node: Node) -> Iterator[tuple[InputSchema, bool]]:
    """The schemas whose mapping a value is, and whether they were told to ask for nothing."""
    op = node.op
    if isinstance(op, ops.Param):
        yield from ((made, False) for made in _handed(project, node, op))
        yield from _given_to_own(project, node, op)
    elif isinstance(op, ops.Call):
        yield from _of_call(project, node)
    elif isinstance(op, ops.Attr) and op.name in _CHECKED:
        holder = node.to(op.base)
        yield from ((made, _is_partial(holder)) for made in _sparse(project, project.instances(holder)))


def _handed(project: Project, node: Node, op: ops.Param) -> Iterator[InputSchema]:
    """What a decorator put to the request and hands to the handler as this parameter."""
    code = node.code
    param = client_input(project, code, op.index)
    if param is None or not param.schema:
        return
    above = {decorator.place for decorator in code.decorators}
    for route in project.once(by_handler).get(code, ()):
        given = [one for one in applied_to(project, route) if one.place in above and _keeps_out(project, one.schema)]
        alone = len(given) == 1 and sum(other.schema for other in route.params) == 1
        yield from (one.schema for one in given if alone or _is_named(one, param.name))


def _given_to_own(project: Project, node: Node, op: ops.Param) -> Iterator[tuple[InputSchema, bool]]:
    """What a serializer hands to its own ``create``, ``update`` or ``validate``; all may lack where PATCH asks."""
    code = node.code
    own = code.cls
    last = len(code.function.params) - 1
    if own is None or op.index != last or code.function.name not in project.models.kinds["steps-with-checked-values"]:
        return
    partial = code.function.name != "create" and own.name in project.once(_patched)
    yield from ((made, partial) for made in _sparse(project, iter([own])))


def _patched(project: Project) -> frozenset[str]:
    """The serializers of views that a client may send some of the fields to."""
    found: set[str] = set()
    for route in routes(project):
        field = class_field(project, route.view, "serializer_class") if route.view is not None else None
        if field is not None and "PATCH" in route.methods:
            found |= {cls.name for cls in project.denoted_classes(field)}
    return frozenset(found)


def _is_named(one: Applied, name: str) -> bool:
    """Whether a parameter's name says from which place its values come: ``json_data``, ``query_data``."""
    return name.startswith(_NAMED.get(one.where, ("\0",)))


def _of_call(project: Project, call: Node) -> Iterator[tuple[InputSchema, bool]]:
    """``NoteIn().load(data)``, ``parser.parse(NoteIn, request)``."""
    receiver, func = call.receiver, call.func
    if receiver is not None and call.method in _LOADS:
        for made in _sparse(project, project.instances(receiver)):
            yield made, _is_partial(call) or _is_partial(receiver)
    names = project.names(func) if func is not None else ()
    how = next((found for name in names if (found := project.models.applies.get(name)) is not None), None)
    for argument in how.schema if how is not None else ():
        given = call.arg(argument, None) if isinstance(argument, int) else call.arg(None, argument)
        if given is not None and how is not None:
            behind = schema_behind(project, given, how.notation)
            yield from ((made, False) for made in behind if _keeps_out(project, made))


def _sparse(project: Project, classes: Iterator[ClassView]) -> Iterator[InputSchema]:
    for cls in classes:
        made = schema_of(project, cls)
        if made is not None and _keeps_out(project, made):
            yield made


def _keeps_out(project: Project, made: InputSchema) -> bool:
    """Whether what the client left out is not in the mapping that the library makes."""
    library = project.models.schemas.get(made.library)
    return library is not None and library.sparse


def _is_partial(node: Node) -> bool:
    """Whether the call, or the one that made the object, asks for no field at all."""
    made = node.origin
    return made.call is not None and truth(made.code.project, made.arg(None, "partial"))


def _is_filled(project: Project, made: InputSchema) -> bool:
    """Whether code of the schema's own may put keys in, or ask for them."""
    cls = project.class_named(made.name)
    library = library_of(project, cls) if cls is not None else None
    if cls is None or library is None:
        return False
    for view in project.lineage_views(cls.name):
        for name, code in view.methods.items():
            marks = {part for decorator in code.decorators for part in project.names(decorator.func or decorator)}
            if name in library[1].fills or not marks.isdisjoint(library[1].fills):
                return True
    return False


__all__ = ["left_out"]
