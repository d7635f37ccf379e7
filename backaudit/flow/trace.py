"""Follows a value backwards to where it comes from, through the whole project.

A trace starts at a use (what a query, a store or a response is given) and walks the definitions: bindings, joins,
elements and attributes, arguments of callers, results of callees. It is demand-driven, so code that reaches no use
costs nothing. An *access path* says which part of a value is wanted: behind ``d["a"]`` only what was stored under
``"a"`` is followed. Going into a callee remembers the call, so that its parameters lead back to that call alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.facts.problem import Problem
from backaudit.project import ClassView, Code, Node, Project
from backaudit.rule import Step

Access = tuple[str | int, ...]
ANY = "*"
KEY = "<key>"  # not what a mapping holds, but the keys under which it does

_TRIALS = ("test", "example")

_MAX_STEPS = 12_000
_MAX_CALLS = 12
_MAX_ACCESS = 6


class Goal:
    """What a trace looks for. Subclasses name the sources, and what ends the search in vain."""

    def source(self, trace: Trace, node: Node, access: Access) -> str | None:
        """What the value is, if it is what we look for (``the query string``)."""
        return None

    def ends(self, trace: Trace, node: Node, access: Access, use: Value) -> bool:
        """Whether nothing harmful can come through this value."""
        return False

    def parts(self, trace: Trace, node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Of the pieces that ``node`` puts together to one text: those that matter."""
        return values

    def enters(self, trace: Trace, call: Node, code: Code) -> bool:
        """Whether to look into a function of the project, or take its name's word for it."""
        return True

    def through(self, trace: Trace, call: Node) -> Iterable[Node]:
        """For a call of something unknown: the values that its result is made of."""
        return ()


class Origin(msgspec.Struct, frozen=True):
    """A source that was found, and the steps from it to the use, cause first."""

    node: Node
    what: str
    steps: tuple[Step, ...]


class _Work(msgspec.Struct, frozen=True):
    node: Node
    access: Access
    use: Value
    calls: tuple[Node, ...]
    steps: tuple[Step, ...]


_Handler: TypeAlias = "Callable[[Trace, _Work, Any], Iterator[_Work]]"


