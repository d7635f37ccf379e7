"""Rows that a schema dumps whose nested fields follow lazy relations: ``BookSchema(many=True).dump(books)``."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.repeated.loading import Rows, given_rows, rows_of
from backaudit.analyses.indexes.repeated.serializing import HERE, Shown, Touch, Way, shown_by
from backaudit.backend.data.queries.chains import chain_of
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import entries, text, texts, truth
from backaudit.project.types import split


class Dumper(msgspec.Struct, frozen=True):
    """A schema as it is used: ``only`` these fields, where it says so, and none that it excludes."""

    cls: ClassView
    only: frozenset[str]
    excluded: frozenset[str]

    def shows(self, name: str) -> bool:
        """Whether a field is part of what is dumped."""
        return name not in self.excluded and (not self.only or name in self.only)


class Answer(msgspec.Struct, frozen=True):
    """A value that a handler answers with. ``given``: the call that gives it, and of which function."""

    node: Node
    given: tuple[Node, Code] | None = None


def dumped(project: Project) -> Iterator[Shown]:
    """By calls of ``dump``, then by what routes are declared to answer with."""
    yield from _called(project)
    yield from _answered(project)


def _called(project: Project) -> Iterator[Shown]:
    for method in sorted(project.models.kinds["dumps-objects"]):
        for call in project.calls_of(method):
            rows = call.arg(0, "obj")
            made = project.resolved(call.receiver) if call.receiver is not None else None
            if rows is not None and made is not None and (_is_many(project, made) or _is_many(project, call)):
                for dumper in _dumpers(project, made):
                    yield from _shown(project, dumper, rows, call)


def _answered(project: Project) -> Iterator[Shown]:
    """Routes that are declared to answer with a schema: rows that they return, or that stand in what they return."""
    for route in routes(project):
        for declared in _declared(project, route) if route.handler.function.kind == "function" else ():
            made = project.resolved(declared)
            shown = _shown if _is_many(project, made) else _enveloped
            for dumper in _dumpers(project, made):
                for returned in route.handler.returned():
                    yield from shown(project, dumper, returned, returned)


def _enveloped(project: Project, dumper: Dumper, returned: Node, _: Node) -> Iterator[Shown]:
    """``{"total": 40, "items": rows}``: rows under the name of a field that nests a schema of many."""
    nested = {name: inner for name, inner in _lists(project, dumper) if dumper.shows(name)}
    for made in _made_by(project, returned) if nested else ():
        for name, held in entries(made.node).items():
            rows = _held(project, held, made.given) if name in nested else None
            if rows is not None and not rows.settled:
                touches = _touches(project, nested[name], rows.table, HERE)
                yield from shown_by(nested[name].cls, touches, rows, rows.origin)


def _lists(project: Project, dumper: Dumper) -> Iterator[tuple[str, Dumper]]:
    """The fields of a schema that nest another one for many rows."""
    for view in project.lineage_views(dumper.cls.name):
        for name, bind in view.fields.items():
            nesting = _nesting(project, bind.origin)
            inner = _inner(project, nesting) if nesting is not None else None
            if nesting is not None and inner is not None and (nesting is not bind.origin or _is_many(project, nesting)):
                yield name, inner


def _made_by(project: Project, node: Node) -> list[Answer]:
    """The mappings that a value is, made here or by the functions of the project that it comes from."""
    found = [Answer(node.origin)]
    for answer in found:
        for callee in project.callees(answer.node) if answer.node.call is not None else ():
            known = {other.node for other in found}
            made = (returned.origin for returned in callee.returned())
            found += (Answer(each, (answer.node, callee)) for each in made if each not in known)
    return found


def _held(project: Project, held: Node, given: tuple[Node, Code] | None) -> Rows | None:
    """The rows that stand in a mapping: a query, a page of one, or what the mapping's maker was handed."""
    op = held.origin.op
    page = held.origin.to(op.base).origin if isinstance(op, ops.Attr) else None
    rows = page if page is not None and page.is_call_of("pagers") else held
    found = rows_of(project, rows)
    return found if found is not None or given is None else given_rows(project, *given, chain_of(rows))


def _declared(project: Project, route: Route) -> Iterator[Node]:
    """What decorators say that a route answers with."""
    known = project.models.declares
    for decorator in route.handler.decorators:
        model = next((known[name] for name in project.names(decorator.func or decorator) if name in known), None)
        shown = decorator.argument(model.model) if model is not None else None
        if shown is not None:
            yield shown


