"""Conversions and look-ups by key of what a client sent, that can raise and are caught by nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.loaded import left_out
from backaudit.analyses.errors.requests import Wish, showing, wrong
from backaudit.backend.access.denial import conditions, operands, sides
from backaudit.backend.access.missing import alike, asked, tests
from backaudit.backend.web.catching import ending, escapes, reached_functions
from backaudit.backend.web.inputs.applied import made_by
from backaudit.backend.web.records import Route
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import by_handler, client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.approvals import guarded
from backaudit.flow.client import client_origin
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access, Goal, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.locate import on_the_way
from backaudit.project.operands import made_of
from backaudit.project.types import split
from backaudit.rule import Finding, Step
from backaudit.vocabulary.meaning import meaning

_VALIDATES = meaning("inputs", "checking-call")


def findings(project: Project) -> Iterator[Finding]:
    """Each conversion, key and part that can raise on what a client sent, uncaught."""
    yield from _conversions(project)
    yield from _missing_keys(project)
    yield from _pieces(project)
    yield from _decodings(project)


def _conversions(project: Project) -> Iterator[Finding]:
    lookups = project.models.kinds["raising-lookups"]
    elsewhere = lookups | set(project.models.sinks["url"])
    raises = {name: found for name, found in project.models.raises.items() if name not in elsewhere}
    for call in project.calls(*sorted(raises)):
        names = project.names(call.func) if call.func is not None else ()
        exceptions = next((raises[name] for name in names if name in raises), ())
        if call.code.file.role != "production" or not exceptions:
            continue
        argument = call.arg(0) or next((given for given in call.args() if client_origin(project, given)), None)
        path = escapes(project, call, exceptions[:1])
        if path is None:
            continue
        if argument is None:
            if "Request" in " ".join(names):
                broken = (Wish("malformed", "body"),)
                yield _finding(call, f"`{call.method}()` raises on a malformed body", None, exceptions, path, broken)
            continue
        origin = client_origin(project, argument, untyped=True)
        if origin is not None and not is_vouched(project, argument, call):
            what = f"`{call.method}()` raises on what it cannot read"
            yield _finding(call, what, origin, exceptions, path, wrong(project, "malformed", argument))


def is_vouched(project: Project, argument: Node, call: Node) -> bool:
    """Whether a text's form is known before a call: asked for, matched, converted once, or found as a key."""
    return (
        _converted_before(call, argument)
        or _checked(argument, call)
        or _matched(project, argument)
        or _found_by(project, argument, call)
    )


def _decodings(project: Project) -> Iterator[Finding]:
    """``request.get_data().decode()``: bytes that are no text."""
    raised = ("builtins.UnicodeDecodeError",)
    for call in project.calls_of("decode"):
        receiver = call.receiver
        lenient = call.arg(1, "errors")
        if receiver is None or lenient is not None or call.code.file.role != "production":
            continue
        if project.models.kinds["raw-bodies"].isdisjoint(request_names(project, _awaited(receiver))):
            continue
        path = escapes(project, call, raised)
        if path is not None:
            origin = client_origin(project, receiver)
            yield _finding(call, f"`{call.method}()` raises on what is no text", origin, raised, path, ())


def _awaited(node: Node) -> Node:
    op = node.origin.op
    return node.origin.to(op.value).origin if isinstance(op, ops.Await) else node.origin


def _converted_before(call: Node, argument: Node) -> bool:
    """Whether the same text was converted the same way before: then this one does not raise."""
    code = call.code
    before = (other for other in code.calls_of(call.method) if other.value < call.value and other.receiver is None)
    same = (one for one in before if (given := one.arg(0)) is not None and alike(code, given.value, argument.value))
    return any(on_the_way(code, one.value, call.value) for one in same)


def _checked(argument: Node, call: Node) -> bool:
    """Whether the text's form was asked for before."""
    code = call.code
    return guarded(argument, call.value, frozenset()) or any(
        (code.node(value).is_call_of("digit-checks") or code.node(value).is_call_of("pattern-checks"))
        and any(alike(code, part.value, argument.value) for part in _involved(code.node(value)))
        and asked(code, value, call.value)
        for value in code.before(call.value, ops.Call)
    )


def _found_by(project: Project, argument: Node, call: Node) -> bool:
    """Whether a row was found by the text before: what is no key has had its 404."""
    code = call.code
    wanted = tuple(_alternatives(code, argument.value))
    return _on_every_way(
        code,
        (
            value
            for value in code.before(call.value, ops.Call)
            if (func := code.node(value).func) is not None
            and not project.models.kinds["answers-404"].isdisjoint(project.names(func))
            and any(_mentions(code, value, part) for part in wanted)
        ),
        call.value,
    )


