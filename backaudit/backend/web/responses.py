"""What a function answers the client, whatever the framework: status, body, and by which statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from backaudit.backend.web.handed_up import handed_up
from backaudit.backend.web.makers import model_of_class, model_of_names, response_model
from backaudit.backend.web.routes import routes
from backaudit.backend.web.statuses import status_of, told, told_before
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.models import ResponseModel
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.locate import behind, decorated, functions_behind, makes_object
from backaudit.project.made import Key, part_of
from backaudit.project.operands import walk
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_STATUS_FIELDS = meaning("failures", "status-field")
_OK = 200
_FAULT = 500
_FIRST_ERROR = 400
_STATUSES = range(200, 600)


class Answer(msgspec.Struct, frozen=True):
    """One way in which a body answers.

    ``node`` is the return, the raise or the call that ends the request. ``status`` is None where it cannot be told;
    ``stated`` says that the code gives it, so that it is not the framework's default. ``body`` are the values that
    the client gets to see; ``maker`` is the dotted name of what makes the response, empty for a plain value.
    """

    node: Node
    how: Literal["return", "raise"]
    status: int | None
    stated: bool
    body: tuple[Node, ...]
    maker: str = ""

    @property
    def place(self) -> Place:
        return self.node.place

    @property
    def value(self) -> int:
        """Where in its body of code it stands."""
        return self.node.value


def answers(project: Project, code: Code) -> tuple[Answer, ...]:
    """Every return, raise and abort of a body that can be an answer, in order.

    A returned plain value counts as the framework's default answer: whether the body answers a request at all is for
    the caller to know, see :func:`answering`.
    """
    return project.all_of(_answers, code)


def _answers(project: Project, code: Code) -> Iterator[Answer]:
    for value, op in enumerate(code.ops):
        node = code.node(value)
        if isinstance(op, ops.Return) and op.value != NONE:
            yield from _returned(project, node, node.to(op.value))
        elif isinstance(op, ops.Raise) and op.exception != NONE:
            yield from _raised(project, node, node.to(op.exception))
        elif isinstance(op, ops.Call):
            yield from _aborted(project, node)
            yield from _written(project, node)
        elif isinstance(op, ops.SetAttr):
            yield from _assigned(project, node, op)
    for statement, status in told(project, code):
        if isinstance(statement.op, ops.SetAttr):
            yield Answer(statement, "raise", status_of(project, status), True, ())


def _returned(project: Project, node: Node, value: Node) -> Iterator[Answer]:
    place = project.once(_answering).get(node.code)
    found = list(_with_its_status(project, node, value, place)) if place is not None else []
    yield from found or _as_it_is(project, node, value)


def _with_its_status(project: Project, node: Node, value: Node, place: Key) -> Iterator[Answer]:
    """What a body hands up to be sent with the status that stands in it, in that place."""
    for record in _joined(value.origin):
        given = part_of(project, record, place)
        status = status_of(project, given) if given is not None else None
        if status is not None and given is not None:
            yield Answer(node, "return", status, True, _beside(record, given))


def _beside(record: Node, status: Node) -> tuple[Node, ...]:
    """A record without its status."""
    is_tuple = isinstance(record.op, ops.Build) and record.op.kind == "tuple"
    return tuple(part for part in record.elements() if part != status) if is_tuple else (record,)


def _joined(value: Node) -> list[Node]:
    return list(walk(value, lambda one: [inner.value for inner in _alternatives(one)]))


def _as_it_is(project: Project, node: Node, value: Node) -> Iterator[Answer]:
    before = told_before(project, node)
    for status, stated, body, maker in resolve(project, value):
        if before is not None and not stated:
            status, stated = status_of(project, before), True
        yield Answer(node, "return", status, stated, body, maker)


_MANY = 24
_PARTS = 8
Resolved = tuple["int | None", bool, "tuple[Node, ...]", str]


def resolve(project: Project, node: Node) -> tuple[Resolved, ...]:
    """What a returned value stands for as an answer, whoever made it: status, whether stated, body, maker."""
    return project.all_of(_resolved, node.origin)


def _resolved(project: Project, node: Node) -> list[Resolved]:
    return _few(list(dict.fromkeys(_resolve(project, node))))


def _answered_by(project: Project, code: Code) -> Sequence[Resolved]:
    found = _few(list(dict.fromkeys(found for value in code.returned() for found in resolve(project, value))))
    return project.bounded(found, _MANY, code.place, "answers of this function")


@cut_circles()
def _resolve(project: Project, node: Node) -> Iterator[Resolved]:
    stored = _stored_status(project, node)
    inner = _alternatives(node) if stored is None else []
    if stored is not None:
        body = tuple(part for found in _resolve_plain(project, node) for part in found[2])
        yield stored if stored > 0 else None, True, body, ""
    yield from _of_each(project, node, inner)
    if stored is None and not inner:
        yield from _resolve_plain(project, node)


def _of_each(project: Project, node: Node, inner: list[Node]) -> Iterator[Resolved]:
    """What the alternatives of a value stand for; of ``a or b`` the first only where it is something."""
    either = isinstance(node.op, ops.Logic) and node.op.operator == "or"
    for value in inner:
        found = resolve(project, value)
        yield from (one for one in found if not (either and value != inner[-1] and _is_nothing(one)))


def _is_nothing(found: Resolved) -> bool:
    """Whether a function gives None there: of ``page(error) or answer`` the other is sent."""
    _, stated, body, _ = found
    return not stated and any(part.is_none for part in body[:1])


def _alternatives(node: Node) -> list[Node]:
    """The values of which a value is one, or that it waits for."""
    op = node.op
    if isinstance(op, (ops.Phi, ops.Logic)):
        return [node.to(value) for value in dict.fromkeys(op.values)]
    if isinstance(op, ops.Choice):
        return [node.to(op.then), node.to(op.other)]
    return [node.to(op.value)] if isinstance(op, ops.Await) else []


def _resolve_plain(project: Project, node: Node) -> Iterator[Resolved]:
    op = node.op
    if isinstance(op, ops.Build) and op.kind == "tuple" and len(op.items) > 1:
        yield from _resolve_tuple(project, node, op)
    elif isinstance(op, ops.Call):
        yield from _resolve_call(project, node)
    else:
        yield _OK, False, (node,), ""


def _resolve_tuple(project: Project, node: Node, op: ops.Build) -> Iterator[Resolved]:
    """``body, status[, headers]``, or the status first."""
    leading, second = node.to(op.items[0]).const, node.to(op.items[1])
    if isinstance(leading, int) and leading in _STATUSES and len(op.items) == 2:
        yield leading, True, (second,), ""
        return
    status = status_of(project, second)
    known = status is not None or isinstance(second.origin.op, (ops.Param, ops.Phi, ops.Attr, ops.Call, ops.Name))
    for found, stated, body, maker in resolve(project, node.to(op.items[0])):
        yield (status, True, body, maker) if known else (found, stated, body, maker)


def _resolve_call(project: Project, call: Node) -> Iterator[Resolved]:
    named = response_model(project, call)
    if named is not None:
        name, model = named
        yield from _from_model(project, call, name, model)
        return
    callees = project.callees(call)
    found = [answer for code in callees for answer in _from_callee(project, call, code)]
    found = found or [sent for code in callees for sent in _sent_by(project, call, code)]
    given = _given_status(project, call)
    if found:
        yield from found
    elif given is not None:
        yield status_of(project, given), True, (call,), ""
    else:
        yield (_OK if not callees else None), False, (call,), ""


def _few(found: list[Resolved]) -> list[Resolved]:
    """Answers of one kind as one, with a few of their bodies, where helpers that call each other make very many."""
    if len(found) <= _MANY:
        return found
    bodies: dict[tuple[int | None, bool, str], dict[Node, None]] = {}
    for status, stated, body, maker in found:
        bodies.setdefault((status, stated, maker), {}).update(dict.fromkeys(body))
    return [(status, stated, tuple(parts)[:_PARTS], maker) for (status, stated, maker), parts in bodies.items()]


def _given_status(project: Project, call: Node) -> Node | None:
    """What a call of an unknown function or method gives as a status; an object's field may be called so as well."""
    if call.func is None or makes_object(project, call):
        return None
    named = (value for name, value in call.keywords().items() if _STATUS_FIELDS.holds(name))
    return next((value for value in named if value.text is None), None)


