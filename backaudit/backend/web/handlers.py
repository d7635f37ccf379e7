"""What a registered handler runs: a function, a class view's methods, something wrapped."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import NOTHING_GIVEN, Given, behind, classes_behind, functions_behind, stands_for, strings
from backaudit.vocabulary.protocols import METHODS

_DEPTH = 4


class Handler(msgspec.Struct, frozen=True):
    """Code that answers; ``methods`` as far as the handler itself tells; ``wrappers`` from the outside inwards."""

    code: Code
    methods: tuple[str, ...]
    wrappers: tuple[Node, ...]
    view: ClassView | None = None


def handlers_of(
    project: Project, target: Node | ClassView, given: Given = NOTHING_GIVEN, suffix: str = ""
) -> Iterator[Handler]:
    """The handlers behind a registered value; ``suffix``: that of the methods that were asked for (``on_get_list``)."""
    if isinstance(target, ClassView):
        yield from _methods(project, target, (), suffix)
    else:
        yield from _behind(project, target, (), 0, given, suffix)


def _behind(
    project: Project, node: Node, wrappers: tuple[Node, ...], depth: int, given: Given, suffix: str
) -> Iterator[Handler]:
    here = project.resolved(node)
    call = here.call
    if call is not None and here.method != "as_view":
        inner = [] if project.gives_up(depth, _DEPTH, here.place) else _wrapped(here)
        found = [h for arg in inner for h in _behind(project, arg, (*wrappers, here), depth + 1, given, suffix)]
        if found:
            yield from found
            return
    viewed = next((v for v in behind(project, here, given=given) if v.method == "as_view"), here)
    made = viewed.receiver if viewed.method == "as_view" else None
    classes = classes_behind(project, made, given) if made is not None else []
    functions = [] if classes else functions_behind(project, here, given)
    for code in functions:
        if code.function.name != "__init__":
            yield Handler(code, (), wrappers)
    if not functions and not classes:
        # A class, or an object of one (Falcon's resources, Django's feeds).
        classes = classes_behind(project, here, given) if call is None else _instances(project, here, given)
        classes = classes or [cls for v in behind(project, here, given=given) for cls in project.instances(v)]
    for cls in dict.fromkeys(classes):
        yield from _methods(project, cls, wrappers, suffix)


def _instances(project: Project, made: Node, given: Given) -> list[ClassView]:
    """The classes of an object, also where the class that is called stands for several."""
    chosen = made.func is not None and stands_for(project, made.func, given) is not None
    return classes_behind(project, made.func, given) if chosen and made.func is not None else [*project.instances(made)]


def _wrapped(call: Node) -> list[Node]:
    """What a call may wrap: anything that it is given, of ``partial`` the function alone and not what that is given."""
    first = call.arg(0)
    return [first] if call.method == "partial" and first is not None else call.args()


def _methods(project: Project, cls: ClassView, wrappers: tuple[Node, ...], suffix: str) -> Iterator[Handler]:
    found = [*_named_methods(project, cls, suffix), *_generic_methods(project, cls)]
    allowed = _allowed(project, cls)
    if found:
        for method, code in found:
            if not allowed or method in allowed:
                yield Handler(code, (method,), wrappers, cls)
    elif not project.models.kinds.get("socket-classes", frozenset()).isdisjoint(project.lineage(cls.name)):
        code = _first_method(project, cls, "on_message", "on_receive", "open", "on_connect") or cls.body
        yield Handler(code, ("WEBSOCKET",), wrappers, cls)
    else:
        field = cls.fields.get("methods")
        methods = tuple(method.upper() for method in strings(project, field)) if field is not None else ()
        code = _first_method(project, cls, "dispatch_request", "__call__") or cls.body
        yield Handler(code, methods, wrappers, cls)


def _first_method(project: Project, cls: ClassView, *names: str) -> Code | None:
    found = (project.method(cls.name, name) for name in names)
    return next((method for method in found if method is not None), None)


def _named_methods(project: Project, cls: ClassView, suffix: str) -> Iterator[tuple[str, Code]]:
    """The methods that a class names after HTTP's (``get``, ``on_post``), with what they answer."""
    tail = f"_{suffix}" if suffix else ""
    for method in METHODS[:5]:
        verb = method.lower()
        names = (verb, f"on_{verb}{tail}", f"on_{verb}{tail}_async")
        for name in names[1 if tail else 0 :]:
            code = project.method(cls.name, name)
            if code is not None:
                yield method, code


def _generic_methods(project: Project, cls: ClassView) -> Iterator[tuple[str, Code]]:
    """What the bases from a library answer that the class does not answer itself."""
    for method, code in _generic(project, cls):
        if project.method(cls.name, method.lower()) is None:
            yield method, code


def _allowed(project: Project, cls: ClassView) -> frozenset[str]:
    """The methods to which Django's class views are narrowed by ``http_method_names``."""
    for view in project.lineage_views(cls.name):
        if "http_method_names" in view.fields:
            return frozenset(name.upper() for name in strings(project, view.fields["http_method_names"]))
    return frozenset()


def _generic(project: Project, cls: ClassView) -> Iterator[tuple[str, Code]]:
    """The HTTP methods that a library's base class answers, and the project's method that takes part in it."""
    table = project.models.words["generic-verbs"]
    seen: set[str] = set()
    for owner in project.lineage(cls.name):
        for spec in table.get(owner, "").split():
            method, _, action = spec.partition(":")
            if method not in seen:
                seen.add(method)
                yield method, (project.method(cls.name, action) if action else None) or cls.body
