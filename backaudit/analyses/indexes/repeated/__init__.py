"""Queries that run once per row of another query: in loops, serializers, response models and templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.analyses.indexes.reach import serves_requests
from backaudit.analyses.indexes.repeated.dumping import dumped
from backaudit.analyses.indexes.repeated.iterated import Many, every_many, many
from backaudit.analyses.indexes.repeated.loading import Rows
from backaudit.analyses.indexes.repeated.resolving import resolved
from backaudit.analyses.indexes.repeated.serializing import serialized
from backaudit.analyses.indexes.repeated.templates import rendered
from backaudit.analyses.indexes.repeated.work import Work, in_no_hurry, work_on
from backaudit.analyses.indexes.selectivity import few_parents
from backaudit.analyses.indexes.workers import only_in_workers
from backaudit.backend.data.documents import has_store
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import call_place
from backaudit.backend.data.schema import schema
from backaudit.backend.web.catching import reached_functions, request_handlers
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project

__all__ = ["Repeated", "leads_to_many", "repeated_queries"]


class Repeated(msgspec.Struct, frozen=True, kw_only=True):
    """A query per row. ``place``: the query that is repeated, or where the rows are handed over to be shown.

    ``what``: what it runs for each of, as a reader calls it; ``table``: whose rows those are; ``rows``: the place where
    they are fetched; ``path``: the calls between, outermost first. ``sure``: it runs in requests, not in a worker that
    nobody waits for, for reading, and for as many as are stored. ``cause``: the first place of several that one mend
    serves: the same is asked of the same rows in the same words, or the rows are fetched without several relations,
    which are ``others`` there.
    """

    place: Place
    what: str
    text: str
    relation: str
    rows: Place
    orm: str
    table: str = ""
    path: tuple[Place, ...] = ()
    sure: bool = True
    cause: Place | None = None
    others: tuple[str, ...] = ()


def repeated_queries(project: Project) -> tuple[Repeated, ...]:
    """All of them in production code, each place once."""
    return project.once(_repeated)


def _repeated(project: Project) -> tuple[Repeated, ...]:
    found: dict[tuple[Place, str], Repeated] = {}
    for repeated in (*_looped(project), *_shown(project), *_resolved(project)):
        if project.role(repeated.place.path) == "production":
            found.setdefault((repeated.place, repeated.relation), repeated)
    return tuple(_one_for_each_loop(found[key] for key in sorted(found)))


def leads_to_many(project: Project, table: str, relation: str) -> bool:
    """Whether one row has many behind a relation (``author.books``); also where that is not known."""
    here = schema(project).table(table)
    for name in relation.split("."):
        found = schema(project).relation(here, name) if here is not None else None
        if found is None or found[1].many or not found[1].column:
            return True
        here = schema(project).of_model(found[1].target)
    return False


def _one_for_each_loop(found: Iterable[Repeated]) -> Iterator[Repeated]:
    """Two columns of a report over the same table are mended together: by one query before the loop. So are the
    relations of rows that are fetched at one place: by one more word there.
    """
    groups: dict[tuple[object, ...], list[Repeated]] = {}
    for repeated in found:
        groups.setdefault(_mended_by(repeated), []).append(repeated)
    for group in groups.values():
        cause = group[0].place if len(group) > 1 else None
        relations = tuple(dict.fromkeys(repeated.relation for repeated in group))
        yield from (
            msgspec.structs.replace(one, cause=cause, others=tuple(name for name in relations if name != one.relation))
            for one in group
        )


def _mended_by(repeated: Repeated) -> tuple[object, ...]:
    """What one mend serves: of relations the place where the rows are fetched, of other queries the loop."""
    if repeated.relation and repeated.relation != "a query" and repeated.rows != repeated.place:
        return (repeated.rows, repeated.what, repeated.sure)
    return (repeated.rows, repeated.path, repeated.what, repeated.text)


def _shown(project: Project) -> Iterator[Repeated]:
    for shown in (*serialized(project), *dumped(project), *rendered(project)):
        yield Repeated(
            place=shown.place,
            what=shown.what,
            text=shown.text,
            relation=shown.relation,
            rows=call_place(shown.rows.origin) if shown.rows.origin.call is not None else shown.rows.origin.place,
            orm=shown.rows.table.orm,
            table=shown.rows.table.name,
            path=shown.path,
            sure=shown.always,
        )


def _resolved(project: Project) -> Iterator[Repeated]:
    for each in resolved(project):
        work, field = each.work, each.listing.field
        yield Repeated(
            place=work.place, what=each.what, text=work.text, relation=work.relation, rows=field.place, orm=each.orm,
            path=work.path, sure=not work.writes,
        )  # fmt: skip


def _looped(project: Project) -> Iterator[Repeated]:
    for code in _going_through(project):
        if project.role(code.path) == "production":
            yield from _in_body(project, code)
    yield from _mapped(project)


def _going_through(project: Project) -> dict[Code, None]:
    """The bodies that may go through many rows: that fetch some, read a relation, or are handed a client's list."""
    seen: dict[Code, None] = {}
    for last in sorted(project.models.kinds["row-fetchers"]):
        seen |= dict.fromkeys(node.code for node in project.calls_of(last))
    seen |= dict.fromkeys(_of_documents(project))
    relations = {relation.name for table in schema(project).tables.values() for relation in table.relations}
    seen |= dict.fromkeys(project.mentioned(relations.__contains__))
    seen |= dict.fromkeys(sorted(project.once(request_handlers), key=lambda code: code.key))
    return seen | dict.fromkeys(reached_functions(project))


