"""The routes of whole applications are those that the frameworks themselves name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from backaudit.project import Project
from tests.truth.routes import compare, linked, modelled, parameters, truth

APPS = Path(__file__).resolve().parent.parent / "fixtures" / "routes"
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
    "aiohttp": 17, "bottle": 12, "connexion": 8, "django": 70, "falcon": 8, "fastapi": 34, "flask": 52, "litestar": 17,
    "pyramid": 10, "sanic": 10, "tornado": 10,
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
    assert (equal, differing) == (18, [])


def test_requests_that_are_told_apart_by_hand() -> None:
    assert modelled(model("plain")) == {
        ("GET", "/"), ("GET", "/status"), ("GET", "/health"), ("GET", "/items/{}"), ("POST", "/items"),
        ("GET", "/hello"),
    }  # fmt: skip


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
