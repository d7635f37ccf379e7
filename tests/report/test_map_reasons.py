"""Why a route answers what it answers: guards, declarations, look-ups, and the failures that findings name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from backaudit.cli import cli

APPS = Path(__file__).resolve().parents[2] / "fixtures" / "apps"


def _map(app: str, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["map", "--no-cache", str(APPS / app), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def _route(app: str, method: str, path: str) -> dict[str, Any]:
    routes = json.loads(_map(app, "--reasons", "--format", "json"))["routes"]
    found: dict[str, Any] = next(r for r in routes if method in r["methods"] and r["path"] == path)
    return found


def _reasons(route: dict[str, Any]) -> set[tuple[int, str, str]]:
    return {(one["status"], one["reason"], one["source"]) for one in route["answers"]}


def test_a_failure_stands_with_what_is_wrong_and_where_it_is_raised() -> None:
    route = _route("django", "POST", "/api/accounts/recruiters/register/")
    assert route["statuses"] == [201, 500]
    assert (500, "`email` is left out: KeyError, which no one catches", "accounts/views.py:61") in _reasons(route)


def test_guards_and_declarations_refuse() -> None:
    reasons = _reasons(_route("fastapi", "PATCH", "/auth/me"))
    assert {status for status, _, _ in reasons} >= {401, 500}
    register = _reasons(_route("fastapi", "POST", "/auth/register"))
    assert (422, "the body may not fit what is declared", "app/routers/auth.py:14") in register
    assert any(status == 409 and "HTTPException" in reason for status, reason, _ in register)


def test_a_careful_application_has_no_failure() -> None:
    routes = json.loads(_map("fastapi-careful", "--reasons", "--format", "json"))["routes"]
    assert [r["path"] for r in routes if 500 in r["statuses"]] == []


def test_reasons_stand_in_the_text_and_in_the_openapi_document_when_asked_for() -> None:
    told = "404  `Response` is returned (accounts/views.py:42)"
    assert told in _map("django", "--reasons")
    assert told not in _map("django")
    document = json.loads(_map("django", "--reasons", "--format", "openapi"))
    answers = document["paths"]["/api/accounts/recruiters/login/"]["post"]["responses"]
    assert "JSONDecodeError, which no one catches (accounts/views.py:49)" in answers["500"]["description"]


def test_a_failure_is_told_of_the_method_that_meets_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
        "@app.route('/pages', methods=['GET', 'POST'])\ndef pages():\n    if request.method == 'POST':\n"
        "        return {'page': int(request.form.get('page', '1'))}\n    return {}\n",
        "utf-8",
    )
    done = CliRunner().invoke(cli, ["map", "--no-cache", str(tmp_path), "--reasons", "--format", "openapi"])
    found = json.loads(done.stdout)["paths"]["/pages"]
    assert {method: "500" in found[method]["responses"] for method in ("get", "post")} == {"get": False, "post": True}
