"""Routes that change or reveal data and ask nobody who they are, in projects that have authentication."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.analyses.auth.deeds import (
    acted,
    asks,
    asks_session,
    changed_by,
    excused,
    is_login,
    is_peoples,
    is_published,
    is_unsafe,
    needs_caller,
    public_words,
    revealed,
    shown_name,
    words,
)
from backaudit.analyses.auth.sent_codes import keeps_codes, proves_by_code, proving
from backaudit.backend.access.acts import Act, acts, insides_shown
from backaudit.backend.access.caller import certain_reads
from backaudit.backend.access.changes import Change, changes
from backaudit.backend.access.events import events
from backaudit.backend.access.guards import authenticated, guarded, guarded_acts, in_body, steps
from backaudit.backend.access.reads import is_counted, looked_at, reads
from backaudit.backend.access.tables import generic_table, holds_users, is_user_table
from backaudit.backend.access.vouching import request_checks, vouching
from backaudit.backend.data.documents.tables import is_collection
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import UNMOUNTED, Guard, Route
from backaudit.evidence import Assumption
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import ClassView, Project
from backaudit.project.declarations import items
from backaudit.project.locate import class_field
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import means_people
from backaudit.vocabulary.protocols import UNSAFE

_ROW_KEY = meaning("people", "row-key")
_PUBLIC_STEP = meaning("routes", "public-step")
_MUTATION = "MUTATION"
_QUERY = "QUERY"
_ASKING = ("authenticates", "role")

_ONE_PERSON = assume("purpose", "the page about one of them is not for everybody")
_FOR_SOME = assume("purpose", "what nobody is asked for on other ways is not for everybody on this one")
_NOT_PUBLIC = assume("effect", "what is shown is not for everybody")
_MAY_BE_PUBLIC = assume("purpose", "what is shown is not for everybody")
_NOT_FOR_ALL = assume("effect", "it is not meant that everybody does this")
_FAR = assume("effect", "whoever closed the routes of another module meant to close this one")
_PAGE = assume("purpose", "it is more than a page that keeps a record of its visits")
_NO_PROOF = assume("purpose", "the mail that it sends asks nobody to confirm what was stored")
_RENEWED = assume("purpose", "the codes are not for those who cannot log in yet")
_BREAKS = assume("effect", "it does more than fail where nobody is logged in")
_HANDED = assume("guard", "what is handed the caller takes it that somebody is logged in")
_NARROWED = assume("purpose", "the declared response is not meant for everybody")

# More routes than these that show a table to anybody have not all been forgotten.
_FORGOTTEN = 2

Deed = Literal["changes", "reveals", "needs the caller", "acts", "shows"]


class Exposed(msgspec.Struct, frozen=True):
    """A handler that anybody reaches. ``siblings``: guards that neighbours have, with the neighbours."""

    routes: tuple[Route, ...]
    place: Place
    act: Deed
    what: str
    at: Place | None
    siblings: tuple[tuple[Guard, Route], ...]
    assumed: Assumed

    @property
    def route(self) -> Route:
        return self.routes[0]


def exposed(project: Project) -> tuple[Exposed, ...]:
    """The handlers, each once, by place."""
    every = (*project.once(guarded), *(act for act in project.once(guarded_acts) if _is_judged(project, act)))
    asked = any(authenticated(route) for route in every) or project.once(has_login)
    found: dict[Place, Exposed] = {}
    for route in every:
        item = _judged(project, route, asked)
        if item is not None:
            known = found.get(item.place)
            same = known is not None and known.act == item.act
            found[item.place] = (
                msgspec.structs.replace(known, routes=(*known.routes, route)) if known and same else known or item
            )
    return tuple(found[place] for place in sorted(found))


def _is_judged(project: Project, act: Route) -> bool:
    """Of what clients ask for without a route: mutations, and the fields with which a query may begin."""
    cls = act.handler.cls
    return _MUTATION in act.methods or (_QUERY in act.methods and cls is not None and cls.name in project.once(_roots))


def _roots(project: Project) -> frozenset[str]:
    """The classes whose fields a query may begin with, those that they are put together from included."""
    schemas = project.calls(*sorted(project.models.kinds["graphql-schemas"]))
    given = (query for call in schemas if (query := call.arg(0, "query")) is not None)
    classes = (cls for one in given for cls in project.denoted_classes(one))
    return frozenset(name for cls in classes for name in project.lineage(cls.name))


def has_login(project: Project) -> bool:
    """Whether some route logs people in."""
    return any(is_login(route) for route in project.once(guarded))


def _judged(project: Project, route: Route, asked: bool) -> Exposed | None:
    if not unasked(project, route):
        return None
    inside = insides_shown(project, route.handler)
    if inside is not None and (not route.methods or "GET" in route.methods):
        return _exposed(project, route, "shows", inside.spelled, inside.place, KNOWN)
    if not asked:
        return None
    if _QUERY in route.methods:
        return _of_query(project, route)
    needed = needs_caller(project, route)
    if needed is not None:
        sure = needed in certain_reads(project, route.handler)
        return _exposed(project, route, "needs the caller", needed.spelled, needed.place, _BREAKS if sure else _HANDED)
    proven = route.handler in project.once(proving) or proves_by_code(project, route.handler)
    return None if proven else _of_data(project, route)


def unasked(project: Project, route: Route) -> bool:
    """Whether a route of what is deployed asks nobody who is calling."""
    if authenticated(route) or route.handler.file.role != "production" or "WEBSOCKET" in route.methods:
        return False
    return route.place not in project.once(_unmounted)


def _of_data(project: Project, route: Route) -> Exposed | None:
    changed = changed_by(project, route)
    if changed is not None and (_open_on_purpose(project, route) or excused(project, route, changed)):
        return None
    if changed is not None:
        return _of_change(project, route, changed)
    act = acted(project, route)
    if act is not None:
        return _of_act(project, route, act)
    if words(route) & public_words(project):
        return None
    shown = revealed(project, route)
    if shown is not None:
        return _of_reveal(project, route, *shown)
    return _people_listed(project, route) or _among_guarded(project, route)


def _people_listed(project: Project, route: Route) -> Exposed | None:
    """A list of the people who log in, whose documents no table describes."""
    if route.handler.function.kind != "function" or (route.methods and "GET" not in route.methods):
        return None
    people = any(means_people(word) for word in words(route)) and _in_bulk(route)
    for read in looked_at(project, route.handler) if people else ():
        kept = read.table is None or is_collection(project, read.table)
        if kept and holds_users(project, read.table.name if read.table is not None else read.name):
            found = _exposed(project, route, "reveals", read.name, read.node.place, KNOWN)
            return found if found.siblings else None
    return None


def _of_reveal(project: Project, route: Route, table: Table, at: Place | None) -> Exposed | None:
    """Rows that are shown: of others than people, it is for the project to say who may see them."""
    people = is_user_table(table)
    kept = people or _guarded_elsewhere(project, table)
    usual = _shown_usually(project, table) if kept else _FOR_SOME
    single = _ONE_PERSON if people or not kept else usual
    bulk = KNOWN if people else usual
    found = _exposed(project, route, "reveals", shown_name(table), at, bulk if _in_bulk(route) else single)
    return found if kept or found.siblings else None


def _of_query(project: Project, route: Route) -> Exposed | None:
    """People that a query shows to anybody, where others of its schema ask who is calling."""
    if words(route) & public_words(project):
        return None
    for node, table in reads(project, route.handler):
        if is_user_table(table) and not is_counted(node):
            found = _exposed(project, route, "reveals", shown_name(table), node.place, _ONE_PERSON)
            return found if found.siblings else None
    return None


def _open_on_purpose(project: Project, route: Route) -> bool:
    """Whether the code says in so many words that anybody may add something here (`AllowAny`, `[]`)."""
    if set(route.methods) & {"PUT", "PATCH", "DELETE"} or not route.methods:
        return False
    field = class_field(project, route.view, "permission_classes") if route.view is not None else None
    listed = next((d.arg(0) for d in route.handler.decorators if d.method == "permission_classes"), field)
    said = [project.resolved(item) for item in items(listed)] if listed is not None else []
    if listed is not None and not said and isinstance(project.resolved(listed).op, ops.Build):
        return True
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


def _of_change(project: Project, route: Route, changed: Change) -> Exposed | None:
    creates = not set(route.methods) & {"PUT", "PATCH", "DELETE"}
    if is_peoples(project, changed) and creates and not _picks_a_person(project, route, changed):
        return None  # A registration under another name.
    found = _exposed(project, route, "changes", changed.name, changed.node.place, KNOWN)
    if not found.siblings:
        return None
    found = _supposing(found, (*_let_by(project, route), *_asked_whole(route)))
    if creates and _mails(project, route, changed):
        return _supposing(found, _NO_PROOF)
    if creates and changed.how != "update" and keeps_codes(project, changed.table):
        return _supposing(found, _RENEWED)
    if not route.methods and changed.how == "insert" and not _reads_sent(project, route):
        return _supposing(found, _PAGE)  # any page may keep a record of who came
    return _supposing(found, _meant_for_some(route, changed, found, creates))


def _let_by(project: Project, route: Route) -> Assumed:
    """What is supposed of checks of what is sent that may be of who sent it: a signature, somebody's code."""
    return tuple(
        Assumption("guard", f"`{code.function.qualname}` turns nobody away") for code in vouching(project, route)
    )


