"""Text, JSON and workflow commands: complete, of bearable width, and harmless whatever they quote."""

from __future__ import annotations

import json
import re

import pytest

from backaudit.issue import ExcerptLine, Report
from backaudit.report import FORMATS, SUFFIXES, renderer
from backaudit.report.github import render as github
from backaudit.report.json import render as as_json
from backaudit.report.text import render as text
from backaudit.rule import Step
from tests.report.samples import HOSTILE, UNINDEXED, WEAK_HASH, excerpt, make_issue, make_report, ordinary, place

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def hostile_report() -> Report:
    return make_report(
        make_issue(
            WEAK_HASH,
            place(f"app/{HOSTILE}.py", 3),
            HOSTILE,
            remedy=HOSTILE,
            evidence=HOSTILE,
            trace=(Step(place(f"{HOSTILE}.py", 1), HOSTILE),),
            related=(Step(place(f"{HOSTILE}.py", 1), HOSTILE),),
            excerpt=(ExcerptLine(3, HOSTILE, (0, 5)), ExcerptLine(4, HOSTILE)),
        ),
        make_issue(WEAK_HASH, place("b.py", 3), status="suppressed", justification=HOSTILE),
        notes=(HOSTILE,),
        left_out=((HOSTILE, 3),),
        stale_baseline=(HOSTILE,),
    )


def test_every_format_has_a_module_and_every_suffix_a_format() -> None:
    for name in FORMATS:
        assert callable(renderer(name))
    assert set(SUFFIXES.values()) <= set(FORMATS)


def test_an_issue_shows_place_code_path_why_and_remedy() -> None:
    shown = text(ordinary())
    assert (
        "app/search.py:18:12  critical  validation/sql-injection\n"
        "    The query parameter `q` becomes part of SQL text.\n"
        "\n"
        "      17 | sql = f\"SELECT * FROM products WHERE name LIKE '%{q}%'\"\n"
        "    > 18 | return db.run(sql)\n"
        "         |        ^^^^^^^^^^^\n"
        "\n"
        "    1. app/search.py:15  `q` is a query parameter\n"
        "    2. app/search.py:17  it becomes part of `sql`\n"
        "    see app/models.py:9  the table is defined here\n"
        "    mend: Pass `q` as a bound parameter.\n"
    ) in shown
    assert "    why:  MD5 is built to be fast" in shown
    assert "    mend: use a password hasher such as `argon2-cffi`." in shown


def test_every_issue_begins_with_a_place_that_can_be_opened() -> None:
    shown = text(ordinary())
    assert re.findall(r"^app/orders\.py:\S+", shown, re.M) == ["app/orders.py:44:5", "app/orders.py:20:5"]


def test_issues_are_grouped_by_rule_or_severity_on_request() -> None:
    by_rule = re.findall(r"^(\S+): (\d+) finding", text(ordinary(), group_by="rule"), re.M)
    assert by_rule == sorted(by_rule)
    assert ("validation/sql-injection", "1") in by_rule
    by_severity = re.findall(r"^(\w+): (\d+) finding", text(ordinary(), group_by="severity"), re.M)
    assert by_severity[:2] == [("critical", "1"), ("high", "2")]


def test_places_are_links_where_the_terminal_shows_them() -> None:
    issue = make_issue(WEAK_HASH, place("app/a b.py", 3))
    shown = text(make_report(issue), root="/home/me/shop")
    assert shown.startswith("\x1b]8;;file:///home/me/shop/app/a%20b.py\x1b\\app/a b.py:3:5\x1b]8;;\x1b\\  high")


def test_the_summary_counts_by_mistake_then_family() -> None:
    rows = [line.split() for line in text(ordinary()).split("\n") if line.startswith("  Mistake")]
    assert rows == [
        ["Mistake", "01", "Passwords", "1", "high"],
        ["Mistake", "02", "Validation", "1", "critical"],
        ["Mistake", "03", "Errors", "1", "medium"],
        ["Mistake", "04", "Indexes", "1", "low"],
    ]
    assert text(ordinary()).endswith(
        "5 findings, 1 suppressed, 1 in the baseline in 7 files.\n[*] 1 fixable with --fix --unsafe-fixes.\n"
    )


def test_nothing_found_is_said() -> None:
    shown = text(make_report())
    assert "Mistake 01 Passwords   none" in shown
    assert shown.endswith("No findings in 7 files.\n")


def test_problems_notes_and_stale_entries_are_listed() -> None:
    shown = text(ordinary())
    assert "unparsable: app/py2.py:3: the syntax is not Python 3: a print statement" in shown
    assert "too-large: app/größe.py" in shown
    assert "note: The configuration in api/pyproject.toml is not used." in shown
    assert "passwords/weak-hash app/gone.py login" in shown
    assert "1,207 files and folders" in shown


def test_quiet_has_findings_and_problems_only() -> None:
    shown = text(ordinary(), quiet=True)
    assert "app/py2.py" in shown
    assert "Mistake" not in shown
    assert "note:" not in shown
    assert text(make_report(), quiet=True) == ""


