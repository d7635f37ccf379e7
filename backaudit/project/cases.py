"""The cases in which values of a body stand for different things: callers, uses as a decorator, and turns of loops.

A program may register its handlers one by one, in a loop over a list, by a decorator of its own, or by a function that
is called for each. What stands in the registration then is a parameter or a loop's variable; a case says for what.
Lists are read however they came to be: written out, added up, filled, or made by a comprehension.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.locate import (
    NOTHING_GIVEN,
    Given,
    arguments,
    behind,
    decorated,
    definition_of,
    functions_behind,
    given_for,
    made_behind,
    results,
)

_CASES = 600
# Callers of callers whose cases are told apart.
_CALLERS = 3
_DEPTH = 8


class Gathered(NamedTuple):
    """An element of a list, and the case in which it is to be read; ``key``: that of an item of a mapping."""

    node: Node
    given: Given
    key: Node | None = None


def spread(node: Node, given: Given) -> list[tuple[Node, Given]]:
    """What a call's ``*names`` stands for, value by value, each with the case in which it is to be read.

    ``names`` is a parameter that collects arguments, or a comprehension over one: ``*[prefixed(url) for url in urls]``.
    """
    here = node.origin
    op = here.op
    if isinstance(op, ops.Comp):
        value = here.to(op.value)
        loops = [loop for loop in _variables(node.code.project, [value])[1] if isinstance(loop.op, ops.Element)]
        over = [(loop, rest(loop.to(loop.op.base), given)) for loop in loops if isinstance(loop.op, ops.Element)]
        return [(value, {**given, loop: item}) for loop, items in over[:1] for item in items]
    return [(value, given) for value in rest(here, given)]


def rest(node: Node, given: Given) -> list[Node]:
    """The arguments that a parameter ``*names`` collects."""
    op = node.origin.op
    if not isinstance(op, ops.Param):
        return []
    found: list[Node] = []
    while (value := given.get((node.code, op.index, len(found)))) is not None:
        found.append(value)
    return found


def keyword(project: Project, call: Node, name: str, given: Given) -> Node | None:
    """What a call hands over under a name, also where that is in a parameter that collects keywords (``**options``)."""
    found = call.arg(None, name)
    for value in call.call.dstar if call.call is not None and found is None else ():
        collected = project.resolved(call.to(value))
        if isinstance(collected.op, ops.Param):
            found = given.get((collected.code, collected.op.index, name), found)
    return found


def cases(project: Project, code: Code, nodes: list[Node], depth: int = 0) -> Sequence[Given]:
    """The cases in which ``nodes`` of a body stand for different things.

    A case for each caller of it, each function or class that it decorates, and each element of a loop. Always at least
    one, the empty one.
    """
    params, loops = _variables(project, nodes)
    passed_loops = [(element, base) for element in loops if isinstance((base := _looped(element)).op, ops.Param)]
    own_loops = [element for element in loops if element not in dict(passed_loops)]
    what = "cases in which this is run"
    turning: list[dict[object, Node]] = [{}]
    for element in own_loops:
        turns = _each_turn(turning, _rows(project, element, _looped(element)))
        turning = list(project.bounded(turns, _CASES, element.place, what))
    owners = dict.fromkeys([*(param.code for param in params), *(base.code for _, base in passed_loops)])
    called: list[dict[object, Node]] = []
    if owners and code.function.kind == "function" and not _is_far(project, code, depth):
        called += project.once(applications).get(code, ())
        for owner in owners if not called else ():
            runs = project.bounded(project.callers(owner), _CASES, code.place, what)
            own = [param for param in params if param.code is owner]
            over = [(element, base) for element, base in passed_loops if base.code is owner]
            called += [case for call in runs for case in _cases_of_call(project, owner, call, own, over, depth)]
    several = _each_turn(called or [{}], turning)
    return project.bounded(several, _CASES, code.place, what)


def _cases_of_call(
    project: Project, code: Code, call: Node, params: list[Node], loops: list[tuple[Node, Node]], depth: int
) -> list[dict[object, Node]]:
    """The cases in which one call runs a body, of which some parameters, and loops over parameters, are asked."""
    given = arguments(project, call, code)
    keys = [(code, param.op.index) for param in params if isinstance(param.op, ops.Param)]
    asked = [given[key] for key in keys if key in given]
    here = [{**case, **given} for case in cases(project, call.code, asked, depth + 1)]
    for element, base in loops:
        # What this call passes for the list, so that one call's paths do not meet another's handler.
        value = given_for(base, given)
        here = _each_turn(here, _rows(project, element, value.origin) if value is not None else [])
    return here


def _is_far(project: Project, code: Code, depth: int) -> bool:
    return project.gives_up(depth, _CALLERS, code.place)


def _each_turn(found: list[dict[object, Node]], turns: list[dict[object, Node]]) -> list[dict[object, Node]]:
    """Every case in every turn of a loop; the cases alone where the turns are not known."""
    return [{**case, **turn} for case in found for turn in turns or [{}]]


def _looped(element: Node) -> Node:
    op = element.op
    assert isinstance(op, ops.Element)
    return element.to(op.base).origin


def _variables(project: Project, nodes: list[Node]) -> tuple[list[Node], list[Node]]:
    """The parameters, of the body and of those around it, and the loop variables that some values are made of."""
    params: dict[Node, None] = {}
    loops: dict[Node, None] = {}
    seen: set[Node] = set()
    todo = [node.origin for node in nodes]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        op = here.op
        if isinstance(op, ops.Param):
            params[here] = None
        elif isinstance(op, ops.Element):
            loops[here] = None
        # As it stands, too: an attribute of a loop's variable is that of each turn, wherever the first one leads.
        todo += [here.to(value).origin for value in _made_of(op) if value != NONE]
        todo.append(project.resolved(here))
    return list(params), list(loops)


def _made_of(op: ops.AnyOp) -> tuple[int, ...]:
    if isinstance(op, (ops.Part, ops.Attr, ops.Element)):
        return (op.base,)
    if isinstance(op, ops.Item):
        return (op.base, op.key)
    if isinstance(op, ops.Call):
        return (op.func, *op.args, *(value for _, value in op.keywords))
    if isinstance(op, ops.Bin):
        return (op.left, op.right)
    if isinstance(op, ops.Build):
        return op.items
    if isinstance(op, ops.Logic):
        return op.values
    return (op.value,) if isinstance(op, ops.Format) else ()


def _rows(project: Project, element: Node, base: Node) -> list[dict[object, Node]]:
    """What a variable of a loop over ``base`` is, turn by turn: elements of a list, or pairs of a mapping."""
    found: list[dict[object, Node]] = []
    for one in gathered(project, base):
        turn = dict(one.given)
        if one.key is None:
            turn[element] = one.node
        else:
            turn[element, 0], turn[element, 1] = one.key, one.node
        found.append(turn)
    return found


# -- uses as a decorator ----------------------------------------------------------------------------------------------


def applications(project: Project) -> Mapping[Code, list[dict[object, Node]]]:
    """What the parameters of decorators, and of the functions that make them, stand for in each of their uses.

    By the function that is handed what is decorated. Ask with ``project.once``.
    """
    found: dict[Code, list[dict[object, Node]]] = {}
    for decorator, target in project.once(decorated):
        made = definition_of(target) if decorator.code.file.role not in ("test", "example") else None
        for code, given in _decorators(project, decorator) if made is not None else ():
            index = 1 if _is_method(code) else 0
            if made is not None and index < len(code.function.params):
                found.setdefault(code, []).append({**given, (code, index): made})
    return found


def _decorators(project: Project, decorator: Node) -> Iterator[tuple[Code, dict[object, Node]]]:
    """The project's functions that are handed what is decorated, each with what is known of their parameters."""
    if decorator.call is None:
        op = decorator.origin.op
        for code in functions_behind(project, decorator):
            bound: dict[object, Node] = {}
            if isinstance(op, ops.Attr) and _is_method(code):
                bound[code, 0] = decorator.origin.to(op.base)
            yield code, bound
        return
    for maker in project.callees(decorator):
        given = arguments(project, decorator, maker)
        called = project.method(maker.cls.name, "__call__") if maker.cls is not None else None
        if maker.function.name == "__init__":
            yield from [(called, {**given, (called, 0): decorator})] if called is not None else []
            continue
        for made in results(maker):
            yield from ((code, given) for code in functions_behind(project, made, given))


