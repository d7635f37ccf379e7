"""SARIF 2.1.0, as GitHub code scanning and Microsoft's Multitool read it.

One run. URIs are relative to the repository, so that alerts can be clicked. GitHub takes at most 25,000 results and
10 MB of gzip: what is over goes by severity, the lowest first, and a notification says how many went.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from backaudit.facts.place import WHOLE_FILE, Place, Span
from backaudit.facts.problem import Problem
from backaudit.issue import ExcerptLine, Issue, Report
from backaudit.report.assumptions import told
from backaudit.report.jsontext import json_text
from backaudit.report.plans import proof_of
from backaudit.report.requests import request_of
from backaudit.report.standards import PROJECT_URL, rule_url, standards
from backaudit.report.visible import clipped
from backaudit.rule import SEVERITIES, Edit, Fix, Rule, Severity, Step
from backaudit.ruledoc import Example, RuleDoc, read

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

MAX_RESULTS = 25_000
MAX_GZIP = 10_000_000
MAX_STEPS = 1_000
MAX_RELATED = 100
MAX_TAGS = 20
MAX_DESCRIPTION = 1_024
CONTEXT = 5
MAX_SNIPPET_LINE = 240

LEVELS: dict[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_PROBLEM_SEVERITY: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "recommendation",
}
# GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0, low below.
_SECURITY_SEVERITY: dict[Severity, str] = {"critical": "9.3", "high": "8.0", "medium": "5.5", "low": "2.5"}
_PRECISION = {"core": "high", "strict": "medium", "selected": "medium"}

_NOTIFICATION_LEVELS = {
    "unreadable": "warning",
    "unparsable": "warning",
    "too-large": "warning",
    "bound": "note",
    "crash": "error",
    "left-out": "note",
    "note": "note",
    "truncated": "warning",
}

Node = dict[str, Any]


def render(report: Report, *, include_suppressed: bool = False, category: str = "") -> str:
    """The report as one SARIF log with one run, ending in a line break.

    ``include_suppressed`` adds what a comment or the baseline accepts, marked as SARIF suppressions: GitHub shows such
    results as open alerts, other viewers do not. ``category`` replaces ``backaudit/<root>/`` as the run's category.
    """
    issues = [issue for issue in report.issues if include_suppressed or issue.status == "new"]
    kept = _most_severe(issues, MAX_RESULTS)
    text = _log(report, kept, len(issues), category)
    while (size := _gzip_size(text)) > MAX_GZIP:
        kept = _most_severe(kept, min(len(kept) - 1, len(kept) * MAX_GZIP * 9 // (size * 10)))
        text = _log(report, kept, len(issues), category)
    return text


def _most_severe(issues: list[Issue], limit: int) -> list[Issue]:
    """At most ``limit`` of the issues in their order, the most severe ones."""
    if len(issues) <= limit:
        return issues
    ranked = sorted(range(len(issues)), key=lambda index: SEVERITIES.index(issues[index].severity))
    return [issues[index] for index in sorted(ranked[:limit])]


def _gzip_size(text: str) -> int:
    """Bytes after gzip as the upload does it; the plain size where that is already within the limit."""
    raw = text.encode()
    return len(raw) if len(raw) <= MAX_GZIP else len(gzip.compress(raw, compresslevel=6, mtime=0))


def _log(report: Report, issues: Sequence[Issue], found: int, category: str) -> str:
    rules = _rules(report, issues)
    index = {rule.id: position for position, rule in enumerate(rules)}
    run = {
        "tool": {"driver": _driver(report, rules)},
        "automationDetails": {"id": f"{(category or f'backaudit/{report.root_name}').rstrip('/')}/"},
        "invocations": [_invocation(report, len(issues), found)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(issue, index[issue.rule.id], report) for issue in issues],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(log, indent=1)


# --- the tool and its rules


def _rules(report: Report, issues: Iterable[Issue]) -> list[Rule]:
    """Every rule that ran and every rule that a result names, by id."""
    by_id = {rule.id: rule for rule in report.rules} | {issue.rule.id: issue.rule for issue in issues}
    return [by_id[id] for id in sorted(by_id)]


def _driver(report: Report, rules: Sequence[Rule]) -> Node:
    return {
        "name": "backaudit",
        "version": report.version,
        "semanticVersion": report.version,
        "informationUri": PROJECT_URL,
        "rules": [_descriptor(rule) for rule in rules],
    }


def _descriptor(rule: Rule) -> Node:
    doc = read(rule.doc)
    url = rule_url(rule)
    return {
        "id": rule.id,
        "name": _pascal(rule.name),
        "shortDescription": {"text": _sentence(clipped(doc.title or rule.id, MAX_DESCRIPTION - 2))},
        "fullDescription": {"text": _sentence(clipped(" ".join(doc.why) or doc.title or rule.id, MAX_DESCRIPTION - 2))},
        **({"helpUri": url} if url else {}),
        "help": {"text": _help_text(doc, rule), "markdown": _help_markdown(doc, rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": _rule_properties(rule),
    }


def _rule_properties(rule: Rule) -> Node:
    tags = [rule.family, *rule.tags, *(f"external/cwe/cwe-{number:03}" for number in rule.cwe)]
    tags += (f"external/owasp/{entry.lower().replace(':', '-')}" for entry in rule.owasp)
    properties = {
        "tags": list(dict.fromkeys(tags))[:MAX_TAGS],
        "precision": _PRECISION[rule.shown],
        "problem.severity": _PROBLEM_SEVERITY[rule.severity],
    }
    if "security" in rule.tags:
        properties["security-severity"] = _SECURITY_SEVERITY[rule.severity]
    return properties


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", name))


def _help_text(doc: RuleDoc, rule: Rule) -> str:
    parts = [*doc.why, *([f"How to mend it: {doc.mend}"] if doc.mend else [])]
    return "\n\n".join(parts) or _sentence(doc.title or rule.id)


def _help_markdown(doc: RuleDoc, rule: Rule) -> str:
    parts = [*doc.why]
    if doc.mend:
        parts.append(f"**How to mend it.** {doc.mend}")
    parts += (_fenced("Bad", example) for example in doc.bad)
    parts += (_fenced("Good", example) for example in doc.good)
    links = [f"- [{link.text}]({link.url})" for link in standards(rule)]
    links += (f"- <{url}>" for url in doc.links)
    if links:
        parts.append("\n".join(links))
    return "\n\n".join(parts) or _sentence(doc.title or rule.id)


def _fenced(label: str, example: Example) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    runs = re.findall(r"`{3,}", example.code)
    fence = "`" * (1 + max([2, *map(len, runs)]))
    return f"**{label}**\n\n{fence}python\n{example.code}\n{fence}"


# --- results


def _result(issue: Issue, rule_index: int, report: Report) -> Node:
    finding = issue.finding
    related = finding.related[:MAX_RELATED]
    prefix = report.git_prefix
    node: Node = {
        "ruleId": issue.rule.id,
        "ruleIndex": rule_index,
        "level": LEVELS[issue.severity],
        "message": {"text": _message(finding.message, related)},
        "locations": [{"physicalLocation": _primary(issue, prefix)}],
    }
    if related:
        node["relatedLocations"] = [
            {"id": number, **_location(step, prefix)} for number, step in enumerate(related, start=1)
        ]
    if finding.trace:
        node["codeFlows"] = [_code_flow(issue, prefix)]
    node["partialFingerprints"] = _fingerprints(issue)
    if finding.fixes:
        node["fixes"] = [_fix(fix, prefix) for fix in finding.fixes]
    if report.since:
        node["baselineState"] = "unchanged" if issue.status == "before" else "new"
    if issue.status in ("suppressed", "baseline"):
        node["suppressions"] = [_suppression(issue)]
    node["properties"] = _result_properties(issue)
    return node


def _message(text: str, related: Sequence[Step]) -> str:
    """The message, then a link to every related place: GitHub shows only those that the text links to."""
    sentence = _sentence(_literal(text))
    if not related:
        return sentence
    links = ", ".join(f"[{_link_text(step.text)}]({number})" for number, step in enumerate(related, start=1))
    return f"{sentence} See also: {links}."


def _link_text(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", _without_placeholders(text).rstrip("."))


def _literal(text: str) -> str:
    """Text that a viewer takes for nothing but text: no placeholder, no embedded link."""
    return re.sub(r"\[(?=[^\[\]]*\]\()", r"\\[", _without_placeholders(text))


def _without_placeholders(text: str) -> str:
    return re.sub(r"\{(\d+)\}", r"{{\1}}", text)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith(".") else text.rstrip(":;,") + "."


def _result_properties(issue: Issue) -> Node:
    finding = issue.finding
    texts = {"scope": finding.scope, "evidence": finding.evidence, "remedy": finding.remedy}
    return {
        "severity": issue.severity,
        "confidence": finding.confidence,
        **({"assumed": told(finding.assumed)} if finding.assumed else {}),
        **{key: text for key, text in texts.items() if text},
        **({"proof": proof_of(finding.proof)} if finding.proof is not None else {}),
        **({"request": request_of(finding.request)} if finding.request is not None else {}),
    }


def _fingerprints(issue: Issue) -> Node:
    ours = {"backaudit/v1": issue.fingerprint}
    return {"primaryLocationLineHash": issue.line_hash, **ours} if issue.line_hash else ours


def _suppression(issue: Issue) -> Node:
    if issue.status == "baseline":
        return {"kind": "external", "justification": issue.justification or "Known to the baseline."}
    return {"kind": "inSource", **({"justification": issue.justification} if issue.justification else {})}


def _code_flow(issue: Issue, prefix: str) -> Node:
    """The steps, ending at the finding itself: viewers take the last one for the sink."""
    finding = issue.finding
    steps = [*finding.trace]
    if steps[-1].place != finding.place:
        steps.append(Step(finding.place, finding.message))
    if len(steps) > MAX_STEPS:
        steps = [*steps[: MAX_STEPS // 2], *steps[-MAX_STEPS // 2 :]]
    return {"threadFlows": [{"locations": [{"location": _location(step, prefix)} for step in steps]}]}


def _fix(fix: Fix, prefix: str) -> Node:
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.place.path, []).append(edit)
    return {
        "description": {"text": _sentence(_literal(fix.summary))},
        "artifactChanges": [_change(path, by_path[path], prefix) for path in sorted(by_path)],
        "properties": {"safe": fix.safe},
    }


def _change(path: str, edits: Iterable[Edit], prefix: str) -> Node:
    return {
        "artifactLocation": _artifact(path, prefix),
        "replacements": [
            {"deletedRegion": _exact_region(edit.place.span), "insertedContent": {"text": edit.text}}
            for edit in sorted(edits, key=lambda edit: edit.place)
        ],
    }


# --- places


def _location(step: Step, prefix: str) -> Node:
    physical = {"artifactLocation": _artifact(step.place.path, prefix), "region": _narrow_region(step.place.span)}
    return {"physicalLocation": physical, "message": {"text": _sentence(_literal(step.text))}}


def _primary(issue: Issue, prefix: str) -> Node:
    place = issue.finding.place
    region = _narrow_region(place.span)
    snippet = _snippet([*_marked(issue.excerpt, place)])
    context = _context(issue.excerpt, place.span.line)
    return {
        "artifactLocation": _artifact(place.path, prefix),
        "region": {**region, **snippet},
        **({"contextRegion": context} if context else {}),
    }


def _artifact(path: str, prefix: str) -> Node:
    """A URI relative to the repository's root: neither absolute nor starting with ``./``, and never with a base id."""
    whole = f"{prefix.strip('/')}/{path}" if prefix.strip("/") else path
    return {"uri": quote(whole.encode("utf-8", "surrogateescape"), safe="/")}