def _on_every_way(code: Code, values: Iterator[Value], use: Value) -> bool:
    """Whether whoever comes to ``use`` has passed one of the values: one on the way, or one in each of two branches."""
    around = code.regions_of(use)
    taken = set()
    for value in values:
        apart = [region for region in code.regions_of(value) if region not in around]
        if not apart:
            return True
        if len(apart) == 1:
            taken.add((apart[0].test, apart[0].kind))
    return any((test, "then") in taken and (test, "else") in taken for test, _ in taken)


def _alternatives(code: Code, value: Value) -> Iterator[Value]:
    """The values that may be meant where branches join."""
    op = code.ops[code.origin(value)]
    yield code.origin(value)
    if isinstance(op, ops.Phi):
        yield from (code.origin(part) for part in op.values)


def _mentions(code: Code, value: Value, wanted: Value) -> bool:
    return any(part.value == wanted for part in made_of(code.node(value)))


def _involved(call: Node) -> list[Node]:
    return [*call.args(), *([call.receiver] if call.receiver is not None else [])]


def _matched(project: Project, argument: Node) -> bool:
    """Whether a regular expression has passed the text: its group, or a part of the path that admits digits only."""
    node = argument.origin
    if node.method in ("group", "groups"):
        return True
    name = _name_of(node)
    return bool(name) and (_has_digits_only(project, node.code, name) or _has_found_row(project, node))


def _has_digits_only(project: Project, code: Code, name: str) -> bool:
    """Whether the path of a handler, as it is declared, admits nothing else for a placeholder."""
    digits = re.compile(
        rf"{{{re.escape(name)}:[^}}]*(?:\\d|\[0-9])|\?P<{re.escape(name)}>[^)]*(?:\\d|\[0-9])|<int:{re.escape(name)}>"
    )
    served = project.once(by_handler).get(code) or _routes_of_view(project, code)
    declared = [*(route.declared for route in served), *code.decorators]
    if any(digits.search(text) for node in declared for text in _texts(project, node)):
        return True
    return any(_DIGITS.fullmatch(pattern) for route in served for key, pattern in route.converters if key == name)


def _routes_of_view(project: Project, code: Code) -> tuple[Route, ...]:
    """The routes that a class view answers, for a method of it that is none's handler (``get_queryset``)."""
    return tuple(project.once(_by_view).get(code.cls.name, ())) if code.cls is not None else ()


def _by_view(project: Project) -> dict[str, list[Route]]:
    """The routes that class views answer, by the view and each of its bases."""
    found: dict[str, list[Route]] = {}
    for route in project.once(routes):
        for name in project.lineage(route.view.name) if route.view is not None else ():
            found.setdefault(name, []).append(route)
    return found


# What a path's placeholder may be restricted to so that a number can be made of it.
_DIGITS = re.compile(r"int|\(?(?:\\d|\[0-9\])(?:[+*]|\{[\d,]+\})?\)?")


def _has_found_row(project: Project, node: Node) -> bool:
    """Whether a generic view has looked a row up by the path before it calls this method."""
    op = node.op
    base = node.to(op.base).origin if isinstance(op, ops.Item) else None
    of_path = base is not None and isinstance(base.op, ops.Attr) and base.op.name == "kwargs"
    return of_path and node.code.cls is not None and node.code.function.name in project.models.kinds["after-look-up"]


def _name_of(node: Node) -> str:
    """The name of a path parameter: of the function's parameter, or the key by which it is read."""
    op = node.op
    if isinstance(op, ops.Param):
        return op.name
    key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0)
    return (key.text or "") if key is not None else ""


def _texts(project: Project, call: Node | None) -> list[str]:
    if call is None:
        return []
    found = (project.constant(argument) for argument in (*call.args(), *call.keywords().values()))
    return [constant.text for constant in found if constant is not None and constant.text is not None]


def _finding(
    call: Node,
    what: str,
    origin: Origin | None,
    exceptions: tuple[str, ...],
    path: tuple[Node, ...],
    wishes: tuple[Wish, ...],
) -> Finding:
    name = exceptions[0].rpartition(".")[2]
    steps = origin.steps if origin is not None else ()
    end = ending(call.code.project, call, path, "the client's mistake ends as a 500")
    return Finding(
        place=call.place.first_line(),
        message=f"{what} ({name}), and no one catches it: {end}.",
        assumed=unasked_by(path),
        trace=(*steps, Step(call.place.first_line(), f"is converted here, or raises {name}")),
        request=showing(call.code.project, call, path, wishes, raises=name),
    )


