"""Through calls: from a parameter to what its callers pass, from a call to what its callee returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from backaudit.backend.web.routes import entries, injected_code, injected_target
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.facts.python import ParamFact
from backaudit.flow import heap
from backaudit.flow.search import Search
from backaudit.flow.work import KEY, Work, end, within
from backaudit.project import ClassView, Code, Given, Node, Passed
from backaudit.project.nodes import ANY, Access
from backaudit.rule import Step

# A call that may have run a function, and the calls that are left when the search goes back through it.
_Way: TypeAlias = "tuple[Node, tuple[Node, ...]]"
_Implicit = ops.Attr | ops.SetAttr | ops.Enter | ops.Element | ops.Item | ops.Format

# -- out of a function ----------------------------------------------------------------------------------------------


def param(search: Search, work: Work, op: ops.Param) -> Iterator[Work]:
    """What a parameter is given: by the call that was gone into, by all callers, or by a framework."""
    code = work.node.code
    ways = _ways_out(search, work, code)
    calls = [call for call, _ in ways]
    yield from _given(search, work, code, op.index, ways)
    if not work.calls:
        yield from _injected(search, work, code, op.index)
    if not work.access:
        return
    yield from _of_given_rows(search, work, code, op.index, calls)
    if op.index == 0 and code.cls is not None:
        made = code.function.name != "__init__" and not (calls and all(_leads_back(search, call) for call in calls))
        yield from heap.field(search, work, code.cls, constructors=made)
    elif not calls:
        for cls in heap.instances(search.project, work.node):
            yield from heap.field(search, work, cls)


def _ways_out(search: Search, work: Work, code: Code) -> list[_Way]:
    """The calls that may have run a function: the one that was gone into, or any caller.

    Of functions that call each other in a circle, only the call that led into it is remembered.
    """
    if not work.calls:
        return [(call, ()) for call in search.callers_of(code)]
    entry, outside = work.calls[-1], work.calls[:-1]
    around = search.project.calls_around(code)
    led = not around or _may_run(search, entry, code)
    return [*([(entry, outside)] if led else []), *((call, work.calls) for call in around if search.counts(call.code))]


def _may_run(search: Search, entry: Node, code: Code) -> bool:
    """Whether an operation that led into a circle of functions may have run this one of them."""
    if not isinstance(entry.op, ops.Call):
        return getattr(entry.op, "name", code.function.name) == code.function.name
    edges = (*search.project.graph.edges(entry), *search.project.graph.handovers(entry))
    return any(edge.code is code for edge in edges)


def _of_given_rows(search: Search, work: Work, code: Code, index: int, calls: Iterable[Node]) -> Iterator[Work]:
    """The column that is read of a row which only the callers know to be one: the parameter says no type."""
    name, *deeper = work.access
    if deeper or not isinstance(name, str) or heap.instances(search.project, work.node):
        return
    for call in calls:
        row = search.project.argument(call, code, index)
        if row is not None:
            yield from heap.kept(search, work, row, name)


def _leads_back(search: Search, call: Node) -> bool:
    """Whether the object of a method call leads to where it was made, so that its constructor is found on that way."""
    base = call.to(call.op.base) if isinstance(call.op, (ops.Attr, ops.SetAttr, ops.Item)) else call.receiver
    base = call.to(call.op.value) if isinstance(call.op, ops.Format) else base
    if base is None:
        return False
    made = search.project.resolved(base)
    if isinstance(made.op, ops.Param):
        return made.op.index == 0 and made.code.cls is not None
    return made.call is not None and any(True for _ in search.project.denoted_classes(made.to(made.call.func)))


def _given(search: Search, work: Work, code: Code, index: int, ways: Iterable[_Way]) -> Iterator[Work]:
    """Through the calls, or through what a decorator of the project puts between them and the function."""
    wrapping = search.project.graph.wrapping(code)
    if wrapping is None or wrapping.plain:
        for call, rest in ways:
            yield from _passed(search, work, call, code, index, rest)
        return
    outer = [(*rest, call) for call, rest in ways if call not in wrapping.calls] or [()]
    for inner_call in wrapping.calls:
        for stack in outer:
            yield from _passed(search, work, inner_call, code, index, stack)


def _passed(search: Search, work: Work, call: Node, code: Code, index: int, calls: tuple[Node, ...]) -> Iterator[Work]:
    if isinstance(call.op, (ops.Attr, ops.SetAttr, ops.Enter, ops.Element, ops.Item, ops.Format)):
        yield from _accessed(work, call, call.op, index, calls)
        return
    declared = code.function.params[index]
    made = code.cls.cls.name if code.cls is not None and code.function.name == "__init__" else code.function.name
    step = Step(call.place, f"is passed to `{made}()` as `{declared.name}`")
    given = search.project.graph.given(call, code)
    if index == 0 and given.bound:
        if given.receiver is not None and code.function.name != "__init__":
            yield _arriving(work, call, Passed(given.receiver), work.access, calls, None)
        return
    found = False
    for passed, access in _matching(given, code, index, work.access):
        found = True
        yield _arriving(work, call, passed, access, calls, step)
    default = search.project.default(code, index) if not found else None
    if default is not None:
        yield work.elsewhere(default, work.access)


def _arriving(
    work: Work, call: Node, passed: Passed, access: Access, calls: tuple[Node, ...], step: Step | None
) -> Work:
    here = passed.node.code is call.code
    use = call.value if here else end(passed.node)
    return work.at(passed.node, (*passed.access, *access), use, calls if here else (), step)


def _accessed(work: Work, node: Node, op: _Implicit, index: int, calls: tuple[Node, ...]) -> Iterator[Work]:
    """Of what runs without a call (a property, ``with``, a loop): the object is the first argument."""
    if index == 0:
        base = op.value if isinstance(op, (ops.Enter, ops.Format)) else op.base
        yield work.at(node.to(base), work.access, node.value, calls)
    elif index == 1 and isinstance(op, ops.Item):
        yield work.at(node.to(op.key), work.access, node.value, calls)
    elif index == 1 and isinstance(op, ops.SetAttr):
        step = Step(node.place, f"is set as `{op.name}`")
        yield work.at(node.to(op.value), work.access, node.value, calls, step)


def _matching(given: Given, code: Code, index: int, access: Access) -> Iterator[tuple[Passed, Access]]:
    """What of a call's arguments becomes a parameter, unpacked ones included, and which part of it is wanted."""
    params = code.function.params
    declared = params[index]
    position = index - (1 if given.bound else 0)
    if declared.kind == "star":
        yield from _of_rest(given, position, access)
    elif declared.kind == "dstar":
        yield from _of_keywords(given, {param.name for param in params}, access)
    else:
        passed = _passed_for(given, declared, position)
        if passed is not None:
            yield passed, access
        else:
            yield from _unpacked_for(given, declared, position, access)