def _is_many(project: Project, call: Node) -> bool:
    return call.call is not None and truth(project, call.arg(None, "many")) is True


def _dumpers(project: Project, made: Node) -> Iterator[Dumper]:
    """The schemas that a value is, or that it is an object of as it was made."""
    for name in project.types(made):
        head, over = split(name)
        cls = project.class_named(over if head == "type" else head)
        if cls is not None and _is_schema(project, cls):
            yield _made(project, cls, made)


def _made(project: Project, cls: ClassView, call: Node) -> Dumper:
    """A schema with what it is told to show and to leave out, where it is made or nested."""
    only, excluded = call.arg(None, "only"), call.arg(None, "exclude")
    listed = [name for view in project.lineage_views(cls.name) for name in _meta(project, view, "fields")]
    left_out = [name for view in project.lineage_views(cls.name) for name in _meta(project, view, "exclude")]
    shown = texts(project, only) if only is not None else listed
    hidden = texts(project, excluded) if excluded is not None else ()
    return Dumper(cls, frozenset(shown), frozenset((*hidden, *left_out)))


def _meta(project: Project, view: ClassView, name: str) -> Iterator[str]:
    meta = view.inner.get("Meta")
    if meta is not None and name in meta.fields:
        yield from texts(project, meta.fields[name])


def _shown(project: Project, dumper: Dumper, given: Node, at: Node) -> Iterator[Shown]:
    rows = rows_of(project, given)
    if rows is not None and not rows.settled:
        yield from shown_by(dumper.cls, _touches(project, dumper, rows.table, HERE), rows, at)


def _touches(project: Project, dumper: Dumper, table: Table, way: Way) -> Iterator[Touch]:
    """The nested fields of a schema that follow a relation, and those of the schemas that they nest."""
    seen: set[str] = set()
    for view in project.lineage_views(dumper.cls.name):
        for name, bind in view.fields.items():
            if name not in seen and dumper.shows(name):
                seen.add(name)
                yield from _field(project, bind.origin, name, table, way)


def _field(project: Project, field: Node, name: str, table: Table, way: Way) -> Iterator[Touch]:
    nesting = _nesting(project, field)
    source = text(project, field.arg(None, "attribute")) or name
    found = schema(project).relation(table, source.partition(".")[0])
    hidden = source in way.back or truth(project, field.arg(None, "load_only"))
    if nesting is None or found is None or hidden:
        return
    relation = found[1]
    if not relation.eager:
        yield way.touch(field.place, relation.name, f"`{relation.name}` is loaded for each row", table)
    target = schema(project).of_model(relation.target)
    inner = _inner(project, nesting)
    if target is not None and inner is not None and not way.ends(project, field.place):
        yield from _touches(project, inner, target, way.through(project, relation))


def _nesting(project: Project, field: Node) -> Node | None:
    """The call that nests a schema: the field, or the field that a list is of."""
    if field.call is None:
        return None
    if field.is_call_of("nesting-fields"):
        return field
    first = field.arg(0)
    inner = first.origin if first is not None else None
    return inner if inner is not None and inner.is_call_of("nesting-fields") else None


def _inner(project: Project, nesting: Node) -> Dumper | None:
    """The schema that is nested: a class, an object of it, its name, or a function that makes it."""
    first = nesting.arg(0, "nested")
    if first is None:
        return None
    made = project.resolved(first)
    if made.text is not None:
        name = made.text.rpartition(".")[2]
        named = (cls for cls in project.classes() if cls.cls.name == name)
        cls = next((c for c in named if _is_schema(project, c)), None)
        return _made(project, cls, nesting) if cls is not None else None
    if isinstance(made.op, ops.Def):
        returned = made.code.file.code(made.op.function).returned()
        made = returned[0].origin if returned else made
    classes = [*project.denoted_classes(made), *project.denoted_classes(made.func or made)]
    cls = next((c for c in classes if _is_schema(project, c)), None)
    return _made(project, cls, made if made.call is not None else nesting) if cls is not None else None


def _is_schema(project: Project, cls: ClassView) -> bool:
    return not project.models.kinds["model-serializers"].isdisjoint(project.lineage(cls.name))
