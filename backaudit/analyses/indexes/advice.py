"""What to say of a missing index: why none serves, and the change that adds one, as the project's ORM writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backaudit.analyses.indexes.indexing import near_miss
from backaudit.analyses.indexes.missing import Missing
from backaudit.backend.data.schema import Index, Table
from backaudit.rule import Step

_MAX_RELATED = 5


def named(missing: Missing) -> str:
    """The columns that a finding is about, as ``table.column``."""
    return join_words([f"`{missing.table.name}.{column}`" for column in dict.fromkeys(u.column for u in missing.uses)])


def join_words(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def why(missing: Missing) -> str:
    """Why no index serves, naming the nearest miss."""
    table, column = missing.table, missing.uses[0].column
    near = near_miss(table, column)
    if near is not None:
        place = "second" if near.columns.index(_key(near, column)) == 1 else "later"
        return f"its only index is {_spelled(near)}, where it comes {place} and cannot be searched by alone"
    existing = list(dict.fromkeys(_spelled(index) for index in table.indexes if not index.keys[0].opclass))
    return f"the table's indexes are {join_words(existing[:4])}" if existing else "the table has no index at all"


def _key(index: Index, column: str) -> str:
    return next(name for name in index.columns if name.lower() == column.lower())


def _spelled(index: Index) -> str:
    kind = "primary key " if index.primary else "unique " if index.unique else ""
    return f"{kind}({', '.join(index.columns)})"


def remedy(table: Table, columns: Sequence[str]) -> str:
    """The model's change, the DDL, and how to roll it out, for an index over ``columns`` in that order."""
    index = f"ix_{table.name}_{'_'.join(columns)}"[:60]
    ddl = f"CREATE INDEX {index} ON {table.name} ({', '.join(columns)})"
    change = _model_change(table, columns, index)
    return f"{change} In SQL: `{ddl};`{_rollout(table)}"


def _model_change(table: Table, columns: Sequence[str], index: str) -> str:
    model = table.model.rpartition(".")[2] or table.name
    attributes = [
        column.attribute if (column := table.column(name)) is not None and column.attribute else name
        for name in columns
    ]
    quoted = ", ".join(f'"{name}"' for name in columns)
    fields = ", ".join(f'"{name}"' for name in attributes)
    single = len(columns) == 1
    if table.orm == "django":
        if table.place is None:
            return f"Use an own user model with an index on {fields}, or add it in a migration."
        return f'Add `models.Index(fields=[{fields}], name="{index[:30]}")` to `Meta.indexes` of `{model}`.'
    if table.orm in ("sqlalchemy", "flask_sqlalchemy") and table.model:
        if single:
            return f"Add `index=True` to the column `{model}.{attributes[0]}`."
        return f'Add `Index("{index}", {quoted})` to `__table_args__` of `{model}`.'
    if table.orm == "sqlmodel" and single:
        return f"Declare `{model}.{attributes[0]}` with `Field(index=True)`."
    if table.orm in ("tortoise", "peewee"):
        switch = "db_index=True" if table.orm == "tortoise" else "index=True"
        return (
            f"Add `{switch}` to `{model}.{attributes[0]}`."
            if single
            else f"Add ({fields}) to `Meta.indexes` of `{model}`."
        )
    return f"Add an index over {quoted}."


def _rollout(table: Table) -> str:
    if table.orm == "django":
        return (
            " On a large PostgreSQL table roll it out with `AddIndexConcurrently` in a migration with `atomic = False`."
        )
    if table.orm == "sql":
        return ""
    return " On a large PostgreSQL table the migration should create it with `postgresql_concurrently=True`."


def siblings(missing: Missing, every: Iterable[Missing]) -> tuple[Step, ...]:
    """The other places that the same index would serve."""
    same = [
        other
        for other in every
        if other is not missing
        and other.table.name == missing.table.name
        and other.proposed[:1] == missing.proposed[:1]
    ]
    return tuple(Step(other.place, "the same index serves this query") for other in same[:_MAX_RELATED])
