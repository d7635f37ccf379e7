"""YAML text to plain data with places (the only home of ruamel.yaml).

ruamel's own node graph is used: it keeps positions, list items, anchors and duplicate keys, and constructs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from backaudit.facts.place import Span


class YamlNode(msgspec.Struct):
    """One value: the ``text`` of a scalar (without quotes), ``entries`` of a mapping, or ``items`` of a sequence."""

    span: Span
    text: str | None = None
    entries: tuple[tuple[str, YamlNode], ...] = ()
    items: tuple[YamlNode, ...] = ()

    def get(self, *path: str) -> YamlNode | None:
        """The value under a path of keys; of duplicate keys the last."""
        here: YamlNode | None = self
        for key in path:
            here = dict(here.entries).get(key) if here is not None else None
        return here

    def texts(self) -> Iterator[YamlNode]:
        """The scalars that are this value, or the items of this sequence."""
        if self.text is not None:
            yield self
        yield from (item for item in self.items if item.text is not None)


def parse_yaml(text: str) -> tuple[YamlNode, ...]:
    """The documents of a text; those that cannot be read, and all after them, are missing."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found: list[YamlNode] = []
    try:
        for document in YAML(typ="rt", pure=True).compose_all(text):
            if document is not None:
                found.append(_node(document, {}, 0))
    except (YAMLError, ValueError, RecursionError):
        return tuple(found)
    return tuple(found)


def _node(node: Any, seen: dict[int, YamlNode], depth: int) -> YamlNode:
    """Aliases are met again under the same identity; a document that contains itself is cut."""
    if id(node) in seen:
        return seen[id(node)]
    made = seen[id(node)] = YamlNode(_span(node))
    if depth > 60:
        return made
    if node.id == "scalar":
        made.text = str(node.value)
    elif node.id == "sequence":
        made.items = tuple(_node(item, seen, depth + 1) for item in node.value)
    else:
        made.entries = tuple(_entries(node, seen, depth + 1))
    return made


def _entries(node: Any, seen: dict[int, YamlNode], depth: int) -> Iterator[tuple[str, YamlNode]]:
    """Merged mappings (``<<``) first, so that the node's own keys win."""
    for key, value in node.value:
        if key.id == "scalar" and key.value == "<<":
            merged = _node(value, seen, depth)
            for source in merged.items or (merged,):
                yield from source.entries
    for key, value in node.value:
        if key.id == "scalar" and key.value != "<<":
            yield str(key.value), _node(value, seen, depth)


def _span(node: Any) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line + 1, start.column, end.line + 1, end.column)
