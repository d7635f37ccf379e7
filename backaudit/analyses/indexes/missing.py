"""Query sites that lack an index, judged: which deserve a reader's time, and which one index would mend together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import msgspec

from backaudit.analyses.indexes.default_order import default_orders
from backaudit.analyses.indexes.indexing import usable
from backaudit.analyses.indexes.paging import paged
from backaudit.analyses.indexes.reach import reached, serves_requests
from backaudit.analyses.indexes.reports import Kind, Lack, Query, reports
from backaudit.analyses.indexes.reports import reached as narrowed_already
from backaudit.analyses.indexes.selectivity import (
    EQUALITIES,
    grows,
    is_key,
    is_settings,
    is_time,
    names_row,
    selectivity,
)
from backaudit.backend.data.queries import QuerySite, query_sites
from backaudit.backend.data.queries.related import related_sites
from backaudit.backend.data.schema import Index, Key, Schema, Table, may_index_keys, schema
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.sql import Use

Weight = Literal["high", "medium", "low"]
_RANK: dict[Weight, int] = {"high": 0, "medium": 1, "low": 2}
_FOREIGN = assume("purpose", "the library's own table is the project's to index")
_BLOCKED = assume("purpose", "an index that the whole condition could use is worth having")
_SELECTS = assume("effect", "what it asks leaves few of many rows")
_OTHER_ENGINE = assume("settings", "it does not run on MySQL, which gives each foreign key an index by itself")
_DELETES = assume("effect", "rows of the parent are deleted while there are many here")
_WHOLE = assume("purpose", "the join is of more than whole tables")
_MANY = assume("effect", "the table grows")
_FEW = assume("purpose", "the table holds more than a few rows")
_UNREAD = assume("guard", "the index that there is, of some rows only, does not hold these")
_KINDS: tuple[Kind, ...] = ("filter", "join", "sort")


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A site of which no index serves the uses. ``keys``: those of the index that would.

    ``weight``: what it costs; ``assumed``: what is supposed; ``core``: worth showing by default; ``limited``: only the
    first rows of an order are read.
    """

    site: QuerySite
    table: Table
    kind: Kind
    uses: tuple[Use, ...]
    keys: tuple[Key, ...]
    place: Place
    weight: Weight
    assumed: Assumed
    core: bool
    limited: bool = False

    @property
    def proposed(self) -> tuple[str, ...]:
        """The columns of the index that would serve."""
        return tuple(key.text for key in self.keys)

    @property
    def equalities(self) -> frozenset[str]:
        """The columns of the table that the query compares with values, equal to them."""
        asked = (use for use in self.site.asked if use.role == "filter" and use.form in EQUALITIES)
        return frozenset(use.column for use in asked if use.table == self.table.name)


class MissingIndex(msgspec.Struct, frozen=True, kw_only=True):
    """One index that is missing. ``first``: the site that says it best; ``others``: those that it would serve too."""

    table: Table
    keys: tuple[Key, ...]
    first: Missing
    others: tuple[Missing, ...] = ()


def missing_indexes(project: Project, kind: Kind) -> tuple[MissingIndex, ...]:
    """The indexes that are missing for a kind of use, by place; an index that several kinds need is told once."""
    return tuple(index for index in project.once(_indexes) if index.first.kind == kind)


def missing_sites(project: Project, kind: Kind) -> tuple[Missing, ...]:
    """The sites without a usable index for a kind of use, by place."""
    return tuple(missing for missing in project.once(_missing) if missing.kind == kind)


def unusable_forms(project: Project) -> tuple[Missing, ...]:
    """Predicates whose form keeps a plain index from serving them, one per site and column, by place."""
    return project.once(_unusable_forms)


def _sites(project: Project) -> Iterator[QuerySite]:
    return (site for site in query_sites(project) if project.role(site.code.path) in ("production", "script"))


# -- one finding for one index -----------------------------------------------------------------------------------------


def _indexes(project: Project) -> tuple[MissingIndex, ...]:
    every = project.once(_missing)
    equal = [[key.text for key in missing.keys if key.text in missing.equalities] for missing in every]
    alone = {names[0] for names in equal if len(names) == 1}
    groups: dict[tuple[str, str], list[Missing]] = {}
    for missing in every:
        ordered = msgspec.structs.replace(missing, keys=_shared_first(missing, alone))
        groups.setdefault((missing.table.name, ordered.keys[0].text.lower()), []).append(ordered)
    found = (_one(group) for group in groups.values())
    return tuple(sorted(found, key=lambda index: index.first.place))