def _is_method(code: Code) -> bool:
    """Whether the first parameter is the object, and not what is handed over."""
    return code.cls is not None and not any(decorator.spelled == "staticmethod" for decorator in code.decorators)


# -- elements of lists ------------------------------------------------------------------------------------------------


def gathered(project: Project, node: Node, given: Given = NOTHING_GIVEN, parts: bool = False) -> list[Gathered]:
    """The elements of a list, tuple or set; the keys of a mapping; pairs of its ``items()``.

    Through sums, copies, comprehensions and generators, with what ``append`` and ``extend`` add wherever they stand.
    Nothing of a list of which nothing is known; ``parts``: what is added to a list and is none that is known stands for
    itself.
    """
    return list(_Gathering(project, parts).elements(node, given, 0))


def mapped(project: Project, node: Node) -> list[tuple[Node, Node]]:
    """The keys and values of a mapping, with what is put into it wherever that stands."""
    return [(key, value) for key, value, _ in _Gathering(project, False).pairs(node, NOTHING_GIVEN)]


class _Gathering:
    """One walk over a list and what it is made of."""

    def __init__(self, project: Project, parts: bool) -> None:
        self.project = project
        self._parts = parts
        self._open: set[Node] = set()

    def elements(self, node: Node, given: Given, depth: int) -> Iterator[Gathered]:
        if self.project.gives_up(depth, _DEPTH, node.place):
            return
        for value, case in made_behind(self.project, node, given):
            if value in self._open:
                continue
            self._open.add(value)
            found = list(self._of(value, case, depth + 1))
            self._open.discard(value)
            unknown = self._parts and not found and not isinstance(value.op, ops.Build)
            yield from found
            yield from [Gathered(value, case)] if unknown and self._open else []

    def _of(self, value: Node, given: Given, depth: int) -> Iterator[Gathered]:
        op = value.op
        if isinstance(op, ops.Build):
            yield from self._displayed(value, op, given, depth)
        elif isinstance(op, ops.Bin) and op.operator in ("+", "|"):
            yield from self.elements(value.to(op.left), given, depth)
            yield from self.elements(value.to(op.right), given, depth)
        elif isinstance(op, ops.Comp) and op.kind != "dict":
            made = value.to(op.value)
            for case in cases(self.project, value.code, [made]):
                yield Gathered(made, {**case, **given})
        elif isinstance(op, ops.Call):
            yield from self._called(value, given, depth)
        if isinstance(op, (ops.Build, ops.Bin, ops.Comp, ops.Call)):
            yield from self._filled(value, given, depth)

    def _displayed(self, value: Node, op: ops.Build, given: Given, depth: int) -> Iterator[Gathered]:
        if op.kind == "dict":
            yield from (Gathered(key, given) for key, _ in value.entries())
        elif op.kind != "fstring":
            for item in map(value.to, op.items):
                star = item.op
                if isinstance(star, ops.Build) and star.kind == "slice":
                    yield from self.elements(item.to(star.items[0]), given, depth)
                else:
                    yield Gathered(item, given)

    def _called(self, call: Node, given: Given, depth: int) -> Iterator[Gathered]:
        receiver = call.receiver
        if receiver is not None and call.method in ("items", "values"):
            yield from self._of_mapping(call, receiver, given)
            return
        kinds, names = self.project.models.kinds, self.project.names(call.func) if call.func is not None else ()
        if not kinds["same-elements"].isdisjoint(names):
            yield from self._of_each(call.args()[:1], given, depth)
        elif not kinds["joined-elements"].isdisjoint(names):
            yield from self._of_each(call.args(), given, depth)
        elif not kinds["flattened-elements"].isdisjoint(names):
            for inner in self._of_each(call.args()[:1], given, depth):
                yield from self.elements(inner.node, inner.given, depth)
        elif receiver is not None and call.method == "copy":
            yield from self.elements(receiver, given, depth)
        else:
            yield from self._yielded(call, given, depth)

    def _of_mapping(self, call: Node, receiver: Node, given: Given) -> Iterator[Gathered]:
        for key, value, case in self.pairs(receiver, given):
            yield Gathered(value, case, key if call.method == "items" else None)

    def _of_each(self, nodes: Sequence[Node], given: Given, depth: int) -> Iterator[Gathered]:
        for node in nodes:
            yield from self.elements(node, given, depth)

    def _yielded(self, call: Node, given: Given, depth: int) -> Iterator[Gathered]:
        """What a generator of the project gives."""
        for code in self.project.callees(call):
            inside = {**given, **arguments(self.project, call, code)}
            for made in code.nodes(ops.Yield) if code.function.is_generator else ():
                assert isinstance(made.op, ops.Yield)
                value = made.to(made.op.value) if made.op.value != NONE else None
                if value is not None and made.op.delegates:
                    yield from self.elements(value, inside, depth)
                elif value is not None:
                    yield from (Gathered(value, {**case, **inside}) for case in cases(self.project, code, [value]))

    def pairs(self, node: Node, given: Given) -> Iterator[tuple[Node, Node, Given]]:
        """The keys and values of a mapping, with what is put into it under a key elsewhere."""
        for value, case in made_behind(self.project, node, given):
            yield from ((key, held, case) for key, held in value.entries())
            for store in self._stores(value) if value.is_dict else ():
                assert isinstance(store.op, ops.SetItem)
                key, held = store.to(store.op.key), store.to(store.op.value)
                for turn in cases(self.project, store.code, [key, held]):
                    yield key, held, {**case, **turn}

    # -- what is put into a list or mapping elsewhere -----------------------------------------------------------------

    def _filled(self, value: Node, given: Given, depth: int) -> Iterator[Gathered]:
        for call in self._adding(value):
            added = call.arg(1 if call.method == "insert" else 0)
            for case in cases(self.project, call.code, [added]) if added is not None else ():
                if added is None:
                    continue
                if call.method == "extend":
                    yield from self.elements(added, {**given, **case}, depth)
                else:
                    yield Gathered(added, {**given, **case})

    def _adding(self, value: Node) -> list[Node]:
        names = self.project.once_of(_bound_to, value)
        known = self.project.once(_additions)
        near = [call for name in (*sorted(names), "") for call in known.get(name, ())]
        return [call for call in near if call.receiver is not None and self._is(call.receiver, value)]

    def _stores(self, value: Node) -> list[Node]:
        names = self.project.once_of(_bound_to, value)
        known = self.project.once(_item_stores)
        near = [store for name in (*sorted(names), "") for store in known.get(name, ())]
        bases = [(store, store.to(store.op.base)) for store in near if isinstance(store.op, ops.SetItem)]
        return [store for store, base in bases if self._is(base, value)]

    def _is(self, node: Node, value: Node) -> bool:
        return node.origin is value or any(found is value for found in behind(self.project, node))


