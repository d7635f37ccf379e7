"""One operation back: the values that a value is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, TypeAlias

from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region, Value
from backaudit.flow import heap, invocation, library
from backaudit.flow.contents import content
from backaudit.flow.folding import never_arrives, truth
from backaudit.flow.search import Search
from backaudit.flow.work import KEY, Work, end
from backaudit.project import Node
from backaudit.project.nodes import ANY, Access
from backaudit.project.types import is_property, split
from backaudit.rule import Step

_Handler: TypeAlias = "Callable[[Search, Work, Any], Iterator[Work]]"

_FIELDS: dict[int | str, int] = {"fields": 0, "fields-of-second": 1}
_NAMED = re.compile(r"%\((\w+)\)")


def back(search: Search, work: Work) -> Iterator[Work]:
    """Where a search goes on from a value: what it is made of, and what was put into it."""
    op = work.node.op
    if isinstance(op, ops.Build) and op.kind == "list" and work.access and isinstance(work.access[0], int):
        known = content(work.node.code, work.node.value, work.use)
        if known is not None:
            yield from work.all(_nth(known, work.access[0]), work.access[1:])
            return
    yield from heap.stored(search, work)
    handler: _Handler | None = _BACK.get(type(op))
    if handler is not None:
        yield from handler(search, work, op)


def _nth(items: Sequence[Value], index: int) -> Sequence[Value]:
    return [items[index]] if -len(items) <= index < len(items) else []


# -- names and joins ------------------------------------------------------------------------------------------------


def _bind(search: Search, work: Work, op: ops.Bind) -> Iterator[Work]:
    step = None
    code = work.node.code
    made = work.node.to(op.value).op
    if not isinstance(made, (ops.Def, ops.ClassDef, ops.Import)) and code.function.kind != "class":
        step = Step(work.node.place, f"is kept as `{op.name}`")
    # What is stored into it counts until the name is used, not until it is given.
    yield work.at(work.node.to(op.value), work.access, work.use, step=step)
    if code.function.kind == "function":
        yield from _rebound(work, work.node, op.name)


def _rebound(work: Work, node: Node, name: str) -> Iterator[Work]:
    """What other bodies give a name by ``global`` or ``nonlocal``."""
    for bind in node.code.rebinds(name):
        yield work.elsewhere(bind, work.access)


def _value(search: Search, work: Work, op: ops.Await) -> Iterator[Work]:
    yield from work.to(op.value)


def _enter(search: Search, work: Work, op: ops.Enter) -> Iterator[Work]:
    names = product(search.project.instances(work.node.to(op.value)), ("__enter__", "__aenter__"))
    entered = [method for cls, name in names if (method := search.project.method(cls.name, name)) is not None]
    for method in entered:
        yield from invocation.results(search, work, method)
    if not entered:
        yield from work.to(op.value)


def _phi(search: Search, work: Work, op: ops.Phi) -> Iterator[Work]:
    """Of the values that join: those that can come, and that nothing ends on their branch."""
    for value in op.values:
        node = work.node.to(value)
        if not never_arrives(work.node.code, value, work.node.value) and not search.ends(
            node, work.access, work.node.value
        ):
            yield work.at(node, work.access, work.use)


def _logic(search: Search, work: Work, op: ops.Logic) -> Iterator[Work]:
    yield from work.all(op.values if op.operator == "or" else op.values[-1:])


def _choice(search: Search, work: Work, op: ops.Choice) -> Iterator[Work]:
    known = truth(work.node.to(op.test))
    yield from work.all([value for value, holds in ((op.then, True), (op.other, False)) if known in (None, holds)])


def _name(search: Search, work: Work, op: ops.Name) -> Iterator[Work]:
    yield from heap.shared(search, work)
    found = search.project.free(work.node.code, op.name)
    if found is not None:
        yield work.at(found, work.access, end(found))
        yield from _rebound(work, found, op.name)


def _import(search: Search, work: Work, op: ops.Import) -> Iterator[Work]:
    yield from heap.shared(search, work)
    found = search.project.definition(work.node)
    if found is not None:
        yield work.elsewhere(found, work.access)


def _class(search: Search, work: Work, op: ops.ClassDef) -> Iterator[Work]:
    if work.access:
        yield from heap.of_class(search, work, work.node.code.file.class_view(op.cls))


# -- parts ----------------------------------------------------------------------------------------------------------


def _attr(search: Search, work: Work, op: ops.Attr) -> Iterator[Work]:
    if op.name == "__dict__":
        yield from work.to(op.base)
        return
    found = list(_property(search, work, op))
    yield from found
    if found:
        return
    yield from heap.shared(search, work)
    if not work.access:
        yield from heap.kept(search, work, work.node.to(op.base), op.name)
    if any(split(name)[0] == "module" for name in search.project.types(work.node.to(op.base))):
        defined = search.project.definition(work.node)
        if defined is not None:
            yield work.elsewhere(defined, work.access)
    else:
        yield from work.to(op.base, (op.name, *work.access))


def _property(search: Search, work: Work, op: ops.Attr) -> Iterator[Work]:
    for cls in search.project.instances(work.node.to(op.base)):
        method = search.project.method(cls.name, op.name)
        if method is not None and not any(name.startswith("def[") for name in search.project.types(work.node)):
            yield from invocation.results(search, work, method)
        elif method is None and op.name not in cls.fields and op.name not in cls.assigned:
            hook = search.project.method(cls.name, "__getattr__")
            yield from invocation.results(search, work, hook) if hook is not None else ()


def _item(search: Search, work: Work, op: ops.Item) -> Iterator[Work]:
    if isinstance(work.node.to(op.key).op, ops.Build):
        yield from work.to(op.base)  # a slice is more of the same
        return
    found = list(_run_by(search, work, op.base, "__getitem__"))
    yield from found
    if not found:
        yield from _under_key(search, work, op.base, op.key)


def _under_key(search: Search, work: Work, base: Value, key: Value) -> Iterator[Work]:
    """The entry of a mapping or sequence: under the literal keys, or under one that is computed."""
    known = work.node.to(key).keys or _handed_keys(search, work, work.node.to(key).origin)
    for part in known:
        yield from work.to(base, (part, *work.access))
    if not known:
        yield from work.by_computed_key().to(base, (ANY, *work.access))


def _handed_keys(search: Search, work: Work, key: Node) -> tuple[str | int, ...]:
    """The literals that a key is which the call that was gone into hands over: ``get_config("folder")``."""
    if not isinstance(key.op, ops.Param) or not work.calls:
        return ()
    given = search.project.argument(work.calls[-1], key.code, key.op.index)
    return given.keys if given is not None else ()


def _run_by(search: Search, work: Work, value: Value, method: str) -> Iterator[Work]:
    """What a method of the project gives that an operation runs without naming it (``obj[key]``, ``f"{obj}"``)."""
    for cls in heap.instances(search.project, work.node.to(value)):
        code = search.project.method(cls.name, method)
        if code is not None:
            yield from invocation.results(search, work, code)


def _element(search: Search, work: Work, op: ops.Element) -> Iterator[Work]:
    iterated = [
        method
        for cls in heap.instances(search.project, work.node.to(op.base))
        if (method := search.project.method(cls.name, "__iter__")) is not None
    ]
    for method in iterated:
        yield from invocation.results(search, work, method, (ANY, *work.access))
    keys = _keys(work.node.to(op.base).origin)
    yield from work.all(keys) if keys is not None else work.to(op.base, (ANY, *work.access))


def _keys(display: Node) -> list[Value] | None:
    """The keys of a dict that is written out here, which are what a loop over it gives; None if it may have others."""
    op = display.op
    if not isinstance(op, ops.Build) or op.kind != "dict" or NONE in op.keys:
        return None
    changes = [display.to(value).op for value in display.code.effects.get(display.value, ())]
    if not all(isinstance(change, ops.SetItem) for change in changes):
        return None
    return [*op.keys, *(change.key for change in changes if isinstance(change, ops.SetItem))]


def _part(search: Search, work: Work, op: ops.Part) -> Iterator[Work]:
    yield from work.to(op.base, (op.index if op.index >= 0 else ANY, *work.access))


# -- displays and texts ---------------------------------------------------------------------------------------------


def _build(search: Search, work: Work, op: ops.Build) -> Iterator[Work]:
    if op.kind == "fstring":
        work = work.into_text() if len(op.items) > 1 else work
        yield from work.all(search.goal.parts(search, work.node, op.items), ())
    elif op.kind == "dict":
        yield from _dict(work, op)
    elif op.kind != "slice":
        yield from _sequence(work, op)


def _dict(work: Work, op: ops.Build) -> Iterator[Work]:
    """The values under the wanted key, the last first: what stands behind it is overridden."""
    wanted = work.access[0] if work.access else None
    of_many = work.picked and wanted == ANY and len(op.items) > 1
    for key, item in zip(reversed(op.keys), reversed(op.items), strict=True):
        if key == NONE:
            yield from work.to(item)
        elif wanted == KEY:
            yield from work.to(key, work.access[1:])
        else:
            name = _only_key(work.node.to(key))
            if wanted in (None, ANY, name) or name is None:
                yield from (work.as_entry(name) if of_many and name is not None else work).to(item, work.access[1:])
            if name is not None and name == wanted:
                return


def _only_key(node: Node) -> str | int | None:
    """The literal that a key is, if it can be one only."""
    return node.keys[0] if len(node.keys) == 1 else None


def _sequence(work: Work, op: ops.Build) -> Iterator[Work]:
    wanted = work.access[0] if work.access else ANY
    unpacked = [item for item in op.items if _unpacked(work, item) is not None]
    if isinstance(wanted, int) and not unpacked:
        yield from work.all(_nth(op.items, wanted), work.access[1:])
    elif wanted == ANY or isinstance(wanted, int):
        for item in op.items:
            inner = _unpacked(work, item)
            yield from work.to(item, work.access[1:]) if inner is None else work.to(inner, (ANY, *work.access[1:]))


def _unpacked(work: Work, item: Value) -> Value | None:
    """The sequence behind ``*sequence`` in a display."""
    made = work.node.to(item).op
    return made.items[0] if isinstance(made, ops.Build) and made.kind == "slice" else None


def _format(search: Search, work: Work, op: ops.Format) -> Iterator[Work]:
    if op.spec.endswith(("d", "f", "e", "g", "x", "%")):
        return
    written = list(_run_by(search, work, op.value, "__repr__" if op.conversion == "r" else "__str__"))
    yield from written or work.to(op.value, ())


def _binary(search: Search, work: Work, op: ops.Bin) -> Iterator[Work]:
    if op.operator == "|":
        yield from _union(work, op)
    elif op.operator == "%":
        yield from _formatted(search, work.into_text(), op)
    elif op.operator in ("+", "/"):
        access: Access = (ANY, *work.access[1:]) if work.access else ()
        work = work.into_text()
        yield from work.all(_parts(search, work, op), access)


def _formatted(search: Search, work: Work, op: ops.Bin) -> Iterator[Work]:
    """``"%(name)s" % values``."""
    parts = _parts(search, work, op)
    yield from work.all(value for value in parts if value != op.right)
    if op.right in parts:
        names = _NAMED.findall(work.node.to(op.left).text or "")
        for name in names:
            yield from work.to(op.right, (name,))
        yield from work.to(op.right, ()) if not names else ()


def _parts(search: Search, work: Work, op: ops.Bin) -> tuple[Value, ...]:
    return search.goal.parts(search, work.node, (op.left, op.right))


def _union(work: Work, op: ops.Bin) -> Iterator[Work]:
    right = work.node.to(op.right).origin
    yield from work.to(op.right)
    set_again = {key for name, _ in right.entries() for key in name.keys}
    if not work.access or work.access[0] not in set_again:
        yield from work.to(op.left)


def _comp(search: Search, work: Work, op: ops.Comp) -> Iterator[Work]:
    wanted = work.access[0] if work.access else None
    if op.kind != "dict" or wanted is None:
        yield from work.to(op.value, work.access[1:])
    elif wanted == KEY:
        yield from work.to(op.key, work.access[1:])
    else:
        yield from heap.set_item(work, op.key, op.value, work.access)


# -- calls ----------------------------------------------------------------------------------------------------------


def _call(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    call = work.node
    computed = list(_computed(search, work, op))
    yield from computed
    if computed:
        return
    yield from _lookup(search, work, op)
    codes = invocation.codes(search, work, op)
    if codes and search.may_enter(work.calls, call):
        for code in codes:
            if code.function.name == "__init__":
                yield from invocation.constructed(search, work, op, code)
            else:
                yield from invocation.results(search, work, code)
        return
    handed = [edge for edge in search.project.graph.handovers(call) if edge.result != "none"]
    for edge in handed:
        yield from invocation.results(search, work, edge.code, work.access[1:] if edge.result == "elements" else None)
    if handed:
        return
    if list(search.project.denoted_classes(call.to(op.func))):
        yield from invocation.arguments(search, work, op)
    else:
        yield from _library(search, work, op)


def _computed(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """A property of an object that is made here, and that somebody reads who does not know its class."""
    wanted = work.access[0] if work.access else None
    for cls in search.project.denoted_classes(work.node.to(op.func)) if isinstance(wanted, str) else ():
        method = search.project.method(cls.name, str(wanted))
        if method is not None and is_property(search.project, method):
            yield from invocation.results(search, work, method, work.access[1:])


def _lookup(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``d.get("k")`` and its kin are ``d["k"]``."""
    call = work.node
    func = call.to(op.func).origin
    if not isinstance(func.op, ops.Attr) or search.project.callees(call):
        return
    base, name, kinds = func.op.base, func.op.name, search.project.models.kinds
    by_key = name in kinds["key-reads"] and bool(op.args)
    if by_key and _is_class(search, call.to(op.args[0])):
        return  # ``session.get(User, 1)``
    if library.is_kind(search, call, "reads-by-keys"):
        yield from library.read_by_keys(search, work, op)
    elif by_key:
        yield from _under_key(search, work, base, op.args[0])
        yield from work.all(op.args[1:])
    elif name == "pop":
        yield from work.to(base, (-1, *work.access))
    elif library.is_kind(search, call, "takes-an-element"):
        yield from work.to(base, (ANY, *work.access))
    elif name in kinds["mapping-views"]:
        yield from work.to(base, _seen_through(name, work.access))
    elif name in kinds["mapping-copies"] or library.is_kind(search, call, "gives-the-same"):
        yield from work.to(base)


