"""How attributes of objects are set: one by its name, one whose name comes with its value, all that a mapping has.

``row.a = x``, ``setattr(row, key, x)``, ``vars(row).update(d)``, ``row.__dict__[key] = x``, a library's own method:
whoever asks what a program writes into rows means all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.counting import is_count
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import Access
from backaudit.project.picked import picked
from backaudit.project.summaries import Summary, summary


class Update(msgspec.Struct, frozen=True):
    """The operation ``at`` sets attribute ``name`` of ``row`` to ``value``; any attribute, where ``name`` is empty.

    ``mapping``: of ``value``, what stands under an attribute's name becomes that attribute. ``spared``: the attributes
    that are not set so, whatever the value has.
    """

    at: Node
    row: Node
    value: Node
    name: str = ""
    mapping: bool = False
    spared: frozenset[str] = frozenset()

    def given(self, name: str) -> tuple[Node, Access] | None:
        """What an attribute is set to: a value and the part of it; None if this sets others only."""
        if self.name not in ("", name) or name in self.spared:
            return None
        return self.value, (name,) if self.mapping else ()


def updates(project: Project, code: Code) -> tuple[Update, ...]:
    """The updates of objects in a body, in order; those of functions that it hands an object to, at their calls."""
    return project.once(_summary).ask(code)


def _summary(project: Project) -> Summary[Update]:
    return summary(
        project, lambda code: sorted(dict.fromkeys(_updates(project, code)), key=lambda update: update.at.value)
    )


class Written(msgspec.Struct, frozen=True):
    """An object that has something set, whatever it is set to; ``at``: the statement, or the call of what does it.

    ``counts``: an attribute is set to itself and something more.
    """

    at: Node
    row: Node
    counts: bool = False


def written_objects(project: Project, code: Code) -> tuple[Written, ...]:
    """The objects of which a body, or a function that it hands them to, sets something, in order."""
    return project.once(_written_summary).ask(code)


def _written_summary(project: Project) -> Summary[Written]:
    return summary(
        project, lambda code: sorted(dict.fromkeys(_written_in(project, code)), key=lambda found: found.at.value)
    )


def _written_in(project: Project, code: Code) -> Iterator[Written]:
    for update in _written(project, code):
        yield Written(update.at, update.row, is_count(update.name, update.value))
    if code.function.kind == "module":
        return
    for call in code.nodes(ops.Call):
        for callee in project.callees(call):
            for found in written_objects(project, callee):
                row = _passed(project, call, callee, found.row)
                if row is not None:
                    yield Written(call, row, found.counts)


def open_updates(project: Project) -> tuple[Update, ...]:
    """All updates of the project that are not ``row.name = value``, each where it stands."""
    return project.once(_open)


def _open(project: Project) -> tuple[Update, ...]:
    known = {name.rpartition(".")[2] for name in project.models.kinds["attribute-updaters"]}
    methods = ("setattr", "__setattr__", "update", *sorted(known))
    calling = [code for name in methods for code in project.calling(name)]
    bodies = dict.fromkeys([*calling, *project.mentioning("__dict__")])
    own = (update for code in bodies for update in _written(project, code))
    return tuple(update for update in own if not isinstance(update.at.op, ops.SetAttr))


def _updates(project: Project, code: Code) -> Iterator[Update]:
    yield from _written(project, code)
    for call in code.nodes(ops.Call):
        yield from _by_callees(project, call)


def _written(project: Project, code: Code) -> Iterator[Update]:
    for node in code.nodes(ops.SetAttr):
        op = node.op
        if isinstance(op, ops.SetAttr):
            yield Update(node, node.to(op.base), node.to(op.value), op.name)
    for node in code.nodes(ops.SetItem):
        op = node.op
        row = _owner(node.to(op.base)) if isinstance(op, ops.SetItem) else None
        if row is not None and isinstance(op, ops.SetItem):
            yield from _keyed(project, node, row, node.to(op.key), node.to(op.value))
    for call in code.nodes(ops.Call):
        yield from _called(project, call)


def _owner(mapping: Node) -> Node | None:
    """The object whose attributes a mapping is: ``row.__dict__``, ``vars(row)``."""
    made = mapping.origin
    if isinstance(made.op, ops.Attr) and made.op.name == "__dict__":
        return made.to(made.op.base)
    return made.arg(0) if made.method == "vars" and made.receiver is None else None


def _called(project: Project, call: Node) -> Iterator[Update]:
    args, receiver = call.args(), call.receiver
    if receiver is None:
        if call.method == "setattr" and len(args) == 3:
            yield from _keyed(project, call, args[0], args[1], args[2])
    elif call.method == "__setattr__" and len(args) >= 2:
        yield from _keyed(project, call, args[0] if len(args) == 3 else receiver, args[-2], args[-1])
    else:
        row = _owner(receiver) if call.method == "update" else receiver if _is_updater(project, call) else None
        if row is not None:
            yield from _whole(call, row)


def _is_updater(project: Project, call: Node) -> bool:
    """Whether a method of a library's takes a mapping, or keywords, over into the object."""
    func = call.func
    known: frozenset[str] = project.models.kinds["attribute-updaters"]
    return func is not None and not known.isdisjoint(project.names(func)) and not project.callees(call)