def _passed_for(given: Given, declared: ParamFact, position: int) -> Passed | None:
    """The argument that stands for a parameter, by its name or in its place."""
    for name, passed in given.keywords:
        if name == declared.name:
            return passed
    placed = declared.kind != "keyword" and 0 <= position < len(given.args)
    return given.args[position] if placed else None


def _unpacked_for(given: Given, declared: ParamFact, position: int, access: Access) -> Iterator[tuple[Passed, Access]]:
    """What may stand for a parameter in ``*sequence`` and ``**mapping``."""
    by_name = declared.kind == "keyword" or any(_has_key(passed.node, declared.name) for passed in given.dstar)
    for passed in given.star if not by_name else ():
        yield passed, (position - len(given.args), *access)
    for passed in given.dstar:
        yield passed, (declared.name, *access)


def _has_key(mapping: Node, key: str) -> bool:
    """Whether something was put under a key of a mapping in the same body (``kwargs["user"] = …``)."""
    made = mapping.origin
    changes = (made.to(value) for path, value in made.code.changes.get(made.value, ()) if not path)
    return any(key in _keys_set(change) for change in changes)


def _keys_set(change: Node) -> Iterable[str | int]:
    op = change.op
    if isinstance(op, ops.SetItem):
        return change.to(op.key).keys
    key = change.arg(0)
    if change.method == "setdefault" and key is not None:
        return key.keys
    return change.keywords() if change.method == "update" else ()


def _of_rest(given: Given, position: int, access: Access) -> Iterator[tuple[Passed, Access]]:
    """For ``*args``: the positional arguments from ``position`` on."""
    wanted = access[0] if access else ANY
    rest = given.args[position:]
    if isinstance(wanted, int) and 0 <= wanted < len(rest):
        yield rest[wanted], access[1:]
        return
    if not isinstance(wanted, int):
        yield from ((passed, access[1:]) for passed in rest)
    for passed in given.star:
        shifted = (wanted - len(rest), *access[1:]) if isinstance(wanted, int) else access
        yield passed, shifted


def _of_keywords(given: Given, taken: set[str], access: Access) -> Iterator[tuple[Passed, Access]]:
    """For ``**kwargs``: the keywords that no parameter takes."""
    for name, passed in given.keywords:
        if name not in taken and (not access or access[0] in (name, ANY)):
            yield passed, access[1:]
    yield from ((passed, access) for passed in given.dstar)


def _injected(search: Search, work: Work, code: Code, index: int) -> Iterator[Work]:
    """What a framework injects: the result of a dependency, or the object that it makes."""
    target = injected_target(search.project, code, index) if code in search.project.once(entries) else None
    for dependency in injected_code(search.project, target) if target is not None else ():
        if dependency.function.name == "__init__" and dependency.cls is not None:
            if work.access:
                yield from heap.field(search, work, dependency.cls)
        else:
            for value in _results_of(dependency):
                step = Step(dependency.node(value).place, f"is what `{dependency.function.name}()` provides")
                yield work.at(dependency.node(value), work.access, value + 1, (), step)


