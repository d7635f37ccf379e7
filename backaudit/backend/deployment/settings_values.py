"""What Django settings are worth where they can be told: literals, lists put together, Django's own defaults.

What the environment, a branch or a module that is not in the tree decides is :data:`UNKNOWN`, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from backaudit.backend.deployment.django_settings import SettingsModule, inherited_names, starred
from backaudit.facts import ops
from backaudit.project import Node, Project

UNKNOWN: Final = ...
_DEPTH = 8


class Listed(msgspec.Struct, frozen=True):
    """A list of texts: those surely in it, those that may be, and whether these are all."""

    sure: frozenset[str]
    maybe: frozenset[str] = frozenset()
    whole: bool = True

    def has(self, item: str) -> object:
        """True, False or :data:`UNKNOWN`."""
        if item in self.sure:
            return True
        return UNKNOWN if item in self.maybe or not self.whole else False

    @property
    def filled(self) -> object:
        """Whether anything is in it: True, False or :data:`UNKNOWN`."""
        return True if self.sure else UNKNOWN if self.maybe or not self.whole else False


def setting_value(project: Project, module: SettingsModule, name: str, default: object) -> object:
    """The value of a setting: a literal, a :class:`Listed`, ``default`` if nothing sets it, or :data:`UNKNOWN`."""
    node = module.names.get(name)
    if node is not None:
        value = value_of(project, node)
        return _extended(project, module, name, value) if isinstance(value, Listed) else value
    return default if is_whole(project, module) else UNKNOWN


def is_whole(project: Project, module: SettingsModule) -> bool:
    """Whether its names are all that Django will see: none from outside the tree, none written by calls."""
    return all(not _is_open(project, path) for path in module.sources)


def _is_open(project: Project, path: str) -> bool:
    file = project.files[path]
    unseen = sum(item.name == "*" for item in file.facts.imports) > len(list(starred(project, file)))
    return unseen or any(_writes_names(node) for node in file.top.nodes(ops.Call))


def _writes_names(call: Node) -> bool:
    given = any(inner.method in ("locals", "globals") for inner in call.args() if inner.call)
    return given or call.is_call_of("writes-a-namespace")


def value_of(project: Project, node: Node, depth: int = 0) -> object:
    """A literal, a :class:`Listed` or :data:`UNKNOWN`."""
    if project.gives_up(depth, _DEPTH, node.place):
        return UNKNOWN
    own = node.origin.op
    if isinstance(own, ops.Name) and node.code is node.code.file.top:
        # The module has not bound it yet, so a star import has.
        inherited = inherited_names(project, node.code.file).get(own.name)
        return value_of(project, inherited, depth + 1) if inherited is not None else UNKNOWN
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Const):
        return op.value
    if isinstance(op, ops.Build) and op.kind in ("list", "tuple", "set"):
        return _changed(project, here, _joined(_item(project, here.to(item), depth) for item in op.items), depth)
    if isinstance(op, ops.Bin) and op.operator == "+":
        return _changed(project, here, _sum(project, here, op, depth), depth)
    return _value_made(project, here, depth)


def _value_made(project: Project, here: Node, depth: int) -> object:
    """The value of ``not …``, of a choice, or of a copy."""
    op = here.op
    if isinstance(op, ops.Unary) and op.operator == "not":
        inner = value_of(project, here.to(op.value), depth + 1)
        return UNKNOWN if inner is UNKNOWN or isinstance(inner, Listed) else not inner
    if isinstance(op, (ops.Phi, ops.Logic, ops.Choice)):
        return _one_of([value_of(project, here.to(value), depth + 1) for value in _branches(op)])
    first = here.arg(0)
    if here.method in ("list", "tuple") and first is not None:
        return _sequence(value_of(project, first, depth + 1))
    return UNKNOWN


def _branches(op: ops.Phi | ops.Logic | ops.Choice) -> tuple[ops.Value, ...]:
    return (op.then, op.other) if isinstance(op, ops.Choice) else op.values


def _item(project: Project, item: Node, depth: int) -> Listed:
    unpacked = item.op
    if isinstance(unpacked, ops.Build) and unpacked.kind == "slice":
        return _sequence(value_of(project, item.to(unpacked.items[0]), depth + 1))
    value = value_of(project, item, depth + 1)
    return Listed(frozenset((value,))) if isinstance(value, str) else Listed(frozenset(), whole=False)


def _sequence(value: object) -> Listed:
    return value if isinstance(value, Listed) else Listed(frozenset(), whole=False)


def _sum(project: Project, here: Node, op: ops.Bin, depth: int) -> Listed:
    return _joined(_sequence(value_of(project, here.to(side), depth + 1)) for side in (op.left, op.right))


def _joined(parts: Iterable[Listed]) -> Listed:
    given = list(parts)
    return Listed(
        frozenset().union(*(part.sure for part in given)),
        frozenset().union(*(part.maybe for part in given)),
        all(part.whole for part in given),
    )


def _one_of(values: list[object]) -> object:
    lists = [value for value in values if isinstance(value, Listed)]
    if not values:
        return UNKNOWN
    if len(lists) < len(values):
        return values[0] if all(_same(values[0], value) for value in values) else UNKNOWN
    sure = frozenset.intersection(*(one.sure for one in lists))
    maybe = frozenset().union(*(one.sure | one.maybe for one in lists)) - sure
    return Listed(sure, maybe, all(one.whole for one in lists))


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _changed(project: Project, here: Node, listed: Listed, depth: int) -> Listed:
    """The list after the module's own calls on it (``MIDDLEWARE.insert(0, "...")``); those in branches may have run."""
    calls = [here.to(value) for value in here.code.effects.get(here.value, ())]
    return _after(project, calls, listed, depth)


def _extended(project: Project, module: SettingsModule, name: str, listed: Listed) -> Listed:
    """An inherited list after the calls of the modules that have it by a star import only."""
    for path in reversed(module.sources):
        top = project.files[path].top
        calls = [top.node(value) for value, op in enumerate(top.ops) if isinstance(op, ops.Call)]
        changing = [call for call in calls if call.receiver is not None and _is_inherited(call.receiver, name)]
        listed = _after(project, changing, listed, 0)
    return listed


def _is_inherited(receiver: Node, name: str) -> bool:
    op = receiver.op
    return isinstance(op, ops.Name) and op.name == name


def _after(project: Project, calls: list[Node], listed: Listed, depth: int) -> Listed:
    for call in calls:
        if not call.is_call_of("adds-to-a-setting"):
            return Listed(frozenset(), listed.sure | listed.maybe, whole=False)
        added = _joined(_sequence_or_item(project, given, depth) for given in _added(call))
        certain = len(call.code.regions_of(call.value)) <= 1
        listed = Listed(
            listed.sure | (added.sure if certain else frozenset()),
            listed.maybe | added.maybe | (frozenset() if certain else added.sure),
            listed.whole and added.whole,
        )
    return listed


def _added(call: Node) -> Iterator[Node]:
    for given in call.args():
        if not isinstance(given.const, int):
            yield given


def _sequence_or_item(project: Project, given: Node, depth: int) -> Listed:
    value = value_of(project, given, depth + 1)
    return Listed(frozenset((value,))) if isinstance(value, str) else _sequence(value)
