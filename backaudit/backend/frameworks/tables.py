"""Frameworks whose routes are declared by decorators and calls on an application or router: read from tables.

``[routing.NAME]`` in ``models/*.toml`` describes a class (or module) of a framework:

``like``        takes over all that another table says; ``framework`` names the framework in records
``path``        the style of path templates, see :mod:`backaudit.backend.paths`
``arguments``   ``injected`` (by annotation), ``path`` (placeholders by name) or ``request`` (the request comes first)
``prefix``      the constructor's keyword for a path prefix; ``named`` = position of a name that is the default prefix
``parent``      the constructor's argument that is the router it belongs to; ``initialisers`` methods that pass it later
``decorators``  method to HTTP method, ``*`` (any), ``methods=GET`` (keyword, default) or ``method`` (first argument)
``calls``       method that registers: ``path``, ``handler``, ``methods`` / ``method`` / ``default``, ``more`` paths
``mounts``      method that mounts: ``child``, ``prefix``, ``replaces`` (the child's own prefix)

An argument is a position, a keyword, or a list of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from backaudit.backend.handlers import Handler, handlers_of
from backaudit.backend.locate import behind, decorated, strings, text_of
from backaudit.backend.params import injected_params, plain_params
from backaudit.backend.paths import Style, Template, join, parse
from backaudit.backend.records import Route, RouteParam
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project

Argument = int | str | list[int | str]


class Registering(msgspec.Struct, frozen=True):
    """A method that registers a handler."""

    path: Argument = ""
    handler: Argument = 0
    methods: str = ""
    method: Argument = ""
    default: str = ""
    more: bool = False


class Mounting(msgspec.Struct, frozen=True):
    """A method that mounts a router."""

    child: Argument = 0
    prefix: Argument = ""
    replaces: bool = False


class Table(msgspec.Struct, frozen=True):
    """What a class of a framework declares; see the module's docstring."""

    framework: str = ""
    path: Style = "braces"
    arguments: Literal["injected", "path", "request"] = "path"
    like: str = ""
    prefix: str = ""
    named: int | None = None
    parent: Argument = ""
    decorators: dict[str, str] = {}
    calls: dict[str, Registering] = {}
    mounts: dict[str, Mounting] = {}
    initialisers: dict[str, Argument] = {}


class Mount(msgspec.Struct, frozen=True):
    """A router hung under another: ``call`` mounts it, or is its own construction."""

    parent: Node | None
    prefix: str | None
    replaces: bool
    call: Node


class Placed(msgspec.Struct, frozen=True):
    """One way from the application to a router: its whole prefix, and the constructions and mounts on the way."""

    prefix: str
    around: tuple[Node, ...]


def tables(project: Project) -> dict[str, Table]:
    """The routing tables of the frameworks that the project imports, by name, ``like`` resolved."""
    raw = project.models.routing
    imported = {item.module.partition(".")[0] for file in project.files.values() for item in file.facts.imports}
    found: dict[str, Table] = {}
    for name in sorted(raw):
        if name.partition(".")[0] not in imported or raw[name].keys().isdisjoint({"framework", "like"}):
            continue
        merged: dict[str, object] = dict(raw[name])
        like = merged.get("like")
        while isinstance(like, str) and like in raw:
            merged = {**raw[like], **merged, "like": raw[like].get("like", "")}
            like = merged["like"]
        found[name] = msgspec.convert(merged, Table)
    return found


def pick(call: Node, argument: Argument) -> Node | None:
    """The argument of a call that a table means."""
    wanted = argument if isinstance(argument, list) else [argument]
    position = next((item for item in wanted if isinstance(item, int)), None)
    keyword = next((item for item in wanted if isinstance(item, str) and item), None)
    return call.arg(position, keyword)


