"""What migrations and scripts of SQL add: Alembic's operations, DDL in ``.sql`` files and in Python strings."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.schema.constraints import constraint
from backaudit.backend.schema.sqlalchemy import from_columns
from backaudit.backend.schema.tables import columns_index
from backaudit.backend.schema.values import items, text, texts, truth
from backaudit.backend.strings import spelled_strings
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.sql import Column, Definition, Index, Key, definitions, looks_like_definition, normal

_RUNNERS = (
    "execute",
    "executescript",
    "executemany",
    "execute_sql",
    "RunSQL",
    "text",
    "DDL",
    "exec_driver_sql",
    "executesql",
)

Added = tuple[Definition, Place]


def added(project: Project) -> Iterator[Added]:
    """Everything that is defined outside of models, with its place."""
    yield from _alembic(project)
    yield from _files(project)
    yield from _strings(project)


def _alembic(project: Project) -> Iterator[Added]:
    readers = {
        "create_table": _created,
        "create_index": _indexed,
        "create_unique_constraint": _constrained,
        "create_primary_key": _constrained,
        "add_column": _extended,
        "create_foreign_key": _referring,
    }
    for last, read in readers.items():
        for node in project.calls_of(last):
            if node.code.function.name != "downgrade" and project.role(node.code.path) != "test":
                definition = read(project, node)
                if definition is not None:
                    yield definition, node.place


def _batch_table(project: Project, node: Node) -> str:
    """The table of ``batch_op.create_index(...)``: what ``batch_alter_table`` was given."""
    receiver = node.receiver
    for candidate in node.code.nodes(type(node.op)):
        if receiver is not None and candidate.method == "batch_alter_table" and candidate.value < node.value:
            table = text(project, candidate.arg(0, "table_name"))
            if "batch" in receiver.spelled or receiver.spelled not in ("op", "alembic.op"):
                return table
    return ""


def _name_arg(project: Project, node: Node, position: int, keyword: str) -> str:
    """A string argument; ``op.f("name")`` counts as its text."""
    found = node.arg(position, keyword)
    if found is not None and found.origin.method == "f":
        found = found.origin.arg(0)
    return text(project, found)


def _created(project: Project, node: Node) -> Definition | None:
    name = text(project, node.arg(0, "table_name"))
    call = node.call
    if not name or call is None:
        return None
    table = from_columns(project, name, [node.origin.to(value).origin for value in call.args[1:]], node)
    references = tuple((c, t) for value in call.args[1:] for c, t in _foreign_keys(project, node.origin.to(value)))
    return Definition(table=name, columns=table.columns, indexes=table.indexes, references=references, created=True)


def _foreign_keys(project: Project, node: Node) -> Iterator[tuple[str, str]]:
    if node.origin.method == "ForeignKeyConstraint":
        mine, theirs = texts(project, node.arg(0)), texts(project, node.arg(1))
        if len(mine) == 1 and len(theirs) == 1:
            yield mine[0], ".".join(theirs[0].split(".")[-2:])


def _indexed(project: Project, node: Node) -> Definition | None:
    batch = _batch_table(project, node)
    listed = node.arg(1 if batch else 2, "columns")
    table = batch or text(project, node.arg(1, "table_name"))
    keys = tuple(_key(project, item) for item in items(listed))
    if not table or not keys:
        return None
    where = node.arg(None, "postgresql_where") or node.arg(None, "sqlite_where")
    made = Index(
        keys=keys,
        name=_name_arg(project, node, 0, "index_name"),
        unique=truth(project, node.arg(None, "unique")),
        where="?" if where is not None else "",
        method=text(project, node.arg(None, "postgresql_using")) or "btree",
        place=node.place,
    )
    return Definition(table=table, indexes=(made,))


def _key(project: Project, item: Node) -> Key:
    named = text(project, item)
    if named:
        return Key(named)
    inner = text(project, item.origin.arg(0)) if item.origin.call is not None else ""
    plain = inner.lower().removesuffix(" desc").removesuffix(" asc").strip()
    if plain.isidentifier():
        return Key(plain, False, inner.lower().endswith(" desc"))
    return Key(normal(plain) if plain else "?", True)


def _constrained(project: Project, node: Node) -> Definition | None:
    batch = _batch_table(project, node)
    table = batch or text(project, node.arg(1, "table_name"))
    listed = texts(project, node.arg(1 if batch else 2, "columns"))
    if not table or not listed:
        return None
    return Definition(table=table, indexes=(columns_index(*listed, unique=True, place=node.place),))


def _extended(project: Project, node: Node) -> Definition | None:
    batch = _batch_table(project, node)
    table, column = batch or text(project, node.arg(0, "table_name")), node.arg(0 if batch else 1, "column")
    if not table or column is None or column.origin.method != "Column":
        return None
    made = from_columns(project, table, [column.origin], node)
    return Definition(table=table, columns=made.columns, indexes=made.indexes)


def _referring(project: Project, node: Node) -> Definition | None:
    batch = _batch_table(project, node)
    shift = 0 if batch else 1
    table = batch or text(project, node.arg(1, "source_table"))
    target = text(project, node.arg(1 + shift, "referent_table"))
    mine = texts(project, node.arg(2 + shift, "local_cols"))
    theirs = texts(project, node.arg(3 + shift, "remote_cols"))
    if not table or len(mine) != 1:
        return None
    return Definition(table=table, references=((mine[0], f"{target}.{theirs[0] if theirs else 'id'}"),))


def _files(project: Project) -> Iterator[Added]:
    for file in project.artefacts("sql"):
        if looks_like_definition(file.text) and project.role(file.path) not in ("test", "example"):
            for definition in definitions(file.text):
                yield definition, Place(file.path, Span(definition.line, 0, definition.line, 0))


def _strings(project: Project) -> Iterator[Added]:
    for last in _RUNNERS:
        for node in project.calls_of(last):
            first = node.arg(0, "sql") or node.arg(0, "statement") or node.arg(0)
            if first is None or project.role(node.code.path) == "test" or node.code.function.name == "downgrade":
                continue
            for written in spelled_strings(project, first):
                if looks_like_definition(written):
                    for definition in definitions(written):
                        yield definition, node.place


__all__ = ["Column", "added", "constraint"]
