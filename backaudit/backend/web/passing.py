"""What hands a request on to the rest of an application: middleware, by how it is marked, listed or added."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.hooks import run_for_requests
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import classes_behind, decorated, functions_behind

# Keywords, and the attribute, under which an application has the list of what stands around it.
_LISTS = ("middlewares", "middleware")


def passing(project: Project) -> tuple[Code, ...]:
    """The functions and methods that are handed a request and what answers it, each once. Ask with ``once``."""
    found = dict.fromkeys(
        code for code in _registered(project) if any(_hands_on(call) for call in code.nodes(ops.Call))
    )
    return tuple(found)


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