def _pieces(project: Project) -> Iterator[Finding]:
    """``header.split(" ")[1]``, ``name, token = header.split()``: parts that the text may not have."""
    for call in project.calls_of("split"):
        receiver = call.receiver
        if receiver is None or call.code.file.role != "production":
            continue
        for use, exception in _parts_used(call):
            path = escapes(project, use, (f"builtins.{exception}",))
            origin = client_origin(project, receiver, untyped=True) if path is not None else None
            if origin is not None and path is not None and not _form_asked(call, receiver, use):
                one_part = wrong(project, "pieces", receiver)
                yield _finding(use, f"`{call.spelled}` may have fewer parts", origin, (exception,), path, one_part)
                break


def _parts_used(call: Node) -> Iterator[tuple[Node, str]]:
    """Where more than the first part is read, and what that raises if it is not there."""
    code = call.code
    for node in code.nodes(ops.Item):
        op = node.op
        if not isinstance(op, ops.Item) or code.origin(op.base) != call.value:
            continue
        key = node.to(op.key).const
        if type(key) is int and key not in (0, -1):
            yield node, "IndexError"
    for node in code.nodes(ops.Part):
        op = node.op
        if isinstance(op, ops.Part) and code.origin(op.base) == call.value and op.index > 0:
            yield node, "ValueError"


def _form_asked(call: Node, text: Node, use: Node) -> bool:
    """Whether a condition before has looked at the form of the text or at the number of its parts."""
    code = call.code
    for test in tests(code, use.value):
        for condition in conditions(code.node(test)):
            looks = isinstance(condition.op, (ops.Compare, ops.Call)) and not _with_none(condition)
            parts = operands(condition) if looks else ()
            if any(alike(code, part.value, wanted.value) for part in parts for wanted in (text, call)):
                return True
    return False


def _with_none(condition: Node) -> bool:
    return any(isinstance(side.origin.op, ops.Const) and side.const is None for side in sides(condition))


class _RaisingMapping(Goal):
    """Client data in which a missing key raises KeyError; the access path is the key that is asked for."""

    def __init__(self, project: Project) -> None:
        self._raising = project.models.kinds["raising-mappings"]

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if not access or access[0] == ANY:
            return None
        missing = left_out(search.project, node, str(access[0]))
        if missing is not None:
            return missing
        if isinstance(op, ops.Param):
            param = client_input(search.project, node.code, op.index)
            if param is None or param.where != "body":
                return None
            if param.schema or not set(param.types) & _MAPPINGS:
                return None
            return f"`{param.name}` comes from the client (body)"
        if isinstance(op, ops.Call) and "json.loads" in request_names(search.project, node):
            text = node.arg(0)
            parsed = client_origin(search.project, text, untyped=True) if text is not None else None
            return f"{parsed.what}, and is parsed" if parsed is not None else None
        if isinstance(op, (ops.Attr, ops.Call)):
            named = self._raising.intersection(request_names(search.project, node))
            if named and not _always_there(named, str(access[0])):
                return f"`{node.spelled}` comes from the client"
        return None

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        # What is merged into a dict of the server's own is another mapping, and so is what a serializer made of it.
        return isinstance(node.op, ops.Build) or (
            _made_by_schema(search.project, node) and not _left(search, node, access)
        )


def _left(search: Search, node: Node, access: Access) -> bool:
    return bool(access) and left_out(search.project, node, str(access[0])) is not None


def _made_by_schema(project: Project, node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Call):
        return next(made_by(project, node), None) is not None or _is_checked_copy(project, node)
    if not isinstance(op, ops.Attr) or op.name not in ("data", "validated_data", "cleaned_data"):
        return False
    schemas = project.models.kinds["schemas"] | project.models.kinds["forms"]
    owners = {owner for name in project.types(node.to(op.base)) for owner in project.lineage(split(name)[0])}
    return not schemas.isdisjoint(owners)


def _is_checked_copy(project: Project, call: Node) -> bool:
    """``form = validate(request.get_json(), schema)``: a function of the project puts a schema to what it is given."""
    applied = project.models.applies
    for callee in project.callees(call):
        for inner in callee.nodes(ops.Call):
            if inner.func is not None and not applied.keys().isdisjoint(project.names(inner.func)):
                return True
    return False


def _always_there(names: frozenset[str], key: str) -> bool:
    """Whether the server itself puts the key there."""
    return any(name.endswith(".META") for name in names) and (not key.startswith("HTTP_") or key == "HTTP_HOST")


_MAPPINGS = frozenset(("builtins.dict", "typing.Dict", "dict", "typing.Mapping", "collections.abc.Mapping"))


def _missing_keys(project: Project) -> Iterator[Finding]:
    goal = _RaisingMapping(project)
    for code in reached_functions(project):
        told: list[tuple[Node, Value]] = []
        for node in code.nodes(ops.Item):
            op = node.op
            assert isinstance(op, ops.Item)
            key = node.to(op.key).text
            path = _uncaught(project, node, key) if key is not None else None
            if key is None or path is None:
                continue
            origin = next(Trace(project, goal).origins(node.to(op.base), (key,)), None)
            before = [value for given, value in told if origin is not None and given == origin.node]
            if origin is not None and not any(on_the_way(code, value, node.value) for value in before):
                told.append((origin.node, node.value))
                yield _missing(node, key, origin, path)