def _reads_sent(project: Project, route: Route) -> bool:
    """Whether a handler that is asked by any method looks at the method, or at what a form or body holds."""
    sources = project.models.sources
    for node in route.handler.nodes(ops.Attr):
        if node.spelled.endswith("request.method"):
            return True
        said = [sources[name] for name in project.names(node) if name in sources]
        if any("form" in what or "body" in what or "file" in what for what in said):
            return True
    return False


def _asked_whole(route: Route) -> Assumed:
    """What is supposed of a check that is handed the whole request, and whose failure is answered with a refusal."""
    return tuple(Assumption("guard", f"`{call.spelled}` turns nobody away") for call in request_checks(route.handler))


def _meant_for_some(route: Route, changed: Change, found: Exposed, creates: bool) -> Assumed:
    """What is supposed of a change that nobody is asked for, by how its neighbours are guarded."""
    if not is_unsafe(route):
        return KNOWN if changed.how == "delete" else _NOT_FOR_ALL
    near = any(route.handler.file is other.handler.file for _, other in found.siblings)
    if near:
        return KNOWN
    return _NOT_FOR_ALL if creates and _only_reads_guarded(found) else _FAR


def _mails(project: Project, route: Route, changed: Change) -> bool:
    """Whether a row is added and a mail goes out: who was written to shows by its code that the address is theirs."""
    return changed.how == "insert" and any(act.does == "sends mail" for act in acts(project, route.handler))


