"""Which names a computed key may have: those that conditions on the way compare it with."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import texts
from backaudit.project.holding import conditions

# What a comparison of a key with names says of it, where it holds.
_COMPARED = {"==": True, "in": True, "!=": False, "not in": False}


class Picked(msgspec.Struct, frozen=True):
    """``only``: the key is one of them, empty where nothing says so; ``spared``: it is none of them."""

    only: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    def may_be(self, name: str) -> bool:
        """Whether the key can be that name."""
        return name not in self.spared and (not self.only or name in self.only)


def picked(at: Node, key: Node) -> Picked:
    """What is known of a key where the operation ``at`` runs: ``if name == "password": … else: setattr(…)``."""
    only: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()
    for names, is_one in _asked(at.code.project, at, key):
        if is_one:
            only = only & names if only else names
        else:
            spared |= names
    return Picked(only, spared)


def _asked(project: Project, at: Node, key: Node) -> Iterator[tuple[frozenset[str], bool]]:
    code = at.code
    for value, truth in conditions(code, at.value):
        op = code.ops[value]
        if isinstance(op, ops.Compare) and op.operator in _COMPARED and code.origin(op.left) == key.origin.value:
            names = frozenset(texts(project, code.node(op.right)))
            if names:
                yield names, _COMPARED[op.operator] == truth


__all__ = ["Picked", "picked"]
