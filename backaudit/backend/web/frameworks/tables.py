"""Routes that are declared by decorators, calls and lists on an application or router: read from the routing tables.

The tables' language is described in :mod:`backaudit.backend.web.frameworks.language`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from backaudit.backend.web.frameworks.language import Argument, Controlling, Registering, Table, pick
from backaudit.backend.web.frameworks.placing import Placed, Places, Router, Row, places, version_of
from backaudit.backend.web.handlers import Handler, handlers_of
from backaudit.backend.web.params import injected_params, plain_params
from backaudit.backend.web.paths import Template, join, parse
from backaudit.backend.web.records import UNMOUNTED, Route, RouteParam
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.cases import cases, keyword, spread
from backaudit.project.declarations import entries, items
from backaudit.project.locate import (
    NOTHING_GIVEN,
    Given,
    behind,
    classes_behind,
    decorated,
    definition_of,
    named_value,
    strings,
    text_of,
)
from backaudit.vocabulary.protocols import METHODS

_ANY = "*"


class _Named(NamedTuple):
    """A call that gives a path a name, its table, its last name there, and the case in which it does so."""

    declared: Node
    table: Table
    last: str
    given: tuple[tuple[object, Node], ...]


class _Reader:
    """Reads the registrations of one project."""

    def __init__(self, project: Project, found: Places) -> None:
        self.project = project
        self.places = found
        self.tables = found.tables
        self._named = dict(self._names())

    def routes(self) -> Iterator[Route]:
        yield from self._by_decorators()
        for last in sorted({name for table in self.tables.values() for name in table.decorators}):
            yield from self._applied(last)
        yield from self._by_calls()
        for row in self.places.rows:
            yield from self._row(row)
        for name, table in self.tables.items():
            if table.controller is not None:
                yield from self._controllers(name, table)

    def _by_decorators(self) -> Iterator[Route]:
        for decorator, target in self.project.once(decorated):
            table, last = self._decorating(decorator)
            if table is not None and not (isinstance(target, Code) and self._inherited(target)):
                yield from self._decorated(decorator, target, table, table.decorators[last])

    def _by_calls(self) -> Iterator[Route]:
        for last in sorted({name for table in self.tables.values() for name in table.calls}):
            for call in self.project.calls_of(last):
                table = self.places.matching(call.func, "calls", last) if call.func is not None else None
                if table is not None:
                    yield from self._registered(call, table, table.calls[last])

    def _decorating(self, decorator: Node) -> tuple[Table | None, str]:
        """The framework that a decorator is of, and the name by which its table knows it."""
        called = decorator.call is not None
        func = decorator.func if called else decorator
        last = decorator.method if called else _last(decorator)
        return self.places.matching(func, "decorators", last) if func is not None and last else None, last

    def _names(self) -> Iterator[tuple[str, _Named]]:
        """Paths that are given a name, to which handlers refer."""
        for last in sorted({name for table in self.tables.values() for name in table.names_routes}):
            for call in self.project.calls_of(last):
                func = call.func
                table = self.places.matching(func, "names_routes", last) if func is not None else None
                named = pick(call, table.names_routes[last].name) if table is not None else None
                for case in cases(self.project, call.code, [named]) if named is not None else ():
                    name = text_of(self.project, named, case)
                    if table is not None and name:
                        yield name, _Named(call, table, last, tuple(case.items()))

    # -- decorators ---------------------------------------------------------------------------------------------------

    def _decorated(
        self, decorator: Node, target: Code | ClassView, table: Table, spec: str | Registering
    ) -> Iterator[Route]:
        handlers = [Handler(target, (), ())] if isinstance(target, Code) else list(handlers_of(self.project, target))
        if isinstance(spec, Registering):
            yield from self._referring(decorator, table, spec, handlers, target)
            return
        methods = self._methods_of(decorator, spec, isinstance(target, ClassView))
        paths = self._path_nodes(decorator, 1 if spec == "method" else 0)
        yield from self._at_paths(decorator, table, paths, methods, handlers, definition_of(target))

    def _methods_of(self, decorator: Node, spec: str, of_class: bool, case: Given = NOTHING_GIVEN) -> tuple[str, ...]:
        if spec == "method":
            return self._verbs(decorator.arg(0), case)
        if "=" in spec:
            where, _, default = spec.partition("=")
            keys: list[int | str] = [int(key) if key.isdigit() else key for key in where.split("|")]
            found = self._verbs(self._picked(decorator, keys, case), case)
            return found or (() if of_class or not default else tuple(default.split()))
        return () if spec == _ANY else tuple(spec.split())

    def _verbs(self, node: Node | None, given: Given = NOTHING_GIVEN) -> tuple[str, ...]:
        """HTTP methods as texts or as members of an enumeration."""
        if node is None:
            return ()
        found = strings(self.project, node, given)
        if found:
            return tuple(verb for verb in found if verb not in ("*", "ANY"))
        here = self.project.resolved(node)
        parts = items(here) or [here]
        spelled = (part.spelled.rpartition(".")[2].upper() for part in parts)
        return tuple(verb for verb in spelled if verb in (*METHODS, "TRACE"))

    def _path_nodes(self, call: Node, position: int) -> list[Node]:
        named = [call.arg(None, name) for name in ("path", "rule", "uri", "uri_template", "route")]
        first = next((node for node in named if node is not None), None)
        placed = call.call.args[position:] if call.call is not None and first is None else ()
        nodes = [call.to(value) for value in placed]
        if first is not None:
            return [first]
        more = [node for node in nodes[1:] if (node.text or "").startswith("/")]
        return [*nodes[:1], *more]

    def _at_paths(
        self, call: Node, table: Table, paths: list[Node], methods: tuple[str, ...], handlers: list[Handler],
        defined: Node | None,
    ) -> Iterator[Route]:  # fmt: skip
        """The routes of a decorator: at each of its paths, in each case, on each way to its router."""
        for case in cases(self.project, call.code, paths):
            routers = self._routers(call, case, defined)
            for node in paths:
                for text in self._texts(node, case):
                    yield from self._made(call, table, (node, text), methods, handlers, routers)
            if not paths:
                yield from self._made(call, table, (None, ""), methods, handlers, routers)

    def _texts(self, node: Node, case: Given) -> list[str]:
        """A path's text, or those of a list; where a function that is not known makes it, the literal it is given."""
        text = text_of(self.project, node, case)
        if text is not None:
            return [text]
        several = strings(self.project, node, case)
        if several:
            return list(several)
        here = self.project.resolved(node)
        literals = [arg.text for arg in here.args() if arg.text is not None] if here.call is not None else []
        return literals[:1] or [""]

    def _applied(self, last: str) -> Iterator[Route]:
        """A decorator that is applied as a call: ``app.get("/path")(handler)``."""
        for code in dict.fromkeys(self.project.calling(last)):
            for user in code.nodes(ops.Call):
                call, handler = user.func, user.arg(0)
                if call is None or call.method != last or not isinstance(call.op, ops.Call):
                    continue
                if handler is None:
                    continue
                table, _ = self._decorating(call)
                spec = table.decorators[last] if table is not None else None
                if table is not None and isinstance(spec, str):
                    yield from self._applied_to(call, table, spec, handler)

    def _applied_to(self, call: Node, table: Table, spec: str, handler: Node) -> Iterator[Route]:
        paths = self._path_nodes(call, 1 if spec == "method" else 0)
        for case in cases(self.project, call.code, [*paths, handler]):
            handlers = list(handlers_of(self.project, handler, case))
            methods = self._methods_of(call, spec, any(h.view is not None for h in handlers), case)
            routers = self._routers(call, case, None)
            for node in paths:
                for text in self._texts(node, case):
                    yield from self._made(call, table, (node, text), methods, handlers, routers)

    # -- calls --------------------------------------------------------------------------------------------------------

    def _registered(self, call: Node, table: Table, spec: Registering) -> Iterator[Route]:
        handler = pick(call, spec.handler)
        if handler is None:
            yield from self._unpacked(call, table, spec)
            return
        handler = named_value(self.project, handler)
        if spec.route != "":
            named = pick(call, spec.route)
            for case in cases(self.project, call.code, [handler, *([named] if named is not None else [])]):
                yield from self._referring(
                    call, table, spec, list(handlers_of(self.project, handler, case)), None, case
                )
            return
        paths = self._registered_paths(call, spec)
        chosen = pick(call, spec.methods) or pick(call, spec.method)
        depends = [*paths, *self._starred(call, spec), handler, *([chosen] if chosen is not None else [])]
        depends += [call.to(value) for value in (call.call.dstar if call.call is not None else ())]
        for case in cases(self.project, call.code, depends):
            if spec.action != "":
                yield from self._by_action(call, table, spec, handler, case)
                continue
            suffix = text_of(self.project, call.arg(None, spec.suffix), case) if spec.suffix else None
            handlers = list(handlers_of(self.project, handler, case, suffix or ""))
            methods = self._called_methods(call, spec, handlers, case)
            routers = self._routers(call, case, None)
            for path in self._texts_of_paths(call, spec, paths, case):
                yield from self._made(call, table, path, methods, handlers, routers)

    def _by_action(
        self, call: Node, table: Table, spec: Registering, handler: Node, case: Given
    ) -> Iterator[Route]:  # fmt: skip
        """The methods of a class that answer under their own names, in the place of ``{action}``, or the one named."""
        chosen = text_of(self.project, pick(call, spec.action), case)
        path = text_of(self.project, pick(call, spec.path), case)
        named = named_value(self.project, handler, case)
        routers = self._routers(call, case, None)
        for cls in classes_behind(self.project, named, case) if path is not None else ():
            for name in [chosen] if chosen else _public(self.project, cls):
                code = self.project.method(cls.name, name)
                if code is not None and path is not None and (chosen or "{action}" in path):
                    whole = path.replace("{action}", name)
                    yield from self._made(call, table, (None, whole), (), [Handler(code, (), (), cls)], routers)

    def _texts_of_paths(
        self, call: Node, spec: Registering, paths: Iterable[Node], case: Given
    ) -> Iterator[tuple[Node | None, str]]:
        """The paths that a call registers in one case, each with the value that says it."""
        more = [found for star in self._starred(call, spec) for found in spread(star, case)]
        for node, inner in [*((node, case) for node in paths), *more]:
            text = text_of(self.project, node, inner)
            several = [text] if text is not None else strings(self.project, node, inner)
            yield from ((node, path) for path in several)
        if spec.path == "":
            yield None, ""

    def _unpacked(self, call: Node, table: Table, spec: Registering) -> Iterator[Route]:
        """``api.add_resource(*row)`` for the rows of a list."""
        op = call.call
        handler, path = _position(spec.handler), _position(spec.path)
        if op is None or op.args or len(op.star) != 1 or handler is None or path is None:
            return
        routers = self._routers(call, NOTHING_GIVEN, None)
        method = _position(spec.method)
        for values in map(items, behind(self.project, call.to(op.star[0]))):
            if max(handler, path) >= len(values):
                continue
            verbs = self._verbs(values[method]) if method is not None and method < len(values) else ()
            handlers = list(handlers_of(self.project, named_value(self.project, values[handler])))
            for node in values[path:] if spec.more else [values[path]]:
                text = text_of(self.project, node)
                if text is not None:
                    methods = verbs or self._called_methods(call, spec, handlers, NOTHING_GIVEN)
                    yield from self._made(call, table, (node, text), methods, handlers, routers)

    def _registered_paths(self, call: Node, spec: Registering) -> list[Node]:
        path = pick(call, spec.path)
        if spec.more and isinstance(spec.path, int) and call.call is not None:
            return [call.to(value) for value in call.call.args[spec.path :]]
        return [path] if path is not None else []

    def _starred(self, call: Node, spec: Registering) -> list[Node]:
        return [call.to(value) for value in call.call.star] if spec.more and call.call is not None else []

    def _called_methods(self, call: Node, spec: Registering, handlers: list[Handler], case: Given) -> tuple[str, ...]:
        methods = self._verbs(self._picked(call, spec.methods, case), case) if spec.methods != "" else ()
        if spec.method != "":
            methods = self._verbs(self._picked(call, spec.method, case), case)
        if not methods and spec.default and all(not h.methods for h in handlers):
            return (spec.default,)
        return methods

    def _picked(self, call: Node, argument: Argument, case: Given) -> Node | None:
        """The argument that a table means, also where the call hands on the keywords of its own caller."""
        found = pick(call, argument)
        names = [one for one in (argument if isinstance(argument, list) else [argument]) if isinstance(one, str)]
        handed = (keyword(self.project, call, name, case) for name in names if found is None and name)
        return found or next((node for node in handed if node is not None), None)

    def _referring(
        self,
        call: Node,
        table: Table,
        spec: Registering,
        handlers: list[Handler],
        target: Code | ClassView | None,
        case: Given = NOTHING_GIVEN,
    ) -> Iterator[Route]:
        """A handler of a path that another call has given a name."""
        name = text_of(self.project, pick(call, spec.route), case)
        defaults = self._class_defaults(target)
        if name is None and defaults is not None:
            name = text_of(self.project, pick(defaults, spec.route))
        named = self._named.get(name or "")
        if named is None:
            return
        declared, owner, last, given = named
        naming = owner.names_routes[last]
        chosen = pick(call, spec.methods) or (pick(defaults, spec.methods) if defaults is not None else None)
        methods = self._verbs(chosen or pick(declared, naming.methods))
        if isinstance(target, ClassView):
            attribute = text_of(self.project, call.arg(None, "attr"))
            method = self.project.method(target.name, attribute or "__call__")
            handlers = [Handler(method or target.body, (), (), target)]
        elif target is not None and target.cls is not None:
            handlers = [Handler(target, (), (), target.cls)]
        path = pick(declared, naming.path)
        routers = self._routers(declared, NOTHING_GIVEN, None)
        text = text_of(self.project, path, dict(given))
        if text is not None:
            yield from self._made(call, table, (None if given else path, text), methods, handlers, routers)

    def _class_defaults(self, target: Code | ClassView | None) -> Node | None:
        """The decorator of the class around a method that gives its decorators their defaults."""
        cls = target.cls if isinstance(target, Code) else None
        for value in cls.cls.decorators if cls is not None else ():
            decorator = cls.outer.node(value) if cls is not None else None
            if decorator is not None and decorator.method.endswith("defaults"):
                return decorator
        return None

    # -- lists --------------------------------------------------------------------------------------------------------

    def _row(self, row: Row) -> Iterator[Route]:
        for case in cases(self.project, row.item.code, [row.path, row.handler]):
            given = {**case, **dict(row.given)}
            handlers = list(handlers_of(self.project, named_value(self.project, row.handler), given))
            text = text_of(self.project, row.path, given)
            if text is not None:
                yield from self._made(row.item, row.table, (None, text), (), handlers, [row.router])

    # -- classes whose methods carry the decorators -------------------------------------------------------------------

    def _inherited(self, target: Code) -> bool:
        """Whether a decorated method belongs to a controller, which is read as a whole."""
        return target.cls is not None and self._controller_table(target.cls) is not None

    def _controller_table(self, cls: ClassView) -> Table | None:
        for owner in self.project.lineage(cls.name):
            table = self.tables.get(owner)
            if table is not None and table.controller is not None:
                return table
        return None

    def _controllers(self, name: str, table: Table) -> Iterator[Route]:
        said = table.controller
        for cls in self.project.subclasses(name):
            if said is None or self._controller_table(cls) is not table:
                continue
            for node in self._instances(cls):
                if said.actions or self.places.hung(Router(node)):
                    prefix = self._controller_prefix(cls, said, node)
                    yield from self._controlled(cls, prefix, node)
                    yield from self._acting(cls, table, said, prefix, node)
                    yield from self._own_views(cls, table, said, prefix, node)

    def _instances(self, cls: ClassView) -> Iterator[Node]:
        defined = definition_of(cls)
        if defined is not None:
            yield defined
        for call in self.project.calls_of(cls.cls.name):
            if cls in self.project.instances(call):
                yield call.origin

    def _controller_prefix(self, cls: ClassView, said: Controlling, node: Node) -> str:
        for view in self.project.lineage_views(cls.name) if said.field else ():
            if said.field in view.fields:
                return text_of(self.project, view.fields[said.field]) or ""
        root = self._root(said, node)
        given = text_of(self.project, pick(node, said.prefix))
        if given is not None:
            return given if given.startswith("/") else join(root, given)
        for named_by in said.names:
            text = text_of(self.project, node.arg(None, named_by))
            if text:
                return join(root, text)
        first = node.arg(said.after) if said.after is not None else None
        named = next(self.project.denoted_classes(first), None) if first is not None else None
        if named is not None:
            return join(root, named.cls.name.lower())
        return join(root, cls.cls.name.removesuffix(said.cut).lower()) if said.own else root

    def _root(self, said: Controlling, node: Node) -> str:
        holders = [call for way in self.places.ways(Router(node)) for call in way.around] if said.root_from else []
        for holder in holders:
            text = text_of(self.project, holder.arg(None, said.root_from)) if holder != node else None
            if text:
                return text
        return said.root

    def _controlled(self, cls: ClassView, prefix: str, node: Node) -> Iterator[Route]:
        seen: set[str] = set()
        for view in self.project.lineage_views(cls.name):
            own = view.methods.items()
            for name, code in own:
                if name not in seen:
                    seen.add(name)
                    for decorator in code.decorators:
                        yield from self._controlled_method(Handler(code, (), (), cls), decorator, prefix, node)

    def _controlled_method(self, handler: Handler, decorator: Node, prefix: str, node: Node) -> Iterator[Route]:
        table, last = self._decorating(decorator)
        spec = table.decorators[last] if table is not None else None
        if table is None or not isinstance(spec, str):
            return
        methods = self._methods_of(decorator, spec, False)
        nodes: list[Node | None] = [*self._path_nodes(decorator, 1 if spec == "method" else 0)]
        for path in nodes or [None]:
            for text in self._texts(path, NOTHING_GIVEN) if path is not None else [""]:
                whole = join(prefix, text) if text.strip("/") or not prefix else prefix.rstrip("/") + text
                yield from self._made(decorator, table, (None, whole), methods, [handler], [Router(node)])

    def _acting(self, cls: ClassView, table: Table, said: Controlling, prefix: str, node: Node) -> Iterator[Route]:
        """Methods that answer by their names alone."""
        for name, code in cls.methods.items() if said.actions else ():
            verb = said.actions.get(name) or said.actions.get(_ANY, "")
            if not verb or name.startswith("_") or any(self._declares(decorator) for decorator in code.decorators):
                continue
            own = "" if name in said.actions else name
            placeholders = [f"<{param.name}>" for param in code.function.params[1:] if param.kind == "normal"]
            path = join(prefix, own, *placeholders)
            yield from self._made(node, table, (None, path), (verb,), [Handler(code, (), (), cls)], [Router(node)])

    def _declares(self, decorator: Node) -> bool:
        func = decorator.func if decorator.call is not None else decorator
        last = decorator.method if decorator.call is not None else _last(decorator)
        return func is not None and bool(last) and self.places.matching(func, "decorators", last) is not None

    def _own_views(self, cls: ClassView, table: Table, said: Controlling, prefix: str, node: Node) -> Iterator[Route]:
        """What the library's class answers by itself, as far as the project's class does not."""
        for path, methods in said.views.items():
            handler = Handler(cls.body, (), (), cls)
            whole = prefix.rstrip("/") + path
            yield from self._made(node, table, (None, whole), tuple(methods.split()), [handler], [Router(node)])

    # -- records ------------------------------------------------------------------------------------------------------

    def _made(
        self, call: Node, table: Table, path: tuple[Node | None, str], methods: tuple[str, ...],
        handlers: Iterable[Handler], routers: list[Router],
    ) -> Iterator[Route]:  # fmt: skip
        allowed = tuple(method.upper() for method in methods)
        ways = [way for router in routers for way in self.places.ways(router)] or [Placed("", ())]
        stray = table.listed and not any(self.places.hung(router) for router in routers)
        for handler in handlers:
            own = tuple(m for m in handler.methods if not allowed or m in allowed) if handler.methods else allowed
            if handler.methods and not own:
                continue
            for way in dict.fromkeys(ways):
                placed = self._in_class(table, handler, way)
                whole = parse(self._whole(call, table, path, placed), table.path)
                yield self._route(call, table, whole, own, handler, placed, stray)

    def _whole(self, call: Node, table: Table, path: tuple[Node | None, str], way: Placed) -> str:
        """The whole path of a route on one way to it: prefixes, version and all."""
        node, text = path
        here = text_of(self.project, node, dict(way.given)) if node is not None and way.given else None
        whole = join(way.prefix, here if here is not None else text)
        version = version_of(self.project, call, table) or way.version
        whole = join(f"/v{version}", whole) if version else whole
        return whole if table.slashes else whole.rstrip("/") or "/"

    def _in_class(self, table: Table, handler: Handler, way: Placed) -> Placed:
        """The way to a method of a class whose decorator gives its routes a prefix."""
        cls = handler.code.cls if table.classes else None
        for value in cls.cls.decorators if cls is not None else ():
            assert cls is not None
            decorator = cls.outer.node(value)
            for name in self.project.names(decorator.func or decorator):
                if name in table.classes:
                    prefix = text_of(self.project, pick(decorator, table.classes[name])) or ""
                    return Placed(join(way.prefix, prefix), (*way.around, decorator), way.given, way.version)
        return way

    def _routers(self, call: Node, case: Given, defined: Node | None) -> list[Router]:
        """The routers that a registration is made on; ``defined``: the function that a list may name."""
        for node in (call.origin, defined):
            if node is not None and self.places.hung(Router(node)):
                return [Router(node)]
        base = call.op.base if isinstance(call.op, ops.Attr) else None
        receiver = call.to(base) if base is not None else call.receiver
        if receiver is None:
            return []
        found = self.places.routers(receiver, case)
        return [router for router in found if router.node.call is not None or self.places.hung(router)]

    def _route(
        self, call: Node, table: Table, template: Template, methods: tuple[str, ...], handler: Handler, way: Placed,
        stray: bool,
    ) -> Route:  # fmt: skip
        status = call.arg(None, "status_code")
        code = handler.code
        constant = self.project.constant(status) if status is not None else None
        return Route(
            methods=methods,
            path=template.text,
            handler=code,
            framework=table.framework,
            place=call.place,
            params=self._params(table, code, template, call, way),
            response=call.arg(None, "response_model") or code.outside(code.function.returns),
            status=_status(self.project, status, constant) or self._by_itself(table, methods),
            tags=(UNMOUNTED,) if stray else strings(self.project, call.arg(None, "tags")),
            view=handler.view,
            declared=call,
            around=way.around,
            wrappers=handler.wrappers,
            converters=template.restrictions,
            provided=tuple(self._provided(table, code, call, way)),
        )

    def _by_itself(self, table: Table, methods: tuple[str, ...]) -> int | None:
        """The status by which a framework tells of a success that the handler gives none."""
        told = self.project.models.framework(table.framework).succeeds
        return told.get(methods[0]) if len(methods) == 1 else None

    def _params(self, table: Table, code: Code, template: Template, call: Node, way: Placed) -> tuple[RouteParam, ...]:
        if table.arguments == "injected":
            provided = [name for name, _ in self._provided(table, code, call, way)]
            return injected_params(self.project, code, template, {**table.names, **dict.fromkeys(provided, "injected")})
        return plain_params(self.project, code, template, table.arguments == "request")

    def _provided(self, table: Table, code: Code, call: Node, way: Placed) -> Iterator[tuple[str, Node]]:
        """Names of parameters that a dict of dependencies fills, with what gives the value; the nearest one first."""
        if not table.provides:
            return
        cls = code.cls
        given = [call.arg(None, table.provides), cls.fields.get(table.provides) if cls is not None else None]
        given += [node.arg(None, table.provides) for node in reversed(way.around)]
        for node in given:
            if node is not None:
                yield from entries(self.project.resolved(node)).items()


def _public(project: Project, cls: ClassView) -> list[str]:
    """The methods that a class and its bases in the project show to others."""
    names = (name for view in project.lineage_views(cls.name) for name in view.methods)
    return list(dict.fromkeys(name for name in names if not name.startswith("_")))


def _last(decorator: Node) -> str:
    """The last name of a decorator without parentheses."""
    op = decorator.origin.op
    if isinstance(op, ops.Attr):
        return op.name
    return op.name if isinstance(op, (ops.Name, ops.Import)) else ""


def _status(project: Project, node: Node | None, constant: Node | None) -> int | None:
    if node is None:
        return None
    if constant is not None and isinstance(constant.const, int):
        return constant.const
    parts = (part for name in project.names(node) for part in name.split("_"))
    digits = [part for part in parts if part.isdigit() and len(part) == 3]
    return int(digits[0]) if digits else None


def routes(project: Project) -> tuple[Route, ...]:
    """Every endpoint declared through the tables."""
    return tuple(_Reader(project, project.once(places)).routes())


def _position(which: Argument) -> int | None:
    """The position of an argument, of the ways in which it may be given."""
    return next((one for one in (which if isinstance(which, list) else [which]) if isinstance(one, int)), None)
