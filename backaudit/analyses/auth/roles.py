"""Routes that ask only who is calling where siblings ask for a role, and columns of rights that anybody writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from backaudit.analyses.auth.deeds import words
from backaudit.analyses.auth.views import view_parts
from backaudit.backend.access.caller import Values, context_of, mentions_caller
from backaudit.backend.access.changes import Change, How, changes
from backaudit.backend.access.denial import mention
from backaudit.backend.access.events import events
from backaudit.backend.access.guards import authenticated, guarded, in_body, known_by_secret, steps
from backaudit.backend.access.owners import owner_column
from backaudit.backend.access.reads import reads
from backaudit.backend.access.tables import generic_table, is_user_table, touched_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import Guard, Route
from backaudit.backend.web.ways import Ways
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.locate import conditions
from backaudit.project.operands import operands
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import UNSAFE

_PUBLIC_STEP = meaning("routes", "public-step")
_ROLE = meaning("access", "asked-role")
_PRIVILEGE = meaning("people", "privilege-column")
Deed = How | Literal["read"]


Checked = tuple[tuple[Guard, Route], ...]
_LIKE_CHANGING = assume("effect", "who may not change or delete it may not add to it either")
_LIKE_READING = assume("effect", "who may not read all of it may not change it either")
# What else than a role decides about the rows in question.
_OTHER_RIGHTS = ("ownership", "scope")


class Unranked(msgspec.Struct, frozen=True):
    """A route that anybody who is logged in may call. ``siblings``: the checks of roles that others have.

    ``column``: the column of rights that it writes, if that is what is wrong.
    """

    route: Route
    place: Place
    table: Table
    what: str
    at: Place
    siblings: Checked
    assumed: Assumed
    column: str = ""


def unranked(project: Project) -> tuple[Unranked, ...]:
    """All such routes, each handler once, by place."""
    found: dict[Place, Unranked] = {}
    for route in project.once(guarded):
        item = _judged(project, route)
        if item is not None:
            found.setdefault(route.handler.place, item)
    return tuple(found[place] for place in sorted(found))


def _judged(project: Project, route: Route) -> Unranked | None:
    if not authenticated(route) or route.handler.file.role != "production" or ranked(route) is not None:
        return None
    if known_by_secret(route) or any(guard.kind in _OTHER_RIGHTS for guard in route.guards):
        return None
    if words(route) & _PUBLIC_STEP.words:
        return None  # A login or a hook touches the row that it is about.
    return _privileging(project, route) or _below_siblings(project, route)


def ranked(route: Route) -> Guard | None:
    """The check of a role that a route has."""
    return next((guard for guard in route.guards if guard.kind == "role"), None)


# -- columns of rights -----------------------------------------------------------------------------------------------


def _privileging(project: Project, route: Route) -> Unranked | None:
    """A right of some person, set to what the client sent."""
    code = route.handler
    if code.function.kind != "function":
        return None
    values = Values(project, code, context_of(project, route))
    for node, table, column, value in _written(project, route):
        if _PRIVILEGE.holds(column) and _decides(project, table, column) and values.chosen(value):
            shown = table.model.rpartition(".")[2] or table.name
            return Unranked(route, code.place, table, shown, node.place, (), KNOWN, column)
    return None


def _decides(project: Project, table: Table, column: str) -> bool:
    """Whether a column is what rights hang on: of people who log in, or asked for in some condition."""
    if is_user_table(table):
        return True
    return any(
        region.test != NONE and _asks_column(project, code.node(region.test), table, column)
        for code in project.mentioning(column)
        for region in code.body.regions
    )


def _asks_column(project: Project, test: Node, table: Table, column: str) -> bool:
    for part in operands(test):
        op = part.op
        if isinstance(op, ops.Attr) and op.name == column and touched_table(project, part.to(op.base)) is table:
            return True
    return False


def _written(project: Project, route: Route) -> Iterator[tuple[Node, Table, str, Node]]:
    code = route.handler
    for node in code.nodes(ops.SetAttr):
        op = node.op
        assert isinstance(op, ops.SetAttr)
        table = touched_table(project, node.to(op.base))
        if table is not None:
            yield node, table, op.name, node.to(op.value)
    for call in code.nodes(ops.Call):
        receiver = call.receiver
        table = (
            touched_table(project, receiver) if receiver is not None and call.method in ("update", "values") else None
        )
        for name, value in call.keywords().items() if table is not None else ():
            assert table is not None
            yield call, table, name, value


# -- siblings ---------------------------------------------------------------------------------------------------------


def _below_siblings(project: Project, route: Route) -> Unranked | None:
    """A change of rows that others change, or even read, only with a role."""
    by_table = project.once(_ranked_by_table)
    for change in _changes(project, route):
        table = change.table
        siblings = by_table.get(table.name, {}) if table is not None else {}
        if table is None or not siblings or _is_callers_own(project, route, change, table):
            continue
        same = _ranked_like(project, change, table, siblings)
        if same:
            assumed = _assumed(change, same, siblings)
            shown = table.model.rpartition(".")[2] or table.name
            return Unranked(route, route.handler.place, table, shown, change.node.place, same[:3], assumed)
    return None


def _assumed(change: Change, same: Checked, siblings: Mapping[Deed, Checked]) -> Assumed:
    """What is supposed where the siblings that ask for a role do something else to the rows."""
    if change.how == "insert":
        return KNOWN if same == siblings.get("insert") else _LIKE_CHANGING
    writes = any(same == siblings.get(deed) for deed in ("update", "delete", "insert"))
    return KNOWN if writes else _LIKE_READING


def _is_callers_own(project: Project, route: Route, change: Change, table: Table) -> bool:
    """Whether a change is of what belongs to who calls, or of a row that nobody has picked."""
    owned = not is_user_table(table) and owner_column(project, table) is not None
    return owned or _own(project, route) or not _is_picked(project, route, change)


def _is_picked(project: Project, route: Route, change: Change) -> bool:
    """Whether the row that changes is the one that the client names, and no further effect of something else."""
    if change.how == "insert" or route.handler.function.kind == "class":
        return True
    return any(not event.tie and event.table is change.table for event in events(project, route))


def _changes(project: Project, route: Route) -> tuple[Change, ...]:
    if route.methods and not UNSAFE & set(route.methods):
        return ()
    if route.handler.function.kind == "function":
        return changes(project, route.handler)
    table = generic_table(project, route.view) if route.view is not None else None
    if table is None or not route.methods:
        return ()
    how: How = "delete" if "DELETE" in route.methods else "insert" if "POST" in route.methods else "update"
    return (Change(route.handler.node(0), table, table.name, how),)


def _own(project: Project, route: Route) -> bool:
    """Whether something of the caller's is changed: what is tied to the caller, or filled with the caller."""
    code = route.handler
    if code.function.kind != "function":
        return route.view is None or any(mentions_caller(project, part) for part in view_parts(project, route.view))
    if any(event.tie for event in events(project, route)):
        return True
    values = Values(project, code, context_of(project, route))
    return any(values.identifies(part) for made in _changes(project, route) for part in _parts(made.node))


