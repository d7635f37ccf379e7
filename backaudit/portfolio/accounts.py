"""How people come to have an account and to use it: the routes, the hash, the token. Rows and questions both ask."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.auth.attempts import is_login
from backaudit.analyses.auth.tokens import issues, lifetimes, signings
from backaudit.backend.access.guards import guarded
from backaudit.backend.web.frameworks.django import library_views
from backaudit.facts.place import Place
from backaudit.portfolio.stack import at_line, served, stack, surveyed
from backaudit.project import Node, Project
from backaudit.survey.records import PASSWORD_CHECK, RouteRow
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, names_people
from backaudit.vocabulary.protocols import UNSAFE

_REGISTRATION = meaning("routes", "registration")
_NO_LOGIN = meaning("routes", "no-login")
_OPEN = (meaning("routes", "public-step"), meaning("routes", "public-ending"), meaning("routes", "visit"))


class Door(msgspec.Struct, frozen=True):
    """A route by which somebody comes in; ``library``: it is a library's, by that name."""

    path: str
    place: Place
    library: str = ""


class Hashing(msgspec.Struct, frozen=True):
    """Where passwords are hashed: by what, with which numbers, as far as the call names them (``rounds=12``)."""

    name: str
    place: Place
    cost: str = ""


def registrations(project: Project) -> tuple[Door, ...]:
    """Routes by which somebody gets an account."""
    own = [row for row in served(project) if registers(project, row)]
    return (*(_door(row) for row in own), *_of_libraries(project, "brings-registration"))


def logins(project: Project) -> tuple[Door, ...]:
    """Routes that take a password and let in."""
    checking = {row.at: _door(row) for row in served(project) if _checks(row) and not _NO_LOGIN.holds(row.path)}
    named = {r.place: Door(r.path, r.place) for r in project.once(guarded) if is_login(project, r)}
    lines = {(door.place.path, door.place.span.line) for door in named.values()}
    rest = [door for at, door in checking.items() if (at.path, at.line) not in lines]
    return (*named.values(), *rest, *library_logins(project), *_of_libraries(project, "brings-login"))


def library_logins(project: Project) -> tuple[Door, ...]:
    """Logins of libraries that limit nothing by themselves."""
    return _of_libraries(project, "login-views")


def _checks(row: RouteRow) -> bool:
    return any(guard.name == PASSWORD_CHECK for guard in row.guards) and not row.authenticates


def _door(row: RouteRow) -> Door:
    return Door(row.path, at_line(row.at))


def _of_libraries(project: Project, kind: str) -> tuple[Door, ...]:
    """Views of libraries that are mounted, and calls that bring routes along."""
    known = project.models.kinds[kind]
    views = (Door(view.path, view.place, view.name) for view in project.once(library_views) if view.name in known)
    calls = (call for call in project.calls(*sorted(known)) if project.role(call.code.path) == "production")
    return (*views, *(Door(call.method, call.place, call.spelled) for call in calls))


def registers(project: Project, row: RouteRow) -> bool:
    """Whether somebody gets an account by a route: its path says so, or who does not log in yet sends a password that a
    table of people is written with."""
    if (row.methods and "POST" not in row.methods) or _checks(row):
        return False
    if _REGISTRATION.holds(row.path) or row.authenticates:
        return bool(_REGISTRATION.holds(row.path))
    named = _REGISTRATION.holds(row.handler.rpartition(".")[2])
    return _takes_password(project, row) and (named or any(map(names_people, row.writes)))


def _takes_password(project: Project, row: RouteRow) -> bool:
    schemas = (surveyed(project).schema(name) for one in row.sent for name in one.shape.schemas())
    fields = [field.name for schema in filter(None, schemas) for field in schema.fields]
    return any(map(is_password_column, [*fields, *(one.name for one in row.sent)]))


def hashings(project: Project) -> tuple[Hashing, ...]:
    """Calls of production code that hash as passwords are to be hashed, by place."""
    strong = [name for name, strength in sorted(project.models.hashers.items()) if strength == "strong"]
    found = [Hashing(_hasher(project, call), call.place, _cost(call)) for call in project.calls(*strong)]
    if not found:
        found = list(_by_itself(project))
    production = (one for one in found if project.role(one.place.path) == "production")
    return tuple(sorted(production, key=lambda one: one.place))


def _cost(call: Node) -> str:
    numbers = {name: node.const for name, node in call.keywords().items()}
    return ", ".join(f"{name}={value}" for name, value in sorted(numbers.items()) if isinstance(value, int))


def _by_itself(project: Project) -> Iterator[Hashing]:
    """A framework's own way of storing a password: by its calls, or its forms."""
    told = (project.models.framework(name).hashes for name in project.once(stack))
    hasher = next(filter(None, told), "")
    known = sorted(project.models.kinds["hashes-by-itself"]) if hasher else []
    yield from (Hashing(hasher, call.place) for call in project.calls(*known))
    yield from (Hashing(hasher, cls.place) for cls in project.subclasses(*known))


def _hasher(project: Project, call: Node) -> str:
    names = project.names(call.func) if call.func is not None else ()
    return next((name for name in names if project.models.hashers.get(name) == "strong"), call.spelled)


def issues_tokens(project: Project) -> tuple[Node, ...]:
    """Calls that make a token for a caller, in production code."""
    made = (*(signing.call for signing in project.once(signings)), *project.once(issues))
    return tuple(call for call in made if project.role(call.code.path) == "production")


def shortest(project: Project) -> tuple[Place, float] | None:
    """The lifetime of the token that a login gives: the shortest that is said."""
    said = project.once(lifetimes)
    return min(said, key=lambda pair: (pair[1], pair[0])) if said else None


def changing(project: Project) -> list[RouteRow]:
    """Routes that change data, those by which people come in, leave and write to the house left out."""
    return [row for row in served(project) if _is_change(row) and not is_step(row) and not registers(project, row)]


def _is_change(row: RouteRow) -> bool:
    return not UNSAFE.isdisjoint(row.methods)


def is_step(row: RouteRow) -> bool:
    """Whether a route is a step of coming in or leaving, or a message to the house: it is open by its nature."""
    said = f"{row.path} {row.handler.rpartition('.')[2]}"
    return _checks(row) or any(book.holds(said) for book in _OPEN)


def duration(seconds: float) -> str:
    """``15 minutes``, ``24 hours``, ``7 days``."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0 and (size != 86_400 or seconds > 86_400):
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"
