"""Rows that may not be there, and are used as if they were."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors import firsts, kept, standing
from backaudit.analyses.errors.callers import without_the_row
from backaudit.analyses.errors.mends import answered_404, looked_up_or_404
from backaudit.analyses.errors.needed import needs
from backaudit.analyses.errors.own_rows import lacked_by_some
from backaudit.analyses.errors.requests import looked_up, showing
from backaudit.analyses.errors.vouching import compared, has_been_told, is_validated
from backaudit.backend.access.missing import (
    admits_none,
    alike,
    asked,
    behind,
    chain,
    injected_absences,
    is_aggregate,
    is_none_there,
    none_giving,
    nothing_given,
    raising,
    statement_before,
)
from backaudit.backend.access.tables import touched_table
from backaudit.backend.data.orms import is_lazy
from backaudit.backend.data.schema import Table
from backaudit.backend.web.catching import ending, escapes, handlers_in
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import by_handler
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.client import client_origin
from backaudit.flow.trace import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.code import last_name
from backaudit.project.holding import conditions
from backaudit.rule import Assumed, Finding, Step, assume
from backaudit.vocabulary.meaning import meaning

_MISSING = "a 500, not a 404"
_UNFIT = "ResponseValidationError"
_LATEST = frozenset(("latest", "earliest"))
_ONE = frozenset(("one", "scalar_one"))


def findings(project: Project) -> Iterator[Finding]:
    """Each use of a row that may not be there, and each look-up that raises, uncaught."""
    yield from _raising(project)
    yield from _none(project)
    yield from kept.findings(project)
    yield from firsts.findings(project)
    yield from standing.findings(project)


def _raised_by(project: Project, use: Node) -> str:
    """What the use of nothing raises: reading an item of it, handing it to a session, any other."""
    if isinstance(use.op, ops.Call) and _refuses_any_none(project, use):
        return "builtins.TypeError"
    if isinstance(use.op, ops.Call):
        return min(project.models.kinds["refuses-no-row"])
    return "builtins.TypeError" if isinstance(use.op, ops.Item) else "builtins.AttributeError"


def _refuses_any_none(project: Project, call: Node) -> bool:
    names = project.names(call.func) if call.func is not None else ()
    kinds = project.models.kinds
    return not (kinds["refuses-none"] | kinds["refuses-no-text"]).isdisjoint(names)


def _raising(project: Project) -> Iterator[Finding]:
    for call, exceptions in raising(project):
        path = escapes(project, call, exceptions)
        if path is None or _known_to_exist(project, call) or _is_found_anyway(call):
            continue
        origin = sent_key(project, call)
        assumed = _assumed(project, path)
        if origin is not None and assumed is not None:
            what = exceptions[0].rpartition(".")[2]
            end = ending(project, call, path, _MISSING)
            yield Finding(
                place=call.place.first_line(),
                message=f"`{call.method}()` raises {what} when nothing is found, uncaught: {end}.",
                assumed=assumed,
                trace=(*origin.steps, Step(call.place.first_line(), f"looks it up, or raises {what}")),
                request=showing(project, call, path, looked_up(project, call, call), raises=what),
                fixes=tuple(looked_up_or_404(project, call, exceptions[0])),
            )


def _is_found_anyway(call: Node) -> bool:
    """Whether it is the latest row of many, or an aggregate's only one: ``scalar_one()`` of ``func.count(Note.id)``."""
    grouped = any(link.method == "group_by" for link in chain(call))
    return call.method in _LATEST or (call.method in _ONE and not grouped and is_aggregate(call))


def sent_key(project: Project, call: Node, lookup: Node | None = None) -> Origin | None:
    """Where what is looked up comes from: the arguments, or the conditions of the query before.

    ``lookup``: the query of the project's function that is called, where the call is none itself.
    """
    run = statement_before(call)
    for link in (*chain(call), *([run] if run is not None else [])):
        for argument in link.args():
            value = compared(argument)
            origin = client_origin(project, value) or _kept_for_client(project, value)
            if origin is not None:
                return origin
    return lacked_by_some(project, lookup or call)


def _kept_for_client(project: Project, node: Node) -> Origin | None:
    """A look-up by what the client's session holds, which an old or a new visitor's does not."""
    node = node.origin
    op = node.op
    base = node.to(op.base) if isinstance(op, ops.Item) else node.receiver if node.method == "get" else None
    if base is None or project.models.kinds["visitors-session"].isdisjoint(request_names(project, base)):
        return None
    what = f"`{node.spelled or base.spelled}` comes from the session, which may be empty or old"
    return Origin(node, what, (Step(node.place.first_line(), what),))


def _known_to_exist(project: Project, call: Node) -> bool:
    """Whether the same body has asked before whether such a row exists."""
    if _is_held_by_one(project, call) or _is_key_of_a_row(project, call) or has_been_told(project, call):
        return True
    if is_validated(project, call):
        return True
    receiver = call.receiver
    model = project.types(receiver) if receiver is not None else ()
    over = {name.partition("[")[2] for name in model}
    for value in call.code.before(call.value, ops.Call):
        earlier = call.code.node(value)
        if isinstance(earlier.op, ops.Call) and earlier.method in ("exists", "count", "aexists", "acount"):
            asked_of = project.types(earlier.receiver) if earlier.receiver is not None else ()
            if over & {name.partition("[")[2] for name in asked_of} or _asks_by_the_same(project, earlier, call):
                return True
    return False


