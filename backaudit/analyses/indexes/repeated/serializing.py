"""Rows handed to a serializer or a response model whose fields follow lazy relations."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.repeated.loading import Rows, rows_of
from backaudit.analyses.indexes.repeated.work import work_of_param
from backaudit.backend.data.queries import call_place
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items, text, texts, truth

_SERIALIZERS = (
    "rest_framework.serializers.BaseSerializer", "rest_framework.serializers.Serializer",
    "rest_framework.serializers.ModelSerializer", "rest_framework.serializers.HyperlinkedModelSerializer",
)  # fmt: skip


class Shown(msgspec.Struct, frozen=True):
    """A relation that showing rows reads for each. ``place``: the outer query, or the field if that is generic."""

    place: Place
    relation: str
    text: str
    rows: Rows
    path: tuple[Place, ...] = ()


class Touch(msgspec.Struct, frozen=True):
    """A field that reads more than its row. ``relation`` is empty for a query."""

    place: Place
    relation: str
    text: str


def serialized(project: Project) -> Iterator[Shown]:
    """By Django REST framework's serializers, then by response models."""
    yield from _called(project)
    yield from _generic(project)
    yield from _responses(project)


# -- serializers -----------------------------------------------------------------------------------------------------


def _called(project: Project) -> Iterator[Shown]:
    """``PostSerializer(posts, many=True)``: the query stands in the view."""
    for cls in project.subclasses(*_SERIALIZERS):
        for call in project.calls_of(cls.cls.name):
            first = call.arg(0, "instance")
            if first is None or not truth(project, call.arg(None, "many")) or call.code.function.kind == "class":
                continue
            rows = rows_of(project, first)
            if rows is None or rows.settled:
                continue
            place = (
                call_place(rows.origin)
                if rows.origin.code is call.code and rows.origin.call is not None
                else call_place(call)
            )
            touched = [t for t in touches(project, cls, rows.table) if t.relation not in rows.eager]
            if touched:
                names = ", ".join(dict.fromkeys(f"`{t.relation}`" if t.relation else "a query" for t in touched))
                yield Shown(
                    place, names, f"`{cls.cls.name}` reads {names} of each row", rows, tuple(t.place for t in touched)
                )


def _generic(project: Project) -> Iterator[Shown]:
    """Generic views with ``queryset`` and ``serializer_class``: the query is the framework's, the field is ours."""
    for route in routes(project):
        view = route.view
        if (
            view is None
            or "GET" not in route.methods
            or "{" in route.path.rpartition("/")[2]
            or not _is_list(project, view)
        ):
            continue
        serializer, rows = _list_serializer(project, view), _view_rows(project, view)
        if serializer is None or rows is None or rows.settled:
            continue
        for touch in touches(project, serializer, rows.table):
            if touch.relation not in rows.eager:
                yield Shown(touch.place, touch.relation, touch.text, rows, (view.place,))


def _is_list(project: Project, view: ClassView) -> bool:
    """Whether a view lists rows: a library's list view, or a method of ours that serializes many."""
    listing = [
        name for name in project.lineage(view.name) if "List" in name or "ModelViewSet" in name or "ReadOnly" in name
    ]
    return any(name.startswith("rest_framework.") for name in listing) or _lists_itself(project, view)


def _lists_itself(project: Project, view: ClassView) -> bool:
    method = project.method(view.name, "get")
    return method is not None and any(
        call.method in ("serializer_class", "get_serializer") and truth(project, call.arg(None, "many"))
        for call in method.nodes(ops.Call)
    )


def _list_serializer(project: Project, view: ClassView) -> ClassView | None:
    """The serializer of a view's list: the class it names, or what its ``get_serializer_class`` answers for a list."""
    method = project.method(view.name, "get_serializer_class")
    for op in method.ops if method is not None else ():
        if isinstance(op, ops.Return) and op.value != ops.NONE and method is not None and _for_list(method, op):
            found = next(iter(project.denoted_classes(method.node(op.value))), None)
            if found is not None:
                return found
    return _declared(project, view, "serializer_class")


def _for_list(method: Code, op: ops.Return) -> bool:
    """Whether a return may answer for the action ``list``: a comparison with other actions leads elsewhere."""
    value = method.ops.index(op)
    for region in method.regions_of(value):
        test = method.node(region.test).origin if region.test != ops.NONE else None
        compared = test.op if test is not None else None
        if region.kind == "then" and test is not None and isinstance(compared, ops.Compare):
            written = [part.text for part in (items(test.to(compared.right)) or [test.to(compared.right)])]
            if all(text is not None for text in written) and not {"list", "GET"} & set(written):
                return False
    return True


def _declared(project: Project, view: ClassView, name: str) -> ClassView | None:
    for owner in project.lineage(view.name):
        cls = project.class_named(owner)
        bound = cls.fields.get(name) if cls is not None else None
        if bound is not None:
            return next(iter(project.denoted_classes(bound)), None)
    return None


