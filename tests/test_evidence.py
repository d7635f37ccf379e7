"""What a finding takes for granted decides how sure and how grave it may be called, in one place, and is said."""

from __future__ import annotations

import json

import pytest

from backaudit import plugins
from backaudit.evidence import KNOWN, Assumption, Severity, confidence, severity, weakest
from backaudit.report import json as as_json
from backaudit.report import sarif, text
from backaudit.testing import scan
from tests.house import ROOT, sources

LOADED = plugins.load(reraise=True)
WORD = Assumption("word", "`key` is a secret")
GUARD = Assumption("guard", "`check_key` does not refuse")

UNREAD_CHECK = """
import subprocess
from flask import Flask, request
from vendor.checks import known_hosts

app = Flask(__name__)


def is_allowed(host):
    return known_hosts().accept(host)


@app.get("/ping")
def ping():
    host = request.args["host"]
    if is_allowed(host):
        subprocess.run(f"ping -c1 {host}", shell=True)
    return "done"
"""


def test_the_weakest_step_decides() -> None:
    assert confidence(KNOWN) == "high"
    assert confidence((WORD,)) == "medium"
    assert confidence((WORD, GUARD)) == confidence((GUARD, WORD)) == "low"
    assert weakest((WORD, GUARD)) == GUARD
    assert weakest(KNOWN) is None


@pytest.mark.parametrize(
    ("claimed", "left"), [("critical", "medium"), ("high", "medium"), ("medium", "medium"), ("low", "low")]
)
def test_what_assumes_anything_is_at_most_medium(claimed: Severity, left: Severity) -> None:
    assert severity(claimed, (WORD,)) == left
    assert severity(claimed, KNOWN) == claimed


def test_the_weakest_step_is_said_in_every_format() -> None:
    report = scan({"app.py": UNREAD_CHECK}, LOADED, [r for r in LOADED.rules if r.name == "command-injection"])
    (issue,) = report.issues
    said = "`is_allowed()` does not make it harmless"
    assert (issue.severity, issue.finding.confidence) == ("medium", "low")
    assert f"assumed: {said}" in text.render(report)
    assert json.loads(as_json.render(report))["findings"][0]["assumed"] == [{"kind": "guard", "text": said}]
    assert said in sarif.render(report)


def test_nobody_else_says_how_sure_a_finding_is() -> None:
    told = [path for path in sources("backaudit", "rules") if "confidence=" in path.read_text("utf-8")]
    assert [str(path.relative_to(ROOT)) for path in told] == []
