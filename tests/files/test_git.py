"""Git over repositories that somebody else made: nothing they configure runs, nothing of another repository is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backaudit import git, gitindex, gittree, history, staged
from backaudit.discover import discover
from backaudit.history import Reader
from backaudit.source import Limits
from backaudit.usage import UsageError

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="git and POSIX are needed"),
]
KEY = 'API_TOKEN = "vT9#qLw2!mZx8Kd5"\n'


def run(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, *options: str) -> Path:
    """Two commits, the first with a key, and a change that is staged."""
    folder.mkdir(parents=True)
    run(folder, "init", "-q", "-b", "main", *options)
    (folder / "settings.py").write_text(KEY)
    run(folder, "add", ".")
    run(folder, "commit", "-q", "--no-verify", "-m", "one")
    (folder / "settings.py").write_text("DEBUG = False\n")
    run(folder, "commit", "-q", "--no-verify", "-a", "-m", "two")
    (folder / "settings.py").write_text("DEBUG = True\n")
    run(folder, "add", ".")
    return folder


def told(root: Path, tmp_path: Path) -> tuple[list[str], str]:
    """What the history and the index of a repository say: (paths that held a key, the staged text)."""
    history = Reader(root, limits=Limits(), jobs=1).read(())
    target = tmp_path / "staged"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    changed = staged.export(root, target)
    return [file.file.path for file in history.files], "".join((target / path).read_text() for path in changed)


EXPECTED = (["settings.py"], "DEBUG = True\n")


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_history_and_index_are_read(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert told(repository(tmp_path / "repo", *options), tmp_path) == EXPECTED


PROGRAMS = """
[core]
    fsmonitor = {evil}
    hooksPath = {root}/hooks
    sshCommand = {evil}
    pager = {evil}
    editor = {evil}
    askPass = {evil}
    alternateRefsCommand = {evil}
    attributesFile = {root}/attributes
[include]
    path = included
[diff]
    external = {evil}
[diff "x"]
    textconv = {evil}
    command = {evil}
[filter "x"]
    clean = {evil}
    smudge = {evil}
    process = {evil}
    required = true
[log]
    showSignature = true
[gpg]
    program = {evil}
[credential]
    helper = !{evil}
[pager]
    log = {evil}
[alias]
    log = !{evil}
    cat-file = !{evil}
[uploadpack]
    packObjectsHook = {evil}
