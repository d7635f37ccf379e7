"""What a route does for whoever calls it: what it changes, shows and sets off, and whether its words say it is open."""

from __future__ import annotations

import re

from backaudit.backend.access.acts import Act, acts
from backaudit.backend.access.caller import caller_reads, certain_reads
from backaudit.backend.access.changes import Change, changes
from backaudit.backend.access.denial import answers_by_session, conditions, sides, tests_around
from backaudit.backend.access.owners import owner_column
from backaudit.backend.access.reads import is_counted, reads
from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.access.tables import generic_table, holds_users, is_user_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import means_people
from backaudit.vocabulary.protocols import UNSAFE

_PUBLIC_PAGE = meaning("routes", "public-page")
_PUBLIC_STEP = meaning("routes", "public-step")
_PUBLIC_ENDING = meaning("routes", "public-ending")
_PUBLISHED = meaning("routes", "published")
_CHANGING = UNSAFE | {"MUTATION"}
_WORDS = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|\d+")
_LOGIN = meaning("routes", "login")
_VISITS = meaning("routes", "visit")
_SAFE_TESTS = meaning("access", "asked-login")


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
    pages: frozenset[str] = _PUBLIC_PAGE.words
    steps: frozenset[str] = _PUBLIC_STEP.words
    return pages | steps


def excused(project: Project, route: Route, changed: Change) -> bool:
    """Whether a change is a step that must be open: logging in, confirming, hooks of other services.

    A word of the path says so of what is added; of a row that is changed only where it is a person's; of what is
    deleted only where it is the end of a session or a subscription.
    """
    found = words(route)
    if not found & _PUBLIC_STEP.words:
        return False
    methods = set(route.methods)
    if changed.how == "delete" or methods & {"DELETE"}:
        return bool(found & _PUBLIC_ENDING.words)
    if methods and methods <= {"PUT", "PATCH"}:
        return is_peoples(project, changed) or changed.table is None
    return True


def is_peoples(project: Project, changed: Change) -> bool:
    return is_user_table(changed.table) if changed.table is not None else holds_users(project, changed.name)


def is_unsafe(route: Route) -> bool:
    return bool(_CHANGING & set(route.methods)) or not route.methods


def acted(project: Project, route: Route) -> Act | None:
    if route.handler.function.kind == "class":
        return None
    found = [act for act in acts(project, route.handler) if not _asked(project, act.node)]
    if is_unsafe(route):
        return found[0] if found else None
    return next((act for act in found if act.does in ("empties the database", "deletes files")), None)


def needs_caller(project: Project, route: Route) -> Node | None:
    """A read of the caller that breaks when nobody is logged in, and that nothing asks about before."""
    code = route.handler
    if code.function.kind != "function":
        return None
    found = caller_reads(project, code)
    found = tuple(node for node in found if not _in_try(node))
    if not found or words(route) & {"logout", "signout"}:
        return None
    for region in code.body.regions:
        if region.test != NONE and _SAFE_TESTS.holds(asks(project, code.node(region.test))):
            return None
    sure = certain_reads(project, code)
    return next((node for node in found if node in sure), found[0])


def changed_by(project: Project, route: Route) -> Change | None:
    """The first change of rows that a route makes for whoever comes; a GET counts where it deletes or changes one."""
    if route.handler.function.kind == "class":
        return _changed_by_view(project, route)
    for change in changes(project, route.handler):
        asked = is_unsafe(route) or change.how == "delete"
        of_visits = change.counts or _about_visits(change.name)
        if asked and not of_visits and not _asked(project, change.node):
            return change
    return None


def _changed_by_view(project: Project, route: Route) -> Change | None:
    """What a generic view changes by its methods."""
    table = generic_table(project, route.view) if route.view is not None and is_unsafe(route) else None
    if table is None or not route.methods:
        return None
    return Change(route.handler.node(0), table, shown_name(table), "delete" if "DELETE" in route.methods else "insert")


def _in_try(node: Node) -> bool:
    """Whether a failure of the operation is caught."""
    return any(region.kind == "try" for region in node.code.regions_of(node.value))


def _asked(project: Project, node: Node) -> bool:
    """Whether the operation runs only under a condition on the caller."""
    around = (test for test, _ in tests_around(node))
    return any(_SAFE_TESTS.holds(asks(project, test)) or asks_session(project, test) for test in around)


def asks(project: Project, test: Node) -> str:
    """What a condition is about: the names in it, not what its calls are given."""
    parts = [part for node in conditions(test) for part in (node, *sides(node))]
    spelled = [name for part in parts for name in (part.spelled, part.origin.spelled)]
    sessions = [part for part in parts if is_http_session(project, part.receiver or part)]
    return " ".join([*spelled, *(["http-session"] if sessions else [])]).lower()


def asks_session(project: Project, test: Node) -> bool:
    """Whether a condition compares an entry of the session (``session["name"] != ""``), or a helper of ours does."""
    for here in (part.origin for node in conditions(test) for part in (node, *sides(node))):
        of_session = isinstance(here.op, ops.Item) and is_http_session(project, here.to(here.op.base))
        if of_session or answers_by_session(project, here):
            return True
    return False


def _about_visits(name: str) -> bool:
    return bool(_VISITS.holds(" ".join(_WORDS.findall(name.replace("_", " "))).lower()))


def revealed(project: Project, route: Route) -> tuple[Table, Place | None] | None:
    """A table of people, or of things that belong to one person each, that is shown."""
    if route.methods and "GET" not in route.methods:
        return None
    of_people = any(map(means_people, words(route)))
    for place, table in _shown_tables(project, route):
        if of_people and is_user_table(table):
            return table, place
        if owner_column(project, table) is not None and not is_published(table):
            return table, place
    return None


def _shown_tables(project: Project, route: Route) -> list[tuple[Place, Table]]:
    """The tables that a handler reads, or that its generic view is about."""
    if route.handler.function.kind != "class":
        return [(node.place, table) for node, table in reads(project, route.handler) if not is_counted(node)]
    table = generic_table(project, route.view) if route.view is not None else None
    return [(route.view.place, table)] if table is not None and route.view is not None else []


def is_published(table: Table) -> bool:
    name = f"{table.name} {table.model.rpartition('.')[2]}".replace("_", " ")
    published = _PUBLISHED.words
    return any(word.lower() in published for word in _WORDS.findall(name))


def shown_name(table: Table) -> str:
    return table.model.rpartition(".")[2] or table.name