def _is_class(search: Search, node: Node) -> bool:
    return any(split(name)[0] == "type" for name in search.project.types(node))


def _seen_through(view: str, access: Access) -> Access:
    """The part of a mapping that a part of its ``keys()``, ``values()``, ``items()`` or ``popitem()`` is."""
    if view == "popitem":
        return (KEY if access[:1] == (0,) else ANY, *access[1:])
    if view == "items":
        return (KEY if access[1:2] == (0,) else ANY, *access[2:])
    return (KEY if view == "keys" else ANY, *access[1:])


def _library(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    call = work.node
    func = call.to(op.func)
    described = library.special(search, work, op)
    if described is not None:
        yield from described
        return
    for name in search.project.names(func):
        arguments = search.models.propagates.get(name)
        if arguments is not None:
            yield from _propagated(work, op, arguments)
            return
    made = search.project.resolved(func)
    if made.call is not None and "collections.namedtuple" in search.project.names(made.to(made.call.func)):
        yield from invocation.record(work, op, _named_fields(made))
        return
    for node in search.goal.through(search, call):
        yield from work.to(node.value, ())


def _named_fields(made: Node) -> list[str]:
    given = made.arg(1, "field_names")
    if given is None:
        return []
    display = given.origin
    if display.text is not None:
        return display.text.replace(",", " ").split()
    items = display.op.items if isinstance(display.op, ops.Build) else ()
    return [str(display.to(item).const) for item in items]


def _propagated(work: Work, op: ops.Call, arguments: tuple[int | str, ...]) -> Iterator[Work]:
    """From the result of a library's function to the arguments that a table names."""
    call = work.node
    work = work.into_text() if len(arguments) > 1 else work
    for argument in arguments:
        if argument == "*":
            yield from work.all((node.value for node in call.args()), ())
        elif argument == "self":
            yield from _whole(work, call.receiver)
        elif argument == "same":
            yield from work.all(op.args[:1])
        elif argument in _FIELDS:
            # What a schema makes has the fields that it declares: of what came in, their values alone are left.
            yield from work.all(_nth(op.args, _FIELDS[argument]) if work.access[:1] not in ((), (KEY,)) else ())
        elif argument == "each":
            wanted = work.access[0] if work.access else ANY
            yield from work.all(_nth(op.args, wanted) if isinstance(wanted, int) else op.args, work.access[1:])
        else:
            yield from _whole(work, call.arg(argument if isinstance(argument, int) else None, str(argument)))


def _whole(work: Work, node: Node | None) -> Iterator[Work]:
    if node is not None:
        yield from work.to(node.value, ())


def _caught(search: Search, work: Work, op: ops.Caught) -> Iterator[Work]:
    """An exception that the project raises in the ``try``, or in what that calls: it is made of its arguments."""
    code = work.node.code
    block = _tried(work.node)
    if block is None or not search.may_enter(work.calls, work.node):
        return
    names = set(_exception_names(search, work.node, op.types))
    for call in map(code.node, range(block.first, block.last)):
        yield from _raised(search, work, call, names, work.calls)
        for callee in search.project.callees(call) if isinstance(call.op, ops.Call) else ():
            for raised in callee.nodes(ops.Raise):
                yield from _raised(search, work, raised, names, (*work.calls, call))


def _tried(caught: Node) -> Region | None:
    """The ``try`` block of the handler that an exception is caught by."""
    code = caught.code
    handler = next((region for region in code.regions_of(caught.value) if region.kind == "except"), None)
    if handler is None:
        return None
    blocks = (region for region in code.body.regions if region.kind == "try" and region.group == handler.group)
    return next(blocks, None)


def _raised(search: Search, work: Work, node: Node, names: set[str], calls: tuple[Node, ...]) -> Iterator[Work]:
    op = node.op
    if not isinstance(op, ops.Raise) or op.exception == NONE:
        return
    made = node.to(op.exception).origin
    if made.call is None or made.func is None or names.isdisjoint(_lineages(search, made.func)):
        return
    step = Step(node.place, f"is raised in `{made.spelled}`")
    for argument in made.call.args:
        yield work.at(made.to(argument), (), made.value, calls, step)


def _exception_names(search: Search, node: Node, types: Value) -> Iterable[str]:
    if types == NONE:
        return ["builtins.Exception"]
    made = node.to(types).origin
    items = made.elements()
    return [name for item in items for name in search.project.names(item)]


def _lineages(search: Search, func: Node) -> set[str]:
    found = {"builtins.Exception", "builtins.BaseException"}
    for name in search.project.names(func):
        found.update(search.project.lineage(name))
    return found


_BACK: dict[type[ops.Op], _Handler] = {
    ops.Bind: _bind,
    ops.Await: _value,
    ops.Enter: _enter,
    ops.Phi: _phi,
    ops.Logic: _logic,
    ops.Choice: _choice,
    ops.Attr: _attr,
    ops.Item: _item,
    ops.Element: _element,
    ops.Part: _part,
    ops.Build: _build,
    ops.Format: _format,
    ops.Bin: _binary,
    ops.Comp: _comp,
    ops.Name: _name,
    ops.Import: _import,
    ops.ClassDef: _class,
    ops.Caught: _caught,
    ops.Param: invocation.param,
    ops.Call: _call,
}
