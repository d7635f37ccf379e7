"""The command ``map``: what it shows, in every format, and whether others read its OpenAPI documents as they should."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from backaudit import cli, plugins
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.report.map import FORMATS, renderer
from backaudit.survey.records import Survey, within

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "fixtures" / "apps"
NAMES = sorted(path.name for path in APPS.iterdir() if path.is_dir())
EVERYTHING = ROOT / "tests" / "data" / "openapi_app.py"
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@cache
def loaded() -> plugins.Loaded:
    return plugins.load(reraise=True)


def surveyed(root: Path) -> Survey:
    request = Request(root=root, config=Config(), loaded=loaded(), use_git=False, reraise=True, jobs=1)
    return Audit(request).survey


@cache
def app(name: str) -> Survey:
    return surveyed(APPS / name)


@cache
def document(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(renderer("openapi")(app(name)))
    return made


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield method, path, operation


def written(tmp_path: Path, files: dict[str, str]) -> Survey:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return surveyed(tmp_path)


def test_the_formats_of_the_command_are_those_that_there_are() -> None:
    assert tuple(FORMATS) == cli.MAP_FORMATS


# -- OpenAPI ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_documents_of_all_apps_are_valid(name: str) -> None:
    made = document(name)
    assert list(OpenAPIV31SpecValidator(made).iter_errors()) == []
    found = [operation["operationId"] for _, _, operation in operations(made)]
    assert len(found) == len(set(found)) >= 8
    assert {route.group for route in app(name).routes} == {tag["name"] for tag in made["tags"]}


@cache
def both() -> tuple[dict[str, Any], dict[str, Any]]:
    """FastAPI's document of an application, and ours of its source."""
    program = "import json, openapi_app; print(json.dumps(openapi_app.app.openapi()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=EVERYTHING.parent, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout), ours()


def ours() -> dict[str, Any]:
    from tests.projects import project

    linked = project({"openapi_app.py": EVERYTHING.read_text("utf-8")})
    from backaudit.survey.compose import survey

    made: dict[str, Any] = json.loads(renderer("openapi")(linked.once(survey)))
    return made


def test_the_document_of_everything_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(both()[1]).iter_errors()) == []


def test_paths_methods_and_statuses_are_those_of_fastapi() -> None:
    theirs, ours = both()
    assert {(m, p): sorted(o["responses"]) for m, p, o in operations(ours)} == {
        (m, p): sorted(o["responses"]) for m, p, o in operations(theirs)
    }


def test_parameters_are_those_of_fastapi() -> None:
    """But that FastAPI lets parameters be ``null``, which no query string can say."""
    theirs, ours = both()
    assert _parameters(ours) == _parameters(theirs)


def _parameters(made: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{method} {path} {p['in']} {p['name']}": (p["required"], {**_flat(p["schema"], made), "nullable": False})
        for method, path, operation in operations(made)
        for p in operation.get("parameters", ())
    }


def test_bodies_are_those_of_fastapi() -> None:
    theirs, ours = both()
    assert _bodies(ours) == _bodies(theirs)


def test_answers_are_those_of_fastapi() -> None:
    theirs, ours = both()
    assert _answers(ours) == _answers(theirs)


def _bodies(made: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{method} {path}": {
            kind: _flat(entry["schema"], made) if kind == "application/json" else _said(_flat(entry["schema"], made))
            for kind, entry in body["content"].items()
        }
        for method, path, operation in operations(made)
        if (body := operation.get("requestBody")) is not None
    }


