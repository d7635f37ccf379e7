"""Configuration: where the root is, what may be set, and errors that say how to mend them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from backaudit.config import (
    Config,
    FailOn,
    Root,
    by_id,
    check_names,
    describe,
    find_root,
    load,
    nested,
)
from backaudit.rule import Finding, Option, Rule, rule
from backaudit.rulenames import RuleNames
from backaudit.usage import UsageError
from tests.report.samples import make_rule

WEAK = make_rule("passwords/weak-hash", aliases=("passwords/fast-hash",))
SORT = make_rule("indexes/unindexed-sort", options=(Option("limit", 5, "…"), Option("names", ("a",), "…")))


@rule("acme/naive-time", severity="low")
def naive_time(project: Any) -> Iterator[Finding]:
    """A third party's."""
    yield from ()


NAMES = RuleNames([WEAK, SORT, naive_time])


def write(folder: Path, text: str, name: str = "backaudit.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def error_of(tmp_path: Path, text: str, name: str = "backaudit.toml") -> str:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, text, name))
    return str(caught.value)


def test_the_root_is_the_nearest_folder_upwards_that_is_marked(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b", "")
    (tmp_path / "a" / ".git").mkdir()
    (tmp_path / "a" / "b" / "c").mkdir()
    (tmp_path / "a" / "x").mkdir()
    assert find_root([tmp_path / "a" / "b" / "c"]).folder == tmp_path / "a" / "b"
    assert find_root([tmp_path / "a" / "x"]) == Root(tmp_path / "a")


def test_several_paths_have_the_root_of_what_they_have_in_common(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / "p" / name, "")
    file = write(tmp_path / "p", "")
    assert find_root([tmp_path / "p" / "one", tmp_path / "p" / "two"]) == Root(tmp_path / "p", file)


def test_without_a_mark_the_root_is_the_folder_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "sub", "x = 1", "a.py")
    assert find_root([tmp_path / "sub"]).folder == tmp_path / "sub"
    assert find_root([file]).folder == tmp_path / "sub"
    monkeypatch.chdir(tmp_path / "sub")
    assert find_root([]).folder == tmp_path / "sub"


def test_pyproject_marks_a_root_only_with_our_table(tmp_path: Path) -> None:
    file = write(tmp_path, "[tool.backaudit]\nstrict = true\n", "pyproject.toml")
    write(tmp_path / "sub", "[project]\nname = 'backaudit-user'\n", "pyproject.toml")
    root = find_root([tmp_path / "sub"])
    assert root == Root(tmp_path, file)
    assert load(root.file).strict is True


def test_our_own_file_wins_over_pyproject_with_a_note(tmp_path: Path) -> None:
    write(tmp_path, "[tool.backaudit]\nstrict = true\n", "pyproject.toml")
    own = write(tmp_path, "strict = false\n")
    root = find_root([tmp_path])
    assert root.file == own
    assert "pyproject.toml" in root.notes[0]


def test_everything_may_be_set(tmp_path: Path) -> None:
    text = """
        select = ["passwords"]
        ignore = ["indexes/unindexed-sort"]
        exclude = ["legacy/"]
        strict = true
        fail-on = "high"
        fail-on-problem = true
        sources = ["app.bus.next"]
        hashers = ["app.protect"]
        validators = ["app.check"]
        auth-guards = ["app.guard"]
        [sinks]
        sql = ["app.db.run"]
        [sanitizers]
        sql = ["app.db.quote"]
        [severities]
        "passwords/weak-hash" = "low"
        [per-path-ignores]
        "scripts/**" = ["errors"]
        [options."indexes/unindexed-sort"]
        limit = 9
        names = ["x", "y"]
        [limits]
        python = 10
    """
    config = load(write(tmp_path, text), root=tmp_path)
    assert (config.select, config.ignore, config.exclude) == (("passwords",), ("indexes/unindexed-sort",), ("legacy/",))
    assert (config.strict, config.fail_on, config.fail_on_problem) == (True, "high", True)
    assert (config.sources, config.hashers, config.validators) == (("app.bus.next",), ("app.protect",), ("app.check",))
    assert (config.auth_guards, config.sinks) == (("app.guard",), {"sql": ("app.db.run",)})
    assert config.sanitizers == {"sql": ("app.db.quote",)}
    assert config.severities == {"passwords/weak-hash": "low"}
    assert config.per_path_ignores == {"scripts/**": ("errors",)}
    assert (config.option(SORT, "limit"), config.option(SORT, "names")) == (9, ("x", "y"))
    assert config.source_limits().of("python") == 10
    assert set(config.origins.values()) == {"backaudit.toml"}


def test_defaults_are_there_without_any_file() -> None:
    config = load(None)
    assert config == Config()
    assert (config.fail_on, config.option(SORT, "limit")) == ("low", 5)


def test_the_command_line_wins_and_is_named_as_origin(tmp_path: Path) -> None:
    config = load(write(tmp_path, 'fail-on = "high"\nignore = ["errors"]\n'), {"fail_on": "never"}, root=tmp_path)
    assert config.fail_on == "never"
    assert config.origins == {"fail_on": "command line", "ignore": "backaudit.toml"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ingore = []", 'unknown setting "ingore". Did you mean "ignore"?'),
        ("fail_on = 'high'", 'Did you mean "fail-on"?'),
        ("select = 'passwords'", "select must be a list of strings."),
        ("select = [1]", "select must be a list of strings."),
        ("strict = 1", "strict must be true or false."),
        ("fail-on = 'hihg'", 'fail-on must be one of critical, high, medium, low, never. Did you mean "high"?'),
        ("[severities]\n'a/b' = 'worst'", 'severities."a/b" must be one of'),
        ("[sinks]\nsqll = []", 'sinks: unknown key "sqll". Did you mean "sql"?'),
        ("sinks = []", "sinks must be a table."),
        ("[limits]\npython = 0", 'limits."python" must be a number of bytes above 0.'),
        ("[limits]\npython = true", 'limits."python" must be a number'),
        ("[options.x]\na = [1]", 'options."x"."a" must be a list of strings.'),
        ("strict = ", "not valid TOML"),
        ("a = " + "[" * 5000, "not valid TOML"),
        ("a = " + "9" * 5000, "a number in it is too long"),
    ],
)
def test_what_is_wrong_is_said_with_a_suggestion(tmp_path: Path, text: str, said: str) -> None:
    message = error_of(tmp_path, text)
    assert message.startswith("backaudit.toml: ")
    assert said in message


