"""SARIF: what GitHub code scanning and the standard ask of it. The real validator runs in e2e/."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backaudit.facts.place import WHOLE_FILE, Place, Span
from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.report import sarif
from backaudit.rule import Edit, Fix, Severity, Step
from tests.report.samples import (
    BLANKET_500,
    HOSTILE,
    RULES,
    SQL_INJECTION,
    UNINDEXED,
    WEAK_HASH,
    excerpt,
    hostile,
    make_issue,
    make_report,
    make_rule,
    many,
    ordinary,
    place,
)


def run_of(report: Report, **options: Any) -> Any:
    log = json.loads(sarif.render(report, **options))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def result_of(issue: Issue, **report: Any) -> Any:
    (result,) = run_of(make_report(issue, **report))["results"]
    return result


def physical_of(issue: Issue, **report: Any) -> Any:
    return result_of(issue, **report)["locations"][0]["physicalLocation"]


def notifications(report: Report) -> Any:
    return run_of(report)["invocations"][0]["toolExecutionNotifications"]


# --- rules


def descriptor(report: Report, id: str) -> Any:
    return next(rule for rule in run_of(report)["tool"]["driver"]["rules"] if rule["id"] == id)


def test_a_rule_carries_its_documentation() -> None:
    rule = descriptor(ordinary(), "passwords/weak-hash")
    assert rule["name"] == "WeakHash"
    assert rule["shortDescription"]["text"] == "A fast hash protects a password."
    assert rule["fullDescription"]["text"].startswith("MD5 is built to be fast")
    assert rule["helpUri"] == "https://backaudit.github.io/backaudit/rules/passwords/weak-hash/"
    assert "use a password hasher" in rule["help"]["text"]
    markdown = rule["help"]["markdown"]
    assert "**Bad**\n\n```python\n# file: auth.py\nimport hashlib\n" in markdown
    assert "[CWE-916](https://cwe.mitre.org/data/definitions/916.html)" in markdown
    assert "[OWASP A04:2025](https://owasp.org/Top10/2025/A04_2025-Cryptographic_Failures/)" in markdown
    assert "(https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/)" in markdown
    assert "<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>" in markdown


def test_a_rule_carries_the_properties_that_github_reads() -> None:
    properties = descriptor(ordinary(), "passwords/weak-hash")["properties"]
    assert {"passwords", "security", "external/cwe/cwe-916"} <= set(properties["tags"])
    assert properties["precision"] == "high"
    assert properties["problem.severity"] == "error"
    assert descriptor(ordinary(), "deploy/debug-on")["properties"]["precision"] == "medium"
    assert "external/cwe/cwe-089" in descriptor(ordinary(), "validation/sql-injection")["properties"]["tags"]


@pytest.mark.parametrize(
    ("severity", "level", "low", "high"),
    [("critical", "error", 9.0, 10), ("high", "error", 7, 9), ("medium", "warning", 4, 7), ("low", "note", 0.1, 4)],
)
def test_severity_is_level_and_band(severity: Severity, level: str, low: float, high: float) -> None:
    rule = make_rule("auth/some-rule", severity)
    found = descriptor(make_report(rules=(rule,)), rule.id)
    assert found["defaultConfiguration"]["level"] == level
    number = found["properties"]["security-severity"]
    assert isinstance(number, str)
    assert low < float(number) < high
    assert result_of(make_issue(rule, place("a.py", 1)))["level"] == level


def test_only_rules_about_security_have_a_security_severity() -> None:
    rules = run_of(ordinary())["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in rules if "security-severity" in rule["properties"]} == {
        rule.id for rule in RULES if "security" in rule.tags
    }


def test_descriptions_keep_githubs_lengths_and_tags_its_number() -> None:
    rule = make_rule("auth/long", doc=f"{'t' * 3000}.\n\n{'why ' * 1000}", cwe=tuple(range(1, 60)))
    found = descriptor(make_report(rules=(rule,)), rule.id)
    assert len(found["shortDescription"]["text"]) <= 1024
    assert len(found["fullDescription"]["text"]) <= 1024
    assert len(found["properties"]["tags"]) == 20


def test_a_fence_is_longer_than_the_backticks_inside() -> None:
    rule = make_rule("auth/fence", doc='T.\n\nBad:\n    """\n    ````\n    """\n')
    assert '`````python\n"""\n````\n"""\n`````' in descriptor(make_report(rules=(rule,)), rule.id)["help"]["markdown"]


def test_a_third_partys_rule_has_no_page_of_ours() -> None:
    rule = msgspec.structs.replace(make_rule("acme/own"), module="acme_rules.own")
    assert "helpUri" not in descriptor(make_report(rules=(rule,)), "acme/own")


def test_results_point_to_their_rules() -> None:
    extra = make_rule("directives/unused", "low")
    run = run_of(make_report(*ordinary().issues, make_issue(extra, place("a.py", 1)), rules=RULES[:2]))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({rule["id"] for rule in rules})
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert run["results"][-1]["ruleId"] == "directives/unused"


# --- places


def test_columns_are_one_based_code_points() -> None:
    assert run_of(ordinary())["columnKind"] == "unicodeCodePoints"
    region = physical_of(make_issue(WEAK_HASH, place("a.py", 3, 4, 20)))["region"]
    assert region == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 21}


def test_a_spot_over_several_lines_is_narrowed_to_its_first() -> None:
    region = physical_of(make_issue(WEAK_HASH, place("a.py", 3, 4, 1, end_line=9)))["region"]
    assert region == {"startLine": 3, "startColumn": 5}


def test_a_whole_file_is_its_first_line() -> None:
    assert physical_of(make_issue(WEAK_HASH, Place(".env", WHOLE_FILE)))["region"] == {"startLine": 1}


@pytest.mark.parametrize(
    ("path", "prefix", "uri"),
    [
        ("app/a.py", "", "app/a.py"),
        ("app/a.py", "services/api", "services/api/app/a.py"),
        ("app/a.py", "services/api/", "services/api/app/a.py"),
        ("my app/ü#1?.py", "", "my%20app/%C3%BC%231%3F.py"),
        ("100%/c:d.py", "", "100%25/c%3Ad.py"),
        ("bytes\udcff.py", "", "bytes%FF.py"),
        ("back\\slash.py", "", "back%5Cslash.py"),
    ],
)
def test_uris_are_relative_to_the_repository_and_encoded(path: str, prefix: str, uri: str) -> None:
    location = physical_of(make_issue(WEAK_HASH, place(path, 1)), git_prefix=prefix)["artifactLocation"]
    assert location == {"uri": uri}


def test_the_excerpt_becomes_snippet_and_context() -> None:
    lines = excerpt(8, ["def f(p):", "    return md5(p)", "", "x" * 5000], 9, (11, 17))
    physical = physical_of(make_issue(WEAK_HASH, place("a.py", 9, 11, 17), excerpt=lines))
    assert physical["region"]["snippet"]["text"] == "md5(p)"
    context = physical["contextRegion"]
    assert (context["startLine"], context["endLine"]) == (8, 11)
    assert context["snippet"]["text"].startswith("def f(p):\n    return md5(p)\n\nxxx")
    assert len(context["snippet"]["text"]) < 400


def test_context_that_does_not_hold_the_spot_is_left_out() -> None:
    lines = excerpt(20, ["a", "b"], 0, (0, 0))
    assert "contextRegion" not in physical_of(make_issue(WEAK_HASH, place("a.py", 9), excerpt=lines))


# --- results


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Done.", "Done."),
        ("Not done", "Not done."),
        ("A list:", "A list."),
        ("`{0}` is empty.", "`{{0}}` is empty."),
        ("See [here](https://evil.example/).", "See \\[here](https://evil.example/)."),
        ("`d['a']` is used.", "`d['a']` is used."),
    ],
)
def test_a_message_is_a_sentence_and_nothing_but_text(message: str, text: str) -> None:
    assert result_of(make_issue(WEAK_HASH, place("a.py", 1), message))["message"]["text"] == text


def test_related_places_are_linked_from_the_message() -> None:
    steps = (Step(place("m.py", 9), "the model `User[int]`."), Step(place("n.py", 2), "its migration"))
    result = result_of(make_issue(UNINDEXED, place("a.py", 1), "No index.", related=steps))
    assert result["message"]["text"] == "No index. See also: [the model `User\\[int\\]`](1), [its migration](2)."
    assert [place["id"] for place in result["relatedLocations"]] == [1, 2]
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "m.py"


def steps_of(result: Any) -> list[tuple[str, int]]:
    (flow,) = result["codeFlows"]
    (thread,) = flow["threadFlows"]
    physical = [step["location"]["physicalLocation"] for step in thread["locations"]]
    return [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in physical]


def test_the_path_ends_at_the_finding() -> None:
    start, sink = Step(place("a.py", 1), "q comes in"), Step(place("b.py", 7), "it is run")
    assert steps_of(result_of(make_issue(SQL_INJECTION, sink.place, trace=(start,)))) == [("a.py", 1), ("b.py", 7)]
    assert steps_of(result_of(make_issue(SQL_INJECTION, sink.place, trace=(start, sink)))) == [("a.py", 1), ("b.py", 7)]
    assert "codeFlows" not in result_of(make_issue(SQL_INJECTION, sink.place))


def test_a_very_long_path_keeps_both_ends() -> None:
    trace = tuple(Step(place("a.py", line), "on it goes") for line in range(1, 3001))
    steps = steps_of(result_of(make_issue(SQL_INJECTION, trace[-1].place, trace=trace)))
    assert len(steps) == 1000
    assert (steps[0], steps[-1]) == (("a.py", 1), ("a.py", 3000))


def test_fingerprints() -> None:
    with_hash = make_issue(WEAK_HASH, place("a.py", 1), fingerprint="abc", line_hash="271789c17abda88f:1")
    assert result_of(with_hash)["partialFingerprints"] == {
        "primaryLocationLineHash": "271789c17abda88f:1",
        "backaudit/v1": "abc",
    }
    secret = make_issue(WEAK_HASH, place("a.py", 1), fingerprint="abc")
    assert result_of(secret)["partialFingerprints"] == {"backaudit/v1": "abc"}


def test_the_edits_of_a_fix_are_its_changes_by_file() -> None:
    first, second = place("a.py", 9, 11, 20), Place("a.py", Span(1, 0, 1, 0))
    fixes = (
        Fix(summary="Hash it", edits=(Edit(first, "hash(p)"), Edit(second, "import x\n"))),
        Fix(summary="Drop it", edits=(Edit(first, ""),), safe=True),
    )
    hash_it, drop_it = result_of(make_issue(WEAK_HASH, first, fixes=fixes))["fixes"]
    (change,) = hash_it["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "a.py"}
    assert [edit["deletedRegion"]["startLine"] for edit in change["replacements"]] == [1, 9]
    assert change["replacements"][0] == {
        "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
        "insertedContent": {"text": "import x\n"},
    }
    assert drop_it["properties"] == {"safe": True}
    assert "fixes" not in result_of(make_issue(WEAK_HASH, first))


def test_accepted_findings_are_left_out_unless_asked_for() -> None:
    assert "app/old.py" not in sarif.render(ordinary())
    run = run_of(ordinary(), include_suppressed=True)
    suppressed = [result["suppressions"] for result in run["results"] if "suppressions" in result]
    assert suppressed == [
        [{"kind": "inSource", "justification": "a checksum of a file"}],
        [{"kind": "external", "justification": "Known to the baseline."}],
    ]


# --- the run


def test_the_category_is_the_projects_own() -> None:
    assert run_of(ordinary())["automationDetails"]["id"] == "backaudit/shop/"
    assert run_of(ordinary(), category="api")["automationDetails"]["id"] == "api/"
    assert run_of(ordinary(), category="api/")["automationDetails"]["id"] == "api/"


def test_problems_are_notifications() -> None:
    first, second, *others = notifications(ordinary())
    assert first["descriptor"]["id"] == "unparsable"
    assert first["level"] == "warning"
    assert first["message"]["text"] == "the syntax is not Python 3: a print statement."
    physical = first["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "app/py2.py"}, "region": {"startLine": 3}}
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "app/gr%C3%B6%C3%9Fe.py"}}
    assert [note["message"]["text"] for note in others] == [
        "Left out, generated or minified: 3.",
        "Left out, virtual environment: 1204.",
        "The configuration in api/pyproject.toml is not used.",
    ]


def test_only_a_crash_makes_the_run_unsuccessful() -> None:
    assert run_of(ordinary())["invocations"][0]["executionSuccessful"] is True
    crashed = make_report(problems=(Problem("", "crash", "the rule errors/x stopped"),))
    assert run_of(crashed)["invocations"][0]["executionSuccessful"] is False
    (note,) = notifications(crashed)
    assert note["level"] == "error"
    assert "locations" not in note


def test_above_the_limit_the_least_severe_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    issues = [
        make_issue(rule, place(f"{number}.py", 1))
        for number, rule in enumerate([UNINDEXED, WEAK_HASH, BLANKET_500, SQL_INJECTION, BLANKET_500])
    ]
    run = run_of(make_report(*issues))
    assert [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]] == [
        "1.py",
        "2.py",
        "3.py",
    ]
    note = run["invocations"][0]["toolExecutionNotifications"][0]
    assert note["descriptor"]["id"] == "truncated"
    assert note["message"]["text"].startswith("2 of 5 findings")


def test_at_the_limit_nothing_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    report = make_report(*(make_issue(WEAK_HASH, place("a.py", line)) for line in (1, 2, 3)))
    assert len(run_of(report)["results"]) == 3
    assert notifications(report) == []


def test_the_upload_keeps_githubs_size(monkeypatch: pytest.MonkeyPatch) -> None:
    report = many(400)
    monkeypatch.setattr(sarif, "MAX_GZIP", 9_000)
    text = sarif.render(report)
    assert len(gzip.compress(text.encode(), compresslevel=6)) <= 9_000
    run = json.loads(text)["runs"][0]
    left = len(run["results"])
    assert 0 < left < 400
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith(f"{400 - left} of 400 ")
    severities = [result["properties"]["severity"] for result in run["results"]]
    assert "low" not in severities
    assert "critical" in severities


# --- the text


def test_hostile_text_stays_data() -> None:
    text = sarif.render(hostile(), include_suppressed=True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text), "a control character that a terminal obeys"
    text.encode("utf-8")
    run = json.loads(text)["runs"][0]
    fix = run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"]
    assert fix == HOSTILE.replace("\udcff", "\ufffd")
    assert "\\[here](https://evil.example/) {{0}}" in run["results"][0]["message"]["text"]


@pytest.mark.parametrize("format", ["sarif", "html"])
def test_the_same_report_gives_the_same_bytes(format: str) -> None:
    code = (
        "import sys; from tests.report.samples import ordinary\n"
        f"from backaudit.report import {format} as module\n"
        "sys.stdout.buffer.write(module.render(ordinary()).encode())"
    )
    root = Path(__file__).resolve().parents[2]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert b"weak-hash" in outputs.pop()
