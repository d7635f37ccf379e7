"""The expectation harness: what a fixture says, and what fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from backaudit import plugins, testing
from backaudit.rulenames import RuleNames
from backaudit.testing import Expectation, expectations_of
from backaudit.usage import UsageError

LOADED = plugins.load()
HEAD = "import hashlib\n\n\ndef save(user, password):\n"
LINE = "    user.password = hashlib.md5(password.encode()).hexdigest()"


def fixture(root: Path, text: str, name: str = "passwords/weak_hash/app.py") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return root


def failures(root: Path, text: str) -> list[tuple[int, str]]:
    outcome = testing.run(fixture(root, text), LOADED)
    return [(failure.line, failure.message) for failure in outcome.failures]


def test_comments_of_every_kind_are_read() -> None:
    text = (
        'a  # want: weak-hash "a part" "and another"\n'
        "b  -- ok: sql-injection, weak-hash\n"
        "c  <!-- todo: xss -->\n"
        "{# want: xss #}\n"
        "# want: acme/naive-time\n"
    )
    assert expectations_of("x", text) == [
        Expectation("x", 1, (1,), "want", "weak-hash", ("a part", "and another")),
        Expectation("x", 2, (2,), "ok", "sql-injection"),
        Expectation("x", 2, (2,), "ok", "weak-hash"),
        Expectation("x", 3, (3,), "todo", "xss"),
        Expectation("x", 4, (4, 5), "want", "xss"),
        Expectation("x", 5, (5, 6), "want", "acme/naive-time"),
    ]


def test_two_comments_on_one_line() -> None:
    found = expectations_of("x", "a  # want: weak-hash # ok: sql-injection\n")
    assert [(one.verdict, one.name) for one in found] == [("want", "weak-hash"), ("ok", "sql-injection")]


def test_prose_is_no_expectation_and_a_broken_one_is_the_authors_mistake() -> None:
    assert expectations_of("x", "# we want: nothing\nwant: x\n") == []
    with pytest.raises(UsageError, match='x:1: "want: weak hash!"'):
        expectations_of("x", "a  # want: weak hash!\n")


def test_a_want_that_is_met_passes(tmp_path: Path) -> None:
    assert failures(tmp_path, f"{HEAD}{LINE}  # want: weak-hash\n") == []
    assert failures(tmp_path, f"{HEAD}    # want: weak-hash\n{LINE}\n") == []


def test_a_want_that_is_not_met_fails(tmp_path: Path) -> None:
    ((line, message),) = failures(tmp_path, "x = 1  # want: weak-hash\n")
    assert (line, message) == (1, "weak-hash was wanted here, and is not reported")


def test_a_part_of_the_message_must_be_there(tmp_path: Path) -> None:
    assert failures(tmp_path, f'{HEAD}{LINE}  # want: weak-hash "md5"\n') == []
    ((_, message),) = failures(tmp_path, f'{HEAD}{LINE}  # want: weak-hash "no such words"\n')
    assert message == 'weak-hash was wanted here saying "no such words", and is not reported'


def test_a_line_reported_without_a_want_fails(tmp_path: Path) -> None:
    for comment in ("", "  # ok: weak-hash"):
        ((line, message),) = failures(tmp_path, f"{HEAD}{LINE}{comment}\n")
        assert line == 5
        assert message.startswith("unexpected passwords/weak-hash: ")


def test_a_todo_passes_until_it_is_met(tmp_path: Path) -> None:
    assert failures(tmp_path, "x = 1  # todo: weak-hash\n") == []
    messages = [message for _, message in failures(tmp_path, f"{HEAD}{LINE}  # todo: weak-hash\n")]
    assert "weak-hash is reported now: turn `todo` into `want`" in messages


def test_an_unknown_rule_fails_with_a_suggestion(tmp_path: Path) -> None:
    ((line, message),) = failures(tmp_path, "x = 1  # want: weak-hsah\n")
    assert (line, message) == (1, 'there is no rule "weak-hsah". Did you mean "weak-hash"?')


def test_a_folder_is_one_project_and_a_file_is_one(tmp_path: Path) -> None:
    fixture(tmp_path, "x = 1\n")
    fixture(tmp_path, "from store import save\n", "passwords/weak-hash/shop/app.py")
    fixture(tmp_path, f"{HEAD}{LINE}\n", "passwords/weak-hash/shop/lib/store.py")
    names = RuleNames(LOADED.rules)
    found = [fixture.path.relative_to(tmp_path).as_posix() for fixture in testing.find(tmp_path, names)]
    assert found == ["passwords/weak-hash/shop", "passwords/weak_hash/app.py"]
    outcome = testing.run(tmp_path, LOADED)
    assert outcome.projects == 2
    assert [(failure.path, failure.line) for failure in outcome.failures] == [
        ("passwords/weak-hash/shop/lib/store.py", 5)
    ]


@pytest.mark.parametrize("part", ["", "passwords", "passwords/weak_hash", "passwords/weak_hash/app.py"])
def test_any_folder_above_or_a_fixture_itself_may_be_named(tmp_path: Path, part: str) -> None:
    fixture(tmp_path, f"{HEAD}{LINE}\n")
    outcome = testing.run(tmp_path / part, LOADED)
    assert (outcome.projects, len(outcome.failures)) == (1, 1)


def test_no_fixtures_are_the_authors_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no fixtures"):
        testing.run(tmp_path, LOADED)


def test_a_small_project_is_scanned_from_its_texts() -> None:
    report = testing.scan({"app/a.py": f"{HEAD}{LINE}\n", "b.py": "x = 1\n"}, LOADED)
    assert "passwords/weak-hash" in {issue.rule.id for issue in report.issues}
    assert {issue.finding.place.path for issue in report.issues} == {"app/a.py"}
