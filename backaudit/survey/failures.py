"""Routes that end as a server's failure, by what findings on errors say of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from backaudit.facts.requests import Request
from backaudit.survey.records import RouteRow, Spot, StatusRow, Survey


def with_failures(survey: Survey, requests: Iterable[Request]) -> Survey:
    """The survey with the statuses that requests of findings are answered with, at the routes that they name."""
    named = [request for request in requests if request.status >= 500]
    return msgspec.structs.replace(survey, routes=tuple(_failing(row, named) for row in survey.routes))


def _failing(row: RouteRow, requests: list[Request]) -> RouteRow:
    own = [one for one in requests if one.route == row.path and (not row.methods or one.method in row.methods)]
    several = len(row.methods) != 1
    every = (*row.told, *dict.fromkeys(_told(one, one.method if several else "") for one in own))
    statuses = {*row.statuses, *(one.status for one in every)}
    return msgspec.structs.replace(row, told=every, statuses=tuple(sorted(statuses)))


def _told(request: Request, method: str) -> StatusRow:
    path, _, line = request.at.rpartition(":")
    raised = f"{request.raises}, which no one catches" if request.raises else "answered for what a client does"
    reason = f"{request.wrong}: {raised}" if request.wrong else raised
    return StatusRow(request.status, reason, Spot(path, int(line)), method)
