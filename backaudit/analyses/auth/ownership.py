"""Rows that a route picks by the client's key and changes or shows without asking whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from backaudit.analyses.auth.deeds import words
from backaudit.analyses.auth.roles import unranked
from backaudit.analyses.auth.views import view_parts
from backaudit.backend.access.caller import caller_reads, mentions_caller, of_people
from backaudit.backend.access.changes import Change, changes
from backaudit.backend.access.credentials import checks_password
from backaudit.backend.access.events import Event, events, events_in_part
from backaudit.backend.access.guards import authenticated, in_body, known_by_secret
from backaudit.backend.access.owners import is_callers, owner_column, parent_owner
from backaudit.backend.access.performing import performed
from backaudit.backend.access.reads import reads
from backaudit.backend.access.tables import generic_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import Guard, Route
from backaudit.backend.web.responses import answers
from backaudit.facts.place import Place
from backaudit.project import ClassView, Project
from backaudit.project.operands import made_of
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import UNSAFE

_PUBLIC_STEP = meaning("routes", "public-step")
_DETAIL = meaning("routes", "detail-view")
_ORDINARY = meaning("people", "ordinary-role")
_OPEN = meaning("routes", "own-proof")
_STEP = meaning("routes", "public-step")
_ENDING = meaning("routes", "public-ending")
_AUDIT = meaning("people", "record-of-maker")
_SINGLE = meaning("routes", "single-view")
_SOCIAL = meaning("routes", "in-sight")
_DETAIL_MIXIN = meaning("routes", "detail-mixin")


_OWN_BY_PARENT = assume("effect", "who owns the parent owns the row")
_OTHERS_ROW = assume("effect", "people may change their own row alone")
_PROFILE = assume("purpose", "a person's row is for that person's eyes alone")
_AUDITED = assume("purpose", "the column says whose the row is, not who made it last")
_KEPT_FROM_OTHERS = assume("effect", "whoever is named in the row is the one who may change it")
_CLOSED = assume("purpose", "only those who may see the row may add to it")
_SHARED = assume("purpose", "the row is not shared with others")


class Unowned(msgspec.Struct, frozen=True):
    """One row that is not tied to the caller. ``owner``: the column that would tie it."""

    route: Route
    place: Place
    table: Table
    owner: str
    act: Literal["changed", "shown", "added to"]
    inner: Place | None
    assumed: Assumed


def unowned(project: Project) -> tuple[Unowned, ...]:
    """All such rows, by place, one for each table and handler."""
    found: dict[tuple[Place, str], Unowned] = {}
    # Where a role is what lacks, the owner is not: one cause, told once.
    told = {(item.route.handler, item.table.name) for item in project.once(unranked)}
    for route in project.once(performed):
        for item in _of_route(project, route):
            if (route.handler, item.table.name) in told:
                continue
            key = (item.place, item.table.name)
            if key not in found or (found[key].act == "shown" and item.act == "changed"):
                found[key] = item
    return tuple(sorted(found.values(), key=lambda item: (item.place, item.table.name)))


def _of_route(project: Project, route: Route) -> Iterator[Unowned]:
    ruling = [guard for guard in route.guards if rules_others(guard)]
    if route.handler.file.role != "production" or any(not guard.roles for guard in ruling):
        return
    seen = events(project, route) if route.handler.function.kind == "function" else ()
    if _is_owners(route, seen) or _proves_itself(project, route) or not _knows_caller(project, route, seen):
        return
    if known_by_secret(route):
        return
    if route.view is not None and not ruling and not seen:
        yield from _generic(project, route, route.view)
    reported: set[str] = set()
    for event in seen:
        if not event.tie and event.table is not None and event.table.name not in reported:
            if not all(_is_of_owners(project, guard, event.table) for guard in ruling):
                continue
            found = list(_judged(project, route, event, event.table))
            reported |= {item.table.name for item in found}
            yield from found


def _is_owners(route: Route, seen: tuple[Event, ...]) -> bool:
    """Whether a guard asks for the owner; a check in the body is one of the ties, which tell what it does not cover."""
    tied = any(event.tie for event in seen)
    return any(guard.kind == "ownership" and not (tied and in_body(guard)) for guard in route.guards)


def _knows_caller(project: Project, route: Route, seen: tuple[Event, ...]) -> bool:
    """Whether the route asks who calls, by a guard or in its body."""
    if authenticated(route) or any(event.tie for event in seen):
        return True
    return route.handler.function.kind == "function" and bool(caller_reads(project, route.handler))


def _proves_itself(project: Project, route: Route) -> bool:
    """Whether nobody is logged in yet who asks a route: it takes a password or a token as proof itself."""
    before = [guard for guard in route.guards if guard.kind != "rate-limit" and not in_body(guard)]
    if before or route.handler.function.kind != "function":
        return False
    by_name = bool(words(route) & (_STEP.words | _ENDING.words))
    return by_name or checks_password(project, route.handler)


def rules_others(guard: Guard) -> bool:
    """Whether a guard asks for a role that may touch what belongs to others; what people come as is none."""
    return guard.kind in ("role", "scope") and not any(_ORDINARY.holds(role) for role in guard.roles)


def _is_of_owners(project: Project, guard: Guard, table: Table) -> bool:
    """Whether a role is that of the many to whom rows belong: each seller has products, by their ``seller_id``."""
    owner = owner_column(project, table)
    stem = owner.name.lower().removesuffix("_id") if owner is not None else ""
    return any(role.lower() == stem for role in guard.roles)


def _judged(project: Project, route: Route, event: Event, table: Table) -> Iterator[Unowned]:
    written = [change for change in changes(project, route.handler) if not change.counts]
    # A row that is only looked at beside one that is added is not changed: the parent of a comment.
    tables = {change.table.name for change in written if change.table is not None and change.how != "insert"}
    changed = event.effect >= 0 or table.name in tables
    if not changed and (written or not _shows(project, route, event, table)):
        yield from _added_to(project, route, event, table, written)
        return
    inner = event.inner.place if event.inner is not None else None
    owner = owner_column(project, table)
    if owner is None and not of_people(project, table):
        yield from _of_parent(project, route, event, table, changed)
    elif not event.column or (owner is not None and event.column in (owner.name, owner.attribute)):
        yield from _reported(project, route, event.node.place, table, changed, inner)


def _added_to(project: Project, route: Route, event: Event, table: Table, written: list[Change]) -> Iterator[Unowned]:
    """A row that its owner alone sees, to which anybody adds rows of another table: comments, files."""
    added = [change.table for change in written if change.how == "insert" and change.table is not None]
    owner = owner_column(project, table)
    children = (child for child in added if child.name != table.name)
    if owner is None or event.column or not any(_belongs_to(child, table) for child in children):
        return
    if is_private(project, table) and table.name not in project.once(_listed) and not _SOCIAL.holds(route.path.lower()):
        inner = event.inner.place if event.inner is not None else None
        name = owner.attribute or owner.name
        yield Unowned(route, event.node.place, table, name, "added to", inner, _CLOSED)


def _belongs_to(child: Table, parent: Table) -> bool:
    return any(column.references.rpartition(".")[0] == parent.name for column in child.columns if column.references)


def _shows(project: Project, route: Route, event: Event, table: Table) -> bool:
    """Whether a route is there to show a row: by its method, or, of what is no person's, because that is answered."""
    if not route.methods or not {"GET", "HEAD", "QUERY"}.isdisjoint(route.methods):
        return True
    shown = (*route.handler.returned(), *(body for answer in answers(project, route.handler) for body in answer.body))
    return not of_people(project, table) and any(event.node.origin in made_of(body) for body in shown)


