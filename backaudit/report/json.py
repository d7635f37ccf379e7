"""JSON for programs: every field of the report under a stable name. Lines and columns count from 1, ends exclusive."""

from __future__ import annotations

from typing import Any

import msgspec

from backaudit.facts.place import Place
from backaudit.issue import Issue, Report
from backaudit.report.assumptions import told
from backaudit.report.jsontext import json_text
from backaudit.report.plans import proof_of
from backaudit.rule import Fix, Rule, Step
from backaudit.ruledoc import read

VERSION = 1


def render(report: Report, **options: object) -> str:
    """The report as indented JSON. Suppressed and accepted findings are in it, told apart by ``status``."""
    data = {
        "format": VERSION,
        "tool": {"name": "backaudit", "version": report.version},
        "root": report.root_name,
        "since": report.since or None,
        "files": report.files,
        "back_end": msgspec.structs.asdict(report.back_end) if report.back_end is not None else None,
        "findings": [_issue(issue) for issue in report.issues],
        "problems": [msgspec.structs.asdict(problem) for problem in report.problems],
        "left_out": [{"reason": reason, "count": count} for reason, count in report.left_out],
        "notes": list(report.notes),
        "stale_baseline": list(report.stale_baseline),
        "expired_baseline": list(report.expired_baseline),
        "rules": [_rule(rule) for rule in report.rules if any(issue.rule is rule for issue in report.issues)],
    }
    return json_text(data)


def _issue(issue: Issue) -> dict[str, Any]:
    finding = issue.finding
    return {
        "rule": issue.rule.id,
        "severity": issue.severity,
        "confidence": finding.confidence,
        "assumed": told(finding.assumed),
        "status": issue.status,
        "fingerprint": issue.fingerprint,
        **_place(finding.place),
        "scope": finding.scope,
        "message": finding.message,
        "remedy": finding.remedy,
        "evidence": finding.evidence,
        "justification": issue.justification,
        "trace": [_step(step) for step in finding.trace],
        "related": [_step(step) for step in finding.related],
        "fixes": [_fix(fix) for fix in finding.fixes],
        **({"proof": proof_of(finding.proof)} if finding.proof is not None else {}),
        "excerpt": [{"line": line.number, "text": line.text} for line in issue.excerpt],
    }


def _place(place: Place) -> dict[str, Any]:
    span = place.span
    return {
        "path": place.path,
        "line": span.line,
        "column": span.column + 1,
        "end_line": span.end_line,
        "end_column": span.end_column + 1,
    }


def _step(step: Step) -> dict[str, Any]:
    return {**_place(step.place), "text": step.text}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**_place(edit.place), "text": edit.text} for edit in fix.edits]
    return {"summary": fix.summary, "safe": fix.safe, "edits": edits}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": read(rule.doc).title,
        "severity": rule.severity,
        "shown": rule.shown,
        "cwe": list(rule.cwe),
        "owasp": list(rule.owasp),
        "tags": list(rule.tags),
    }