def _bound_to(project: Project, value: Node) -> frozenset[str]:
    """The names and attributes that a body binds to a value."""
    found: set[str] = set()
    for kind in (ops.Bind, ops.SetAttr):
        for node in value.code.nodes(kind):
            op = node.op
            if isinstance(op, (ops.Bind, ops.SetAttr)) and node.to(op.value).origin is value:
                found.add(op.name)
    return frozenset(found)


def _additions(project: Project) -> Mapping[str, list[Node]]:
    """The calls that add to lists, by the last name of the list; those of parameters under the empty name."""
    found: dict[str, list[Node]] = {}
    for last in ("append", "extend", "insert"):
        for call in project.calls_of(last):
            if call.receiver is not None and call.code.file.role not in ("test", "example"):
                found.setdefault(_called(call.receiver), []).append(call)
    return found


def _item_stores(project: Project) -> Mapping[str, list[Node]]:
    """The stores under a key, by the last name of the mapping; those of parameters under the empty name."""
    found: dict[str, list[Node]] = {}
    for file in project.files.values():
        for code in file.bodies if file.role not in ("test", "example") else ():
            for store in code.nodes(ops.SetItem):
                assert isinstance(store.op, ops.SetItem)
                found.setdefault(_called(store.to(store.op.base)), []).append(store)
    return found


def _called(node: Node) -> str:
    """The last name by which a body knows a value; empty for a parameter."""
    if isinstance(node.origin.op, ops.Param):
        return ""
    return node.spelled.rpartition(".")[2] or node.origin.spelled.rpartition(".")[2]
