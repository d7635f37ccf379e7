"""What to say of a missing index: why none serves, and the change that adds one, as the project's ORM writes it."""

from __future__ import annotations

from collections.abc import Sequence

from backaudit.analyses.indexes.indexing import near_miss
from backaudit.analyses.indexes.missing import Missing, MissingIndex
from backaudit.analyses.indexes.reports import Kind
from backaudit.analyses.indexes.unindexed_documents import UnindexedField
from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import Index, Key, Table
from backaudit.models import OrmModel
from backaudit.project import Project
from backaudit.rule import Step

_MAX_RELATED = 100
_MAX_BESIDES = 4
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
        told = f"its only index is {_spelled(near)}, where it comes {place} and is not searched by alone"
        return f"{told} (PostgreSQL from 18 on can, where few values come before it)"
    existing = list(dict.fromkeys(_spelled(index) for index in table.indexes if not index.keys[0].opclass))
    return f"the table's indexes are {join_words(existing[:4])}" if existing else "the table has no index at all"


def _key(index: Index, column: str) -> str:
    return next(name for name in index.columns if name.lower() == column.lower())


def _spelled(index: Index) -> str:
    kind = "primary key " if index.primary else "unique " if index.unique else ""
    part = " of some rows only" if index.where else ""
    return f"{kind}({', '.join(index.columns)}){part}"


def others_served(index: MissingIndex) -> str:
    """How many queries more the index would serve."""
    count = len(index.others)
    return "" if not count else f" {count} other {'query' if count == 1 else 'queries'} would use the same index."


def others_asked(besides: Sequence[MissingIndex]) -> str:
    """What the same query asks in other cases, which lacks an index of its own."""
    names = [f"`{index.table.name}.{index.keys[0].text}`" for index in besides[:_MAX_BESIDES]]
    return f" Nor does one for {join_words(names)}, by which it looks up in other cases." if names else ""


def remedy(project: Project, index: MissingIndex, besides: Sequence[MissingIndex]) -> str:
    """The model's change, the DDL, why the columns stand in that order, what it costs, and how to roll it out."""
    table, orm = index.table, traits(project, index.table.orm)
    change = _model_change(orm, table, index.keys, index_name(index))
    spelled = " ".join(f"`{_ddl(each)};`" for each in besides[:_MAX_BESIDES])
    likewise = f" Where the other cases are frequent: {spelled}" if spelled else ""
    return f"{change} In SQL: `{_ddl(index)};`{_order(index)}{likewise} {_PRICE}{orm.rollout}"


def _ddl(index: MissingIndex) -> str:
    return f"CREATE INDEX {index_name(index)} ON {index.table.name} ({', '.join(map(_ddl_key, index.keys))})"


def index_name(index: MissingIndex) -> str:
    return f"ix_{index.table.name}_{'_'.join(key.text for key in index.keys)}"[:60]


def _ddl_key(key: Key) -> str:
    return f"{key.text}{' DESC' if key.descending else ''}{f' NULLS {key.nulls.upper()}' if key.nulls else ''}"


def _order(index: MissingIndex) -> str:
    """Why the columns stand in this order: what is equal, then the range that is read of it, or how it is sorted."""
    if len(index.keys) < 2:
        return ""
    equalities = frozenset().union(*(missing.equalities for missing in (index.first, *index.others)))
    first = [key.text for key in index.keys if key.text in equalities]
    last = [key.text for key in index.keys if key.text not in equalities]
    if not first:
        return f" `{last[0]}` comes first, as the rows are wanted in its order."
    if not last:
        return f" `{first[0]}` comes first, since the index then serves queries by it alone too."
    equal = join_words([f"`{name}`" for name in first])
    before = f" {equal} {'come' if len(first) > 1 else 'comes'} first: equal values are found together"
    return f"{before}, and inside them `{last[0]}` is in order{_gained(index, last[0])}."


def _gained(index: MissingIndex, column: str) -> str:
    """What the order inside equal values is good for in the query that asks by all the keys."""
    sites = [missing.site for missing in (index.first, *index.others) if missing.keys == index.keys]
    roles = {use.role for site in sites for use in site.asked if (use.table, use.column) == (index.table.name, column)}
    if roles >= {"filter", "sort"}:
        return ", so that its range is one stretch and nothing is left to sort"
    return ", so that its range is one stretch" if "filter" in roles else ", so that nothing is left to sort"


def _model_change(orm: OrmModel, table: Table, keys: Sequence[Key], index: str) -> str:
    advice = orm.index if len(keys) == 1 else _listing(orm) or orm.index_many
    if table.place is None and orm.index_foreign:
        advice = orm.index_foreign
    elif not advice or not table.model:
        return f"Add an index over {_quoted(keys)}."
    return written(advice, orm, table, keys, index)


def _listing(orm: OrmModel) -> str:
    """What to say where the class itself lists its indexes."""
    return f"Add `{orm.index_element}` to `{orm.index_option}` of `{{model}}`." if orm.index_element else ""


def written(template: str, orm: OrmModel, table: Table, keys: Sequence[Key], index: str) -> str:
    """A text of the ORM's table about an index, with the names that this one has."""
    signed = [f'"{orm.descending if key.descending else ""}{_attribute(table, key)}"' for key in keys]
    return template.format(
        model=table.model.rpartition(".")[2] or table.name,
        attribute=_attribute(table, keys[0]),
        fields=", ".join(signed),
        columns=_quoted(keys),
        index=index,
    )


def _quoted(keys: Sequence[Key]) -> str:
    return ", ".join(f'"{key.text}"' for key in keys)


def _attribute(table: Table, key: Key) -> str:
    """What the model calls a column."""
    column = table.column(key.text)
    return (column.attribute if column is not None else "") or key.text


_SERVED: dict[Kind, str] = {"filter": "looks up", "join": "joins", "sort": "sorts"}


def siblings(index: MissingIndex) -> tuple[Step, ...]:
    """The other places that the same index would serve."""
    return tuple(
        Step(other.place, f"the same index serves this query, which {_SERVED[other.kind]} by {named(other)}")
        for other in index.others[:_MAX_RELATED]
    )


def document_remedy(project: Project, missing: UnindexedField) -> str:
    """The change that gives a collection its index, as its library writes it."""
    one = missing.collection
    model = one.model.rpartition(".")[2]
    stores = project.models.stores
    store = stores[one.store] if model else next(store for store in stores.values() if store.of_calls)
    written = store.index.format(field=missing.field, model=model, name=one.name)
    return f"{written} Every insert then writes one entry more."