def _narrow_region(span: Span) -> Node:
    """One line at most: GitHub annotates a pull request only where every line of the region is in the diff."""
    if span in (WHOLE_FILE, Span(span.line, 0, span.line, 0)):
        return {"startLine": span.line}
    if span.end_line > span.line:
        return {"startLine": span.line, "startColumn": span.column + 1}
    return _exact_region(span)


def _exact_region(span: Span) -> Node:
    return {
        "startLine": span.line,
        "startColumn": span.column + 1,
        "endLine": span.end_line,
        "endColumn": span.end_column + 1,
    }


def _marked(excerpt: Iterable[ExcerptLine], place: Place) -> Iterator[str]:
    """The marked text of the first line; nothing where the whole file is meant."""
    for line in excerpt:
        if line.number == place.span.line and line.mark is not None and line.mark[0] < line.mark[1]:
            yield line.text[slice(*line.mark)]


def _context(excerpt: Sequence[ExcerptLine], spot: int) -> Node | None:
    """The quoted lines around line ``spot``, when there are several and they follow one another."""
    lines = [line for line in excerpt if abs(line.number - spot) <= CONTEXT]
    numbers = [line.number for line in lines]
    if len(lines) < 2 or spot not in numbers or numbers != [*range(numbers[0], numbers[-1] + 1)]:
        return None
    return {"startLine": numbers[0], "endLine": numbers[-1], **_snippet([line.text for line in lines])}


