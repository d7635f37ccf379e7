"""The public back ends that ``make oracle`` starts: the list says all that is needed, what cannot be had is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.truth.applications import NotHere, Public, installed, listed, main, obtained, outcome_of


@pytest.mark.parametrize(("name", "public"), listed().items())
def test_an_entry_says_where_it_is_and_how_it_starts(name: str, public: Public) -> None:
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", public.url), name
    assert re.fullmatch(r"[0-9a-f]{40}", public.commit), name
    assert bool(public.packages) != bool(public.reason), f"{name}: packages, or the reason why it is not started"


def test_an_entry_with_a_reason_is_skipped_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    name, public = next((name, public) for name, public in listed().items() if public.reason)
    assert main([name]) == 0
    assert f"{name}: skipped, {public.reason}" in capsys.readouterr().out


def test_a_project_lies_in_the_folder_that_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORACLE_DIR", str(tmp_path))
    (tmp_path / "shop").mkdir()
    assert obtained("shop", Public("https://example.invalid/shop", "0" * 40)) == tmp_path / "shop"


def test_what_cannot_be_fetched_leaves_nothing_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORACLE_DIR", str(tmp_path))
    with pytest.raises(NotHere, match="could not be fetched"):
        outcome_of("shop", Public(str(tmp_path / "nothing"), "0" * 40, packages=("flask",)))
    assert list(tmp_path.iterdir()) == []


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORACLE_DIR", str(tmp_path))
    with pytest.raises(NotHere, match=r"no Python 2\.1"):
        installed("shop", Public("https://example.invalid/shop", "0" * 40, packages=("flask",), python="2.1"))