def _parts(node: Node) -> Iterator[Node]:
    op = node.op
    if isinstance(op, ops.SetAttr):
        yield node.to(op.base)
        yield node.to(op.value)
    elif isinstance(op, ops.Call):
        yield from node.args()
        if node.receiver is not None:
            yield node.receiver


def _ranked_by_table(project: Project) -> Mapping[str, Mapping[Deed, Checked]]:
    """For each table, what routes that ask for a role do with it."""
    found: dict[str, dict[Deed, list[tuple[Guard, Route]]]] = {}
    for route in project.once(guarded):
        guard = ranked(route)
        if guard is None or route.handler.file.role != "production" or not _is_plain(project, route, guard):
            continue
        for name, deed in _deeds(project, route):
            listed = found.setdefault(name, {}).setdefault(deed, [])
            if (guard, route) not in listed:
                listed.append((guard, route))
    return {name: {deed: tuple(listed) for deed, listed in deeds.items()} for name, deeds in found.items()}


def _is_plain(project: Project, route: Route, guard: Guard) -> bool:
    """Whether a role is asked of every caller, and not beside something else that would do as well."""
    if not in_body(guard):
        return not any(step.how == "hook" and step.place == guard.place for step in steps(project, route))
    code = route.handler
    ways = Ways(project, code)
    for region in code.body.regions:
        outermost = region.parent < 0 or code.body.regions[region.parent].kind == "body"
        is_branch = region.kind == "then" and region.test != NONE
        if is_branch and outermost and ways.ends(region):
            test = code.node(region.test)
            if len(list(conditions(test))) == 1 and _ROLE.holds(mention(project, test)):
                return True
    return False


def _deeds(project: Project, route: Route) -> Iterator[tuple[str, Deed]]:
    for change in _changes(project, route):
        if change.table is not None:
            yield change.table.name, change.how
    if route.handler.function.kind == "function":
        yield from ((table.name, "read") for _, table in reads(project, route.handler))
    elif route.view is not None:
        table = generic_table(project, route.view)
        if table is not None:
            yield table.name, "read"


def _read_openly(project: Project) -> frozenset[str]:
    """Tables of which routes without a check of roles list all rows, whosever they are."""
    found: set[str] = set()
    for route in project.once(guarded):
        listing = ranked(route) is None and "{" not in route.path and not _changes(project, route)
        if listing and not (route.handler.function.kind == "function" and _own(project, route)):
            found |= {name for name, deed in _deeds(project, route) if deed == "read"}
    return frozenset(found)


def _ranked_like(project: Project, change: Change, table: Table, siblings: Mapping[Deed, Checked]) -> Checked:
    """The routes with a role that do the same to a table, or what comes closest to it."""
    if change.how == "insert":
        others = (siblings.get("update", ()), siblings.get("delete", ()))
        return siblings.get("insert") or (others[0] + others[1] if all(others) else ())
    alike = filter(None, (siblings.get(how) for how in (change.how, "update", "delete")))
    same = next(alike, ())
    if not same and project.once(_read_openly).isdisjoint({table.name}):
        return siblings.get("insert") or siblings.get("read") or ()
    return same
