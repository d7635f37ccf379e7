"""Alembic's migrations, replayed in the order of their revisions: the tables as the last one leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backaudit.backend.data.schema.columns import type_name
from backaudit.backend.data.schema.constraints import condition, references
from backaudit.backend.data.schema.sqlalchemy import from_columns
from backaudit.backend.data.schema.state import State
from backaudit.backend.data.schema.tables import columns_index
from backaudit.facts import ops
from backaudit.project import Code, Node, Project, PythonFile
from backaudit.project.declarations import items, number, text, texts, truth
from backaudit.project.strings import spelled_strings
from backaudit.sql import Change, ChangeKind, Definition, Index, Key, normal

_DEPTH = 2


def replayed(project: Project) -> State:
    """The state after the ``upgrade`` of every revision."""
    state = State()
    for file in _ordered(project):
        upgrade = file.top.body.final.get("upgrade")
        op = file.top.node(upgrade).origin.op if upgrade is not None else None
        if isinstance(op, ops.Def):
            _run(project, state, file.code(op.function), 0)
    return state


# -- order -----------------------------------------------------------------------------------------------------------


def _ordered(project: Project) -> list[PythonFile]:
    """The files of revisions, each after those that it revises."""
    known: dict[str, PythonFile] = {}
    for path in sorted(project.files):
        file = project.files[path]
        final = file.top.body.final
        uses = any(item.module.partition(".")[0] == "alembic" for item in file.facts.imports)
        if uses and "upgrade" in final and project.role(path) != "test":
            named = text(project, file.top.node(final["revision"])) if "revision" in final else ""
            known[named or path] = file
    found: dict[str, PythonFile] = {}
    for name in known:
        _visit(project, name, known, found)
    return list(found.values())


def _visit(project: Project, name: str, known: dict[str, PythonFile], found: dict[str, PythonFile]) -> None:
    """Revisions may be long chains: the walk keeps its own stack."""
    stack = [(name, False)]
    opened: set[str] = set()
    while stack:
        current, done = stack.pop()
        if done:
            found.setdefault(current, known[current])
        elif current in known and current not in found and current not in opened:
            opened.add(current)
            stack.append((current, True))
            stack += [(parent, False) for parent in reversed(_parents(project, known[current]))]


def _parents(project: Project, file: PythonFile) -> list[str]:
    final = file.top.body.final
    told = [file.top.node(final[name]) for name in ("down_revision", "depends_on") if name in final]
    return [revision for node in told for revision in texts(project, node)]


# -- operations ------------------------------------------------------------------------------------------------------


def _run(project: Project, state: State, code: Code, depth: int) -> None:
    for node in code.nodes(ops.Call):
        apply = _APPLY.get(node.method)
        if apply is not None:
            apply(project, state, node)
        elif node.receiver is None:
            for callee in project.callees(node):
                if callee.file is code.file and not project.gives_up(depth + 1, _DEPTH, node.place):
                    _run(project, state, callee, depth + 1)


def _batch_table(project: Project, node: Node) -> str:
    """The table of ``batch_op.create_index(...)``: what ``batch_alter_table`` was given."""
    receiver = node.receiver
    if receiver is None or receiver.spelled in ("op", "alembic.op"):
        return ""
    opened = [n for n in node.code.nodes(ops.Call) if n.method == "batch_alter_table" and n.value < node.value]
    return text(project, opened[-1].arg(0, "table_name")) if opened else ""


def _name(project: Project, node: Node, position: int, keyword: str) -> str:
    """A string argument; ``op.f("name")`` counts as its text."""
    found = node.arg(position, keyword)
    if found is not None and found.origin.method == "f":
        found = found.origin.arg(0)
    return text(project, found)


def _placed(project: Project, node: Node, position: int, keyword: str) -> tuple[str, int]:
    """(table, shift): of the batch, whose calls leave the table's argument out, or of that argument."""
    batch = _batch_table(project, node)
    return (batch, -1) if batch else (text(project, node.arg(position, keyword)), 0)


def _create_table(project: Project, state: State, node: Node) -> None:
    name = text(project, node.arg(0, "table_name"))
    if name and node.call is not None:
        arguments = [node.origin.to(value).origin for value in node.call.args[1:]]
        table = from_columns(project, name, arguments, node)
        keys = tuple(pair for argument in arguments for pair in references(project, argument))
        made = Definition(table=name, columns=table.columns, indexes=table.indexes, references=keys, created=True)
        state.define(made, node.place)


