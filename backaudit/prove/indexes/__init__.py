"""What a planner can be asked of the queries at a place of the project."""

from __future__ import annotations

import msgspec

from backaudit.analyses.indexes.claims import claims_at
from backaudit.backend.data.queries import QuerySite, query_sites
from backaudit.backend.data.schema import Index, Schema, schema
from backaudit.facts.place import Place
from backaudit.facts.plans import Claim
from backaudit.project import Project


class Question(msgspec.Struct, frozen=True):
    """A query at a place. ``indexes``: those that its table has, as a reader writes them."""

    place: Place
    claim: Claim
    indexes: tuple[str, ...]


def questions_at(project: Project, path: str, line: int) -> tuple[Question, ...]:
    """The queries that stand on a line, or whose statement goes over it."""
    tables = schema(project)
    sites = [site for site in query_sites(project) if site.place.path.endswith(path)]
    there = [site for site in sites if site.place.span.line == line] or [site for site in sites if _covers(site, line)]
    found = {
        claim.query: Question(site.place, claim, _indexes(tables, claim.table))
        for site in there
        for claim in claims_at(tables, site)
    }
    return tuple(found.values())


def lines_with_queries(project: Project, path: str) -> tuple[int, ...]:
    """The lines of a file on which queries stand that can be told as SQL."""
    tables = schema(project)
    sites = (site for site in query_sites(project) if site.place.path.endswith(path))
    return tuple(sorted({site.place.span.line for site in sites if claims_at(tables, site)}))


def _covers(site: QuerySite, line: int) -> bool:
    at = site.node.at
    return at.line <= line <= at.end_line


def _indexes(tables: Schema, name: str) -> tuple[str, ...]:
    table = tables.table(name)
    plain = (index for index in table.indexes if not index.keys[0].opclass) if table is not None else ()
    return tuple(dict.fromkeys(map(_spelled, plain)))


def _spelled(index: Index) -> str:
    kind = "primary key " if index.primary else "unique " if index.unique else ""
    where = f" WHERE {index.where}" if index.where else ""
    return f"{kind}({', '.join(index.columns)}){where}"