def _from_model(project: Project, call: Node, name: str, model: ResponseModel) -> Iterator[Resolved]:
    given = call.argument(model.status)
    body = tuple(call.arguments(model.body))
    if given is not None:
        yield status_of(project, given), True, body, name
    elif call.call is not None and call.call.dstar and model.status:
        yield None, True, body, name
    elif not model.status and len(body) == 1 and isinstance(body[0].origin.op, ops.Call):
        yield model.default or None, model.default != _OK, body, name
    else:
        inner = resolve(project, body[0]) if name.endswith("make_response") and body else ()
        found = [(status, stated, parts, name) for status, stated, parts, _ in inner]
        default = _said_by_class(project, call) or model.default or None
        yield from found or [(default, default != _OK, body, name)]


def _from_callee(project: Project, call: Node, code: Code) -> Iterator[Resolved]:
    """What the project's function that is called answers, its parameters replaced by this call's arguments."""
    if code.function.name == "__init__":
        return
    given = call.args()
    for status, stated, body, maker in project.solved(_answered_by, code):
        if status is None:
            status = _passed_status(project, call, code)
        yield status, stated, tuple(dict.fromkeys((*body, *given))), maker


def _sent_by(project: Project, call: Node, code: Code) -> Iterator[Resolved]:
    """What a function of the project that answers by itself, and returns nothing, sends for this call."""
    for inner in code.nodes(ops.Call):
        named = response_model(project, inner)
        given = inner.argument(named[1].status) if named is not None and named[1].raises else None
        if given is not None and isinstance(given.origin.op, ops.Param):
            passed = project.argument(call, code, given.origin.op.index)
            yield status_of(project, passed) if passed is not None else None, True, tuple(call.args()), ""


