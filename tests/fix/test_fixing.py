"""``scan --fix`` and ``--diff``: what is written, what is left alone, and what is said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backaudit import workcopy
from backaudit.cli import cli

COOKIE = """\
from flask import Flask, make_response

app = Flask(__name__)


@app.post("/login")
def login():
    answer = make_response("in")
    answer.set_cookie("session_id", "x")
    return answer
"""
FIXED = COOKIE.replace('"x")', '"x", httponly=True, secure=True, samesite="Lax")')
DEBUG = """\
from flask import Flask

app = Flask(__name__)

if __name__ == "__main__":
    app.run(debug=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "backaudit.toml").write_text("")
    (tmp_path / "app.py").write_text(COOKIE)
    return tmp_path


def scan(root: Path, *options: str) -> Result:
    return CliRunner().invoke(
        cli, ["scan", str(root), "--no-cache", "-q", *options], standalone_mode=False, catch_exceptions=False
    )


def git(root: Path, *arguments: str) -> None:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, env={**os.environ, **own}, capture_output=True)


# --- what is written


def test_a_fix_is_written_and_the_rest_reported(root: Path) -> None:
    (root / "more.py").write_text(DEBUG)
    result = scan(root, "--fix")
    assert (root / "app.py").read_text() == FIXED
    assert (root / "more.py").read_text() == DEBUG
    assert "insecure-cookie" not in result.stdout
    assert "deploy/debug-on" in result.stdout
    assert result.return_value == 1
    assert "1 finding fixed in 1 file; 1 more with --unsafe-fixes" in result.stderr


def test_unsafe_fixes_are_made_when_they_are_asked_for(root: Path) -> None:
    (root / "more.py").write_text(DEBUG)
    result = scan(root, "--fix", "--unsafe-fixes")
    assert 'debug=os.environ.get("DEBUG") == "1"' in (root / "more.py").read_text()
    assert result.return_value == 0
    assert result.stdout == ""


def test_a_diff_changes_nothing(root: Path) -> None:
    result = scan(root, "--diff")
    assert (root / "app.py").read_text() == COOKIE
    assert result.return_value == 1
    assert result.stdout.splitlines()[:2] == ["--- a/app.py", "+++ b/app.py"]
    patch = subprocess.run(["git", "apply", "-"], input=result.stdout, text=True, cwd=root, check=False)
    assert patch.returncode == 0
    assert (root / "app.py").read_text() == FIXED
    assert scan(root, "--diff").return_value == 0


def test_a_file_that_changed_since_it_was_scanned_is_left_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = workcopy.copy

    def changed(*arguments: Any, **named: Any) -> Path:
        (root / "app.py").write_text("x = 1\n")
        return original(*arguments, **named)

    monkeypatch.setattr(workcopy, "copy", changed)
    assert "not fixed: app.py:9  auth/insecure-cookie: the file is not as it was scanned" in scan(root, "--fix").stderr
    assert (root / "app.py").read_text() == "x = 1\n"


@pytest.mark.skipif(os.name == "nt", reason="names are POSIX's")
def test_a_diff_quotes_names_as_git_does(root: Path) -> None:
    (root / "app.py").rename(root / 'a\n::error::"\\\x1b[1m.py')
    diff = scan(root, "--diff").stdout
    assert diff.splitlines()[1] == r'+++ "b/a\012::error::\042\134\033[1m.py"'
    git(root, "init", "-q")
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=root, check=True)
    assert (root / 'a\n::error::"\\\x1b[1m.py').read_text() == FIXED


def test_a_diff_that_a_build_reads_begins_no_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "app.py").write_text(
        COOKIE.replace("    answer = ", '    """\n    ::error::\x0cno\n    """\n    answer = ')
    )
    assert "\n     ::error::\x0cno" in scan(root, "--diff").stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "\n     \\::error::␌no" in scan(root, "--diff").stdout


def test_encoding_mark_line_ends_and_permissions_stay(root: Path) -> None:
    text = "# größe\r\n" + COOKIE.replace("\n", "\r\n")
    marked, old = root / "marked.py", root / "old.py"
    marked.write_bytes(b"\xef\xbb\xbf" + text.encode())
    old.write_bytes(b"# coding: latin-1\r\n" + text.encode("latin-1"))
    old.chmod(0o751)
    scan(root, "--fix")
    fixed = "# größe\r\n" + FIXED.replace("\n", "\r\n")
    assert marked.read_bytes() == b"\xef\xbb\xbf" + fixed.encode()
    assert old.read_bytes() == b"# coding: latin-1\r\n" + fixed.encode("latin-1")
    assert old.stat().st_mode & 0o777 == 0o751
    assert sorted(os.listdir(root)) == ["app.py", "backaudit.toml", "marked.py", "old.py"]


# --- what is left alone


def test_a_suppressed_finding_is_not_touched(root: Path) -> None:
    text = COOKIE.replace('"x")', '"x")  # backaudit: ignore[insecure-cookie]: a test of ours')
    (root / "app.py").write_text(text)
    scan(root, "--fix")
    assert (root / "app.py").read_text() == text


def test_what_the_baseline_accepts_is_not_touched(root: Path) -> None:
    scan(root, "--write-baseline", str(root / "accepted.jsonl"))
    scan(root, "--fix", "--baseline", str(root / "accepted.jsonl"))
    assert (root / "app.py").read_text() == COOKIE


def test_what_was_there_before_is_not_touched(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "more.py").write_text(COOKIE)
    scan(root, "--fix", "--since", "main")
    assert (root / "app.py").read_text() == COOKIE
    assert (root / "more.py").read_text() == FIXED


def test_of_what_is_staged_only_the_same_files_are_touched(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    (root / "more.py").write_text(COOKIE)
    git(root, "add", ".")
    (root / "more.py").write_text(COOKIE + "\n\n# not staged\n")
    result = scan(root, "--fix", "--staged")
    assert (root / "app.py").read_text() == FIXED
    assert (root / "more.py").read_text() == COOKIE + "\n\n# not staged\n"
    assert "not fixed: more.py:9" in result.stderr
    assert result.return_value == 1, "what is staged is as it was"


def test_only_the_paths_that_are_asked_for_are_touched(root: Path) -> None:
    (root / "more.py").write_text(COOKIE)
    scan(root / "more.py", "--fix")
    assert (root / "app.py").read_text() == COOKIE
    assert (root / "more.py").read_text() == FIXED


@pytest.mark.parametrize("options", [["--history"], ["--write-baseline", "x.jsonl"]])
def test_what_makes_no_sense_with_a_fix_is_refused(root: Path, options: list[str]) -> None:
    assert CliRunner().invoke(cli, ["scan", str(root), "--fix", *options]).exit_code != 0
    assert (root / "app.py").read_text() == COOKIE
