"""Text of a client's compared with a column of numbers, dates or UUIDs: the library converts it, or raises."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.lookups import column_named, conditions_apart, keyword_lookups, tables_of
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.analyses.errors.senders import no_key
from backaudit.analyses.errors.vouched import is_vouched
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import query_sites
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.catching import ending, entry_of, escapes
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.project import Node, Project
from backaudit.rule import Finding, Shown, Step, assume

_UNCONVERTED = assume("caller", "the value is still text here")
_ON_POSTGRESQL = assume("settings", "the database is PostgreSQL, which compares a number with no other text")
# Of a column of UUIDs, which the library refuses itself, and of others.
_ASSUMED = {True: _UNCONVERTED, False: _ON_POSTGRESQL}
_SHOWN: dict[bool, Shown | None] = {True: None, False: "strict"}
_COMPARING = frozenset(("==", "!=", "<", "<=", ">", ">="))
_FAR = assume("guard", "nothing on the way has converted it")


def findings(project: Project) -> Iterator[Finding]:
    """Each look-up whose text may be none that the column's type can be made of, uncaught."""
    yield from _by_keyword(project)
    yield from _in_expressions(project)


def _by_keyword(project: Project) -> Iterator[Finding]:
    for call, table in (*keyword_lookups(project), *conditions_apart(project)):
        for name, value in call.keywords().items():
            column = column_named(project, table, name)
            raised = _raised(project, table, column) if column is not None else ()
            path = escapes(project, call, raised) if raised and call.code.file.role == "production" else None
            if path is None or is_vouched(project, value, call):
                continue
            origin = client_origin(project, value, texts=True)
            if origin is not None and column is not None:
                exception = raised[0].rpartition(".")[2]
                yield Finding(
                    place=call.place.first_line(),
                    message=f"`{name}` is compared with text that may be no {_kind(project, column)}: {exception}, "
                    f"uncaught, {ending(project, call, path, 'a 500, not a 4xx')}.",
                    assumed=(_FAR if path else _UNCONVERTED) + no_key(project, origin.node, entry_of(call, path)),
                    trace=(
                        *origin.steps,
                        Step(call.place.first_line(), f"is converted for `{table.name}.{column.name}`"),
                    ),
                    request=showing(project, call, path, wrong(project, "malformed", value), raises=exception),
                )
                break


def _in_expressions(project: Project) -> Iterator[Finding]:
    told: set[Node] = set()
    for node, table, column, value in (*_compared(project), *_by_key(project), *_by_name(project)):
        is_uuid = _holds_uuids(project, column)
        raised = _refusing(project, table, is_uuid)
        path = escapes(project, node, (raised,)) if raised and node not in told else None
        if path is None or is_vouched(project, value, node):
            continue
        origin = client_origin(project, value, texts=True)
        if origin is not None:
            told.add(node)
            exception = raised.rpartition(".")[2]
            what = "UUID" if is_uuid else "number or date"
            yield Finding(
                place=node.place.first_line(),
                message=f"`{table.name}.{column.name}` is compared with text that may be no {what}: {exception}, "
                f"uncaught, {ending(project, node, path, 'a 500, not a 4xx')}.",
                assumed=(_FAR if path else _ASSUMED[is_uuid]) + no_key(project, origin.node, entry_of(node, path)),
                shown=_SHOWN[is_uuid],
                trace=(*origin.steps, Step(node.place.first_line(), f"is bound to a column of {what}s")),
                request=showing(project, node, path, wrong(project, "malformed", value), raises=exception),
            )


def _refusing(project: Project, table: Table, is_uuid: bool) -> str:
    known = traits(project, table.orm)
    return known.refuses_text if is_uuid else known.refuses_by_server


def _compared(project: Project) -> Iterator[tuple[Node, Table, Column, Node]]:
    """``Model.id == text`` in the bodies that ask such tables."""
    for code in dict.fromkeys(site.code for site in project.once(query_sites) if not site.raw):
        for node in code.nodes(ops.Compare) if code.file.role == "production" else ():
            op = node.op
            if isinstance(op, ops.Compare) and op.operator in _COMPARING:
                yield from ((node, *found, node.to(op.right)) for found in _column_of(project, node.to(op.left)))


def _column_of(project: Project, node: Node) -> Iterator[tuple[Table, Column]]:
    op = node.origin.op
    for cls in project.denoted_classes(node.origin.to(op.base)) if isinstance(op, ops.Attr) else ():
        table = project.once(schema).of_model(cls.name)
        column = table.column(op.name) if table is not None and isinstance(op, ops.Attr) else None
        if table is not None and column is not None and _takes_no_text(project, table, column):
            yield table, column


def _by_key(project: Project) -> Iterator[tuple[Node, Table, Column, Node]]:
    """``session.get(Model, text)`` and ``Model.query.get(text)``."""
    for call in project.calls_of("get"):
        tables, key = _got(project, call)
        found = ((table, _only_key(project, table)) for table in tables)
        yield from ((call, table, column, key) for table, column in found if column is not None and key is not None)


def _got(project: Project, call: Node) -> tuple[list[Table], Node | None]:
    """The tables whose row a ``get()`` asks for, and the key by which it does."""
    first, key = call.arg(0, "entity"), call.arg(1, "ident")
    if first is not None and key is not None:
        named = (project.once(schema).of_model(cls.name) for cls in project.denoted_classes(first))
        return [table for table in named if table is not None], key
    if first is None or call.receiver is None or call.keywords():
        return [], None
    return tables_of(project, call.receiver), first


def _by_name(project: Project) -> Iterator[tuple[Node, Table, Column, Node]]:
    """``rows.filter_by(id=text)``, where the library hands the text on as it is."""
    for call, table in keyword_lookups(project):
        if traits(project, table.orm).refuses_compared:
            continue
        for name, value in call.keywords().items():
            column = table.column(name)
            if column is not None and _takes_no_text(project, table, column) and call.code.file.role == "production":
                yield call, table, column, value


def _only_key(project: Project, table: Table) -> Column | None:
    """The one column that is the table's key, if it takes no text."""
    column = table.column(table.primary_key[0]) if len(table.primary_key) == 1 else None
    return column if column is not None and _takes_no_text(project, table, column) else None


def _takes_no_text(project: Project, table: Table, column: Column) -> bool:
    """Whether the library, or the server, refuses a text that is none of the column's values."""
    on_server = table.engine == "postgresql" and column.type in project.models.kinds["parsed-columns"]
    return _holds_uuids(project, column) or (on_server and bool(traits(project, table.orm).refuses_by_server))


def _holds_uuids(project: Project, column: Column) -> bool:
    return column.type in project.models.kinds["uuid-columns"]


def _raised(project: Project, table: Table, column: Column) -> tuple[str, ...]:
    kinds = project.models.kinds
    refused = traits(project, table.orm).refuses_compared
    if not refused or column.type in traits(project, table.orm).keeps_as_text:
        return ()
    if column.type in kinds["number-columns"]:
        return ("builtins.ValueError",)
    return (refused,) if column.type in kinds["validated-columns"] else ()


def _kind(project: Project, column: Column) -> str:
    return "number" if column.type in project.models.kinds["number-columns"] else "date or UUID"
