"""Projects that keep people's data, or logins, and in which no route asks who is calling."""

from __future__ import annotations

import msgspec

from backaudit.analyses.auth.deeds import changed_by, excused, is_login, public_words, words
from backaudit.analyses.auth.exposure import unasked
from backaudit.backend.access.credentials import checks_password
from backaudit.backend.access.guards import authenticated, in_body
from backaudit.backend.access.performing import performed
from backaudit.backend.access.reads import looked_at
from backaudit.backend.access.tables import holds_users, is_user_table
from backaudit.backend.data.documents import collections
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.records import Route
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column

_PUBLIC_STEP = meaning("routes", "public-step")
_PERSONAL = meaning("people", "personal-column")


class Touched(msgspec.Struct, frozen=True):
    """A route that anybody may call: what of is changed or shown, and where."""

    route: Route
    changes: bool
    what: str
    at: Place


class Unguarded(msgspec.Struct, frozen=True):
    """``routes``: those that change first. ``keeps``: why somebody should be asked for."""

    routes: tuple[Touched, ...]
    keeps: str
    assumed: Assumed

    @property
    def first(self) -> Touched:
        return self.routes[0]


def unguarded(project: Project) -> Unguarded | None:
    """The routes of a project that asks nobody, if it keeps what should not be everybody's."""
    every = [route for route in project.once(performed) if route.handler.file.role == "production"]
    if not every or any(asks(project, route) for route in every):
        return None
    keeps = _keeps(project, every)
    found = [item for route in every if (item := _touched(project, route)) is not None]
    if not keeps or not any(item.changes for item in found):
        return None
    found.sort(key=lambda item: not item.changes)
    kept = {item.route.handler.place: item for item in found}
    assumed = KNOWN if keeps == "a login" else assume("network", "no proxy in front of it asks who is calling")
    return Unguarded(tuple(kept.values()), keeps, assumed)


def asks(project: Project, route: Route) -> bool:
    """Whether a route asks who is calling, and not only for a password that it then checks."""
    if not authenticated(route):
        return False
    own = all(in_body(guard) for guard in route.guards if guard.kind != "rate-limit")
    return not (own and (is_login(route) or checks_password(project, route.handler)))


def _keeps(project: Project, every: list[Route]) -> str:
    """What a project has that calls for a login, in words."""
    if any(is_login(route) or checks_password(project, route.handler) for route in every):
        return "a login"
    scheme = next(iter(project.calls(*sorted(project.models.kinds["guards:reads-only"]))), None)
    if scheme is not None:
        return f"a scheme for tokens that only reads them (`{scheme.method or scheme.spelled}`)"
    tables = [table for _, table in sorted(schema(project).tables.items()) if _is_own(project, table)]
    people = next((table for table in tables if is_user_table(table) and _has_password(table)), None)
    if people is not None:
        return f"users with passwords (`{people.name}`)"
    documents = next((one.name for one in collections(project) if holds_users(project, one.name)), "")
    if documents:
        return f"users (`{documents}`)"
    personal = next((table for table in tables if len(_personal(table)) > 1), None)
    return f"personal data (`{personal.name}`: {', '.join(_personal(personal)[:3])})" if personal is not None else ""


def _is_own(project: Project, table: Table) -> bool:
    """Whether the project declares the table itself; a library brings its own, used or not."""
    return not table.model or project.class_named(table.model) is not None


def _has_password(table: Table) -> bool:
    return any(is_password_column(column.name) for column in table.columns)


def _personal(table: Table) -> list[str]:
    return [column.name for column in table.columns if _PERSONAL.holds(column.name)]


def _touched(project: Project, route: Route) -> Touched | None:
    """What a route does for whoever calls, if it is none of the steps that must be open."""
    if not unasked(project, route) or is_login(route) or checks_password(project, route.handler):
        return None
    changed = changed_by(project, route)
    if changed is not None:
        registers = changed.how == "insert" and words(route) & _PUBLIC_STEP.words
        if registers or excused(project, route, changed):
            return None
        return Touched(route, True, changed.name, changed.node.place)
    if words(route) & public_words(project) or route.handler.function.kind == "class":
        return None
    read = next(iter(looked_at(project, route.handler)), None)
    return Touched(route, False, read.name, read.node.place) if read is not None else None
