"""What is known of libraries: kinds that are asked for are defined, and names stand in their own table."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from backaudit import models
from backaudit.project.knowledge import Kinds, Models
from backaudit.toml import parse_toml
from tests.house import ROOT, sources

TABLES = {path.stem: parse_toml(path.read_text("utf-8")) for path in sorted((ROOT / "backaudit/models").glob("*.toml"))}
# Names of libraries with a table of their own that stand in a table of a topic; to become fewer.
ELSEWHERE = 1180


def asked() -> Iterator[str]:
    """The kinds that the code asks for by their name."""
    for path in sources("backaudit", "rules"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "models.kinds" in text else ():
            key = None
            if isinstance(node, ast.Subscript) and re.search(r"(^|models\.)kinds$", ast.unparse(node.value)):
                key = node.slice
            elif isinstance(node, ast.Call) and re.search(r"(^|models\.)kinds\.get$", ast.unparse(node.func)):
                key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value


def test_every_kind_that_is_asked_for_is_defined() -> None:
    assert set(asked()) - set(models.load().kinds) == set()


def test_a_kind_that_no_table_defines_is_told() -> None:
    with pytest.raises(KeyError, match="no table of a library defines the kind 'no-such'"):
        models.load().kinds["no-such"]
    assert Models().kinds["anything"] == frozenset()
    assert Kinds({"logs": frozenset({"logging.info"})}).get("logs") == {"logging.info"}


def names_in(table: Any) -> Iterator[str]:
    """Every text and key of a table."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield key
            yield from names_in(value)
    elif isinstance(table, list):
        for item in table:
            yield from names_in(item)
    elif isinstance(table, str):
        yield table


def test_a_name_stands_in_the_table_of_its_own_library() -> None:
    strangers = [
        f"{table}: {name}"
        for table, content in TABLES.items()
        for name in names_in(content)
        if re.fullmatch(r"[a-z_]+(\.\w+)+", name)
        and name.partition(".")[0] in TABLES
        and name.partition(".")[0] != table
    ]
    assert len(strangers) <= ELSEWHERE
