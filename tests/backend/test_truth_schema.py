"""The schema that the scan reads is the one that the frameworks make: on PostgreSQL, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backaudit.backend.data.schema.disagreements import disagreements
from tests.projects import project
from tests.truth import postgres, schema
from tests.truth.routes import linked

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "schema"
CASES = [
    ("sqlalchemy", "shop.models:Base.metadata", "sqlalchemy"),
    ("sqlalchemy", "blog.models:create_app(),blog.models:metadata", "flask_sqlalchemy"),
    ("sqlalchemy", "team.models:SQLModel.metadata", "sqlmodel"),
    ("sqlalchemy", "bases.models:metadata", "sqlalchemy_bases"),
    ("tortoise", "models", "tortoise"),
    ("peewee", "models", "peewee"),
    ("piccolo", "models", "piccolo"),
    ("pony", "models", "pony"),
    ("sqlalchemy", "models:base.metadata", "ormar"),
    ("django-models", "settings", "django"),
    ("django-migrations", "settings", "django_migrations"),
    ("alembic", "migrations", "alembic"),
    ("sql", "schema.sql", "sql"),
]
pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("postgres")]


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    try:
        running = postgres.running()
        started = running.__enter__()
    except Exception as error:  # noqa: BLE001 -- whatever keeps the server from starting here is the reason to skip
        pytest.skip(f"no PostgreSQL: {error}")
    yield started
    running.__exit__(None, None, None)


@pytest.mark.parametrize(("kind", "spec", "folder"), CASES, ids=[folder for _, _, folder in CASES])
def test_the_model_is_what_the_framework_makes(server: postgres.Server, kind: str, spec: str, folder: str) -> None:
    theirs = schema.truth(kind, spec, FIXTURES / folder, server.database())
    found = schema.compare(theirs, schema.modelled(kind, linked(FIXTURES / folder)))
    assert [part.share for part in found] == [1.0] * len(found), f"\n{found}"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("django_migrations", [("desk_ticket", "index", "priority", "models")]),
        ("alembic", [("sailors", "index", "nick", "models")]),
    ],
)
def test_what_models_have_and_migrations_lack_is_a_disagreement(folder: str, expected: list[tuple[str, ...]]) -> None:
    found = disagreements(linked(FIXTURES / folder))
    assert [item for item in found if item.only == "models"] != []
    assert [(item.table, item.kind, item.name, item.only) for item in found if item.only == "models"] == expected


def test_what_differs_is_named() -> None:
    theirs = {"t": {"columns": {"a": {"type": "character varying(9)", "null": True}}, "indexes": [], "keys": {}}}
    code = "from peewee import CharField, Model\nclass T(Model):\n    a = CharField(max_length=8, primary_key=True)\n"
    found = schema.compare(theirs, schema.modelled("peewee", project({"m.py": code})))
    assert (found.columns.missing, found.columns.extra) == (["t.a text(9) null"], ["t.a text(8)"])
    assert found.indexes.extra == ["t[a] unique"]
    assert (found.tables.share, found.columns.share) == (1.0, 0.0)
