"""Passwords in what handlers answer: the values that they return, and what templates print of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from backaudit.analyses.passwords.copied import copied_row
from backaudit.analyses.passwords.kept import plain_columns
from backaudit.analyses.passwords.label import Password, is_made_up
from backaudit.analyses.passwords.shown import Shown, password_fields
from backaudit.backend.access.performing import by_steps
from backaudit.backend.data.queries import call_place
from backaudit.backend.web.callbacks import acts
from backaudit.backend.web.makers import response_model
from backaudit.backend.web.records import Route
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.responses import Answer, answers
from backaudit.backend.web.routes import routes
from backaudit.distinct import distinct
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.facts.place import Place, Span
from backaudit.flow.rows import is_model
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, Fix, Step, assume
from backaudit.source import lines
from backaudit.vocabulary.names import is_password_column, means_person

_DEPTH = 5
_NOT_FOR_THEM = assume("purpose", "the page is not for whom the new password was made")
_PRINTED = re.compile(r"\{\{[^{}]*?\b(\w+)\.(\w+)\b(?!\s*\()[^{}]*\}\}")
_QUOTED = re.compile(r"'[^'{}]*'|\"[^\"{}]*\"")


class Exposure(msgspec.Struct, frozen=True):
    """A password or its hash that leaves at ``place``; ``what`` says how, as the beginning of a sentence.

    ``own``: it goes back to whoever sent it with the same request, which is arguable.
    """

    place: Place
    what: str
    trace: tuple[Step, ...] = ()
    own: bool = False
    fixes: tuple[Fix, ...] = ()
    assumed: Assumed = KNOWN


class Answered(Shown):
    """A password or its hash in a value that is turned into an answer."""

    def __init__(self, project: Project, *, objects: bool) -> None:
        super().__init__(project, hashes=True, objects=objects)

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        project = search.project
        found = None
        if not access:
            found = _all_columns(project, node) or _fresh(project, node) or _all_settings(project, node)
        return found or super().source(search, node, access)

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if not access and _fresh(search.project, node) is not None:
            return False
        return super().ends(search, node, access, use)

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        return bodies(search.project, call)


def bodies(project: Project, call: Node) -> list[Node]:
    """What a call that makes a response puts into it; not a template's variables, which show what they are told to."""
    named = response_model(project, call)
    if named is None or call.is_call_of("renderers") or named[1].raises:
        return []
    return call.arguments(named[1].body)


def _all_columns(project: Project, node: Node) -> str | None:
    """``user.__dict__``, ``vars(user)``, ``model_to_dict(user)``, ``User.objects.values()``: every column of a row."""
    copied = copied_row(node)
    taken = (_whole_row(copied.origin) or copied) if copied is not None else None
    row = taken or _whole_row(node)
    for name in project.types(row) if row is not None else ():
        head, over = split(name)
        cls = project.class_named(over) or project.class_named(head)
        shown, column = _row_class(project, cls.name if cls is not None else over or head)
        if column:
            said = f"`{node.spelled}`" if copied is None else "What is answered"
            return f"{said} has every column of `{shown}`, `{column}` among them"
    return None


def _whole_row(node: Node) -> Node | None:
    """The row, or the rows, that are given out with all their columns."""
    op, given = node.op, node.args()
    if isinstance(op, ops.Attr):
        return node.to(op.base) if op.name in ("__dict__", "_data") else None
    if node.method in ("vars", "model_to_dict", "asdict"):
        return given[0] if len(given) == 1 and not node.keywords() else None
    return node.receiver if node.method in ("values", "values_list") and not given else None


def _fresh(project: Project, node: Node) -> str | None:
    """What the same body made at random and hashes: somebody's new password."""
    made = node.origin
    if not isinstance(made.op, ops.Call) or not _is_random(project, made):
        return None
    for call in node.code.nodes(ops.Call):
        names = project.names(call.func) if call.func is not None else ()
        hashes = any(name in project.models.hashers for name in names) or call.method == "set_password"
        if hashes and any(_unencoded(argument) == made for argument in call.args()):
            return f"`{node.spelled or made.spelled}` is somebody's new password"
    return None


