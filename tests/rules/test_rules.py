"""Every fixture says line by line what its rule must report and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from backaudit import plugins
from backaudit.testing import run

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
LOADED = plugins.load(reraise=True)
# The apps are whole projects, judged by every rule at once: test_apps.py does that. The routes are compared with the
# frameworks themselves, the schemas too: test_truth_routes.py, test_truth_schema.py.
FOLDERS = [
    folder
    for family in sorted(FIXTURES.iterdir())
    if family.is_dir() and family.name not in ("apps", "routes", "schema")
    for folder in sorted(family.iterdir())
    if folder.is_dir()
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_the_rule_reports_what_the_fixture_says(folder: Path) -> None:
    outcome = run(folder, LOADED)
    assert outcome.expectations > 0
    assert [str(failure) for failure in outcome.failures] == []
    for issue in outcome.issues:
        assumed = issue.finding.assumed
        assert not assumed or issue.severity in ("medium", "low"), "nothing assumed is critical or high"
        assert all(one.text and not one.text.endswith(".") for one in assumed)


def test_every_rule_of_ours_has_a_fixture_that_wants_it() -> None:
    wanted = {
        folder.name.replace("_", "-")
        for folder in FOLDERS
        if any("want:" in path.read_text("utf-8") for path in folder.rglob("*") if path.is_file())
    }
    # What earlier commits hold cannot stand in a fixture: test_history makes repositories.
    ours = {
        rule.name
        for rule in LOADED.rules
        if rule.module.startswith("backaudit_rules.") and rule.family != "bandit" and "history" not in rule.needs
    }
    assert sorted(ours - wanted) == []
