"""What hands a request on to the rest of an application: middleware, by how it is marked, listed or added."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.deployment.django_settings import django_setting
from backaudit.backend.web.hooks import run_for_requests
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import behind, classes_behind, decorated, functions_behind, strings

# Keywords, and the attribute, under which an application has the list of what stands around it.
_LISTS = ("middlewares", "middleware")


def passing(project: Project) -> tuple[Code, ...]:
    """The functions and methods that are handed a request and what answers it, each once. Ask with ``once``."""
    found = dict.fromkeys(
        code for code in _registered(project) if any(_hands_on(call) for call in code.nodes(ops.Call))
    )
    return tuple(found)


def standing_before(project: Project) -> Iterator[Code]:
    """What middleware, and what is hooked before a handler, runs of a request before the handler gets it."""
    yield from _registered(project)
    steps = sorted(project.models.kinds["middleware-steps"])
    for cls in _classes(project):
        yield from (code for step in steps if (code := project.method(cls.name, step)) is not None)
    before = project.models.kinds["hooks-of-handlers"]
    for decorator, _ in project.once(decorated):
        first = decorator.arg(0)
        if first is not None and not before.isdisjoint(project.names(decorator.func or decorator)):
            yield from functions_behind(project, first)


def _classes(project: Project) -> Iterator[ClassView]:
    """The classes of middleware that an application is given, as they are or made, or that its settings list."""
    for node in _added(project):
        yield from classes_behind(project, node)
        yield from project.instances(node)
    for named in ("MIDDLEWARE", "MIDDLEWARE_CLASSES"):
        setting = django_setting(project, named)
        for name in dotted_names(project, setting.value) if setting is not None else ():
            cls = class_dotted(project, name, setting.value) if setting is not None else None
            yield from () if cls is None else (cls,)


def dotted_names(project: Project, node: Node) -> list[str]:
    """The texts of a setting's list, also of one that is put together."""
    found: list[str] = []
    for value in behind(project, node):
        op = value.op
        if isinstance(op, ops.Bin):
            found += [*dotted_names(project, value.to(op.left)), *dotted_names(project, value.to(op.right))]
        else:
            found += strings(project, value)
    return found


def class_dotted(project: Project, name: str, at: Node) -> ClassView | None:
    """The class that a dotted name in a setting stands for."""
    found = project.class_named(name)
    if found is None:
        alike = project.classes_called(name.rpartition(".")[2])
        found = next((cls for cls in alike if cls.name.endswith(f".{name}")), None)
    if found is None:  # A package may hand it on: ``from .event import EventMiddleware``.
        given = project.dotted(at, name)
        found = next(iter(classes_behind(project, given)), None) if given is not None else None
    return found


def is_handing_on(call: Node) -> bool:
    """Whether a call runs the rest of the application, which its function was handed (``call_next(request)``)."""
    return call.call is not None and _hands_on(call)


def _hands_on(call: Node) -> bool:
    func = call.func.origin.op if call.func is not None else None
    given = any(isinstance(argument.origin.op, ops.Param) for argument in call.args())
    return isinstance(func, ops.Param) and func.index > 0 and given


def _registered(project: Project) -> Iterator[Code]:
    yield from run_for_requests(project)
    marks = project.models.kinds["marks-middleware"]
    for decorator, code in project.once(decorated):
        if isinstance(code, Code) and not marks.isdisjoint(project.names(decorator.func or decorator)):
            yield code
    for node in _added(project):
        yield from functions_behind(project, node)
        for cls in classes_behind(project, node):
            dispatch = project.method(cls.name, "dispatch")
            yield from () if dispatch is None else (dispatch,)


def _added(project: Project) -> Iterator[Node]:
    """What is put around an application: ``middlewares=[…]``, ``app.middlewares.append(…)``, ``add_middleware(…)``."""
    for last in sorted(project.models.kinds["applications"]):
        for call in project.calls_of(last):
            for listed in filter(None, (call.arg(None, keyword) for keyword in _LISTS)):
                yield from (_inner(item) for item in items(project.resolved(listed)))
    for call in project.calls_of("add_middleware"):
        yield from filter(None, (call.arg(0),))
    for call in (*project.calls_of("append"), *project.calls_of("insert")):
        op = call.receiver.op if call.receiver is not None else None
        if isinstance(op, ops.Attr) and op.name in _LISTS:
            yield from call.args()[-1:]


def _inner(item: Node) -> Node:
    """``Middleware(Timed)`` is of the class ``Timed``."""
    inner = item.arg(0) if item.method == "Middleware" else None
    return inner if inner is not None else item
