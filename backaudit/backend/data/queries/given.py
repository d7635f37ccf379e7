"""What a query's call is given that does not stand in its brackets: lists and mappings that grow before it is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.sql import HOLE


class Named(NamedTuple):
    """A keyword that is handed over, its value, and what puts it there."""

    name: str
    value: Node
    at: Node


def listed(project: Project, node: Node) -> list[Node]:
    """The elements that a list may have: of its display, appended, added, in whatever branch."""
    found: list[Node] = []
    for made in _made(project, node):
        op = made.op
        found += [made.to(item) for item in op.items] if isinstance(op, ops.Build) else []
        for call in _methods_called(made):
            given = call.args()
            if call.method == "append":
                found += given
            elif call.method == "extend":
                found += [element for part in given for element in listed(project, part)]
    return found


def named(project: Project, node: Node, told: Mapping[Node, Node] = {}) -> list[Named]:
    """The entries that a mapping may have, whose names are known: of its display, put in, in whatever branch.

    ``told``: parameters, with what a caller hands over for them.
    """
    return [entry for made in _made(project, node) for entry in _entries(project, made, told)]


def _entries(project: Project, made: Node, told: Mapping[Node, Node]) -> Iterator[Named]:
    for key, value in made.entries_and_unpacked():
        if key is None:
            yield from named(project, value, told)
        else:
            yield from _under(project, told.get(key.origin, key), value, key)
    if made.method == "dict":
        yield from (Named(name, value, made) for name, value in made.keywords().items())
    for effect in made.code.effects.get(made.value, ()):
        change = made.code.node(effect)
        if isinstance(change.op, ops.SetItem):
            key = change.to(change.op.key)
            yield from _under(project, told.get(key.origin, key), change.to(change.op.value), change)
        elif change.is_call_of("mapping-changes"):
            yield from (Named(name, given, change) for name, given in change.keywords().items())
            for part in change.args():
                yield from named(project, part, told)


def _under(project: Project, key: Node, value: Node, at: Node) -> Iterator[Named]:
    """An entry under a key that is one text."""
    texts = spelled_strings(project, key)
    if len(texts) == 1 and HOLE not in texts[0]:
        yield Named(texts[0], value, at)


def _methods_called(made: Node) -> list[Node]:
    changes = map(made.code.node, made.code.effects.get(made.value, ()))
    return [change for change in changes if change.call is not None]


def _made(project: Project, node: Node) -> list[Node]:
    """The displays and calls that a value may have been made by: what arrives over branches, both sides of a sum, what
    a function of the project gives in one place.
    """
    found: dict[Node, None] = {}
    waiting, seen = [node.origin], set()
    while waiting:
        here = waiting.pop(0)
        if here in seen:
            continue
        seen.add(here)
        op = here.op
        if isinstance(op, (ops.Build, ops.Call)):
            found[here] = None
        waiting += [part.origin for part in _parts(project, here)]
    return list(found)


def _parts(project: Project, node: Node) -> list[Node]:
    op = node.op
    if isinstance(op, ops.Phi):
        return [node.to(value) for value in op.values]
    if isinstance(op, ops.Choice):
        return [node.to(op.then), node.to(op.other)]
    if isinstance(op, ops.Bin) and op.operator in ("+", "|"):
        return [node.to(op.left), node.to(op.right)]
    if isinstance(op, ops.Call):
        given = [value for callee in project.callees(node) for value in callee.returned()]
        return given if len(given) == 1 else []
    return []