class Trace:
    """One search. ``origins`` runs it to the first sources; what is visited once is not visited again.

    ``within``: the search does not go on in the callers of the body where it starts.
    """

    def __init__(self, project: Project, goal: Goal, *, within: bool = False) -> None:
        self.project = project
        self.goal = goal
        self.models = project.models
        self._within = within
        self._start: Code | None = None
        self._seen: set[tuple[Node, Access, tuple[Node, ...]]] = set()

    def origins(self, node: Node, access: Access = (), use: Value | None = None) -> Iterator[Origin]:
        """The sources that reach ``node`` where operation ``use`` takes it, nearest first in breadth."""
        queue = [_Work(node, access, node.value if use is None else use, (), ())]
        self._start = node.code
        done = 0
        while queue:
            work = queue.pop(0)
            key = (work.node, work.access, work.calls)
            if key in self._seen:
                continue
            self._seen.add(key)
            done += 1
            if done > _MAX_STEPS:
                self._bound(node)
                return
            if self.goal.ends(self, work.node, work.access, work.use):
                continue
            if self._overwritten(work):
                queue.extend(self._stored(work))
                continue
            what = self.goal.source(self, work.node, work.access)
            if what is not None:
                yield Origin(work.node, what, (Step(work.node.place, what), *work.steps))
            else:
                queue.extend(self._back(work))

    @property
    def visited(self) -> frozenset[Node]:
        """The values that the search has looked at."""
        return frozenset(node for node, _, _ in self._seen)

    def _bound(self, node: Node) -> None:
        problem = Problem(
            node.place.path, "bound", f"A trace was cut short after {_MAX_STEPS} steps.", node.place.span.line
        )
        if problem not in self.project.bounds:
            self.project.bounds.append(problem)

    def _back(self, work: _Work) -> Iterator[_Work]:
        yield from self._stored(work)
        handler: _Handler | None = _BACK.get(type(work.node.op))
        if handler is not None:
            yield from handler(self, work, work.node.op)

    # -- one operation back ----------------------------------------------------------------------------------------

    def _to(self, work: _Work, value: Value, access: Access | None = None, step: Step | None = None) -> Iterator[_Work]:
        if value == NONE:
            return
        steps = work.steps if step is None else (step, *work.steps)
        access = (work.access if access is None else access)[:_MAX_ACCESS]
        yield _Work(work.node.to(value), access, work.node.value, work.calls, steps)

    def _all(self, work: _Work, values: Iterable[Value], access: Access | None = None) -> Iterator[_Work]:
        for value in values:
            yield from self._to(work, value, access)

    def _bind(self, work: _Work, op: ops.Bind) -> Iterator[_Work]:
        step = None
        made = work.node.to(op.value).op
        if not isinstance(made, (ops.Def, ops.ClassDef, ops.Import)) and work.node.code.function.kind != "class":
            step = Step(work.node.place, f"is kept as `{op.name}`")
        yield from self._same_use(work, (op.value,), step)

    def _value(self, work: _Work, op: ops.Await | ops.Enter) -> Iterator[_Work]:
        yield from self._to(work, op.value)

    def _phi(self, work: _Work, op: ops.Phi) -> Iterator[_Work]:
        yield from self._same_use(work, self._arriving(work, op.values), None)

    def _arriving(self, work: _Work, values: Iterable[Value]) -> Iterator[Value]:
        """Of the values that join: those that nothing ends on their branch."""
        for value in values:
            if not self.goal.ends(self, work.node.to(value), work.access, work.node.value):
                yield value

    def _same_use(self, work: _Work, values: Iterable[Value], step: Step | None) -> Iterator[_Work]:
        """The values behind a name: what is stored into them counts until the name is used, not until it is given."""
        steps = work.steps if step is None else (step, *work.steps)
        for value in values:
            yield _Work(work.node.to(value), work.access, work.use, work.calls, steps)

    def _logic(self, work: _Work, op: ops.Logic) -> Iterator[_Work]:
        yield from self._all(work, op.values if op.operator == "or" else op.values[-1:])

    def _choice(self, work: _Work, op: ops.Choice) -> Iterator[_Work]:
        yield from self._all(work, (op.then, op.other))

    def _attr(self, work: _Work, op: ops.Attr) -> Iterator[_Work]:
        yield from self._property(work, op)
        yield from self._to(work, op.base, (op.name, *work.access))

    def _property(self, work: _Work, op: ops.Attr) -> Iterator[_Work]:
        for cls in self.project.instances(work.node.to(op.base)):
            method = self.project.method(cls.name, op.name)
            is_method = any(name.startswith("def[") for name in self.project.types(work.node))
            if method is not None and not is_method and len(work.calls) < _MAX_CALLS:
                yield from self._results(work, method)

    def _item(self, work: _Work, op: ops.Item) -> Iterator[_Work]:
        key = work.node.to(op.key).const
        part: str | int = key if isinstance(key, (str, int)) and not isinstance(key, bool) else ANY
        if isinstance(work.node.to(op.key).op, ops.Build):
            yield from self._to(work, op.base)  # a slice is more of the same
        else:
            yield from self._to(work, op.base, (part, *work.access))

    def _element(self, work: _Work, op: ops.Element) -> Iterator[_Work]:
        yield from self._to(work, op.base, (ANY, *work.access))

    def _part(self, work: _Work, op: ops.Part) -> Iterator[_Work]:
        yield from self._to(work, op.base, (op.index if op.index >= 0 else ANY, *work.access))

    def _build(self, work: _Work, op: ops.Build) -> Iterator[_Work]:
        if op.kind == "fstring":
            yield from self._all(work, self.goal.parts(self, work.node, op.items), ())
        elif op.kind == "dict":
            yield from self._dict(work, op)
        elif op.kind != "slice":
            yield from self._sequence(work, op)

    def _dict(self, work: _Work, op: ops.Build) -> Iterator[_Work]:
        wanted = work.access[0] if work.access else None
        for key, item in zip(op.keys, op.items, strict=True):
            if wanted == KEY and key != NONE:
                yield from self._to(work, key, work.access[1:])
                continue
            name = work.node.to(key).const if key != NONE else None
            if key == NONE:
                yield from self._to(work, item)
            elif wanted is None or wanted == ANY or name is None or name == wanted:
                yield from self._to(work, item, work.access[1:])

    def _sequence(self, work: _Work, op: ops.Build) -> Iterator[_Work]:
        wanted = work.access[0] if work.access else ANY
        if isinstance(wanted, int) and 0 <= wanted < len(op.items):
            yield from self._to(work, op.items[wanted], work.access[1:])
        elif wanted == ANY or isinstance(wanted, int):
            yield from self._all(work, op.items, work.access[1:])

    def _format(self, work: _Work, op: ops.Format) -> Iterator[_Work]:
        if not op.spec.endswith(("d", "f", "e", "g", "x", "%")):
            yield from self._to(work, op.value, ())

    def _binary(self, work: _Work, op: ops.Bin) -> Iterator[_Work]:
        if op.operator == "|":
            yield from self._all(work, (op.left, op.right))
        elif op.operator in ("+", "%", "/"):
            yield from self._all(work, self.goal.parts(self, work.node, (op.left, op.right)), ())

    def _comp(self, work: _Work, op: ops.Comp) -> Iterator[_Work]:
        keys = op.kind == "dict" and work.access[:1] == (KEY,)
        yield from self._to(work, op.key if keys else op.value, work.access[1:])

    def _name(self, work: _Work, op: ops.Name) -> Iterator[_Work]:
        found = self.project.free(work.node.code, op.name)
        if found is not None:
            yield _Work(found, work.access, _end(found), work.calls, work.steps)

    def _import(self, work: _Work, op: ops.Import) -> Iterator[_Work]:
        found = self.project.definition(work.node)
        if found is not None:
            yield _Work(found, work.access, _end(found), (), work.steps)

    # -- objects ---------------------------------------------------------------------------------------------------

    def _stored(self, work: _Work) -> Iterator[_Work]:
        """What was put into the object that this value is, before it was used."""
        code = work.node.code
        if isinstance(work.node.op, ops.Bind):
            return  # its origin is visited next
        for value in code.effects.get(work.node.value, ()):
            if (value >= work.use and not _loops(code, value, work.use)) or _replaced(code, value, work.use):
                continue
            yield from self._effect(work, value)

    def _overwritten(self, work: _Work) -> bool:
        """Whether the part that is wanted of an object was surely given another value before the use."""
        wanted = work.access[0] if work.access else ANY
        code = work.node.code
        for value in code.effects.get(work.node.value, ()) if wanted != ANY else ():
            if _part(code, value) == wanted and value < work.use and certain(code, value, work.use):
                return True
        return False

    def _effect(self, work: _Work, value: Value) -> Iterator[_Work]:
        op = work.node.to(value).op
        wanted = work.access[0] if work.access else None
        if isinstance(op, ops.SetAttr):
            if wanted is None or wanted == op.name:
                yield from self._to(work, op.value, work.access[1:])
        elif isinstance(op, ops.SetItem):
            key = work.node.to(op.key).const
            if wanted == KEY:
                yield from self._to(work, op.key, work.access[1:])
            elif wanted in (None, ANY) or key is None or wanted == key:
                yield from self._to(work, op.value, work.access[1:])
        elif isinstance(op, ops.Call):
            call = work.node.to(value)
            if call.method in ("append", "add", "insert", "appendleft", "push"):
                yield from self._all(work, op.args[-1:], work.access[1:])
            elif call.method in ("update", "extend"):
                yield from self._all(work, (*op.args, *op.dstar))
                given = (value for name, value in op.keywords if wanted in (None, name))
                yield from self._all(work, given, work.access[1:])

    # -- functions -------------------------------------------------------------------------------------------------

    def _param(self, work: _Work, op: ops.Param) -> Iterator[_Work]:
        code = work.node.code
        if work.calls:
            yield from self._passed(work, work.calls[-1], code, op.index, work.calls[:-1])
        elif not (self._within and code is self._start):
            for call in self.project.callers(code):
                if self._counts(call.code):
                    yield from self._passed(work, call, code, op.index, ())
        if op.index == 0 and code.cls is not None and work.access:
            yield from self._field(work, code.cls, str(work.access[0]))

    def _counts(self, caller: Code) -> bool:
        """What tests pass says nothing of what clients do: it counts only where a test itself is asked about."""
        return caller.file.role not in _TRIALS or (self._start is not None and self._start.file.role in _TRIALS)

    def _passed(self, work: _Work, call: Node, code: Code, index: int, calls: tuple[Node, ...]) -> Iterator[_Work]:
        param = code.function.params[index]
        argument = self.project.argument(call, code, index)
        step = Step(call.place, f"is passed to `{code.function.name}()` as `{param.name}`")
        if argument is not None:
            yield _Work(argument, work.access, call.value, calls, (step, *work.steps))
        elif param.kind == "dstar" and call.call is not None:
            for name, value in call.call.keywords:
                if not work.access or work.access[0] in (name, ANY):
                    yield _Work(call.origin.to(value), work.access[1:], call.value, calls, (step, *work.steps))
        for value in (*call.call.dstar, *call.call.star) if call.call is not None and argument is None else ():
            access = (param.name, *work.access) if value in call.call.dstar and param.kind != "dstar" else work.access  # type: ignore[union-attr]
            yield _Work(call.origin.to(value), access, call.value, calls, (step, *work.steps))

    def _field(self, work: _Work, cls: ClassView, name: str) -> Iterator[_Work]:
        """What methods of the class store in ``self.name``."""
        for owner in self.project.lineage(cls.name):
            view = self.project.class_named(owner)
            for store in view.assigned.get(name, ()) if view is not None else ():
                op = store.op
                assert isinstance(op, ops.SetAttr)
                yield _Work(store.to(op.value), work.access[1:], store.value, (), work.steps)

    def _call(self, work: _Work, op: ops.Call) -> Iterator[_Work]:
        call = work.node
        yield from self._lookup(work, op)
        codes = [code for code in self.project.callees(call) if self.goal.enters(self, call, code)]
        if codes and len(work.calls) < _MAX_CALLS:
            for code in codes:
                if code.function.name == "__init__":
                    yield from self._constructed(work, op, code)
                else:
                    yield from self._results(work, code)
            return
        classes = list(self.project.denoted_classes(call.to(op.func)))
        if classes:
            yield from self._arguments(work, op)
        else:
            yield from self._library(work, op)

    def _lookup(self, work: _Work, op: ops.Call) -> Iterator[_Work]:
        """``d.get("k")`` and its kin are ``d["k"]``."""
        call = work.node
        func = call.to(op.func).origin
        if not isinstance(func.op, ops.Attr) or self.project.callees(call):
            return
        base = func.op.base
        if func.op.name in ("get", "pop", "setdefault", "getlist", "getfirst", "getone", "getall") and op.args:
            key = call.to(op.args[0]).const
            part: str | int = key if isinstance(key, (str, int)) else ANY
            yield from self._to(work, base, (part, *work.access))
            yield from self._all(work, op.args[1:])
        elif func.op.name in ("values", "items", "keys", "popitem"):
            pair = func.op.name in ("items", "popitem")
            rest = work.access[2:] if pair else work.access[1:]
            keys = func.op.name == "keys" or (pair and work.access[1:2] == (0,))
            yield from self._to(work, base, (KEY if keys else ANY, *rest))
        elif func.op.name in ("copy", "dict", "model_dump", "to_dict", "_asdict", "deepcopy", "json"):
            yield from self._to(work, base)

    def _results(self, work: _Work, code: Code) -> Iterator[_Work]:
        if work.node in work.calls:
            return  # a recursion's next round brings nothing that its first has not
        step = Step(work.node.place, f"is returned by `{code.function.name}()`")
        yields = code.function.is_generator
        access = work.access[1:] if yields and work.access and work.access[0] == ANY else work.access
        for value, op in enumerate(code.ops):
            if isinstance(op, (ops.Return, ops.Yield)) and op.value != NONE:
                calls = (*work.calls, work.node)
                yield _Work(code.node(op.value), access, value, calls, (step, *work.steps))

    def _constructed(self, work: _Work, op: ops.Call, init: Code) -> Iterator[_Work]:
        assert init.cls is not None
        stores = init.cls.assigned.get(str(work.access[0]), []) if work.access else []
        own = [store for store in stores if store.code is init]
        for store in own:
            made = store.op
            assert isinstance(made, ops.SetAttr)
            calls = (*work.calls, work.node)
            yield _Work(store.to(made.value), work.access[1:], store.value, calls, work.steps)
        if not own:
            yield from self._arguments(work, op)

    def _arguments(self, work: _Work, op: ops.Call) -> Iterator[_Work]:
        """An object made from its arguments (dataclass, schema, ORM row): a field is the keyword of that name."""
        wanted = work.access[0] if work.access else None
        for name, value in op.keywords:
            if wanted in (None, ANY, name):
                yield from self._to(work, value, work.access[1:])
        if wanted is None or wanted == ANY:
            yield from self._all(work, op.args, ())
        yield from self._all(work, (*op.dstar, *op.star))

    def _library(self, work: _Work, op: ops.Call) -> Iterator[_Work]:
        call = work.node
        func = call.to(op.func)
        for name in self.project.names(func):
            arguments = self.models.propagates.get(name)
            if arguments is not None:
                yield from self._propagated(work, op, arguments)
                return
        for node in self.goal.through(self, call):
            yield from self._to(work, node.value, ())

    def _propagated(self, work: _Work, op: ops.Call, arguments: tuple[int | str, ...]) -> Iterator[_Work]:
        call = work.node
        for argument in arguments:
            if argument == "*":
                yield from self._all(work, (*op.args, *op.star, *(v for _, v in op.keywords), *op.dstar), ())
            elif argument == "self":
                receiver = call.receiver
                yield from self._to(work, receiver.value, ()) if receiver is not None else ()
            elif argument == "same":
                yield from self._all(work, op.args[:1])
            else:
                node = call.arg(argument if isinstance(argument, int) else None, str(argument))
                yield from self._to(work, node.value, ()) if node is not None else ()