def test_a_broken_pyproject_is_an_error_only_if_it_means_us(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", "[tool.backaudit]\nstrict = \n", "pyproject.toml")
    write(tmp_path / "others", "[project\n", "pyproject.toml")
    assert find_root([tmp_path / "ours"]).file == ours
    assert find_root([tmp_path / "others"]).file is None
    with pytest.raises(UsageError, match="not valid TOML"):
        load(ours)


def test_our_table_must_be_one(tmp_path: Path) -> None:
    assert "must be a table" in error_of(tmp_path, "[tool]\nbackaudit = 3\n", "pyproject.toml")


def test_a_configuration_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "gone.toml")
    (tmp_path / "backaudit.toml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        load(tmp_path / "backaudit.toml")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Config(select=("weak-hsah",)), 'there is no rule "weak-hsah". Did you mean "weak-hash"?'),
        (Config(ignore=("pasword",)), 'Did you mean "passwords"?'),
        (Config(severities={"passwords/weak": "low"}), 'Did you mean "passwords/weak-hash"?'),
        (Config(per_path_ignores={"x": ("weak-hash", "nothing-like-it")}), 'there is no rule "nothing-like-it".'),
        (Config(select=("naive-time",)), 'Did you mean "acme/naive-time"?'),
        (Config(options={"unindexed-srt": {}}), "there is no rule"),
        (Config(options={"unindexed-sort": {"limti": 3}}), 'has no option "limti". Did you mean "limit"?'),
        (Config(options={"weak-hash": {"a": 3}}), "It has none."),
        (Config(options={"unindexed-sort": {"limit": "3"}}), "must be like 5."),
        (Config(options={"unindexed-sort": {"limit": True}}), "must be like 5."),
    ],
)
def test_rules_and_options_that_are_none_are_errors(config: Config, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_names(config, NAMES)
    assert said in str(caught.value)


def test_rules_go_by_name_id_alias_and_family() -> None:
    check_names(Config(select=("weak-hash", "passwords/weak-hash", "passwords/fast-hash", "indexes", "acme")), NAMES)
    assert NAMES.find("fast-hash") == ()
    assert NAMES.one("passwords/fast-hash") is WEAK
    assert NAMES.one("passwords") is None


def test_options_are_found_under_any_name_of_the_rule() -> None:
    config = by_id(Config(options={"unindexed-sort": {"limit": 7}}), NAMES)
    assert config.option(SORT, "limit") == 7


def test_nested_configurations_are_found(tmp_path: Path) -> None:
    write(tmp_path, "")
    write(tmp_path / "a", "")
    write(tmp_path / "b", "[tool.backaudit]\n", "pyproject.toml")
    write(tmp_path / "c", "[tool.other]\n", "pyproject.toml")
    paths = ["a/backaudit.toml", "b/pyproject.toml", "backaudit.toml", "c/pyproject.toml"]
    assert nested(tmp_path, paths) == ("a/backaudit.toml", "b/pyproject.toml")


def test_show_config_is_toml_that_names_every_setting_and_origin(tmp_path: Path) -> None:
    from backaudit.toml import parse_toml

    config = load(write(tmp_path, 'strict = true\n[sinks]\nsql = ["a\\"b"]\n'), {"fail_on": "high"}, root=tmp_path)
    text = describe(config, Root(tmp_path), [SORT])
    data = parse_toml(text)
    assert "strict = true  # backaudit.toml\n" in text
    assert 'fail-on = "high"  # command line\n' in text
    assert "exclude = []  # default\n" in text
    assert data["sinks"] == {"sql": ['a"b']}
    assert data["options"]["indexes/unindexed-sort"] == {"limit": 5, "names": ["a"]}


def test_the_severities_of_fail_on_are_those_of_rules() -> None:
    from backaudit.rule import SEVERITIES

    assert get_args(FailOn) == (*SEVERITIES, "never")


def test_a_rule_of_the_samples_counts_as_built_in() -> None:
    assert isinstance(WEAK, Rule)
    assert NAMES.one("weak-hash") is WEAK