def _of_documents(project: Project) -> Iterator[Code]:
    """The bodies that ask a document store for many of its documents."""
    for name in sorted(project.models.kinds["all-documents"]) if has_store(project) else ():
        yield from (node.code for node in project.calls_of(name))
        yield from project.mentioning(name)


def _in_body(project: Project, code: Code) -> Iterator[Repeated]:
    for element in code.nodes(ops.Element):
        op = element.op
        every = every_many(project, element.to(op.base)) if isinstance(op, ops.Element) else ()
        for through in every:
            for row in _row_values(element, through):
                yield from _worked(project, row, through)


def _row_values(element: Node, through: Many) -> Iterator[Node]:
    """The values that are a row: the element, or the part of it that is meant or holds the model."""
    parts = [
        part
        for part in element.code.nodes(ops.Part)
        if isinstance(part.op, ops.Part) and element.code.origin(part.op.base) == element.value
    ]
    if through.part is not None:
        yield from (part for part in parts if isinstance(part.op, ops.Part) and part.op.index == through.part)
    else:
        yield from (parts if through.rows is None else parts[:1]) if parts else (element,)


def _worked(project: Project, row: Node, through: Many) -> Iterator[Repeated]:
    relations: set[str] = set()
    rows = through.rows
    for work in work_on(project, row, rows.table if rows is not None else None):
        if work.relation and (_is_loaded(project, rows, work) or work.relation in relations):
            continue
        relations.add(work.relation)
        yield _of_work(project, work, row, through)


def _is_loaded(project: Project, rows: Rows | None, work: Work) -> bool:
    """Whether a relation came with the rows, so that reading it asks nothing."""
    if rows is None:
        return True
    orm = traits(project, rows.table.orm)
    asked = work.explicit and orm.asks_anew
    if orm.batches_relations and not work.explicit:
        return True
    return not asked and (rows.everything or work.relation in rows.eager or (rows.inert and not work.explicit))


def _of_work(project: Project, work: Work, row: Node, through: Many) -> Repeated:
    origin = through.origin
    waits = not only_in_workers(project, row.code) and not only_in_workers(project, origin.code)
    few = through.sent or _leads_to_few(project, work, through.rows)
    often = not work.writes and not in_no_hurry(project, row) and not few
    return Repeated(
        place=work.place, what=through.what, text=work.text, relation=work.relation,
        rows=call_place(origin) if origin.call is not None else origin.place,
        orm=through.rows.table.orm if through.rows is not None else "", path=work.path,
        table=through.rows.table.name if through.rows is not None else "",
        sure=waits and often and serves_requests(project, origin.code),
    )  # fmt: skip


def _leads_to_few(project: Project, work: Work, rows: Rows | None) -> bool:
    """Whether a relation leads to one of a few rows, of which a session that keeps them asks for each once."""
    found = schema(project).relation(rows.table, work.relation) if rows is not None and work.relation else None
    key = found[0].column(found[1].column) if found is not None and found[1].column else None
    keeps = rows is not None and traits(project, rows.table.orm).keeps_rows
    return keeps and key is not None and few_parents(key)


def _mapped(project: Project) -> Iterator[Repeated]:
    """``map(function, rows)``, also with a lambda that hands its parameter on."""
    for node in project.calls_of("map"):
        function, listed = node.arg(0), node.arg(1)
        through = many(project, listed) if listed is not None else None
        if function is None or through is None or project.role(node.code.path) != "production":
            continue
        for code in _functions(project, function):
            for value, op in enumerate(code.ops):
                if isinstance(op, ops.Param) and op.index == 0:
                    yield from _worked(project, code.node(value), through)


def _functions(project: Project, node: Node) -> Iterator[Code]:
    op = node.origin.op
    if isinstance(op, ops.Def):
        yield node.code.file.code(op.function)
        return
    for name in project.types(node):
        code = project.function_named(name[4:-1]) if name.startswith("def[") else None
        if code is not None:
            yield code
