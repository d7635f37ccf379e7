"""Findings become issues: one each, masked, fingerprinted, shown or not, suppressed, held against the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from backaudit.baseline import Baseline
from backaudit.config import Config
from backaudit.config.folders import Folders
from backaudit.directives import RULES as ENGINE_RULES
from backaudit.directives import FileDirectives, parse
from backaudit.evidence import assume
from backaudit.facts.comments import Comment
from backaudit.facts.place import WHOLE_FILE, Place, Span
from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.masking import MASK
from backaudit.rule import Edit, Finding, Fix, Rule, Step, everywhere
from backaudit.rulenames import RuleNames
from backaudit.source import Source, decode
from backaudit.triage import Scan, accepted, select, triage
from tests.report.samples import make_rule

WEAK = make_rule("passwords/weak-hash", "high")
POLICY = make_rule("passwords/no-password-policy", "low", shown="strict")
SQL = make_rule("validation/sql-injection", "critical")
SECRET = make_rule("secrets/hardcoded-secret", "high")
COVERED = make_rule("bandit/B105", "low", shown="selected")
NAMES = RuleNames([WEAK, POLICY, SQL, SECRET, COVERED, *ENGINE_RULES])

CODE = """\
import hashlib


def digest(value):
    first = hashlib.md5(value)
    again = hashlib.md5(value)
    return first, again
