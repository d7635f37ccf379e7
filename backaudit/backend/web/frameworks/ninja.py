"""django-ninja: routers with typed parameters, which a URL configuration includes as ``api.urls``."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.web.params import injected_params
from backaudit.backend.web.paths import join, parse
from backaudit.backend.web.records import Route
from backaudit.project import Code, Node, Project
from backaudit.project.cases import cases
from backaudit.project.locate import behind, decorated, named_value, strings, text_of

_DEPTH = 12


def is_api(project: Project, made: Node) -> bool:
    """Whether an object has routes of its own behind its ``urls``."""
    apis = sorted(project.models.kinds["apis-in-urls"])
    return any(project.inherits(name, *apis) for name in project.types(made))


def routes_of(project: Project, api: Node, prefix: str) -> Iterator[Route]:
    """The routes of an API, and of the routers that are added to it."""
    return _Ninja(project).routes(api, prefix)


class _Ninja:
    """The routes of one project's APIs."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def routes(self, api: Node, prefix: str, depth: int = 0) -> Iterator[Route]:
        for decorator, target in self.project.once(decorated):
            verb = decorator.method.upper()
            if isinstance(target, Code) and self._is_on(api, decorator.receiver):
                yield from self._endpoint(api, decorator, target, verb, prefix)
        for call in () if self.project.gives_up(depth, _DEPTH, api.place) else self.project.calls_of("add_router"):
            child = call.arg(1, "router")
            if child is None or not self._is_on(api, call.receiver):
                continue
            named = call.arg(0, "prefix")
            for case in cases(self.project, call.code, [child, *([named] if named is not None else [])]):
                inner = join(prefix, text_of(self.project, named, case) or "")
                for router in behind(self.project, named_value(self.project, child), given=case):
                    yield from self.routes(router, inner, depth + 1)

    def _is_on(self, api: Node, receiver: Node | None) -> bool:
        return receiver is not None and api in behind(self.project, receiver)

    def _endpoint(self, api: Node, decorator: Node, code: Code, verb: str, prefix: str) -> Iterator[Route]:
        if verb == "API_OPERATION":
            methods = tuple(m.upper() for m in strings(self.project, decorator.arg(0, "methods")))
            path = decorator.arg(1, "path")
        elif verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            methods, path = (verb,), decorator.arg(0, "path")
        else:
            return
        template = parse(join(prefix, text_of(self.project, path) or ""), "braces")
        params = injected_params(self.project, code, template)
        first = tuple(msgspec.structs.replace(p, where="request") if p.index == 0 else p for p in params)
        yield Route(
            methods=methods, path=template.text, handler=code, framework="ninja", place=decorator.place, params=first,
            response=decorator.arg(None, "response"), declared=decorator, around=(api,),
            converters=template.restrictions,
        )  # fmt: skip