def _unencoded(argument: Node) -> Node:
    made = argument.origin
    while made.call is not None and made.method == "encode" and made.receiver is not None:
        made = made.receiver.origin
    return made


def _is_random(project: Project, call: Node, depth: int = 0) -> bool:
    """Whether a call gives what a generator drew, also put together: ``"".join(choice(x) for _ in range(20))``."""
    names = project.names(call.func) if call.func is not None else ()
    drawn = project.models.kinds.get("random-texts", frozenset())
    if any(name in drawn for name in names):
        return True
    inner = call.arg(0) if call.method in ("join", "str", "format") else None
    op = inner.origin.op if inner is not None and not project.gives_up(depth, _DEPTH, call.place) else None
    if inner is not None and isinstance(op, ops.Comp):
        element = inner.origin.to(op.value).origin
        return element.call is not None and _is_random(project, element, depth + 1)
    return inner is not None and inner.origin.call is not None and _is_random(project, inner.origin, depth + 1)


def _all_settings(project: Project, node: Node) -> str | None:
    """The whole environment or configuration, with every credential that is in it."""
    whole = project.models.kinds.get("whole-settings", frozenset())
    op = node.op
    if isinstance(op, (ops.Attr, ops.Name, ops.Import)) and any(name in whole for name in project.names(node)):
        return f"`{node.spelled}` holds every setting, the passwords and keys among them"
    return None


def _row_class(project: Project, name: str) -> tuple[str, str]:
    """A table's class as one says it, and its password column (empty if it has none)."""
    cls = project.class_named(name)
    if cls is None:
        known = name in project.models.kinds.get("row-classes", frozenset())
        return name.rpartition(".")[2], "password" if known else ""
    fields = password_fields(project, cls) if is_model(project, name) else ()
    return cls.cls.name, next(iter(fields), "")


def answered(project: Project) -> Iterator[Exposure]:
    """Returned values that carry a password, once per return."""
    return distinct(_answered(project), lambda exposure: exposure.place)


def _answered(project: Project) -> Iterator[Exposure]:
    goals = {objects: Answered(project, objects=objects) for objects in (False, True)}
    views = [done for route in routes(project) for done in by_steps(project, route)]
    for route in (*routes(project), *views, *project.once(acts)):
        if project.role(route.handler.path) not in ("production", "script") or _fills_template(project, route):
            continue
        serialises = project.models.framework(route.framework).serialises
        if not serialises and not _may_carry(project, route.handler):
            continue
        for node in route.handler.nodes(ops.Return):
            exposure = _of_return(project, goals[serialises], route, node)
            if exposure is not None:
                yield exposure
        yield from _of_sent(project, goals[serialises], route)


def _of_sent(project: Project, goal: Answered, route: Route) -> Iterator[Exposure]:
    """What a handler writes into its answer, or hands to a function of the project that sends it."""
    for answer in answers(project, route.handler):
        for body in answer.body if answer.how == "return" and _is_sent_apart(project, answer) else ():
            origin = next(Trace(project, goal).origins(body, (), answer.value), None)
            if origin is not None:
                yield _exposure(project, goal, answer.node, origin)


def _is_sent_apart(project: Project, answer: Answer) -> bool:
    """Whether what is sent is not what is returned: it is written, or handed to what returns nothing."""
    op = answer.node.op
    made = answer.node.to(op.value).origin.awaited if isinstance(op, ops.Return) else None
    callees = project.callees(made) if made is not None and made.call is not None else ()
    return made is None or (bool(callees) and not any(list(code.returned()) for code in callees))


def _fills_template(project: Project, route: Route) -> bool:
    """Whether a decorator gives what the handler returns to a template."""
    names = [name for decorator in route.handler.decorators for name in project.names(decorator.func or decorator)]
    return any("template" in name.rpartition(".")[2] for name in names)


