"""Routes that change or reveal data and ask nobody who they are, in projects that have authentication."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from backaudit.analyses.auth.ownership import generic_table
from backaudit.backend.access.caller import caller_reads, is_http_session
from backaudit.backend.access.changes import changes
from backaudit.backend.access.denial import conditions, sides, tests_around
from backaudit.backend.access.guards import authenticated, guarded, in_body
from backaudit.backend.access.owners import owner_column
from backaudit.backend.access.reads import reads
from backaudit.backend.access.tables import is_user_table, named_as_users
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import UNMOUNTED, Guard, Route
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import class_field, items
from backaudit.rule import Confidence
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import means_people

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WORDS = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|\d+")
_LOGIN = meaning("routes", "login")
_VISITS = meaning("routes", "visit")
_SAFE_TESTS = meaning("access", "asked-login")


class Exposed(msgspec.Struct, frozen=True):
    """A handler that anybody reaches. ``siblings``: guards that neighbours have, with the neighbours."""

    routes: tuple[Route, ...]
    place: Place
    act: Literal["changes", "reveals", "needs the caller"]
    what: str
    at: Place | None
    siblings: tuple[tuple[Guard, Route], ...]
    confidence: Confidence

    @property
    def route(self) -> Route:
        return self.routes[0]


def exposed(project: Project) -> tuple[Exposed, ...]:
    """The handlers, each once, by place."""
    every = project.once(guarded)
    if not any(authenticated(route) for route in every) and not project.once(has_login):
        return ()
    found: dict[Place, Exposed] = {}
    for route in every:
        item = _judged(project, route)
        if item is not None:
            known = found.get(item.place)
            same = known is not None and known.act == item.act
            found[item.place] = (
                msgspec.structs.replace(known, routes=(*known.routes, route)) if known and same else known or item
            )
    return tuple(found[place] for place in sorted(found))


def has_login(project: Project) -> bool:
    """Whether some route logs people in."""
    return any(is_login(route) for route in project.once(guarded))


def words(route: Route) -> frozenset[str]:
    """The words of a route's path and of its handler's name."""
    names = f"{route.path} {route.handler.function.name} {route.view.cls.name if route.view is not None else ''}"
    return frozenset(word.lower() for word in _WORDS.findall(names.replace("_", " ")))


def is_login(route: Route) -> bool:
    """Whether a route takes credentials and opens a session or gives a token, by its words."""
    found = words(route)
    return bool(found & _LOGIN.words) and "logout" not in found


def public_words(project: Project) -> frozenset[str]:
    """Words of routes that are open by their nature."""
    words_of: frozenset[str] = project.models.kinds["public-words"]
    return words_of


def _judged(project: Project, route: Route) -> Exposed | None:
    if authenticated(route) or route.handler.file.role != "production" or "WEBSOCKET" in route.methods:
        return None
    if route.place in project.once(_unmounted):
        return None
    needed = _needs_caller(project, route)
    if needed is not None:
        return _exposed(project, route, "needs the caller", needed.spelled, needed.place, "high")
    if words(route) & public_words(project):
        return None
    changed = _changed(project, route)
    if changed is not None and _open_on_purpose(project, route):
        return None
    if changed is not None:
        return _of_change(project, route, *changed)
    revealed = _revealed(project, route)
    return _of_reveal(project, route, *revealed) if revealed is not None else None


def _of_reveal(project: Project, route: Route, table: Table, at: Place | None) -> Exposed | None:
    """Rows that are shown; where no route with a guard has to do with them, they may be meant to be."""
    kept = is_user_table(table) or _guarded_elsewhere(project, table)
    single: Confidence = "low" if is_user_table(table) or not kept else "medium"
    bulk: Confidence = "high" if kept else "medium"
    found = _exposed(project, route, "reveals", _name(table), at, bulk if _in_bulk(route) else single)
    return found if kept or found.siblings else None


def _open_on_purpose(project: Project, route: Route) -> bool:
    """Whether the code says in so many words that anybody may add something here (`AllowAny`)."""
    if set(route.methods) & {"PUT", "PATCH", "DELETE"} or not route.methods:
        return False
    field = class_field(project, route.view, "permission_classes") if route.view is not None else None
    listed = next((d.arg(0) for d in route.handler.decorators if d.method == "permission_classes"), field)
    said = [project.resolved(item) for item in items(listed)] if listed is not None else []
    openers = project.models.kinds.get("guards:open", frozenset())
    return bool(said) and all(not openers.isdisjoint(project.names(item)) for item in said)


def _unmounted(project: Project) -> frozenset[Place]:
    """Routes whose way from the application could not be followed, so that what stands on it is not known.

    Where that holds for most routes the application is put together in a way that is not seen at all: then the routes
    are taken as they are declared.
    """
    every = [route for route in project.once(guarded) if route.handler.file.role == "production"]
    found = {route.place for route in every if _stray(project, route)}
    kept = found if len(found) * 2 < len(every) else set()
    return frozenset({*kept, *(route.place for route in every if UNMOUNTED in route.tags)})


def _stray(project: Project, route: Route) -> bool:
    names = {name.rpartition(".")[2] for name in project.types(route.around[0])} if route.around else set()
    return bool(names & {"APIRouter", "Blueprint", "Namespace"})


def _of_change(project: Project, route: Route, table: Table | None, name: str, at: Place | None) -> Exposed | None:
    of_people = is_user_table(table) if table is not None else named_as_users(name)
    if of_people and not set(route.methods) & {"PUT", "PATCH", "DELETE"}:
        return None  # A registration under another name.
    found = _exposed(project, route, "changes", name, at, "high")
    if not found.siblings:
        return None
    creates = not set(route.methods) & {"PUT", "PATCH", "DELETE"}
    near = any(route.handler.file is other.handler.file for _, other in found.siblings)
    confidence: Confidence = "high" if near or not creates or not _only_reads_guarded(found) else "medium"
    return msgspec.structs.replace(found, confidence=confidence)


def _only_reads_guarded(found: Exposed) -> bool:
    return not any(set(route.methods) & _UNSAFE or not route.methods for _, route in found.siblings)


def _exposed(
    project: Project, route: Route, act: Literal["changes", "reveals", "needs the caller"], what: str,
    at: Place | None, confidence: Confidence,
) -> Exposed:  # fmt: skip
    whole = route.view is not None and route.handler.function.kind == "class"
    place = route.view.place if route.view is not None and whole else route.handler.place
    return Exposed((route,), place, act, what, at, siblings(project, route), confidence)


def siblings(project: Project, route: Route) -> tuple[tuple[Guard, Route], ...]:
    """Guarded neighbours, nearest first: the same class or file, the same kind of framework; not those that log in."""
    found: list[tuple[int, Place, Guard, Route]] = []
    public = public_words(project) - {"logout", "signout"}
    for other in project.once(guarded):
        guard = next((g for g in other.guards if g.kind in ("authenticates", "role") and not in_body(g)), None)
        guard = guard or (_own_check(project, other) if not words(other) & (public - {"auth"}) else None)
        open_by_name = words(other) & public and not (guard is not None and in_body(guard))
        if guard is not None and not open_by_name and other.handler.file.role == "production":
            same_view = route.view is not None and other.view is route.view
            distance = 0 if same_view else 1 if other.handler.file is route.handler.file else 2
            found.append((distance, other.place, guard, other))
    found.sort(key=lambda item: (item[0], item[1]))
    return tuple((guard, other) for _, _, guard, other in found[:3])


def _own_check(project: Project, route: Route) -> Guard | None:
    """The check of the HTTP session that a handler makes itself before it answers, if it turns strangers away by it."""
    code = route.handler
    guard = next((g for g in route.guards if g.kind in ("authenticates", "role") and in_body(g)), None)
    tests = [code.node(region.test) for region in code.body.regions if region.kind == "then" and region.test != NONE]
    return guard if guard is not None and any("http-session" in _asks(project, test) for test in tests) else None


def _name(table: Table) -> str:
    return table.model.rpartition(".")[2] or table.name


# -- what a route does ------------------------------------------------------------------------------------------------


def _needs_caller(project: Project, route: Route) -> Node | None:
    """A read of the caller that breaks when nobody is logged in, and that nothing asks about before."""
    code = route.handler
    if code.function.kind != "function":
        return None
    found = caller_reads(project, code)
    if not found or words(route) & {"logout", "signout"}:
        return None
    for region in code.body.regions:
        if region.test != NONE and _SAFE_TESTS.holds(_asks(project, code.node(region.test))):
            return None
    return found[0]


def _changed(project: Project, route: Route) -> tuple[Table | None, str, Place | None] | None:
    unsafe = bool(_UNSAFE & set(route.methods)) or not route.methods
    if not unsafe:
        return None
    if route.handler.function.kind == "class":
        table = generic_table(project, route.view) if route.view is not None else None
        return (table, _name(table), None) if table is not None and route.methods else None
    for change in changes(project, route.handler):
        if not _about_visits(change.name) and not _asked(project, change.node):
            return change.table, change.name, change.node.place
    return None


def _asked(project: Project, node: Node) -> bool:
    """Whether the operation runs only under a condition on the caller."""
    return any(_SAFE_TESTS.holds(_asks(project, test)) for test, _ in tests_around(node))


def _asks(project: Project, test: Node) -> str:
    """What a condition is about: the names in it, not what its calls are given."""
    parts = [part for node in conditions(test) for part in (node, *sides(node))]
    spelled = [name for part in parts for name in (part.spelled, part.origin.spelled)]
    sessions = [part for part in parts if is_http_session(project, part.receiver or part)]
    return " ".join([*spelled, *(["http-session"] if sessions else [])]).lower()


def _about_visits(name: str) -> bool:
    return bool(_VISITS.holds(" ".join(_WORDS.findall(name.replace("_", " "))).lower()))


def _revealed(project: Project, route: Route) -> tuple[Table, Place | None] | None:
    """A table of people, or of things that belong to one person each, that is shown."""
    if route.methods and "GET" not in route.methods:
        return None
    if route.handler.function.kind == "class":
        table = generic_table(project, route.view) if route.view is not None else None
        found = [(route.view.place, table)] if table is not None and route.view is not None else []
    else:
        found = [(node.place, table) for node, table in reads(project, route.handler)]
    of_people = any(means_people(word) for word in words(route))
    for place, table in found:
        if of_people and is_user_table(table):
            return table, place
        if owner_column(project, table) is not None and not _published(project, table):
            return table, place
    return None


def _published(project: Project, table: Table) -> bool:
    name = f"{table.name} {table.model.rpartition('.')[2]}".replace("_", " ")
    published = project.models.kinds["published-words"]
    return any(word.lower() in published for word in _WORDS.findall(name))


def _guarded_elsewhere(project: Project, table: Table) -> bool:
    """Whether a route with a guard reads or changes the table."""
    return table.name in project.once(_guarded_tables)


def _guarded_tables(project: Project) -> frozenset[str]:
    found: set[str] = set()
    for route in project.once(guarded):
        if authenticated(route) and route.handler.function.kind == "function":
            found |= {change.table.name for change in changes(project, route.handler) if change.table is not None}
            found |= {table.name for _, table in reads(project, route.handler)}
        elif authenticated(route) and route.view is not None:
            table = generic_table(project, route.view)
            found |= {table.name} if table is not None else set()
    return frozenset(found)


def _in_bulk(route: Route) -> bool:
    return "{" not in route.path


# -- administration ---------------------------------------------------------------------------------------------------


class OpenAdmin(msgspec.Struct, frozen=True):
    """A class of administration pages (or its use, if it is a library's) that everybody may open."""

    place: Place
    name: str
    models: tuple[str, ...]


def open_admin(project: Project) -> tuple[OpenAdmin, ...]:
    """Views given to an admin site that never say who may see them."""
    bases = sorted(project.models.kinds.get("admin-views", ()))
    found: dict[Place, list[str]] = {}
    names: dict[Place, str] = {}
    for call in project.calls_of("add_view"):
        view = call.arg(0)
        made = view.origin if view is not None else None
        if made is None or made.call is None or call.code.file.role != "production":
            continue
        for name in project.types(made):
            lineage = project.lineage(name)
            if set(bases) & set(lineage) and project.method(name, "is_accessible") is None:
                root = _topmost(project, lineage)
                place = root.place if root is not None else made.place
                model = made.arg(0)
                found.setdefault(place, []).append(model.spelled if model is not None else "")
                names[place] = root.cls.name if root is not None else name.rpartition(".")[2]
    return tuple(OpenAdmin(place, names[place], tuple(dict.fromkeys(found[place]))) for place in sorted(found))


def _topmost(project: Project, lineage: tuple[str, ...]) -> ClassView | None:
    own = [cls for name in lineage if (cls := project.class_named(name)) is not None]
    return own[-1] if own else None
