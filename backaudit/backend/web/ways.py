"""The ways through a body of code: whether control can fall off its end, and what is bound on some ways only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from backaudit.backend.web.responses import answers
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region, RegionKind, Value
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import operands
from backaudit.project.operands import made_of

_ROOT = -1
_TRANSPARENT = frozenset(("with", "body"))

# The HTTP methods with which a body is run; None where any may be.
Methods = frozenset[str] | None


class Ways:
    """The ways through one body. ``methods``: those with which a request comes here, None for any."""

    def __init__(self, project: Project, code: Code, methods: Methods = None) -> None:
        self.project = project
        self.code = code
        self.regions = code.body.regions
        self._methods = methods
        self._aborts = {answer.value for answer in answers(project, code) if answer.how == "raise"}
        self._aborts |= {call.value for call in code.nodes(ops.Call) if self._never_returns(call)}
        self._children: dict[int, list[int]] = {}
        for index, region in enumerate(self.regions):
            self._children.setdefault(region.parent, []).append(index)

    def _never_returns(self, call: Node) -> bool:
        callees = self.project.callees(call)
        return bool(callees) and all(callee.body.exits == "raise" for callee in callees)

    # -- the end of the body ---------------------------------------------------------------------------------------

    def falls_off(self) -> bool:
        """Whether some way ends without a ``return`` or a ``raise``."""
        return not self.code.body.exits and self._falls(_ROOT, self._methods)

    def ends(self, region: Region) -> bool:
        """Whether no way through a region comes to its end: it returns, raises or aborts."""
        return not self._falls(self.regions.index(region), self._methods)

    def _falls(self, index: int, methods: Methods) -> bool:
        """Whether control can leave a region at its end."""
        if index != _ROOT and self.regions[index].exits:
            return False
        if any(self._level(value) == index for value in self._aborts):
            return False
        return all(self._passes(group, methods) for group in self._groups(index))

    def _passes(self, group: list[int], methods: Methods) -> bool:
        """Whether control can come past a statement with its branches."""
        kinds: dict[str, int] = {self.regions[index].kind: index for index in group}
        if "then" in kinds:
            return self._passes_if(kinds["then"], kinds.get("else"), methods)
        if "try" in kinds:
            return self._passes_try(group, kinds, methods)
        if "with" in kinds:
            return self._falls(kinds["with"], methods)
        return True

    def _passes_try(self, group: list[int], kinds: dict[str, int], methods: Methods) -> bool:
        if "finally" in kinds and not self._falls(kinds["finally"], methods):
            return False
        tried = self._falls(kinds["try"], methods) and self._falls(kinds.get("try-else", kinds["try"]), methods)
        handlers = (index for index in group if self.regions[index].kind == "except")
        return tried or any(self._falls(index, methods) for index in handlers)

    def _passes_if(self, then: int, other: int | None, methods: Methods) -> bool:
        asked = self._method_asked(self.regions[then])
        mine, left = methods, methods
        if asked is not None and methods is not None:
            mine, left = methods & {asked}, methods - {asked}
        through_then = mine != frozenset() and self._falls(then, mine)
        through_other = left != frozenset() and (other is None or self._falls(other, left))
        return through_then or through_other

    def _method_asked(self, region: Region) -> str | None:
        """``request.method == "POST"``: the method."""
        test = self.code.node(region.test).origin if region.test != NONE else None
        op = test.op if test is not None else None
        if test is None or not isinstance(op, ops.Compare) or op.operator != "==":
            return None
        side = test.to(op.left).origin.op
        return test.to(op.right).text if isinstance(side, ops.Attr) and side.name == "method" else None

    # -- names ------------------------------------------------------------------------------------------------------

    def unbound(self) -> Iterator[tuple[Node, str, Value]]:
        """Uses of local names that some way before them does not bind: the use, the name, one of the bindings."""
        bindings = self._bindings()
        told: set[str] = set()
        for use, name in self._uses(bindings):
            before = {value for value in bindings[name] if value < use}
            if name in told or not before or self._bound(before, use):
                continue
            told.add(name)
            yield self.code.node(use), name, max(before)

    def _bindings(self) -> dict[str, set[Value]]:
        """The operations that give local names their values; a parameter has one from the beginning."""
        given = {param.name for param in self.code.function.params}
        found: dict[str, set[Value]] = {}
        for value, op in enumerate(self.code.ops):
            if isinstance(op, ops.Bind) and op.scope == "local" and op.name not in given:
                found.setdefault(op.name, set()).add(value)
        return found

    def _uses(self, bindings: Collection[str]) -> Iterator[tuple[Value, str]]:
        reads = [
            (value, part)
            for value, op in enumerate(self.code.ops)
            if not isinstance(op, (ops.Phi, ops.Param))
            for part in operands(op)
        ]
        reads += [(region.first, region.test) for region in self.regions if region.kind in ("then", "else")]
        for at, part in reads:
            name = self._name(part) if part != NONE else None
            if name is not None and name in bindings:
                yield at, name

    def _name(self, value: Value) -> str | None:
        op = self.code.ops[value]
        return op.name if isinstance(op, ops.Phi) or (isinstance(op, ops.Bind) and op.scope == "local") else None

    def _bound(self, bindings: set[Value], use: Value) -> bool:
        """Whether every way to ``use`` passes a binding."""
        if self._asked_alike(bindings, use):
            return True
        around = [self.regions.index(region) for region in self.code.regions_of(use)]
        around += [self._block_of(index) for index in around if self._follows_block(index)]
        return any(self._binds(level, bindings, use) for level in (_ROOT, *around))

    def _binds(self, index: int, bindings: set[Value], until: Value) -> bool:
        """Whether every way through a region (up to an operation) passes a binding."""
        if any(self._level(value) == index and value < until for value in bindings):
            return True
        groups = (group for group in self._groups(index) if self.regions[group[-1]].last <= until)
        return any(self._group_binds(group, bindings, until) for group in groups)

    def _group_binds(self, group: list[int], bindings: set[Value], until: Value) -> bool:
        kinds = {self.regions[index].kind: index for index in group}
        if not kinds.keys().isdisjoint(("loop", "case", "comp", "lazy")):
            return any(self._binds(index, bindings, until) for index in group)
        ends = [index for index in group if not self.regions[index].exits and self._falls(index, None)]
        if "then" in kinds:
            return "else" in kinds and all(self._binds(index, bindings, until) for index in ends)
        if "finally" in kinds and self._binds(kinds["finally"], bindings, until):
            return True
        if "try" in kinds:
            return self._try_binds(kinds, ends, bindings, until)
        return any(self._binds(index, bindings, until) for index in group)

    def _try_binds(self, kinds: Mapping[RegionKind, int], ends: list[int], bindings: set[Value], until: Value) -> bool:
        """Whether a ``try`` binds on the way through its block, and on the way through each handler."""
        tried = [kinds[kind] for kind in ("try", "try-else") if kind in kinds]
        handled = [index for index in ends if self.regions[index].kind == "except" and not self._signals(index, until)]
        return any(self._binds(index, bindings, until) for index in tried) and all(
            self._binds(index, bindings, until) for index in handled
        )

    def _follows_block(self, index: int) -> bool:
        """Whether who comes to a region has passed all of its ``try``, or has failed already and goes on failing."""
        region = self.regions[index]
        if region.kind != "finally":
            return region.kind == "try-else"
        return all(other.kind != "except" for other in self.regions if other.group == region.group)

    def _block_of(self, index: int) -> int:
        """The ``try`` that an ``else`` or ``finally`` belongs to."""
        group = self.regions[index].group
        return next(i for i, region in enumerate(self.regions) if region.kind == "try" and region.group == group)

    def _signals(self, index: int, until: Value) -> bool:
        """Whether a handler sets a name that is asked for before an operation."""
        region = self.regions[index]
        ops_inside = self.code.ops[region.first : region.last]
        names = {op.name for op in ops_inside if isinstance(op, ops.Bind)}
        later = (other for other in self.regions if region.last <= other.first <= until and other.test != NONE)
        return any(self._name(part) in names for other in later for part in self._asked(other.test))

    def _asked(self, test: Value) -> Iterator[Value]:
        return (part.value for part in made_of(self.code.node(test)))

    def _asked_alike(self, bindings: set[Value], use: Value) -> bool:
        """Whether the use stands under a condition that is spelled like one around a binding."""
        mine = {spelling for value in bindings for spelling in self._tests(value)}
        return not mine.isdisjoint(self._tests(use))

    def _tests(self, value: Value) -> set[str]:
        around = [region for region in self.code.regions_of(value) if region.kind in ("then", "else", "lazy")]
        return {_spelled(self.code.node(region.test)) for region in around if region.test != NONE}

    # -- the tree of regions -----------------------------------------------------------------------------------------

    def _level(self, value: Value) -> int:
        """The innermost region around a value, statements with ``with`` looked through."""
        around = self.code.regions_of(value)
        inner = next((region for region in around if region.kind not in _TRANSPARENT), None)
        return self.regions.index(inner) if inner is not None else _ROOT

    def _groups(self, index: int) -> list[list[int]]:
        """The statements with branches that stand in a region, each with the regions of its branches."""
        found: dict[int, list[int]] = {}
        for child in self._children.get(index, []):
            found.setdefault(self.regions[child].group, []).append(child)
        return list(found.values())


def _spelled(node: Node, depth: int = 0) -> str:
    """A condition as one would write it, short."""
    node = node.origin
    op = node.op
    if isinstance(op, ops.Compare):
        return f"{_spelled(node.to(op.left), depth + 1)} {op.operator} {_spelled(node.to(op.right), depth + 1)}"
    if isinstance(op, ops.Const):
        return repr(op.value)
    return node.spelled or f"#{node.value}"
