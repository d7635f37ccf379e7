"""``models.Index(...)`` and ``UniqueConstraint(...)``: keys, opclasses, expressions, conditions."""

from __future__ import annotations

import msgspec

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import text, texts
from backaudit.sql import Index, Key, normal


def index_of(project: Project, item: Node, names: dict[str, str]) -> Index | None:
    """``models.Index(...)`` and ``UniqueConstraint(...)``; ``names``: field to column."""
    call = item.origin.call
    if call is None or not (item.method.endswith("Index") or item.method == "UniqueConstraint"):
        return None
    fields = texts(project, item.arg(None, "fields"))
    opclasses = texts(project, item.arg(None, "opclasses"))
    keys = [_field_key(name, names) for name in fields]
    keys = [
        msgspec.structs.replace(key, opclass=opclasses[i]) if i < len(opclasses) else key for i, key in enumerate(keys)
    ]
    keys += [_expression_key(project, item.origin.to(value), names) for value in call.args]
    condition = item.arg(None, "condition")
    if not keys:
        return None
    return Index(
        keys=tuple(keys),
        name=text(project, item.arg(None, "name")),
        unique=item.method == "UniqueConstraint",
        where=(condition_text(condition, names) or "?") if condition is not None else "",
        method=project.models.words["index-classes"].get(item.method, "btree"),
        place=item.place,
    )


def _field_key(name: str, names: dict[str, str]) -> Key:
    plain = name.lstrip("-")
    return Key(names.get(plain, plain), False, name.startswith("-"))


def _expression_key(project: Project, node: Node, names: dict[str, str]) -> Key:
    named = text(project, node)
    if named:
        return _field_key(named, names)
    node = node.origin
    receiver = node.receiver
    if node.method in ("desc", "asc") and receiver is not None:
        inner = _expression_key(project, receiver, names)
        return msgspec.structs.replace(inner, descending=node.method == "desc")
    first = node.arg(0)
    if node.method == "F" and first is not None:
        return _field_key(text(project, first), names)
    if node.method == "OpClass" and first is not None:
        return _expression_key(project, first, names)
    inside = _expression_key(project, first, names).text if first is not None else "?"
    return Key(normal(f"{node.method}({inside})"), True)


def condition_text(node: Node, names: dict[str, str]) -> str:
    """A ``Q(...)`` over constants as SQL in normal form, empty if it says more."""
    written = _condition(node.origin, names)
    return normal(written) if written else ""


def _condition(node: Node, names: dict[str, str]) -> str:
    op = node.op
    if isinstance(op, ops.Unary):
        inner = _condition(node.to(op.value).origin, names)
        return f"NOT {inner}" if inner else ""
    if isinstance(op, ops.Bin) and op.operator in ("&", "|"):
        parts = [_condition(node.to(value).origin, names) for value in (op.left, op.right)]
        joined = " AND ".join(parts) if op.operator == "&" else f"({' OR '.join(parts)})"
        return joined if all(parts) else ""
    return _of_q(node, names) if node.method == "Q" else ""


def _of_q(node: Node, names: dict[str, str]) -> str:
    parts = [_condition(argument.origin, names) for argument in node.args() if argument.origin.method == "Q"]
    given = node.keywords()
    parts += [_comparison(key, value, names) for key, value in given.items() if not key.startswith("_")]
    if not parts or not all(parts):
        return ""
    # As migrations spell what was negated or joined by operators: ``Q(_negated=True, status="down")``.
    either, negated = node.arg(None, "_connector"), node.arg(None, "_negated")
    alternatives = either is not None and either.text == "OR"
    joined = f"({' OR '.join(parts)})" if alternatives and len(parts) > 1 else " AND ".join(parts)
    if negated is None or negated.const is not True:
        return joined
    return f"NOT {joined}" if len(parts) == 1 or alternatives else f"NOT ({joined})"


def _comparison(key: str, value: Node, names: dict[str, str]) -> str:
    field, _, lookup = key.partition("__")
    column, constant = names.get(field, field), value.const
    if lookup == "isnull":
        return f"{column} IS {'' if constant is True else 'NOT '}NULL"
    if not lookup and value.is_none:
        return f"{column} IS NULL"
    symbol = value.code.project.models.words["look-up-operators"].get(lookup or "exact")
    if symbol is None or constant is None:
        return ""
    return f"{column} {symbol} {str(constant).upper() if isinstance(constant, bool) else repr(constant)}"
