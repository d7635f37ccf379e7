"""What routes do to the things that a project keeps: create, read, update, delete, by table, collection or path."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.access.changes import changes
from backaudit.backend.access.reads import looked_at
from backaudit.backend.web.records import Route
from backaudit.facts.place import Place
from backaudit.portfolio.accounts import is_step, registers
from backaudit.portfolio.stack import at_line, paired, route_name
from backaudit.portfolio.tables import own_tables
from backaudit.project import Project
from backaudit.survey.records import RouteRow
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import names_accounts, names_people, names_users, noun_of

ACTS = ("create", "read", "update", "delete")
_BY_CHANGE = {"insert": "create", "update": "update", "delete": "delete"}
_BY_METHOD = {"POST": "create", "GET": "read", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
_FORM_VIEWS = {"create": "creating-views", "update": "updating-views", "delete": "deleting-views"}
_IS_ACT = meaning("routes", "act")
_VERBS = {"delete": meaning("routes", "deleting"), "update": meaning("routes", "updating")}
_ONESELF = meaning("routes", "oneself")


class Resource(msgspec.Struct, frozen=True):
    """A thing that is kept. ``routes``: for each act the first route that does it; ``place``: that of the first."""

    name: str
    routes: dict[str, str]
    place: Place

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(act for act in ACTS if act not in self.routes)


def resources(project: Project) -> tuple[Resource, ...]:
    """The things that routes change, the most complete first. Ask with ``project.once``."""
    found: dict[str, dict[str, RouteRow]] = {}
    names = _names(project)
    for row, route in project.once(paired):
        for act, noun in dict.fromkeys(_acts(project, row, route, names)):
            found.setdefault(noun, {}).setdefault(act, row)
    kept = {noun: acts for noun, acts in found.items() if _is_resource(acts, noun in names)}
    made = [_resource(names.get(noun, noun), acts) for noun, acts in kept.items()]
    return tuple(sorted(made, key=lambda one: (len(one.missing), one.name)))


def _is_resource(acts: dict[str, RouteRow], is_stored: bool) -> bool:
    """A thing that is changed; one that only a path tells of is told by two acts: a login is posted to as well."""
    return bool(acts.keys() - {"read"}) and (is_stored or len(acts) > 1)


def _resource(name: str, acts: dict[str, RouteRow]) -> Resource:
    first = next(acts[act] for act in ACTS if act in acts)
    return Resource(name, {act: route_name(row) for act, row in acts.items()}, at_line(first.at))


def _names(project: Project) -> dict[str, str]:
    """What tables are called, by the noun that their names and classes come down to."""
    found: dict[str, str] = {}
    for table in own_tables(project):
        shown = table.model.rpartition(".")[2] or table.name
        for name in (table.name, shown):
            found.setdefault(noun_of(name), shown)
    return found


def _acts(project: Project, row: RouteRow, route: Route, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The acts of one route, with the noun of what each is done to."""
    methods = [method for method in row.methods if method in _BY_METHOD]
    own = _of_path(row.path)
    seen = list(_of_code(project, route, methods, own if own in names else ""))
    yield from seen
    # Where the code is not known, or only what it reads on the way, the method says what the route is for; and so it
    # does of the thing that the path names, where the code is seen to do something to others alone.
    is_known = any(act != "read" for act, _ in seen) or (seen and methods in ([], ["GET"]))
    if is_known and (own not in names or own in {noun for _, noun in seen} or not methods):
        return
    if registers(project, row):
        yield from (("create", noun_of(name)) for name in filter(names_people, row.writes))
    elif not is_step(row):
        acts = _of_view(project, route) or _of_words(row, methods)
        for noun in _nouns(project, row, route, seen, names):
            yield from ((act, noun) for act in acts)


def _of_view(project: Project, route: Route) -> list[str]:
    """What a generic view with a form does, whatever the method by which the form comes."""
    lineage = project.lineage(route.view.name) if route.view is not None else ()
    if route.methods == ("GET",):
        return []
    kinds = project.models.kinds
    return [act for act, kind in _FORM_VIEWS.items() if not kinds[kind].isdisjoint(lineage)]


def _of_words(row: RouteRow, methods: list[str]) -> list[str]:
    """What the method says, or the verb at the path's end where a form posts everything."""
    last = next((part for part in reversed(row.path.split("/")) if part and "{" not in part), "")
    spelled = [act for act, book in _VERBS.items() if book.holds(last)]
    return spelled[:1] if spelled and methods != ["GET"] else [_BY_METHOD[method] for method in methods]


def _of_code(project: Project, route: Route, methods: list[str], own: str) -> Iterator[tuple[str, str]]:
    """The acts that the handler's code shows, as far as they fit its methods."""
    if route.handler.function.kind == "class":
        return
    replaces = not {"PUT", "PATCH"}.isdisjoint(methods)
    for act, noun in _seen(project, route, own):
        # What a PUT writes anew stands in the place of what was there.
        done = "update" if act == "create" and replaces else act
        if _fits(done, methods):
            yield done, noun


def _nouns(
    project: Project, row: RouteRow, route: Route, seen: list[tuple[str, str]], names: dict[str, str]
) -> list[str]:
    """What a route is about: what its path names if that is stored, else what it touches."""
    own = _of_path(row.path) if not _ONESELF.holds(row.path) else _of_accounts(project)
    touched = [noun for _, noun in seen] or [noun_of(name) for name in (*row.writes, *row.reads)]
    inherited = route.handler.function.kind == "class"
    named = own in names and not inherited
    return [own] if own and (named or not touched) else list(dict.fromkeys(touched))


def _of_accounts(project: Project) -> str:
    """The noun of the table of those who log in; empty where there is none."""
    tables = [table for table in own_tables(project) if names_accounts(table.name)]
    first = min(tables, key=lambda table: not names_users(table.name), default=None)
    return noun_of(first.model or first.name) if first is not None else ""


def _fits(act: str, methods: list[str]) -> bool:
    """What a handler writes in answer to a GET is no act of the API; a form posts whatever it does."""
    return (act == "read" and ("GET" in methods or not methods)) or (act != "read" and methods != ["GET"])


def _seen(project: Project, route: Route, own: str) -> Iterator[tuple[str, str]]:
    """What the handler's code does to which rows or documents; ``own``: the stored thing that the path names."""
    for change in changes(project, route.handler):
        table = change.table
        name = table.model.rpartition(".")[2] or table.name if table is not None else ""
        # Without a table the name may be a variable's: what the path names goes before it.
        yield _BY_CHANGE[change.how], noun_of(name) or own or noun_of(change.name)
    for read in looked_at(project, route.handler):
        yield "read", noun_of(read.name)


def _of_path(path: str) -> str:
    """The noun of a path: its last segment that is neither a placeholder nor a verb."""
    segments = [part for part in path.split("/") if part and "{" not in part and not _IS_ACT.holds(part)]
    return noun_of(segments[-1]) if segments else ""
