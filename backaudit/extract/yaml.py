"""YAML text to plain data with places (the only home of ruamel.yaml).

ruamel's own node graph is used: it keeps positions, list items, anchors and duplicate keys, and constructs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

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


class Documents(NamedTuple):
    """The documents of a text. ``unread``: the line (1-based) of what cannot be read, with all after it, else 0."""

    found: tuple[YamlNode, ...]
    unread: int = 0


def parse_yaml(text: str) -> Documents:
    """The documents of a text, as far as it can be read."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    found: list[YamlNode] = []
    line = 1
    try:
        for document in YAML(typ="rt", pure=True).compose_all(text):
            if document is not None:
                line = document.start_mark.line + 1
                found.append(_node(document, {}))
    except MarkedYAMLError as error:
        return Documents(tuple(found), error.problem_mark.line + 1 if error.problem_mark else line)
    except (YAMLError, ValueError, RecursionError):
        return Documents(tuple(found), line)
    return Documents(tuple(found))


def _node(node: Any, seen: dict[int, YamlNode]) -> YamlNode:
    """Aliases are met again under the same identity; a document that contains itself is cut."""
    if id(node) in seen:
        return seen[id(node)]
    made = seen[id(node)] = YamlNode(_span(node))
    if node.id == "scalar":
        made.text = str(node.value)
    elif node.id == "sequence":
        made.items = tuple(_node(item, seen) for item in node.value)
    else:
        made.entries = tuple(_entries(node, seen))
    return made


def _entries(node: Any, seen: dict[int, YamlNode]) -> Iterator[tuple[str, YamlNode]]:
    """Merged mappings (``<<``) first, so that the node's own keys win; of several merged ones the first wins."""
    merged: dict[str, YamlNode] = {}
    for key, value in node.value:
        if key.id == "scalar" and key.value == "<<":
            found = _node(value, seen)
            for source in found.items or (found,):
                merged = dict(source.entries) | merged
    yield from merged.items()
    for key, value in node.value:
        if key.id == "scalar" and key.value != "<<":
            yield str(key.value), _node(value, seen)


def _span(node: Any) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line + 1, start.column, end.line + 1, end.column)
