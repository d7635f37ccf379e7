"""Where routers hang: the mounts of a project, and the ways from the application down to each router."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from backaudit.backend.web.frameworks.language import Argument, Including, Listing, Mounting, Table, pick, tables
from backaudit.backend.web.paths import join
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.cases import Gathered, cases, gathered
from backaudit.project.declarations import items
from backaudit.project.locate import (
    NOTHING_GIVEN,
    Given,
    behind,
    functions_behind,
    given_for,
    made_behind,
    modules_named,
    text_of,
)

_DEPTH = 12
_WAYS = 64


class Router(NamedTuple):
    """A router: the value that is one, and what the parameters of the function stand for that has made it, if any."""

    node: Node
    case: tuple[tuple[object, Node], ...] = ()


class Mount(msgspec.Struct, frozen=True):
    """A router hung under another: ``call`` mounts it, or is its own construction. ``given``: in which case it is."""

    parent: Router | None
    prefix: str | None
    replaces: bool
    call: Node
    given: tuple[tuple[object, Node], ...] = ()


class Placed(msgspec.Struct, frozen=True):
    """One way from the application to a router: its whole prefix, and the constructions and mounts on the way."""

    prefix: str
    around: tuple[Node, ...]
    given: tuple[tuple[object, Node], ...] = ()
    version: str = ""


class Row(msgspec.Struct, frozen=True):
    """A pair of path and handler in a list that a framework is given; ``holder`` is the call that is given it.

    ``given``: the case in which the pair is to be read.
    """

    holder: Node
    item: Node
    path: Node
    handler: Node
    table: Table
    given: tuple[tuple[object, Node], ...] = ()

    @property
    def router(self) -> Router:
        """What stands for the pair where routers hang."""
        return Router(self.item, self.given)


def _shifted(argument: Argument) -> Argument:
    """An argument whose position counts from the second on."""
    if isinstance(argument, list):
        return [item + 1 if isinstance(item, int) else item for item in argument]
    return argument + 1 if isinstance(argument, int) else argument


class Places:
    """Reads the mounts of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tables = project.once(tables)
        self.rows: list[Row] = []
        self._mounts: dict[Router, list[Mount]] = {}
        self._cases: dict[Node, dict[Router, None]] = {}
        self._ways: dict[Router, tuple[Placed, ...]] = {}
        self._read()

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
        """For a receiver of which nothing is known: what callers pass for it, else the framework of the file."""
        op = func.op
        base = self.project.resolved(func.to(op.base)) if isinstance(op, ops.Attr) else None
        if base is not None and isinstance(base.op, ops.Attr) and base.op.name == "router":
            given = self._of_router(self.project.resolved(base.to(base.op.base)), section, last)
            if given is not None:
                return given
        passed = list(self._passed(base)) if base is not None and isinstance(base.op, ops.Param) else []
        fitting = (table for table in [*passed, *self._imported(func)] if last in getattr(table, section))
        return next(fitting, None)

    def _passed(self, base: Node) -> Iterator[Table]:
        """The frameworks of the routers that a parameter may be, and of those that they hang on."""
        for router in self.found(base):
            parents = [mount.parent for mount in self._mounts.get(router, ()) if mount.parent is not None]
            known = (self.router_table(one.node) for one in (router, *parents))
            yield from (table for table in known if table is not None)

    def _imported(self, func: Node) -> Iterator[Table]:
        """The frameworks that a file imports, as far as they are guessed by that; a module is no unknown receiver."""
        imported = {item.module.partition(".")[0] for item in func.code.file.facts.imports if not item.level}
        for name, table in self.tables.items():
            if table.guess and name.partition(".")[0] in imported and name.rpartition(".")[2][:1].isupper():
                yield table

    def _of_router(self, app: Node, section: str, last: str) -> Table | None:
        """The table of ``app.router``, of an application that callers pass."""
        for given in behind(self.project, app):
            for name in self.project.types(given):
                known = self.project.knowledge.attributes.get(f"{name}.router", "")
                table = self.tables.get(known)
                if table is not None and last in getattr(table, section):
                    return table
        return None

    def router_table(self, node: Node) -> Table | None:
        """The table of the class that a construction call makes, or that a class inherits."""
        for name in self.project.types(node):
            head = name.removeprefix("type[").removesuffix("]") if name.startswith("type[") else name
            for owner in self.project.lineage(head):
                if owner in self.tables:
                    return self.tables[owner]
        return None

    # -- mounts -------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        # Includes come first: what they hand over makes known what the functions' parameters are.
        before = -1
        while len(self._mounts) > before:
            before = len(self._mounts)
            self._each("includes", lambda call, table, last: self._included(call, table.includes[last]))
        self._each("mounts", lambda call, table, last: self._mounted(call, table.mounts[last]))
        self._each("initialisers", lambda call, table, last: self._initialised(call, table.initialisers[last]))
        self._read_lists()

    def _each(self, section: str, read: Callable[[Node, Table, str], None]) -> None:
        for last in sorted({name for table in self.tables.values() for name in getattr(table, section)}):
            for call in self.project.calls_of(last):
                func = call.func
                table = self.matching(func, section, last) if func is not None and call.receiver is not None else None
                if table is not None:
                    read(call, table, last)

    def _included(self, call: Node, including: Including) -> None:
        """The first parameter of the function that is called stands for the router."""
        target, receiver = pick(call, including.child), call.receiver
        prefix = text_of(self.project, pick(call, including.prefix))
        for code in self._entries(target, including.entry) if target is not None and receiver is not None else ():
            for param in code.nodes(ops.Param):
                if isinstance(param.op, ops.Param) and param.op.index == 0 and receiver is not None:
                    self._hang(Router(param), self.found(receiver), prefix, call)

    def _entries(self, target: Node, entry: str) -> Iterator[Code]:
        text = text_of(self.project, target)
        if text is None:
            yield from functions_behind(self.project, target)
        for name in modules_named(self.project, target, text):
            code = self.project.function_named(f"{name}.{entry}") or self.project.function_named(name)
            if code is not None:
                yield code

    def _read_lists(self) -> None:
        """Lists of registrations: given to a method of a router, or to the construction of one."""
        for name, table in self.tables.items():
            for last, listing in table.lists.items():
                wanted = last or name.rpartition(".")[2]
                for call in (*self.project.calls_of(wanted), *(self._constructions(name) if not last else ())):
                    if self._is_call_of(call, name, last):
                        self._listed(call, listing, table, constructs=not last)

    def _constructions(self, name: str) -> Iterator[Node]:
        """Constructions of the project's subclasses, and their calls of the base's constructor."""
        for cls in self.project.subclasses(name):
            yield from self.project.calls_of(cls.cls.name)
            code = cls.methods.get("__init__")
            yield from code.nodes(ops.Call) if code is not None else ()

    def _is_call_of(self, call: Node, name: str, last: str) -> bool:
        func = call.func
        if func is None:
            return False
        if last:
            return self.matching(func, "lists", last) is self.tables[name]
        if call.method == "__init__":
            cls = call.code.cls
            return cls is not None and name in self.project.lineage(cls.name)
        return any(name in self.project.lineage(made) for made in self.project.types(call))

    def _listed(self, call: Node, listing: Listing, table: Table, constructs: bool) -> None:
        receiver = call.receiver if not constructs else None
        holders = self.routers(receiver, NOTHING_GIVEN) if receiver is not None else [Router(call.origin)]
        # What a module's function makes (``Blueprint.group``) holds its items itself.
        holders = [h for h in holders if h.node.call is not None] or [Router(call.origin)]
        prefix = text_of(self.project, pick(call, listing.prefix))
        given = pick(call, _shifted(listing.items) if self._names_self(call) else listing.items)
        children = self._given_each(call) if listing.items == "*" else self._elements(given)
        app = pick(call, listing.app)
        for one in [*children, *([Gathered(app, NOTHING_GIVEN)] if app is not None else [])]:
            row = self._pair(call, one, listing, table)
            if row is not None:
                self.rows.append(row)
                self._hang(row.router, holders, prefix, call)
                continue
            for child in self._children(one):
                self._hang(child, holders, prefix, call)

    def _given_each(self, call: Node) -> list[Gathered]:
        """The arguments of a call one by one; of an unpacked list its elements."""
        starred = {call.to(value) for value in call.call.star} if call.call is not None else set()
        found: list[Gathered] = []
        for arg in call.args():
            found += self._elements(arg) if arg in starred else [Gathered(arg, NOTHING_GIVEN)]
        return found

    def _pair(self, call: Node, one: Gathered, listing: Listing, table: Table) -> Row | None:
        """The path and the handler that an element of a list holds, if it is a pair."""
        given = tuple(one.given.items())
        if one.key is not None:
            return Row(call, one.node.origin, one.key, one.node, table, given)
        made = self.project.resolved(one.node)
        made = (given_for(made, one.given) or made).origin
        pair = items(made) if isinstance(made.op, ops.Build) else []
        if len(pair) <= max(listing.path, listing.handler):
            return None
        return Row(call, made, pair[listing.path], pair[listing.handler], table, given)

    def _children(self, one: Gathered) -> list[Router]:
        """The routers that an element of a list is, or that the list holds which it is itself."""
        inner = gathered(self.project, one.node, one.given)
        if inner:
            return [Router(part.node.origin) for part in inner]
        return self.found(one.node, one.given)

    def _names_self(self, call: Node) -> bool:
        """``Application.__init__(self, handlers)``: the object comes before the arguments."""
        first = call.arg(0)
        return call.method == "__init__" and first is not None and isinstance(first.origin.op, ops.Param)

    def _hang(
        self, child: Router, parents: list[Router], prefix: str | None, call: Node, replaces: bool = False,
        given: Given = NOTHING_GIVEN,
    ) -> None:  # fmt: skip
        self._cases.setdefault(child.node, {})[child] = None
        mounts = self._mounts.setdefault(child, [])
        mounts += [Mount(p, prefix, replaces, call, tuple(given.items())) for p in parents if p.node != child.node]

    def found(self, node: Node, given: Given = NOTHING_GIVEN) -> list[Router]:
        """The routers that a value may be."""
        found: dict[Router, None] = {}
        for value, case in made_behind(self.project, node, given):
            own = tuple((k, v) for k, v in case.items() if isinstance(k, tuple) and k[0] is value.code)
            found[Router(value, own)] = None
        return list(found)

    def _elements(self, node: Node | None, given: Given = NOTHING_GIVEN) -> list[Gathered]:
        """The elements of a list, however it is made; what is no list that is known, as it stands."""
        if node is None:
            return []
        return gathered(self.project, node, given, parts=True) or [Gathered(self.project.resolved(node), given)]

    def _mounted(self, call: Node, mounting: Mounting) -> None:
        receiver = call.receiver
        child = call if mounting.child == "" else pick(call, mounting.child)
        if child is None or receiver is None:
            return
        path = pick(call, mounting.prefix)
        for case in cases(self.project, call.code, [child, *([path] if path is not None else [])]):
            prefix = text_of(self.project, path, case)
            parents = self.routers(receiver, case) or [Router(receiver)]
            for part in self._elements(child) if not case else [Gathered(child, case)]:
                for router in self.found(part.node, part.given):
                    self._hang(router, parents, prefix, call, mounting.replaces, {**case, **dict(router.case)})

    def _initialised(self, call: Node, argument: Argument) -> None:
        receiver, parent = call.receiver, pick(call, argument)
        if parent is None or receiver is None:
            return
        for router in self.found(receiver):
            if router.node.call is not None:
                self._hang(router, self.found(parent), None, call)

    def routers(self, receiver: Node, case: Given) -> list[Router]:
        """What a method is called on; ``app.router`` is the application's."""
        here = self.project.resolved(receiver)
        if isinstance(here.op, ops.Attr) and here.op.name == "router" and not self._assigns(here.to(here.op.base)):
            receiver = here.to(here.op.base)
        return self.found(receiver, case)

    def _assigns(self, owner: Node) -> bool:
        """Whether an object of the project's own class holds a router of its own, under that name."""
        return any(
            "router" in view.assigned
            for cls in self.project.instances(owner)
            for view in self.project.lineage_views(cls.name)
        )

    # -- ways ---------------------------------------------------------------------------------------------------------

    def hung(self, router: Router) -> bool:
        """Whether something is hung under a router, by itself or in a list."""
        return router in self._mounts

    def ways(self, router: Router) -> tuple[Placed, ...]:
        """The ways from the application to a router; a router that is mounted nowhere stands alone.

        Inside the function that makes a router all its cases are meant.
        """
        if router not in self._ways:
            self._ways[router] = (Placed("", ()),)
            found = [way for one in self._meant(router) for way in self._found(one)]
            ways = tuple(dict.fromkeys(found))
            self._ways[router] = tuple(self.project.bounded(ways, _WAYS, router.node.place, "ways to this router"))
        return self._ways[router]

    def _meant(self, router: Router) -> list[Router]:
        if router in self._mounts:
            return [router]
        bare = Router(router.node)
        if router.case:
            return [bare] if bare in self._mounts else [router]
        return list(self._cases.get(router.node, ())) or [router]

    def _found(self, router: Router) -> Iterator[Placed]:
        node = router.node
        table = self.router_table(node)
        mounts = [*self._mounts.get(router, ()), *self._constructed_in(router, table)]
        version = self._version(node, table)
        if not mounts:
            yield Placed(self._own_prefix(node, table, dict(router.case)), (node,), router.case, version)
        for mount in mounts:
            itself = mount.call == node or (mount.parent is not None and mount.call == mount.parent.node)
            here = (node,) if itself else (mount.call, node)
            given = {**dict(router.case), **dict(mount.given)}
            replaced = mount.replaces and mount.prefix is not None
            own = "" if replaced else self._own_prefix(node, table, given)
            for way in self.ways(mount.parent) if mount.parent is not None else (Placed("", ()),):
                yield Placed(
                    prefix=join(way.prefix, mount.prefix or "", own),
                    around=(*way.around, *here),
                    given=tuple({**dict(way.given), **given}.items()),
                    version=version or way.version,
                )

    def _constructed_in(self, router: Router, table: Table | None) -> list[Mount]:
        """The mounts of a router whose construction names its parent."""
        node = router.node
        parent = pick(node, table.parent) if table is not None and table.parent and node.call is not None else None
        outer = self.found(parent, dict(router.case)) if parent is not None else []
        return [Mount(one, None, False, node) for one in outer if one.node != node]

    def _version(self, router: Node, table: Table | None) -> str:
        if table is None or not table.version:
            return ""
        return version_of(self.project, router, table)

    def _own_prefix(self, router: Node, table: Table | None, given: Mapping[object, Node]) -> str:
        if table is None or router.call is None:
            return ""
        text = text_of(self.project, pick(router, table.prefix), given) if table.prefix != "" else None
        if text is None and table.named is not None:
            name = text_of(self.project, router.arg(table.named, "name"), given)
            return f"/{name}" if name else ""
        return text if text is not None else table.default_prefix


def version_of(project: Project, call: Node, table: Table) -> str:
    """The version that a router or registration states, as text."""
    given = call.arg(None, table.version) if table.version else None
    value = project.constant(given) if given is not None else None
    return str(value.const) if value is not None and value.const is not None else ""


def places(project: Project) -> Places:
    """The mounts, read once."""
    return Places(project)
