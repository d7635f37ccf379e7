"""Rows that are deleted though others refer to them: the database, or the library, refuses it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.conflicts.enforced import holds_keys
from backaudit.analyses.errors.conflicts.writes import exception_told, refused_by
from backaudit.analyses.errors.requests import showing, valid
from backaudit.backend.access.changes import written
from backaudit.backend.access.statements import sql_text
from backaudit.backend.access.tables import generic_table, touched_table
from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import Column, Relation, Table, schema
from backaudit.backend.web.catching import answered_globally, ending, escapes
from backaudit.backend.web.records import UNMOUNTED, Route
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.rule import Assumed, Finding, assume

_DELETING = "DELETE"
# What becomes of a row by itself, so that nothing is left to refuse.
_FOLLOWS = frozenset(("CASCADE", "SET NULL", "SET DEFAULT", "SET"))


class Refusal(msgspec.Struct, frozen=True):
    """Rows of ``child`` refer to the one that is deleted; ``cleared``: their key is to become null, and must not."""

    child: Table
    column: Column
    cleared: bool = False


def refused_removals(project: Project) -> Iterator[Finding]:
    """Each row that is deleted while others may refer to it, uncaught."""
    for call in _deleting(project):
        own = call.code.file.role == "production" and not project.callees(call)
        change = written(project, call) if own else None
        if change is None or change.how != "delete" or change.table is None:
            continue
        by_row = _is_of_row(project, call)
        for refusal in refusals(project, change.table, by_row=by_row):
            raised = _raised(project, refusal)
            path = escapes(project, call, raised)
            if path is None or any(_is_minded(project, use, refusal, change.table) for use in (call, *path)):
                continue
            yield _finding(project, call, path, change.table, refusal, raised)
            break


def generic_removals(project: Project) -> Iterator[Finding]:
    """Each generic view that deletes its rows by itself, while others may refer to them."""
    told: set[str] = set()
    for route in project.once(routes):
        view = route.view
        if view is None or view.name in told or not _deletes_by_itself(project, route, view):
            continue
        told.add(view.name)
        table = generic_table(project, view)
        found = refusals(project, table, by_row=False) if table is not None else iter(())
        refusal = next((one for one in found if not answered_globally(project, _raised(project, one))), None)
        if table is not None and refusal is not None:
            yield _of_view(project, route, view, table, refusal)


def _deletes_by_itself(project: Project, route: Route, view: ClassView) -> bool:
    """Whether the library deletes for this route, and no step of the view does it instead."""
    kinds = project.models.kinds
    generic = kinds["removing-views"] | kinds["deleting-views"]
    own = (project.method(view.name, name) for name in sorted(kinds["runs-for:DELETE"] | kinds["removing-steps"]))
    served = UNMOUNTED not in route.tags and (not route.methods or _DELETING in route.methods)
    return served and project.inherits(view.name, *generic) and not any(code is not None for code in own)


def _of_view(project: Project, route: Route, view: ClassView, table: Table, refusal: Refusal) -> Finding:
    raised = _raised(project, refusal)
    refused = f"Rows of `{refusal.child.name}` that refer by `{refusal.column.name}` to one of `{table.name}`"
    name = raised[0].rpartition(".")[2]
    return Finding(
        place=view.place.first_line(),
        message=f"{refused} keep it from being deleted: {name}, which no one catches: {_DELETING} {route.path} is a "
        "500.",
        assumed=_assumed(refusal, table),
        request=valid(
            project, route, _DELETING, raises=name, at=view.place, wrong="other rows refer to this one", wanted=409
        ),
    )


def _deleting(project: Project) -> Iterator[Node]:
    """The calls that may delete rows."""
    kinds = project.models.kinds
    names = {name for name in kinds["session-writes"] | kinds["query-writes"] if "delete" in name}
    names |= kinds["statement-runners"] | kinds["sql-runners"]
    yield from (call for name in sorted(names) for call in project.calls_of(name))


def _is_of_row(project: Project, call: Node) -> bool:
    """Whether a session deletes one row that it holds, not all that a condition finds."""
    row = call.arg(0)
    return call.method in project.models.kinds["session-writes"] and row is not None and not _denotes(project, row)


def _denotes(project: Project, node: Node) -> bool:
    return any(True for _ in project.denoted_classes(node))


def refusals(project: Project, table: Table, *, by_row: bool) -> Iterator[Refusal]:
    """The keys that keep a row of a table from being deleted."""
    for child in project.once(schema).tables.values():
        for column in child.columns:
            if column.references.partition(".")[0].lower() == table.name.lower():
                refusal = _refusal(project, table, child, column, by_row)
                yield from [refusal] if refusal is not None else []


def _refusal(project: Project, table: Table, child: Table, column: Column, by_row: bool) -> Refusal | None:
    orm = traits(project, table.orm)
    if not child.model and (orm.removes_itself or (by_row and _leads_over(table, child))):
        return None
    relation = _relation(table, child, column) if by_row and orm.clears_keys else None
    if relation is not None and not relation.passive:
        return Refusal(child, column, cleared=True) if not relation.removes and not column.nullable else None
    said = column.on_delete or traits(project, child.orm).on_delete
    return Refusal(child, column) if said not in _FOLLOWS and holds_keys(project, child) else None


def _leads_over(table: Table, between: Table) -> bool:
    """Whether rows of a table know others over one between, which is cleared with them."""
    return any(relation.remote == "*" and relation.link in ("", between.name) for relation in table.relations)


def _relation(table: Table, child: Table, column: Column) -> Relation | None:
    """The relation by which a row knows those that refer to it by a column."""
    found = (relation for relation in table.relations if relation.target == child.model)
    return next((relation for relation in found if relation.remote in (column.name, column.attribute)), None)


def _raised(project: Project, refusal: Refusal) -> tuple[str, ...]:
    known = project.models.words["refused-removals"].get(refusal.column.on_delete)
    return (known,) if known else (exception_told(project), *refused_by(project))


def _is_minded(project: Project, use: Node, refusal: Refusal, table: Table) -> bool:
    """Whether the body has looked at the rows that refer to this one before, or has changed them."""
    names = {relation.name for relation in table.relations if relation.target == refusal.child.model}
    for value in range(use.value):
        node = use.code.node(value)
        op = node.op
        if isinstance(op, ops.Attr) and op.name in names:
            return True
        if isinstance(op, ops.Call) and _touches(project, node, refusal.child):
            return True
    return False


def _touches(project: Project, call: Node, child: Table) -> bool:
    receiver = call.receiver
    touched = [part for part in (receiver, call.arg(0)) if part is not None]
    if any(table is not None and table.name == child.name for table in (touched_table(project, p) for p in touched)):
        return True
    return child.name.lower() in sql_text(project, call).lower()


def _finding(
    project: Project, call: Node, path: tuple[Node, ...], table: Table, refusal: Refusal, raised: tuple[str, ...]
) -> Finding:
    child, key = refusal.child.name, f"{refusal.child.name}.{refusal.column.name}"
    kept = f"`{key}` of the rows that refer to this one is set to null, which it must not be"
    refused = f"Rows of `{child}` that refer to this one by `{refusal.column.name}` keep it from being deleted"
    name = raised[0].rpartition(".")[2]
    return Finding(
        place=call.place.first_line(),
        message=f"{kept if refusal.cleared else refused}: {name}, which no one catches: "
        f"{ending(project, call, path, 'a 500')}.",
        assumed=_assumed(refusal, table),
        request=showing(project, call, path, None, raises=raised[0], wanted=(409,)),
    )


def _assumed(refusal: Refusal, table: Table) -> Assumed:
    """That there are such rows; where a key says nothing and may be null, that nobody keeps them apart either."""
    said = refusal.cleared or refusal.column.on_delete or not refusal.column.nullable
    return assume("stored" if said else "guard", f"rows of `{refusal.child.name}` refer to this one of `{table.name}`")


__all__ = ["generic_removals", "refused_removals"]