def _shared_first(missing: Missing, alone: Collection[str]) -> tuple[Key, ...]:
    """The keys with those of equalities that other queries ask alone in front: one index then serves both."""
    first = [key for key in missing.keys if key.text in missing.equalities]
    rest = [key for key in missing.keys if key.text not in missing.equalities]
    return (*sorted(first, key=lambda key: key.text not in alone), *rest)


def rank(missing: Missing) -> tuple[object, ...]:
    """What is told first: what is surely wanted, what somebody wrote, what costs most."""
    kind = _KINDS.index(missing.kind)
    return not missing.core, missing.site.implied, _RANK[missing.weight], kind, missing.place


def _one(group: Sequence[Missing]) -> MissingIndex:
    ranked = sorted(group, key=rank)
    longest = max((missing.keys for missing in ranked), key=len)
    places: dict[Place, Missing] = {}
    for missing in ranked:
        places.setdefault(missing.place, missing)
    first, *others = places.values()
    keys = longest if longest[: len(first.keys)] == first.keys else first.keys
    return MissingIndex(table=first.table, keys=keys, first=first, others=tuple(sorted(others, key=lambda m: m.place)))


# -- sites -------------------------------------------------------------------------------------------------------------


def _missing(project: Project) -> tuple[Missing, ...]:
    """What queries lack; the links of a chain are one query, told where the first of them asks what no index serves."""
    tables = schema(project)
    found: dict[tuple[Place, str, str, str], Missing] = {}
    for site in (*_sites(project), *default_orders(project), *_related(project)):
        for lack in lacks(project, tables, site):
            missing = _judged(project, site, lack)
            if missing is not None:
                key = (missing.place, missing.table.name, missing.kind, missing.proposed[0])
                found[key] = _always_asked(found.get(key), missing)
    return tuple(found[key] for key in sorted(found))


def _always_asked(one: Missing | None, other: Missing) -> Missing:
    """Of what is lacked at one place, what the link lacks that runs whatever else is asked, or what is worth most."""
    ranks = [(len(each.site.parts), not each.core) for each in (one, other) if each is not None]
    return other if one is None or ranks[1] < ranks[0] else one


def _related(project: Project) -> Iterator[QuerySite]:
    return (site for site in related_sites(project) if project.role(site.code.path) == "production")


def lacks(project: Project, tables: Schema, site: QuerySite) -> Iterator[Lack]:
    """What the query of a site lacks, as far as it is asked where the site is."""
    limited = site.limited or (any(use.role == "sort" for use in site.asked) and paged(project, site.node))
    for asked in _variants(site):
        for lack in reports(tables, Query(uses=asked, limited=limited, verb=site.verb)):
            narrowed = _by_name(lack)
            mine = tuple(use for use in narrowed.uses if use in site.written or lack.deletes)
            if mine:
                yield msgspec.structs.replace(narrowed, uses=mine)


def _variants(site: QuerySite) -> Iterator[tuple[Use, ...]]:
    """What the query asks always, and that with what it asks only sometimes, branch by branch."""
    for when in dict.fromkeys((0, *(use.when for use in site.asked))):
        yield tuple(use for use in site.asked if use.when in (0, when))


def _by_name(lack: Lack) -> Lack:
    """A lack as it is; only that of what names the row, if something does: one index on that is all that is wanted."""
    named = tuple(use for use in lack.uses if names_row(lack.table, use)) if lack.kind == "filter" else ()
    return msgspec.structs.replace(lack, uses=named, keys=_of_uses(lack, named)) if named else lack


def _judged(project: Project, site: QuerySite, lack: Lack) -> Missing | None:
    if is_settings(lack.table) or lack.table.view or _is_for_others(project, lack.table):
        return None
    if lack.kind != "filter" and not grows(lack.table):
        return None
    asked = {"filter": _filter, "join": _join, "sort": _sort}
    missing = asked[lack.kind](project, site, lack)
    if missing is None or not any(_is_unread(index, missing) for index in lack.table.indexes):
        return missing
    return msgspec.structs.replace(missing, assumed=(*missing.assumed, *_UNREAD))


def _is_unread(index: Index, missing: Missing) -> bool:
    """Whether an index that begins with what is asked for holds some rows only, and nobody could read which."""
    asked = {name.lower() for name in (*missing.proposed, *(use.column for use in missing.uses))}
    return index.where == "?" and index.keys[0].text.lower() in asked


def _is_for_others(project: Project, table: Table) -> bool:
    """Whether a class that names no table and has no key only brings columns to those that extend it."""
    cls = project.class_named(table.model) if table.model and not table.primary_key else None
    return cls is not None and not any("__tablename__" in view.fields for view in project.lineage_views(cls.name))


