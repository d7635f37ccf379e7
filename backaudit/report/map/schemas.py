"""Shapes and schemas in JSON Schema, as OpenAPI 3.1 and the JSON of ``map`` write them."""

from __future__ import annotations

import re
from typing import Any

from backaudit.backend.web.inputs.records import Shape
from backaudit.survey.records import FieldRow, SchemaRow, Survey

Json = dict[str, Any]
_BINARY: Json = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


class Schemas:
    """The schemas of a survey; ``prefix`` stands before the title in references."""

    def __init__(self, survey: Survey, prefix: str) -> None:
        self._rows = {row.name: row for row in survey.schemas}
        self._prefix = prefix

    def reference(self, name: str) -> Json:
        row = self._rows.get(name)
        return {"$ref": self._prefix + component_name(row.title)} if row is not None else {"type": "object"}

    def row(self, name: str) -> SchemaRow | None:
        return self._rows.get(name)

    def of_shape(self, shape: Shape) -> Json:
        """The JSON Schema of a shape."""
        if shape.either:
            parts = [self.of_shape(part) for part in shape.either]
            return {"anyOf": [*parts, *([{"type": "null"}] if shape.nullable else [])]}
        if shape.schema:
            found = self.reference(shape.schema)
            return {"anyOf": [found, {"type": "null"}]} if shape.nullable else found
        if shape.kind == "file":
            return dict(_BINARY)
        return self._plain(shape)

    def _plain(self, shape: Shape) -> Json:
        made: Json = {}
        if shape.kind != "any":
            made["type"] = [shape.kind, "null"] if shape.nullable and shape.kind != "null" else shape.kind
        if shape.format:
            made["format"] = shape.format
        if shape.choices:
            made["enum"] = [*shape.choices, *([None] if shape.nullable else [])]
        for name, value in shape.limits:
            if name != "pattern":
                made[name] = value
            elif (pattern := portable(str(value))) is not None:
                made[name] = pattern
        if shape.items is not None:
            made["items" if shape.kind == "array" else "additionalProperties"] = self.of_shape(shape.items)
        elif shape.kind == "array":
            made["items"] = {}
        return made

    def of_row(self, row: SchemaRow) -> Json:
        """The JSON Schema of a schema with its fields."""
        made: Json = {"type": "object", "properties": {field.name: self.of_field(field) for field in row.fields}}
        required = [field.name for field in row.fields if field.required]
        if required:
            made["required"] = required
        if row.extra != "ignore":
            made["additionalProperties"] = row.extra == "allow"
        return made

    def of_field(self, field: FieldRow) -> Json:
        made = self.of_shape(field.shape)
        if field.default is not None and admits(field.shape, field.default):
            made["default"] = field.default
        if field.read_only:
            made["readOnly"] = True
        if field.write_only:
            made["writeOnly"] = True
        return made

    def holds_files(self, shape: Shape) -> bool:
        """Whether a value of a shape has an uploaded file in it, of schemas that refer to themselves too."""
        seen: set[str] = set()
        todo = [shape]
        while todo:
            here = todo.pop()
            if here.kind == "file":
                return True
            row = self._rows.get(here.schema) if here.schema not in seen else None
            seen.add(here.schema)
            todo += [field.shape for field in row.fields if not field.read_only] if row is not None else []
            todo += [*here.either, *([here.items] if here.items is not None else [])]
        return False


def admits(shape: Shape, default: object) -> bool:
    """Whether a default is of the kind that a shape is of: a text that stands for a number says nothing."""
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "any": (str, int, float, bool),
    }  # fmt: skip
    if shape.choices and default not in shape.choices:
        return False
    fits = isinstance(default, kinds.get(shape.kind, ()))
    return fits and (shape.kind in ("boolean", "any") or not isinstance(default, bool)) and not shape.schema


def portable(pattern: str) -> str | None:
    """A pattern of Python's as JSON Schema (that is, JavaScript) reads it; None where that cannot be said."""
    if re.search(r"\(\?[aiLmsux-]+[):]|\(\?\(|\(\?#|\(\?P[=>]|\+\+|\*\+|\(\?>", pattern):
        return None
    changed = re.sub(r"\(\?P<", "(?<", pattern)
    changed = re.sub(r"(?<!\\)\\A", "^", changed)
    changed = re.sub(r"(?<!\\)\\[Zz]", "$", changed)
    try:
        re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", changed))
    except re.error:
        return None
    return changed


def component_name(title: str) -> str:
    """A title with only what the names of components may hold."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", title).strip("_") or "Schema"