def _of_parent(project: Project, route: Route, event: Event, table: Table, changed: bool) -> Iterator[Unowned]:
    """A row without an owner of its own, whose parent belongs to somebody."""
    found = parent_owner(project, table)
    if found is None or not changed or found[1].name not in project.once(_private):
        return
    column, parent = found
    if event.column and event.column not in (column.name, column.attribute):
        return
    if any(e.tie and e.table in (None, parent) for e in events(project, route)):
        return
    owner = owner_column(project, parent)
    inner = event.inner.place if event.inner is not None else None
    named = f"{parent.model.rpartition('.')[2] or parent.name}.{owner.name}" if owner is not None else column.name
    yield Unowned(route, event.node.place, table, named, "changed", inner, _OWN_BY_PARENT)


def _reported(
    project: Project, route: Route, place: Place, table: Table, changed: bool, inner: Place | None = None
) -> Iterator[Unowned]:
    act: Literal["changed", "shown"] = "changed" if changed else "shown"
    if of_people(project, table):
        if not _is_for_others(route, changed):
            yield Unowned(route, place, table, "id", act, inner, _OTHERS_ROW if changed else _PROFILE)
        return
    owner = owner_column(project, table)
    if owner is None:
        return
    private = is_private(project, table)
    # The one row that everybody has, a profile, is read for its own person on every page, and shown to others.
    shared = owner.unique or table.name in project.once(_listed) or _SOCIAL.holds(route.path.lower())
    alone = not shared and not _AUDIT.holds(owner.name) and is_callers(project, table, owner)
    if changed or private or (alone and authenticated(route)):
        assumed = KNOWN if private else _AUDITED if _AUDIT.holds(owner.name) else _KEPT_FROM_OTHERS
        if not changed and (shared or not private):
            assumed = _SHARED
        yield Unowned(route, place, table, owner.attribute or owner.name, act, inner, assumed)


