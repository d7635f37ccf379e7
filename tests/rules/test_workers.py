"""A query per row weighs less where nobody waits for it."""

from __future__ import annotations

from pathlib import Path

from backaudit import plugins
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)
RULES = [rule for rule in LOADED.rules if rule.id == "indexes/n-plus-one"]
SHOP = Path(__file__).resolve().parents[2] / "fixtures" / "indexes" / "n_plus_one" / "workers"


def test_loops_that_only_tasks_come_to_are_told_in_strict_scans_alone() -> None:
    files = {path.relative_to(SHOP).as_posix(): path.read_text("utf-8") for path in sorted(SHOP.rglob("*.py"))}
    found = {issue.finding.place.span.line: issue.finding.confidence for issue in scan(files, LOADED, RULES).issues}
    tasks = files["shop/tasks.py"].splitlines()
    at_night, by_both, called = [n for n, line in enumerate(tasks, 1) if "want:" in line]
    assert found == {at_night: "low", by_both: "high", called: "high"}
