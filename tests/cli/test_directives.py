"""Suppression comments: what they may look like, which lines they hold for, and when they are findings themselves."""

from __future__ import annotations

import msgspec
import pytest

from backaudit.directives import Suppressions, parse
from backaudit.extract.comments import comments_of, extents_of
from backaudit.facts.comments import Comment, Extent
from backaudit.facts.place import Place, Span
from backaudit.rulenames import RuleNames
from backaudit.source import Kind
from tests.report.samples import make_rule

WEAK = make_rule("passwords/weak-hash")
LOGGED = make_rule("passwords/password-logged")
SQL = make_rule("validation/sql-injection")
OURS = msgspec.structs.replace(make_rule("acme/naive-time"), module="acme_rules.naive_time")
NAMES = RuleNames([WEAK, LOGGED, SQL, OURS])
ALL = {rule.id for rule in NAMES.rules}


def comment(text: str, line: int = 1, alone: bool = False) -> Comment:
    return Comment(Span(line, 20, line, 20 + len(text)), text, alone)


def at(line: int, path: str = "a.py") -> Place:
    return Place(path, Span(line, 0, line, 5))


def suppressions(*comments: Comment, extents: tuple[Extent, ...] = ()) -> Suppressions:
    return Suppressions([parse("a.py", comments, extents)], NAMES)


def reported(found: Suppressions, ran: set[str] = ALL) -> list[tuple[str, str]]:
    return [(rule.name, finding.message) for rule, finding in found.findings(ran)]


def in_file(kind: Kind, text: str, path: str = "file") -> Suppressions:
    return Suppressions([parse(path, comments_of(kind, text), extents_of(kind, text))], NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "# backaudit: ignore[weak-hash] a cache key",
        "#backaudit:ignore[weak-hash] a cache key",
        "# backaudit: ignore[passwords/weak-hash] a cache key",
        "# backaudit: ignore[passwords] a cache key",
        "# backaudit: ignore[sql-injection, weak-hash] a cache key",
        "# backaudit: ignore[weak-hash] - a cache key",
        "# noqa: S324 # backaudit: ignore[weak-hash] a cache key",
    ],
)
def test_a_comment_suppresses_what_it_names_with_its_reason(text: str) -> None:
    found = suppressions(comment(text))
    assert found.reason_for(WEAK, at(1)) == "a cache key"
    assert found.reason_for(OURS, at(1)) is None
    assert found.reason_for(WEAK, at(2)) is None
    assert found.reason_for(WEAK, at(1, "b.py")) is None


def test_two_directives_may_share_a_comment() -> None:
    found = suppressions(comment("# backaudit: ignore[weak-hash] one # backaudit: ignore[sql-injection] two"))
    assert (found.reason_for(WEAK, at(1)), found.reason_for(SQL, at(1))) == ("one", "two")


def test_a_file_directive_holds_for_the_file() -> None:
    found = suppressions(comment("# backaudit: ignore-file[weak-hash] generated", 40, alone=True))
    assert found.reason_for(WEAK, at(1)) == "generated"
    assert found.reason_for(SQL, at(1)) is None


def test_a_third_partys_rule_needs_its_family() -> None:
    assert suppressions(comment("# backaudit: ignore[acme/naive-time] x")).reason_for(OURS, at(1)) == "x"
    found = suppressions(comment("# backaudit: ignore[naive-time] x"))
    assert found.reason_for(OURS, at(1)) is None
    assert reported(found) == [
        (
            "unknown-rule",
            'This comment suppresses "naive-time", and there is no such rule. Did you mean "acme/naive-time"?',
        )
    ]


@pytest.mark.parametrize("line", [3, 4, 5])
def test_any_line_of_the_statement_will_do(line: int) -> None:
    statement = Extent(3, 5, 5)
    found = suppressions(comment("# backaudit: ignore[weak-hash] x", line), extents=(Extent(1, 9, 2), statement))
    assert [number for number in range(1, 10) if found.reason_for(WEAK, at(number))] == [3, 4, 5]


def test_of_a_compound_statement_only_the_header_counts() -> None:
    extents = (Extent(1, 9, 3), Extent(4, 4, 4), Extent(5, 9, 9))
    found = suppressions(comment("# backaudit: ignore[weak-hash] x", 2), extents=extents)
    assert [number for number in range(1, 10) if found.reason_for(WEAK, at(number))] == [1, 2, 3]


def test_alone_on_its_line_it_holds_for_the_statement_below() -> None:
    extents = (Extent(1, 1, 1), Extent(4, 6, 6), Extent(7, 7, 7))
    found = suppressions(
        comment("# backaudit: ignore[weak-hash] x", 2, alone=True),
        comment("# backaudit: ignore[sql-injection] y", 3, alone=True),
        extents=extents,
    )
    assert [number for number in range(1, 9) if found.reason_for(WEAK, at(number))] == [4, 5, 6]
    assert found.reason_for(SQL, at(5)) == "y"