def _answers(made: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for method, path, operation in operations(made):
        for status, response in operation["responses"].items():
            shown = _flat(response.get("content", {}).get("application/json", {}).get("schema", {}), made)
            if status != "422" and shown not in ({}, {"type": "null"}):
                found[f"{method} {path} {status}"] = shown
    return found


def _said(schema: Any) -> Any:
    """The schema of a form, whose texts cannot be ``null`` whatever FastAPI says."""
    kept = {name: value for name, value in schema.items() if name != "nullable"}
    inner = kept.get("properties", {})
    return {**kept, **({"properties": {name: _said(value) for name, value in inner.items()}} if inner else {})}


_KEPT = (
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems",
    "maxItems", "required", "additionalProperties", "const",
)  # fmt: skip


def _flat(schema: Any, made: dict[str, Any], depth: int = 0) -> Any:
    """A schema with references looked up, in one spelling: ``null`` beside a type, single choices as lists."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _flat(made["components"]["schemas"][schema["$ref"].rpartition("/")[2]], made, depth + 1)
    parts = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(parts) == 1:
        return {**_flat(parts[0], made, depth + 1), "nullable": True}
    kept = {name: schema[name] for name in _KEPT if name in schema}
    if isinstance(kept.get("type"), list):
        kept["type"] = next(kind for kind in kept["type"] if kind != "null")
        kept["nullable"] = True
    kept["required"] = sorted(kept.get("required", ()))
    if isinstance(kept.get("additionalProperties"), dict):
        kept["additionalProperties"] = _flat(kept["additionalProperties"], made, depth + 1)
    if kept.get("additionalProperties") is True:
        del kept["additionalProperties"]
    if len(parts) > 1:
        kept["anyOf"] = [_flat(part, made, depth + 1) for part in parts]
    if "items" in schema:
        kept["items"] = _flat(schema["items"], made, depth + 1)
    if "properties" in schema:
        kept["properties"] = {name: _flat(value, made, depth + 1) for name, value in schema["properties"].items()}
    return {name: value for name, value in kept.items() if value not in ([], {})}


def test_paths_that_differ_in_names_alone_are_one(tmp_path: Path) -> None:
    made = written(
        tmp_path,
        {
            "app.py": "from flask import Flask\napp = Flask(__name__)\n"
            "@app.get('/a/<int:one>')\ndef read(one): return str(one)\n"
            "@app.delete('/a/<other>')\ndef remove(other): return ''\n"
            "@app.get('/a/<third>')\ndef again(third): return ''\n"
        },
    )
    said = json.loads(renderer("openapi")(made))
    assert list(OpenAPIV31SpecValidator(said).iter_errors()) == []
    assert list(said["paths"]) == ["/a/{one}"]
    assert [p["name"] for p in said["paths"]["/a/{one}"]["delete"]["parameters"]] == ["one"]
    assert said["paths"]["/a/{one}"]["get"]["x-also"] == ["app.again"]


# -- the other formats ------------------------------------------------------------------------------------------------


def test_text_shows_routes_and_tables() -> None:
    said = renderer("text")(app("fastapi"), width=100)
    assert (
        "  PATCH   /auth/me  update_me\n          auth: get_current_user · body: raw · 200 401 · writes users\n" in said
    )
    assert (
        "  POST    /auth/register  register\n          auth: none · body: UserCreate · 201 409 · writes users\n" in said
    )
    assert "  email        String(255)  not null" in said
    assert "→ projects.id" in said
    assert said.endswith("tables in 23 files.\n")


def test_a_login_and_a_rate_limit_know_no_caller() -> None:
    rows = {row.path: row for row in app("fastapi-careful").routes if row.group == "auth"}
    assert (rows["/auth/login"].authenticates, rows["/auth/password"].authenticates) == (False, True)
    text = " ".join(renderer("text")(app("fastapi-careful"), width=100).split())
    assert "auth: none · checks: the password that is sent · limits: limiter.limit · body: LoginData" in text
    login = document("fastapi-careful")["paths"]["/auth/login"]["post"]
    assert "security" not in login
    assert "security" in document("fastapi-careful")["paths"]["/auth/password"]["post"]


@pytest.mark.parametrize("width", [60, 100, 140, 200])
def test_text_fits_the_terminal(width: int) -> None:
    for name in NAMES:
        assert max(len(line) for line in renderer("text")(app(name), width=width).splitlines()) <= width


def test_json_is_whole_and_its_references_lead_somewhere() -> None:
    said = json.loads(renderer("json")(app("flask-careful")))
    assert said["format"] == 1
    route = next(route for route in said["routes"] if route["path"] == "/recipes/" and route["methods"] == ["POST"])
    assert route["inputs"] == [
        {
            "name": "", "in": "body", "required": True, "default": None, "checked": True,
            "schema": {"$ref": "#/schemas/RecipeSchema/schema"},
        }
    ]  # fmt: skip
    assert (route["authenticated"], route["raw"], route["writes"]) == (True, False, ["recipes"])
    assert set(said["schemas"]) >= {"RecipeSchema"}
    for reference in _references(said):
        here: Any = said
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key == "$ref")
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _references(item)


SECRET = "hV7kq2LmpX9zQ4wR8t"


@pytest.mark.parametrize("format", ["text", "json", "openapi"])
def test_secrets_do_not_leave(tmp_path: Path, format: str) -> None:
    found = written(
        tmp_path,
        {
            "app.py": "from fastapi import FastAPI\nfrom pydantic import BaseModel\n"
            f"API_KEY = '{SECRET}'\napp = FastAPI()\n"
            f"class Login(BaseModel):\n    name: str = 'root'\n    password: str = '{SECRET}'\n"
            f"@app.post('/hook/{SECRET}')\ndef hook(data: Login, api_key: str = '{SECRET}'): return 1\n"
        },
    )
    said = renderer(format)(found)
    assert SECRET not in said
    assert "/hook/" in said


def test_paths_narrow_what_is_shown() -> None:
    found = within(app("django"), ["accounts"])
    assert {row.at.path.partition("/")[0] for row in found.routes} == {"accounts"}
    assert 0 < len(found.tables) < len(app("django").tables)
    assert within(app("django"), None) == app("django")


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    found = written(tmp_path, {"app.py": "def (:\n"})
    assert [problem.kind for problem in found.problems] == ["unparsable"]
    assert "Not (wholly) analysed: 1 problem" in renderer("text")(found)
    assert json.loads(renderer("json")(found))["problems"][0]["path"] == "app.py"
    assert json.loads(renderer("openapi")(found))["x-problems"][0]["path"] == "app.py"


def routes_of(survey: Survey, application: str = "") -> list[tuple[object, ...]]:
    rows = [row for row in survey.routes if row.application == application]
    guards = [tuple(sorted(guard.name for guard in row.guards)) for row in rows]
    return sorted((row.methods, row.path, row.statuses, names) for row, names in zip(rows, guards, strict=True))


def test_each_of_several_applications_is_shown_as_it_is_alone(tmp_path: Path) -> None:
    places = {
        "django": ("", "."),
        "flask": ("services/two", "services/two/recipebox"),
        "flask-careful": ("shop", "shop/recipebox"),
    }
    for name, (folder, _) in places.items():
        shutil.copytree(APPS / name, tmp_path / folder, dirs_exist_ok=True)
    found = surveyed(tmp_path)
    for name, (folder, application) in places.items():
        assert routes_of(found, application) == routes_of(app(name))
        own = [table for table in found.tables if table.application == application]
        assert sorted(table.name.removesuffix(f" ({application})") for table in own) == [
            t.name for t in app(name).tables
        ]
        assert all(table.at is not None and table.at.path.startswith(folder) for table in own if table.at)
    assert len(found.tables) == len({table.name for table in found.tables})
    assert len(found.schemas) == len({schema.title for schema in found.schemas})
    touched = {name for row in found.routes for name in (*row.reads, *row.writes)}
    assert touched <= {table.name for table in found.tables}
    assert len(json.loads(renderer("json")(found))["tables"]) == len(found.tables)
    OpenAPIV31SpecValidator(json.loads(renderer("openapi")(found))).validate()
    assert "services/two/recipebox: accounts" in renderer("text")(found)
    assert "services/two/recipebox: accounts" in renderer("html")(found)


# -- the command ------------------------------------------------------------------------------------------------------


def command(*arguments: str, folder: Path, cache_home: Path, seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(cache_home)}
    return subprocess.run(
        [sys.executable, "-m", "backaudit", "map", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_runs_give_the_same_bytes_whatever_workers_seed_and_cache(tmp_path: Path) -> None:
    folder = APPS / "flask-careful"
    cold = command("--format", "json", "-j", "2", folder=folder, cache_home=tmp_path, seed="1")
    warm = command("--format", "json", "-j", "1", folder=folder, cache_home=tmp_path, seed="2")
    none = command("--format", "json", "-j", "1", "--no-cache", folder=folder, cache_home=tmp_path, seed="3")
    assert (cold.returncode, cold.stdout) == (0, warm.stdout)
    assert none.stdout == cold.stdout


def test_the_ending_tells_the_format(tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    done = command("-o", str(target), folder=APPS / "flask", cache_home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(f"12 routes, 5 tables: {target}\n")
    assert json.loads(target.read_text("utf-8"))["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone"], "gone does not exist"),
        (["-o", "map.xyz"], "The ending of map.xyz tells no format: say --format text|json|openapi|html."),
        (["--format", "pdf"], "'pdf' is not one of"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = command(*arguments, folder=tmp_path, cache_home=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_scan_that_is_kept_loads_nothing_that_composes_surveys() -> None:
    program = (
        "import sys, backaudit.audit, backaudit.report.html; "
        "heavy = ('backaudit.backend.data.schema', 'backaudit.project', 'backaudit.survey.c'); "
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
