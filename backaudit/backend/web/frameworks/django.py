"""Django's URL configurations: ``urlpatterns``, ``include``, REST framework's routers, django-ninja.

The lists are followed from their roots (those that no other includes), so that every route has its whole path.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.deployment.settings import stands_in
from backaudit.backend.web.frameworks import ninja
from backaudit.backend.web.frameworks.viewsets import actions, made_paths, nested_under, own_patterns, root_views
from backaudit.backend.web.handlers import Handler, handlers_of
from backaudit.backend.web.params import plain_params
from backaudit.backend.web.paths import Style, Template, join, parse
from backaudit.backend.web.records import UNMOUNTED, LibraryView, Route
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.cases import cases, gathered
from backaudit.project.declarations import items
from backaudit.project.locate import (
    NOTHING_GIVEN,
    Given,
    behind,
    class_field,
    classes_behind,
    made_behind,
    stands_for,
    strings,
    text_of,
)
from backaudit.project.types import split

_DEPTH = 12


class _Entry(msgspec.Struct, frozen=True):
    """A ``path(...)`` call with what stands before it."""

    call: Node
    prefix: str
    style: Style


class _Urls:
    """One project's URL configurations."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.routes: list[Route] = []
        self.library: list[LibraryView] = []
        self._included: set[str] = set()
        self._walked: set[tuple[object, str]] = set()
        # In which case the patterns at hand are read: what a function's parameters and a loop's variables stand for.
        self._given: Given = NOTHING_GIVEN
        self._wrapping: list[Node] = []
        self._stray = False
        # What is known of the placeholders in the prefixes that were followed.
        self._prefixes: dict[str, Template] = {}

    def read(self) -> None:
        modules = self._modules()
        self._included = {module for name in modules for module in self._includes(name)}
        roots = [name for name in modules if name not in self._included]
        known = project_roots(self.project)
        for name in roots:
            self._stray = name not in known if known else len(roots) > 1
            self._module(name, "/", 0)

    def _modules(self) -> list[str]:
        found = []
        for file in self.project.files.values():
            if file.role not in ("test", "example") and self.project.binding(file.module, "urlpatterns") is not None:
                found.append(file.module)
        return found

    def _includes(self, module: str) -> Iterator[str]:
        """Modules of the project that a URL module includes by name or as a module."""
        for call in self._calls_in(module):
            if call.method == "include":
                yield from (name for name in self._included_modules(call) if name != module)

    def _calls_in(self, module: str) -> Iterator[Node]:
        binding = self.project.binding(module, "urlpatterns")
        if binding is not None:
            for code in (binding.code,):
                yield from code.nodes(ops.Call)

    def _included_modules(self, call: Node) -> list[str]:
        target = call.arg(0, "arg")
        if target is None:
            return []
        # ``include(("app.urls", "app"))``: a pair of the patterns and the name of the app.
        first = items(target.origin)
        target = first[0] if first else target
        text = text_of(self.project, target)
        named = self.project.imported(call.code.file, text, "", 0) if text is not None else ()
        found = named if text is not None else self.project.types(target)
        return [over for head, over in map(split, found) if head == "module"]

    def _module(self, name: str, prefix: str, depth: int) -> None:
        if (name, prefix) in self._walked:
            return
        self._walked.add((name, prefix))
        binding = self.project.binding(name, "urlpatterns")
        if binding is not None and not self.project.gives_up(depth, _DEPTH, binding.place):
            self._patterns(binding, prefix, depth)

    def _patterns(self, node: Node, prefix: str, depth: int, given: Given = NOTHING_GIVEN) -> None:
        step = (node, len(self._wrapping), tuple(given.items())), prefix
        if step in self._walked or self.project.gives_up(depth, _DEPTH, node.place):
            return
        self._walked.add(step)
        before, self._given = self._given, given
        if not self._wrapped(self.project.resolved(node), prefix, depth):
            for value, case in made_behind(self.project, node, given):
                self._given = case
                self._value(value, prefix, depth)
        self._given = before

    def _value(self, value: Node, prefix: str, depth: int) -> None:
        """One value that patterns may be: a list of them, a router's, or a single one."""
        op = value.op
        listed = gathered(self.project, value, self._given, parts=True)
        for one in listed:
            self._patterns(one.node, prefix, depth + 1, one.given)
        if listed:
            return
        if isinstance(op, ops.Item):
            # ``application.urls[0]``: the patterns of a pair of them and a name.
            self._patterns(value.to(op.base), prefix, depth + 1, self._given)
        elif isinstance(op, ops.Attr) and op.name in ("urls", "urlpatterns"):
            self._router(value, op, prefix)
        elif value.call is not None:
            self._call(value, prefix, depth)

    def _wrapped(self, call: Node, prefix: str, depth: int) -> bool:
        """Patterns handed through the project's own function (which decorates them all)."""
        known = len(self.routes) + len(self.library)
        declares = call.method == "include" or self._style(call) is not None
        if call.call is not None and not declares and self.project.callees(call):
            self._call(call, prefix, depth)
        return len(self.routes) + len(self.library) > known

    def _style(self, call: Node) -> Style | None:
        """The notation of the path that a call declares, None of what declares none."""
        kinds = self.project.models.kinds
        if call.method in kinds["angle-paths"]:
            return "angle"
        return "regex" if call.method in kinds["regex-paths"] else None

    def _call(self, call: Node, prefix: str, depth: int) -> None:
        style = self._style(call)
        route, view = call.arg(0, "route"), call.arg(1, "view")
        if style is not None and view is not None:
            text = text_of(self.project, route or call.arg(None, "regex"), self._given)
            self._entry(_Entry(call, prefix, style), text or "", view, depth)
        elif call.method == "include":
            self._include(call, prefix, depth)
        else:
            # i18n_patterns, format_suffix_patterns, decorator_include and the project's own wrappers.
            self._wrapping.append(call)
            for arg in call.args():
                self._patterns(arg, prefix, depth + 1, self._given)
            self._wrapping.pop()

    def _entry(self, entry: _Entry, text: str, view: Node, depth: int) -> None:
        template = parse(text, entry.style)
        here = f"{entry.prefix.rstrip('/') if template.text.startswith('/') else entry.prefix}{template.text}"
        whole = self._prefixes[here] = self._whole(entry.prefix, here, template)
        target = (stands_for(self.project, view, self._given) or self.project.resolved(view)).origin
        target = self.project.resolved(target)
        if target.method == "include":
            self._include(target, here, depth)
        elif isinstance(target.op, ops.Attr) and target.op.name == "urls":
            self._router(target, target.op, here)
        elif isinstance(target.op, ops.Build):
            self._patterns(items(target)[0] if items(target) else target, here, depth + 1)
        else:
            self._leaf(entry.call, target, whole)

    def _whole(self, prefix: str, text: str, template: Template) -> Template:
        """``text``, with what is known of the placeholders of the prefix and of the path itself."""
        outer = self._prefixes.get(prefix) or parse(prefix, "braces")
        types = {**outer.types, **template.types}
        return Template(text, types, outer.bounded | template.bounded, (*outer.restrictions, *template.restrictions))

    def _include(self, call: Node, prefix: str, depth: int) -> None:
        modules = self._included_modules(call)
        for name in modules:
            self._module(name, prefix, depth + 1)
        target = call.arg(0, "arg")
        if target is None or modules:
            return
        text = text_of(self.project, target)
        if text is not None:
            self.library.append(LibraryView(text, prefix, call.place, call))
            return
        for value, case in made_behind(self.project, target, self._given):
            pair = items(value)
            tupled = isinstance(value.op, ops.Build) and value.op.kind == "tuple"
            self._patterns(pair[0] if tupled and pair else value, prefix, depth + 1, case)

    def _leaf(self, call: Node, view: Node, template: Template) -> None:
        handlers = list(self._handlers(view))
        if not handlers:
            name = self._library_name(view)
            if name:
                self.library.append(LibraryView(name, template.text, call.place, call))
        for handler in handlers:
            self.routes.append(self._route(call, handler, template, "django"))

    def _library_name(self, view: Node) -> str:
        target = view
        while target.call is not None:
            target = target.receiver if target.method == "as_view" and target.receiver else (target.arg(0) or target)
            if target.call is not None and not target.call.args:
                break
        names = self.project.names(target)
        return next((name for name in names if not name.startswith("*")), "")

    def _handlers(self, view: Node) -> Iterator[Handler]:
        text = text_of(self.project, view)
        if text is not None:
            return
        actions = view.arg(0, "actions") if view.method == "as_view" else None
        display = self.project.resolved(actions) if actions is not None else None
        if display is not None and display.is_dict:
            yield from self._actions(view, display)
            return
        for handler in handlers_of(self.project, view, self._given):
            methods = handler.methods or self._declared_methods(handler.code)
            yield Handler(handler.code, methods, handler.wrappers, handler.view)

    def _actions(self, view: Node, display: Node) -> Iterator[Handler]:
        """``ViewSet.as_view({"get": "list"})``."""
        receiver = view.receiver
        for cls in classes_behind(self.project, receiver) if receiver is not None else []:
            for verb, action in display.entries():
                name = text_of(self.project, action)
                if verb.text and name:
                    code = self.project.method(cls.name, name) or cls.body
                    yield Handler(code, (verb.text.upper(),), (), cls)

    def _declared_methods(self, code: Code) -> tuple[str, ...]:
        """``@api_view(["GET"])``, ``@require_POST``, ``@require_http_methods([...])``."""
        known = self.project.models.words["verb-decorators"]
        for decorator in code.decorators:
            for name in self.project.names(decorator.func or decorator):
                spec = known.get(name)
                if spec == "*":
                    found = strings(self.project, decorator.arg(0)) or (("GET",) if decorator.call else ())
                    return tuple(method.upper() for method in found)
                if spec:
                    return tuple(spec.split())
        return ()

    # -- REST framework's routers and ninja ---------------------------------------------------------------------------

    def _router(self, node: Node, op: ops.Attr, prefix: str) -> None:
        base = node.to(op.base)
        for router in behind(self.project, base):
            if router.call is None:
                names = self.project.names(router)
                if names and not names[0].startswith("*"):
                    self.library.append(LibraryView(f"{names[0]}.{op.name}", prefix, node.place, node))
                continue
            if ninja.is_api(self.project, router):
                self.routes += ninja.routes_of(self.project, router, prefix)
            elif router.func is None or router.func.spelled != "super":
                self._registered(router, prefix)
                self._beside(router, prefix)

    def _beside(self, router: Node, prefix: str) -> None:
        """What a router of the project's own class answers beside what is registered."""
        patterns = list(own_patterns(self.project, router))
        for node in patterns:
            self._patterns(node, prefix, 0)
        for declares in self._path_calls(router) if patterns else ():
            for made in made_paths(self.project, router, declares):
                style = self._style(declares) or "angle"
                self._entry(_Entry(made.call, prefix, style), made.path, made.view, 0)

    def _path_calls(self, router: Node) -> list[Node]:
        """The paths that the methods of a router's class declare."""
        own = (cls for name in self.project.types(router) for cls in self.project.lineage_views(name))
        calls = (call for cls in own for code in cls.methods.values() for call in code.nodes(ops.Call))
        return [call for call in calls if self._style(call) is not None]

    def _registered(self, router: Node, prefix: str, slash: str | None = None, depth: int = 0) -> None:
        nesting = nested_under(self.project, router)
        prefix = join(prefix, nesting) if nesting else prefix
        if slash is None:
            trailing = router.arg(None, "trailing_slash")
            slash = "" if trailing is not None and trailing.const is False else "/"
            for name in root_views(self.project, router):
                self.library.append(LibraryView(name, prefix, router.place, router))
        for call in self.project.calls_of("register"):
            receiver, view = call.receiver, call.arg(1, "viewset")
            if receiver is not None and view is not None and router in behind(self.project, receiver):
                self._viewsets(call, view, prefix, slash)
        for call in () if self.project.gives_up(depth, _DEPTH, router.place) else self.project.calls_of("extend"):
            if _registered_in(call.arg(0)) is not None and _registered_in(call.receiver) is not None:
                self._extended(router, call, prefix, slash, depth)

    def _viewsets(self, call: Node, view: Node, prefix: str, slash: str) -> None:
        """What ``router.register("prefix", ViewSet)`` adds, once for each turn of a loop around it."""
        named = call.arg(0, "prefix")
        for case in cases(self.project, call.code, [view, *([named] if named is not None else [])]):
            text = text_of(self.project, named, case) or ""
            for cls in classes_behind(self.project, view, case):
                self._viewset(call, cls, prefix, join(prefix, parse(text, "regex").text), slash)

    def _extended(self, router: Node, call: Node, prefix: str, slash: str, depth: int) -> None:
        """``router.registry.extend(other.registry)``."""
        own, other = _registered_in(call.receiver), _registered_in(call.arg(0))
        if own is not None and other is not None and router in behind(self.project, own):
            for inner in behind(self.project, other):
                if inner != router:
                    self._registered(inner, prefix, slash, depth + 1)

    def _viewset(self, call: Node, cls: ClassView, outer: str, prefix: str, slash: str) -> None:
        lookup = _field_text(self.project, cls, "lookup_url_kwarg") or _field_text(self.project, cls, "lookup_field")
        one = join(prefix, "{" + (lookup or "pk") + "}")
        allowed = _field_strings(self.project, cls, "http_method_names")
        for action in actions(self.project, cls):
            kept = tuple(method for method in action.methods if not allowed or method.lower() in allowed)
            if kept:
                path = (one if action.of_one else prefix) + (f"/{action.path}" if action.path else "")
                handler = Handler(action.code, kept, (), cls)
                whole = self._whole(outer, f"{path}{slash}", parse(path, "braces"))
                route = self._route(call, handler, whole, "django")
                self.routes.append(msgspec.structs.replace(route, action=action.name))

    def _route(self, call: Node, handler: Handler, template: Template, framework: str) -> Route:
        return Route(
            methods=handler.methods,
            path=template.text,
            handler=handler.code,
            framework=framework,
            place=call.place,
            params=plain_params(self.project, handler.code, template, request=True),
            view=handler.view,
            declared=call,
            tags=(UNMOUNTED,) if self._stray else (),
            wrappers=(*self._wrapping, *handler.wrappers),
            converters=template.restrictions,
        )


