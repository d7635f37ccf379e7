"""Finding files: git's index, .gitignore, excludes, links, and what is left out and counted."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from backaudit import gitindex
from backaudit.discover import Discovery, discover
from backaudit.ignores import Ignores

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def repository(root: Path, *names: str) -> None:
    git(root, "init", "-q")
    put(root, *names)
    git(root, "add", "-f", *names)


def paths(found: Discovery) -> list[str]:
    return [file.path for file in found.files]


def tracked(found: Discovery) -> dict[str, bool]:
    return {file.path: file.tracked for file in found.files}


def test_files_are_sorted_by_path_and_relative(tmp_path: Path) -> None:
    put(tmp_path, "b.py", "a/z.py", "a b/ü.py", "a.py")
    assert paths(discover(tmp_path)) == ["a b/ü.py", "a.py", "a/z.py", "b.py"]


def test_an_empty_project_has_no_files(tmp_path: Path) -> None:
    assert discover(tmp_path).files == ()


def test_without_git_everything_counts_as_tracked_and_a_note_says_so(tmp_path: Path) -> None:
    put(tmp_path, "a.py", ".env", "skip/b.py")
    (tmp_path / ".gitignore").write_text("skip/\n.env\n")
    found = discover(tmp_path)
    assert tracked(found) == {".env": False, ".gitignore": True, "a.py": True}
    assert [file.path for file in found.files if file.ignored] == [".env"]
    assert "No git repository" in found.notes[0]
    assert dict(found.left_out) == {"ignored by .gitignore": 1}


def test_nested_gitignores_and_negation(tmp_path: Path) -> None:
    put(tmp_path, "a.log.py", "keep.log.py", "sub/a.log.py", "sub/deep/b.log.py", "sub/own.py", "own.py")
    (tmp_path / ".gitignore").write_text("*.log.py\n!keep.log.py\n")
    (tmp_path / "sub" / ".gitignore").write_text("!a.log.py\n/own.py\n")
    python = [path for path in paths(discover(tmp_path)) if path.endswith(".py")]
    assert python == ["keep.log.py", "own.py", "sub/a.log.py"]


@needs_git
def test_tracked_files_are_scanned_though_ignored(tmp_path: Path) -> None:
    repository(tmp_path, "a.py", "skip/b.py")
    put(tmp_path, "skip/new.py", "new.py")
    (tmp_path / ".gitignore").write_text("skip/\n")
    found = discover(tmp_path)
    assert tracked(found) == {".gitignore": False, "a.py": True, "new.py": False, "skip/b.py": True}
    assert found.notes == ()


@needs_git
def test_an_ignored_env_is_read_and_marked(tmp_path: Path) -> None:
    repository(tmp_path, "a.py", "tracked/.env")
    put(tmp_path, ".env", "ignored.py")
    (tmp_path / ".gitignore").write_text(".env\nignored.py\n")
    found = {file.path: (file.tracked, file.ignored) for file in discover(tmp_path).files}
    assert found[".env"] == (False, True)
    assert found["tracked/.env"] == (True, False)
    assert "ignored.py" not in found


@needs_git
@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_version_of_gits_index_is_read(tmp_path: Path, version: str) -> None:
    names = ["a.py", "ab.py", "folder/ü b.py", "folder/" + "long" * 40 + ".py", "z.py"]
    repository(tmp_path, *names)
    if version == "3":
        put(tmp_path, "later.py")
        git(tmp_path, "add", "-N", "later.py")
        names.append("later.py")
    git(tmp_path, "update-index", f"--index-version={2 if version == '3' else version}")
    found = gitindex.repository_of(tmp_path)
    assert found is not None
    assert (tmp_path / ".git" / "index").read_bytes()[7] == int(version)
    assert sorted(entry.path for entry in gitindex.entries(found)) == sorted(names)


@needs_git
def test_a_split_index_is_read(tmp_path: Path) -> None:
    repository(tmp_path, "a.py", "b.py")
    git(tmp_path, "update-index", "--split-index")
    put(tmp_path, "c.py")
    git(tmp_path, "add", "c.py")
    assert tracked(discover(tmp_path)) == {"a.py": True, "b.py": True, "c.py": True}


@needs_git
def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    try:
        git(tmp_path, "init", "-q", "--object-format=sha256")
    except subprocess.CalledProcessError:
        pytest.skip("this git knows no SHA-256")
    put(tmp_path, "a.py")
    git(tmp_path, "add", "a.py")
    assert tracked(discover(tmp_path)) == {"a.py": True}


@needs_git
def test_a_linked_work_tree_is_read(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    main.mkdir()
    repository(main, "a.py")
    git(main, "commit", "-qm", "first")
    git(main, "worktree", "add", "-q", str(linked))
    put(linked, "b.py")
    assert tracked(discover(linked)) == {"a.py": True, "b.py": False}


@needs_git
def test_a_repository_inside_has_its_own_index_and_ignores(tmp_path: Path) -> None:
    repository(tmp_path, "a.py")
    (tmp_path / ".gitignore").write_text("x.py\n")
    (tmp_path / "inner").mkdir()
    repository(tmp_path / "inner", "x.py")
    put(tmp_path, "inner/y.py")
    found = tracked(discover(tmp_path))
    assert found["inner/x.py"] is True
    assert found["inner/y.py"] is False


@needs_git
def test_a_root_below_the_repositorys_top_knows_its_prefix(tmp_path: Path) -> None:
    repository(tmp_path, "services/api/a.py", "services/web/b.py")
    put(tmp_path, "services/api/skip.py")
    (tmp_path / ".gitignore").write_text("/services/api/skip.py\n")
    found = discover(tmp_path / "services" / "api")
    assert tracked(found) == {"a.py": True}
    assert found.git_prefix == "services/api/"


@needs_git
def test_a_root_that_an_outer_repository_ignores_is_scanned(tmp_path: Path) -> None:
    repository(tmp_path, "a.py")
    (tmp_path / ".gitignore").write_text("/apps/\n")
    put(tmp_path, "apps/shop/b.py")
    found = discover(tmp_path / "apps" / "shop")
    assert tracked(found) == {"b.py": True}
    assert "No git repository" in found.notes[0]


@needs_git
@pytest.mark.parametrize("folder", ["generated", "node_modules/x"])
def test_a_folder_named_by_the_user_is_scanned_though_left_out_otherwise(tmp_path: Path, folder: str) -> None:
    repository(tmp_path, "a.py")
    put(tmp_path, "generated/b.py", "node_modules/x/b.py", "node_modules/y/c.py")
    (tmp_path / ".gitignore").write_text("generated/\n")
    assert f"{folder}/b.py" not in paths(discover(tmp_path))
    found = paths(discover(tmp_path, named=[folder]))
    assert f"{folder}/b.py" in found
    assert "node_modules/y/c.py" not in found


def test_a_file_named_by_the_user_is_scanned_though_ignored(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_text("*.py\n")
    assert paths(discover(tmp_path, named=["b.py"])) == [".gitignore", "b.py"]


def test_excludes_hold_for_what_is_named_too(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "legacy/b.py", "app/legacy/c.py", "x_pb.py")
    found = discover(tmp_path, exclude=["/legacy/", "*_pb.py"], named=["legacy/b.py", "x_pb.py"])
    assert paths(found) == ["a.py", "app/legacy/c.py"]
    assert dict(found.left_out) == {"excluded by the configuration": 2}


def test_excludes_do_not_match_folders_above_the_root(tmp_path: Path) -> None:
    root = tmp_path / "tests" / "project"
    root.mkdir(parents=True)
    put(root, "a.py")
    assert paths(discover(root, exclude=["tests/"])) == ["a.py"]


@needs_git
def test_excludes_hold_for_tracked_files(tmp_path: Path) -> None:
    repository(tmp_path, "a.py", "legacy/b.py")
    assert paths(discover(tmp_path, exclude=["legacy/"])) == ["a.py"]


def test_what_is_not_the_projects_own_is_left_out_and_counted(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.py",
        "venv/pyvenv.cfg",
        "venv/lib/b.py",
        "old-env/bin/activate",
        "old-env/c.py",
        "lib/site-packages/d.py",
        "node_modules/e.py",
        "__pycache__/f.py",
        "setup.py",
        "build/lib/g.py",
        "shop.egg-info/h.py",
        "api_pb2.py",
        "app/build/i.py",
    )
    found = discover(tmp_path)
    assert paths(found) == ["a.py", "app/build/i.py", "setup.py"]
    assert dict(found.left_out) == {
        "virtual environment": 2,
        "installed dependencies": 2,
        "cache": 1,
        "build output": 2,
        "generated or minified": 1,
    }


@needs_git
def test_a_tracked_folder_called_build_is_scanned(tmp_path: Path) -> None:
    repository(tmp_path, "setup.py", "build/a.py")
    assert "build/a.py" in paths(discover(tmp_path))


@needs_git
def test_an_environment_that_was_committed_is_left_out(tmp_path: Path) -> None:
    repository(
        tmp_path, "a.py", "bin/activate", "env/Scripts/activate", "env/Lib/b.py", "venv/pyvenv.cfg", "venv/lib/c.py",
        "vendor/site-packages/d.py", "tool/bin/activate", "tool/e.py",
    )  # fmt: skip
    found = discover(tmp_path)
    assert [path for path in paths(found) if path.endswith(".py")] == ["a.py", "tool/e.py"]
    assert dict(found.left_out) == {"installed dependencies": 1, "virtual environment": 2}


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_are_not_followed_and_are_counted(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    put(outside, "secret.py")
    put(root, "a.py", "sub/b.py")
    (root / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "sub" / "again.py").symlink_to(root / "a.py")
    (root / "out").symlink_to(outside)
    (root / "out.py").symlink_to(outside / "secret.py")
    found = discover(root)
    assert paths(found) == ["a.py", "sub/b.py"]
    assert dict(found.left_out) == {"symbolic link, not followed": 3, "symbolic link out of the project": 2}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    found = discover(tmp_path)
    assert found.files == ()
    assert dict(found.left_out) == {"not a regular file": 1}


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names are Unicode here")
def test_a_name_that_is_no_unicode_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    found = discover(tmp_path)
    assert found.files == ()
    assert [(problem.path, problem.kind) for problem in found.problems] == [("caf\\xe9.py", "unreadable")]


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.py", "locked/b.py")
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("backaudit.discover.os.scandir", refuse)
    found = discover(tmp_path)
    assert paths(found) == ["a.py"]
    assert [(problem.path, problem.kind) for problem in found.problems] == [("locked/", "unreadable")]


@needs_git
@pytest.mark.parametrize(
    "data", [b"", b"DIRC", b"DIRC\0\0\0\x09\0\0\0\1", b"DIRC\0\0\0\2\0\0\0\5" + b"x" * 70, b"junk" * 50]
)
def test_a_broken_index_is_a_note_and_not_a_crash(tmp_path: Path, data: bytes) -> None:
    repository(tmp_path, "a.py")
    (tmp_path / ".git" / "index").write_bytes(data)
    found = discover(tmp_path)
    assert paths(found) == ["a.py"]
    assert "cannot be read" in found.notes[0]


def test_a_broken_pattern_costs_no_other(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_bytes(b"!\n//\na.py\n\xff\xfe\n")
    assert paths(discover(tmp_path)) == [".gitignore", "b.py"]


def test_no_depth_of_folders_is_too_much(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("x = 1\n")
    assert len(discover(tmp_path).files) == 1


@pytest.mark.parametrize("pattern", ["*" * 400 + "x", "*a" * 40 + "b", "**/" * 60 + "x"])
def test_patterns_of_stars_end(pattern: str) -> None:
    ignores = Ignores().within("", [pattern, "build/", "***.log"])
    assert not ignores.names("a" * 200 + ".py")
    assert ignores.names("build/")
    assert ignores.names("deep/run.log")
