"""Rows handed to a serializer or a response model whose fields follow lazy relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.analyses.indexes.repeated.eager import way_back
from backaudit.analyses.indexes.repeated.lent import lent
from backaudit.analyses.indexes.repeated.loading import Rows, one_row, rows_of
from backaudit.analyses.indexes.repeated.work import work_of_param
from backaudit.backend.data.queries import call_place
from backaudit.backend.data.schema import Relation, Table, schema
from backaudit.backend.web.chosen import chosen
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items, text, texts, truth

# How many relations deep nested serializers and schemas are followed.
_DEPTH = 3
# As Django REST framework calls the action of a list, and the method that asks for it.
_LISTING = frozenset(("list", "GET"))


class Shown(msgspec.Struct, frozen=True):
    """A relation that showing rows reads for each. ``place``: the outer query, or the field if that is generic;
    ``what``: what is shown, as a reader calls it; ``always``: whatever a row is like."""

    place: Place
    relation: str
    text: str
    rows: Rows
    what: str
    path: tuple[Place, ...] = ()
    always: bool = True


class Touch(msgspec.Struct, frozen=True):
    """A field that reads more than its row. ``relation``: the path to what it loads, empty for a query; ``table``:
    whose rows it is read of; ``nested``: those are many for every row that is shown."""

    place: Place
    relation: str
    text: str
    table: str
    nested: bool = False


class Way(msgspec.Struct, frozen=True):
    """How the rows of a nested serializer are come to: by relations, of which one may hold many. ``back``: the
    relations that lead back to the row they were read from, which is there already.
    """

    path: tuple[str, ...] = ()
    many: bool = False
    back: frozenset[str] = frozenset()

    @property
    def depth(self) -> int:
        """How many relations lead there."""
        return len(self.path)

    def ends(self, project: Project, place: Place) -> bool:
        """Whether what is nested at a place is not followed any more, which the run tells."""
        return project.gives_up(self.depth + 1, _DEPTH, place)

    def through(self, project: Project, relation: Relation) -> Way:
        """The way on by one relation more."""
        back = frozenset(way_back(project, relation))
        return Way((*self.path, relation.name), self.many or relation.many, back)

    def touch(self, place: Place, relation: str, text: str, table: Table) -> Touch:
        """What is read at the end of the way."""
        path = ".".join((*self.path, relation)) if relation else ""
        return Touch(place, path, text, table.name, self.many)


# The row that is shown itself.
HERE = Way()


def serialized(project: Project) -> Iterator[Shown]:
    """By Django REST framework's serializers, then by response models."""
    yield from _called(project)
    yield from _generic(project)
    yield from _responses(project)


# -- serializers -----------------------------------------------------------------------------------------------------


def _called(project: Project) -> Iterator[Shown]:
    """``PostSerializer(posts, many=True)``: the query stands in the view."""
    for cls in project.subclasses(*sorted(project.models.kinds["row-serializers"])):
        for call in project.calls_of(cls.cls.name):
            first = call.arg(0, "instance")
            if first is None or not truth(project, call.arg(None, "many")) or call.code.function.kind == "class":
                continue
            rows = rows_of(project, first)
            if rows is not None and not rows.settled:
                yield from _of_serializer(project, cls, call, rows)
    for call, cls, rows in lent(project):
        if not rows.settled:
            yield from _of_serializer(project, cls, call, rows)


def _of_serializer(project: Project, cls: ClassView, call: Node, rows: Rows) -> Iterator[Shown]:
    yield from shown_by(cls, touches(project, cls, rows.table), rows, call)


def shown_by(cls: ClassView, touches: Iterable[Touch], rows: Rows, at: Node) -> Iterator[Shown]:
    """What a class that shows rows reads of each, beside what came with them; ``at``: where it is given the rows."""
    touched = [touch for touch in touches if touch.relation not in rows.eager]
    if touched:
        here = rows.origin.code is at.code and rows.origin.call is not None
        place = call_place(rows.origin if here else at)
        names = ", ".join(dict.fromkeys(f"`{t.relation}`" if t.relation else "a query" for t in touched))
        told, path = f"`{cls.cls.name}` reads {names} of each row", tuple(t.place for t in touched)
        yield Shown(place, names, told, rows, row_of(rows.table.name), path)


