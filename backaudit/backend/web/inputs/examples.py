"""A value that a declaration admits, and that a reader takes for what its field is called."""

from __future__ import annotations

import re
from typing import Any

from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Shape
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column
from backaudit.vocabulary.protocols import EXAMPLES

_BY_NAME = (
    (meaning("inputs", "mail-field"), "someone@example.com"),
    (meaning("inputs", "address-field"), "https://example.com/"),
    (meaning("inputs", "telephone-field"), "+15550100123"),
    (meaning("inputs", "moment-field"), "2030-01-31T10:00:00"),
    (meaning("inputs", "day-field"), "2030-01-31"),
    (meaning("inputs", "number-field"), "1"),
    (meaning("inputs", "flag-field"), "true"),
)
# A pattern that spells out what is admitted: ``^password$``, ``^(asc|desc)$``.
_SPELLED = re.compile(r"\^\(?(?:\?:)?([\w-]+)(?:\|[\w-]+)*\)?\$")
_DIGITS = ("[0-9", r"\d")
# How often one class is repeated in a pattern that has no other: ``^[0-9a-f]{24}$``.
_REPEATED = re.compile(r"\^(?:\[[^\]]*\]|\\d)\{(\d+)(?:,\d*)?\}\$")
_DEPTH = 4
_LONGEST = 1000


def example(project: Project, shape: Shape, name: str, depth: int = 0) -> Any:
    """A JSON value of a shape, for a field of that name; what nothing says anything of is a text."""
    if shape.either:
        parts = [part for part in shape.either if part.kind != "null"]
        return example(project, parts[0], name, depth) if parts else None
    if shape.choices:
        return shape.choices[0]
    if shape.kind in ("integer", "number"):
        return _number(shape)
    if shape.kind == "boolean":
        return True
    if shape.kind == "array":
        inner = shape.items if shape.items is not None else Shape()
        return [example(project, inner, name, depth + 1)] if depth < _DEPTH else []
    if shape.kind == "object":
        return of_schema(project, shape.schema, depth + 1)
    return None if shape.kind == "null" else _text(shape, name)


def of_schema(project: Project, name: str, depth: int = 0) -> dict[str, Any]:
    """An object with all that a schema takes; of nested ones that refer to themselves what is required."""
    found = schema_named(project, name) if name and depth <= _DEPTH else None
    made: dict[str, Any] = {}
    for field in found.fields if found is not None else ():
        if not field.read_only and (not field.optional or depth <= 1):
            made[field.name] = example(project, field.shape, field.name, depth)
    return made


def _number(shape: Shape) -> int | float:
    least = shape.limit("minimum")
    above = shape.limit("exclusiveMinimum")
    most = shape.limit("maximum")
    number: int | float = 1
    if isinstance(least, (int, float)) and least > number:
        number = least
    if isinstance(above, (int, float)) and above >= number:
        number = above + 1
    if isinstance(most, (int, float)) and most < number:
        number = most
    return number


def _text(shape: Shape, name: str) -> str:
    text = EXAMPLES.get(shape.format) or _by_name(name)
    pattern = shape.limit("pattern")
    spelled = _SPELLED.fullmatch(pattern) if isinstance(pattern, str) else None
    if spelled is not None:
        return spelled[1]
    if isinstance(pattern, str) and any(part in pattern for part in _DIGITS) and "a-z" not in pattern.lower():
        repeated = _REPEATED.fullmatch(pattern)
        text = _digits(int(repeated[1]) if repeated is not None else 10)
    least, most = shape.limit("minLength"), shape.limit("maxLength")
    if isinstance(least, int) and len(text) < least:
        text = (text + "-" + "abcdefgh" * least)[: max(least, 1)]
    return text[:most] if isinstance(most, int) and 0 < most < len(text) else text


def _digits(length: int) -> str:
    return ("1234567890" * length)[: min(length, _LONGEST)]


def _by_name(name: str) -> str:
    if is_password_column(name):
        return EXAMPLES["password"]
    return next((text for known, text in _BY_NAME if known.holds(name)), "text")


__all__ = ["example", "of_schema"]
