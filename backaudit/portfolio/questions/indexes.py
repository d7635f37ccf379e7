"""Why there is an index, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries import QuerySite, query_sites
from backaudit.portfolio.records import Question
from backaudit.portfolio.stack import counted, place_of
from backaudit.portfolio.tables import own_tables
from backaudit.project import Project
from backaudit.survey.records import IndexRow, TableRow


def ask(project: Project) -> Iterator[Question]:
    """Asked of one index: the widest that the author chose and that a query is served by."""
    chosen = [(table, index) for table in own_tables(project) for index in _chosen(table)]
    ranked = sorted(chosen, key=lambda pair: (-len(pair[1].keys), pair[0].name, pair[1].keys))
    for table, index in ranked:
        site = _served(project, table, index)
        if site is not None:
            yield _answered(table, index, site)
            return
    if ranked:
        table, index = ranked[0]
        answer = "No query was found that begins with its columns: be ready to say which one it is for, or drop it."
        yield Question(ask=_asked(table, index), answer=answer, at=place_of(table.at), known=False)


def _chosen(table: TableRow) -> list[IndexRow]:
    """The indexes that somebody thought of: not those of a unique constraint, nor an ORM's own on each foreign key."""
    keys = {(column.name,) for column in table.columns if column.references}
    return [index for index in table.indexes if not index.unique and index.keys not in keys]


def _asked(table: TableRow, index: IndexRow) -> str:
    return f"Why is there an index on {table.name} ({', '.join(index.keys)}), and what does it cost?"


def _served(project: Project, table: TableRow, index: IndexRow) -> QuerySite | None:
    """The query that uses most of an index's columns, from the first on."""
    keys = [key.removesuffix(" desc") for key in index.keys]
    best, most = None, 0
    for site in query_sites(project):
        used = {use.column for use in site.uses if use.table == table.name}
        count = next((number for number, key in enumerate(keys) if key not in used), len(keys))
        if count > most and project.role(site.place.path) == "production":
            best, most = site, count
    return best


def _answered(table: TableRow, index: IndexRow, site: QuerySite) -> Question:
    every = len(table.indexes) + bool(table.primary)
    answer = (
        f"The query at {site.place.path}:{site.place.span.line} asks by it. "
        f"Every insert into {table.name}, and every change of these columns, writes it too: "
        f"with it the table has {counted(every, 'index', 'indexes')}."
    )
    return Question(ask=_asked(table, index), answer=answer, at=site.place)