"""


def at(line: int, column: int = 0, end_column: int = 5, path: str = "a.py", end_line: int = 0) -> Place:
    return Place(path, Span(line, column, end_line or line, end_column))


def edited(summary: str, text: str) -> Fix:
    return Fix(summary=summary, edits=(Edit(at(5), text),))


def find(rule: Rule, place: Place, message: str = "Wrong.", **more: Any) -> tuple[Rule, Finding]:
    return rule, Finding(place=place, message=message, **more)


def run(
    findings: Sequence[tuple[Rule, Finding]],
    config: Config | None = None,
    *,
    files: dict[str, str] | None = None,
    baseline: Baseline | None = None,
    directives: Sequence[FileDirectives] = (),
    **more: Any,
) -> Report:
    config = config or Config()
    sources = {path: decode(path, text.encode()) for path, text in (files or {"a.py": CODE}).items()}
    scan = Scan(
        root_name="shop",
        version="1",
        selection=select(NAMES, config),
        findings=findings,
        sources={path: source for path, source in sources.items() if isinstance(source, Source)},
        directives=directives,
        **more,
    )
    return triage(scan, NAMES, Folders(config), baseline)


def names(report: Report) -> list[str]:
    return [issue.rule.name for issue in report.issues]


def only(report: Report) -> Issue:
    (issue,) = report.issues
    return issue


def everything(report: Report) -> str:
    from backaudit.report import FORMATS, renderer

    return "\n".join(renderer(format)(report) for format in FORMATS)


# -- which rules run, and what is shown --------------------------------------------------------------------------------


def selected(**settings: Any) -> list[str]:
    return [rule.name for rule in select(NAMES, Config(**settings)).rules if rule.family != "directives"]


def test_by_default_core_rules_run() -> None:
    assert selected() == ["weak-hash", "hardcoded-secret", "sql-injection"]


def test_strict_adds_the_strict_rules_but_not_those_that_another_covers() -> None:
    assert selected(strict=True) == ["no-password-policy", "weak-hash", "hardcoded-secret", "sql-injection"]


def test_a_rule_named_in_select_runs_though_strict_or_covered() -> None:
    assert selected(select=("no-password-policy", "bandit/B105")) == ["B105", "no-password-policy"]
    assert selected(select=("passwords", "bandit")) == ["weak-hash"]


def test_the_more_exact_name_wins_between_select_and_ignore() -> None:
    assert selected(ignore=("passwords",)) == ["hardcoded-secret", "sql-injection"]
    assert selected(select=("weak-hash",), ignore=("passwords",)) == ["weak-hash"]
    assert selected(select=("passwords",), ignore=("weak-hash",), strict=True) == ["no-password-policy"]
    assert selected(select=("weak-hash",), ignore=("weak-hash",)) == []


def test_low_confidence_and_strict_findings_are_shown_under_strict_alone() -> None:
    findings = [
        find(WEAK, at(1)),
        find(WEAK, at(2), assumed=assume("word", "it is a secret")),
        find(WEAK, at(3), assumed=assume("purpose", "it matters")),
        find(WEAK, at(4), shown="strict"),
    ]
    assert [issue.finding.place.span.line for issue in run(findings).issues] == [1, 2]
    assert [issue.finding.place.span.line for issue in run(findings, Config(strict=True)).issues] == [1, 2, 3, 4]
    named = run(findings, Config(select=("weak-hash",)))
    assert [issue.finding.place.span.line for issue in named.issues] == [1, 2, 4]


def test_paths_select_what_is_reported() -> None:
    report = run([find(WEAK, at(1)), find(WEAK, at(1, path="b.py"))], is_reported=lambda path: path == "b.py")
    assert [issue.finding.place.path for issue in report.issues] == ["b.py"]


def test_per_path_ignores_are_patterns_relative_to_the_root() -> None:
    findings = [find(WEAK, at(1, path=path)) for path in ("scripts/x/a.py", "app/scripts/a.py", "a.py")]
    report = run(findings, Config(per_path_ignores={"/scripts/**": ("passwords",), "*.py": ("sql-injection",)}))
    assert [issue.finding.place.path for issue in report.issues] == ["a.py", "app/scripts/a.py"]


def test_severity_is_the_configurations_then_the_findings_then_the_rules() -> None:
    finding = [find(WEAK, at(1), severity="medium")]
    assert only(run([find(WEAK, at(1))])).severity == "high"
    assert only(run(finding)).severity == "medium"
    assert only(run(finding, Config(severities={"passwords": "critical"}))).severity == "critical"
    both = Config(severities={"passwords": "critical", "weak-hash": "low"})
    assert only(run(finding, both)).severity == "low"


# -- one issue each, in order ------------------------------------------------------------------------------------------


def test_the_same_finding_twice_is_one_issue_the_surest() -> None:
    step = Step(at(1), "here it begins")
    findings = [
        find(WEAK, at(1), assumed=assume("word", "it is a secret")),
        find(WEAK, at(1), trace=(step,)),
        find(WEAK, at(1)),
    ]
    assert only(run(findings)).finding.trace == (step,)
    assert only(run(findings[:1])).finding.confidence == "medium"


def test_issues_are_sorted_by_place_whatever_the_order_of_findings() -> None:
    findings = [
        find(WEAK, at(5, 3)),
        find(SQL, at(5)),
        find(WEAK, at(2, path="b.py")),
        find(WEAK, at(1)),
        find(WEAK, at(5)),
    ]
    report = run(findings)
    places = [(issue.finding.place.path, issue.finding.place.span.line, issue.rule.name) for issue in report.issues]
    assert places == [
        ("a.py", 1, "weak-hash"),
        ("a.py", 5, "sql-injection"),
        ("a.py", 5, "weak-hash"),
        ("a.py", 5, "weak-hash"),
        ("b.py", 2, "weak-hash"),
    ]
    assert run(findings[::-1]) == report


def test_problems_are_sorted_and_said_once() -> None:
    one, two = Problem("b.py", "unreadable", "x"), Problem("a.py", "crash", "y")
    assert run([], problems=[one, two, one]).problems == (two, one)


# -- excerpts ----------------------------------------------------------------------------------------------------------


def test_the_excerpt_marks_the_spot_and_has_lines_around_it() -> None:
    lines = only(run([find(WEAK, at(5, 12, 30))])).excerpt
    assert [(line.number, line.mark) for line in lines] == [(3, None), (4, None), (5, (12, 30)), (6, None), (7, None)]
    assert lines[2].text[12:30] == "hashlib.md5(value)"


def test_a_span_of_several_lines_is_marked_without_indentation() -> None:
    lines = only(run([find(WEAK, at(4, 0, 9, end_line=5))])).excerpt
    assert [line.mark for line in lines if line.mark] == [(0, 18), (4, 9)]


def test_long_lines_are_cut_around_the_spot() -> None:
    text = "x = '" + "a" * 5000 + "' + spot + '" + "b" * 5000 + "'\n"
    start = text.index("spot")
    (line,) = only(run([find(WEAK, at(1, start, start + 4))], files={"a.py": text})).excerpt
    assert line.mark is not None
    assert line.text[slice(*line.mark)] == "spot"
    assert len(line.text) < 300


@pytest.mark.parametrize("place", [at(99), at(1, path="gone.py"), Place("a.py", WHOLE_FILE)])
def test_a_place_without_text_has_no_excerpt(place: Place) -> None:
    assert only(run([find(WEAK, place)])).excerpt == ()


# -- secrets -----------------------------------------------------------------------------------------------------------

KEY = "sk-live-4f9a81bc77"
LEAKY = f'API_KEY = "{KEY}"\n\n\ndef call():\n    return get(url, "{KEY}")  # {KEY}\n'


def test_a_secret_is_masked_in_every_text_of_every_finding() -> None:
    spot = at(1, 10, 30)
    findings = [
        find(SECRET, spot, f"The key {KEY} is here.", remedy=f"Drop {KEY}.", evidence=KEY, secrets=(spot,)),
        find(WEAK, at(5, 4, 40), trace=(Step(at(5), f"with {KEY}"),), related=(Step(at(1), KEY),)),
        find(SQL, at(5, 4, 40), fixes=(edited("x", f"get('{KEY}')"), edited("y", "safe()"))),
    ]
    report = run(findings, files={"a.py": LEAKY}, problems=[Problem("a.py", "bound", f"near {KEY}")], notes=(KEY,))
    assert len(report.issues) == 3
    assert KEY not in everything(report)
    assert KEY not in repr(report.issues)
    assert MASK in everything(report)
    assert [fix.summary for issue in report.issues for fix in issue.finding.fixes] == ["y"]


def test_a_secret_of_a_hidden_finding_is_masked_too() -> None:
    hidden = find(SECRET, at(1, 10, 30), assumed=assume("purpose", "it matters"), secrets=(at(1, 10, 30),))
    report = run([hidden, find(WEAK, at(1, 0, 7))], files={"a.py": LEAKY})
    assert names(report) == ["weak-hash"]
    assert KEY not in everything(report)


def test_the_mask_says_nothing_of_length_and_keeps_the_quotes() -> None:
    for value in ("abc", "x" * 90):
        text = f'PASSWORD = f"{value}"\n'
        spot = at(1, 11, len(text) - 1)
        (line,) = only(run([find(SECRET, spot, secrets=(spot,))], files={"a.py": text})).excerpt
        assert line.text == f'PASSWORD = f"{MASK}"'
        assert line.mark == (11, 11 + 3 + len(MASK))


def test_a_short_word_is_masked_where_it_stands_and_not_in_prose() -> None:
    text = 'secret = "secret"\nlogin("secret")\nsecret()\n'
    spot = at(1, 9, 17)
    findings = [find(SECRET, spot, "This secret is `secret`.", secrets=(spot,)), find(WEAK, at(2, 0, 5))]
    report = run(findings, files={"a.py": text})
    assert [line.text for line in report.issues[0].excerpt] == [f'secret = "{MASK}"', f'login("{MASK}")', "secret()"]
    assert report.issues[0].finding.message == "This secret is `secret`."  # so would anybody guess it


def test_a_short_value_that_is_no_word_is_masked_in_prose_too() -> None:
    text = 'pin = "zqxv"\n'
    spot = at(1, 6, 12)
    report = run([find(SECRET, spot, "It is `zqxv`.", secrets=(spot,))], files={"a.py": text})
    assert report.issues[0].finding.message == f"It is `{MASK}`."


def test_secrets_over_several_lines_and_overlapping_ones() -> None:
    text = 'KEY = """\n-----BEGIN-----\n  abcdef0123\n-----END-----\n"""\n'
    whole, inner = at(1, 6, 3, end_line=5), at(3, 2, 8)
    report = run([find(SECRET, whole, secrets=(whole, inner))], files={"a.py": text})
    shown = "\n".join(line.text for line in only(report).excerpt)
    assert "abcdef" not in shown
    assert "BEGIN" not in shown
    assert shown.count(MASK) == 3


def test_lines_around_a_value_of_an_env_file_are_not_shown() -> None:
    spot = at(2, 7, 13, path=".env")
    report = run([find(SECRET, spot, secrets=(spot,))], files={".env": "OTHER=zzzzzz\nTOKEN=abcdef\nMORE=yyyyyy\n"})
    assert [line.number for line in only(report).excerpt] == [2]


def test_a_line_hash_is_given_only_where_no_secret_has_a_part_in_it() -> None:
    spot = at(1, 10, 30)
    findings = [find(SECRET, spot, secrets=(spot,)), find(WEAK, at(1, 0, 7)), find(WEAK, at(4))]
    alone = run(findings, files={"a.py": LEAKY.partition("    return")[0]})
    assert [bool(issue.line_hash) for issue in alone.issues] == [False, False, True]
    # The hash of line 4 goes on over line 5, which repeats the value.
    repeated = run(findings, files={"a.py": LEAKY})
    assert [bool(issue.line_hash) for issue in repeated.issues] == [False, False, False]


def test_the_line_hash_is_githubs() -> None:
    report = run([find(WEAK, at(2))], files={"a.py": " a\nb\n  \t\tc\n d"})
    assert only(report).line_hash == "54703d4cd895b18:1"


# -- fingerprints ------------------------------------------------------------------------------------------------------


def fingerprints(code: str, *findings: tuple[Rule, Finding]) -> list[str]:
    return [issue.fingerprint for issue in run(findings, files={"a.py": code}).issues]


def test_a_fingerprint_stays_when_lines_move_and_spaces_change() -> None:
    moved = "\n\n\n" + CODE.replace("md5(value)", "md5( value )")
    before = fingerprints(CODE, find(WEAK, at(5, 12, 30)))
    assert fingerprints(moved, find(WEAK, at(8, 12, 32))) == before
    wrapped = CODE.replace("hashlib.md5(value)", "hashlib.md5(\n        value\n    )", 1)
    assert fingerprints(wrapped, find(WEAK, at(5, 12, 5, end_line=7))) == before


def test_a_fingerprint_depends_on_rule_path_scope_and_snippet() -> None:
    spot = at(5, 12, 30)
    files = {"a.py": CODE, "b.py": CODE}
    findings = [
        find(WEAK, spot),
        find(SQL, spot),
        find(WEAK, at(5, 12, 30, path="b.py")),
        find(WEAK, at(6, 12, 30), scope="digest"),
        find(WEAK, at(7)),
    ]
    found = [issue.fingerprint for issue in run(findings, files=files).issues]
    assert len(set(found)) == 5
    assert all(len(value) == 16 for value in found)


def test_equal_findings_are_told_apart_by_occurrence() -> None:
    first, second = fingerprints(CODE, find(WEAK, at(5, 12, 30)), find(WEAK, at(6, 12, 30)))
    assert first != second
    assert fingerprints(CODE, find(WEAK, at(6, 12, 30))) == [first]


def test_a_fingerprint_does_not_depend_on_the_message_or_the_secret() -> None:
    def of(value: str, message: str) -> str:
        text = f'KEY = "{value}"\n'
        spot = at(1, 6, len(text) - 1)
        return only(run([find(SECRET, spot, message, secrets=(spot,))], files={"a.py": text})).fingerprint

    assert of("abcdef0123456", "One.") == of("zzz999", "Two.")


# -- suppression and baseline ------------------------------------------------------------------------------------------


def directive(text: str, line: int) -> FileDirectives:
    return parse("a.py", [Comment(Span(line, 30, line, 60), text)], [])


def test_a_suppressed_finding_stays_in_the_report_with_its_reason() -> None:
    report = run([find(WEAK, at(5))], directives=[directive("# backaudit: ignore[weak-hash] a checksum", 5)])
    assert (only(report).status, only(report).justification) == ("suppressed", "a checksum")


def test_directives_that_do_nothing_are_issues() -> None:
    report = run([], directives=[directive("# backaudit: ignore[weak-hash] a checksum", 5)])
    assert (only(report).rule.id, only(report).status, only(report).finding.place.span.line) == (
        "directives/unused",
        "new",
        5,
    )


def test_an_unused_directive_of_a_rule_that_did_not_run_or_crashed_is_none() -> None:
    given = [
        directive("# backaudit: ignore[no-password-policy] later", 5),
        directive("# backaudit: ignore[sql-injection] x", 6),
    ]
    assert run([], directives=given, crashed={"validation/sql-injection"}).issues == ()


def test_a_suppression_of_a_hidden_finding_is_used() -> None:
    report = run(
        [find(WEAK, at(5), assumed=assume("purpose", "it matters"))],
        directives=[directive("# backaudit: ignore[weak-hash] a checksum", 5)],
    )
    assert report.issues == ()


def test_the_baseline_accepts_what_it_lists_and_a_second_of_the_kind_is_new() -> None:
    findings = [find(WEAK, at(5, 12, 30)), find(WEAK, at(6, 12, 30))]
    entries = accepted(run(findings[:1]))
    report = run(findings, baseline=Baseline(entries))
    assert [issue.status for issue in report.issues] == ["baseline", "new"]
    assert report.stale_baseline == ()


def test_an_accepted_report_is_accepted_whole_and_suppressed_findings_are_not_in_it() -> None:
    findings = [find(WEAK, at(5, 12, 30)), find(SQL, at(6, 12, 30))]
    given = [directive("# backaudit: ignore[sql-injection] x", 6)]
    entries = accepted(run(findings, directives=given))
    assert [entry.rule for entry in entries] == [WEAK.id]
    report = run(findings, directives=given, baseline=Baseline(entries))
    assert [issue.status for issue in report.issues] == ["baseline", "suppressed"]


def test_stale_entries_are_those_of_rules_that_ran_and_paths_that_were_asked_about() -> None:
    entries = accepted(run([find(WEAK, at(5)), find(POLICY, at(6))], Config(strict=True)))
    assert len(run([], baseline=Baseline(entries)).stale_baseline) == 1
    assert len(run([], Config(strict=True), baseline=Baseline(entries)).stale_baseline) == 2
    assert run([], baseline=Baseline(entries), is_reported=lambda path: False).stale_baseline == ()


def test_a_baseline_entry_for_a_hidden_finding_is_not_stale() -> None:
    strict = [find(WEAK, at(5), assumed=assume("purpose", "it matters"))]
    entries = accepted(run(strict, Config(strict=True)))
    assert run(strict, baseline=Baseline(entries)).stale_baseline == ()


def test_the_report_is_a_record_that_can_be_kept() -> None:
    report = run([find(WEAK, at(5))])
    assert msgspec.structs.replace(report) == report


def test_what_one_value_does_in_many_places_is_one_finding() -> None:
    way = tuple(Step(at(1), f"step {number}") for number in range(4))
    many = [find(WEAK, at(line), trace=(*way, Step(at(line), "is used"))) for line in (20, 21, 22, 23)]
    issue = only(run(many))
    assert issue.finding.place == at(20)
    assert [step.place for step in issue.finding.related] == [at(21), at(22), at(23)]
    assert len(run(many[:3]).issues) == 3


# -- one cause ---------------------------------------------------------------------------------------------------------


def wanting(rule: Rule = WEAK, lines: Sequence[int] = (5, 6, 7)) -> list[tuple[Rule, Finding]]:
    """What one mend takes away at several lines."""
    first, *others = lines
    steps = [Step(at(line), f"the same at {line}") for line in others]
    return [(rule, one) for one in everywhere(Finding(place=at(first), message="Wrong."), steps)]


def test_what_one_mend_takes_away_is_one_finding_with_its_places() -> None:
    issue = only(run(wanting()))
    assert (issue.finding.place, issue.finding.message) == (at(5), "Wrong.")
    assert issue.finding.related == (Step(at(6), "the same at 6"), Step(at(7), "the same at 7"))
    assert [one.finding.place for one in run(wanting(), Config(per_place=True)).issues] == [at(5), at(6), at(7)]


def test_the_finding_that_stands_for_others_is_the_one_that_is_told() -> None:
    assert only(run(wanting(lines=(7, 5)))).finding.place == at(7)


def test_two_causes_at_one_place_are_both_told() -> None:
    report = run([*wanting(lines=(5, 6)), *wanting(lines=(6, 7))])
    assert [(one.finding.place, [step.place for step in one.finding.related]) for one in report.issues] == [
        (at(5), [at(6)]),
        (at(6), [at(7)]),
    ]


def test_findings_of_one_helper_are_one() -> None:
    found = [find(WEAK, at(line), f"Wrong at {line}.", cause=at(1), beside=f"also {line}") for line in (6, 5)]
    issue = only(run(found))
    assert (issue.finding.place, issue.finding.related) == (at(5), (Step(at(6), "also 6"),))


def test_the_baseline_and_an_earlier_commit_know_each_place() -> None:
    entries = accepted(run(wanting()[:2], Config(per_place=True)))
    assert len(entries) == 2
    report = run(wanting(), baseline=Baseline(entries))
    told = {issue.status: (issue.finding.place, len(issue.finding.related)) for issue in report.issues}
    assert told == {"baseline": (at(5), 1), "new": (at(7), 0)}


def test_a_comment_where_a_cause_is_told_holds_for_all_its_places() -> None:
    def suppressed_at(line: int) -> list[tuple[str, int]]:
        comment = Comment(span=Span(line, 0, line, 40), text="# backaudit: ignore[weak-hash] fine", alone=False)
        report = run(wanting(), directives=[parse("a.py", (comment,), ())])
        return [(one.status, 1 + len(one.finding.related)) for one in report.issues if one.rule is WEAK]

    assert suppressed_at(5) == [("suppressed", 3)]
    assert sorted(suppressed_at(6)) == [("new", 2), ("suppressed", 1)]
