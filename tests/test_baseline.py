"""The baseline: its text, its counting, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backaudit.baseline import Baseline, Entry, dump, load
from backaudit.usage import UsageError

A = Entry("a.py", "passwords/weak-hash", "aaaa")
B = Entry("b.py", "passwords/weak-hash", "bbbb")


def test_one_finding_a_line_sorted_and_read_back(tmp_path: Path) -> None:
    text = dump([B, A])
    assert text.split("\n")[1:3] == [
        '{"path": "a.py", "rule": "passwords/weak-hash", "fingerprint": "aaaa"},',
        '{"path": "b.py", "rule": "passwords/weak-hash", "fingerprint": "bbbb"}',
    ]
    assert dump([A, B]) == text
    json.loads(text)
    path = tmp_path / "baseline"
    path.write_text(text)
    assert load(path).entries == (A, B)


def test_an_empty_baseline_is_one(tmp_path: Path) -> None:
    (tmp_path / "b").write_text(dump([]))
    assert load(tmp_path / "b").entries == ()


def test_equal_entries_are_counted_and_each_absorbs_one(tmp_path: Path) -> None:
    (tmp_path / "b").write_text(dump([A, A, B]))
    baseline = load(tmp_path / "b")
    assert baseline.entries == (Entry("a.py", A.rule, "aaaa", 2), B)
    assert [baseline.absorb("aaaa") for _ in range(3)] == [True, True, False]
    assert baseline.absorb("unknown") is False


def test_stale_entries_are_those_that_met_nothing_and_could_have() -> None:
    baseline = Baseline([Entry("a.py", A.rule, "aaaa", 3), B])
    baseline.absorb("aaaa")
    assert baseline.stale(lambda entry: True) == (Entry("a.py", A.rule, "aaaa", 2), B)
    assert baseline.stale(lambda entry: entry.path == "b.py") == (B,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nonsense",
        '{"version": 2, "findings": []}',
        '{"version": 1}',
        '{"version": 1, "findings": [3]}',
        '{"version": 1, "findings": [{"path": "a", "rule": "b"}]}',
        '{"version": 1, "findings": [{"path": "a", "rule": "b", "fingerprint": "c", "count": 0}]}',
        '{"version": 1, "findings": [{"path": "a", "rule": "b", "fingerprint": "c", "count": true}]}',
        '{"version": 1, "findings": [{"path": "a", "rule": "b", "fingerprint": "c", "line": 3}]}',
        '{"version": 1, "findings": [{"path": "a", "rule": "", "fingerprint": "c"}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_baseline_is_the_users_mistake(tmp_path: Path, text: str) -> None:
    (tmp_path / "b").write_text(text)
    with pytest.raises(UsageError, match=r"[Ww]rite it anew"):
        load(tmp_path / "b")


def test_a_baseline_that_cannot_be_read_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "gone")