def _end(node: Node) -> Value:
    """A use after everything in the body: closures and importers see its last state."""
    return len(node.code.ops)


def _replaced(code: Code, effect: Value, use: Value) -> bool:
    """Whether what an effect put under a key or attribute is surely replaced again before the use."""
    mine = _part(code, effect)
    if mine is None:
        return False
    base = code.ops[effect].base  # type: ignore[union-attr]
    later = code.effects.get(code.origin(base), ())
    return any(effect < v < use and _part(code, v) == mine and certain(code, v, use) for v in later)


def _part(code: Code, effect: Value) -> str | int | None:
    """The attribute or the literal key that an effect sets."""
    op = code.ops[effect]
    if isinstance(op, ops.SetAttr):
        return op.name
    key = code.node(op.key).const if isinstance(op, ops.SetItem) else None
    return key if isinstance(key, (str, int)) else None


_CERTAIN = ("with", "try", "body", "finally")


def certain(code: Code, effect: Value, other: Value) -> bool:
    """Whether an operation runs whenever ``other`` does: no branch or loop is around it alone."""
    return all(region.kind in _CERTAIN or region.first <= other < region.last for region in code.regions_of(effect))


def _loops(code: Code, effect: Value, use: Value) -> bool:
    """Whether an effect that stands after a use may run before it: both are in one loop."""
    return any(r.kind == "loop" and r.first <= use < r.last for r in code.regions_of(effect))


_BACK: dict[type[ops.Op], _Handler] = {
    ops.Bind: Trace._bind,
    ops.Await: Trace._value,
    ops.Enter: Trace._value,
    ops.Phi: Trace._phi,
    ops.Logic: Trace._logic,
    ops.Choice: Trace._choice,
    ops.Attr: Trace._attr,
    ops.Item: Trace._item,
    ops.Element: Trace._element,
    ops.Part: Trace._part,
    ops.Build: Trace._build,
    ops.Format: Trace._format,
    ops.Bin: Trace._binary,
    ops.Comp: Trace._comp,
    ops.Name: Trace._name,
    ops.Import: Trace._import,
    ops.Param: Trace._param,
    ops.Call: Trace._call,
}
