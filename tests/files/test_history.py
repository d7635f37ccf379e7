"""Secrets of earlier commits: each value once, where it came in, and never in clear."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

KEY, TOKEN, KEPT, LATE = "Xf4Tz8Qm2Lw6Rk9Vb3Hn", "Dp7Wx3Nk9Tq5Zr2Mv8Ls", "Qw7Zr5Tn2Xk9Vb4Lm8Hd", "Jt6Yp3Rw9Bq1Zx5Nc7Kf"
RULE = "secrets/secret-in-history"


def git(root: Path, *arguments: str, **environment: str) -> str:
    names = {
        "GIT_AUTHOR_NAME": "Ann Lee",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_AUTHOR_DATE": "2024-03-01T12:00:00",
    }
    names |= {
        "GIT_COMMITTER_NAME": "x",
        "GIT_COMMITTER_EMAIL": "x@example.org",
        "GIT_COMMITTER_DATE": "2024-03-01T12:00:00",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=root, env={**names, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(root: Path, files: dict[str, str | None], date: str) -> str:
    """The id of a commit that writes ``files``, or takes those away that are None."""
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x", GIT_AUTHOR_DATE=f"{date}T12:00:00", GIT_COMMITTER_DATE=f"{date}T12:00:00")
    return git(root, "rev-parse", "HEAD")


def scan(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backaudit", "scan", ".", "--jobs", "1", "--no-cache", *arguments]
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=environment)


def found(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    report: dict[str, Any] = json.loads(done.stdout)
    return [finding for finding in report["findings"] if finding["rule"] == RULE]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    root = tmp_path_factory.mktemp("history")
    git(root, "init", "-q", "-b", "main")
    ids = {}
    code = f'import os\n\nSECRET_KEY = "{KEY}"\n\n\ndef f():\n    return 1\n'
    kept = f'API_TOKEN = "{KEPT}"\n'
    ids["first"] = commit(
        root, {"shop/settings.py": code, ".env": f"API_TOKEN={TOKEN}\n", "kept.py": kept}, "2024-01-05"
    )
    commit(root, {"shop/settings.py": code.replace("return 1", "return 2")}, "2024-01-06")
    commit(root, {"conf.py": code, "shop/settings.py": None}, "2024-01-07")
    git(root, "checkout", "-qb", "side")
    ids["side"] = commit(root, {"mail.py": f'import os\n\nMAIL_PASSWORD = "{LATE}"\n'}, "2024-02-08")
    git(root, "checkout", "-q", "main")
    commit(
        root, {"conf.py": 'import os\n\nSECRET_KEY = os.environ["SECRET_KEY"]\n', ".gitignore": ".env\n"}, "2024-02-09"
    )
    git(root, "merge", "-q", "-m", "merge", "side")
    git(root, "rm", "-q", "--cached", ".env")
    commit(
        root, {"mail.py": "import os\n", "tests/test_a.py": 'def test_a():\n    login("a", "hunter2")\n'}, "2024-02-10"
    )
    return root, ids


def test_each_value_is_one_finding_at_the_commit_that_brought_it(project: tuple[Path, dict[str, str]]) -> None:
    root, ids = project
    findings = found(scan(root, "--history", "--select", "secrets", "--format", "json"))
    assert [(item["path"], item["line"], item["confidence"]) for item in findings] == [
        (".env", 1, "high"),
        ("mail.py", 3, "high"),
        ("shop/settings.py", 3, "high"),
    ]
    for item, name in zip(findings, ("first", "side", "first"), strict=True):
        assert f"commit {ids[name][:10]} by Ann Lee of 2024-" in item["message"]
        assert "filter-repo" in item["remedy"]
        assert "Rotate it first" in item["remedy"]


def test_nobody_hears_of_it_unasked_and_what_is_there_today_is_not_told_twice(
    project: tuple[Path, dict[str, str]],
) -> None:
    root, _ = project
    assert not found(scan(root, "--format", "json"))
    report = json.loads(scan(root, "--history", "--select", "secrets", "--format", "json").stdout)
    assert [item["rule"] for item in report["findings"] if item["path"] == "kept.py"] == ["secrets/hardcoded-secret"]
    assert any(note.startswith("History: ") for note in report["notes"])


@pytest.mark.parametrize("format", ["text", "json", "sarif", "html", "github"])
def test_no_format_shows_a_value(project: tuple[Path, dict[str, str]], format: str) -> None:
    done = scan(project[0], "--history", "--select", RULE, "--format", format)
    assert done.returncode == 1, done.stderr
    assert not [value for value in (KEY, TOKEN, KEPT, LATE) if value in done.stdout + done.stderr]
    if format == "sarif":
        assert "primaryLocationLineHash" not in done.stdout


def test_a_baseline_accepts_it(project: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    scan(project[0], "--history", "--select", RULE, "--write-baseline", str(file))
    assert not [value for value in (KEY, TOKEN, LATE) if value in file.read_text()]
    assert scan(project[0], "--history", "--select", RULE, "--baseline", str(file)).returncode == 0


def test_without_a_repository_the_error_is_clear(tmp_path: Path) -> None:
    done = scan(tmp_path, "--history")
    assert (done.returncode, done.stderr) == (
        2,
        "backaudit: error: --history needs a git repository, and there is none here.\n",
    )
    done = scan(tmp_path, "--history", "--staged")
    assert done.returncode == 2
    assert "give one of them" in done.stderr