def test_at_the_end_of_a_line_it_does_not_hold_for_the_statement_below() -> None:
    found = suppressions(comment("# backaudit: ignore[weak-hash] x", 1), extents=(Extent(1, 1, 1), Extent(2, 2, 2)))
    assert found.reason_for(WEAK, at(2)) is None


@pytest.mark.parametrize(
    "text",
    [
        "# backaudit: ignore",
        "# backaudit: ignore weak-hash a cache key",
        "# backaudit: ignore[] a cache key",
        "# backaudit: ignore[*] a cache key",
        "# backaudit: ignore[weak-hash]",
        "# backaudit: ignore[weak-hash] -",
        "# backaudit: ignore[weak-hash a cache key",
        "# backaudit: ignroe[weak-hash] a cache key",
        "# backaudit ignore[weak-hash] a cache key",
        "# BackAudit: ignore[weak-hash] a cache key",
        "# see backaudit: ignore[weak-hash] a cache key",
    ],
)
def test_what_cannot_be_read_suppresses_nothing_and_is_reported(text: str) -> None:
    found = suppressions(comment(text))
    assert found.reason_for(WEAK, at(1)) is None
    assert [name for name, _ in reported(found)] == ["malformed"]


def test_prose_about_the_tool_is_no_directive() -> None:
    found = suppressions(comment("# run backaudit before you push"), comment("# backaudit is quiet here", 2))
    assert reported(found) == []


def test_an_unknown_name_leaves_the_known_ones_at_work() -> None:
    found = suppressions(comment("# backaudit: ignore[weak-hash, weak-hush] x"))
    assert found.reason_for(WEAK, at(1)) == "x"
    assert reported(found) == [
        ("unknown-rule", 'This comment suppresses "weak-hush", and there is no such rule. Did you mean "weak-hash"?')
    ]


def test_what_suppresses_nothing_is_reported_by_name() -> None:
    found = suppressions(comment("# backaudit: ignore[weak-hash, sql-injection] x"))
    found.reason_for(WEAK, at(1))
    assert [name for name, message in reported(found) if '"sql-injection"' in message] == ["unused"]
    assert len(reported(found)) == 1


def test_unused_is_said_only_of_rules_that_ran() -> None:
    found = suppressions(comment("# backaudit: ignore[weak-hash] x"), comment("# backaudit: ignore[passwords] x", 2))
    assert reported(found, {SQL.id}) == []
    assert len(reported(found, {WEAK.id})) == 1
    assert len(reported(found, {WEAK.id, LOGGED.id})) == 2


@pytest.mark.parametrize("kind", ["yaml", "compose", "workflow", "env", "toml", "requirements", "properties"])
def test_hash_comments_of_other_files(kind: Kind) -> None:
    found = in_file(kind, "a: 1\nb: 2  # backaudit: ignore[weak-hash] x\n# backaudit: ignore[sql-injection] y\nc: 3\n")
    assert [number for number in range(1, 5) if found.reason_for(WEAK, at(number, "file"))] == [2]
    assert found.reason_for(SQL, at(4, "file")) == "y"


def test_a_hash_in_a_value_is_no_comment() -> None:
    text = "a: 'x # backaudit: ignore[weak-hash] y'\nb: p#backaudit: ignore[weak-hash] y\n"
    assert comments_of("yaml", text) == ()


def test_a_dockerfiles_instruction_goes_over_continued_lines() -> None:
    text = "FROM a\n# backaudit: ignore[weak-hash] x\nENV A=1 \\\n    # note\n    B=2 \\\n    C=3\nRUN x\n"
    found = in_file("dockerfile", text)
    assert [number for number in range(1, 8) if found.reason_for(WEAK, at(number, "file"))] == [3, 4, 5, 6]


def test_sql_comments_hold_for_the_statement() -> None:
    text = "SELECT 1;\nSELECT ';--', -- backaudit: ignore[sql-injection] x\n  $$;$$\n  ;\nSELECT 2;\n"
    found = in_file("sql", text)
    assert [number for number in range(1, 6) if found.reason_for(SQL, at(number, "file"))] == [2, 3, 4]


@pytest.mark.parametrize(("opening", "closing"), [("{#", "#}"), ("<!--", "-->")])
def test_template_comments(opening: str, closing: str) -> None:
    text = f"<p>{{{{ a|safe }}}}</p> {opening} backaudit: ignore[sql-injection] trusted {closing} <b>it's</b>\n<i>\n"
    found = in_file("template", text)
    assert found.reason_for(SQL, at(1, "file")) == "trusted"
    assert found.reason_for(SQL, at(2, "file")) is None


def test_json_has_no_comments() -> None:
    assert comments_of("json", '{"a": 1} # backaudit: ignore[weak-hash] x') == ()