def _is_key_of_a_row(project: Project, call: Node) -> bool:
    """Whether the look-up is by what a query of the same table has given before, which was asked for ``None``."""
    table = touched_table(project, call)
    for link in chain(call) if table is not None else ():
        for argument in link.args():
            key = compared(argument).origin
            if asked(call.code, key.value, call.value) and table in _tables_asked(project, key):
                return True
    return False


def _tables_asked(project: Project, key: Node) -> Iterator[Table | None]:
    """The tables that a query, or the project's function which returns one, has asked for a value."""
    found = [key, *(given for callee in project.callees(key) for given in callee.returned())] if key.call else []
    for given in found:
        for link in chain(given.origin):
            receiver = link.receiver
            yield touched_table(project, receiver) if receiver is not None else None


def _is_held_by_one(project: Project, call: Node) -> bool:
    """Whether the look-up runs only where a query by the same values has found something: ``if rows.filter(...):``."""
    held = (call.code.node(test) for test, truth in conditions(call.code, call.value) if truth)
    return any(test.call is not None and _asks_by_the_same(project, test.origin, call) for test in held)


def _asks_by_the_same(project: Project, earlier: Node, call: Node) -> bool:
    """Whether a query, of whichever of the model's own methods, looks the same model up by the same value."""
    keys = _keys(call)
    by_same = any(alike(call.code, one.value, other.value) for one in _keys(earlier) for other in keys)
    return by_same and not _models_of(project, earlier).isdisjoint(_models_of(project, call))


def _keys(call: Node) -> list[Node]:
    """What a chain of calls is given, but for the results of further calls."""
    given = (value for link in chain(call) for value in (*link.args(), *link.keywords().values()))
    return [value for value in given if value.call is None]


def _models_of(project: Project, call: Node) -> set[str]:
    """The classes that a chain of calls begins with."""
    found: set[str] = set()
    for link in chain(call):
        base = link.receiver
        while base is not None:
            found |= {cls.name for cls in project.denoted_classes(base)}
            op = base.origin.op
            base = base.origin.to(op.base) if isinstance(op, ops.Attr) else None
    return found


def _none(project: Project) -> Iterator[Finding]:
    found = project.once(none_giving)
    bodies: dict[Code, dict[Value, Node]] = {}
    for call in found:
        bodies.setdefault(call.code, {})[call.value] = call
    for code, injected in project.once(injected_absences).items():
        bodies.setdefault(code, {}).update(injected)
    for code, given in bodies.items():
        if code.file.role != "production":
            continue
        yield from _in_body(project, code, given, found)
        yield from _unfit(project, code, given, found)


def _in_body(project: Project, code: Code, given: dict[Value, Node], found: dict[Node, Node]) -> Iterator[Finding]:
    told: list[Value] = []
    for value, op in enumerate(code.ops):
        used = _used(project, code.node(value), op)
        source = _source(project, code, used, given, value)
        if source is None or any(alike(code, source, other) for other in told):
            continue
        finding = _failing(project, code.node(value), used, given[source], found)
        if finding is not None:
            told.append(source)
            yield finding


def _source(project: Project, code: Code, used: list[Value], given: dict[Value, Node], use: Value) -> Value | None:
    """The look-up that gives what is used, if there is one only, and nobody has asked before whether it is there."""
    every = (value for part in used for value in behind(code, part))
    sources = [value for value in every if value in given]
    if len(sources) != 1 or (asked(code, sources[0], use) and not is_none_there(code, sources[0], use)):
        return None
    call = given[sources[0]]
    arrived = all(isinstance(code.ops[code.origin(part)], (ops.Await, ops.Phi, ops.Param)) for part in used)
    if not arrived and call.func is not None and is_lazy(project, project.names(call.func)):
        return None  # the query goes on: it gives something only once it is awaited
    return sources[0]


def _failing(project: Project, use: Node, used: list[Value], call: Node, found: dict[Node, Node]) -> Finding | None:
    """The finding for a use of what a look-up may not have found, if the failure reaches the client."""
    if is_aggregate(call) or is_aggregate(found[call]) or _several_were_found(project, call):
        return None
    raised = _raised_by(project, use)
    path = escapes(project, use, (raised,))
    assumed = _assumed(project, path) if path is not None else None
    origin = sent_key(project, call, found[call]) if assumed is not None else None
    if origin is None or assumed is None:
        return None
    inner = next((need.use for need in needs(project, use) if need.given.value in used), use)
    told = _finding(use, inner, call, found[call], origin, assumed, ending(project, use, path or (), _MISSING))
    shown = showing(project, use, path or (), looked_up(project, found[call], call), raises=raised)
    return msgspec.structs.replace(told, request=shown, fixes=tuple(answered_404(project, call)))