def _of_return(project: Project, goal: Answered, route: Route, node: Node) -> Exposure | None:
    op = node.op
    value = node.to(op.value) if isinstance(op, ops.Return) and op.value != NONE else None
    if value is None or _is_filtered(project, route, value):
        return None
    made = value.origin
    if isinstance(made.op, ops.Build) and made.op.kind == "tuple" and made.op.items:
        value = made.to(made.op.items[0])
    origin = next(Trace(project, goal).origins(value, (), node.value), None)
    return _exposure(project, goal, node, origin) if origin is not None else _passed_to_template(project, value)


def _may_carry(project: Project, code: Code) -> bool:
    """Whether what a handler runs speaks of a password column, or fetches rows: if not, there is nothing to follow."""
    return bool(project.solved(_carries, code))


def _carries(project: Project, code: Code) -> Iterator[bool]:
    own = code in project.once(_carrying) or _reads_property(project, code)
    if own or any(project.solved(_carries, callee) for callee in project.called_by(code)):
        yield True


def _reads_property(project: Project, body: Code) -> bool:
    names = project.once(_carrying_properties)
    return any(isinstance(op, ops.Attr) and op.name in names for op in body.ops)


def _carrying_properties(project: Project) -> frozenset[str]:
    return frozenset(code.function.name for code in project.once(_carrying) if _is_property(code))


def _is_property(code: Code) -> bool:
    return any(d.spelled.rpartition(".")[2] in ("property", "cached_property") for d in code.decorators)


def _carrying(project: Project) -> frozenset[Code]:
    found = dict.fromkeys(project.mentioned(is_password_column))
    for name in ("__dict__", "_data", "environ", "config"):
        found.update((code, None) for code in project.mentioning(name))
    kinds = project.models.kinds
    methods = sorted(kinds["driver-fetches"] | kinds["document-queries"])
    for name in (*methods, "model_to_dict", "vars", "values", "values_list", "asdict", "getattr"):
        found.update((code, None) for code in project.calling(name))
    return frozenset(found)


def _exposure(project: Project, goal: Answered, returned: Node, origin: Origin) -> Exposure:
    maker = origin.node.code
    node = _deepest(project, goal, returned, origin)
    if _is_property(maker):  # the answer's shape is made there, once for all who read it
        node = next((made for made in maker.nodes(ops.Return) if made.value > origin.node.value), node)
    place = _of_field(node, origin.node) or _statement(node)
    return Exposure(place, f"{origin.what}, and it is in the answer", (*origin.steps, Step(place, "is answered")))


def _deepest(project: Project, goal: Answered, returned: Node, origin: Origin, depth: int = 0) -> Node:
    """Of functions that only give on what another of the project's returns: the return where the answer is made."""
    op = returned.op
    call = _unawaited(returned.to(op.value)) if isinstance(op, ops.Return) else returned
    codes = project.callees(call) if call.call is not None else ()
    own = any(
        code.cls is not None and is_model(project, code.cls.name) for code in codes
    )  # each answer asks a row itself
    if origin.node.code is returned.code or len(codes) != 1 or own or project.gives_up(depth, _DEPTH, returned.place):
        return returned
    for inner in codes[0].nodes(ops.Return):
        assert isinstance(inner.op, ops.Return)
        value = inner.to(inner.op.value) if inner.op.value != NONE else None
        origins = Trace(project, goal).origins(value, (), inner.value) if value is not None else iter(())
        if any(found.node == origin.node for found in origins):
            return _deepest(project, goal, inner, origin, depth + 1)
    return returned


def _unawaited(node: Node) -> Node:
    made = node.origin
    return made.to(made.op.value).origin if isinstance(made.op, ops.Await) else made


def _of_field(returned: Node, source: Node) -> Place | None:
    """The password itself, where it stands on a line of its own in what is returned."""
    within = source.code is returned.code and returned.at.line < source.at.line <= returned.at.end_line
    return source.place.first_line() if within else None


