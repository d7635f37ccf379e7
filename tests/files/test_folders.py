"""Configuration per folder: the nearest file holds, what adds up adds up, and what is not heard is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from backaudit import plugins
from backaudit.audit import Audit, Request
from backaudit.commands.scan import exit_code
from backaudit.config import find_root, load
from backaudit.issue import Report
from backaudit.usage import UsageError

WEAK = "import hashlib\n\n\ndef save(user, password):\n    user.password = hashlib.md5(password.encode()).hexdigest()\n"
LOADED = plugins.load(reraise=True)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def audited(root: Path, **asked: object) -> Audit:
    found = find_root([root])
    config = load(found.file, asked, root=root)
    return Audit(Request(root=root, config=config, loaded=LOADED, use_git=False, jobs=1, reraise=True))


def told(report: Report) -> list[tuple[str, str]]:
    return [(issue.finding.place.path, issue.severity) for issue in report.issues if issue.rule.name == "weak-hash"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A weak hash at the root, and in three folders below it."""
    names = ("main.py", "a/store.py", "a/deep/store.py", "b/store.py")
    return write(tmp_path, {"backaudit.toml": "", **dict.fromkeys(names, WEAK)})


def test_the_nearest_file_holds(root: Path) -> None:
    write(
        root,
        {
            "a/backaudit.toml": 'ignore = ["passwords"]\n',
            "a/deep/pyproject.toml": '[tool.backaudit]\nignore = []\nseverities = {weak-hash = "low"}\n',
            "b/pyproject.toml": "[tool.other]\nignore = 3\n",
        },
    )
    assert told(audited(root).report()) == [("a/deep/store.py", "low"), ("b/store.py", "high"), ("main.py", "high")]


def test_what_a_folder_does_not_say_is_as_above_it(root: Path) -> None:
    write(root, {"backaudit.toml": '[severities]\npasswords = "medium"\n', "a/backaudit.toml": "strict = true\n"})
    assert {severity for _, severity in told(audited(root).report())} == {"medium"}


def test_the_command_line_holds_everywhere(root: Path) -> None:
    write(root, {"a/backaudit.toml": 'select = ["secrets"]\n'})
    assert len(told(audited(root).report())) == 2
    assert len(told(audited(root, select=("weak-hash",)).report())) == 4


def test_a_rule_runs_where_a_folder_asks_for_it(root: Path) -> None:
    write(root, {"backaudit.toml": 'select = ["secrets"]\n', "b/backaudit.toml": 'select = ["passwords"]\n'})
    assert told(audited(root).report()) == [("b/store.py", "high")]


def test_globs_are_relative_to_their_file_and_add_up(root: Path) -> None:
    write(
        root,
        {
            "backaudit.toml": '[per-path-ignores]\n"main.py" = ["weak-hash"]\n',
            "a/backaudit.toml": 'exclude = ["/deep/"]\n[per-path-ignores]\n"store.py" = ["passwords"]\n',
        },
    )
    audit = audited(root)
    assert told(audit.report()) == [("b/store.py", "high")]
    assert "a/deep/store.py" not in {file.path for file in audit.discovery.files}
    assert ("excluded by the configuration", 1) in audit.discovery.left_out


def test_a_run_fails_by_what_each_folder_is_to_fail_on(root: Path) -> None:
    write(root, {"backaudit.toml": 'select = ["weak-hash"]\nfail-on = "never"\n'})
    audit = audited(root)
    assert exit_code(audit.report(), audit.config, audit.folders) == 0
    write(root, {"a/backaudit.toml": 'fail-on = "high"\n'})
    audit = audited(root)
    assert exit_code(audit.report(), audit.config, audit.folders) == 1


def test_functions_named_in_any_file_are_known_everywhere(root: Path) -> None:
    finds = 'def find(cursor):\n    cursor.execute("SELECT * FROM t WHERE a = " + message())\n'
    uses = f"from b.bus import message\n\n\n{finds}"
    bus = "def message():\n    return object().text\n"
    write(root, {"b/bus.py": bus, "uses.py": uses})

    def injected() -> bool:
        return any(issue.rule.id == "validation/sql-injection" for issue in audited(root).report().issues)

    assert not injected()
    write(root, {"b/backaudit.toml": 'sources = ["b.bus.message"]\n'})
    assert injected()


def test_what_is_not_heard_or_not_there_is_told(root: Path) -> None:
    write(
        root,
        {
            "backaudit.toml": 'hashers = ["main.sve", "main.save", "passlib.hash.x", "a.store.hashlib.md5"]\n',
            "a/backaudit.toml": 'baseline = "known.jsonl"\nignore = ["weak-hsh"]\n',
            "b/backaudit.toml": '[sanitizers]\nsql = ["b.gone.quote"]\n',
        },
    )
    notes = audited(root).report().notes
    own = sorted(note for note in notes if ".toml: " in note)
    assert own == [
        "a/backaudit.toml: baseline has no effect here: it holds for the whole project, in its root's file.",
        'a/backaudit.toml: there is no rule "weak-hsh". Did you mean "weak-hash"?',
        'b/backaudit.toml: sanitizers: the project has no "b.gone.quote".',
        'backaudit.toml: hashers: the project has no "main.sve". Did you mean "main.save"?',
    ]


def test_a_mistake_in_a_folder_is_told_with_its_file(root: Path) -> None:
    write(root, {"a/backaudit.toml": "strct = true\n"})
    with pytest.raises(UsageError, match=r'a/backaudit.toml: unknown setting "strct". Did you mean "strict"\?'):
        audited(root).report()


def test_no_file_outside_is_read_through_a_link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = write(tmp_path_factory.mktemp("outside"), {"backaudit.toml": 'ignore = ["passwords"]\n'})
    (root / "a" / "backaudit.toml").symlink_to(outside / "backaudit.toml")
    assert len(told(audited(root).report())) == 4
