"""GET and HEAD that change something: rows, files, processes, mail sent."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.access.acts import acts
from backaudit.backend.access.changes import Change, changes, own_changes, written
from backaudit.backend.access.guards import guarded
from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.data.updates import updates
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.holding import conditions
from backaudit.project.operands import made_of
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import METHODS

_CHANGING = meaning("routes", "changing")
_STEPS = (meaning("routes", "public-step"), meaning("routes", "public-ending"), meaning("routes", "visit"))
_VISIT = meaning("columns", "visit-state")
_SAFE = frozenset({"GET", "HEAD"})


class Unsafe(msgspec.Struct, frozen=True):
    """A route that a link can follow, and what it changes. ``plain``: nobody would say that it is part of reading."""

    route: Route
    place: Place
    what: str
    plain: bool


def unsafe_gets(project: Project) -> tuple[Unsafe, ...]:
    """Each handler once, by place. Ask with ``project.once``."""
    found: dict[Place, Unsafe] = {}
    for route in project.once(guarded):
        serves = project.role(route.handler.path) in SERVING and route.handler.function.kind != "class"
        item = _judged(project, route) if serves and _is_asked(route) else None
        if item is not None:
            found.setdefault(route.handler.place, item)
    return tuple(found[place] for place in sorted(found))


def _is_asked(route: Route) -> bool:
    """Whether a GET comes here. A function that takes any method says itself which one it means, or its decorator."""
    if route.methods:
        return not _SAFE.isdisjoint(route.methods)
    return all(_admits_get(decorator) for decorator in route.handler.decorators)


def _admits_get(decorator: Node) -> bool:
    """Whether a decorator names no methods (``@allow("POST")``), or one that is safe among them."""
    texts = [text for given in decorator.args() for text in (given.text, *_texts(given))]
    named = {text.upper() for text in texts if text}.intersection(METHODS)
    return not named or not _SAFE.isdisjoint(named)


def _texts(given: Node) -> list[str | None]:
    return [item.text for item in given.origin.elements()]


def _judged(project: Project, route: Route) -> Unsafe | None:
    only = bool(route.methods) and _SAFE.issuperset(route.methods)
    for change in changes(project, route.handler):
        if project.solved(_done, route.handler, change, only):
            what = f"{_DOES[change.how]} `{change.name}`" if change.name else f"{_DOES[change.how]} data"
            return Unsafe(route, change.node.place, what, _is_plain(project, route, change))
    for act in acts(project, route.handler):
        if act.does in _ACTS and _says_so(route) and _is_reached(project, route.handler, act.node, only):
            return Unsafe(route, act.node.place, act.does, only)
    return _judged_by_jobs(project, route, only)


def _judged_by_jobs(project: Project, route: Route, only: bool) -> Unsafe | None:
    """What is handed to a queue, thread or background task is changed all the same, a moment later."""
    for call in route.handler.nodes(ops.Call):
        if not _is_reached(project, route.handler, call, only):
            continue
        for edge in project.graph.handovers(call):
            what = _by_job(project, edge.code)
            if what:
                return Unsafe(route, call.place, what, _says_so(route))
    return None


def _by_job(project: Project, job: Code) -> str:
    """What a job does that a link must not set off; it has no method, and nobody asks it for a page."""
    for change in changes(project, job):
        return f"has a job that {_DOES[change.how]} `{change.name}`" if change.name else "has a job that changes data"
    return next((f"has a job that {act.does}" for act in acts(project, job) if act.does in _JOBS), "")


_DOES = {"insert": "adds", "update": "changes", "delete": "deletes"}
# Of what handlers do beside rows, what a link must not set off: reports are written to files by many a download.
_ACTS = frozenset({"deletes files", "empties the database", "sends mail"})
# A mail that a job sends may be a report of what was looked at, and commands that it runs are of many kinds.
_JOBS = frozenset({"deletes files"})


def _is_plain(project: Project, route: Route, change: Change) -> bool:
    """Whether it is the route's purpose: it is called so, and it is no step of a login, visit or cached copy."""
    return _says_so(route) and not _is_of_the_visit(project, route.handler, change)


