"""The git program (its only home). The repository may be hostile, so git never sees what configures it.

Git is run on a folder of our own, which has copies of the references and a configuration that we wrote, and reads the
repository's objects alone: no hook, filter, monitor, helper, transport, text conversion or other program that the
repository names can be known to it, and no object of another repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import IO

from backaudit import gitindex
from backaudit.gitindex import Repository
from backaudit.regular import read_regular
from backaudit.temporary import temporary_folder
from backaudit.usage import UsageError

# References are a line each; together they may be many.
_LARGEST = 1 << 28
# A path, or whoever wrote a commit.
_LONGEST = 1 << 20
# As much memory as git may take of its own (what it maps of packs does not count): a few kilobytes of objects can stand
# for more files than any machine holds.
_MEMORY = 1 << 31
_ALTERNATES = ("alternates", "http-alternates")
_ELSEWHERE = "It borrows objects from another repository, which is not followed."
# What the last commit is; exits with 1 where there is none yet.
LAST_COMMIT = ("rev-parse", "--verify", "--quiet", "HEAD")
_NO_TABLES = "Its references are kept as a reftable, which the installed git cannot read: git 2.45 or newer is needed"
# A command that is talked to.
Process = subprocess.Popen[bytes]
_KEPT = ("PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")


class Git:
    """Asks git about one repository."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._program = program(repository.top)
        self._folder = temporary_folder("git")
        self._home = Path(self._folder.name)
        self._objects = repository.common_dir / "objects"
        self._writes: Mapping[str, str] = {}
        self._borrows = any(os.path.lexists(self._objects / "info" / name) for name in _ALTERNATES)
        self._keeps_tables = (repository.common_dir / "reftable").is_dir()
        self._copy()
        if self._keeps_tables:
            self._check_tables()

    def run(self, arguments: Sequence[str], data: bytes = b"", *, none: int = 0) -> bytes:
        """What a command prints; UsageError if it fails. ``none``: the exit code that says that there is nothing."""
        done = subprocess.run(
            [self._program, *arguments],
            input=data,
            capture_output=True,
            cwd=self._home,
            env=self._environment(),
            check=False,
        )
        if done.returncode not in (0, none):
            reason = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
            raise UsageError(f"git {arguments[0]} failed: {reason}.{self.hint}")
        return done.stdout

    @contextmanager
    def running(self, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """A command to talk to through its pipes; it is ended with the block."""
        process = subprocess.Popen(
            [self._program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._home,
            env=self._environment(),
        )
        _bound(process.pid)
        try:
            yield process
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()

    @contextmanager
    def writing(self) -> Iterator[Git]:
        """The same git with a place to write objects and an index to: a folder of ours, gone with the block."""
        scratch = copy(self)
        with temporary_folder("git") as folder:
            objects = Path(folder, "objects")
            objects.mkdir()
            scratch._writes = {
                "GIT_OBJECT_DIRECTORY": str(objects),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(self._environment()["GIT_OBJECT_DIRECTORY"]),
                "GIT_INDEX_FILE": str(Path(folder, "index")),
            }
            yield scratch

    def index_of(self, commit: str) -> bytes:
        """The index of a work tree in which a commit is checked out; UsageError for a tree that git refuses."""
        with self.writing() as scratch:
            scratch.run(["read-tree", commit])
            return Path(scratch._writes["GIT_INDEX_FILE"]).read_bytes()

    @property
    def hint(self) -> str:
        """What more there is to say where an object is missing."""
        return f" {_ELSEWHERE}" if self._borrows else ""

    def _copy(self) -> None:
        common, home = self.repository.common_dir, self._home
        (home / "config").write_text(self._configuration(), "utf-8")
        (home / "objects").mkdir()
        (home / "refs").mkdir()
        for folder, name in ((self.repository.git_dir, "HEAD"), (common, "packed-refs"), (common, "shallow")):
            _copy_file(folder / name, home / name)
        for name in ("refs", "reftable"):
            for path in _regular_files(common / name):
                (home / path.relative_to(common)).parent.mkdir(parents=True, exist_ok=True)
                _copy_file(path, home / path.relative_to(common))
        self._check_objects()
        if self._borrows:
            self._link_objects()

    def _configuration(self) -> str:
        extensions = ["objectformat = sha256"] if gitindex.is_sha256(self.repository) else []
        if self._keeps_tables:
            extensions.append("refstorage = reftable")
        lines = ["[core]", f"repositoryformatversion = {int(bool(extensions))}", "bare = true", "[extensions]"]
        return "\n".join([*lines, *extensions, ""])

    def _check_tables(self) -> None:
        """An older git refuses a repository whose references it cannot read, whatever it is asked."""
        try:
            self.run(["rev-parse", "--git-dir"])
        except UsageError as error:
            raise UsageError(_NO_TABLES) from error

    def _check_objects(self) -> None:
        """Objects are files of the repository's own: a link would tell another's, and a pipe would never end."""
        for folder in (self._objects, *_folders(self._objects)):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
                        raise UsageError("The git directory holds links or special files where objects belong.")

    def _link_objects(self) -> None:
        """All of the objects but the file that names those of other repositories."""
        try:
            for folder in _folders(self._objects):
                if folder.name != "info":
                    (self._home / "objects" / folder.name).symlink_to(folder.resolve())
        except OSError as error:
            raise UsageError(_ELSEWHERE) from error

    def _environment(self) -> Mapping[str, str]:
        home = str(self._home)
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "GIT_DIR"), home),
            **dict.fromkeys(("GIT_CONFIG_NOSYSTEM", "GIT_ATTR_NOSYSTEM", "GIT_NO_LAZY_FETCH"), "1"),
            **dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull),
            **dict.fromkeys(("GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT"), "0"),
            "GIT_OBJECT_DIRECTORY": str(self._home / "objects" if self._borrows else self._objects.resolve()),
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "LC_ALL": "C",
            **self._writes,
        }


