"""What tells one ORM from another is data: every ORM has its traits, and a new one is a file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest

from backaudit import models, plugins, testing
from backaudit.models import OrmModel
from backaudit.toml import parse_toml

ROOT = Path(__file__).resolve().parent.parent
SECTION = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("\n## An ORM\n")[2].partition("\n## ")[0]
BLOCKS = dict(re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL))
KNOWN = models.load().orms
# What an ORM has nothing to say of. SQL is no ORM: it has tables, and nothing else.
LACKING = {"sql": {"index", "several"}}
WANTED = re.compile(r"# want: .*(unindexed|n-plus-one|non-sargable)")
PROGRAMS = [path for path in sorted((ROOT / "fixtures").rglob("*.py")) if "__pycache__" not in path.parts]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_an_orm_says_what_is_advised(name: str) -> None:
    orm = KNOWN[name]
    several = orm.index_many or (orm.index_element and orm.index_option)
    advice = {"index": orm.index, "several": several, "loaded": orm.loaded, "rollout": orm.rollout}
    missing = {trait for trait, told in advice.items() if not told}
    assert missing == LACKING.get(name, set())


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_advice_names_only_what_is_filled_in(name: str) -> None:
    given = {"model": "M", "attribute": "a", "fields": "f", "columns": "c", "index": "i", "relation": "r"}
    for trait in ("index", "index_many", "index_element", "index_foreign", "loaded", "rollout"):
        assert "{" not in getattr(KNOWN[name], trait).format(**given)


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"sql"}))
def test_an_orm_has_a_program_with_a_mistake_and_tables_that_were_created(name: str) -> None:
    programs = [path.read_text("utf-8") for path in PROGRAMS]
    assert any(f"import {name}" in text or f"from {name}" in text for text in programs if WANTED.search(text))
    assert (ROOT / "fixtures" / "schema" / name).is_dir()


def test_no_code_asks_for_an_orm_or_a_library_by_its_name() -> None:
    """``table.orm == "django"``, ``store == "beanie"`` and the like: what differs is a trait."""
    found = []
    for path in sorted([*(ROOT / "backaudit").rglob("*.py"), *(ROOT / "rules").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and re.search(r"(^|\.)(orm|store)$", ast.unparse(node.left)):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert found == []


def test_an_orm_is_known_to_two_homes_at_most() -> None:
    """Its own table, and a module that reads declarations no other ORM writes."""
    named = re.compile(r"\b(tortoise|peewee|pony|ormar)\b", re.IGNORECASE)
    homes = set()
    for path in sorted([*(ROOT / "backaudit").rglob("*.py"), *(ROOT / "rules").rglob("*.py")]):
        tree = ast.parse(path.read_text("utf-8"))
        texts = (
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        if any(named.search(text) for text in texts if "\n" not in text and len(text) < 60):
            homes.add(str(path.relative_to(ROOT)))
    assert homes == set()


def test_the_orm_of_the_tutorial_is_added_by_what_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = tuple(table for table in models._built_in() if "ormar" not in table.get("orms", {}))
    monkeypatch.setattr(models, "_built_in", lambda: without)
    assert set(BLOCKS) == {"models/ormar.toml", "fixtures/ormar.py"}
    table = models.checked(parse_toml(BLOCKS["models/ormar.toml"]))
    program = tmp_path / "ormar.py"
    program.write_text(BLOCKS["fixtures/ormar.py"], "utf-8")
    loaded = plugins.load()
    with_it = msgspec.structs.replace(loaded, tables=(*loaded.tables, table))
    assert testing.run(program, with_it).failures == ()
    assert testing.run(program, loaded).failures != ()


def test_a_trait_that_nothing_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        models.checked({"orms": {"ormar": {"colour": "red"}}})
    assert OrmModel().queries == "expressions"


@pytest.mark.parametrize("name", ["ormar", "peewee", "pony", "tortoise"])
def test_what_is_known_of_an_orm_stands_in_its_own_table(name: str) -> None:
    begins = re.compile(rf"^\s*\"{name}\b|[\[ ]\"{name}\b", re.MULTILINE)
    tables = (ROOT / "backaudit" / "models").glob("*.toml")
    assert {path.stem for path in tables if begins.search(path.read_text("utf-8"))} == {name}
