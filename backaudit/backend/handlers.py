"""What a registered handler runs: a function, a class view's methods, something wrapped."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.locate import classes_behind, functions_behind, strings
from backaudit.project import ClassView, Code, Node, Project

HTTP_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_DEPTH = 4


class Handler(msgspec.Struct, frozen=True):
    """Code that answers; ``methods`` as far as the handler itself tells; ``wrappers`` from the outside inwards."""

    code: Code
    methods: tuple[str, ...]
    wrappers: tuple[Node, ...]
    view: ClassView | None = None


def handlers_of(project: Project, target: Node | ClassView) -> Iterator[Handler]:
    """The handlers behind a registered value."""
    if isinstance(target, ClassView):
        yield from _methods(project, target, ())
    else:
        yield from _behind(project, target, (), 0)


def _behind(project: Project, node: Node, wrappers: tuple[Node, ...], depth: int) -> Iterator[Handler]:
    here = project.resolved(node)
    call = here.call
    if call is not None and here.method != "as_view":
        inner = [arg for arg in here.args() if depth < _DEPTH]
        found = [h for arg in inner for h in _behind(project, arg, (*wrappers, here), depth + 1)]
        if found:
            yield from found
            return
    classes = classes_behind(project, here.receiver) if here.method == "as_view" and here.receiver else []
    functions = [] if classes else functions_behind(project, here)
    for code in functions:
        if code.function.name != "__init__":
            yield Handler(code, (), wrappers)
    if not functions and not classes:
        # A class, or an object of one (Falcon's resources, Django's feeds).
        classes = classes_behind(project, here) if call is None else list(project.instances(here))
    for cls in classes:
        yield from _methods(project, cls, wrappers)


def _methods(project: Project, cls: ClassView, wrappers: tuple[Node, ...]) -> Iterator[Handler]:
    found = False
    for method in HTTP_METHODS[:5]:
        for name in (method.lower(), f"on_{method.lower()}"):
            code = project.method(cls.name, name)
            if code is not None:
                found = True
                yield Handler(code, (method,), wrappers, cls)
    for method, code in _generic(project, cls):
        if project.method(cls.name, method.lower()) is None:
            found = True
            yield Handler(code, (method,), wrappers, cls)
    if found:
        return
    dispatch = project.method(cls.name, "dispatch_request") or project.method(cls.name, "__call__")
    field = cls.fields.get("methods")
    methods = tuple(m.upper() for m in strings(project, field)) if field is not None else ()
    yield Handler(dispatch or cls.body, methods, wrappers, cls)


def _generic(project: Project, cls: ClassView) -> Iterator[tuple[str, Code]]:
    """The HTTP methods that a library's base class answers, and the project's method that takes part in it."""
    table = project.models.routing.get("django.generics", {})
    seen: set[str] = set()
    for owner in project.lineage(cls.name):
        for spec in table.get(owner, "").split():
            method, _, action = spec.partition(":")
            if method not in seen:
                seen.add(method)
                yield method, (project.method(cls.name, action) if action else None) or cls.body