def _snippet(lines: Sequence[str]) -> Node:
    if not lines:
        return {}
    return {"snippet": {"text": "\n".join(clipped(line, MAX_SNIPPET_LINE) for line in lines)}}


# --- what was not analysed


def _invocation(report: Report, shown: int, found: int) -> Node:
    notifications = [*_truncation(shown, found), *(_problem(problem, report.git_prefix) for problem in report.problems)]
    notifications += (_notification("left-out", f"Left out, {reason}: {number}.") for reason, number in report.left_out)
    notifications += (_notification("note", note) for note in report.notes)
    return {
        "executionSuccessful": not any(problem.kind == "crash" for problem in report.problems),
        "toolExecutionNotifications": notifications,
    }


def _truncation(shown: int, found: int) -> Iterator[Node]:
    if shown < found:
        text = f"{found - shown} of {found} findings, the least severe ones, are left out: code scanning takes no more."
        yield _notification("truncated", text)


def _problem(problem: Problem, prefix: str) -> Node:
    node = _notification(problem.kind, problem.message)
    if problem.path:
        physical: Node = {"artifactLocation": _artifact(problem.path, prefix)}
        if problem.line:
            physical["region"] = {"startLine": problem.line}
        node["locations"] = [{"physicalLocation": physical}]
    return node


def _notification(id: str, text: str) -> Node:
    return {
        "descriptor": {"id": id},
        "level": _NOTIFICATION_LEVELS[id],
        "message": {"text": _sentence(_literal(text))},
    }