def _whole(call: Node, row: Node) -> Iterator[Update]:
    op = call.call
    if op is None:
        return
    node = call.origin
    yield from (Update(call, row, node.to(value), "", True) for value in (*op.args[:1], *op.dstar))
    yield from (Update(call, row, node.to(value), name) for name, value in op.keywords)


def _keyed(project: Project, at: Node, row: Node, key: Node, value: Node) -> Iterator[Update]:
    mapping = _pairs_of(key, value) or _looked_up(key, value)
    known = picked(at, key)
    names = [str(name) for name in key.keys] or _listed(project, key) or sorted(known.only)
    given = value if mapping is None else mapping
    yield from (Update(at, row, given, name, mapping is not None, known.spared) for name in names or [""])


def _listed(project: Project, key: Node) -> list[str]:
    """The names that a loop over a written list gives a key."""
    element = key.origin.op
    display = project.resolved(key.origin.to(element.base)) if isinstance(element, ops.Element) else None
    if display is None or not isinstance(display.op, ops.Build):
        return []
    names = [display.to(item).text for item in display.op.items]
    return [name for name in names if name is not None] if all(names) else []


def _pairs_of(key: Node, value: Node) -> Node | None:
    """The mapping whose pairs a loop gives as ``key`` and ``value``."""
    one, two = key.origin.op, value.origin.op
    if not isinstance(one, ops.Part) or not isinstance(two, ops.Part) or one.base != two.base:
        return None
    element = key.origin.to(one.base).op
    called = key.origin.to(element.base).origin if isinstance(element, ops.Element) else None
    return called.receiver if called is not None and called.method == "items" else None


def _looked_up(key: Node, value: Node) -> Node | None:
    """The mapping or object of which ``value`` is what stands under ``key``."""
    made = value.origin
    if isinstance(made.op, ops.Item):
        return made.to(made.op.base) if made.to(made.op.key).origin == key.origin else None
    args = made.args()
    if made.method == "getattr" and made.receiver is None and len(args) > 1:
        return args[0] if args[1].origin == key.origin else None
    if made.method in ("get", "pop") and made.receiver is not None and args:
        return made.receiver if args[0].origin == key.origin else None
    return None


def _by_callees(project: Project, call: Node) -> Iterator[Update]:
    """What a function of the project sets of an object that it is handed, from a mapping that it is handed, too."""
    for code in project.callees(call) if call.code.function.kind != "module" else ():
        for update in updates(project, code):
            row, value = _passed(project, call, code, update.row), update.value.origin
            if row is None or not isinstance(value.op, ops.Param):
                continue
            if code.function.params[value.op.index].kind == "dstar":
                yield from _spread(call, row)
                continue
            given = project.argument(call, code, value.op.index)
            if given is not None:
                yield Update(call, row, given, update.name, update.mapping, update.spared)


def _spread(call: Node, row: Node) -> Iterator[Update]:
    """What a function is called with by keyword, where it sets all of them."""
    op = call.call
    node = call.origin
    if op is not None:
        yield from (Update(call, row, node.to(value), name) for name, value in op.keywords)
        yield from (Update(call, row, node.to(value), "", True) for value in op.dstar)


def _passed(project: Project, call: Node, code: Code, row: Node) -> Node | None:
    op = row.origin.op
    if not isinstance(op, ops.Param):
        return None
    given = project.argument(call, code, op.index)
    if given is not None or op.index > 0:
        return given
    return call.receiver if code.cls is not None and code.function.name != "__init__" else None


__all__ = ["Update", "Written", "open_updates", "updates", "written_objects"]
