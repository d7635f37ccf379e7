"""Fields of GraphQL types that ask the database for every object of a list: each is resolved by itself."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.repeated.loading import Rows, rows_of
from backaudit.analyses.indexes.repeated.work import Work, work_of_param
from backaudit.backend.data.queries import denoted_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.callbacks import callbacks
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import annotation_of

_RESOLVER = "resolve_"


class Listing(msgspec.Struct, frozen=True):
    """A field that gives a list of objects of a type. ``rows``: the query that they come from, if it is in sight."""

    field: Node
    rows: Rows | None


class Resolved(msgspec.Struct, frozen=True):
    """What a resolver does for every object of a list; ``what``: one of them, as a reader calls it."""

    work: Work
    listing: Listing
    what: str
    orm: str


def resolved(project: Project) -> Iterator[Resolved]:
    """The queries of all resolvers of types that are listed somewhere."""
    resolvers = _resolvers(project)
    listings = _listings(project, resolvers) if resolvers else {}
    for code in resolvers:
        found = listings.get(code.cls.name, ()) if code.cls is not None else ()
        for listing in found:
            yield from _of_resolver(project, code, listing)


def _resolvers(project: Project) -> list[Code]:
    """The methods that resolve a field, by their place."""
    return sorted((code for code in project.once(callbacks) if code.cls is not None), key=lambda code: code.place)


def _of_resolver(project: Project, code: Code, listing: Listing) -> Iterator[Resolved]:
    cls = code.cls
    table = _table(project, cls) if cls is not None else None
    for work in work_of_param(project, code, 0, table):
        rows = listing.rows
        came = rows is None or rows.settled or work.relation in rows.eager
        if cls is not None and not (work.relation and came):
            what = f"row of `{table.name}`" if table is not None else f"`{cls.cls.name}` of a list"
            yield Resolved(work, listing, what, table.orm if table is not None else "")


def _table(project: Project, cls: ClassView) -> Table | None:
    """The table whose rows a type shows: its ``Meta.model``, or what its decorator is given."""
    meta = cls.inner.get("Meta")
    given = [meta.fields["model"]] if meta is not None and "model" in meta.fields else []
    decorators = (cls.outer.node(value) for value in cls.cls.decorators)
    given += [argument for node in decorators for argument in node.args()[:1]]
    return next((table for node in given if (table := denoted_table(project, node)) is not None), None)


# -- lists -------------------------------------------------------------------------------------------------------------


def _listings(project: Project, resolvers: list[Code]) -> dict[str, list[Listing]]:
    """The types that some field gives a list of, to those fields."""
    found: dict[str, list[Listing]] = {}
    for field, listed, code in (*_by_call(project), *_by_annotation(project, resolvers)):
        returned = code.returned() if code is not None else []
        rows = next((rows for node in returned if (rows := rows_of(project, _whole(node))) is not None), None)
        if rows is None or not rows.few:
            found.setdefault(listed.name, []).append(Listing(field, rows))
    return found


def _whole(node: Node) -> Node:
    """What a slice was cut from."""
    op = node.origin.op
    return node.origin.to(op.base) if isinstance(op, ops.Item) else node


def _by_call(project: Project) -> Iterator[tuple[Node, ClassView, Code | None]]:
    """``bulbs = graphene.List(BulbType)``, with the method that resolves it."""
    for name in sorted(project.models.kinds["graphql-lists"]):
        for call in project.calls(name):
            cls = call.code.cls
            bound = next((n for n, bind in cls.fields.items() if call in _inside(bind)), "") if cls is not None else ""
            method = project.method(cls.name, _RESOLVER + bound) if cls is not None and bound else None
            for argument in call.args()[:1]:
                for listed in _types(project, argument):
                    yield call, listed, method


def _inside(bind: Node) -> list[Node]:
    """A field's call and what is wrapped in it: ``NonNull(List(...))``."""
    call = bind.origin
    return [call, *(argument.origin for argument in call.args())] if call.call is not None else []


def _types(project: Project, node: Node) -> Iterator[ClassView]:
    origin = node.origin
    if isinstance(origin.op, ops.Def):
        for returned in origin.code.file.code(origin.op.function).returned():
            yield from _types(project, returned)
    elif origin.call is not None and origin.args():
        yield from _types(project, origin.args()[0])
    else:
        yield from project.denoted_classes(node)


def _by_annotation(project: Project, resolvers: list[Code]) -> Iterator[tuple[Node, ClassView, Code | None]]:
    """``def bulbs(self) -> list[BulbType]``, and fields that are annotated so."""
    for code in resolvers:
        returns = code.outside(code.function.returns)
        for cls in _listed(project, returns) if returns is not None else ():
            yield returns or code.node(0), cls, code
    for owner in dict.fromkeys(code.cls for code in resolvers):
        for bind in owner.fields.values() if owner is not None else ():
            annotation = annotation_of(bind)
            for cls in _listed(project, annotation) if annotation is not None else ():
                yield bind, cls, None


def _listed(project: Project, annotation: Node) -> Iterator[ClassView]:
    for name in project.annotated(annotation):
        cls = project.class_named(name[5:-1]) if name.startswith("list[") else None
        if cls is not None:
            yield cls
