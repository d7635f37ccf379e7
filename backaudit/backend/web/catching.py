"""Exception handling as records: what each ``except`` catches, what it does, and what its ``try`` had in it."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

import msgspec

from backaudit.backend.web.around import Layer, layers_of, yields_of
from backaudit.backend.web.callbacks import callbacks
from backaudit.backend.web.hooks import run_for_requests
from backaudit.backend.web.passing import is_handing_on, passing, standing_before
from backaudit.backend.web.responses import Answer, answers, error_handlers, exception_names, resolve
from backaudit.backend.web.routes import dependencies, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region, Value
from backaudit.facts.place import Place, Span
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING, last_name
from backaudit.project.locate import behind, class_field, functions_behind
from backaudit.project.nodes import operands
from backaudit.project.operands import made_of, walk
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import CLIENT_ERRORS

_BROAD = frozenset(("Exception", "BaseException"))
_EXITS = ("__exit__", "__aexit__")
_BEFORE_THE_END = ("try", "except", "try-else")
_DEVELOPMENT = meaning("stages", "development-switch")


class Handler(msgspec.Struct, frozen=True):
    """One ``except`` clause.

    ``caught`` are the dotted names of the classes it names (``BaseException`` if it names none); ``region`` is its part
    of the body, ``block`` the part of the ``try`` it guards.
    """

    code: Code
    region: Region
    block: Region | None
    caught: tuple[str, ...]

    @property
    def place(self) -> Place:
        """The ``except`` itself, not its suite."""
        at = self.region.at
        return Place(self.code.path, Span(at.line, at.column, at.line, at.column + len("except")))

    @property
    def bare(self) -> bool:
        return self.region.test == NONE

    @property
    def broad(self) -> bool:
        """Whether it catches everything that can go wrong."""
        return not _BROAD.isdisjoint(map(last_name, self.caught))

    @property
    def label(self) -> str:
        """As one would say it."""
        names = ", ".join(map(last_name, self.caught))
        return "bare except" if self.bare else f"except {names}" if names else "except"

    @property
    def exception(self) -> Node:
        """The exception it caught."""
        code = self.code
        return next(
            (code.node(v) for v in range(self.region.first, self.region.last) if isinstance(code.ops[v], ops.Caught)),
            code.node(self.region.first),
        )

    def holds(self, value: Value) -> bool:
        return self.region.first <= value < self.region.last

    def nodes(self) -> Iterator[Node]:
        return map(self.code.node, range(self.region.first, self.region.last))

    def tried(self) -> Iterator[Node]:
        """The operations of the ``try`` block, nested ones included."""
        block = self.block
        return map(self.code.node, range(block.first, block.last)) if block is not None else iter(())


def handlers(project: Project) -> tuple[Handler, ...]:
    """Every handler of the project's own code (tests, migrations and examples left out), by file and line."""
    return project.once(_handlers)


def _handlers(project: Project) -> tuple[Handler, ...]:
    files = [file for file in project.files.values() if file.role in SERVING]
    functions = (pair for file in files for pair in zip(repeat(file), range(len(file.facts.functions))))
    catching = (file.code(index) for file, index in functions if file.facts.functions[index].handlers)
    return tuple(handler for code in catching for handler in handlers_in(project, code))


def handlers_in(project: Project, code: Code) -> tuple[Handler, ...]:
    """The handlers of one body, in order."""
    return project.all_of(_handlers_in, code) if code.function.handlers else ()


def _handlers_in(project: Project, code: Code) -> Iterator[Handler]:
    blocks = {region.group: region for region in code.body.regions if region.kind == "try"}
    for region in code.body.regions:
        if region.kind == "except":
            bare = region.test == NONE
            names = ("builtins.BaseException",) if bare else exception_names(project, code.node(region.test))
            yield Handler(code, region, blocks.get(region.group), names)


# -- what may be raised, and who catches it ------------------------------------------------------------------------


def ancestry(project: Project, name: str) -> frozenset[str]:
    """The last names of an exception class and of its bases, the project's and libraries' alike."""
    found: list[str] = [name]
    for current in found:
        found += [base for base in project.lineage(current) if base not in found]
        known = project.models.exceptions.get(current)
        found += [known] if known and known not in found else []
        found += [base for base in _builtin_bases(last_name(current)) if base not in found]
    return frozenset((*map(last_name, found), *_BROAD))


def _builtin_bases(name: str) -> list[str]:
    cls = getattr(builtins, name, None)
    if isinstance(cls, type) and issubclass(cls, BaseException):
        return [f"builtins.{base.__name__}" for base in cls.__mro__[1:-1]]
    return []


