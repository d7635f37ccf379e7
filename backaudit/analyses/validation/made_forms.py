"""Forms and serializers whose fields are settled when one is made: what a constructor takes away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project

When = Literal["always", "for some"]


def taken_away(project: Project, cls: ClassView) -> Mapping[str, When]:
    """The fields that a constructor takes away: from every form, or from those of some callers."""
    code = project.method(cls.name, "__init__")
    found: dict[str, When] = {}
    for node, name in _removed(code) if code is not None else ():
        branched = any(region.kind in ("then", "else", "case") for region in node.code.regions_of(node.value))
        found[name] = "for some" if branched else "always"
    return found


def _removed(code: Code) -> Iterator[tuple[Node, str]]:
    """``del self.fields["role"]``, ``self.fields.pop("role")``."""
    for node in (*code.nodes(ops.Delete), *code.nodes(ops.Call)):
        op = node.op
        gone = node.to(op.value) if isinstance(op, ops.Delete) else None
        if gone is not None and isinstance(gone.op, ops.Item):
            held, key = gone.to(gone.op.base), gone.to(gone.op.key)
        elif node.method == "pop" and node.receiver is not None and node.args():
            held, key = node.receiver, node.args()[0]
        else:
            continue
        if held.spelled == "self.fields" and key.text:
            yield node, key.text
