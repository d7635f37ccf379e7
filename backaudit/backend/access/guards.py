"""Which guards stand before a route: decorators, dependencies, permissions, middleware, hooks, checks in the body."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from backaudit.backend.access.actions import entries_for, in_tables, runs_for, view_steps
from backaudit.backend.access.denial import (
    Kinds,
    answers_by_role,
    asked_for,
    denials,
    lets_everybody_by,
    mention,
    roles_compared,
    says_yes,
    spares_the_unknown,
    tests_before,
)
from backaudit.backend.access.proofs import asks_for_secret
from backaudit.backend.deployment.django_settings import django_setting, entry
from backaudit.backend.web.around import class_decorators
from backaudit.backend.web.callbacks import acts
from backaudit.backend.web.frameworks.language import tables
from backaudit.backend.web.hooks import hooks
from backaudit.backend.web.params import field_injections, injection
from backaudit.backend.web.passing import class_dotted, dotted_names
from backaudit.backend.web.records import Guard, GuardKind, How, Route, Step
from backaudit.backend.web.responses import answers
from backaudit.backend.web.routes import injected_code, listed_dependencies, routes, sharing
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import behind, class_field, classes_behind, functions_behind, strings
from backaudit.project.nodes import operands
from backaudit.vocabulary.meaning import Meaning, meaning
from backaudit.vocabulary.protocols import METHODS, SAFE

_KINDS: tuple[GuardKind, ...] = ("authenticates", "role", "ownership", "rate-limit")
_OPEN = ("guards:open", "guards:reads-only")
_ALIVE = meaning("access", "asked-alive")
_FORBIDDEN = 403
_CHECK = "a check in the body"
# The last parameter (self, the object, the request) that a permission has whatever is asked for.
_GIVEN = 2
_PRIVILEGE = meaning("access", "asked-privilege")
# Methods whose answer decides whether the handler runs.
_ANSWERING = ("is_accessible",)
_ROLE_GUARD = meaning("access", "role-guard")
_NAMED: tuple[tuple[GuardKind, Meaning], ...] = (
    ("rate-limit", meaning("access", "rate-limit-guard")),
    ("role", _ROLE_GUARD),
    ("authenticates", meaning("access", "login-guard")),
)


def guarded(project: Project) -> tuple[Route, ...]:
    """The routes, each with its guards in the order in which they run. Ask with ``project.once(guarded)``."""
    return tuple(
        msgspec.structs.replace(route, guards=_turning_away(steps(project, route))) for route in project.once(routes)
    )


def acting(project: Project) -> tuple[Route, ...]:
    """The same with what clients ask for without a route: mutations, queries, events."""
    return (*project.once(guarded), *project.once(guarded_acts))


def guarded_acts(project: Project) -> tuple[Route, ...]:
    """The mutations, queries and events alone, each with its guards."""
    return tuple(msgspec.structs.replace(act, guards=_turning_away(steps(project, act))) for act in project.once(acts))


def steps(project: Project, route: Route) -> tuple[Step, ...]:
    """What runs before a route's handler answers, in order, whether it turns anybody away or not."""
    bare = msgspec.structs.replace(route, guards=()) if route.guards else route
    return project.once_of(_steps, bare)


def _steps(project: Project, route: Route) -> tuple[Step, ...]:
    return project.once(_reader).of(route)


def _reader(project: Project) -> _Reader:
    return _Reader(project)


def _turning_away(found: Iterable[Step]) -> tuple[Guard, ...]:
    made = (
        Guard(kind, step.name, step.place, step.roles if kind == "role" else ())
        for step in found
        for kind in step.kinds
    )
    return tuple(dict.fromkeys(made))


def authenticated(route: Route) -> bool:
    """Whether a route knows its caller: any guard but a rate limit tells."""
    return any(guard.kind != "rate-limit" for guard in route.guards)


def known_by_secret(route: Route) -> bool:
    """Whether who calls has to know the server's own secret, and is asked for nothing else: no account, a service."""
    by_secret = {guard.place for guard in route.guards if guard.kind == "secret"}
    return bool(by_secret) and all(guard.place in by_secret for guard in route.guards if guard.kind != "rate-limit")


def in_body(guard: Guard) -> bool:
    """Whether a guard is a check that the handler makes itself."""
    return guard.name == _CHECK