def _supposing(found: Exposed, more: Assumed) -> Exposed:
    return msgspec.structs.replace(found, assumed=(*found.assumed, *more))


def _picks_a_person(project: Project, route: Route, changed: Change) -> bool:
    """Whether the row of a person is picked by the client's id, and then changed; who forgot a password says a name."""
    if changed.how == "insert" or words(route) & _PUBLIC_STEP.words:
        return False
    found = (event for event in events(project, route) if not event.tie and event.table is changed.table)
    return any(not event.by or _ROW_KEY.holds(event.by) or event.by in _key_of(event.table) for event in found)


def _key_of(table: Table | None) -> tuple[str, ...]:
    return table.primary_key[:1] if table is not None else ()


def _of_act(project: Project, route: Route, act: Act) -> Exposed | None:
    """Files, programs and whole stores are nobody's to change, whatever the path says."""
    harsh = act.does not in ("sends mail", "writes files")
    if not harsh and words(route) & public_words(project):
        return None
    found = _exposed(project, route, "acts", act.does, act.node.place, KNOWN if harsh else _NOT_FOR_ALL)
    return found if found.siblings else None


def _among_guarded(project: Project, route: Route) -> Exposed | None:
    """The one read that asks nobody, of a table that routes with guards read and change."""
    if route.handler.function.kind == "class" or (route.methods and "GET" not in route.methods):
        return None
    for node, table in reads(project, route.handler):
        guarded_reads, open_reads, changes_asked = project.once(_readers).get(table.name, (0, 0, 0))
        alone = open_reads == 1 and guarded_reads > open_reads
        if alone and changes_asked and not is_published(table):
            assumed = _NOT_PUBLIC if route.response is None else _NARROWED
            return _exposed(project, route, "reveals", shown_name(table), node.place, assumed)
    return None


def _readers(project: Project) -> dict[str, tuple[int, int, int]]:
    """For each table, how many handlers read it behind a guard and without one, and how many change it behind one."""
    counts: dict[str, list[int]] = {}
    seen: set[Place] = set()
    for route in project.once(guarded):
        if route.handler.function.kind == "class" or route.handler.place in seen:
            continue
        seen.add(route.handler.place)
        asked = authenticated(route)
        written = {change.table.name for change in changes(project, route.handler) if change.table is not None}
        for name in written if asked else ():
            counts.setdefault(name, [0, 0, 0])[2] += 1
        for name in _only_shown(project, route):
            counts.setdefault(name, [0, 0, 0])[0 if asked else 1] += 1
    return {name: (found[0], found[1], found[2]) for name, found in counts.items()}


def _only_reads_guarded(found: Exposed) -> bool:
    return not any(set(route.methods) & UNSAFE or not route.methods for _, route in found.siblings)


def _exposed(
    project: Project, route: Route, act: Deed, what: str, at: Place | None, assumed: Assumed,
) -> Exposed:  # fmt: skip
    whole = route.view is not None and route.handler.function.kind == "class"
    place = route.view.place if route.view is not None and whole else route.handler.place
    return Exposed((route,), place, act, what, at, siblings(project, route), (*unread(project, route), *assumed))


