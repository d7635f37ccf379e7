"""What cells of the map say: the same words in the terminal and on the page."""

from __future__ import annotations

from backaudit.backend.web.inputs.records import Shape
from backaudit.survey.records import (
    CollectionRow,
    ColumnRow,
    DifferenceRow,
    DocumentFieldRow,
    IndexRow,
    RouteRow,
    Sent,
    Survey,
    TableRow,
)

NONE = "none"
_BODIES = ("body", "form", "file")


def methods(row: RouteRow) -> str:
    return " ".join(row.methods) or "any"


def handler(row: RouteRow) -> str:
    """The function, or class and method, without the module."""
    parts = row.handler.split(".")
    first = next((at for at, part in enumerate(parts[:-1]) if part[:1].isupper()), len(parts) - 1)
    return ".".join(parts[first:])


def auth(row: RouteRow) -> str:
    """The guards that know the caller, in their order; ``none`` where nothing asks who is calling."""
    return ", ".join(guard.name for guard in row.guards if guard.proves) or NONE


def besides(row: RouteRow) -> list[str]:
    """What else turns callers away: rate limits, and the check of a password that was sent."""
    return [f"{'limits' if guard.kinds else 'checks'}: {guard.name}" for guard in row.guards if not guard.proves]


def taken(row: RouteRow, survey: Survey) -> list[str]:
    """What is taken, place by place: a schema by its title, fields by their names; ``raw`` for what nothing checks."""
    places = ("query", "form", "file", "body")
    said = ((where, _taken_from(where, [one for one in row.sent if one.where == where], survey)) for where in places)
    return [f"{where}: {text}" for where, text in said if text]


def _taken_from(where: str, sent: list[Sent], survey: Survey) -> str:
    wholes = [title(one.shape, survey) if one.checked else "raw" for one in sent if not one.name]
    named = [one for one in sent if one.name]
    if wholes or not named:
        return ", ".join(wholes)
    raw = where in _BODIES and not any(one.checked for one in named)
    return f"raw ({_listed(named)})" if raw else _listed(named)


def _listed(sent: list[Sent], most: int = 6) -> str:
    names = [one.name for one in sent]
    return ", ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")


def title(shape: Shape, survey: Survey) -> str:
    """A shape in a word: ``UserCreate``, ``UserCreate[]``, ``string``."""
    if shape.either:
        return " | ".join(title(part, survey) for part in shape.either)
    if shape.schema:
        row = survey.schema(shape.schema)
        return row.title if row is not None else "object"
    if shape.items is not None:
        inner = title(shape.items, survey)
        return f"{inner}[]" if shape.kind == "array" else f"object of {inner}"
    return shape.format or shape.kind


def statuses(row: RouteRow) -> str:
    return " ".join(map(str, row.statuses))


def tables(row: RouteRow) -> list[str]:
    """``reads users, tasks``, ``writes tasks``."""
    found = [("reads", row.reads), ("writes", row.writes)]
    return [f"{verb} {', '.join(names)}" for verb, names in found if names]


def column_type(column: ColumnRow) -> str:
    return f"{column.type}({column.length})" if column.length is not None else column.type


def column_notes(column: ColumnRow) -> list[str]:
    """Key, unique, null, reference."""
    return [
        *(["primary key"] if column.primary else []),
        *(["unique"] if column.unique else []),
        *([] if column.primary else ["null"] if column.nullable else ["not null"]),
        *(["default"] if column.default else []),
        *([f"→ {column.references}"] if column.references else []),
    ]


def index_text(index: IndexRow) -> str:
    """``unique ix_name (a, b desc) where x = 1``."""
    method = f" using {index.method}" if index.method not in ("btree", "") else ""
    where = f" where {index.where}" if index.where else ""
    name = f"{index.name} " if index.name else ""
    return f"{'unique ' if index.unique else ''}{name}({', '.join(index.keys)}){method}{where}"


def table_source(table: TableRow | CollectionRow) -> str:
    return f"{table.model}" if table.model else table.source


def difference_text(row: DifferenceRow) -> str:
    """``index (priority) only in models``, ``column nick may be null only in migrations``."""
    what = {
        "table": "table",
        "column": f"column {row.name}",
        "nullability": f"column {row.name} may be null",
        "index": f"index ({row.name})",
    }
    return f"{what[row.kind]} only in {row.only}"


def differences(table: TableRow) -> str:
    """All that models and migrations disagree about, as one line; empty if they agree."""
    return "; ".join(map(difference_text, table.differences))


def field_notes(field: DocumentFieldRow) -> list[str]:
    """Required, reference."""
    return [*(["required"] if field.required else []), *([f"→ {field.references}"] if field.references else [])]


def counted(number: int, noun: str, many: str = "") -> str:
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def totals(survey: Survey) -> str:
    """The headline: how many of each, and how many routes nothing guards."""
    open_routes = sum(not row.authenticates for row in survey.routes)
    parts = [counted(len(survey.routes), "route")]
    parts += [f"{open_routes:,} without authentication"] if survey.routes else []
    raw = sum(bool(row.raw) for row in survey.routes)
    parts += [f"{raw:,} with raw input"] if raw else []
    stored = [counted(len(survey.collections), "collection")] if survey.collections else []
    tables = [counted(len(survey.tables), "table")] if survey.tables or not stored else []
    return ", ".join([*parts, *tables, *stored])