class _Reader:
    """Reads one project; every question is answered once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tables = project.once(tables)
        self._mounts = self._all_mounts()
        self._placed: dict[Node, tuple[Placed, ...]] = {}

    # -- which table --------------------------------------------------------------------------------------------------

    def matching(self, func: Node, section: str, last: str) -> Table | None:
        """The table of what a callee belongs to, if it has ``last`` in a section."""
        for name in self.project.names(func):
            owner, _, called = name.rpartition(".")
            table = self._guess(func, section, last) if owner == "*" else self.tables.get(owner)
            if table is not None and last in getattr(table, section) and (owner == "*" or called == last):
                return table
        return None

    def _guess(self, func: Node, section: str, last: str) -> Table | None:
        """For a receiver that nothing is known of: the framework that the file imports."""
        imported = {item.module.partition(".")[0] for item in func.code.file.facts.imports if not item.level}
        for name, table in self.tables.items():
            known = name.partition(".")[0] in imported and not name.endswith(".web")
            if known and last in getattr(table, section):
                return table
        return None

    def router_table(self, node: Node) -> Table | None:
        """The table of the class that a construction call makes."""
        for name in self.project.types(node):
            for owner in self.project.lineage(name):
                if owner in self.tables:
                    return self.tables[owner]
        return None

    # -- prefixes -----------------------------------------------------------------------------------------------------

    def _all_mounts(self) -> dict[Node, list[Mount]]:
        found: dict[Node, list[Mount]] = {}
        for last in sorted({name for table in self.tables.values() for name in table.mounts}):
            for call in self.project.calls_of(last):
                func = call.func
                table = self.matching(func, "mounts", last) if func is not None and call.receiver is not None else None
                if table is not None:
                    self._mounted(call, table.mounts[last], found)
        for last in sorted({name for table in self.tables.values() for name in table.initialisers}):
            for call in self.project.calls_of(last):
                self._initialised(call, last, found)
        return found

    def _mounted(self, call: Node, mounting: Mounting, found: dict[Node, list[Mount]]) -> None:
        child, receiver = pick(call, mounting.child), call.receiver
        prefix = text_of(self.project, pick(call, mounting.prefix))
        if child is None or receiver is None:
            return
        parents = list(behind(self.project, receiver)) or [receiver]
        for router in behind(self.project, child):
            if router.call is not None:
                mounts = found.setdefault(router, [])
                mounts += [Mount(parent, prefix, mounting.replaces, call) for parent in parents if parent != router]

    def _initialised(self, call: Node, last: str, found: dict[Node, list[Mount]]) -> None:
        func, receiver = call.func, call.receiver
        table = self.matching(func, "initialisers", last) if func is not None else None
        parent = pick(call, table.initialisers[last]) if table is not None else None
        if parent is None or receiver is None:
            return
        for router in behind(self.project, receiver):
            if router.call is not None:
                for outer in behind(self.project, parent):
                    found.setdefault(router, []).append(Mount(outer, None, False, call))

    def placed(self, router: Node) -> tuple[Placed, ...]:
        """The ways from the application to a router; a router that is mounted nowhere stands alone."""
        if router not in self._placed:
            self._placed[router] = (Placed("", ()),)
            self._placed[router] = tuple(self._ways(router))[:16]
        return self._placed[router]

    def _ways(self, router: Node) -> Iterator[Placed]:
        table = self.router_table(router) if router.call is not None else None
        own = self._own_prefix(router, table)
        mounts = list(self._mounts.get(router, ()))
        if table is not None and table.parent:
            parent = pick(router, table.parent)
            outer = list(behind(self.project, parent)) if parent is not None else []
            mounts += [Mount(node, None, False, router) for node in outer if node != router]
        if not mounts:
            yield Placed(own, (router,))
        for mount in mounts:
            here = (mount.call, router) if mount.call != router else (router,)
            for way in self.placed(mount.parent) if mount.parent is not None else (Placed("", ()),):
                own_here = "" if mount.replaces and mount.prefix is not None else own
                yield Placed(join(way.prefix, mount.prefix or "", own_here), (*way.around, *here))

    def _own_prefix(self, router: Node, table: Table | None) -> str:
        if table is None:
            return ""
        given = text_of(self.project, router.arg(None, table.prefix)) if table.prefix else None
        if given is None and table.named is not None:
            name = text_of(self.project, router.arg(table.named, "name"))
            return f"/{name}" if name else ""
        return given or ""

    # -- registrations ------------------------------------------------------------------------------------------------

    def routes(self) -> Iterator[Route]:
        for decorator, target in self.project.once(decorated):
            func = decorator.func
            last = decorator.method
            table = self.matching(func, "decorators", last) if func is not None and last else None
            if table is not None:
                yield from self._decorated(decorator, target, table, table.decorators[last])
        for last in sorted({name for table in self.tables.values() for name in table.calls}):
            for call in self.project.calls_of(last):
                func = call.func
                table = self.matching(func, "calls", last) if func is not None else None
                if table is not None:
                    yield from self._registered(call, table, table.calls[last])

    def _decorated(self, decorator: Node, target: Code | ClassView, table: Table, spec: str) -> Iterator[Route]:
        position = 1 if spec == "method" else 0
        paths = self._paths(decorator, position)
        if spec == "method":
            methods = strings(self.project, decorator.arg(0))
        elif spec.startswith("methods="):
            methods = strings(self.project, decorator.arg(None, "methods")) or (spec.removeprefix("methods="),)
        else:
            methods = () if spec == "*" else (spec,)
        handlers = [Handler(target, (), ())] if isinstance(target, Code) else handlers_of(self.project, target)
        if isinstance(target, ClassView) and spec.startswith("methods="):
            methods = strings(self.project, decorator.arg(None, "methods"))
        for path in paths:
            yield from self._made(decorator, table, path, methods, handlers)

    def _paths(self, call: Node, position: int) -> list[str]:
        found = [self._path(call.arg(position, name)) for name in ("path", "rule")]
        first = found[0] if found[0] is not None else found[1]
        if first is None:
            several = strings(self.project, call.arg(position, "path"))
            return list(several) or [""]
        return [first, *(text for node in call.args()[position + 1 :] if (text := node.text) and text.startswith("/"))]

    def _path(self, node: Node | None) -> str | None:
        """A path's text; where a function of the project makes it, the literal that the function is given."""
        text = text_of(self.project, node)
        if text is None and node is not None and node.call is not None:
            return next((arg.text for arg in node.args() if arg.text is not None), None)
        return text

    def _registered(self, call: Node, table: Table, spec: Registering) -> Iterator[Route]:
        handler = pick(call, spec.handler)
        if handler is None:
            return
        if isinstance(handler.origin.op, ops.Param) and call.code.function.kind == "function":
            yield from self._through(call.code, table, handler.origin.op.index)
            return
        path = pick(call, spec.path)
        paths = [text_of(self.project, path)] if path is not None else []
        if spec.more and isinstance(spec.path, int) and call.call is not None:
            paths = [text_of(self.project, call.to(value)) for value in call.call.args[spec.path :]]
        methods = strings(self.project, call.arg(None, spec.methods)) if spec.methods else ()
        if spec.method != "":
            methods = tuple(m for m in strings(self.project, pick(call, spec.method)) if m != "*")
        handlers = list(handlers_of(self.project, handler))
        if not methods and spec.default and all(not h.methods for h in handlers):
            methods = (spec.default,)
        for text in paths:
            if text is not None:
                yield from self._made(call, table, text, methods, handlers)

    def _through(self, wrapper: Code, table: Table, index: int) -> Iterator[Route]:
        """A function of the project that registers what it is given: its callers are the registrations."""
        for call in self.project.callers(wrapper):
            handler = self.project.argument(call, wrapper, index)
            paths = [arg.text for arg in call.args() if arg.text and arg.text.startswith("/")]
            handlers = list(handlers_of(self.project, handler)) if handler is not None else []
            for path in paths:
                yield from self._made(call, table, path, (), handlers)

    def _made(
        self, call: Node, table: Table, path: str, methods: tuple[str, ...], handlers: Iterable[Handler]
    ) -> Iterator[Route]:
        allowed = tuple(method.upper() for method in methods)
        ways = [way for router in self._routers(call) for way in self.placed(router)] or [Placed("", ())]
        for handler in handlers:
            own = tuple(m for m in handler.methods if not allowed or m in allowed) if handler.methods else allowed
            if handler.methods and not own:
                continue
            for way in dict.fromkeys(ways):
                template = parse(join(way.prefix, path), table.path)
                yield self._route(call, table, template, own, handler, way)

    def _routers(self, call: Node) -> list[Node]:
        receiver = call.receiver
        if receiver is None:
            return []
        here = self.project.resolved(receiver)
        # ``app.router.add_get``: the router is the application's.
        if isinstance(here.op, ops.Attr) and here.op.name == "router":
            receiver = here.to(here.op.base)
        return [router for router in behind(self.project, receiver) if router.call is not None]

    def _route(
        self, call: Node, table: Table, template: Template, methods: tuple[str, ...], handler: Handler, way: Placed
    ) -> Route:
        status = call.arg(None, "status_code")
        code = handler.code
        constant = self.project.constant(status) if status is not None else None
        return Route(
            methods=methods,
            path=template.text,
            handler=code,
            framework=table.framework,
            place=call.place,
            params=self._params(table, code, template),
            response=call.arg(None, "response_model") or code.outside(code.function.returns),
            status=_status(self.project, status, constant),
            tags=strings(self.project, call.arg(None, "tags")),
            view=handler.view,
            declared=call,
            around=way.around,
            wrappers=handler.wrappers,
            converters=template.restrictions,
        )

    def _params(self, table: Table, code: Code, template: Template) -> tuple[RouteParam, ...]:
        if table.arguments == "injected":
            return injected_params(self.project, code, template)
        return plain_params(self.project, code, template, table.arguments == "request")


def _status(project: Project, node: Node | None, constant: Node | None) -> int | None:
    if node is None:
        return None
    if constant is not None and isinstance(constant.const, int):
        return constant.const
    digits = [part for name in project.names(node) for part in name.split("_") if part.isdigit() and len(part) == 3]
    return int(digits[0]) if digits else None


def routes(project: Project) -> tuple[Route, ...]:
    """Every endpoint declared through the tables."""
    return tuple(_Reader(project).routes())
