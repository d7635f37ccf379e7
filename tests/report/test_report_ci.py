"""Reports for CI servers and code hosts: what each format's readers ask of it, whatever the scanned project holds."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import junitparser
import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from backaudit.issue import Report
from backaudit.report import renderer
from backaudit.report.github import SHOWN
from backaudit.report.markdown import MAX_CHARACTERS
from backaudit.rule import Step
from tests.report.samples import (
    HOSTILE,
    SQL_INJECTION,
    UNINDEXED,
    WEAK_HASH,
    excerpt,
    make_issue,
    make_report,
    ordinary,
    place,
)

# GitLab: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
CODE_QUALITY: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./|/)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}

# What version 15 of GitLab's report asks of a SAST report.
SAST: dict[str, Any] = {
    "type": "object",
    "required": ["version", "scan", "vulnerabilities"],
    "properties": {
        "version": {"type": "string", "pattern": r"^15\.[0-9]+\.[0-9]+$"},
        "scan": {
            "type": "object",
            "required": ["analyzer", "scanner", "start_time", "end_time", "status", "type"],
            "properties": {
                "start_time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"},
                "end_time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"},
                "status": {"enum": ["success", "failure"]},
                "type": {"const": "sast"},
                "analyzer": {"required": ["id", "name", "version", "vendor"]},
                "scanner": {"required": ["id", "name", "version", "vendor"]},
                "messages": {
                    "items": {
                        "required": ["level", "value"],
                        "properties": {
                            "level": {"enum": ["info", "warn", "fatal"]},
                            "value": {"type": "string", "minLength": 1},
                        },
                    }
                },
            },
        },
        "vulnerabilities": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "identifiers", "location"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9a-f-]{36}$"},
                    "name": {"type": "string", "maxLength": 255},
                    "description": {"type": "string", "maxLength": 1048576},
                    "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
                    "solution": {"type": "string", "maxLength": 7000},
                    "identifiers": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "object", "required": ["type", "name", "value"]},
                    },
                    "links": {"items": {"required": ["url"], "properties": {"url": {"pattern": "^(https?|ftp)://.+"}}}},
                    "location": {
                        "required": ["file"],
                        "properties": {"start_line": {"type": "integer"}, "end_line": {"type": "integer"}},
                    },
                },
            },
        },
    },
}

# Reviewdog: https://github.com/reviewdog/reviewdog/tree/master/proto/rdf
_POSITION = {
    "type": "object",
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
_RANGE = {"type": "object", "properties": {"start": _POSITION, "end": _POSITION}, "additionalProperties": False}
RDJSON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "source": {"type": "object", "required": ["name"]},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location"],
                "properties": {
                    "message": {"type": "string"},
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "location": {
                        "type": "object",
                        "properties": {"path": {"type": "string"}, "range": _RANGE},
                        "additionalProperties": False,
                    },
                    "code": {
                        "type": "object",
                        "properties": {"value": {"type": "string"}, "url": {"type": "string"}},
                        "additionalProperties": False,
                    },
                },
            },
        },
    },
}
SCHEMAS = {"gitlab": CODE_QUALITY, "gitlab-sast": SAST, "rdjson": RDJSON}


def hostile() -> Report:
    return make_report(
        make_issue(
            WEAK_HASH,
            place(f"app/{HOSTILE}.py", 3),
            HOSTILE,
            remedy=HOSTILE,
            trace=(Step(place(f"{HOSTILE}.py", 1), HOSTILE),),
            related=(Step(place(f"{HOSTILE}.py", 1), HOSTILE),),
            excerpt=excerpt(3, [HOSTILE], 3, (0, 5)),
        )
    )


def many(count: int) -> Report:
    return make_report(*(make_issue(UNINDEXED, place("app/orders.py", n), f"Number {n}.") for n in range(1, count + 1)))


def loaded(report: Report, format: str) -> Any:
    return json.loads(renderer(format)(report).encode("utf-8"))


@pytest.mark.parametrize("format", SCHEMAS)
@pytest.mark.parametrize("report", [make_report(), ordinary(), ordinary(git_prefix="services/api/"), hostile()])
def test_json_is_as_its_readers_ask(format: str, report: Report) -> None:
    Draft202012Validator(SCHEMAS[format]).validate(loaded(report, format))


def test_gitlab_shows_new_findings_by_the_repositorys_paths() -> None:
    found = loaded(ordinary(git_prefix="services/api/"), "gitlab")
    assert [(item["check_name"], item["severity"], item["location"]["path"]) for item in found][:2] == [
        ("validation/sql-injection", "blocker", "services/api/app/search.py"),
        ("passwords/weak-hash", "critical", "services/api/app/auth.py"),
    ]
    assert len({item["fingerprint"] for item in found}) == len(found) == 5


def test_gitlab_takes_security_findings_for_vulnerabilities_and_no_others() -> None:
    found = loaded(ordinary(), "gitlab-sast")["vulnerabilities"]
    named = [item["identifiers"][0]["value"] for item in found]
    assert "validation/sql-injection" in named
    assert "indexes/unindexed-filter" not in named
    assert {"type": "cwe", "name": "CWE-89", "value": "89"}.items() <= found[0]["identifiers"][1].items()


def test_gitlab_is_told_when_the_report_was_made() -> None:
    made = datetime(2026, 11, 29, 12, 30, tzinfo=timezone.utc)
    scan = json.loads(renderer("gitlab-sast")(ordinary(), made=made))["scan"]
    assert (scan["start_time"], scan["end_time"]) == ("2026-11-29T12:30:00",) * 2


def test_reviewdogs_columns_count_bytes_and_are_left_out_where_these_are_not_known() -> None:
    ascii_line = make_issue(WEAK_HASH, place("a.py", 3, 4, 9), excerpt=excerpt(3, ["x = md5(p)"], 3, (4, 9)))
    other_line = make_issue(WEAK_HASH, place("b.py", 3, 4, 9), excerpt=excerpt(3, ["ä = md5(p)"], 3, (4, 9)))
    ranges = [
        item["location"]["range"] for item in loaded(make_report(ascii_line, other_line), "rdjson")["diagnostics"]
    ]
    assert ranges == [
        {"start": {"line": 3, "column": 5}, "end": {"line": 3, "column": 10}},
        {"start": {"line": 3}, "end": {"line": 3}},
    ]


def junit(report: Report) -> junitparser.JUnitXml:
    return junitparser.JUnitXml.fromstring(renderer("junit")(report).encode("utf-8"))


def test_junit_has_a_failed_case_for_a_finding_and_a_passed_one_for_a_rule_that_found_nothing() -> None:
    parsed = junit(ordinary())
    cases = {suite.name: [case.is_passed for case in suite] for suite in parsed}
    assert cases["validation/sql-injection"] == [False]
    assert cases["not analysed"] == [False, False]
    assert (parsed.failures, parsed.errors) == (5, 2)
    clean = junit(make_report())
    assert [(suite.tests, suite.failures) for suite in clean] == [(1, 0)] * 5


def test_junit_is_well_formed_whatever_it_quotes() -> None:
    (case,) = [case for suite in junit(hostile()) for case in suite if not case.is_passed]
    assert "document.title" in case.result[0].message


def test_concise_is_a_finding_a_line() -> None:
    lines = renderer("concise")(ordinary()).splitlines()
    assert lines[0] == (
        "app/search.py:18:12: critical validation/sql-injection The query parameter `q` becomes part of SQL text."
    )
    assert len(lines) == 5 + 2
    assert lines[-1].startswith("app/größe.py:1:1: problem too-large ")


def test_concise_stays_a_line_whatever_it_quotes() -> None:
    issue = make_issue(WEAK_HASH, place("a\n::error::b.py", 1), "one\n::error::two")
    (line,) = renderer("concise")(make_report(issue)).splitlines()
    assert not line.startswith("::")


def test_markdown_shows_ten_whole_and_folds_the_rest() -> None:
    text = renderer("markdown")(
        make_report(*many(14).issues, make_issue(SQL_INJECTION, place("z.py", 1), "The worst."))
    )
    assert text.count("#### ") == 10
    assert text.index("The worst.") < text.index("Number 1.")
    assert "<summary>5 more</summary>" in text
    assert "| critical | low |" in text


def test_markdown_keeps_within_what_a_comment_holds() -> None:
    text = renderer("markdown")(many(5_000))
    assert len(text) <= MAX_CHARACTERS
    assert "more\n" in text


def test_markdown_gives_nothing_of_the_project_a_meaning() -> None:
    """No tag, link, mention or heading comes of what was quoted: only what a page of ours has of itself."""
    page = MarkdownIt("commonmark").enable("table").render(renderer("markdown")(hostile()))
    for active in ("<script", "<img", "<svg", 'evil.example/"', '<a href="https://evil'):
        assert active not in page
    assert page.count("<h4>") == 1
    mention = renderer("markdown")(make_report(make_issue(WEAK_HASH, place("a.py", 1), "@everyone look [x](http://y)")))
    assert "@everyone" not in mention
    assert "](http://y)" not in mention


def test_github_shows_the_worst_first_and_says_how_many_more_there_are() -> None:
    critical = make_issue(SQL_INJECTION, place("z.py", 1), "The worst.")
    lines = renderer("github")(make_report(*many(30).issues, critical)).splitlines()
    assert lines[0].startswith("::error file=z.py,")
    notices = [line for line in lines if line.startswith("::notice")]
    assert len(notices) == SHOWN
    assert "and 21 more findings" in notices[-1]