def catches(project: Project, node: Node, exceptions: Iterable[str]) -> Handler | None:
    """The handler in the same body that would take one of ``exceptions`` raised at ``node``."""
    wanted = [ancestry(project, name) for name in exceptions]
    for region in node.code.regions_of(node.value):
        if region.kind != "try":
            continue
        for handler in handlers_in(project, node.code):
            if handler.region.group == region.group and any(
                names & set(map(last_name, handler.caught)) for names in wanted
            ):
                return handler
    return None


def left_at_the_end(node: Node) -> bool:
    """Whether ``node`` stands in a ``try`` whose ``finally`` leaves by itself: what was raised is dropped there."""
    groups = {region.group for region in node.code.regions_of(node.value) if region.kind in _BEFORE_THE_END}
    return any(region.group in groups for region in leaving_ends(node.code))


def leaving_ends(code: Code) -> Iterator[Region]:
    """The ``finally`` parts of a body that never fall off their end but by a ``return``, ``break`` or ``continue``."""
    return (region for region in code.body.regions if region.kind == "finally" and region.exits not in ("", "raise"))


def suppressed(project: Project, node: Node, exceptions: Iterable[str]) -> bool:
    """Whether a ``with`` around ``node`` takes one of ``exceptions``: ``suppress(...)``, or the project's own; or the
    ``finally`` of its ``try`` returns.
    """
    if left_at_the_end(node):
        return True
    named = tuple(exceptions)
    wanted = frozenset[str]().union(*(ancestry(project, name) for name in named))
    for region in node.code.regions_of(node.value):
        if region.kind == "with" and region.test != NONE:
            manager = node.to(region.test)
            if manager.method in ("suppress", "ignored"):
                names = {last_name(n) for argument in manager.args() for n in exception_names(project, argument)}
                if names & wanted:
                    return True
            elif _manager_takes(project, manager, named, wanted):
                return True
    return False


def _manager_takes(project: Project, manager: Node, exceptions: tuple[str, ...], wanted: frozenset[str]) -> bool:
    """Whether a context manager of the project's own catches, or asks for, one of ``exceptions``."""
    for code in project.callees(manager) if manager.call is not None else ():
        if any(all(catches(project, wait, exceptions) for wait in layer) for layer in yields_of(code)):
            return True
    for cls in project.instances(manager):
        for name in _EXITS:
            leaving = project.method(cls.name, name)
            if leaving is not None and _asked_for_by(project, leaving) & (wanted - _BROAD):
                return True
    return False


def escapes(
    project: Project, node: Node, exceptions: tuple[str, ...], *, by: Callable[[Node], bool] | None = None
) -> tuple[Node, ...] | None:
    """The calls by which an exception raised at ``node`` leaves a request's handler uncaught, innermost first.

    ``by`` says which calls of the body that raises count; without it all do.

    An empty tuple: ``node`` stands in the handler itself. None: it is caught on every way, or no request comes here.
    """
    if not any(exceptions) or answered_globally(project, exceptions):
        return None
    found = _escapes(project, node, exceptions, by)
    if found is None or not isinstance(node.op, ops.Raise):
        return found
    # What is raised on purpose is the answer where the library hands the client what was raised.
    entry = project.once(callbacks).get(found[-1].code if found else node.code)
    return None if entry is not None and entry.answered else found


def entry_of(node: Node, path: tuple[Node, ...]) -> Code:
    """The handler that an exception raised at ``node`` leaves by ``path``."""
    return path[-1].code if path else node.code


def _escapes(
    project: Project, node: Node, exceptions: tuple[str, ...], by: Callable[[Node], bool] | None
) -> tuple[Node, ...] | None:
    """The shortest way; each call is looked at once."""
    waiting: deque[tuple[Node, tuple[Node, ...]]] = deque([(node, ())])
    seen: set[Node] = set()
    while waiting:
        here, path = waiting.popleft()
        code = here.code
        if _is_taken(project, here, exceptions) or _is_taken_around(project, code, exceptions):
            continue
        if code in project.once(request_handlers):
            if not _answered_by_library(project, code, exceptions) and not _told_apart(project, code, exceptions):
                return path
        elif code not in project.once(_error_handler_codes):
            calls = [call for call in _callers_outside(project, code) if call not in seen]
            calls = [call for call in calls if path or by is None or by(call)]
            seen.update(calls)
            waiting.extend((call, (*path, call)) for call in calls)
    return None


def _is_taken(project: Project, node: Node, exceptions: tuple[str, ...]) -> bool:
    return catches(project, node, exceptions) is not None or suppressed(project, node, exceptions)


