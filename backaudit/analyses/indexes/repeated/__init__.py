"""Queries that run once per row of another query: in loops, serializers, response models and templates."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.reach import serves_requests
from backaudit.analyses.indexes.repeated.loading import Rows, rows_of
from backaudit.analyses.indexes.repeated.serializing import serialized
from backaudit.analyses.indexes.repeated.templates import rendered
from backaudit.analyses.indexes.repeated.work import Work, work_on
from backaudit.analyses.indexes.workers import only_in_workers
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import call_place
from backaudit.backend.data.schema import schema
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project

__all__ = ["Repeated", "repeated_queries"]

# Calls by which bodies get rows to loop over: they lead to the loops without reading every body.
_FETCHES = (
    "all", "filter", "filter_by", "where", "exclude", "order_by", "scalars", "exec", "execute", "select_related",
    "paginate", "prefetch_related", "query", "select", "only", "distinct", "annotate",
)  # fmt: skip


class Repeated(msgspec.Struct, frozen=True, kw_only=True):
    """A query per row. ``place``: the query that is repeated, or where the rows are handed over to be shown.

    ``rows``: the place of the outer query; ``table``: its table; ``path``: the calls between, outermost first.
    ``sure``: it runs in requests, not in a worker that nobody waits for, and for reading.
    """

    place: Place
    table: str
    text: str
    relation: str
    rows: Place
    orm: str
    path: tuple[Place, ...] = ()
    sure: bool = True


def repeated_queries(project: Project) -> tuple[Repeated, ...]:
    """All of them in production code, each place once."""
    return project.once(_repeated)


def _repeated(project: Project) -> tuple[Repeated, ...]:
    if not schema(project).tables:
        return ()
    found: dict[tuple[Place, str], Repeated] = {}
    for repeated in (*_looped(project), *_shown(project)):
        if project.role(repeated.place.path) == "production":
            found.setdefault((repeated.place, repeated.relation), repeated)
    return tuple(found[key] for key in sorted(found))


def _shown(project: Project) -> Iterator[Repeated]:
    for shown in (*serialized(project), *rendered(project)):
        yield Repeated(
            place=shown.place,
            table=shown.rows.table.name,
            text=shown.text,
            relation=shown.relation,
            rows=call_place(shown.rows.origin) if shown.rows.origin.call is not None else shown.rows.origin.place,
            orm=shown.rows.table.orm,
            path=shown.path,
        )


def _looped(project: Project) -> Iterator[Repeated]:
    seen: dict[Code, None] = {}
    for last in _FETCHES:
        seen |= dict.fromkeys(node.code for node in project.calls_of(last))
    for code in seen:
        if project.role(code.path) == "production":
            yield from _in_body(project, code)
    yield from _mapped(project)


def _in_body(project: Project, code: Code) -> Iterator[Repeated]:
    for value, op in enumerate(code.ops):
        if isinstance(op, ops.Element):
            rows = rows_of(project, code.node(op.base))
            if rows is not None and not rows.few:
                for row in _row_values(project, code.node(value), rows):
                    yield from _worked(project, row, rows)


def _row_values(project: Project, element: Node, rows: Rows) -> Iterator[Node]:
    """The values that are a row: the element, or the part of it that holds the model."""
    parts = [
        element.to(value)
        for value, op in enumerate(element.code.ops)
        if isinstance(op, ops.Part) and element.code.origin(op.base) == element.value
    ]
    yield from (parts[:1] if parts else [element])


def _worked(project: Project, row: Node, rows: Rows) -> Iterator[Repeated]:
    relations: set[str] = set()
    for work in work_on(project, row, rows.table):
        asked = work.explicit and traits(project, rows.table.orm).asks_anew
        loaded = rows.everything or work.relation in rows.eager or (rows.inert and not work.explicit)
        if work.relation and ((loaded and not asked) or work.relation in relations):
            continue
        relations.add(work.relation)
        yield _of_work(project, work, row, rows)


def _of_work(project: Project, work: Work, row: Node, rows: Rows) -> Repeated:
    outer = call_place(rows.origin) if rows.origin.call is not None else rows.origin.place
    waits = not only_in_workers(project, row.code) and not only_in_workers(project, rows.origin.code)
    return Repeated(
        place=work.place, table=rows.table.name, text=work.text, relation=work.relation, rows=outer, orm=rows.table.orm,
        path=work.path, sure=waits and not work.writes and serves_requests(project, rows.origin.code),
    )  # fmt: skip


def _mapped(project: Project) -> Iterator[Repeated]:
    """``map(function, rows)``, also with a lambda that hands its parameter on."""
    for node in project.calls_of("map"):
        function, listed = node.arg(0), node.arg(1)
        rows = rows_of(project, listed) if listed is not None else None
        if function is None or rows is None or rows.few or project.role(node.code.path) != "production":
            continue
        for code in _functions(project, function):
            for value, op in enumerate(code.ops):
                if isinstance(op, ops.Param) and op.index == 0:
                    yield from _worked(project, code.node(value), rows)


def _functions(project: Project, node: Node) -> Iterator[Code]:
    op = node.origin.op
    if isinstance(op, ops.Def):
        yield node.code.file.code(op.function)
        return
    for name in project.types(node):
        code = project.function_named(name[4:-1]) if name.startswith("def[") else None
        if code is not None:
            yield code
