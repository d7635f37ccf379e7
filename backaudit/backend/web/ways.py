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
_NOBODY: frozenset[str] = frozenset()


class Ways:
    """The ways through one body. ``methods``: those with which a request comes here, None for any. ``trusting``: what
    a function of the project gives, which nowhere returns None or another nothing, is taken to be something.
    """

    def __init__(self, project: Project, code: Code, methods: Methods = None, *, trusting: bool = False) -> None:
        self.project = project
        self._trusting = trusting
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
        return self._through(index, methods) != _NOBODY

    def _through(self, index: int, methods: Methods) -> Methods:
        """The methods with which control can leave a region at its end."""
        if index != _ROOT and self.regions[index].exits:
            return _NOBODY
        if any(self._level(value) == index for value in self._aborts):
            return _NOBODY
        for group in self._groups(index):
            methods = self._past(group, methods) if methods != _NOBODY else _NOBODY
        return methods

    def _past(self, group: list[int], methods: Methods) -> Methods:
        """The methods with which control can come past a statement with its branches."""
        kinds: dict[str, int] = {self.regions[index].kind: index for index in group}
        if "then" in kinds:
            return self._past_if(kinds["then"], kinds.get("else"), methods)
        if "try" in kinds:
            return self._past_try(group, kinds, methods)
        return self._through(kinds["with"], methods) if "with" in kinds else methods

    def _past_try(self, group: list[int], kinds: dict[str, int], methods: Methods) -> Methods:
        if "finally" in kinds and not self._falls(kinds["finally"], methods):
            return _NOBODY
        tried = self._through(kinds["try"], methods)
        if "try-else" in kinds and tried != _NOBODY:
            tried = self._through(kinds["try-else"], tried)
        for index in group:
            if self.regions[index].kind == "except":
                tried = _either(tried, self._through(index, methods))
        return tried

    def _past_if(self, then: int, other: int | None, methods: Methods) -> Methods:
        mine, left = self._split(self.regions[then], methods)
        through_then = self._through(then, mine) if mine != _NOBODY else _NOBODY
        if other is not None and left != _NOBODY:
            left = self._through(other, left)
        return _either(through_then, left)

    def _split(self, region: Region, methods: Methods) -> tuple[Methods, Methods]:
        """The methods with which a condition can be true, and with which it can be false."""
        if self._trusting and region.test != NONE and self._gives_something(self.code.node(region.test).origin):
            return methods, _NOBODY
        if methods is None or region.test == NONE:
            return methods, methods
        return _split(self.code.node(region.test).origin, methods)

    def _gives_something(self, call: Node) -> bool:
        codes = self.project.callees(call) if call.call is not None else ()
        given = [value.origin for code in codes for value in code.returned()]
        ended = all(code.body.exits for code in codes)
        return ended and bool(given) and not any(value.is_none or _is_nothing(value) for value in given)

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


def _is_nothing(value: Node) -> bool:
    """``False``, ``0``, ``""``, ``[]``."""
    op = value.op
    return (isinstance(op, ops.Const) and not value.const) or (isinstance(op, ops.Build) and not op.items)


def _either(one: Methods, other: Methods) -> Methods:
    """The methods of one way and of another."""
    return None if one is None or other is None else one | other


def _split(test: Node, methods: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The methods with which a test can be true, and with which it can be false; all, where it asks something else."""
    op = test.op
    if isinstance(op, ops.Unary) and op.operator == "not":
        true, false = _split(test.to(op.value).origin, methods)
        return false, true
    if isinstance(op, ops.Logic):
        parts = [_split(test.to(value).origin, methods) for value in op.values]
        every, some = [true for true, _ in parts], [false for _, false in parts]
        if op.operator == "and":
            return frozenset.intersection(*every), frozenset.union(*some)
        return frozenset.union(*every), frozenset.intersection(*some)
    asked = _methods_asked(test)
    if asked is None or not isinstance(op, ops.Compare):
        return methods, methods
    true, false = methods & asked, methods - asked
    return (false, true) if op.operator in ("!=", "not in") else (true, false)


def _methods_asked(test: Node) -> frozenset[str] | None:
    """The methods that are compared with: ``request.method == "POST"``, ``request.method in ("PUT", "PATCH")``."""
    op = test.op
    side = test.to(op.left).origin.op if isinstance(op, ops.Compare) else None
    if not isinstance(op, ops.Compare) or not isinstance(side, ops.Attr) or side.name != "method":
        return None
    other = test.to(op.right).origin
    named = [item.text for item in other.elements()] if op.operator in ("in", "not in") else [other.text]
    texts = [name for name in named if name is not None]
    return frozenset(texts) if texts and len(texts) == len(named) else None