class _Reader:
    def __init__(self, project: Project) -> None:
        self.project = project
        self._judging: set[Node] = set()
        self._global = tuple(self._applications())
        self._hooks = self._before_requests()
        self._middleware = self._middlewares()

    def of(self, route: Route) -> tuple[Step, ...]:
        found = [
            *self._global,
            *self._around(route),
            *route.first,
            *self._registered(route),
            *self._class(route),
            *self._decorators(route),
            *self._injected(route),
            *self._body(route),
        ]
        return tuple(dict.fromkeys(found))

    # -- what turns callers away --------------------------------------------------------------------------------------

    def judged(self, node: Node) -> Kinds:
        """The kinds of guard that a decorator, dependency, permission or middleware is."""
        if node in self._judging:  # a factory of guards that is given itself
            return frozenset()
        self._judging.add(node)
        try:
            return self._judge(node)
        finally:
            self._judging.discard(node)

    def _judge(self, node: Node) -> Kinds:
        here = self.project.resolved(node)
        if isinstance(here.op, ops.Bin):
            return self._combined(here, here.op)
        target = here.func or here
        names = {*self.project.names(target), *self.project.names(here), *self._types(here)}
        known = self._known(names)
        if known is not None:
            return known | self._asked_by_keyword(here) if not self._optional(here) else frozenset()
        codes = self._codes(here, target)
        found = self._by_code(codes, here, target)
        if found - {"secret"} == {"authenticates"} and self._says_role(node, target):
            return found | {"role"}  # which of those who are known may pass is decided where nobody looked
        if found or (codes and all(self._lets_by(code) for code in codes)):
            return found
        return self._by_name(node, here, target)

    def _lets_by(self, code: Code) -> bool:
        return spares_the_unknown(code) or lets_everybody_by(self.project, code)

    def _combined(self, node: Node, op: ops.Bin) -> Kinds:
        """``IsAdmin & IsOwner`` asks for both, ``IsAdmin | IsOwner`` for what both ask."""
        one, other = (self.judged(node.to(side)) for side in (op.left, op.right))
        return one | other if op.operator == "&" else one & other or one | other

    def _types(self, node: Node) -> set[str]:
        return {owner for name in self.project.types(node) for owner in self.project.lineage(name)}

    def _known(self, names: Iterable[str]) -> Kinds | None:
        kinds = self.project.models.kinds
        owners = {owner for name in names for owner in self.project.lineage(name)}
        found = {kind for kind in _KINDS if not kinds.get(f"guards:{kind}", frozenset()).isdisjoint(owners)}
        if found:
            return frozenset(found)
        return frozenset() if any(not kinds[name].isdisjoint(owners) for name in _OPEN) else None

    def _optional(self, node: Node) -> bool:
        """``auto_error=False``, ``jwt_required(optional=True)``: who comes without is let through."""
        given = node.keywords()
        strict, optional = given.get("auto_error"), given.get("optional")
        return (strict is not None and strict.const is False) or (optional is not None and optional.const is True)

    def _asked_by_keyword(self, node: Node) -> Kinds:
        """``current_user(superuser=True)``, ``login_required(role="admin")``: of those who are known, some."""
        given = (node.keywords().get(name) for name in self.project.models.kinds["role-keywords"])
        asks = any(value is not None and not _is_nothing(value) for value in given)
        return frozenset(("role",)) if asks else frozenset()

    def _codes(self, here: Node, target: Node) -> list[Code]:
        """The project's own code that runs for a guard."""
        codes = [*functions_behind(self.project, target), *injected_code(self.project, here)]
        called = sorted(self.project.models.kinds["called-guards"])
        for cls in (*classes_behind(self.project, target), *self.project.instances(here)):
            codes += [m for name in called if (m := self.project.method(cls.name, name)) is not None]
        return list(dict.fromkeys(codes))

    def _by_code(self, codes: list[Code], here: Node, target: Node) -> Kinds:
        found: set[GuardKind] = set()
        for cls in (*classes_behind(self.project, target), *self.project.instances(here)):
            found |= self._permission_class(cls)
        for code in codes:
            found |= denials(self.project, code) if not spares_the_unknown(code) else frozenset()
        return frozenset(found)

    def _permission_class(self, cls: ClassView) -> Kinds:
        """A permission class of REST framework, written by the project."""
        found: set[GuardKind] = set()
        view = self.project.method(cls.name, "has_permission")
        if view is not None and not says_yes(view):
            found.add("authenticates")
            asked = " ".join(op.name for op in view.ops if isinstance(op, ops.Attr))
            found |= {"role"} if _PRIVILEGE.holds(asked) or answers_by_role(self.project, view) else set()
            found |= {"secret"} if asks_for_secret(self.project, view) else set()
            found |= {"scope"} if _asks_what_it_is_told(self.project, cls, view) else set()
        own = self.project.method(cls.name, "has_object_permission")
        if own is not None and not says_yes(own):
            found.add("ownership")
        return frozenset(found)

    def _asks_of_row(self, cls: ClassView) -> bool:
        """Whether ``has_permission`` itself looks at the row that the address names."""
        view = self.project.method(cls.name, "has_permission")
        if view is None or says_yes(view):
            return False
        arguments = self.project.models.kinds["view-arguments"]
        return any(isinstance(op, ops.Attr) and op.name in arguments for op in view.ops)

    def _says_role(self, node: Node, target: Node) -> bool:
        """Whether a guard's name says that it asks for a right."""
        return _ROLE_GUARD.holds(self._called(node, target))

    def _called(self, node: Node, target: Node) -> str:
        return " ".join([node.spelled, target.spelled, *self.project.names(target)])

    def _by_name(self, node: Node, here: Node, target: Node) -> Kinds:
        spelled = self._called(node, target)
        for kind, pattern in _NAMED:
            if pattern.holds(spelled):
                return frozenset({kind})
        if here.call is not None:
            # A factory of guards: its arguments may be some (``all_of(login_required)``, ``passes_test(is_admin)``).
            return frozenset(kind for arg in here.args() if arg.const is None for kind in self.judged(arg))
        return frozenset()

    def _step(self, how: How, node: Node, place: Place | None = None) -> Step:
        kinds = tuple(sorted(self.judged(node)))
        roles = self._roles(node) if "role" in kinds else ()
        return Step(how, _shown(node), place or node.place, kinds, roles, bool(kinds) or self._is_read(node))

    def _is_read(self, node: Node) -> bool:
        """Whether it is known what a decorator, dependency or middleware does: by its code, or by a library's table."""
        here = self.project.resolved(node)
        target = here.func or here
        codes = self._codes(here, target)
        if codes:
            return all(lets_everybody_by(self.project, code) for code in codes)
        named = {name for name in self.project.names(target) if not name.startswith("*.")}
        return bool(named) and all(self._is_familiar(name) for name in named)

    def _is_familiar(self, name: str) -> bool:
        package = name.partition(".")[0]
        own = self.project.class_named(name) is not None
        return own or package in sys.stdlib_module_names or package in self.project.models.packages

    def _roles(self, node: Node) -> tuple[str, ...]:
        """The roles that a guard lets by: those it is given, or those its code compares with."""
        here = self.project.resolved(node)
        given = [text for arg in here.args() for text in strings(self.project, arg)] if here.call is not None else []
        if given:
            return tuple(given)
        codes = self._codes(here, here.func or here)
        return tuple(role for code in codes for role in roles_compared(self.project, code))

    # -- around the application ---------------------------------------------------------------------------------------

    def _applications(self) -> Iterator[Step]:
        """Django's middleware, for all routes."""
        setting = django_setting(self.project, "MIDDLEWARE") or django_setting(self.project, "MIDDLEWARE_CLASSES")
        if setting is None:
            return
        for name in dotted_names(self.project, setting.value):
            cls = class_dotted(self.project, name, setting.value)
            kinds = {*(self._known([name]) or ()), *self._refused_by(cls)}
            found: tuple[GuardKind, ...] = ("authenticates",) if kinds & {"authenticates", "role"} else ()
            yield Step("middleware", name.rpartition(".")[2], setting.place, found)

    def _refused_by(self, cls: ClassView | None) -> Iterator[GuardKind]:
        """On what grounds a middleware's class turns callers away."""
        for method in ("process_request", "process_view", "__call__") if cls is not None else ():
            code = self.project.method(cls.name, method) if cls is not None else None
            yield from denials(self.project, code) if code is not None else ()

    def _before_requests(self) -> Mapping[Node, tuple[Step, ...]]:
        """Guards that an application or router runs before each of its handlers, by the router's construction."""
        found: dict[Node, list[Step]] = {}
        for base, code in self.project.once(hooks):
            self._hook(base, code, found)
        return {router: tuple(listed) for router, listed in found.items()}

    def _hook(self, base: Node, code: Code, found: dict[Node, list[Step]]) -> None:
        kinds = set(denials(self.project, code))
        for decorator in code.decorators:
            kinds |= self.judged(decorator) if decorator.to(decorator.value) != base else set()
        read = bool(kinds) or lets_everybody_by(self.project, code)
        step = Step("hook", code.function.name, code.place, tuple(sorted(kinds)), read=read)
        for router in behind(self.project, base):
            found.setdefault(router, []).append(step)

    def _middlewares(self) -> Mapping[Node, tuple[Step, ...]]:
        """``add_middleware(...)`` and ``middlewares=[...]``, by the application's construction."""
        found: dict[Node, list[Step]] = {}
        for app, step in (*self._added_middlewares(), *self._listed_middlewares()):
            found.setdefault(app, []).append(step)
        return {app: tuple(listed) for app, listed in found.items()}

    def _added_middlewares(self) -> Iterator[tuple[Node, Step]]:
        for call in self.project.calls_of("add_middleware"):
            target, receiver = call.arg(0), call.receiver
            if target is not None and receiver is not None:
                step = self._step("middleware", target, call.place)
                yield from ((app, step) for app in behind(self.project, receiver))

    def _listed_middlewares(self) -> Iterator[tuple[Node, Step]]:
        for last in sorted(self.project.models.kinds.get("applications", ())):
            for call in self.project.calls_of(last):
                for listed in filter(None, (call.arg(None, keyword) for keyword in ("middlewares", "middleware"))):
                    for item in items(self.project.resolved(listed)):
                        inner = item.arg(0) if item.method == "Middleware" else item
                        yield call, self._step("middleware", inner or item)

    def _around(self, route: Route) -> Iterator[Step]:
        sharing_dependencies = sharing(self.project, route)
        for call in route.around:
            for target in listed_dependencies(self.project, call) if call in sharing_dependencies else ():
                yield self._step("dependency", target)
            yield from self._hooks.get(call, ())
            yield from self._middleware.get(call, ())
            yield from self._keyword(call)
        apps = [app for app in dict.fromkeys((*self._hooks, *self._middleware)) if self._holds_all(app)]
        for app in apps:
            if app not in route.around and self._serves(app, route):
                yield from (*self._hooks.get(app, ()), *self._middleware.get(app, ()))

    def _holds_all(self, app: Node) -> bool:
        """An application: its hooks run for every route, also where the mount could not be followed."""
        names = {name.rpartition(".")[2] for name in self.project.types(app)}
        return not names.isdisjoint(self.project.models.kinds.get("applications", ()))

    def _serves(self, app: Node, route: Route) -> bool:
        """Whether a route's framework is the application's."""
        known = self.project.once(tables)
        owners = (owner for name in self.project.types(app) for owner in self.project.lineage(name))
        return any(known[owner].framework == route.framework for owner in owners if owner in known)

    def _keyword(self, call: Node) -> Iterator[Step]:
        """``auth=...`` (ninja), ``decorators=[...]`` (REST extensions), ``guards=[...]``."""
        for keyword in ("auth", "decorators", "guards", "on_app_init"):
            given = call.arg(None, keyword)
            if given is None or (given.const is None and isinstance(given.origin.op, ops.Const)):
                continue
            display = self.project.resolved(given)
            listed = isinstance(display.op, ops.Build)
            for item in items(display) if listed else [given]:
                kinds = self.judged(item) or (frozenset({"authenticates"}) if keyword == "auth" else frozenset())
                yield Step("decorator", _shown(item), item.place, tuple(sorted(kinds)))

    # -- the class ----------------------------------------------------------------------------------------------------

    def _class(self, route: Route) -> Iterator[Step]:
        view = route.view
        if view is None:
            yield from self._permissions(route)
            return
        for decorator in class_decorators(self.project, route):
            if decorator != route.declared and not _declares(decorator):
                yield self._step("decorator", decorator)
        yield from self._bases(view)
        yield from self._permissions(route)

    def _bases(self, view: ClassView) -> Iterator[Step]:
        lineage = self.project.lineage(view.name)
        known = self._known(lineage)
        for kind in sorted(known or ()):
            yield Step("class", _known_base(self.project, lineage, kind), view.place, (kind,))
        for owner in lineage:
            cls = self.project.class_named(owner)
            last = owner.rpartition(".")[2]
            if cls is not None:
                yield from self._own_steps(cls)
            elif known is None and _NAMED[2][1].holds(last):
                yield Step("class", last, view.place, ("authenticates",))
            elif not self._is_familiar(owner):
                yield Step("class", last, view.place, read=False)

    def _own_steps(self, cls: ClassView) -> Iterator[Step]:
        """The methods of a class view that run before its handler, with what they ask for."""
        for name in _ANSWERING:
            code = cls.methods.get(name)
            if code is not None:
                asked = tuple(sorted(asked_for(self.project, code)))
                yield Step("class", f"{cls.cls.name}.{name}", code.place, asked)
        for name in sorted(self.project.models.kinds["view-starts"]):
            code = cls.methods.get(name)
            if code is not None:
                yield Step("class", f"{cls.cls.name}.{name}", code.place, tuple(sorted(self._asked_before(code))))

    def _asked_before(self, code: Code) -> set[GuardKind]:
        kinds: set[GuardKind] = set(denials(self.project, code))
        for decorator in code.decorators:
            kinds |= self._decorator_kinds(decorator)
        if code.function.name == "test_func" and not says_yes(code):
            kinds.add("role")
        return kinds

    def _decorator_kinds(self, decorator: Node) -> Kinds:
        if decorator.method == "method_decorator":
            inner = decorator.arg(0, "decorator")
            listed = items(self.project.resolved(inner)) or [inner] if inner is not None else []
            return frozenset(kind for item in listed for kind in self.judged(item))
        return self.judged(decorator)

    # -- REST framework -----------------------------------------------------------------------------------------------

    def _permissions(self, route: Route) -> Iterator[Step]:
        if not self._is_rest(route):
            return
        chosen = list(self._chosen(route))
        for name, default in self.project.models.words["class-lists"].items():
            if name == "permission_classes" and self._brings_its_own(route, chosen):
                continue
            own = self._own_classes(route, name)
            listed = own if own is not None else entry(self.project, "REST_FRAMEWORK", default)
            if listed is None:
                continue
            for value in behind(self.project, listed):
                yield from self._listed(value, route)
        scope = self._throttle_scope(route)
        if scope is not None:
            yield Step("permission", "throttle_scope", scope.place, ("rate-limit",))
        yield from chosen

    def _throttle_scope(self, route: Route) -> Node | None:
        """What says which rate holds for a view, where one rate of several does."""
        return class_field(self.project, route.view, "throttle_scope") if route.view is not None else None

    def _brings_its_own(self, route: Route, chosen: list[Step]) -> bool:
        """Whether a view asks for other permissions than its class lists, or is a library's that logs in."""
        if chosen and not self._asks_class(route):
            return True
        lineage = self.project.lineage(route.view.name) if route.view is not None else ()
        opened = not self.project.models.kinds["login-views"].isdisjoint(lineage)
        return opened and self._own_classes(route, "permission_classes") is None

    def _is_rest(self, route: Route) -> bool:
        if route.view is not None:
            lineage = self.project.lineage(route.view.name)
            packages = self.project.models.kinds["action-packages"]
            return bool(route.action) or any(name.partition(".")[0] in packages for name in lineage)
        names = {name for d in route.handler.decorators for name in self.project.names(d.func or d)}
        return not self.project.models.kinds["function-views"].isdisjoint(names)

    def _own_classes(self, route: Route, name: str) -> Node | None:
        for decorator in route.handler.decorators:
            if decorator.method == name:
                return decorator.arg(0)
            if decorator.method == "action" and decorator.arg(None, name) is not None:
                return decorator.arg(None, name)
        return class_field(self.project, route.view, name) if route.view is not None else None

    def _listed(self, listed: Node, route: Route) -> Iterator[Step]:
        written = listed.call is not None or isinstance(self.project.resolved(listed).op, ops.Build)
        for item in items(listed) or ([] if written else [listed]):  # an empty list asks for nothing
            yield self._permission_listed(item, route)

    def _permission_listed(self, item: Node, route: Route) -> Step:
        text = self.project.constant(item)
        dotted = text.text if text is not None else None
        names = [dotted] if dotted else list(self.project.names(item))
        if not self.project.models.kinds["scoped-throttles"].isdisjoint(names):
            scoped: tuple[GuardKind, ...] = ("rate-limit",) if self._throttle_scope(route) is not None else ()
            return Step("permission", names[0].rpartition(".")[2], item.place, scoped)
        if self._reads_open(names):
            asked = tuple(sorted(self._known(names) or ("authenticates",)))
            kinds: tuple[GuardKind, ...] = () if _only_reads(route) else asked
            return Step("permission", names[0].rpartition(".")[2], item.place, kinds)
        if dotted:
            return Step("permission", dotted.rpartition(".")[2], item.place, self._kinds_by_name(dotted, item))
        return self._permission_item(item, route)

    def _kinds_by_name(self, dotted: str, at: Node) -> tuple[GuardKind, ...]:
        """What a permission asks for that a text names."""
        cls = class_dotted(self.project, dotted, at)
        kinds = self._known([dotted if cls is None else cls.name])
        kinds = self._permission_class(cls) if kinds is None and cls is not None else kinds
        return tuple(sorted(kinds or ()))

    def _permission_item(self, item: Node, route: Route) -> Step:
        extra = {kind for cls in classes_behind(self.project, item) for kind in self._permission_class(cls)}
        found = {*self.judged(item), *extra}
        behind = list(classes_behind(self.project, item))
        if any(self._asks_of_row(cls) for cls in behind):
            found.add("ownership")
        elif not self._asks_objects(route):
            found.discard("ownership")
        kept = sorted(found)
        own = [self.project.method(cls.name, "has_permission") for cls in classes_behind(self.project, item)]
        roles = [role for code in filter(None, own) for role in roles_compared(self.project, code)]
        read = bool(found) or self._is_read(item)
        return Step("permission", _shown(item), item.place, tuple(kept), tuple(roles) if "role" in kept else (), read)

    def _asks_objects(self, route: Route) -> bool:
        """Whether ``has_object_permission`` ever runs: in generic views, or where the view asks for it itself."""
        view = route.view
        if view is None:
            return False
        begins = tuple(self.project.models.kinds["object-views"])
        if any(name.startswith(begins) for name in self.project.lineage(view.name)):
            return True
        own = [c for name, c in view.methods.items() if c == route.handler or name.upper() not in METHODS]
        return any(call.method in ("get_object", "check_object_permissions") for c in own for call in c.nodes(ops.Call))

    def _reads_open(self, names: Iterable[str]) -> bool:
        known = self.project.models.kinds.get("guards:reads-open", frozenset())
        own = [name for name in names if self.project.class_named(name) is None]
        return not known.isdisjoint(own)

    def _chosen(self, route: Route) -> Iterator[Step]:
        """What ``get_permissions`` gives for the route's action and method; all it can give where it asks for more."""
        code = self._chooser(route)
        if code is None:
            return
        for entry_ in entries_for(code, route):
            yield from (self._permission_listed(item, route) for item in items(entry_) or [entry_])
        elsewhere = in_tables(code)
        for use, node in _mentions(code):
            if use.value not in elsewhere and self._is_permission(node) and runs_for(use, route) is not False:
                yield self._permission_listed(node, route)

    def _chooser(self, route: Route) -> Code | None:
        return self.project.method(route.view.name, "get_permissions") if route.view is not None else None

    def _asks_class(self, route: Route) -> bool:
        """Whether ``get_permissions`` gives a route what the class lists."""
        code = self._chooser(route)
        for node in code.nodes(ops.Attr) if code is not None else ():
            inherited = node.spelled == "super().get_permissions"
            if (inherited or node.spelled == "self.permission_classes") and runs_for(node, route) is not False:
                return True
        return False

    def _is_permission(self, node: Node) -> bool:
        """Whether a name stands for what lets callers by or not."""
        names = self.project.names(node)
        if self._reads_open(names) or self._known(names) is not None:
            return True
        asked = ("has_permission", "has_object_permission")
        classes = self.project.denoted_classes(node)
        return any(self.project.method(cls.name, name) is not None for cls in classes for name in asked)

    # -- the route and the handler ------------------------------------------------------------------------------------

    def _registered(self, route: Route) -> Iterator[Step]:
        for wrapper in route.wrappers:
            for node in (wrapper.func, *wrapper.args()):
                if node is not None and node.const is None:
                    yield from self._wrapping(node, wrapper, route)
        if route.declared is not None:
            for target in listed_dependencies(self.project, route.declared):
                yield self._step("dependency", target)
            yield from self._keyword(route.declared)
            yield from self._permission(route)
            yield from self._asked_by_library(route.declared)

    def _asked_by_library(self, declared: Node) -> Iterator[Step]:
        """Permissions in a keyword of the decorator; one that cannot be read is taken to ask for the row."""
        for keyword in sorted(self.project.models.kinds["guarding-keywords"]):
            given = declared.arg(None, keyword)
            for item in items(self.project.resolved(given)) if given is not None else ():
                kinds = self.judged(item) or frozenset[GuardKind](("ownership",))
                if any(_asks_arguments(cls) for cls in classes_behind(self.project, item)):
                    kinds |= {"ownership"}
                yield Step("permission", _shown(item), item.place, tuple(sorted(kinds)))

    def _permission(self, route: Route) -> Iterator[Step]:
        """A permission, or a login, that the registration asks for; the class's decorator gives the default."""
        asking = (table for table in self.project.once(tables).values() if table.framework == route.framework)
        table = next((table for table in asking if table.permission), None)
        if table is None:
            return
        given = self._registered_with(route, table.permission)
        if given is None:
            calls = self.project.calls_of(table.permission_default) if table.permission_default else ()
            given = next((value for call in calls if (value := call.arg(0, table.permission)) is not None), None)
        if given is not None and not self._opens(given):
            yield Step("permission", given.text or _shown(given), given.place, ("authenticates", "role"))
        login = self._registered_with(route, table.login)
        if login is not None and login.const is True:
            yield Step("permission", table.login, login.place, ("authenticates",))

    def _registered_with(self, route: Route, keyword: str) -> Node | None:
        """What a keyword gets where a route is registered, or else where the class says it for all its methods."""
        defaults = [d for d in self._class_decorators(route.view) if d.method.endswith("defaults")]
        given = (call.arg(None, keyword) for call in (route.declared, *defaults) if call is not None)
        return next((node for node in given if node is not None), None)

    def _opens(self, permission: Node) -> bool:
        """Whether what stands where a permission is named asks for none."""
        openers = self.project.models.kinds.get("guards:open", frozenset())
        return permission.is_none or not openers.isdisjoint(self.project.names(permission))

    def _class_decorators(self, view: ClassView | None) -> list[Node]:
        return [view.outer.node(value) for value in view.cls.decorators] if view is not None else []

    def _wrapping(self, node: Node, wrapper: Node, route: Route) -> Iterator[Step]:
        """What wraps the handler where it is registered: the wrapper itself, or a guard that it is given."""
        inner = [code for code in functions_behind(self.project, node) if code != route.handler]
        if node == wrapper.func or inner:
            yield self._step("wrapper", node, wrapper.place)

    def _decorators(self, route: Route) -> Iterator[Step]:
        for decorator in route.handler.decorators:
            if decorator != route.declared and not _declares(decorator):
                kinds = self._decorator_kinds(decorator)
                roles = self._roles(decorator) if "role" in kinds else ()
                read = bool(kinds) or self._is_read(decorator)
                yield Step("decorator", _shown(decorator), decorator.place, tuple(sorted(kinds)), roles, read)

    def _injected(self, route: Route) -> Iterator[Step]:
        yield from self._dependencies(route.handler, ())
        cls = route.handler.cls
        if cls is None or not self.project.models.framework(route.framework).injects_classes:
            return
        for target in field_injections(self.project, cls.name).values():
            yield from self._target(target, target.place, ())
        made = self.project.method(cls.name, "__init__")
        yield from self._dependencies(made, ()) if made is not None else ()

    def _dependencies(self, code: Code, within: tuple[Code, ...]) -> Iterator[Step]:
        for index, param in enumerate(code.function.params):
            target = injection(self.project, code, index)
            if target is None:
                continue
            yield from self._target(target, _at(code, param.at), within)

    def _target(self, target: Node, place: Place, within: tuple[Code, ...]) -> Iterator[Step]:
        """What is injected, and what that has injected in turn and asks of the caller."""
        nested = list(self._nested(target, place, within))
        step = self._step("dependency", target, place)
        if any("authenticates" in inner.kinds for inner in nested) and self._asks_more(target):
            step = msgspec.structs.replace(step, kinds=tuple(sorted({*step.kinds, "role"})), roles=self._roles(target))
        yield step
        yield from nested

    def _nested(self, target: Node, place: Place, within: tuple[Code, ...]) -> Iterator[Step]:
        for inner in injected_code(self.project, target):
            for step in () if inner in within else self._dependencies(inner, (*within, inner)):
                if step.kinds:
                    yield msgspec.structs.replace(step, name=_shown(target), place=place)

    def _asks_more(self, target: Node) -> bool:
        """Whether a dependency that is given who calls turns some of them away with 403."""
        for code in injected_code(self.project, target):
            for answer in answers(self.project, code):
                tests = tests_before(answer.node) if answer.status == _FORBIDDEN else []
                if tests and not _ALIVE.holds(" ".join(mention(self.project, test) for test in tests)):
                    return True
        return False

    def _body(self, route: Route) -> Iterator[Step]:
        if route.handler.function.kind == "class":
            for name in self._view_steps(route):
                code = self.project.method(route.view.name, name) if route.view is not None else None
                if code is not None:
                    yield from self._check(name, code)
            return
        yield from self._check(_CHECK, route.handler)

    def _view_steps(self, route: Route) -> list[str]:
        """The methods of a class that its library's handler calls for a route: who creates looks nothing up."""
        return sorted(view_steps(self.project, route.methods if self._is_rest(route) else ()))

    def _check(self, name: str, code: Code) -> Iterator[Step]:
        kinds = denials(self.project, code)
        if kinds:
            roles = tuple(roles_compared(self.project, code)) if "role" in kinds else ()
            yield Step("check", name, code.place, tuple(sorted(kinds)), roles)


