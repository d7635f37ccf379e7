"""JSON for programs: every field of the report under a stable name. Lines and columns count from 1, ends exclusive.

The records below are the format's one definition: reports are made of them, and so is the schema.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from backaudit.evidence import Confidence, Severity
from backaudit.facts.place import Place
from backaudit.facts.plans import Proof
from backaudit.facts.problem import ProblemKind
from backaudit.issue import Issue, Report, Status
from backaudit.report.assumptions import told
from backaudit.report.jsontext import json_text
from backaudit.report.plans import lines
from backaudit.report.requests import request_of
from backaudit.rule import Fix, Rule, Shown, Step
from backaudit.ruledoc import read

VERSION: Literal[1] = 1


class Tool(msgspec.Struct):
    name: Literal["backaudit"]
    version: str


class Extent(msgspec.Struct):
    routes: int
    tables: int
    collections: int


class Spot(msgspec.Struct, kw_only=True):
    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class SpotWithText(Spot, kw_only=True):
    text: str


class FixRecord(msgspec.Struct):
    summary: str
    safe: bool
    edits: list[SpotWithText]


class Assumed(msgspec.Struct):
    kind: str
    text: str


class Quoted(msgspec.Struct):
    line: int
    text: str


class Proven(Proof, frozen=True, kw_only=True):
    words: tuple[str, ...]


class Asked(msgspec.Struct):
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any
    route: str
    framework: str
    wrong: str
    raises: str | None
    at: str | None
    status: int
    wanted: list[int]
    before: Any
    caller: list[str]
    rows: list[str]
    curl: str


class FindingRecord(Spot, kw_only=True):
    rule: str
    severity: Severity
    confidence: Confidence
    assumed: list[Assumed]
    status: Status
    fingerprint: str
    scope: str
    message: str
    remedy: str
    evidence: str
    justification: str
    trace: list[SpotWithText]
    related: list[SpotWithText]
    fixes: list[FixRecord]
    proof: Proven | msgspec.UnsetType = msgspec.UNSET
    request: Asked | msgspec.UnsetType = msgspec.UNSET
    excerpt: list[Quoted]


class ProblemRecord(msgspec.Struct):
    path: str
    kind: ProblemKind
    message: str
    line: int


class LeftOut(msgspec.Struct):
    reason: str
    count: int


class RuleRecord(msgspec.Struct):
    id: str
    title: str
    severity: Severity
    shown: Shown
    cwe: list[int]
    owasp: list[str]
    tags: list[str]


class Document(msgspec.Struct):
    """What ``backaudit scan --format json`` writes."""

    format: Literal[1]
    tool: Tool
    root: str
    since: str | None
    files: int
    back_end: Extent | None
    findings: list[FindingRecord]
    problems: list[ProblemRecord]
    left_out: list[LeftOut]
    notes: list[str]
    stale_baseline: list[str]
    expired_baseline: list[str]
    rules: list[RuleRecord]


def render(report: Report, **options: object) -> str:
    """The report as indented JSON. Suppressed and accepted findings are in it, told apart by ``status``."""
    back_end = report.back_end
    document = Document(
        format=VERSION,
        tool=Tool("backaudit", report.version),
        root=report.root_name,
        since=report.since or None,
        files=report.files,
        back_end=Extent(back_end.routes, back_end.tables, back_end.collections) if back_end is not None else None,
        findings=[_issue(issue) for issue in report.issues],
        problems=[ProblemRecord(one.path, one.kind, one.message, one.line) for one in report.problems],
        left_out=[LeftOut(reason, count) for reason, count in report.left_out],
        notes=list(report.notes),
        stale_baseline=list(report.stale_baseline),
        expired_baseline=list(report.expired_baseline),
        rules=[_rule(rule) for rule in report.rules if any(issue.rule is rule for issue in report.issues)],
    )
    return json_text(msgspec.to_builtins(document))


def schema() -> dict[str, Any]:
    """The format as a JSON schema; a later version may have more fields."""
    (shown,), components = msgspec.json.schema_components([Document], ref_template="#/$defs/{name}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shown, "$defs": components}


def _issue(issue: Issue) -> FindingRecord:
    finding = issue.finding
    return FindingRecord(
        **_place(finding.place),
        rule=issue.rule.id,
        severity=issue.severity,
        confidence=finding.confidence,
        assumed=[Assumed(**one) for one in told(finding.assumed)],
        status=issue.status,
        fingerprint=issue.fingerprint,
        scope=finding.scope,
        message=finding.message,
        remedy=finding.remedy,
        evidence=finding.evidence,
        justification=issue.justification,
        trace=[_step(step) for step in finding.trace],
        related=[_step(step) for step in finding.related],
        fixes=[_fix(fix) for fix in finding.fixes],
        proof=_proven(finding.proof) if finding.proof is not None else msgspec.UNSET,
        request=Asked(**request_of(finding.request)) if finding.request is not None else msgspec.UNSET,
        excerpt=[Quoted(line.number, line.text) for line in issue.excerpt],
    )


def _proven(proof: Proof) -> Proven:
    return Proven(**msgspec.structs.asdict(proof), words=lines(proof))


def _place(place: Place) -> dict[str, Any]:
    span = place.span
    return {
        "path": place.path,
        "line": span.line,
        "column": span.column + 1,
        "end_line": span.end_line,
        "end_column": span.end_column + 1,
    }


def _step(step: Step) -> SpotWithText:
    return SpotWithText(**_place(step.place), text=step.text)


def _fix(fix: Fix) -> FixRecord:
    return FixRecord(fix.summary, fix.safe, [SpotWithText(**_place(edit.place), text=edit.text) for edit in fix.edits])


def _rule(rule: Rule) -> RuleRecord:
    return RuleRecord(
        id=rule.id,
        title=read(rule.doc).title,
        severity=rule.severity,
        shown=rule.shown,
        cwe=list(rule.cwe),
        owasp=list(rule.owasp),
        tags=list(rule.tags),
    )