def _filter(project: Project, site: QuerySite, lack: Lack) -> Missing | None:
    table = lack.table
    level, uses = _narrowest(lack)
    # A library's own table is not the project's to index; a filter that clients may fill in is worth one for keys only.
    optional = site.code.function.kind == "class" and not all(is_key(table, use) for use in uses)
    foreign = table.place is None
    wanted = level != "low" and not (lack.blocked or optional or foreign)
    core = wanted and grows(table) and reached(project, site.code)
    return Missing(
        site=site,
        table=table,
        kind="filter",
        uses=uses,
        keys=_of_uses(lack, uses),
        place=site.place_of(uses[0]),
        weight=level if core else "low",
        assumed=_supposed(project, table, uses, foreign, lack.blocked, level),
        core=core and not (site.unread or site.implied) and serves_requests(project, site.code),
    )


def _supposed(
    project: Project, table: Table, uses: Sequence[Use], foreign: bool, blocked: bool, level: Weight
) -> Assumed:
    if foreign or blocked:
        return _FOREIGN if foreign else _BLOCKED
    named = [table.column(use.column) for use in uses]
    keys = all(column is not None and column.references for column in named)
    other = _OTHER_ENGINE if keys and project.once(may_index_keys) else KNOWN
    return (*other, *(KNOWN if level == "high" else _SELECTS))


def _narrowest(lack: Lack) -> tuple[Weight, tuple[Use, ...]]:
    """How surely the conditions leave few rows, and those that do so best."""
    levels = {use: selectivity(lack.table, use) if use.form in EQUALITIES else "low" for use in lack.uses}
    weights: tuple[Weight, ...] = ("high", "medium")
    for weight in weights:
        best = tuple(use for use in lack.uses if levels[use] == weight)
        if best:
            return weight, best
    return "low", tuple(lack.uses)


def _of_uses(lack: Lack, uses: Sequence[Use]) -> tuple[Key, ...]:
    """The keys without the columns of conditions that select too little to be asked for."""
    left_out = {use.column for use in lack.uses if use not in uses}
    return tuple(key for key in lack.keys if key.text not in left_out) or (Key(uses[0].column),)


def _join(project: Project, site: QuerySite, lack: Lack) -> Missing:
    production = serves_requests(project, site.code) and reached(project, site.code)
    (use,) = lack.uses
    return Missing(
        site=site, table=lack.table, kind="join", uses=(use,), keys=lack.keys, place=site.place_of(use), weight="high",
        assumed=_DELETES if site.verb == "delete" else KNOWN if lack.narrowed else _WHOLE,
        core=production and site.verb != "delete" and lack.narrowed,
    )  # fmt: skip


def _sort(project: Project, site: QuerySite, lack: Lack) -> Missing | None:
    first = lack.uses[0]
    joined = site.unread or any(use.role == "join" for use in site.asked)
    limited = site.limited or paged(project, site.node)
    free = lack.narrowed and not joined
    if not free and not limited:
        return None
    written = not site.implied
    core = free and limited and written and is_time(lack.table, first.column) and reached(project, site.code)
    return Missing(
        site=site,
        table=lack.table,
        kind="sort",
        uses=(first,),
        keys=lack.keys,
        place=site.place_of(first),
        weight="medium" if core else "low",
        assumed=_MANY if core else _FEW,
        core=core and serves_requests(project, site.code),
        limited=limited,
    )


# -- forms -------------------------------------------------------------------------------------------------------------


def _unusable_forms(project: Project) -> tuple[Missing, ...]:
    tables = schema(project)
    found: dict[tuple[Place, str], Missing] = {}
    for site in _sites(project):
        for use in site.uses:
            table = tables.table(use.table)
            if table is not None and _is_unusable(tables, site, table, use):
                missing = _form(site, table, use)
                found.setdefault((missing.place, f"{use.table}.{use.column}"), missing)
    return tuple(found[key] for key in sorted(found))


def _is_unusable(tables: Schema, site: QuerySite, table: Table, use: Use) -> bool:
    if use.role != "filter" or use.form not in ("like", "function", "prefix") or table.column(use.column) is None:
        return False
    every = site.asked
    own = [other for other in every if other.rows == use.rows]
    others = [other for other in own if other is not use]
    return not usable(table, use, others).served and not narrowed_already(tables, table, own, every)


def _form(site: QuerySite, table: Table, use: Use) -> Missing:
    growing = grows(table)
    return Missing(
        site=site,
        table=table,
        kind="filter",
        uses=(use,),
        keys=(Key(use.column),),
        place=use.place or site.place_of(use),
        weight="medium" if growing else "low",
        assumed=_MANY if growing and use.form != "prefix" else _FEW,
        core=False,
    )
