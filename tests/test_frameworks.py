"""What a web framework does of itself is data, and no code asks for one by its name."""

from __future__ import annotations

import ast
import re

import pytest

from backaudit import models
from tests.house import ROOT, sources

KNOWN = models.load()
# The survey's records are plain: what a framework refuses with stands with the OpenAPI that is made of them.
STILL = {"backaudit/report/map/openapi.py"}


# Whose routes are compared with another's application.
WITHIN = {"ninja": "django", "rest_framework": "django", "starlette": "fastapi", "quart": "flask"}


# Whose routes are not read, or have no path in the code: the platform's console gives it.
WITHOUT = {"cherrypy", "functions_framework"}


@pytest.mark.parametrize("name", sorted(set(KNOWN.frameworks) - WITHOUT))
def test_a_framework_is_compared_with_its_own_word(name: str) -> None:
    assert (ROOT / "fixtures" / "routes" / WITHIN.get(name, name)).is_dir()


def test_no_code_asks_for_a_framework_by_its_name() -> None:
    found = set()
    for path in sources("backaudit", "rules"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and re.search(r"(^|\.)framework$", ast.unparse(node.left)):
                literal = any(isinstance(part, ast.Constant) for side in node.comparators for part in ast.walk(side))
                if literal or any(isinstance(side, ast.Name) and side.id.isupper() for side in node.comparators):
                    found.add(path.relative_to(ROOT).as_posix())
    assert found <= STILL


def test_what_no_table_tells_a_framework_does_not_do() -> None:
    assert not KNOWN.framework("of-nobody").typed