def _create_index(project: Project, state: State, node: Node) -> None:
    table, shift = _placed(project, node, 1, "table_name")
    keys = tuple(_key(project, item) for item in items(node.arg(2 + shift, "columns")))
    where = node.argument(("postgresql_where", "sqlite_where"))
    if table and keys:
        made = Index(
            keys=keys,
            name=_name(project, node, 0, "index_name"),
            unique=truth(project, node.arg(None, "unique")),
            where=condition(where) if where is not None else "",
            method=text(project, node.arg(None, "postgresql_using")) or "btree",
            place=node.place,
        )
        state.define(Definition(table=table, indexes=(made,)), node.place)


def _key(project: Project, item: Node) -> Key:
    named = text(project, item)
    if named:
        return Key(named)
    inner = text(project, item.origin.arg(0)) if item.origin.call is not None else ""
    plain = inner.lower().removesuffix(" desc").removesuffix(" asc").strip()
    if plain.isidentifier():
        return Key(plain, False, inner.lower().endswith(" desc"))
    return Key(normal(plain) if plain else "?", True)


def _constrain(primary: bool) -> Callable[[Project, State, Node], None]:
    def apply(project: Project, state: State, node: Node) -> None:
        table, shift = _placed(project, node, 1, "table_name")
        listed = texts(project, node.arg(2 + shift, "columns"))
        if table and listed:
            index = columns_index(
                *listed, unique=True, primary=primary, place=node.place, name=_name(project, node, 0, "constraint_name")
            )
            state.define(Definition(table=table, indexes=(index,)), node.place)

    return apply


def _add_column(project: Project, state: State, node: Node) -> None:
    table, shift = _placed(project, node, 0, "table_name")
    column = node.arg(1 + shift, "column")
    if table and column is not None and column.origin.method == "Column":
        made = from_columns(project, table, [column.origin], node)
        state.define(Definition(table=table, columns=made.columns, indexes=made.indexes), node.place)


def _create_key(project: Project, state: State, node: Node) -> None:
    table, shift = _placed(project, node, 1, "source_table")
    target = text(project, node.arg(2 + shift, "referent_table"))
    mine, theirs = (texts(project, node.arg(n + shift, k)) for n, k in ((3, "local_cols"), (4, "remote_cols")))
    if table and len(mine) == 1:
        pair = (mine[0], f"{target}.{theirs[0] if theirs else 'id'}")
        state.define(Definition(table=table, references=(pair,)), node.place)


def _alter_column(project: Project, state: State, node: Node) -> None:
    table, shift = _placed(project, node, 0, "table_name")
    name = text(project, node.arg(1 + shift, "column_name"))
    nullable, type_ = node.arg(None, "nullable"), node.arg(None, "type_")
    if nullable is not None and isinstance(nullable.const, bool):
        state.alter(table, name, nullable=nullable.const)
    if type_ is not None:
        length = number(type_.arg(0, "length")) if type_.call is not None else None
        state.alter(table, name, type=type_name(type_), length=length)
    renamed = text(project, node.arg(None, "new_column_name"))
    if renamed:
        state.change(Change("rename-column", table, name, renamed))


def _changing(kind: ChangeKind, position: int, first: str, second: str) -> Callable[[Project, State, Node], None]:
    """An operation with a table at ``position`` (named ``first``) and a name before or after it (``second``)."""

    def apply(project: Project, state: State, node: Node) -> None:
        table, shift = _placed(project, node, position, first)
        other = 1 - position if not shift else 0
        name = _name(project, node, other, second)
        state.change(Change(kind, table, name, name if kind == "rename-table" else ""))

    return apply


def _drop_table(project: Project, state: State, node: Node) -> None:
    state.change(Change("drop-table", text(project, node.arg(0, "table_name"))))


def _execute(project: Project, state: State, node: Node) -> None:
    first = node.arg(0, "sqltext")
    for written in spelled_strings(project, first) if first is not None else ():
        state.run(written, node.place)


_APPLY: dict[str, Callable[[Project, State, Node], None]] = {
    "create_table": _create_table,
    "drop_table": _drop_table,
    "rename_table": _changing("rename-table", 0, "old_table_name", "new_table_name"),
    "add_column": _add_column,
    "drop_column": _changing("drop-column", 0, "table_name", "column_name"),
    "alter_column": _alter_column,
    "create_index": _create_index,
    "drop_index": _changing("drop-index", 1, "table_name", "index_name"),
    "create_unique_constraint": _constrain(False),
    "create_primary_key": _constrain(True),
    "create_foreign_key": _create_key,
    "drop_constraint": _changing("drop-constraint", 1, "table_name", "constraint_name"),
    "execute": _execute,
}


def revisions(project: Project) -> Iterator[str]:
    """The paths of the files of revisions."""
    return (file.path for file in _ordered(project))