def _asks_what_it_is_told(project: Project, cls: ClassView, view: Code) -> bool:
    """Whether a permission decides by what it was made with: ``RequiresScope("notes:write")``."""
    init = project.method(cls.name, "__init__")
    told = set(_told_at_making(init)) if init is not None else set()
    read = (node for node in view.nodes(ops.Attr) if isinstance(node.op, ops.Attr) and node.op.name in told)
    return any(node.to(node.op.base).is_self for node in read if isinstance(node.op, ops.Attr))


def _told_at_making(init: Code) -> Iterator[str]:
    """The fields that a constructor fills with its own parameters."""
    for node in init.nodes(ops.SetAttr):
        op = node.op
        given = node.to(op.value).origin.op if isinstance(op, ops.SetAttr) else None
        if isinstance(op, ops.SetAttr) and node.to(op.base).is_self and isinstance(given, ops.Param):
            yield op.name


def _is_nothing(node: Node) -> bool:
    """``False``, ``None`` or an empty text, written out."""
    return isinstance(node.op, ops.Const) and not node.op.value


def _at(code: Code, span: Span) -> Place:
    return Place(code.path, span)


def _declares(decorator: Node) -> bool:
    """A decorator that registers another route for the same handler."""
    return decorator.method in (
        "route", "get", "post", "put", "patch", "delete", "api_view", "action", "websocket", "view_config",
        "view_defaults", "expose", "view", "head", "options",
    )  # fmt: skip


