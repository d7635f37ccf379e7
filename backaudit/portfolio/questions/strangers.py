"""What somebody gets who asks for another's row."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.ownership import unowned
from backaudit.backend.access.owners import owner_column, parent_owner
from backaudit.backend.data.schema import schema
from backaudit.backend.web.records import Route
from backaudit.portfolio.records import Question
from backaudit.portfolio.stack import at_line, paired, route_name
from backaudit.project import Project
from backaudit.survey.records import RouteRow

_METHODS = ("DELETE", "PUT", "PATCH", "GET")
_REFUSING = (403, 404)


def ask(project: Project) -> Iterator[Question]:
    """Asked of one route that names a row by its path: that of a row which a user owns, if there is any."""
    loose = {(item.route.place, item.route.path): item for item in project.once(unowned)}
    found = sorted(_of_rows(project), key=lambda pair: _METHODS.index(pair[0].methods[0]))
    open_one = next((pair for pair in found if (pair[1].place, pair[1].path) in loose), None)
    if open_one is not None:
        item = loose[open_one[1].place, open_one[1].path]
        does = {"changed": "changes", "shown": "shows", "added to": "adds to"}[item.act]
        answer = f"It {does} the row: `{item.table.name}.{item.owner}` says whose it is, and the query does not ask it."
        yield Question(ask=_asked(open_one[0]), answer=answer, at=item.place)
    elif found:
        yield _kept(*found[0])
    elif _unguarded(project) is not None:
        row = _unguarded(project)
        assert row is not None
        answer = "What it answers the owner: the route does not ask who is calling."
        yield Question(ask=_asked(row), answer=answer, at=at_line(row.at))


def _of_rows(project: Project) -> Iterator[tuple[RouteRow, Route]]:
    """Routes of one method on a single row of a table that has an owner, which ask who is calling."""
    tables = schema(project)
    for row, route in project.once(paired):
        table = next((tables.table(name) for name in (*row.writes, *row.reads)), None)
        if table is None or not _names_a_row(row) or not row.authenticates:
            continue
        if owner_column(project, table) is not None or parent_owner(project, table) is not None:
            yield row, route


def _names_a_row(row: RouteRow) -> bool:
    return len(row.methods) == 1 and row.methods[0] in _METHODS and "{" in row.path


def _unguarded(project: Project) -> RouteRow | None:
    rows = (row for row, _ in project.once(paired) if _names_a_row(row) and row.writes and not row.authenticates)
    return min(rows, key=lambda row: (_METHODS.index(row.methods[0]), row.path), default=None)


def _asked(row: RouteRow) -> str:
    return f"User 2 is logged in and sends {route_name(row)} with the id of a row of user 1: what comes back?"


def _kept(row: RouteRow, route: Route) -> Question:
    refusals = [str(status) for status in row.statuses if status in _REFUSING]
    kinds = {guard.kind: guard for guard in route.guards}
    ranked = next((guard for guard in route.guards if guard.kind == "role" and guard.roles), None)
    if ranked is not None:
        answer = f"Refused unless user 2 is what `{ranked.name}` asks for: {' or '.join(ranked.roles)}."
        return Question(ask=_asked(row), answer=answer, at=ranked.place)
    if "ownership" in kinds:
        answer = f"{' or '.join(refusals) or 'A refusal'}: `{kinds['ownership'].name}` lets only the owner by."
        return Question(ask=_asked(row), answer=answer, at=kinds["ownership"].place)
    if refusals:
        answer = (
            f"{' or '.join(refusals)}: the row is looked up together with the caller, so it is not found for others."
        )
        return Question(ask=_asked(row), answer=answer, at=at_line(row.at))
    answer = "No way was found in which user 2 gets the row; which status it is, the code does not show."
    return Question(ask=_asked(row), answer=answer, at=at_line(row.at), known=False)
