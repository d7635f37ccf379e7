"""``models.Index(...)`` and ``UniqueConstraint(...)``: keys, opclasses, expressions, conditions."""

from __future__ import annotations

import msgspec

from backaudit.backend.schema.values import text, texts
from backaudit.project import Node, Project
from backaudit.sql import Index, Key, normal

_PLAIN_METHODS = {
    "GinIndex": "gin",
    "GistIndex": "gist",
    "BrinIndex": "brin",
    "HashIndex": "hash",
    "SpGistIndex": "spgist",
}


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
        method=_PLAIN_METHODS.get(item.method, "btree"),
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
    """A ``Q(...)`` of one plain keyword as SQL in normal form, empty if it says more."""
    keywords = node.origin.keywords()
    if node.origin.method != "Q" or len(keywords) != 1:
        return ""
    (key, value), *_ = keywords.items()
    field, _, lookup = key.partition("__")
    column = names.get(field, field)
    if lookup == "isnull":
        return normal(f"{column} IS {'' if value.const is True else 'NOT '}NULL")
    constant = value.const
    if lookup or constant is None:
        return ""
    return normal(f"{column} = {str(constant).upper() if isinstance(constant, bool) else repr(constant)}")