def _passed_status(project: Project, call: Node, code: Code) -> int | None:
    """The status that a call passes to a helper's parameter named like one."""
    for index, param in enumerate(code.function.params):
        if _STATUS_FIELDS.holds(param.name):
            given = project.argument(call, code, index) or project.default(code, index)
            return status_of(project, given) if given is not None else None
    return None


def _stored_status(project: Project, node: Node) -> int | None:
    """The status that the body stores into a response object; 0 if it cannot be told, None if none is stored."""
    for effect in node.code.effects.get(node.value, ()):
        op = node.code.ops[effect]
        if isinstance(op, ops.SetAttr) and op.name in ("status_code", "status"):
            return status_of(project, node.to(op.value)) or 0
    return None


def _raised(project: Project, node: Node, exception: Node) -> Iterator[Answer]:
    origin = project.resolved(exception)
    call = origin if isinstance(origin.op, ops.Call) else None
    named = response_model(project, call) if call is not None else model_of_names(project, project.names(origin))
    if named is None and call is None:
        named = model_of_class(project, origin)
    if named is None:
        yield from _carried(project, node, call) if call is not None else ()
        return
    name, model = named
    given = call.argument(model.status) if call is not None else None
    status = status_of(project, given) if given is not None else _class_status(project, call or origin, model)
    body = tuple(call.arguments(model.body)) if call is not None else ()
    yield Answer(node, "raise", status, True, body, name)


def _carried(project: Project, node: Node, call: Node) -> Iterator[Answer]:
    """An exception of the project's own that is given the status with which somebody above will answer it."""
    for cls in project.denoted_classes(call.func or call):
        constructor = cls.methods.get("__init__")
        for index, param in enumerate(constructor.function.params if constructor is not None else ()):
            given = (
                project.argument(call, constructor, index) if constructor and _STATUS_FIELDS.holds(param.name) else None
            )
            status = status_of(project, given) if given is not None else None
            if status is not None and status >= _FIRST_ERROR:
                yield Answer(node, "raise", status, True, tuple(arg for arg in call.args() if arg is not given))


def _aborted(project: Project, call: Node) -> Iterator[Answer]:
    model = model_of_names(project, project.names(call.to(call.op.func)) if isinstance(call.op, ops.Call) else ())
    if model is None or not model[1].raises or model[0].rpartition(".")[2][:1].isupper():
        return
    name, response = model
    given = call.argument(response.status)
    inner = given.origin if given is not None else None
    status = status_of(project, given) if given is not None else response.default
    body = tuple(call.arguments(response.body))
    if status is None and inner is not None and isinstance(inner.op, ops.Call):
        for status, _, parts, _ in resolve(project, inner):
            yield Answer(call, "raise", status, True, parts, name)
    else:
        yield Answer(call, "raise", status, True, body, name)


def _written(project: Project, call: Node) -> Iterator[Answer]:
    """What a call sends by itself (``self.write({…})``), unless it is returned, which says the same."""
    func = call.func
    named = model_of_names(project, project.names(func)) if func is not None else None
    if named is None or not named[1].writes or call in map(_awaited, call.code.returned()):
        return
    name, model = named
    yield _sent(project, call, tuple(call.arguments(model.body)), name)


def _awaited(node: Node) -> Node:
    return node.origin.awaited