def _is_taken_around(project: Project, code: Code, exceptions: tuple[str, ...]) -> bool:
    """Whether what stands around a function catches what leaves it: its decorators, or whatever runs a handler."""
    put = [wrapping.calls for wrapping in project.graph.wrappings(code)]
    by_route = layers_of(project, code)
    if _takes(project, put, exceptions):
        return True
    return bool(by_route) and all(_takes(project, layers, exceptions) for layers in by_route)


def _takes(project: Project, layers: Iterable[Layer], exceptions: tuple[str, ...]) -> bool:
    return any(all(_is_taken(project, call, exceptions) for call in layer) for layer in layers)


def _callers_outside(project: Project, code: Code) -> Iterator[Node]:
    """The calls of a body by others that serve; those of what it stands around, where a decorator puts it there."""
    called = (code, *project.graph.wrapped_by(code))
    calls = (call for each in called for call in project.callers(each))
    return (call for call in calls if call.code.file.role == "production" and call.code not in called)


def _answered_by_library(project: Project, code: Code, exceptions: tuple[str, ...]) -> bool:
    """Whether what calls ``code`` hands the client such an exception as an answer, whoever raises it."""
    entry = project.once(callbacks).get(code)
    answered = frozenset(map(last_name, entry.answered)) if entry is not None else frozenset[str]()
    return any(not answered.isdisjoint(ancestry(project, name)) for name in exceptions)


def _told_apart(project: Project, code: Code, exceptions: tuple[str, ...]) -> bool:
    """Whether the view of a handler answers such an exception itself, where its library asks it what to say."""
    if code.cls is None:
        return False
    names: set[str] = set()
    for method in sorted(project.models.kinds["error-writers"]):
        writer = project.method(code.cls.name, method)
        names |= _asked_for_by(project, writer) if writer is not None else set()
    return any(not names.isdisjoint(ancestry(project, name) - _BROAD) for name in exceptions)


def ending(project: Project, node: Node, path: tuple[Node, ...], usual: str) -> str:
    """What an exception ends as that leaves a request's handler by ``path``: ``usual`` for that of a route."""
    entry = project.once(callbacks).get(path[-1].code if path else node.code)
    return entry.ending if entry is not None and entry.ending else usual


def request_handlers(project: Project) -> frozenset[Code]:
    """The bodies that a request runs: handlers, what is injected into them, runs before or wraps them, parts of generic
    views, and what answers events and fields.
    """
    steps = (*_serializer_steps(project), *run_for_requests(project), *standing_before(project))
    found: dict[Code, None] = dict.fromkeys((*dependencies(project), *project.once(callbacks), *steps))
    names = sorted(project.models.kinds["view-starts"] | project.models.kinds["view-steps"])
    for route in routes(project):
        found[route.handler] = None
        for decorator in route.handler.decorators:
            for code in functions_behind(project, decorator.func or decorator):
                found |= dict.fromkeys(_wrappers(code))
        if route.view is not None:
            parts = (project.method(route.view.name, name) for name in names)
            found |= {code: None for code in parts if code is not None}
    return frozenset(code for code in found if code.file.role == "production")


def _serializer_steps(project: Project) -> Iterator[Code]:
    """What serializers that views are declared with run of their own: ``create``, ``update``, ``validate``."""
    steps = sorted(project.models.kinds["serializer-steps"])
    for route in routes(project):
        field = class_field(project, route.view, "serializer_class") if route.view is not None else None
        for cls in project.denoted_classes(field) if field is not None else ():
            yield from (code for name in steps if (code := project.method(cls.name, name)) is not None)


def _wrappers(decorator: Code) -> Iterator[Code]:
    """The functions that a decorator makes to stand before what it decorates."""
    for node in decorator.nodes(ops.Def):
        op = node.op
        if isinstance(op, ops.Def):
            inner = decorator.file.code(op.function)
            if inner.function.kind == "function":
                yield inner
                yield from _wrappers(inner)


def _error_handler_codes(project: Project) -> frozenset[Code]:
    return frozenset(code for code, _ in project.once(error_handlers))


def answered_globally(project: Project, exceptions: Iterable[str]) -> bool:
    """Whether an application-wide handler answers one of ``exceptions`` (or a base that is not all exceptions)."""
    named = project.once(_globally_answered)
    return any(not named.isdisjoint(ancestry(project, name) - _BROAD) for name in exceptions)


def _globally_answered(project: Project) -> frozenset[str]:
    names = {last_name(name) for _, caught in project.once(error_handlers) for name in caught}
    for code, caught in project.once(error_handlers):
        names |= _asked_for_by(project, code) if not _BROAD.isdisjoint(map(last_name, caught)) else set()
    for call in project.calls_of("register_tortoise"):
        added = call.arg(name="add_exception_handlers")
        if added is not None and added.const is True:
            names |= {"DoesNotExist", "IntegrityError"}
    names |= _asked_by_custom_handlers(project) | _answered_around(project)
    return frozenset(names - _BROAD)


