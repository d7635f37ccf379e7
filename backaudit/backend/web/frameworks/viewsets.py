"""REST framework's view sets and routers: what a router makes of a class, and where it hangs."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.web.paths import join, parse
from backaudit.distinct import distinct
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.cases import spread
from backaudit.project.locate import arguments, behind, given_for, results, strings, text_of

_DEPTH = 12


class Action(msgspec.Struct, frozen=True):
    """Something that a router calls of a view set: at ``path`` below the set, ``of_one`` row or of all."""

    name: str
    path: str
    methods: tuple[str, ...]
    of_one: bool
    code: Code


def actions(project: Project, cls: ClassView) -> Iterator[Action]:
    """The actions of a view set: those that it has by its bases, and its own."""
    lineage = set(project.lineage(cls.name))
    for name, spec in project.models.words["view-set-actions"].items():
        method, where, *mixins = spec.split()
        code = project.method(cls.name, name)
        if code is not None or not lineage.isdisjoint(mixins):
            yield Action(name, "", (method,), where == "detail", code or cls.body)
    methods = (pair for view in project.lineage_views(cls.name) for pair in view.methods.items())
    for _, code in distinct(methods, lambda pair: pair[0]):
        yield from _decorated(project, cls, code)


def _decorated(project: Project, cls: ClassView, code: Code) -> Iterator[Action]:
    """``@action(detail=True)``, and ``@publish.mapping.delete`` beside it."""
    for decorator in code.decorators:
        if not project.models.kinds["extra-actions"].isdisjoint(project.names(decorator.func or decorator)):
            yield _extra(project, code, decorator)
        first, _, verb = decorator.spelled.rpartition(".mapping.")
        mapped = project.method(cls.name, first) if first else None
        for outer in mapped.decorators if mapped is not None else ():
            if mapped is not None and outer.method == "action":
                base = _extra(project, mapped, outer)
                yield Action(code.function.name, base.path, (verb.upper(),), base.of_one, code)


def _extra(project: Project, code: Code, decorator: Node) -> Action:
    methods = strings(project, decorator.arg(0, "methods")) or ("get",)
    path = text_of(project, decorator.arg(None, "url_path")) or code.function.name
    detail = decorator.arg(None, "detail")
    of_one = detail is not None and detail.const is True
    return Action(code.function.name, parse(path, "regex").text, tuple(map(str.upper, methods)), of_one, code)


def root_views(project: Project, router: Node) -> list[str]:
    """The views that a router adds at its own root."""
    known = project.models.words["router-roots"]
    names = [name.rpartition(".")[2] for name in _made(project, router)]
    return list(dict.fromkeys(view for end, view in known.items() if any(name.endswith(end) for name in names)))


def nested_under(project: Project, router: Node, depth: int = 0) -> str:
    """The prefix of a router that is nested under an entry of another (drf-nested-routers)."""
    nested = any("Nested" in name for name in _made(project, router))
    if not nested or project.gives_up(depth, _DEPTH, router.place):
        return ""
    parent, entry = router.arg(0, "parent_router"), text_of(project, router.arg(1, "parent_prefix")) or ""
    lookup = text_of(project, router.arg(None, "lookup")) or "nested_1"
    outer = next(iter(behind(project, parent)), None) if parent is not None else None
    above = nested_under(project, outer, depth + 1) if outer is not None else ""
    return join(above, entry, f"{{{lookup}_pk}}")


class MadePath(msgspec.Struct, frozen=True):
    """A path that a router's own method declares for what one call gives it."""

    call: Node
    path: str
    view: Node


def own_patterns(project: Project, router: Node) -> Iterator[Node]:
    """What the project's own class of routers returns as its URLs, and what it adds to them before."""
    for cls in (cls for name in project.types(router) for cls in project.lineage_views(name)):
        for code in (cls.methods.get(name) for name in ("urls", "get_urls")):
            if code is not None:
                yield from results(code)
                yield from _grown(code)


def _grown(code: Code) -> Iterator[Node]:
    """``urls.append(path(…))``, ``urls += […]``."""
    for call in code.nodes(ops.Call):
        if call.method in ("append", "extend", "insert"):
            yield from call.args()


def made_paths(project: Project, router: Node, declares: Node) -> Iterator[MadePath]:
    """The paths that ``path(url, *args)`` in a method of a router declares, one for each call of the method."""
    code = declares.code
    for call in project.callers(code):
        receiver = call.receiver
        if receiver is not None and router in behind(project, receiver):
            given = arguments(project, call, code)
            named = declares.arg(0, "route")
            spread_out = [node for star in _starred(declares) for node, _ in spread(star, given)]
            placed = declares.arg(1, "view") if not spread_out else spread_out[0]
            view = placed and (given_for(placed.origin, given) or placed)
            if view is not None and view.code is not code:
                yield MadePath(call, text_of(project, named, given) or "", view)


def _starred(call: Node) -> list[Node]:
    return [call.to(star) for star in call.call.star] if call.call is not None else []


def _made(project: Project, router: Node) -> tuple[str, ...]:
    return tuple(owner for name in project.types(router) for owner in project.lineage(name))