def _assigned(project: Project, statement: Node, op: ops.SetAttr) -> Iterator[Answer]:
    """What is assigned to the framework's response as its body: ``resp.media = {…}``."""
    known = project.models.kinds["sets-body"]
    owners = project.types(statement.to(op.base)) if any(name.endswith(f".{op.name}") for name in known) else ()
    for owner in owners:
        if f"{owner}.{op.name}" in known:
            yield _sent(project, statement, (statement.to(op.value),), f"{owner}.{op.name}")


def _sent(project: Project, node: Node, body: tuple[Node, ...], name: str) -> Answer:
    before = told_before(project, node)
    status = status_of(project, before) if before is not None else _OK
    return Answer(node, "return", status, before is not None, body, name)


def _class_status(project: Project, node: Node, model: ResponseModel) -> int | None:
    """The status of an exception class of the project: its attribute, what its constructor hands up, or the base's."""
    said = _said_by_class(project, node)
    is_own = any(True for _ in project.denoted_classes(node.func or node))
    return said if said is not None else None if is_own and model.status else model.default


def _said_by_class(project: Project, node: Node) -> int | None:
    """The status that a class of the project has by an attribute, or hands up from its constructor."""
    classes = project.denoted_classes(node.func or node)
    views = (view for cls in classes for view in project.lineage_views(cls.name))
    return next((found for view in views if (found := _own_status(project, view)) is not None), None)


def _own_status(project: Project, cls: ClassView) -> int | None:
    for field in sorted(filter(_STATUS_FIELDS.holds, cls.fields), key=lambda name: "status" not in name):
        return status_of(project, cls.fields[field])
    constructor = cls.methods.get("__init__")
    for call in constructor.nodes(ops.Call) if constructor is not None else ():
        if call.method == "__init__":
            given = call.arg(0, "status_code")
            return status_of(project, given) if given is not None else None
    return None


def answering(project: Project) -> frozenset[Code]:
    """The bodies whose returned value a client gets: handlers, error handlers, and what they return a call of."""
    return frozenset(project.once(_answering))


def _answering(project: Project) -> dict[Code, Key | None]:
    """As :func:`answering`, each with where in what it returns the status stands, None where it is as it is sent."""
    handlers = dict.fromkeys(route.handler for route in routes(project))
    found: dict[Code, Key | None] = dict(handlers)
    found.update(dict.fromkeys(wrapper for handler in handlers for wrapper in _around(project, handler)))
    found.update(dict.fromkeys(code for code, _ in project.once(error_handlers)))
    todo = list(found)
    while todo:
        for callee, place in _answered_with(project, todo.pop()):
            if callee not in found and callee.function.name != "__init__":
                found[callee] = place
                todo.append(callee)
    return found


def _answered_with(project: Project, code: Code) -> Iterator[tuple[Code, Key | None]]:
    """The functions whose results a body answers with."""
    yield from ((callee, None) for call in _returned_calls(code) for callee in project.callees(call))
    yield from handed_up(project, code)


def _around(project: Project, handler: Code) -> Iterator[Code]:
    """The functions that the project's own decorators put in a handler's place."""
    for decorator in handler.decorators:
        func = decorator.func or decorator
        for name in project.types(func):
            head, over = split(name)
            code = project.function_named(over) if head == "def" else None
            if code is not None:
                yield from _made_inside(code)


def _made_inside(code: Code) -> Iterator[Code]:
    for op in code.ops:
        made = code.node(op.value).origin.op if isinstance(op, ops.Return) and op.value != NONE else None
        if isinstance(made, ops.Def):
            inner = code.file.code(made.function)
            yield inner
            yield from _made_inside(inner)


def _returned_calls(code: Code) -> Iterator[Node]:
    for op in code.ops:
        if isinstance(op, ops.Return) and op.value != NONE:
            yield from _calls_behind(code.node(op.value))


def _calls_behind(node: Node) -> Iterator[Node]:
    found = walk(node, lambda here: [inner.value for inner in _alternatives(here)])
    return (here for here in found if isinstance(here.op, ops.Call))


def error_handlers(project: Project) -> tuple[tuple[Code, tuple[str, ...]], ...]:
    """Functions that answer exceptions nobody else caught, with the names of the exceptions (or statuses, as text)."""
    kind: frozenset[str] = project.models.kinds.get("handles-exceptions", frozenset())
    found: list[tuple[Code, tuple[str, ...]]] = []
    for call in project.calls(*sorted(kind)):
        classes = tuple(_registered(project, call))
        for code in _registered_functions(project, call):
            found.append((code, classes))
    return (*found, *_named(project), *_mapped(project))