def row_of(table: str) -> str:
    """A row of a table, as a reader calls it."""
    return f"row of `{table}`"


def _generic(project: Project) -> Iterator[Shown]:
    """Generic views with ``queryset`` and ``serializer_class``: the query is the framework's, the field is ours."""
    for route in routes(project):
        view = route.view
        if view is None or "GET" not in route.methods:
            continue
        lists = _is_list(project, view) and not _names_one(project, route, view)
        serializer, rows = _list_serializer(project, view), _view_rows(project, view)
        if serializer is None or rows is None:
            continue
        if rows.everything or (lists and rows.settled):
            continue
        if lists and _answers_otherwise(route.handler):
            continue
        for touch in touches(project, serializer, rows.table):
            # Of one row, what it holds many of is shown row by row.
            if touch.relation not in rows.eager and (lists or touch.nested):
                yield Shown(touch.place, touch.relation, touch.text, rows, row_of(touch.table), (view.place,))


def _names_one(project: Project, route: Route, view: ClassView) -> bool:
    """Whether a route is for one row of a view that shows single rows too: its path ends with what names the row."""
    if route.action == "list":
        return False
    single = project.models.kinds["one-row-views"]
    shows_one = bool(route.action) or not single.isdisjoint(project.lineage(view.name))
    return shows_one and "{" in route.path.rstrip("/").rpartition("/")[2]


def _answers_otherwise(handler: Code) -> bool:
    """Whether a view's own method lists rows that are not the view's: its return tells of them."""
    if handler.function.kind != "function":
        return False
    asked = (node.spelled for node in handler.nodes(ops.Attr))
    return not any(name.startswith(("self.", "super().")) for name in asked)


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
    """The serializer of a view's list: what is chosen for that action, else for what is not said apart."""
    several = chosen(project, view, "serializer_class")
    listing = (one.cls for one in several if one.actions is not None and not _LISTING.isdisjoint(one.actions))
    others = (one.cls for one in several if one.actions is None)
    return next(listing, None) or next(others, None)


def _for_list(method: Code, value: ops.Value) -> bool:
    """Whether what is returned or chosen here may be for the action ``list``: another one's branch leads elsewhere."""
    branches = (region for region in method.regions_of(value) if region.kind == "then")
    return not any(_is_for_others(method.node(region.test).origin) for region in branches if region.test != ops.NONE)


def _is_for_others(test: Node) -> bool:
    """Whether a condition compares with known texts, the action ``list`` not among them."""
    if not isinstance(test.op, ops.Compare):
        return False
    right = test.to(test.op.right)
    written = [part.text for part in items(right) or [right]]
    return None not in written and _LISTING.isdisjoint(written)


def _view_rows(project: Project, view: ClassView) -> Rows | None:
    method = project.method(view.name, "get_queryset")
    returned = _queries_for_list(method) if method is not None else []
    if method is not None and not (len(returned) == 1 and _is_own_queryset(returned[0])):
        return _any_of([rows_of(project, node) for node in returned if not _is_empty(node)])
    for cls in project.lineage_views(view.name):
        bound = cls.fields.get("queryset")
        if bound is not None:
            return rows_of(project, bound)
    return None


def _queries_for_list(method: Code) -> list[Node]:
    """What ``get_queryset`` gives, without what it gives for other actions than the list."""
    given = [node for node in method.nodes(ops.Return) if isinstance(node.op, ops.Return) and node.op.value >= 0]
    listed = [node for node in given if _for_list(method, node.value)]
    return [node.to(node.op.value) for node in listed or given if isinstance(node.op, ops.Return)]


def _is_empty(node: Node) -> bool:
    """Whether a query is one that gives no rows, for those who may see none; not where it is so on one way only."""
    here: Node | None = node.origin
    while here is not None and here.call is not None:
        if here.is_call_of("empty-queries"):
            return True
        here = here.receiver.origin if here.receiver is not None else None
    return False


