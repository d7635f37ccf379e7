"""What clients may send: input schemas with fields and limits, the routes that apply them, and reads of the result."""

from backaudit.backend.inputs.applied import Applied, applied, applied_to
from backaudit.backend.inputs.classes import column_shape, is_secret, schema_of
from backaudit.backend.inputs.mappings import schema_named
from backaudit.backend.inputs.reads import checked_data, converts, enclosed, field_of, form_field, parser_converts
from backaudit.backend.inputs.records import Field, InputSchema, Shape
from backaudit.backend.inputs.shapes import narrowed, of_name, shape_of

__all__ = [
    "Applied", "Field", "InputSchema", "Shape", "applied", "applied_to", "checked_data", "column_shape", "converts",
    "enclosed", "field_of", "form_field", "is_secret", "narrowed", "of_name", "parser_converts", "schema_named",
    "schema_of", "shape_of",
]  # fmt: skip