def _named(project: Project) -> Iterator[tuple[Code, tuple[str, ...]]]:
    """Functions that a library calls with one of its own exceptions, which the name of the decorator says."""
    known = dict(entry.split("=") for entry in project.models.kinds["handles-own-exceptions"])
    for decorator, code in project.once(decorated) if known else ():
        names = project.names(decorator.func or decorator) if isinstance(code, Code) else ()
        for name in names:
            if name in known and isinstance(code, Code):
                yield code, (known[name],)


def _mapped(project: Project) -> Iterator[tuple[Code, tuple[str, ...]]]:
    """``exception_handlers={Exception: show}`` of an application, a router, a route or a class of routes.

    Those of one route count for all: what is answered somewhere is not called unanswered elsewhere.
    """
    kinds = project.models.kinds
    argument = "exception_handlers"
    given = [call.arg(None, argument) for call in project.calls(*sorted(kinds.get("maps-exceptions", ())))]
    classes = project.subclasses(*sorted(kinds.get("maps-exceptions-in-class", ())))
    given += [cls.fields.get(argument) for cls in classes]
    for mapping in given:
        for display in behind(project, mapping) if mapping is not None else ():
            yield from _handled(project, display)


def _handled(project: Project, display: Node) -> Iterator[tuple[Code, tuple[str, ...]]]:
    for key, handler in display.entries():
        status = status_of(project, key)
        caught = exception_names(project, key) if status is None else (str(status),)
        if status == _FAULT:  # what is answered there is every exception that has no status of its own
            caught = ("builtins.Exception",)
        for code in functions_behind(project, handler):
            yield code, caught


def _registered(project: Project, call: Node) -> Iterator[str]:
    named = call.argument(("exc_class_or_status_code", "context", "code_or_exception"))
    for given in [named] if named is not None else call.args():
        status = status_of(project, given)
        if status is not None:
            yield str(status)
        elif not functions_behind(project, given):
            yield from exception_names(project, given)


def _registered_functions(project: Project, call: Node) -> Iterator[Code]:
    for argument in call.args():
        for name in project.types(argument):
            code = project.function_named(split(name)[1]) if split(name)[0] == "def" else None
            if code is not None:
                yield code
    for function in call.code.file.facts.functions:
        if call.value in function.decorators and call.code.function is call.code.file.facts.functions[function.parent]:
            yield call.code.file.code(call.code.file.facts.functions.index(function))


def exception_names(project: Project, node: Node) -> tuple[str, ...]:
    """The dotted names of the classes that an ``except`` (or a registration) names, tuples opened."""
    found: dict[str, None] = {}
    seen: set[Node] = set()
    waiting = [node]
    while waiting:
        here = project.resolved(waiting.pop())
        if here in seen:
            continue
        seen.add(here)
        inner = _exceptions_within(here)
        if inner:
            waiting += reversed(inner)
        else:
            found.update(dict.fromkeys(project.names(here) or ((here.spelled,) if here.spelled else ())))
    return tuple(found)


def _exceptions_within(node: Node) -> list[Node]:
    """What a tuple of exceptions is built of: displays, others spread in them, sums of two."""
    op = node.op
    if isinstance(op, ops.Build):
        return [node.to(item) for item in op.items]
    if isinstance(op, ops.Bin) and op.operator == "+":
        return [node.to(op.left), node.to(op.right)]
    return []


def pairs_of(node: Node) -> dict[str, Node] | None:
    """The keys and values of a dict display, ``dict(...)`` or keyword arguments; None if it is none of them."""
    if node.is_dict:
        return {key.text.lower(): value for key, value in node.entries() if key.text is not None} or None
    call = node.call
    if call is None or node.method not in ("dict", "jsonify"):
        return None
    if call.keywords:
        return {name.lower(): node.to(value) for name, value in call.keywords}
    return pairs_of(node.to(call.args[0]).origin) if node.method == "jsonify" and len(call.args) == 1 else None


def literal_text(node: Node) -> str | None:
    """The text of a literal, of a f-string's or sum's literal parts."""
    node = node.origin
    op = node.op
    if isinstance(op, ops.Const):
        return op.value if isinstance(op.value, str) and not op.binary else None
    if isinstance(op, ops.Build) and op.kind == "fstring":
        return "".join(literal_text(node.to(item)) or "" for item in op.items) or None
    if isinstance(op, ops.Bin) and op.operator in ("+", "%"):
        return (literal_text(node.to(op.left)) or "") + (literal_text(node.to(op.right)) or "") or None
    if isinstance(op, ops.Call) and node.method in ("format", "_", "gettext", "gettext_lazy"):
        base = node.receiver if node.method == "format" else node.arg(0)
        return literal_text(base) if base is not None else None
    return None
