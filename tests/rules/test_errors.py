"""What an ``except`` catches and does, what a function answers, and by which way an exception leaves a request."""

from __future__ import annotations

import pytest

from backaudit.backend.access.missing import none_giving
from backaudit.backend.web.catching import ancestry, catches, escapes, handlers, logs, uses_exception
from backaudit.backend.web.exception_texts import exception_text
from backaudit.backend.web.responses import answers
from backaudit.facts import ops
from backaudit.project import Code, Project
from tests.projects import project


def _code(found: Project, name: str) -> Code:
    code = found.function_named(name)
    assert code is not None
    return code


def _statuses(body: str, imports: str = "") -> list[int | None]:
    text = f"{imports}\n\ndef view(flag, status):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    found = project({"app.py": text})
    return [answer.status for answer in answers(found, _code(found, "app.view"))]


@pytest.mark.parametrize(
    ("imports", "body", "expected"),
    [
        ("", "return {'a': 1}", [200]),
        ("", "return {'a': 1}, 404", [404]),
        ("", "return {'a': 1}, status", [None]),
        ("from http import HTTPStatus", "return {}, HTTPStatus.CONFLICT", [409]),
        ("from flask import jsonify", "return jsonify(a=1)", [200]),
        ("from flask import jsonify, make_response", "return make_response(jsonify(a=1), 418)", [418]),
        ("from flask import jsonify", "answer = jsonify(a=1)\nanswer.status_code = 409\nreturn answer", [409]),
        ("from flask import abort", "abort(403)", [403]),
        ("from fastapi import HTTPException", "raise HTTPException(404, 'no')", [404]),
        ("from fastapi import HTTPException, status as s", "raise HTTPException(status_code=s.HTTP_410_GONE)", [410]),
        ("from django.http import Http404", "raise Http404", [404]),
        ("from django.http import JsonResponse", "return JsonResponse({}, status=400)", [400]),
        ("from django.http import HttpResponseForbidden", "return HttpResponseForbidden()", [403]),
        ("from rest_framework.response import Response", "return Response({}, 202)", [202]),
        ("from rest_framework.exceptions import NotFound", "raise NotFound('no')", [404]),
        ("", "return ({}, 400) if flag else {}", [400, 200]),
    ],
)
def test_the_status_is_told_whatever_the_framework(imports: str, body: str, expected: list[int | None]) -> None:
    assert _statuses(body, imports) == expected


def test_a_helpers_status_is_what_the_call_passes() -> None:
    text = (
        "from flask import jsonify\n\n"
        "def failure(text, status=400):\n    return jsonify(error=text), status\n\n"
        "def view():\n    return failure('taken', 409)\n\n"
        "def other():\n    return failure('bad')\n"
    )
    found = project({"app.py": text})
    assert [answer.status for answer in answers(found, _code(found, "app.view"))] == [409]
    assert [answer.status for answer in answers(found, _code(found, "app.other"))] == [400]


def test_an_exception_of_the_project_has_its_own_status() -> None:
    text = (
        "from fastapi import HTTPException\n\n"
        "class Taken(HTTPException):\n    def __init__(self):\n        super().__init__(status_code=409)\n\n"
        "def view():\n    raise Taken()\n"
    )
    found = project({"app.py": text})
    assert [answer.status for answer in answers(found, _code(found, "app.view"))] == [409]


HANDLERS = """\
import logging

logger = logging.getLogger(__name__)


def view(store):
    try:
        store.save()
    except {types}:
        {body}
"""


@pytest.mark.parametrize(
    ("types", "broad"),
    [("Exception", True), ("(ValueError, BaseException)", True), ("ValueError", False), ("(KeyError, OSError)", False)],
)
def test_a_catch_all_is_one_that_takes_everything(types: str, broad: bool) -> None:
    (handler,) = handlers(project({"app.py": HANDLERS.format(types=types, body="pass")}))
    assert handler.broad is broad
    assert not handler.bare


@pytest.mark.parametrize(
    ("body", "logged", "used"),
    [
        ("pass", False, False),
        ("logger.exception('failed')", True, False),
        ("print(error)", False, False),
        ("store.failures.append(error)", False, True),
        ("text = str(error)", False, False),
        ("return str(error)", False, True),
    ],
)
def test_what_a_handler_does_with_the_exception(body: str, logged: bool, used: bool) -> None:
    found = project({"app.py": HANDLERS.format(types="Exception as error", body=body)})
    (handler,) = handlers(found)
    assert logs(found, handler) is logged
    assert uses_exception(found, handler) is used


def test_the_text_of_an_exception_is_followed_through_names_formats_and_helpers() -> None:
    text = (
        "def shorten(text):\n    return text.strip()\n\n"
        "def view(store):\n"
        "    try:\n        store.save()\n"
        "    except Exception as error:\n"
        "        message = f'failed: {error}'\n"
        "        return {'a': shorten(message)}\n"
        "    return {'a': 'done'}\n"
    )
    found = project({"app.py": text})
    shown, fixed = answers(found, _code(found, "app.view"))
    assert [exception_text(found, part) is not None for part in shown.body] == [True]
    assert [exception_text(found, part) for part in fixed.body] == [None]


def test_exceptions_inherit_as_python_and_the_libraries_say() -> None:
    found = project({"app.py": "class Own(KeyError):\n    pass\n"})
    assert {"KeyError", "LookupError", "Exception"} <= ancestry(found, "app.Own")
    assert "ValueError" in ancestry(found, "json.JSONDecodeError")
    assert "SQLAlchemyError" in ancestry(found, "sqlalchemy.exc.IntegrityError")
    assert "ValueError" not in ancestry(found, "builtins.KeyError")


ESCAPES = """\
from flask import Flask

app = Flask(__name__)


def load(text):
    return int(text)


@app.get("/a/<text>")
def open_way(text):
    return {{"n": {caller}}}


@app.get("/b/<text>")
def closed_way(text):
    try:
        return {{"n": load(text)}}
    except ValueError:
        return {{}}, 400
"""


@pytest.mark.parametrize(("caller", "way"), [("load(text)", 1), ("len(text)", None)])
def test_an_exception_escapes_if_one_caller_lets_it(caller: str, way: int | None) -> None:
    found = project({"app.py": ESCAPES.format(caller=caller)})
    (call,) = _code(found, "app.load").nodes(ops.Call)
    path = escapes(found, call, ("builtins.ValueError",))
    assert (None if path is None else len(path)) == way
    (inner,) = [node for node in _code(found, "app.closed_way").nodes(ops.Call) if node.method == "load"]
    assert catches(found, inner, ("builtins.ValueError",)) is not None
    assert catches(found, inner, ("builtins.KeyError",)) is None


def test_a_helper_hands_none_on_unless_it_asks() -> None:
    text = (
        "from flask_sqlalchemy import SQLAlchemy\n\ndb = SQLAlchemy()\n\n"
        "class User(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n\n"
        "def find(key):\n    return User.query.filter_by(id=key).first()\n\n"
        "def demand(key):\n    user = find(key)\n    if user is None:\n        raise KeyError(key)\n    return user\n\n"
        "def view(key):\n    return find(key), demand(key)\n"
    )
    found = project({"app.py": text})
    names = {call.method for call in none_giving(found) if call.code.function.name == "view"}
    assert names == {"find"}