def _is_for_others(route: Route, changed: bool) -> bool:
    """Whether a route is there to show people to each other, or to let in who is not known yet."""
    if changed:
        return not authenticated(route) or bool(words(route) & _PUBLIC_STEP.words)
    return _OPEN.holds(f"{route.path} {route.handler.function.name}".lower())


def is_private(project: Project, table: Table) -> bool:
    """Whether some route reads a table's rows for the caller alone."""
    return table.name in project.once(_private)


def _private(project: Project) -> frozenset[str]:
    """Tables that some route reads for the caller alone, and tables that are filled together with one of these."""
    found: set[str] = set()
    for route in project.once(performed):
        if route.handler.function.kind == "function":
            found |= {e.table.name for e in events(project, route) if e.tie and e.table is not None}
        for name, table in _narrowed(project, route.view) if route.view is not None else ():
            found.add(name if table is None else table.name)
    return frozenset(found)


def _listed(project: Project) -> frozenset[str]:
    """Tables of which some route shows all rows to whoever asks, also where another lists one's own."""
    found: set[str] = set()
    for route in project.once(performed):
        if UNSAFE & set(route.methods) or any(guard.kind in ("role", "ownership") for guard in route.guards):
            continue
        if route.handler.function.kind == "function":
            asked = {event.table.name for event in events(project, route) if event.table is not None}
            found |= {table.name for _, table in reads(project, route.handler)} - asked
        elif route.view is not None and not any(_SINGLE.holds(n) for n in project.lineage(route.view.name)[1:]):
            table = generic_table(project, route.view)
            narrowed = {name for name, _ in _narrowed(project, route.view)}
            found |= {table.name} - narrowed if table is not None else set()
    return frozenset(found)


def _narrowed(project: Project, view: ClassView) -> Iterator[tuple[str, Table | None]]:
    """The table of a generic view whose queryset asks for the caller."""
    code = project.method(view.name, "get_queryset")
    if code is not None:
        for event in events_in_part(project, code):
            if event.tie and event.table is not None:
                yield event.table.name, event.table


# -- generic class views ----------------------------------------------------------------------------------------------


def _is_generic(project: Project, view: ClassView) -> bool:
    return any(_DETAIL.holds(name) or _DETAIL_MIXIN.holds(name) for name in project.lineage(view.name)[1:])


def _generic(project: Project, route: Route, view: ClassView) -> Iterator[Unowned]:
    if "{" not in route.path or not _is_generic(project, view):
        return
    if any(mentions_caller(project, code) for code in view_parts(project, view)):
        return
    table = generic_table(project, view)
    if table is not None:
        changed = bool(UNSAFE & set(route.methods)) or not route.methods
        place = view.place if route.handler.function.kind == "class" else route.handler.place
        yield from _reported(project, route, place, table, changed)
