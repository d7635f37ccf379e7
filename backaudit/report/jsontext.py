"""JSON as every format of it writes it: indented, and of text that UTF-8 can hold."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from backaudit.report.visible import encodable

# What acts on a terminal, or on a build that reads along (``##vso[``), is written as JSON's own escape: the same text.
_ACTING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|(?<=#)#(?=\\w*\\[)")


def _encodable(node: Any) -> Any:
    """``node`` (of dicts, lists and plain values) with every string as UTF-8 can hold it: file names may be no text."""
    if isinstance(node, str):
        return encodable(node)
    if isinstance(node, dict):
        return {key: _encodable(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_encodable(value) for value in node]
    return node


def json_text(data: Any, indent: int = 2) -> str:
    """``data`` as indented JSON, ending in a line break."""
    text = msgspec.json.format(msgspec.json.encode(_encodable(data)), indent=indent).decode() + "\n"
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