def _view_rows(project: Project, view: ClassView) -> Rows | None:
    method = project.method(view.name, "get_queryset")
    returned = (
        [method.node(op.value) for op in method.ops if isinstance(op, ops.Return) and op.value >= 0] if method else []
    )
    if method is not None and not (len(returned) == 1 and _is_own_queryset(returned[0])):
        found = [rows_of(project, node) for node in returned]
        known = [rows for rows in found if rows is not None]
        return known[0] if len(known) == len(found) == 1 else None
    for owner in project.lineage(view.name):
        cls = project.class_named(owner)
        bound = cls.fields.get("queryset") if cls is not None else None
        if bound is not None:
            return rows_of(project, bound)
    return None


def _is_own_queryset(node: Node) -> bool:
    op = node.origin.op
    base = node.origin.to(op.base).origin.op if isinstance(op, ops.Attr) else None
    return isinstance(op, ops.Attr) and op.name == "queryset" and isinstance(base, ops.Param) and base.index == 0


def touches(project: Project, cls: ClassView, table: Table) -> Iterator[Touch]:
    """The fields of a serializer that read a relation of each row, or run a query for it."""
    listed = _listed(project, cls)
    declared: set[str] = set()
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        for name, bind in view.fields.items() if view is not None else ():
            if name in declared:
                continue
            declared.add(name)
            if listed is None or name in listed:
                yield from _field(project, cls, table, name, bind)
    method = cls.methods.get("to_representation")
    if method is not None:
        for work in work_of_param(project, method, 1, table):
            yield Touch(work.place, work.relation, work.text)
    if listed is None:
        # All fields: those of the model's own that hold many keys.
        own = project.class_named(table.model)
        listed = set(own.fields) if own is not None and _takes_all(project, cls) else set()
    for name in sorted(listed - declared):
        relation = schema(project).relation(table, name)
        meta = cls.inner.get("Meta")
        if relation is not None and relation[1].many and meta is not None and "fields" in meta.fields:
            yield Touch(meta.fields["fields"].place, name, f"the keys of `{name}` are read for each row")


def _listed(project: Project, cls: ClassView) -> set[str] | None:
    """The names in ``Meta.fields``; None for all."""
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        meta = view.inner.get("Meta") if view is not None else None
        if meta is not None and "fields" in meta.fields:
            names = set(texts(project, meta.fields["fields"]))
            return None if "__all__" in names or not names else names
    return None


def _takes_all(project: Project, cls: ClassView) -> bool:
    meta = cls.inner.get("Meta")
    return meta is not None and "fields" in meta.fields and "__all__" in texts(project, meta.fields["fields"])


def _field(project: Project, cls: ClassView, table: Table, name: str, bind: Node) -> Iterator[Touch]:
    call = bind.origin
    if call.call is None or truth(project, call.arg(None, "write_only")):
        return
    source = text(project, call.arg(None, "source")) or name
    relation = schema(project).relation(table, source.partition(".")[0])
    nested = (
        any(project.inherits(made.name, *_SERIALIZERS) for made in project.denoted_classes(call.func))
        if call.func
        else False
    )
    if call.method == "SerializerMethodField":
        method = project.method(cls.name, text(project, call.arg(0, "method_name")) or f"get_{name}")
        for work in work_of_param(project, method, 1, table) if method is not None else ():
            yield Touch(work.place, work.relation, work.text)
    elif relation is not None and not relation[1].eager:
        shown = nested or "." in source or call.method in ("StringRelatedField", "SlugRelatedField")
        if shown or (relation[1].many and call.method.endswith("RelatedField")):
            yield Touch(call.place, relation[1].name, f"`{relation[1].name}` is loaded for each row")


# -- response models -------------------------------------------------------------------------------------------------


def _responses(project: Project) -> Iterator[Shown]:
    """Routes whose response model is a list of a schema with fields named like lazy relations of the rows returned."""
    for route in routes(project):
        if route.response is None or route.handler.function.kind != "function":
            continue
        names = project.annotated(route.response)
        schemas = [cls for name in names if name.startswith("list[") and (cls := project.class_named(name[5:-1]))]
        for cls in schemas:
            for op in route.handler.ops:
                rows = (
                    rows_of(project, route.handler.node(op.value))
                    if isinstance(op, ops.Return) and op.value >= 0
                    else None
                )
                if rows is not None and not rows.settled:
                    yield from _modelled(project, cls, rows)


def _modelled(project: Project, cls: ClassView, rows: Rows) -> Iterator[Shown]:
    relations = [name for name in _schema_relations(project, cls, rows.table, 0) if name not in rows.eager]
    if relations and rows.origin.call is not None:
        named = ", ".join(f"`{name}`" for name in dict.fromkeys(relations))
        yield Shown(
            call_place(rows.origin), named, f"the response model `{cls.cls.name}` reads {named} of each row", rows
        )


def _schema_relations(project: Project, cls: ClassView, table: Table, depth: int) -> Iterator[str]:
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        for name, bind in view.fields.items() if view is not None else ():
            op = bind.op
            declared = (
                project.annotated(bind.to(op.annotation)) if isinstance(op, ops.Bind) and op.annotation >= 0 else ()
            )
            inner = [
                found
                for part in declared
                if (found := project.class_named(part.removeprefix("list[").removesuffix("]")))
            ]
            if not inner:
                continue
            relation = schema(project).relation(table, name)
            if relation is not None and not relation[1].eager:
                yield name
            elif relation is None and depth == 0 and table.model.rpartition(".")[2] == name:
                yield from _schema_relations(project, inner[0], table, 1)
