"""Indexes and constraints as SQLAlchemy's constructs declare them: keys, predicates, expressions, methods."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema.helpers import given, listed_given, returned_call
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import entries, text, texts, truth
from backaudit.sql import Index, Key, normal

# SQL's own truths, as libraries write them: ``deleted == false()``.
_TRUTHS = {"true": True, "false": False}


def references(project: Project, item: Node) -> Iterator[tuple[str, str]]:
    """(column, target) of a ``ForeignKeyConstraint`` of one column."""
    if item.origin.method == "ForeignKeyConstraint":
        mine, theirs = texts(project, item.arg(0)), texts(project, item.arg(1))
        if len(mine) == 1 and len(theirs) == 1:
            yield mine[0], ".".join(theirs[0].split(".")[-2:])


def constraint(project: Project, item: Node, names: dict[str, str]) -> Index | None:
    """The index that an ``Index`` or a constraint makes; ``names``: attribute to column."""
    outer = item
    if item.origin.call is not None and not item.is_call_of("constraint-makers"):
        item = returned_call(project, item, "constraint-makers") or item
    if not item.is_call_of("constraint-makers"):
        return None
    plain = item.method == "Index"
    arguments = _arguments(project, item, outer)[1 if plain else 0 :]
    keys = tuple(key for node in arguments if (key := _key(project, node, names)) is not None)
    if not keys:
        return None
    where = item.argument(("postgresql_where", "sqlite_where"))
    return Index(
        keys=_with_opclasses(project, item, keys),
        name=text(project, item.arg(0 if plain else None, "name")),
        unique=not plain or truth(project, item.arg(None, "unique")),
        primary=item.method == "PrimaryKeyConstraint",
        where=condition(where) if where is not None else "",
        method=text(project, item.arg(None, "postgresql_using")) or "btree",
        place=outer.place,
    )


def _arguments(project: Project, made: Node, outer: Node) -> list[Node]:
    """The positional arguments of a call; of one inside a helper, what the helper was called with."""
    call = made.origin.call
    plain = [made.origin.to(value) for value in call.args] if call is not None else []
    found = [given(project, node, outer) for node in plain]
    for value in call.star if call is not None else ():
        found += listed_given(project, made.origin.to(value), outer)
    return found


def _with_opclasses(project: Project, item: Node, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    given = entries(item.arg(None, "postgresql_ops"))
    return tuple(msgspec.structs.replace(key, opclass=text(project, given.get(key.text))) for key in keys)


def condition(node: Node) -> str:
    """A partial index's predicate; ``?`` for what cannot be read, which equals nothing."""
    inner = node.origin.arg(0) if node.origin.method == "text" else None
    if inner is not None and inner.text is not None:
        return normal(inner.text)
    return normal(node.text) if node.text else expression_text(node) or "?"


def expression_text(node: Node) -> str:
    """A simple condition or expression over columns as SQL in normal form, empty if it is not simple."""
    if isinstance(node.op, ops.Bind) and node.origin.is_call_of("column-makers"):
        return node.op.name
    node = node.origin
    if isinstance(node.op, ops.Compare):
        return _comparison_text(node, node.op)
    if node.call is not None:
        return _call_text(node)
    return node.spelled.rpartition(".")[2]


def _comparison_text(node: Node, op: ops.Compare) -> str:
    left, right = expression_text(node.to(op.left)), node.to(op.right)
    if not left:
        return ""
    if right.is_none:
        return normal(f"{left} IS {'NOT ' if op.operator in ('!=', 'is not') else ''}NULL")
    value = _TRUTHS.get(right.origin.method) if right.call is not None else right.const
    spelled = repr(value).upper() if isinstance(value, bool) else repr(value)
    symbol = {"==": "=", "!=": "<>"}.get(op.operator, op.operator)
    return normal(f"{left} {symbol} {spelled}") if value is not None else ""


def _call_text(node: Node) -> str:
    receiver, first = node.receiver, node.arg(0)
    inside = expression_text(receiver) if receiver is not None else ""
    if node.method in ("is_", "isnot", "is_not") and inside:
        spelled = "NULL" if first is None or first.const is None else repr(first.const).upper()
        return normal(f"{inside} IS {'' if node.method == 'is_' else 'NOT '}{spelled}")
    if receiver is None or receiver.spelled.rpartition(".")[2] not in ("func", "fn"):
        return ""
    argument = expression_text(first) if first is not None else ""
    return normal(f"{node.method}({argument})") if argument else ""


def _key(project: Project, node: Node, names: dict[str, str]) -> Key | None:
    node = node.origin if node.origin.call is not None and not node.origin.is_call_of("column-makers") else node
    named = text(project, node)
    if named:
        return Key(names.get(named, named))
    if node.method in ("desc", "asc", "nulls_last", "nullslast", "nulls_first", "nullsfirst"):
        return _sorted_key(project, node, names)
    if node.method == "text":
        return _text_key(text(project, node.arg(0)))
    if node.call is not None and not node.is_call_of("column-makers"):
        return Key(expression_text(node) or "?", True)
    name = node.spelled.rpartition(".")[2]
    return Key(names.get(name, name)) if name else None


def _sorted_key(project: Project, node: Node, names: dict[str, str]) -> Key | None:
    """``desc(column)``, ``column.desc()``."""
    inner = node.arg(0) or node.receiver
    key = _key(project, inner, names) if inner is not None else None
    return key and msgspec.structs.replace(key, descending=node.method == "desc" or key.descending)


def _text_key(written: str) -> Key:
    plain = written.lower().removesuffix(" desc").removesuffix(" asc").strip()
    descending = written.lower().endswith(" desc")
    return Key(plain, False, descending) if plain.isidentifier() else Key(normal(plain), True, descending)