# -- into a function ------------------------------------------------------------------------------------------------


def codes(search: Search, work: Work, op: ops.Call) -> list[Code]:
    """The functions that a call runs; where its callee is an argument: those that the caller gone into passes."""
    call = work.node
    func = search.project.resolved(call.to(op.func))
    found = search.project.callees(call)
    handed = func.op if isinstance(func.op, ops.Param) and func.code is call.code else None
    if handed is not None and work.calls and search.project.circle(call.code) is None:
        argument = search.project.argument(work.calls[-1], call.code, handed.index)
        narrowed = {edge.code for edge in search.project.graph.targets(argument)} if argument is not None else set()
        found = tuple(code for code in found if code in narrowed) or found
    return [code for code in found if search.goal.enters(search, call, code)]


def results(search: Search, work: Work, code: Code, access: Access | None = None) -> Iterator[Work]:
    """What a function of the project that runs at this value returns or yields."""
    if not code.results or work.node in work.calls:
        return  # a recursion's next round brings nothing that its first has not
    calls = search.entered(work.calls, work.node, code)
    step = Step(work.node.place, f"is returned by `{code.function.name}()`")
    wanted = work.access if access is None else access
    for result in code.results:
        op = result.op
        assert isinstance(op, (ops.Return, ops.Yield))
        if _has_left(search, work.node, result):
            continue
        yields = isinstance(op, ops.Yield) and not op.delegates
        part = wanted[1:] if yields and wanted and wanted[0] == ANY else wanted
        yield work.at(result.to(op.value), part, result.value, calls, step)


def _has_left(search: Search, call: Node, result: Node) -> bool:
    """Whether a function has returned before one of its results, by a literal that the call gives: ``if name: …``."""
    if call.call is None:
        return False
    regions = result.code.body.regions
    for region in regions:
        outermost = region.parent < 0 or regions[region.parent].kind == "body"
        left = region.kind == "then" and region.exits in ("return", "raise") and region.last <= result.value
        test = result.to(region.test).origin if outermost and left and region.test >= 0 else None
        if test is not None and isinstance(test.op, ops.Param):
            given = search.project.argument(call, result.code, test.op.index)
            if given is not None and given.const:
                return True
    return False


def _results_of(code: Code) -> list[Value]:
    return [node.op.value for node in code.results if isinstance(node.op, (ops.Return, ops.Yield))]


def constructed(search: Search, work: Work, op: ops.Call, init: Code) -> Iterator[Work]:
    """A field of an object that is made here: what its constructor stores, or those of its bases."""
    found = list(_stores(search, work, init, (*work.calls, work.node))) if work.access else []
    yield from found
    if not found:
        yield from arguments(search, work, op)


def _stores(search: Search, work: Work, init: Code, calls: tuple[Node, ...]) -> Iterator[Work]:
    if not init.function.params or not search.may_enter(calls[:-1], calls[-1]):
        return
    inside = work.at(init.node(0), work.access, len(init.ops), calls)
    stored = False
    for part, value in init.changes.get(0, ()):
        rest = within(part, work.access)
        for found in heap.effect(search, inside, value, rest) if rest is not None else ():
            stored = True
            yield found
    for call in init.nodes(ops.Call) if not stored else ():
        for base in search.project.callees(call) if call.method == "__init__" else ():
            if base is not init:
                yield from _stores(search, work, base, (*calls, call))


def arguments(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """An object made from its arguments (dataclass, schema, ORM row): a field is the keyword of that name."""
    classes = list(search.project.denoted_classes(work.node.to(op.func)))
    names = [name for cls in classes[:1] for name in _field_names(search, cls)]
    yield from record(work, op, names)


def record(work: Work, op: ops.Call, names: list[str]) -> Iterator[Work]:
    """A part of a record whose fields, in their order, are ``names``."""
    wanted = work.access[0] if work.access else None
    if isinstance(wanted, int):
        wanted = names[wanted] if 0 <= wanted < len(names) else ANY
    for name, value in op.keywords:
        if wanted in (None, ANY, name):
            yield from work.to(value, work.access[1:])
    if wanted is None or wanted == ANY:
        yield from work.all(op.args, ())
    elif wanted in names and names.index(str(wanted)) < len(op.args):
        yield from work.to(op.args[names.index(str(wanted))], work.access[1:])
    if wanted != KEY:
        yield from work.all((*op.dstar, *op.star))


def _field_names(search: Search, cls: ClassView) -> list[str]:
    views = reversed(search.project.lineage_views(cls.name))
    return list(dict.fromkeys(name for view in views for name in view.fields))