def _any_of(found: list[Rows | None]) -> Rows | None:
    """What is true of the rows whichever of several queries they come from."""
    known = [rows for rows in found if rows is not None]
    if not known or len(known) < len(found) or len({rows.table.name for rows in known}) > 1:
        return None
    eager = frozenset.intersection(*(rows.eager for rows in known))
    settled = next((rows for rows in known if not rows.settled), None)
    return msgspec.structs.replace(settled or known[0], eager=eager, everything=any(r.everything for r in known))


def _is_own_queryset(node: Node) -> bool:
    op = node.origin.op
    return isinstance(op, ops.Attr) and op.name == "queryset" and node.origin.to(op.base).is_self


def touches(project: Project, cls: ClassView, table: Table, way: Way = HERE) -> Iterator[Touch]:
    """The fields of a serializer that read a relation of each row, or run a query for it; each relation once."""
    seen = {".".join((*way.path, name)) for name in way.back}
    for touch in (*_declared_touches(project, cls, table, way), *_all_keys(project, cls, table, way)):
        if not touch.relation or touch.relation not in seen:
            yield touch
        seen.add(touch.relation)


def _declared_touches(project: Project, cls: ClassView, table: Table, way: Way) -> Iterator[Touch]:
    listed = _listed(project, cls)
    declared = _fields(project, cls)
    for name, bind in declared.items():
        if listed is None or name in listed:
            yield from _field(project, cls, table, name, bind, way)
    for name in sorted((listed or set()) - declared.keys()):
        yield from _own_method(project, table, name, way)
    method = cls.methods.get("to_representation")
    for work in work_of_param(project, method, 1, table) if method is not None else ():
        yield way.touch(work.place, work.relation, work.text, table)


def _own_method(project: Project, table: Table, name: str, way: Way) -> Iterator[Touch]:
    """A field that is a property or method of the model itself, which may ask the database."""
    method = project.method(table.model, name) if table.model else None
    if method is not None:
        for work in work_of_param(project, method, 0, table):
            yield way.touch(work.place, work.relation, work.text, table)


def _fields(project: Project, cls: ClassView) -> dict[str, Node]:
    """The declared fields of a serializer and its bases, the nearest declaration of each name."""
    found: dict[str, Node] = {}
    for view in project.lineage_views(cls.name):
        for name, bind in view.fields.items():
            found.setdefault(name, bind)
    return found


def _all_keys(project: Project, cls: ClassView, table: Table, way: Way) -> Iterator[Touch]:
    """The listed fields that nobody declares: those of the model's own that hold many keys."""
    listed = _listed(project, cls)
    if listed is None:
        own = project.class_named(table.model)
        listed = set(own.fields) if own is not None and _takes_all(project, cls) else set()
    meta = cls.inner.get("Meta")
    said = meta.fields.get("fields") if meta is not None else None
    for name in sorted(listed - _fields(project, cls).keys()) if said is not None else ():
        relation = schema(project).relation(table, name)
        if said is not None and relation is not None and relation[1].many:
            yield way.touch(said.place, name, f"the keys of `{name}` are read for each row", table)


def _listed(project: Project, cls: ClassView) -> set[str] | None:
    """The names in ``Meta.fields``; None for all."""
    for view in project.lineage_views(cls.name):
        meta = view.inner.get("Meta")
        if meta is not None and "fields" in meta.fields:
            names = set(texts(project, meta.fields["fields"]))
            return None if "__all__" in names or not names else names
    return None


def _takes_all(project: Project, cls: ClassView) -> bool:
    meta = cls.inner.get("Meta")
    return meta is not None and "fields" in meta.fields and "__all__" in texts(project, meta.fields["fields"])


