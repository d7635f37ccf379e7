"""The routes of whole applications are those that the frameworks themselves name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from backaudit.project import Project
from tests.truth.routes import compare, linked, modelled, parameters, truth

APPS = Path(__file__).resolve().parent.parent / "fixtures" / "routes"
SPECS = {
    "django": "shop.settings",
    "fastapi": "shop.main:app",
    "flask": "site_app:app",
}
# How many pairs of method and path each application has, so that nothing is equal because nothing is there.
SIZES = {"django": 70, "fastapi": 34, "flask": 52}


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
