"""Microsoft's own validator, with the standard's rules and GitHub's, has nothing to object to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backaudit.report import sarif
from tests.report.samples import hostile, make_report, many, ordinary

from .multitool import errors

pytestmark = pytest.mark.e2e

REPORTS = {
    "ordinary": ordinary(),
    "subfolder": ordinary(git_prefix="services/my api"),
    "hostile": hostile(),
    "nothing-found": make_report(),
    "no-rules": make_report(rules=()),
    "many": many(1500),
}


def test_the_validator_reports_no_error(tmp_path: Path) -> None:
    paths = []
    for name, report in REPORTS.items():
        for include_suppressed in (False, True):
            path = tmp_path / f"{name}-{include_suppressed}.sarif"
            path.write_text(sarif.render(report, include_suppressed=include_suppressed), encoding="utf-8")
            paths.append(path)
    assert errors(*paths) == []


def test_the_validator_would_tell(tmp_path: Path) -> None:
    log = json.loads(sarif.render(ordinary()))
    run = log["runs"][0]
    run["results"][0]["ruleIndex"] = 99
    del run["tool"]["driver"]["rules"][0]["help"]
    path = tmp_path / "report.sarif"
    path.write_text(json.dumps(log), encoding="utf-8")
    assert {error.partition(":")[0] for error in errors(path)} == {"report.sarif SARIF1009", "report.sarif GH2012"}