def _uncaught(project: Project, node: Node, key: str) -> tuple[Node, ...] | None:
    """The calls by which a missing key ends as a 500; None if it is caught, or asked for before."""
    op = node.op
    assert isinstance(op, ops.Item)
    if is_key_known(node, node.to(op.base), key):
        return None
    path = escapes(project, node, _KEY_ERROR)
    after = project.models.kinds["performs"]
    checked = path and any(is_key_known(call, given, key) for call in path for given in _given(call))
    validated = path and any(call.code.function.name in after for call in path)
    return None if checked or validated else path


_KEY_ERROR = ("builtins.KeyError",)


def _given(call: Node) -> tuple[Node, ...]:
    return (*call.args(), *call.keywords().values())


def is_key_known(node: Node, base: Node, key: str) -> bool:
    """Whether the body asked before for the key, or had the data validated."""
    code = node.code
    if _asked_elsewhere(node, key):
        return True
    if base.spelled.endswith(".FILES") and any("FILES" in _words(code.node(test)) for test in tests(code, node.value)):
        return True
    for value in code.before(node.value, ops.Compare, ops.SetItem, ops.Call):
        op = code.ops[value]
        if isinstance(op, ops.Compare) and op.operator in ("in", "not in") and alike(code, op.right, base.value):
            if code.node(op.left).text in (None, key):
                return True
        elif isinstance(op, ops.SetItem) and alike(code, op.base, base.value) and code.node(op.key).text == key:
            if _on_the_way(code, value, node.value):
                return True
        elif isinstance(op, ops.Call) and _validates(node, code.node(value), base, key):
            return True
    return False


def _asked_elsewhere(node: Node, key: str) -> bool:
    """``if not is_complete(request, "c"): return``: a function of the project's own was asked about the key before."""
    code = node.code
    for test in tests(code, node.value):
        call = next((part for part in operands(code.node(test)) if part.call is not None), None)
        if call is not None and code.project.callees(call) and any(given.text == key for given in call.args()):
            return True
    return False


def _on_the_way(code: Code, value: Value, use: Value) -> bool:
    """Whether whoever comes to ``use`` has passed ``value``."""
    around = code.regions_of(use)
    return value < use and all(region in around for region in code.regions_of(value))


def _words(test: Node) -> str:
    op = test.origin.op
    return test.to(op.value).spelled if isinstance(op, ops.Unary) else test.spelled


def _validates(use: Node, call: Node, base: Node, key: str) -> bool:
    code = use.code
    given = any(alike(code, argument.value, base.value) for argument in call.args())
    if given and call.method in ("set", "all"):
        return True
    if _VALIDATES.holds(call.method.lower()) and any(
        alike(code, argument.value, around.value) for argument in call.args() for around in _around(base)
    ):
        return True
    receiver = call.receiver
    if receiver is None or not alike(code, receiver.value, base.value):
        return False
    if call.method == "keys":
        return True
    first = call.arg(0)
    if call.method != "get" or first is None:
        return False
    # ``for name in required: if not data.get(name): return 400``
    each = isinstance(first.origin.op, ops.Element)
    return (first.text == key or each) and _is_asked(use, call, base.value)


def _around(base: Node) -> Iterator[Node]:
    """A mapping, and what it is a part of: who has a schema put to the whole has it put to ``data["items"][0]``."""
    here = base.origin
    yield here
    while isinstance(here.op, (ops.Item, ops.Element)):
        here = here.to(here.op.base).origin
        yield here


def _is_asked(use: Node, call: Node, before: int) -> bool:
    """Whether a condition on the way to the use asks for the value, or hands it to something that judges it."""
    code = use.code
    judged = (part for test in tests(code, before) for part in operands(code.node(test)))
    return asked(code, call.value, use.value) or any(part.origin.value == call.value for part in judged)


def _left_out(node: Node, key: str) -> tuple[Wish, ...]:
    op = node.op
    assert isinstance(op, ops.Item)
    return wrong(node.code.project, "absent", node.to(op.base), (key,))


def _missing(node: Node, key: str, origin: Origin, path: tuple[Node, ...]) -> Finding:
    end = ending(node.code.project, node, path, "a 500")
    return Finding(
        place=node.place.first_line(),
        message=f"`{node.spelled}` raises KeyError where the client left `{key}` out, and no one catches it: {end}.",
        assumed=unasked_by(path),
        trace=(*origin.steps, Step(node.place.first_line(), f"`{key}` is read without a check")),
        request=showing(node.code.project, node, path, _left_out(node, key), raises="KeyError"),
    )
