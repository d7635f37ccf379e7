"""Text of a client's compared with a column of numbers, dates or UUIDs: the library converts it, or raises."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.lookups import column_named, conditions_apart, keyword_lookups
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.analyses.errors.vouched import is_vouched
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import query_sites
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.catching import ending, escapes
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step, assume

_UNCONVERTED = assume("caller", "the value is still text here")
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
            origin = client_origin(project, value, untyped=True)
            if origin is not None and column is not None:
                exception = raised[0].rpartition(".")[2]
                yield Finding(
                    place=call.place.first_line(),
                    message=f"`{name}` is compared with text that may be no {_kind(project, column)}: {exception}, "
                    f"uncaught, {ending(project, call, path, 'a 500, not a 4xx')}.",
                    assumed=_FAR if path else _UNCONVERTED,
                    trace=(
                        *origin.steps,
                        Step(call.place.first_line(), f"is converted for `{table.name}.{column.name}`"),
                    ),
                    request=showing(project, call, path, wrong(project, "malformed", value), raises=exception),
                )
                break


def _in_expressions(project: Project) -> Iterator[Finding]:
    for node, table, column, value in (*_compared(project), *_by_key(project)):
        raised = traits(project, table.orm).refuses_text
        path = escapes(project, node, (raised,)) if raised else None
        if path is None or is_vouched(project, value, node):
            continue
        origin = client_origin(project, value, untyped=True)
        if origin is not None:
            exception = raised.rpartition(".")[2]
            yield Finding(
                place=node.place.first_line(),
                message=f"`{table.name}.{column.name}` is compared with text that may be no UUID: {exception}, "
                f"uncaught, {ending(project, node, path, 'a 500, not a 4xx')}.",
                assumed=_FAR if path else _UNCONVERTED,
                trace=(*origin.steps, Step(node.place.first_line(), "is bound to a column of UUIDs")),
                request=showing(project, node, path, wrong(project, "malformed", value), raises=exception),
            )


def _compared(project: Project) -> Iterator[tuple[Node, Table, Column, Node]]:
    """``Model.id == text`` in the bodies that ask such tables."""
    for code in dict.fromkeys(site.code for site in project.once(query_sites) if not site.raw):
        for node in code.nodes(ops.Compare) if code.file.role == "production" else ():
            op = node.op
            if isinstance(op, ops.Compare) and op.operator == "==":
                yield from ((node, *found, node.to(op.right)) for found in _uuid_column(project, node.to(op.left)))


def _uuid_column(project: Project, node: Node) -> Iterator[tuple[Table, Column]]:
    op = node.origin.op
    for cls in project.denoted_classes(node.origin.to(op.base)) if isinstance(op, ops.Attr) else ():
        table = project.once(schema).of_model(cls.name)
        column = table.column(op.name) if table is not None and isinstance(op, ops.Attr) else None
        if table is not None and column is not None and _holds_uuids(project, column):
            yield table, column


def _by_key(project: Project) -> Iterator[tuple[Node, Table, Column, Node]]:
    """``session.get(Model, text)``."""
    for call in project.calls_of("get"):
        model, key = call.arg(0, "entity"), call.arg(1, "ident")
        if model is not None and key is not None:
            tables = (project.once(schema).of_model(cls.name) for cls in project.denoted_classes(model))
            found = ((table, _only_key(project, table)) for table in tables if table is not None)
            yield from ((call, table, column, key) for table, column in found if column is not None)


def _only_key(project: Project, table: Table) -> Column | None:
    """The one column that is the table's key, if it holds UUIDs."""
    column = table.column(table.primary_key[0]) if len(table.primary_key) == 1 else None
    return column if column is not None and _holds_uuids(project, column) else None


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