def unread(project: Project, route: Route) -> Assumed:
    """What is supposed of what stands before a route and could not be read: a permission is there to turn away."""
    unknown = [step for step in steps(project, route) if not step.read]
    return tuple(
        Assumption("guard" if step.how == "permission" else "wrapper", f"`{step.name}` turns nobody away")
        for step in unknown
    )


def siblings(project: Project, route: Route) -> tuple[tuple[Guard, Route], ...]:
    """Guarded neighbours, nearest first: the same class or file, the same kind of framework; not those that log in."""
    found: list[tuple[int, Place, Guard, Route]] = []
    # All mutations and queries come by one route: only what others of them ask for says that this one should ask.
    of_acts = _MUTATION in route.methods or _QUERY in route.methods
    for other in project.once(guarded_acts) if of_acts else project.once(guarded):
        guard = _telling_guard(project, other, of_acts)
        if guard is not None and other.handler.file.role == "production":
            same_view = route.view is not None and other.view is route.view
            distance = 0 if same_view else 1 if other.handler.file is route.handler.file else 2
            found.append((distance, other.place, guard, other))
    found.sort(key=lambda item: (item[0], item[1]))
    return tuple((guard, other) for _, _, guard, other in found[:3])


def _telling_guard(project: Project, route: Route, of_acts: bool) -> Guard | None:
    """The guard by which a route says that its like are not for anybody; none of one that is open by its name."""
    public = public_words(project) - {"logout", "signout"}
    asking = (guard for guard in route.guards if guard.kind in _ASKING and (of_acts or not in_body(guard)))
    guard = next(asking, None)
    if guard is None and not words(route) & (public - {"auth"}):
        guard = _own_check(project, route)
    by_name = words(route) & public and not (guard is not None and in_body(guard))
    return None if by_name else guard


def _own_check(project: Project, route: Route) -> Guard | None:
    """The check of the HTTP session that a handler makes itself before it answers, if it turns strangers away by it."""
    code = route.handler
    guard = next((g for g in route.guards if g.kind in ("authenticates", "role") and in_body(g)), None)
    tests = [code.node(region.test) for region in code.body.regions if region.kind == "then" and region.test != NONE]
    found = any("http-session" in asks(project, test) or asks_session(project, test) for test in tests)
    return guard if found else None


def _guarded_elsewhere(project: Project, table: Table) -> bool:
    """Whether a route with a guard shows the table: that only its owner changes a row says nothing of who reads it."""
    return table.name in project.once(_guarded_tables)


def _guarded_tables(project: Project) -> frozenset[str]:
    found: set[str] = set()
    for route in project.once(guarded):
        if not authenticated(route):
            continue
        if route.handler.function.kind == "function":
            found |= {change.table.name for change in changes(project, route.handler) if change.table is not None}
            found |= {table.name for _, table in reads(project, route.handler)}
        elif route.view is not None and not _edits(project, route.view):
            table = generic_table(project, route.view)
            found |= {table.name} if table is not None else set()
    return frozenset(found)


def _shown_usually(project: Project, table: Table) -> Assumed:
    """What is supposed where a table is shown to anybody that a route with a guard knows, too."""
    if _is_open_mostly(project, table):
        return _FOR_SOME
    return _NOT_PUBLIC if _is_read_behind_guards(project, table) else _MAY_BE_PUBLIC


def _is_read_behind_guards(project: Project, table: Table) -> bool:
    """Whether at least as many routes show a table to those who are logged in, and this is the only other."""
    guarded_reads, open_reads, _ = project.once(_readers).get(table.name, (0, 0, 0))
    return open_reads == 1 and guarded_reads >= open_reads


def _is_open_mostly(project: Project, table: Table) -> bool:
    """Whether more routes show a table to anybody than to those who are logged in."""
    guarded_reads, open_reads, _ = project.once(_readers).get(table.name, (0, 0, 0))
    return open_reads > max(guarded_reads, _FORGOTTEN)


def _only_shown(project: Project, route: Route) -> set[str]:
    """The tables that a route only shows: it is asked for by GET, and does not change them."""
    if route.methods and "GET" not in route.methods:
        return set()
    changed = {change.table.name for change in changes(project, route.handler) if change.table is not None}
    return {table.name for _, table in reads(project, route.handler)} - changed


def _edits(project: Project, view: ClassView) -> bool:
    """Whether a generic view changes rows, too: what it shows is what its form begins with."""
    return any(is_unsafe(route) for route in project.once(guarded) if route.view is view)


def _in_bulk(route: Route) -> bool:
    return "{" not in route.path