def _says_so(route: Route) -> bool:
    said = f"{route.path} {route.handler.function.qualname}"
    return _CHANGING.holds(said) and not any(book.holds(said) for book in _STEPS)


def _is_of_the_visit(project: Project, handler: Code, change: Change) -> bool:
    """Counters, marks of what was seen, rows made where they are missing."""
    if change.node.method in project.models.kinds["makes-if-missing"]:
        return True
    bodies = [handler, *project.callees(change.node)] if isinstance(change.node.op, ops.Call) else [handler]
    names = {update.name for code in bodies for update in updates(project, code)}
    for code in bodies:
        for own in own_changes(project, code):
            names.update(own.node.keywords())
    names.discard("")
    return change.how == "update" and bool(names) and all(map(_VISIT.holds, names))


def _done(project: Project, code: Code, change: Change, only: bool) -> Iterator[bool]:
    """True if a GET comes to a change: past the conditions here, and past those of the helper that makes it."""
    if not _is_reached(project, code, change.node, only):
        return
    is_call = isinstance(change.node.op, ops.Call)
    helpers = project.callees(change.node) if is_call and written(project, change.node) is None else ()
    made = [(helper, inner) for helper in helpers for inner in changes(project, helper)]
    if not made or any(project.solved(_done, helper, inner, only) for helper, inner in made):
        yield True


def _is_reached(project: Project, code: Code, node: Node, only: bool) -> bool:
    """Whether a GET comes to a statement: no condition around it asks for another method, or for what a body holds, and
    it does not only mend what has failed (a row made where its look-up found none, a token dropped that was refused).
    """
    if any(region.kind == "except" for region in code.regions_of(node.value)):
        return False
    held = list(conditions(code, node.value))
    if any(_asks_for_another(project, code.node(test), truth) for test, truth in held):
        return False
    if any(_answers_a_request(project, code.node(test), truth) for test, truth in held):
        return False
    return only or not _reads_a_body(project, code, node)


def _answers_a_request(project: Project, test: Node, truth: bool) -> bool:
    """Whether what is sent equals what the caller's own session kept for it: the way back of a login elsewhere."""
    op = test.origin.op
    if not isinstance(op, ops.Compare) or (op.operator == "==") != truth or op.operator not in ("==", "!="):
        return False
    sides = [test.origin.to(op.left), test.origin.to(op.right)]
    return sum(any(is_http_session(project, part) for part in made_of(side)) for side in sides) == 1


def _asks_for_another(project: Project, test: Node, truth: bool) -> bool:
    op = test.origin.op
    if isinstance(op, ops.Compare) and _is_method(test.origin.to(op.left)):
        texts = {item.text for item in test.origin.to(op.right).origin.elements()}
        names_get = not _SAFE.isdisjoint(filter(None, texts))
        equal = op.operator in ("==", "in")
        return names_get != (equal == truth)
    return _mentions_body(project, test) and truth


def _is_method(node: Node) -> bool:
    op = node.origin.op
    return isinstance(op, ops.Attr) and op.name == "method"


def _mentions_body(project: Project, node: Node) -> bool:
    """Whether a value is read from a body or form, or says that one is valid."""
    kinds = project.models.kinds
    for part in made_of(node):
        if part.method in kinds["form-validations"]:
            return True
        if isinstance(part.op, ops.Attr) and part.op.name in kinds["body-attributes"]:
            return True
        if part.call is not None and any(_asks_itself(project, callee) for callee in project.callees(part)):
            return True
    return False


def _asks_itself(project: Project, helper: Code) -> bool:
    """Whether a helper says by which method somebody comes, or whether a form is valid."""
    compared = (node.to(node.op.left) for node in helper.nodes(ops.Compare) if isinstance(node.op, ops.Compare))
    validations = project.models.kinds["form-validations"]
    return any(map(_is_method, compared)) or any(call.method in validations for call in helper.nodes(ops.Call))


def _reads_a_body(project: Project, code: Code, node: Node) -> bool:
    """Whether what is changed comes from a body, which a GET has not."""
    return any(
        isinstance(op, ops.Attr) and op.name in project.models.kinds["body-attributes"]
        for value, op in enumerate(code.ops)
        if value < node.value
    )