def _field(project: Project, cls: ClassView, table: Table, name: str, bind: Node, way: Way) -> Iterator[Touch]:
    call = bind.origin
    if call.call is None or truth(project, call.arg(None, "write_only")):
        return
    source = text(project, call.arg(None, "source")) or name
    relation = schema(project).relation(table, source.partition(".")[0])
    if call.method == "SerializerMethodField":
        method = project.method(cls.name, text(project, call.arg(0, "method_name")) or f"get_{name}")
        for work in work_of_param(project, method, 1, table) if method is not None else ():
            yield way.touch(work.place, work.relation, work.text, table)
    elif relation is not None:
        yield from _related_field(project, call, table, source, relation[1], way)
    else:
        yield from _own_method(project, table, source.partition(".")[0], way)


def _related_field(
    project: Project, call: Node, table: Table, source: str, relation: Relation, way: Way
) -> Iterator[Touch]:
    """What a field loads that shows a relation: the rows of the relation, and what is shown of those."""
    if relation.name in way.back:
        return
    nested = _nested(project, call)
    shown = nested is not None or "." in source or call.method in ("StringRelatedField", "SlugRelatedField")
    if not relation.eager and (shown or (relation.many and call.method.endswith("RelatedField"))):
        yield way.touch(call.place, relation.name, f"`{relation.name}` is loaded for each row", table)
    target = schema(project).of_model(relation.target)
    if nested is not None and target is not None and not way.ends(project, call.place):
        yield from touches(project, nested, target, way.through(project, relation))


def _nested(project: Project, call: Node) -> ClassView | None:
    """The serializer that a field is made by, also as the child of a list."""
    child = call.arg(None, "child")
    func = child.origin.func if child is not None and child.origin.call is not None else call.func
    made = project.denoted_classes(func) if func is not None else ()
    return next((cls for cls in made if project.inherits(cls.name, *project.models.kinds["row-serializers"])), None)


# -- response models -------------------------------------------------------------------------------------------------


def _responses(project: Project) -> Iterator[Shown]:
    """Routes whose response model is a schema, or a list of one, with fields named like lazy relations of what is
    returned."""
    for route in routes(project):
        if route.response is None or route.handler.function.kind != "function":
            continue
        for name in project.annotated(route.response):
            listed = name.startswith("list[")
            cls = project.class_named(name[5:-1] if listed else name)
            for returned in route.handler.returned() if cls is not None else ():
                rows = rows_of(project, returned) if listed else one_row(project, returned)
                if cls is not None and rows is not None and not (rows.settled if listed else rows.inert):
                    yield from _modelled(project, cls, rows, listed)


def _modelled(project: Project, cls: ClassView, rows: Rows, listed: bool) -> Iterator[Shown]:
    found = [t for t in _read(project, cls, cls, rows.table, HERE) if t.relation not in rows.eager]
    found = [touch for touch in found if listed or touch.nested]
    if found and rows.is_in_sight:
        named = ", ".join(dict.fromkeys(f"`{touch.relation}`" for touch in found))
        told = f"the response model `{cls.cls.name}` reads {named} of each row"
        yield Shown(rows.place, named, told, rows, row_of(found[0].table))


def _read(project: Project, top: ClassView, cls: ClassView, table: Table, way: Way) -> Iterator[Touch]:
    """The lazy relations that a schema's fields are named after, those of nested schemas included."""
    for name, bind in _fields(project, cls).items():
        relation = schema(project).relation(table, name)
        for inner in _inner_schemas(project, bind):
            if relation is None:
                # A tuple of rows and figures: the field holds the row itself.
                if way.depth == 0 and inner is not top and table.model.rpartition(".")[2] == name:
                    yield from _read(project, top, inner, table, way)
                continue
            if name in way.back:
                continue
            if not relation[1].eager:
                yield way.touch(bind.place, name, "", table)
            target = schema(project).of_model(relation[1].target)
            if target is not None and not way.ends(project, bind.place):
                yield from _read(project, top, inner, target, way.through(project, relation[1]))


def _inner_schemas(project: Project, bind: Node) -> list[ClassView]:
    op = bind.op
    declared = project.annotated(bind.to(op.annotation)) if isinstance(op, ops.Bind) and op.annotation >= 0 else ()
    found = (project.class_named(part.removeprefix("list[").removesuffix("]")) for part in declared)
    return [cls for cls in found if cls is not None]
