"""The baseline: its text, what it accepts and for how long, and files that are none."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from backaudit.baseline import Baseline, Entry, Met, dump, listing, load, merged
from backaudit.usage import UsageError

A = Entry("a.py", "passwords/weak-hash", "aaaa", "hash", "high", "MD5 protects a password.")
B = Entry("b.py", "passwords/weak-hash", "bbbb", "other", reason="a legacy import", expires="2027-01-31")
HERE = frozenset({"a.py", "b.py"})


def met(entry: Entry, path: str = "", fingerprint: str = "") -> Met:
    return Met(path or entry.path, fingerprint or entry.fingerprint, entry.content)


def test_one_finding_a_line_sorted_and_read_back(tmp_path: Path) -> None:
    text = dump([B, A])
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0] == {
        "path": "a.py",
        "rule": "passwords/weak-hash",
        "fingerprint": "aaaa",
        "content": "hash",
        "severity": "high",
        "message": "MD5 protects a password.",
    }
    assert lines[1]["reason"] == "a legacy import"
    assert dump([A, B]) == text
    path = tmp_path / "baseline"
    path.write_text(text)
    assert load(path).entries == (A, B)


def test_an_empty_baseline_is_one(tmp_path: Path) -> None:
    (tmp_path / "b").write_text(dump([]))
    assert load(tmp_path / "b").entries == ()


def test_both_sides_of_a_merge_may_stay(tmp_path: Path) -> None:
    ours, theirs = dump([A]), dump([A, B])
    (tmp_path / "b").write_text(ours + "\n" + theirs)
    baseline = load(tmp_path / "b")
    assert baseline.entries == (A, B)
    assert baseline.accepts([met(A), met(A, fingerprint="a second one")], HERE) == [A, None]


def test_a_name_may_hold_what_other_tools_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    odd = Entry("a\u2028b\x85c\x0bd.py", "passwords/weak-hash", "aaaa")
    (tmp_path / "b").write_bytes(dump([odd]).replace("\n", "\r\n").encode())
    assert load(tmp_path / "b").entries == (odd,)


def test_a_configured_baseline_is_a_plain_file_of_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "sub").mkdir(parents=True)
    (tmp_path / "outside").write_text(dump([A]))
    (project / "link").symlink_to(tmp_path / "outside")
    (project / "inner").symlink_to(project / "own")
    (project / "own").write_text(dump([A]))
    os.mkfifo(project / "pipe")
    assert load(project / "inner", within=project).entries == (A,)
    for name in ("link", "../outside", "sub/../../outside", "/dev/zero", "/dev/stdin"):
        with pytest.raises(UsageError, match="outside of the project"):
            load(project / name, within=project)
    for name, said in (("pipe", "not a regular file"), ("sub", "cannot be read"), ("gone", "cannot be read")):
        with pytest.raises(UsageError, match=said):
            load(project / name, within=project)


def test_an_entry_follows_its_finding_into_another_file_when_its_own_is_gone() -> None:
    elsewhere = met(A, "new.py", "cccc")
    assert Baseline([A]).accepts([elsewhere], {"new.py"}) == [A]
    assert Baseline([A]).accepts([elsewhere], {"a.py", "new.py"}) == [None], "its file is still there"
    assert Baseline([A]).accepts([elsewhere], None) == [None], "nobody knows whether its file is there"
    assert Baseline([A]).accepts([elsewhere, met(A, "third.py", "dddd")], {"new.py", "third.py"}) == [A, None]


def test_an_entry_holds_until_its_day() -> None:
    assert Baseline([B], date(2027, 1, 30)).accepts([met(B)], HERE) == [B]
    late = Baseline([B], date(2027, 1, 31))
    assert late.accepts([met(B)], HERE) == [None]
    assert late.expired() == (B,)
    assert late.stale(lambda entry: True) == (), "what it speaks of is still there"


def test_stale_entries_are_those_that_met_nothing_and_could_have() -> None:
    baseline = Baseline([A, B])
    baseline.accepts([met(A)], HERE)
    assert baseline.stale(lambda entry: True) == (B,)
    assert baseline.stale(lambda entry: entry.path == "a.py") == ()


def test_reasons_and_days_stay_when_it_is_written_anew() -> None:
    moved = Entry("c.py", B.rule, "cccc", B.content)
    assert merged([A, moved], Baseline([A, B]), {"a.py", "c.py"}) == [
        A,
        Entry("c.py", B.rule, "cccc", B.content, reason="a legacy import", expires="2027-01-31"),
    ]


def test_the_listing_says_how_each_entry_stands() -> None:
    gone = Entry("gone.py", "auth/missing-auth", "dddd", message="Nobody asks.")
    baseline = Baseline([A, B, gone], date(2027, 2, 1))
    assert listing(baseline, {gone}).splitlines() == [
        "auth/missing-auth",
        "  stale     gone.py  Nobody asks.",
        "passwords/weak-hash",
        "  accepted  a.py  MD5 protects a password.",
        "  expired   b.py   (until 2027-01-31)",
        "            reason: a legacy import",
    ]


BROKEN = [
    "[]",
    "nonsense",
    "[" * 100_000,
    '{"path": "a", "rule": "b"}',
    '{"path": "a", "rule": "", "fingerprint": "c"}',
    '{"path": "a", "rule": "b", "fingerprint": "c", "line": 3}',
    '{"path": "a", "rule": "b", "fingerprint": "c", "expires": "soon"}',
    '{"path": "a", "rule": "b", "fingerprint": "c", "expires": "20270131"}',
    "<<<<<<< ours",
]


@pytest.mark.parametrize("line", BROKEN)
def test_what_is_no_entry_is_the_users_mistake_and_is_repaired_when_it_is_written_anew(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / "b").write_text(dump([A]) + line + "\n")
    with pytest.raises(UsageError, match=r"broken in line 2: .*--write-baseline writes it anew"):
        load(tmp_path / "b")
    assert load(tmp_path / "b", repair=True).entries == (A,)


def test_a_conflict_that_is_not_solved_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "b").write_text(f"<<<<<<< ours\n{dump([A])}=======\n{dump([B])}>>>>>>> theirs\n")
    with pytest.raises(UsageError, match=r"line 1: a merge conflict is not solved"):
        load(tmp_path / "b")


def test_a_baseline_that_cannot_be_read_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "gone")
    (tmp_path / "b").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        load(tmp_path / "b")
