"""Where an import that a fix needs goes, and that a fix which cannot be worked out loses nothing but itself."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from backaudit import plugins
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.facts.changes import Import
from backaudit.facts.place import Place, Span
from backaudit.fix import Fixer
from backaudit.fix.applying import applied
from backaudit.issue import Report
from backaudit.rule import Finding, Fix
from backaudit.source import Source, decode

HEADS = ("import os", "import aiosqlite", "from flask import request", "import hashlib")


def imported(code: str, change: Import) -> str:
    source = decode("a.py", code.encode())
    assert isinstance(source, Source)
    finding = Finding(place=Place("a.py", Span(1, 1, 1, 1)), message="x", fixes=(Fix(summary="x", changes=(change,)),))
    (fix,) = Fixer(lambda path: source).worked_out(finding).fixes
    return applied(source.text, fix.edits)


@pytest.mark.parametrize("head", list(permutations(HEADS)))
def test_an_import_goes_among_the_first_ones_in_whatever_order_they_stand(head: tuple[str, ...]) -> None:
    code = "\n".join([*head, "", "x = 1", ""])
    for module in ("abc", "secrets", "zlib", "argon2", "zope"):
        after = imported(code, Import("a.py", module))
        lines = after.splitlines()
        assert f"import {module}" in lines[: lines.index("x = 1")]
        assert [line for line in lines if line and line != f"import {module}"] == [*head, "x = 1"]


def test_a_fix_that_crashes_costs_neither_its_finding_nor_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from flask import make_response\n\n\ndef login():\n    answer = make_response('in')\n"
    (tmp_path / "a.py").write_text(f"{code}    answer.set_cookie('session_id', 'x')\n    return answer\n")

    def report() -> Report:
        request = Request(root=tmp_path, config=Config(strict=True), loaded=plugins.load(), use_git=False, jobs=1)
        return Audit(request).report()

    whole = report()
    assert any(issue.finding.fixes for issue in whole.issues)

    def crash(self: Fixer, finding: Finding) -> Finding:
        raise IndexError("a text that must not be quoted")

    monkeypatch.setattr(Fixer, "worked_out", crash)
    without = report()
    assert [issue.finding.message for issue in without.issues] == [issue.finding.message for issue in whole.issues]
    assert not any(issue.finding.fixes for issue in without.issues)
    crashes = [problem for problem in without.problems if problem.kind == "crash"]
    assert crashes
    assert "must not be quoted" not in crashes[0].message