def test_verbose_lists_what_is_suppressed_accepted_and_left_out() -> None:
    shown = text(ordinary(), verbose=True)
    assert "app/old.py:3  passwords/weak-hash: a checksum of a file" in shown
    assert "app/old.py:9  passwords/weak-hash" in shown
    assert re.search(r"left out: 1,204 × .*virtual environment", shown)
    assert "a checksum of a file" not in text(ordinary())


def test_colours_are_there_only_when_asked_for() -> None:
    assert "\x1b[" not in text(ordinary())
    assert re.sub(r"\x1b\[[\d;]*m", "", text(ordinary(), color=True)) == text(ordinary())
    assert "\x1b[" in text(ordinary(), color=True)


@pytest.mark.parametrize("width", [1, 60, 80, 5000])
def test_running_text_keeps_to_a_sane_width(width: int) -> None:
    long = make_report(make_issue(WEAK_HASH, place("a.py", 1), "word " * 200))
    longest = max(len(line) for line in text(long, width=width).split("\n"))
    assert longest <= min(max(width, 60), 120)


def test_the_underline_stands_under_the_spot_past_tabs_and_indentation() -> None:
    lines = excerpt(1, ["\tif x:", "\t\ty\t= spot(1)"], 2, (6, 10))
    shown = text(make_report(make_issue(WEAK_HASH, place("a.py", 2), excerpt=lines))).split("\n")
    at = next(index for index, line in enumerate(shown) if "spot(1)" in line)
    assert shown[at + 1].index("^") == shown[at].index("spot")
    assert shown[at + 1].count("^") == 4


def test_text_quotes_nothing_that_acts() -> None:
    for verbose in (False, True):
        shown = text(hostile_report(), verbose=verbose)
        assert CONTROL.search(shown) is None
        shown.encode("utf-8")


def test_a_path_of_many_steps_is_cut() -> None:
    steps = tuple(Step(place("a.py", number), "x") for number in range(1, 40))
    shown = text(make_report(make_issue(WEAK_HASH, place("a.py", 1), trace=steps)))
    assert "12. a.py:12" in shown
    assert "… and 27 more steps" in shown


def test_json_holds_everything_under_stable_names() -> None:
    data = json.loads(as_json(ordinary()))
    assert set(data) == {
        *(
            "format",
            "tool",
            "root",
            "files",
            "back_end",
            "findings",
            "problems",
            "left_out",
            "notes",
            "stale_baseline",
            "expired_baseline",
            "since",
            "rules",
        ),
    }
    finding = data["findings"][0]
    assert (finding["rule"], finding["severity"], finding["status"]) == ("validation/sql-injection", "critical", "new")
    assert (finding["path"], finding["line"], finding["column"], finding["end_column"]) == ("app/search.py", 18, 12, 62)
    assert [step["line"] for step in finding["trace"]] == [15, 17]
    assert {finding["status"] for finding in data["findings"]} == {"new", "suppressed", "baseline"}
    assert data["problems"][0] == {
        "path": "app/py2.py",
        "kind": "unparsable",
        "message": "the syntax is not Python 3: a print statement",
        "line": 3,
    }
    assert {rule["id"] for rule in data["rules"]} == {finding["rule"] for finding in data["findings"]}


def test_json_holds_hostile_text() -> None:
    data = json.loads(as_json(hostile_report()).encode("utf-8"))
    assert data["findings"][0]["message"] == HOSTILE.replace("\udcff", "\ufffd")


def test_github_annotates_new_findings_and_problems() -> None:
    lines = github(ordinary()).split("\n")
    assert len([line for line in lines if line.startswith("::")]) == 5 + 2
    where = "file=app/search.py,line=18,endLine=18,col=12,endColumn=61,title=validation/sql-injection"
    assert lines[0].startswith(f"::error {where}::")
    assert [line.split(" ")[0] for line in lines[1:5]] == ["::error", "::error", "::warning", "::notice"]
    assert "::warning file=app/py2.py,line=3,title=backaudit%3A unparsable::" in github(ordinary())


def test_github_paths_are_the_repositorys() -> None:
    assert "file=services/api/app/search.py," in github(ordinary(git_prefix="services/api/"))


def test_nothing_quoted_can_end_a_workflow_command_or_start_one() -> None:
    issue = make_issue(WEAK_HASH, place("a,b:c%\n.py", 1), "100%\r\n::set-output name=x::y")
    (line, rest) = github(make_report(issue)).split("\n")
    assert rest == ""
    assert "file=a%2Cb%3Ac%25%0A.py," in line
    assert "::100%25%0D%0A::set-output" in line
    assert CONTROL.search(github(hostile_report())) is None


def test_of_many_places_of_one_cause_the_first_are_told() -> None:
    places = tuple(Step(place("app/orders.py", line), "the same index serves this") for line in range(30, 45))
    shown = text(make_report(make_issue(UNINDEXED, place("app/orders.py", 20), related=places)))
    assert shown.count("the same index serves this") == 12
    assert "… and 3 more places: --per-place tells each" in shown
