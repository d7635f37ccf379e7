"""``--since``: what a commit has already does not count, and its repository is left as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="git and POSIX are needed"),
]

OLD = """import hashlib


def sign_up(user, password):
    user.password_hash = hashlib.md5(password.encode()).hexdigest()
    user.save()


# the rest of the module keeps it recognisable
LIMIT = 10
OFFSET = 20
"""
NEW = """import hashlib


def change_password(member, password):
    member.password = hashlib.sha1(password.encode()).hexdigest()
    member.save()
"""
SHOWN = [("passwords/weak-hash", "accounts.py")]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--no-verify", "-m", message)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose branch ``main`` has one finding."""
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "accounts.py").write_text(OLD)
    commit(root, "one")
    return root


def scan(root: Path, *arguments: str, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BACKAUDIT_CACHE_DIR": str(cache or root.parent / "cache")}
    command = [sys.executable, "-m", "backaudit", "scan", "--select", "passwords/weak-hash", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def new(root: Path, *arguments: str) -> list[tuple[str, str]]:
    done = scan(root, "--format", "json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    return [(one["rule"], one["path"]) for one in json.loads(done.stdout)["findings"] if one["status"] == "new"]


def test_only_what_the_commit_does_not_have_counts(project: Path) -> None:
    assert new(project) == SHOWN
    assert new(project, "--since", "main") == []
    (project / "members.py").write_text(NEW)
    found = new(project, "--since", "main")
    assert found
    assert {path for _, path in found} == {"members.py"}
    assert scan(project, "--since", "main").returncode == 1
    (project / "members.py").unlink()
    done = scan(project, "--since", "main")
    assert done.returncode == 0
    assert "1 finding is left out: main has it already." in done.stdout


def test_lines_that_move_and_files_that_are_renamed_stay_known(project: Path) -> None:
    (project / "accounts.py").unlink()
    (project / "people").mkdir()
    (project / "people" / "store.py").write_text("# moved, and a little changed\n" + OLD)
    assert new(project) == [("passwords/weak-hash", "people/store.py")]
    assert new(project, "--since", "main") == []
    commit(project, "two")
    assert new(project, "--since", "HEAD~1") == []


def test_a_finding_of_another_file_is_not_taken_for_a_renamed_one(project: Path) -> None:
    (project / "accounts.py").unlink()
    (project / "other.py").write_text(NEW)
    shown = new(project)
    assert new(project, "--since", "main") == shown != []


def test_a_suppression_that_is_taken_away_is_a_finding_again(project: Path) -> None:
    text = OLD.replace(".hexdigest()", ".hexdigest()  # backaudit: ignore[weak-hash] -- a legacy import")
    (project / "accounts.py").write_text(text)
    commit(project, "two")
    (project / "accounts.py").write_text(OLD)
    assert new(project, "--since", "HEAD") == SHOWN


def test_a_folder_of_the_repository_is_held_against_its_own_past(project: Path) -> None:
    service = project / "service"
    service.mkdir()
    (service / "backaudit.toml").write_text("")
    git(project, "mv", "accounts.py", "service/accounts.py")
    commit(project, "two")
    assert new(service, "--since", "HEAD") == []
    assert new(service) == SHOWN


def test_nothing_of_the_repository_is_touched(project: Path) -> None:
    (project / "accounts.py").unlink()
    (project / "moved.py").write_text("# moved\n" + OLD)
    before = sorted(str(path) for path in (project / ".git").rglob("*"))
    status = git(project, "status", "--porcelain")
    new(project, "--since", "main")
    assert sorted(str(path) for path in (project / ".git").rglob("*")) == before
    assert git(project, "status", "--porcelain") == status


def test_a_reference_that_is_not_there_is_the_users_mistake(project: Path) -> None:
    done = scan(project, "--since", "origin/main")
    assert (done.returncode, done.stderr) == (2, "backaudit: error: This repository has no commit origin/main.\n")
    assert scan(project, "--since", "--all").returncode == 2


def test_a_shallow_clone_is_told_what_to_fetch(project: Path, tmp_path: Path) -> None:
    (project / "members.py").write_text(NEW)
    commit(project, "two")
    git(tmp_path, "clone", "-q", "--depth=1", project.as_uri(), "shallow")
    done = scan(tmp_path / "shallow", "--since", "origin/release")
    assert done.returncode == 2
    assert "git fetch --depth=1 origin release" in done.stderr


def test_without_a_repository_it_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "accounts.py").write_text(OLD)
    done = scan(tmp_path, "--since", "main", cache=tmp_path / "cache")
    assert done.returncode == 2
    assert "--since needs a git repository" in done.stderr


def test_sarif_says_what_is_new(project: Path) -> None:
    (project / "members.py").write_text(NEW)
    results = json.loads(scan(project, "--since", "main", "--format", "sarif").stdout)["runs"][0]["results"]
    assert {result["baselineState"] for result in results} == {"new"}