def _answered_around(project: Project) -> set[str]:
    """Exceptions of the rest of the application that a middleware makes into an answer, and not into a failure."""
    names: set[str] = set()
    for handler in (handler for code in project.once(passing) for handler in handlers_in(project, code)):
        around = any(is_handing_on(node) for node in handler.tried())
        answered = any(answer.status in CLIENT_ERRORS for answer in answers_in(project, handler))
        names |= {last_name(name) for name in handler.caught} if around and answered else set()
    return names


def _asked_by_custom_handlers(project: Project) -> set[str]:
    """Exceptions that the function behind the setting EXCEPTION_HANDLER tells apart."""
    names: set[str] = set()
    for file in project.files.values():
        for function in file.facts.functions:
            if function.name.endswith("exception_handler") and function.kind == "function":
                names |= _asked_for_by(project, file.code(file.facts.functions.index(function)))
    for known in sorted(project.models.kinds["error-handler-methods"]):
        owner, _, method = known.rpartition(".")
        for code in filter(None, (cls.methods.get(method) for cls in project.subclasses(owner))):
            names |= _asked_for_by(project, code)
    return names


def _asked_for_by(project: Project, code: Code) -> set[str]:
    """The exceptions that a body tells apart by asking what it was given."""
    names: set[str] = set()
    for call in code.nodes(ops.Call):
        if call.method in ("isinstance", "issubclass") and len(call.args()) > 1:
            names |= {last_name(name) for name in exception_names(project, call.args()[1])}
        elif call.method == "get" and _is_type(call.arg(0)) and call.receiver is not None:
            names |= _keys(project, call.receiver)
    for node in code.nodes(ops.Item):
        if isinstance(node.op, ops.Item) and _is_type(node.to(node.op.key)):
            names |= _keys(project, node.to(node.op.base))
    return names


def _is_type(node: Node | None) -> bool:
    """``type(error)``, by which a table of answers is asked."""
    return node is not None and node.origin.method == "type" and len(node.origin.args()) == 1


def _keys(project: Project, table: Node) -> set[str]:
    entries = (entry for display in behind(project, table) for entry in display.entries())
    return {last_name(name) for key, _ in entries for name in exception_names(project, key)}


def reached(project: Project, code: Code) -> bool:
    """Whether a request can come to a body of code, over however many calls."""
    return code in project.once(_reached)


def reached_functions(project: Project) -> Iterator[Code]:
    """The functions of production files that a request can come to, by file and place."""
    for file in project.files.values():
        if file.role == "production":
            for index, function in enumerate(file.facts.functions):
                if function.kind == "function" and reached(project, file.code(index)):
                    yield file.code(index)


def _reached(project: Project) -> frozenset[Code]:
    waiting = list(project.once(request_handlers))
    found = set(waiting)
    while waiting:
        code = waiting.pop()
        run = {callee for call in code.nodes(ops.Call) for callee in project.callees(call)}
        new = (run | {wrapping.inner for callee in run for wrapping in project.graph.wrappings(callee)}) - found
        found |= new
        waiting += new
    return frozenset(found)


# -- what a handler does -------------------------------------------------------------------------------------------


def logs(project: Project, handler: Handler) -> bool:
    """Whether the handler leaves a trace of the failure in a log."""
    return any(_is_log(project, node) for node in handler.nodes() if isinstance(node.op, ops.Call))


def _is_log(project: Project, call: Node) -> bool:
    func = call.func
    if func is None:
        return False
    kinds = project.models.kinds
    if not kinds["logs"].isdisjoint(project.names(func)):
        return True
    if call.method in kinds["log-methods"] and _speaks_of_log(call.receiver):
        return True
    called = (code for code in project.callees(call) if code.function.name != "__init__")
    return any(project.solved(_logging, code) for code in called) or _names_a_log(call.method)


def _logging(project: Project, code: Code) -> Iterator[bool]:
    if any(_is_log(project, call) for call in code.nodes(ops.Call)):
        yield True


def _speaks_of_log(receiver: Node | None) -> bool:
    name = last_name(receiver.spelled).lower() if receiver is not None else ""
    return "log" in name or name in ("sentry", "sentry_sdk", "client", "rollbar", "span", "traceback", "raven_client")


def _names_a_log(name: str) -> bool:
    parts = name.lower().strip("_").split("_")
    return not {"log", "logger", "report", "capture"}.isdisjoint(parts)


