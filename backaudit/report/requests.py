"""Requests that show a mistake, as a reader copies them and as programs take them."""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import urlencode

from backaudit.facts.requests import Request

HOST = "http://localhost:8000"


def curl(request: Request) -> str:
    """One line for a terminal, with the request that has to be sent before."""
    return " && ".join(_curl(one) for one in (request.first, request) if one is not None)


def _curl(request: Request) -> str:
    parts = ["curl", "-i"]
    if request.method != ("POST" if request.body else "GET"):
        parts += ["-X", request.method]
    for name, value in request.headers:
        parts += ["-H", f"{name}: {value}"]
    if request.body:
        parts += ["--data-raw", request.body]
    return shlex.join([*parts, HOST + target(request)])


def target(request: Request) -> str:
    """Path and query string."""
    return f"{request.path}?{urlencode(request.query)}" if request.query else request.path


def outcome(request: Request) -> str:
    """What happens to the request today, and what should be answered."""
    wrong = f"{request.wrong}: " if request.wrong else ""
    raised = f"{request.raises} at {request.at}, " if request.raises and request.at else ""
    again = "the second time " if request.before is not None else ""
    wanted = " or ".join(map(str, request.wanted))
    due = f", where {wanted} is due" if wanted and request.status not in request.wanted else ""
    return f"{wrong}{again}{raised}answered {request.status}{due}{_conditions(request)}"


def _conditions(request: Request) -> str:
    needed = [f"asked by a caller whom {_listed(request.caller)} lets pass"] if request.caller else []
    needed += [f"with {_listed(request.rows)}"] if request.rows else []
    return f" ({'; '.join(needed)})" if needed else ""


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names)


def request_of(request: Request) -> dict[str, Any]:
    """A request as plain data."""
    return {
        "method": request.method,
        "path": request.path,
        "query": [list(pair) for pair in request.query],
        "headers": dict(request.headers),
        "body": request.sent,
        "route": request.route,
        "framework": request.framework,
        "wrong": request.wrong,
        "raises": request.raises or None,
        "at": request.at or None,
        "status": request.status,
        "wanted": list(request.wanted),
        "before": request.first.sent if request.first is not None else None,
        "caller": list(request.caller),
        "rows": list(request.rows),
        "curl": curl(request),
    }