def _unfit(project: Project, code: Code, given: dict[Value, Node], found: dict[Node, Node]) -> Iterator[Finding]:
    """None returned where the route declares what it answers with, and the framework refuses to send it."""
    routes = project.once(by_handler).get(code, ())
    declared = [route.response for route in routes if project.models.framework(route.framework).checks_answers]
    response = next((node for node in declared if node is not None), None)
    if response is None or admits_none(project, response):
        return
    for node in code.nodes(ops.Return):
        op = node.op
        for value in behind(code, op.value) if isinstance(op, ops.Return) and op.value != NONE else ():
            call = given.get(value)
            known = call is None or asked(code, value, node.value)
            origin = None if call is None or known else sent_key(project, call, found.get(call))
            sure = call is None or is_aggregate(call) or is_aggregate(found[call])
            if call is not None and origin is not None and not sure:
                last = Step(node.place.first_line(), "is answered, and does not fit the response model")
                yield Finding(
                    place=node.place.first_line(),
                    message=f"`{call.method}()` gives None when nothing is found, which does not fit "
                    f"`{response.spelled}`: a 500, not a 404.",
                    trace=(*origin.steps, Step(call.place.first_line(), "gives None if nothing is found"), last),
                    request=showing(project, node, (), looked_up(project, call, call), raises=_UNFIT),
                )


def _used(project: Project, node: Node, op: ops.Op) -> list[Value]:
    """The values of which none may be None for an operation to succeed."""
    if isinstance(op, (ops.Attr, ops.Item, ops.SetAttr)):
        return [op.base]
    if isinstance(op, ops.Call) and len(op.args) > 2 and "builtins.setattr" in _names_of(project, node):
        return [op.args[0]]
    return [need.given.value for need in needs(project, node)] if isinstance(op, ops.Call) else []


def _names_of(project: Project, call: Node) -> tuple[str, ...]:
    return project.names(call.func) if call.func is not None and call.method == "setattr" else ()


def _assumed(project: Project, path: tuple[Node, ...]) -> Assumed | None:
    """What is supposed of the callers on the way: that none has made sure of the row; None if one has."""
    if any(_vouched(project, call) for call in path):
        return None
    if any(_injects_rows(project, call.code) for call in path):
        return assume("guard", "what is injected on the way has not looked the row up")
    return without_the_row(path)


def _vouched(project: Project, call: Node) -> bool:
    """Whether the caller has looked something up by one of the same arguments before, and asked whether it is there."""
    found = project.once(none_giving)
    code = call.code
    for earlier in found:
        if earlier.code is code and earlier.value < call.value and asked(code, earlier.value, call.value):
            mine = [argument.value for argument in call.args()]
            if any(alike(code, argument.value, value) for argument in earlier.args() for value in mine):
                return True
    return False


_CALLER = meaning("people", "caller-name")


def _injects_rows(project: Project, code: Code) -> bool:
    """Whether a handler is given objects that its dependencies have looked up, other than the caller."""
    params = code.function.params
    return any(
        param.where == "injected"
        and any(project.class_named(name) is not None for name in param.types)
        and not _CALLER.holds(params[param.index].name)
        for route in project.once(by_handler).get(code, ())
        for param in route.params
    )


def _several_were_found(project: Project, call: Node) -> bool:
    """Whether the look-up stands in a handler of "more than one was found": then there is a first one."""
    around = (handler for handler in handlers_in(project, call.code) if handler.holds(call.value))
    named = {last_name(name) for handler in around for name in handler.caught}
    return bool(named) and named <= _SEVERAL


_SEVERAL = frozenset(("MultipleObjectsReturned", "MultipleResultsFound"))


def _finding(use: Node, inner: Node, call: Node, lookup: Node, origin: Origin, assumed: Assumed, end: str) -> Finding:
    """``inner``: what fails, in the same line or in what the row is handed to there."""
    does, nothing = _does(inner), nothing_given(call)
    last = [Step(inner.place.first_line(), does)]
    if inner != use:
        handed = f"it is handed to `{_called(use)}()`"
        last = [Step(use.place.first_line(), handed), *last]
        does = f"{handed}, where {does}"
    through = "" if lookup == call else f" (from `{lookup.method}()`)"
    steps = [
        *origin.steps,
        Step(call.place.first_line(), f"`{call.method}()` gives {nothing} if nothing is found{through}"),
    ]
    return Finding(
        place=use.place.first_line(),
        message=f"`{call.method}()` gives {nothing} when nothing is found, and {does}: {end}.",
        assumed=assumed,
        trace=(*steps, *last),
    )


def _does(use: Node) -> str:
    op = use.op
    if isinstance(op, ops.Call):
        return f"`{_called(use)}()` is given it"
    if isinstance(op, ops.Item):
        return "an item of it is read"
    return f"`.{getattr(op, 'name', '')}` of it is {'set' if isinstance(op, ops.SetAttr) else 'read'}"


def _called(call: Node) -> str:
    return (call.func.spelled if call.func is not None else "") or call.method