def raises(handler: Handler) -> bool:
    """Whether the handler raises, the same exception or another."""
    return any(isinstance(node.op, ops.Raise) for node in handler.nodes())


def answers_in(project: Project, handler: Handler) -> tuple[Answer, ...]:
    """What the handler answers, also where it only makes the answer and the body returns it at its end."""
    inside = [answer for answer in answers(project, handler.code) if handler.holds(answer.value)]
    return (*inside, *_deferred(project, handler))


def _deferred(project: Project, handler: Handler) -> Iterator[Answer]:
    """``except Exception: response = {...}, 500`` and ``return response`` below it."""
    for node in handler.code.nodes(ops.Return):
        op = node.op
        if isinstance(op, ops.Return) and op.value != NONE and not handler.holds(node.value):
            for made in _joined(handler.code.node(op.value)):
                if handler.holds(made.value) and not isinstance(made.op, ops.Const):
                    for status, stated, body, maker in resolve(project, made):
                        yield Answer(made, "return", status, stated, body, maker)


def _joined(node: Node) -> list[Node]:
    """The values that may arrive where branches join; nothing for a value that comes by one way."""
    if not isinstance(node.origin.op, ops.Phi):
        return []
    found = walk(node, lambda here: here.op.values if isinstance(here.op, ops.Phi) else ())
    return [here for here in found if not isinstance(here.op, ops.Phi)]


_CARRYING = (ops.Bind, ops.Attr, ops.Item, ops.Format, ops.Build, ops.Bin, ops.Phi, ops.Choice, ops.Logic)


def uses_exception(project: Project, handler: Handler) -> bool:
    """Whether what was caught goes anywhere but to a print or to the person at the browser."""
    carried = {handler.exception.value}
    for value in range(handler.region.first, len(handler.code.ops)):
        op = handler.code.ops[value]
        if carried.isdisjoint(operands(op)):
            continue
        if isinstance(op, _CARRYING):
            carried.add(value)
        elif isinstance(op, ops.Call):
            call = handler.code.node(value)
            if _only_shows(project, call):
                continue
            if not _makes_text(call):
                return True
            carried.add(value)
        elif not isinstance(op, ops.Discard):
            return True
    return False


def _only_shows(project: Project, call: Node) -> bool:
    names = project.names(call.func) if call.func is not None else ()
    return "builtins.print" in names or not project.models.kinds["tells-user"].isdisjoint(names)


def _makes_text(call: Node) -> bool:
    return call.method in ("str", "repr", "type", "format", "join", "format_exc", "strip")


def chooses(test: Node) -> bool:
    """Whether a condition tells exceptions apart or asks for debug mode."""
    return any(map(_chooses, made_of(test)))


def _chooses(test: Node) -> bool:
    op = test.op
    if isinstance(op, ops.Call) and test.method in ("isinstance", "issubclass", "hasattr"):
        return True
    if isinstance(op, (ops.Attr, ops.Name, ops.Param, ops.Item)) and "debug" in test.spelled.lower():
        return True
    return (
        isinstance(op, ops.Compare) and op.operator in ("==", "in") and any(map(_names_development, _sides(test, op)))
    )


def _sides(test: Node, op: ops.Compare) -> list[Node]:
    """What a comparison compares, a display opened."""
    sides = [test.to(op.left).origin, test.to(op.right).origin]
    return [
        *sides, *(side.to(item) for side in sides if isinstance(side.op, ops.Build) for item in side.op.items)
    ]  # fmt: skip


def _names_development(node: Node) -> bool:
    return node.text is not None and _DEVELOPMENT.holds(node.text)


def handler_of(project: Project, caught: Node) -> Handler | None:
    """The innermost handler around a node."""
    around = [h for h in handlers_in(project, caught.code) if h.holds(caught.value)]
    return around[-1] if around else None


def chosen(node: Node) -> bool:
    """Whether a node is reached only after a question that tells exceptions apart or asks for debug mode."""
    regions = node.code.body.regions
    return any(
        (region.first <= node.value < region.last or _left(regions, region, node.value)) and _asks(node, region)
        for region in regions
    )


def _left(regions: tuple[Region, ...], region: Region, value: Value) -> bool:
    """Whether a branch that stands before a value has been left for good by whoever comes to the value."""
    if not region.exits or region.last > value:
        return False
    parent = regions[region.parent] if region.parent >= 0 else None
    return parent is None or parent.first <= value < parent.last


def _asks(node: Node, region: Region) -> bool:
    return region.kind in ("then", "else", "lazy") and region.test != NONE and chooses(node.to(region.test))