"""


def programs(root: Path, bomb: str) -> None:
    """Everything by which a repository can name a program that git runs."""
    config = root / ".git" / "config"
    evil = root / "evil.sh"
    evil.write_text(f"#!/bin/sh\n{bomb}\n")
    evil.chmod(0o755)
    (root / ".git" / "included").write_text(f"[core]\n\tfsmonitor = {evil}\n")
    config.write_text(config.read_text() + PROGRAMS.format(evil=evil, root=root))
    for folder in (root / "hooks", root / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in ("pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
            shutil.copy(evil, folder / name)
    for path in (root / "attributes", root / ".gitattributes", root / ".git" / "info" / "attributes"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("* diff=x filter=x\n")


@pytest.mark.parametrize("transport", ["file", "ext"])
def test_nothing_that_a_repository_names_is_run(tmp_path: Path, transport: str) -> None:
    root, marker = repository(tmp_path / "repo"), tmp_path / "boom"
    programs(root, f"echo boom >> {marker}")
    url = f"file://{tmp_path}/none" if transport == "file" else f"ext::{root}/evil.sh %S"
    # A promised object that is not here: a git that fetches it runs what the remote names.
    blob = run(root, "-c", "core.fsmonitor=false", "rev-parse", "HEAD~1:settings.py")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with open(root / ".git" / "config", "a") as config:
        config.write(
            f'[protocol]\n\tallow = always\n[protocol "file"]\n\tallow = always\n[protocol "ext"]\n\tallow = always\n'
            f"[extensions]\n\tpartialClone = origin\n[core]\n\trepositoryformatversion = 1\n"
            f'[remote "origin"]\n\turl = {url}\n\tpromisor = true\n\tuploadpack = {root}/evil.sh\n\tvcs = ext\n'
            f"\tpartialclonefilter = blob:none\n"
        )
    assert told(root, tmp_path)[1] == "DEBUG = True\n"
    assert not marker.exists()


def test_the_git_is_not_one_that_the_repository_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, marker = repository(tmp_path / "repo"), tmp_path / "boom"
    for folder in (root, root / "bin"):
        folder.mkdir(exist_ok=True)
        (folder / "git").write_text(f"#!/bin/sh\ntouch {marker}\n")
        (folder / "git").chmod(0o755)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", str(root / "bin"), os.environ["PATH"]]))
    assert told(root, tmp_path) == EXPECTED
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_INDEX_FILE"]
)
def test_another_repository_of_the_environment_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root, other = repository(tmp_path / "repo"), repository(tmp_path / "other")
    monkeypatch.setenv(name, str(other / ".git" / ("index" if name == "GIT_INDEX_FILE" else "")))
    assert told(root, tmp_path) == EXPECTED


# -- other repositories ------------------------------------------------------------------------------------------------


def by_file(tree: Path, victim: Path) -> None:
    (tree / ".git").write_text(f"gitdir: {victim / '.git'}\n")


def by_link(tree: Path, victim: Path) -> None:
    (tree / ".git").symlink_to(victim / ".git")


def by_common_folder(tree: Path, victim: Path) -> None:
    own = tree / "worktrees" / "x"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text(f"{victim / '.git'}\n")
    (own / "gitdir").write_text(f"{tree / '.git'}\n")
    shutil.copy(victim / ".git" / "index", own / "index")
    (tree / ".git").write_text("gitdir: worktrees/x\n")


def by_a_submodules_folder(tree: Path, victim: Path) -> None:
    module = victim / ".git" / "modules" / "lib"
    shutil.copytree(victim / ".git", module)
    with open(module / "config", "a") as config:
        config.write("[core]\n\tworktree = ../../../lib\n")
    (tree / ".git").write_text(f"gitdir: {module}\n")


@pytest.mark.parametrize("point", [by_file, by_link, by_common_folder, by_a_submodules_folder])
def test_a_git_directory_of_another_work_tree_is_not_read(tmp_path: Path, point: Callable[[Path, Path], None]) -> None:
    victim, tree = repository(tmp_path / "victim"), tmp_path / "tree"
    tree.mkdir()
    (tree / "app.py").write_text("x = 1\n")
    point(tree, victim)
    assert gitindex.repository_of(tree) is None
    found = discover(tree)
    assert all(file.tracked for file in found.files)
    assert [note for note in found.notes if "does not name this folder as its work tree" in note]
    for action in (lambda: Reader(tree, limits=Limits()), lambda: staged.export(tree, tmp_path)):
        with pytest.raises(UsageError, match="does not name this folder as its work tree"):
            action()


def test_a_nested_one_is_noted_too(tmp_path: Path) -> None:
    victim, root = repository(tmp_path / "victim"), repository(tmp_path / "repo")
    (root / "lib").mkdir()
    by_file(root / "lib", victim)
    notes = discover(root).notes
    assert [note for note in notes if note.startswith("lib/.git names a git directory")]


def borrowed_objects(root: Path, victim: Path) -> None:
    shutil.rmtree(root / ".git" / "objects")
    (root / ".git" / "objects" / "info").mkdir(parents=True)
    (root / ".git" / "objects" / "info" / "alternates").write_text(f"{victim / '.git' / 'objects'}\n")


def linked_objects(root: Path, victim: Path) -> None:
    shutil.rmtree(root / ".git" / "objects")
    (root / ".git" / "objects").symlink_to(victim / ".git" / "objects")


def linked_object_folders(root: Path, victim: Path) -> None:
    shutil.rmtree(root / ".git" / "objects")
    (root / ".git" / "objects").mkdir()
    for folder in (victim / ".git" / "objects").iterdir():
        (root / ".git" / "objects" / folder.name).symlink_to(folder)


@pytest.mark.parametrize("borrow", [borrowed_objects, linked_objects, linked_object_folders])
def test_objects_of_another_repository_are_not_told(tmp_path: Path, borrow: Callable[[Path, Path], None]) -> None:
    victim, root = repository(tmp_path / "victim"), tmp_path / "repo"
    shutil.copytree(victim, root)
    borrow(root, victim)
    for action in (lambda: Reader(root, limits=Limits(), jobs=1).read(()), lambda: told(root, tmp_path)):
        with pytest.raises(UsageError, match=r"another repository|links or special files|objects of its own"):
            action()


def test_what_a_clone_has_of_its_own_is_read_beside_what_it_borrows(tmp_path: Path) -> None:
    first, root = repository(tmp_path / "first"), tmp_path / "repo"
    run(tmp_path, "clone", "-q", "--dissociate", "--reference", str(first), str(first), str(root))
    (root / ".git" / "objects" / "info" / "alternates").write_text(f"{first / '.git' / 'objects'}\n")
    (root / "settings.py").write_text("DEBUG = True\n")
    run(root, "add", ".")
    assert told(root, tmp_path) == EXPECTED


@pytest.mark.parametrize("place", [".git/objects/aa/{}".format("b" * 38), ".git/objects/pack/x.pack"])
def test_a_pipe_among_the_objects_does_not_hang(tmp_path: Path, place: str) -> None:
    root = repository(tmp_path / "repo")
    (root / place).parent.mkdir(exist_ok=True)
    os.mkfifo(root / place)
    with pytest.raises(UsageError, match="links or special files"):
        told(root, tmp_path)


@pytest.mark.parametrize("place", [".git/refs/heads/pipe", ".git/shallow", ".git/info/exclude", ".git/packed-refs"])
def test_a_pipe_among_gits_own_files_is_passed_over(tmp_path: Path, place: str) -> None:
    root = repository(tmp_path / "repo")
    (root / place).unlink(missing_ok=True)
    os.mkfifo(root / place)
    assert told(root, tmp_path) == EXPECTED
    assert [file.path for file in discover(root).files if file.tracked] == ["settings.py"]


# -- what belongs ------------------------------------------------------------------------------------------------------


def test_a_linked_work_tree_and_a_submodule_are_read(tmp_path: Path) -> None:
    main = repository(tmp_path / "main")
    run(main, "commit", "-q", "--no-verify", "-m", "three")
    run(main, "worktree", "add", "-q", str(tmp_path / "linked"))
    run(main, "submodule", "--quiet", "add", str(repository(tmp_path / "library")), "lib")
    for folder, text in ((tmp_path / "linked", "X = 1\n"), (main / "lib", "Y = 1\n")):
        (folder / "settings.py").write_text(text)
        run(folder, "add", ".")
        assert told(folder, tmp_path) == (["settings.py"], text)
        assert discover(folder).git_prefix == ""


def test_a_git_directory_kept_apart_in_the_tree_is_read(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    run(root, "init", "-q", f"--separate-git-dir={root / 'records'}")
    assert (root / ".git").is_file()
    assert told(root, tmp_path) == EXPECTED


def test_packed_references_and_objects_are_read(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    run(root, "branch", "other")
    run(root, "gc", "-q")
    run(root, "pack-refs", "--all")
    assert told(root, tmp_path) == EXPECTED


def test_references_in_a_table_are_read_or_it_is_said_that_they_cannot_be(tmp_path: Path) -> None:
    if "--ref-format" in subprocess.run(["git", "init", "-h"], capture_output=True, text=True, check=False).stdout:
        assert told(repository(tmp_path / "repo", "--ref-format=reftable"), tmp_path) == EXPECTED
        return
    root = repository(tmp_path / "repo")
    (root / ".git" / "reftable").mkdir()
    (root / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")
    with pytest.raises(UsageError, match=r"reftable.*git 2\.45 or newer is needed"):
        Reader(root, limits=Limits(), jobs=1)
    with pytest.raises(UsageError, match="reftable"):
        staged.export(root, tmp_path)


def test_a_repository_that_git_refuses_is_not_one_without_commits(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    (root / ".git" / "packed-refs").write_text("no reference\n")
    with pytest.raises(UsageError, match="failed"):
        Reader(root, limits=Limits(), jobs=1).read(())


@pytest.mark.parametrize("command", [("commit", "-q", "-a", "-m", "x"), ("commit", "-q", "-m", "x", "settings.py")])
def test_a_hook_sees_the_commit_in_the_making(tmp_path: Path, command: tuple[str, ...]) -> None:
    root = repository(tmp_path / "repo")
    run(root, "commit", "-q", "--no-verify", "-m", "three")
    (root / "settings.py").write_text(KEY)
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    said = tmp_path / "said"
    audit = f"{sys.executable} -I -m backaudit scan --staged --select secrets --no-cache --quiet"
    hook.write_text(f"#!/bin/sh\nexec {audit} > {said}\n")
    hook.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        run(root, *command)
    assert "settings.py" in said.read_text()


def test_a_staged_file_above_the_limit_is_not_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "repo")
    (root / "big.py").write_bytes(b"#" * 3_000_000)
    run(root, "add", ".")
    sizes: list[int] = []
    original = git.Blobs.read

    def spy(blobs: git.Blobs, id: str, limit: int) -> bytes | None:
        data = original(blobs, id, limit)
        sizes.append(len(data or b""))
        return data

    monkeypatch.setattr(git.Blobs, "read", spy)
    target = tmp_path / "out"
    target.mkdir()
    assert "settings.py" in staged.export(root, target)
    assert not (target / "big.py").exists()
    assert max(sizes) == 2_000_001


# -- trees that are larger than they look ------------------------------------------------------------------------------


def tree_of_trees(folder: Path, depth: int) -> Path:
    """A commit of ten to the power of ``depth`` files, in as many objects as it is deep."""

    def asked(*arguments: str, data: str = "") -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, input=data, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    root = repository(folder)
    object = asked("hash-object", "-w", "--stdin", data=KEY)
    for level in range(depth):
        kind = "040000 tree" if level else "100644 blob"
        object = asked("mktree", data="".join(f"{kind} {object}\tx{number}.py\n" for number in range(10)))
    run(root, "update-ref", "HEAD", run(root, "commit-tree", object, "-m", "bomb"))
    return root


def test_a_tree_of_more_files_than_there_can_be_is_refused(tmp_path: Path) -> None:
    root = tree_of_trees(tmp_path / "repo", 9)
    for action in (
        lambda: staged.export(root, tmp_path / "out"),
        lambda: gittree.entries(git.Git(git.repository_for(root, "--since")), "HEAD"),
    ):
        with pytest.raises(UsageError, match="more than 1,000,000 files"):
            action()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds another process")
def test_a_history_that_git_cannot_hold_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree_of_trees(tmp_path / "repo", 9)
    monkeypatch.setattr(git, "_MEMORY", 1 << 27)
    with pytest.raises(UsageError, match="git log failed"):
        Reader(root, limits=Limits(), jobs=1).read(())


def test_of_too_many_versions_it_is_said_that_some_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree_of_trees(tmp_path / "repo", 2)
    monkeypatch.setattr(history, "MOST_VERSIONS", 7)
    assert "History: there are more versions" in "".join(Reader(root, limits=Limits(), jobs=1).read(()).notes)


def test_one_object_in_many_places_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree_of_trees(tmp_path / "repo", 2)
    asked = git.Git(git.repository_for(root, "--since"))
    monkeypatch.setattr(gittree, "MOST_BYTES", 50 * len(KEY))
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="bytes: they cannot be read"):
        gittree.write(asked, gittree.entries(asked, "HEAD"), "", tmp_path / "out", Limits())


def test_what_is_too_large_is_unpacked_once(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    (root / "big.py").write_bytes(b"#" * 100_000)
    run(root, "add", ".")
    id = run(root, "rev-parse", ":big.py")
    with git.Git(git.repository_for(root, "--staged")).running(["cat-file", "--batch"]) as process:
        blobs = git.Blobs(process)
        assert blobs.read(id, 9) == b"#" * 10
        process.kill()
        process.wait()
        assert len(blobs.read(id, 90) or b"") == 91