def _quoted(path: str) -> str:
    """A path in a list of git's, where a colon would part two."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def repository_for(root: Path, option: str) -> Repository:
    """The repository around ``root``; UsageError, naming the option that needs it, without one."""
    repository = gitindex.repository_of(root)
    if repository is None:
        other = gitindex.foreign(root)
        if other is not None:
            raise UsageError(f"{option} needs a git repository: {other} {gitindex.FOREIGN}")
        raise UsageError(f"{option} needs a git repository, and there is none here.")
    if not (repository.common_dir / "objects").is_dir() or (repository.common_dir / "objects").is_symlink():
        raise UsageError(f"{option} needs a git repository, and {repository.common_dir} has no objects of its own.")
    return repository


def prefix_of(root: Path, repository: Repository) -> str:
    """``root`` relative to the work tree's top, POSIX, ending in a slash; empty for the top itself."""
    return "" if root == repository.top else root.relative_to(repository.top).as_posix() + "/"


class Blobs:
    """Contents of blobs, asked of one git that runs; what is too large is unpacked once, not wherever it stands."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._asked, self._told = process.stdin, process.stdout
        self._sizes: dict[str, int] = {}

    def read(self, id: str, limit: int) -> bytes | None:
        """The contents of a blob, or None if it is not there; of one above the limit any bytes, one more than that."""
        if self._sizes.get(id, 0) > limit:
            return bytes(limit + 1)
        self._asked.write(f"{id}\n".encode())
        self._asked.flush()
        header = self._told.readline().split()
        if len(header) != 3:
            return None
        size = int(header[2])
        data = self._content(size, limit)
        if size > limit:
            self._sizes[id] = size
        return data if header[1] == b"blob" else None

    def _content(self, size: int, limit: int) -> bytes:
        data = self._told.read(min(size, limit + 1))
        left = size + 1 - len(data)
        while left > 0:
            passed = len(self._told.read(min(left, 1 << 20)))
            left -= passed or left
        return data


def fields(stream: IO[bytes] | None) -> Iterator[bytes]:
    """What stands between the NULs of a stream."""
    assert stream is not None
    rest = b""
    while data := stream.read(1 << 16):
        *whole, rest = (rest + data).split(b"\0")
        yield from whole
        if len(rest) > _LONGEST:
            raise UsageError("Git's answer is longer than any name: the repository cannot be read.")
    if rest:
        yield rest


def _bound(process: int) -> None:
    """Bound the memory of a git that runs, where the system can."""
    with suppress(ImportError, OSError, AttributeError):
        import resource

        resource.prlimit(process, resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


def program(top: Path) -> str:
    """The git that is installed: never one that the current folder or the repository holds."""
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
    outside = [folder for folder in folders if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(top))]
    found = shutil.which("git", path=os.pathsep.join(outside)) if outside else None
    if found is None or not os.path.isabs(found):
        raise UsageError("This needs the git command, and it is not installed.")
    return found


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))


def _regular_files(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():
        return
    for base, _, names in os.walk(folder):
        yield from (Path(base, name) for name in sorted(names))


def _copy_file(path: Path, target: Path) -> None:
    """Copy a regular file; what else stands there is none of git's."""
    with suppress(OSError):
        target.write_bytes(read_regular(path, _LARGEST))