def project_roots(project: Project) -> frozenset[str]:
    """The modules that ``ROOT_URLCONF`` names, in any settings but those of tests."""
    found: set[str] = set()
    for file in project.files.values():
        value = project.binding(file.module, "ROOT_URLCONF") if file.role not in ("test", "example") else None
        text = text_of(project, value) or text_of(project, stands_in(project, value)) if value is not None else None
        for name in project.imported(file, text, "", 0) if text else ():
            found.add(split(name)[1])
    return frozenset(found)


def _field_text(project: Project, cls: ClassView, name: str) -> str | None:
    field = class_field(project, cls, name)
    return text_of(project, field) if field is not None else None


def _field_strings(project: Project, cls: ClassView, name: str) -> tuple[str, ...]:
    field = class_field(project, cls, name)
    return strings(project, field) if field is not None else ()


def _read(project: Project) -> tuple[tuple[Route, ...], tuple[LibraryView, ...]]:
    urls = _Urls(project)
    urls.read()
    return tuple(urls.routes), tuple(dict.fromkeys(urls.library))


def routes(project: Project) -> tuple[Route, ...]:
    """The endpoints of all URL configurations that the project's own code answers."""
    return project.once(_read)[0]


def library_views(project: Project) -> tuple[LibraryView, ...]:
    """The endpoints that libraries answer (``include("django.contrib.auth.urls")``)."""
    return project.once(_read)[1]


def _registered_in(node: Node | None) -> Node | None:
    """The router of ``router.registry``."""
    op = node.op if node is not None else None
    return node.to(op.base) if node is not None and isinstance(op, ops.Attr) and op.name == "registry" else None
