"""Functions that an application or a router runs before each of its handlers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backaudit.backend.web.frameworks.language import tables
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import behind, decorated, functions_behind
from backaudit.vocabulary.meaning import meaning

_AFTER = meaning("routes", "hook-after")


def hooks(project: Project) -> tuple[tuple[Node, Code], ...]:
    """Each with what it is put on (``@app.before_request``, ``app.before_request(function)``). Ask with ``once``."""
    names = tuple(sorted(project.models.kinds.get("hook-methods", ())))
    found: list[tuple[Node, Code]] = []
    for decorator, code in project.once(decorated):
        base = _hooked(decorator, names)
        if isinstance(code, Code) and base is not None:
            found.append((base, code))
    for receiver, handler in _registered(project, names):
        found += [(receiver, code) for code in functions_behind(project, handler)]
    return tuple(found)


def run_for_requests(project: Project) -> Iterator[Code]:
    """The hooks of what is known to be an application or a router."""
    known = project.once(tables)
    for base, code in project.once(hooks):
        names = {name for router in behind(project, base) for name in project.types(router)}
        if any(owner in known for name in names for owner in project.lineage(name)):
            yield code


def _hooked(decorator: Node, names: tuple[str, ...]) -> Node | None:
    """The application or router whose hook before requests a decorator is (``@app.before_request``), called or bare."""
    when = decorator.arg(0)
    if when is not None and _AFTER.holds(when.text or ""):
        return None
    if decorator.receiver is not None:
        return decorator.receiver if decorator.method in names else None
    bare = decorator.op
    return decorator.to(bare.base) if isinstance(bare, ops.Attr) and bare.name in names else None


def _registered(project: Project, names: Sequence[str]) -> Iterator[tuple[Node, Node]]:
    """``app.before_request(function)``: the application, and what is run."""
    for call in (call for last in names for call in project.calls_of(last)):
        handler = call.arg(0)
        if handler is not None and handler.text is not None:
            handler = call.arg(1)
        if handler is not None and call.receiver is not None:
            yield call.receiver, handler
