"""Rows whose columns are copied one by one, whatever they are called: ``{c.name: getattr(row, c.name) for c in …}``."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.project import Node
from backaudit.vocabulary.names import is_password_column

# How many attributes and calls a list of columns is followed back through.


def copied_row(node: Node) -> Node | None:
    """The row all of whose columns a comprehension takes over, but for such as begin with an underscore."""
    op = node.op
    if not isinstance(op, ops.Comp):
        return None
    value = node.to(op.value).origin
    row = _by_attributes(value) or _by_items(value)
    return row if row is not None and not _picks(node, op) else None


def _by_attributes(value: Node) -> Node | None:
    """``getattr(row, column.name)`` for each column of the table."""
    row, name = value.arg(0), value.arg(1)
    if value.method != "getattr" or row is None or name is None:
        return None
    named = name.origin
    base = named.to(named.op.base).origin if isinstance(named.op, ops.Attr) else named
    return row if isinstance(base.op, ops.Element) and _lists_columns(base.to(base.op.base)) else None


def _lists_columns(node: Node) -> bool:
    here = node.origin
    while True:
        op = here.op
        if isinstance(op, ops.Attr):
            if op.name in node.code.project.models.kinds["lists-columns"]:
                return True
            here = here.to(op.base).origin
        elif isinstance(op, ops.Call) and here.receiver is not None:
            here = here.receiver.origin
        else:
            return False


def _by_items(value: Node) -> Node | None:
    """The second of each pair of ``row.__dict__.items()``."""
    op = value.op
    pairs = value.to(op.base).origin if isinstance(op, ops.Part) and op.index == 1 else None
    made = pairs.to(pairs.op.base).origin if pairs is not None and isinstance(pairs.op, ops.Element) else None
    return made.receiver if made is not None and made.method == "items" else None


def _picks(comp: Node, op: ops.Comp) -> bool:
    """Whether a condition of the comprehension may leave the password out."""
    around = next((region for region in comp.code.regions_of(op.value) if region.kind == "comp"), None)
    if around is None:
        return False
    inside = (region for region in comp.code.body.regions if around.first <= region.first <= around.last)
    tests = [comp.to(region.test).origin for region in inside if region.kind == "then"]
    return any(isinstance(test.op, ops.Compare) or _names_password(test) for test in tests)


def _names_password(test: Node) -> bool:
    return any(is_password_column(argument.text or "") for argument in test.args())
