"""The rules on an API's manners: descriptions that are made from the code are true, each difference is told once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backaudit import plugins
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.report.map import renderer
from tests.report.test_map import APPS, NAMES, app

LOADED = plugins.load(reraise=True)
RULE = "api/undocumented-route"


def told(root: Path) -> list[str]:
    config = Config(strict=True, select=(RULE,))
    request = Request(root=root, config=config, loaded=LOADED, use_git=False, reraise=True, jobs=1)
    return [issue.finding.message for issue in Audit(request).report().issues]


def described(name: str, folder: Path, document: dict[str, Any]) -> Path:
    root = folder / name
    shutil.copytree(APPS / name, root)
    (root / "openapi.json").write_text(json.dumps(document, indent=2))
    return root


def made(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(renderer("openapi")(app(name)))
    return document


def contradictions(root: Path) -> list[str]:
    """What is told of the document, beside what the code leaves open."""
    return [message for message in told(root) if "leaves it open" not in message]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_made_from_the_code_is_not_contradicted(name: str, tmp_path: Path) -> None:
    assert contradictions(described(name, tmp_path, made(name))) == []


def test_the_frameworks_own_document_is_not_contradicted(tmp_path: Path) -> None:
    fastapi = pytest.importorskip("fastapi")
    code = """
from fastapi import APIRouter, Depends, FastAPI, Query

app = FastAPI()
router = APIRouter(prefix="/tasks")


class Page:
    def __init__(self, limit: int = 20, offset: int = 0):
        self.limit = limit


@router.get("")
def tasks(state: str, page: Page = Depends(), tag: list[str] = Query(default=[])):
    return []


@router.post("", status_code=201)
def add(title: str):
    return {}


@router.get("/{task_id}")
def show(task_id: int):
    return {}


@router.delete("/{task_id}", status_code=204)
def drop(task_id: int):
    return None


app.include_router(router, prefix="/v1")
"""
    names: dict[str, Any] = {}
    exec(compile(code, "main.py", "exec"), names)
    assert isinstance(names["app"], fastapi.FastAPI)
    (tmp_path / "main.py").write_text(code)
    (tmp_path / "openapi.json").write_text(json.dumps(names["app"].openapi()))
    assert contradictions(tmp_path) == []


def test_what_was_taken_out_of_the_document_is_told(tmp_path: Path) -> None:
    document = made("fastapi-careful")
    del document["paths"]["/tasks"]
    assert told(described("fastapi-careful", tmp_path, document)) == ["GET /tasks is not described in openapi.json."]
