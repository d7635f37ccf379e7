"""What to say of a missing index: why none serves, and the change that adds one, as the project's ORM writes it."""

from __future__ import annotations

from collections.abc import Sequence

from backaudit.analyses.indexes.indexing import near_miss
from backaudit.analyses.indexes.missing import Missing, MissingIndex
from backaudit.analyses.indexes.selectivity import EQUALITIES
from backaudit.backend.data.schema import Index, Key, Table
from backaudit.rule import Step

_MAX_RELATED = 100
_PRICE = "Every insert then writes one entry more: about a microsecond and 27 bytes a row."


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


def others_served(index: MissingIndex) -> str:
    """How many queries more the index would serve."""
    count = len(index.others)
    return "" if not count else f" {count} other {'query' if count == 1 else 'queries'} would use the same index."


def remedy(index: MissingIndex) -> str:
    """The model's change, the DDL, why the columns stand in that order, what it costs, and how to roll it out."""
    table = index.table
    name = f"ix_{table.name}_{'_'.join(key.text for key in index.keys)}"[:60]
    ddl = f"CREATE INDEX {name} ON {table.name} ({', '.join(map(_ddl_key, index.keys))})"
    change = _model_change(table, index.keys, name)
    return f"{change} In SQL: `{ddl};`{_order(index)} {_PRICE}{_rollout(table)}"


def _ddl_key(key: Key) -> str:
    return f"{key.text}{' DESC' if key.descending else ''}{f' NULLS {key.nulls.upper()}' if key.nulls else ''}"


def _order(index: MissingIndex) -> str:
    """Why the columns stand in this order."""
    if len(index.keys) < 2:
        return ""
    exact = {use.column for missing in (index.first, *index.others) for use in missing.uses if use.form in EQUALITIES}
    sorts = [key.text for key in index.keys if key.text not in exact]
    if index.first.kind == "sort" or sorts:
        first, last = index.keys[0].text, index.keys[-1].text
        return f" `{first}` comes first: equal values are found together, and inside them `{last}` is in order."
    return f" `{index.keys[0].text}` comes first, since the index then serves queries by it alone too."


def _model_change(table: Table, keys: Sequence[Key], index: str) -> str:
    model = table.model.rpartition(".")[2] or table.name
    attributes = [
        column.attribute if (column := table.column(key.text)) is not None and column.attribute else key.text
        for key in keys
    ]
    quoted = ", ".join(f'"{key.text}"' for key in keys)
    signs = ["-" if key.descending and table.orm == "django" else "" for key in keys]
    fields = ", ".join(f'"{sign}{name}"' for sign, name in zip(signs, attributes, strict=True))
    single = len(keys) == 1
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
        return " On a large PostgreSQL table `CREATE INDEX CONCURRENTLY` does not block its writers."
    return " On a large PostgreSQL table the migration should create it with `postgresql_concurrently=True`."


_SERVED = {"filter": "looks up", "join": "joins", "sort": "sorts"}


def siblings(index: MissingIndex) -> tuple[Step, ...]:
    """The other places that the same index would serve."""
    return tuple(
        Step(other.place, f"the same index serves this query, which {_SERVED[other.kind]} by {named(other)}")
        for other in index.others[:_MAX_RELATED]
    )
