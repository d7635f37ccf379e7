"""The routes of whole applications are those that the frameworks themselves name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from backaudit.backend.access.guards import guarded
from backaudit.backend.endpoints import endpoints
from backaudit.project import Project
from tests.truth.routes import compare, linked, modelled, parameters, truth

APPS = Path(__file__).resolve().parents[2] / "fixtures" / "routes"
SPECS = {
    "aiohttp": "main:app",
    "bottle": "main:app",
    "connexion": "main:app",
    "django": "shop.settings",
    "falcon": "main:app",
    "fastapi": "shop.main:app",
    "flask": "site_app:app",
    "litestar": "main:app",
    "pyramid": "main:app",
    "sanic": "main:app",
    "tornado": "main:app",
}
# How many pairs of method and path each application has, so that nothing is equal because nothing is there.
SIZES = {
    "aiohttp": 22, "bottle": 12, "connexion": 8, "django": 78, "falcon": 17, "fastapi": 36, "flask": 64, "litestar": 17,
    "pyramid": 10, "sanic": 10, "tornado": 23,
}  # fmt: skip


@cache
def model(kind: str) -> Project:
    return linked(APPS / kind)


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_the_model_has_the_routes_of_the_framework(kind: str) -> None:
    found = compare(modelled(model(kind)), truth(kind, SPECS[kind], APPS / kind))
    assert (sorted(found.missing), sorted(found.extra)) == ([], [])
    assert len(found.equal) == SIZES[kind]


def test_typed_handlers_have_the_parameters_of_the_frameworks_own_schema() -> None:
    equal, differing = parameters(model("fastapi"), truth("fastapi", SPECS["fastapi"], APPS / "fastapi"))
    assert (equal, differing) == (25, [])


def test_requests_that_are_told_apart_by_hand() -> None:
    assert modelled(model("plain")) == {
        ("GET", "/"), ("GET", "/status"), ("GET", "/health"), ("GET", "/items/{}"), ("POST", "/items"),
        ("GET", "/hello"),
    }  # fmt: skip


GUARDS = {
    # framework, method, path: the names of what turns callers away
    ("aiohttp", "POST", "/admin/members/{id}"): ["must_be_known"],
    ("bottle", "PUT", "/a"): ["known"],
    ("connexion", "DELETE", "/v1/items/{item_id}"): ["bearer"],
    ("connexion", "GET", "/v1/items"): [],
    ("falcon", "GET", "/quotes"): ["Known"],
    ("falcon", "POST", "/things"): ["Known", "falcon.before"],
    ("litestar", "GET", "/alive"): [],
    ("litestar", "GET", "/v1/inner/books"): ["signed_in"],
    ("plain", "POST", "/items"): ["a check in the body"],
    ("pyramid", "DELETE", "/api/things/{key}"): ["edit", "edit"],
    ("pyramid", "GET", "/late/{rest}"): ["a check in the body"],
    ("pyramid", "GET", "/api/things/{key}"): [],
    ("sanic", "DELETE", "/api/items/{key}"): ["known"],
    ("sanic", "PUT", "/things/{what}"): ["known", "protected"],
    ("tornado", "GET", "/"): [],
    ("tornado", "POST", "/entry/{slug}/{number}/"): ["authenticated"],
    ("tornado", "PUT", "/compose"): ["Compose.prepare"],
    # A mounted application has its own dependencies alone.
    ("fastapi", "GET", "/admin/users"): [],
    # It asks who calls, and is called after a right.
    ("fastapi", "PUT", "/api/v1/orders/{order_id}/recount"): ["admin", "admin"],
}


@pytest.mark.parametrize(("kind", "method", "path"), sorted(GUARDS))
def test_the_guards_of_a_route(kind: str, method: str, path: str) -> None:
    found = [r for r in model(kind).once(guarded) if r.path == path and method in r.methods]
    assert [[guard.name for guard in route.guards] for route in found[:1]] == [GUARDS[kind, method, path]]


INPUTS = {
    ("aiohttp", "POST", "/admin/members/{id}"): ["path id", "body name"],
    ("bottle", "GET", "/index/{name}"): ["path name", "query q"],
    ("connexion", "GET", "/v1/items/{item_id}"): ["header X-Trace", "path item_id"],
    ("falcon", "PUT", "/images/{name}"): ["path name", "query title"],
    ("litestar", "PATCH", "/v1/books/{book_id}"): ["path book_id", "body data", "header X-Key"],
    ("pyramid", "POST", "/api/things"): ["body name"],
    ("sanic", "PUT", "/things/{what}"): ["path what", "form name"],
    ("tornado", "POST", "/entry/{slug}/{number}/"): ["path slug", "path number", "form text"],
}


@pytest.mark.parametrize(("kind", "method", "path"), sorted(INPUTS))
def test_what_a_client_sends_to_a_route(kind: str, method: str, path: str) -> None:
    found = [e for e in model(kind).once(endpoints) if e.route.path == path and method in e.route.methods]
    assert [f"{item.where} {item.name}" for item in found[0].inputs] == INPUTS[kind, method, path]


def test_a_route_that_is_missing_and_one_too_many_are_told() -> None:
    rows = [
        {"methods": ["GET"], "path": "/a/{x}", "own": True},
        {"methods": ["POST"], "path": "/b", "own": True},
        {"methods": ["GET"], "path": "/docs", "own": False},
    ]
    found = compare({("GET", "/a/{}"), ("GET", "/c")}, rows)
    assert found.equal == {("GET", "/a/{}")}
    assert (set(found.missing), set(found.extra)) == ({("POST", "/b")}, {("GET", "/c")})
    assert (round(found.share, 2), found.library) == (0.33, 1)
