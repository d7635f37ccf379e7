"""The survey of a back end, which `map` shows: its routes, the schemas they take and answer with, its tables."""

from backaudit.survey.compose import survey
from backaudit.survey.masking import masked
from backaudit.survey.records import (
    ColumnRow,
    FieldRow,
    Guarding,
    IndexRow,
    RouteRow,
    SchemaRow,
    SecurityScheme,
    Sent,
    Spot,
    Survey,
    TableRow,
)

__all__ = [
    "ColumnRow", "FieldRow", "Guarding", "IndexRow", "RouteRow", "SchemaRow", "SecurityScheme", "Sent", "Spot",
    "Survey", "TableRow", "masked", "survey",
]  # fmt: skip