def _shown(node: Node) -> str:
    return node.spelled.removesuffix("()") or node.origin.spelled.removesuffix("()") or "a guard"


def _known_base(project: Project, lineage: Iterable[str], kind: str) -> str:
    known = project.models.kinds.get(f"guards:{kind}", frozenset())
    return next((name.rpartition(".")[2] for name in lineage if name in known), "a base class")


def _mentions(code: Code) -> Iterator[tuple[Node, Node]]:
    """Where a body speaks of what is defined elsewhere, and what that is; an import of its own is where it is used."""
    for node in (*code.nodes(ops.Name), *code.nodes(ops.Attr)):
        yield node, node
    imports = {node.value for node in code.nodes(ops.Import)}
    for use in code.nodes(ops.Call) if imports else ():
        used = {code.origin(value) for value in operands(use.op)} & imports
        yield from ((use, code.node(value)) for value in sorted(used))


def _asks_arguments(permission: ClassView) -> bool:
    """Whether a permission reads what is sent, after the object and the request that every permission is given."""
    return any(
        isinstance(op, ops.Param) and op.index > _GIVEN and any(value in operands(other) for other in code.ops)
        for code in permission.methods.values()
        for value, op in enumerate(code.ops)
    )


def _only_reads(route: Route) -> bool:
    return bool(route.methods) and set(route.methods) <= SAFE