def _statement(node: Node) -> Place:
    return node.place if node.at.line == node.at.end_line else node.place.first_line()


def _is_filtered(project: Project, route: Route, value: Node) -> bool:
    """Whether a declared response model picks the fields that leave."""
    if route.response is None or response_model(project, value.origin) is not None:
        return False
    names = {split(name)[0] for name in project.annotated(route.response)}
    return not names or not names <= project.models.kinds["unfiltered-answers"]


def _new(project: Project, source: Node) -> Assumed:
    """What is supposed of a password that was made up: a page that shows it once may be for whom it was made."""
    return _NOT_FOR_THEM if isinstance(source.op, ops.Bind) and is_made_up(project, source) else KNOWN


def _passed_to_template(project: Project, value: Node) -> Exposure | None:
    """A password itself among a template's variables."""
    call = value.origin
    if call.call is None or not call.is_call_of("renderers") or response_model(project, call) is None:
        return None
    for name, node in _variables(call):
        if is_password_column(name) and not isinstance(node.origin.op, ops.Const):
            origin = next(Trace(project, _Bare(project)).origins(node, (), call.value), None)
            if origin is not None:
                place = call_place(call)
                what = f"{origin.what}, and the page gets it"
                steps = (*origin.steps, Step(place, f"is given to the template as `{name}`"))
                return Exposure(
                    place, what, steps, own=_is_sent(project, origin.node), assumed=_new(project, origin.node)
                )
    return None


def _is_sent(project: Project, node: Node) -> bool:
    """Whether a value is read from the request by its name."""
    base = node.to(node.op.base) if isinstance(node.op, ops.Item) else node.receiver
    return base is not None and not frozenset(project.models.sources).isdisjoint(request_names(project, base))


def _variables(call: Node) -> Iterator[tuple[str, Node]]:
    yield from call.keywords().items()
    for argument in call.args():
        yield from ((key.text, value) for key, value in argument.entries() if key.text)


class _Bare(Shown):
    """The password itself, no object around it."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, hashes=True)

    def _whole(self, project: Project, node: Node) -> str | None:
        return None


def printed(project: Project) -> Iterator[Exposure]:
    """Templates that print a user's password."""
    for file in project.artefacts("template"):
        others = project.once(plain_columns)
        told = "password" in file.text.lower() or any(name in file.text for name in others)
        if project.role(file.path) in ("test", "example") or not told:
            continue
        for number, line in enumerate(lines(file.text), 1):
            bare = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), line)
            for found in _PRINTED.finditer(bare):
                owner, name = found.groups()
                filled = "form" not in owner.lower()  # of a form it is a field, not what is in it
                if (name in others and filled) or (means_person(owner) and is_password_column(name)):
                    span = Span(number, found.start(1), number, found.end(2))
                    yield Exposure(Place(file.path, span), f"The page prints `{owner}.{name}`")


def kept_in_cookies(project: Project) -> Iterator[Exposure]:
    """Rows with their hash that are put into a session which is a cookie: signed, but for its owner to read."""
    cookies = project.models.kinds.get("cookie-sessions", frozenset())
    for code in dict.fromkeys(project.mentioning("session")):
        for node in code.nodes(ops.SetItem) if project.role(code.path) == "production" else ():
            op = node.op
            if not isinstance(op, ops.SetItem) or cookies.isdisjoint(request_names(project, node.to(op.base))):
                continue
            value = node.to(op.value)
            typed = next(Trace(project, Password(project)).origins(value, (), node.value), None)
            goal = Shown(project, hashes=True)
            origin = next(Trace(project, goal).origins(value, (), node.value), None) if typed is None else None
            if origin is not None:
                what = f"{origin.what}, and it is kept in the session, a cookie that its owner can read"
                steps = (*origin.steps, Step(node.place, "is kept in the session's cookie"))
                yield Exposure(node.place.first_line(), what, steps)
