"""Libraries of documents are told apart by their traits; each has a program with a mistake."""

from __future__ import annotations

import re

import pytest

from backaudit import models
from tests.house import ROOT

KNOWN = models.load()
PROGRAMS = [path.read_text("utf-8") for path in sorted((ROOT / "fixtures").rglob("*.py"))]


@pytest.mark.parametrize("name", sorted(KNOWN.stores))
def test_a_store_says_what_is_advised_and_which_classes_are_its_documents(name: str) -> None:
    store = KNOWN.stores[name]
    assert store.index
    assert "{" not in store.index.format(field="f", model="M", name="n").replace('{"indexes": [...]}', "")
    assert store.of_calls or KNOWN.kinds[f"{name}-documents"]


def test_one_store_is_known_by_its_calls_alone() -> None:
    assert [name for name, store in KNOWN.stores.items() if store.of_calls] == ["pymongo"]


@pytest.mark.parametrize("name", sorted(KNOWN.stores))
def test_a_store_has_a_program(name: str) -> None:
    assert any(re.search(rf"^(import|from) {name}\b", text, re.MULTILINE) for text in PROGRAMS)


def test_a_trait_that_no_store_has_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        models.checked({"stores": {"beanie": {"colour": "red"}}})
