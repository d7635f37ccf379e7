"""Finds the files of a project: what git tracks, what ``.gitignore`` and the configuration leave out, and why.

Only names are looked at, and the contents of ``.gitignore`` and git's index; every file or folder that is left out is
counted under its reason.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from backaudit import gitindex
from backaudit.facts.files import Unread
from backaudit.facts.problem import Problem
from backaudit.gitindex import Repository
from backaudit.ignores import Ignores
from backaudit.regular import read_regular
from backaudit.source import Kind, kind_of

GITIGNORE = ".gitignore"

EXCLUDED = "excluded by the configuration"
IGNORED = "ignored by .gitignore"
LINK = "symbolic link, not followed"
LINK_OUT = "symbolic link out of the project"
VENV = "virtual environment"
DEPENDENCIES = "installed dependencies"
CACHE = "cache"
BUILT = "build output"
GENERATED = "generated or minified"
SPECIAL = "not a regular file"

_NOT_COUNTED = frozenset({".git", ".hg", ".svn", ".jj", ".bzr"})
_FOLDERS = {
    "site-packages": DEPENDENCIES,
    "node_modules": DEPENDENCIES,
    "bower_components": DEPENDENCIES,
    "__pypackages__": DEPENDENCIES,
    "__pycache__": CACHE,
    ".mypy_cache": CACHE,
    ".pytest_cache": CACHE,
    ".ruff_cache": CACHE,
    ".hypothesis": CACHE,
    ".ipynb_checkpoints": CACHE,
    ".tox": VENV,
    ".nox": VENV,
    ".eggs": BUILT,
}
# Kinds of files of which no text is read.
_UNREAD: frozenset[Kind] = frozenset({"other", "store"})
_BUILD_FOLDERS = frozenset({"build", "dist"})
_PACKAGING = ("setup.py", "setup.cfg", "pyproject.toml")
_GENERATED = re.compile(r".*(_pb2|_pb2_grpc|_pb2_twirp)\.py|.*\.min\.(html|json|js|css)|.*\.(pyc|pyo)")


class Found(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file of the project. ``ignored``: untracked and ignored, so read for the model and reported by no rule."""

    path: str
    kind: Kind
    tracked: bool
    ignored: bool = False


class Discovery(msgspec.Struct, frozen=True):
    """All files, sorted by path, and what was left out: (reason, how many files or folders), sorted.

    ``unread``: what the repository holds beside what is analysed: files of other kinds, and those that git tracks
    although they are caches, builds or environments.
    """

    files: tuple[Found, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    git_prefix: str = ""
    unread: tuple[Unread, ...] = ()


def discover(root: Path, *, exclude: Sequence[str] = (), named: Sequence[str] = (), use_git: bool = True) -> Discovery:
    """The files under ``root`` (an absolute folder).

    ``exclude``: patterns in ``.gitignore``'s language, relative to the root. ``named``: paths relative to the root that
    the user asked for: they are scanned though something else than ``exclude`` leaves them out. Without ``use_git`` no
    repository is looked for, and every file counts as tracked, whatever a ``.gitignore`` says.
    """
    repository = gitindex.repository_of(root) if use_git else None
    walk = _Walk(root, exclude, named)
    notes: list[str] = []
    if repository is not None and not walk.enter_outer(repository):
        repository = None
    if repository is None:
        walk.has_git = False
        walk.has_ignores = use_git
        other = gitindex.foreign(root) if use_git else None
        if other is not None:
            notes.append(f"{other} {gitindex.FOREIGN}")
        if use_git:
            notes.append("No git repository: every file that no .gitignore names counts as tracked.")
    walk.run()
    return Discovery(
        files=tuple(sorted(walk.files, key=lambda file: file.path)),
        left_out=tuple(sorted(walk.left_out.items())),
        problems=tuple(sorted(walk.problems)),
        notes=(*notes, *walk.notes),
        git_prefix=_prefix(root, repository.top) if repository else "",
        unread=tuple(walk.unread()),
    )


def _prefix(root: Path, top: Path) -> str:
    """``root`` relative to ``top``, POSIX, ending in a slash; empty for the top itself."""
    relative = root.relative_to(top).as_posix()
    return "" if relative == "." else relative + "/"


class _Folder(msgspec.Struct, frozen=True):
    """A folder to list: ``prefix`` is its path with a slash, or empty.

    ``ignored``: only what is tracked counts in it. ``only_named``: only the way to what was asked for by name does.
    """

    prefix: str
    ignores: Ignores
    ignored: bool = False
    only_named: bool = False


class _Walk:
    """One traversal; folders are kept on a list, so that no depth of nesting can exhaust the stack."""

    def __init__(self, root: Path, exclude: Sequence[str], named: Sequence[str]) -> None:
        self.root = root
        self.files: list[Found] = []
        self._sizes: dict[str, int] = {}
        self.left_out: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.has_git = True
        self.has_ignores = True
        self._exclude = Ignores().within("", exclude) if exclude else Ignores()
        self._named = [name.strip("/") for name in named if name not in ("", ".")]
        self._tracked: set[str] = set()
        self._tracked_folders: set[str] = set()
        self._outer = Ignores()

    def run(self) -> None:
        pending = [_Folder("", self._outer)]
        while pending:
            pending += self._list(pending.pop())

    def unread(self) -> Iterator[Unread]:
        """What there is beside what is analysed, by path."""
        seen = {file.path for file in self.files}
        others = {file.path for file in self.files if file.kind in _UNREAD and file.tracked}
        for path in sorted(others | (self._tracked - seen)):
            yield Unread(path, self._sizes.get(path, 0))

    def enter_outer(self, repository: Repository) -> bool:
        """Take in the repository around the root; False where it ignores the root and so has nothing to say of it."""
        prefix = _prefix(self.root, repository.top)
        self._track(repository, "", prefix)
        ignores = _info_exclude(repository)
        folder = ""
        for part in prefix.split("/")[:-1]:
            ignores = ignores.within(folder, _patterns(repository.top / folder / GITIGNORE))
            folder += part + "/"
            if ignores.names(folder) and not self._tracked:
                return False
        self._outer = ignores.seen_from(prefix)
        return True

    def _track(self, repository: Repository, at: str, below: str) -> None:
        """Note the tracked files of a repository at ``at`` (relative to the root), of its own subfolder ``below``."""
        try:
            entries = gitindex.entries(repository)
        except gitindex.UnreadableIndex as error:
            self.notes.append(
                f"Git's index of {at or 'the project'} cannot be read ({error}): no file counts as tracked."
            )
            return
        for entry in entries:
            if entry.path.startswith(below):
                path = at + entry.path[len(below) :]
                self._tracked.add(path)
                self._add_parents(path)

    def _add_parents(self, path: str) -> None:
        end = path.rfind("/")
        while end > 0 and path[: end + 1] not in self._tracked_folders:
            self._tracked_folders.add(path[: end + 1])
            end = path.rfind("/", 0, end)

    def _list(self, folder: _Folder) -> list[_Folder]:
        """Sort out the entries of one folder; the folders to go on with are returned."""
        entries = self._entries(folder)
        names = {entry.name for entry in entries}
        if self._is_environment(folder.prefix, names):
            self.left_out[VENV] += 1
            return []
        folder = self._with_patterns(folder, names)
        subfolders: list[_Folder] = []
        for entry in entries:
            path = folder.prefix + entry.name
            if self._is_excluded(entry, path) or (folder.only_named and not self._leads_to_named(path)):
                continue
            if entry.is_dir(follow_symlinks=False):
                subfolders += self._folder(entry.name, path + "/", folder, names)
            else:
                self._file(entry, path, folder)
        return subfolders

    def _is_environment(self, prefix: str, names: set[str]) -> bool:
        """Whether a folder is a virtual environment. That git tracks it too, by mistake, makes it no project's code."""
        if not prefix or self._leads_to_named(prefix):
            return False
        if "pyvenv.cfg" in names or "conda-meta" in names:
            return True
        if prefix in self._tracked_folders and names.isdisjoint({"lib", "Lib"}):
            return False
        folders = sorted(names & {"bin", "Scripts"})
        return any((self.root / prefix / folder / "activate").exists() for folder in folders)

    def _with_patterns(self, folder: _Folder, names: set[str]) -> _Folder:
        """The folder with its own .gitignore, and with its own repository where it is one's top."""
        ignores = folder.ignores
        if ".git" in names and folder.prefix and self.has_git:
            nested = gitindex.repository_at(self.root / folder.prefix)
            if gitindex.is_foreign(self.root / folder.prefix):
                self.notes.append(f"{folder.prefix}.git {gitindex.FOREIGN}")
            if nested is not None:
                self._track(nested, folder.prefix, "")
                ignores = _info_exclude(nested).moved_to(folder.prefix)
        if GITIGNORE in names and self.has_ignores:
            ignores = ignores.within(folder.prefix, _patterns(self.root / folder.prefix / GITIGNORE))
        return msgspec.structs.replace(folder, ignores=ignores)

    def _entries(self, folder: _Folder) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(os.path.join(self.root, folder.prefix)) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.problems.append(
                Problem(folder.prefix or ".", "unreadable", f"The folder cannot be read: {error.strerror}.")
            )
            return []
        return [entry for entry in entries if self._is_nameable(folder.prefix, entry)]

    def _is_nameable(self, prefix: str, entry: os.DirEntry[str]) -> bool:
        """No report can hold a name that is not Unicode."""
        try:
            entry.name.encode()
        except UnicodeEncodeError:
            shown = prefix + entry.name.encode(errors="surrogateescape").decode("ascii", "backslashreplace")
            self.problems.append(Problem(shown, "unreadable", "The name is not valid in the file system's encoding."))
            return False
        return True

    def _is_excluded(self, entry: os.DirEntry[str], path: str) -> bool:
        """Whether the entry is left out whatever else holds: version control's own, excludes, links."""
        if entry.name in _NOT_COUNTED:
            return True
        if entry.is_symlink():
            self.left_out[LINK if self._stays_inside(path) else LINK_OUT] += 1
            return True
        if self._exclude.names(path + "/" if entry.is_dir() else path):
            self.left_out[EXCLUDED] += 1
            return True
        return False

    def _stays_inside(self, path: str) -> bool:
        try:
            target = (self.root / path).resolve()
        except (OSError, RuntimeError):  # a link to itself
            return True
        return target.is_relative_to(self.root.resolve())

    def _folder(self, name: str, path: str, parent: _Folder, siblings: set[str]) -> Iterator[_Folder]:
        """The folder, if it is one to go on with."""
        tracked = path in self._tracked_folders
        reason = _reason(name, siblings)
        if tracked and reason == BUILT:
            reason = ""  # what somebody put under version control under such a name is a source
        ignored = parent.ignored or parent.ignores.names(path)
        if path[:-1] in self._named:
            # Asked for by name: what stands outside of it has no say.
            yield _Folder(path, Ignores() if ignored else parent.ignores)
        elif self._leads_to_named(path):
            yield _Folder(path, parent.ignores, ignored, only_named=bool(reason) or parent.only_named)
        elif reason or (ignored and not tracked):
            self.left_out[reason or IGNORED] += 1
        else:
            yield _Folder(path, parent.ignores, ignored)

    def _leads_to_named(self, path: str) -> bool:
        """Whether a path is one that was asked for by name, or a folder on the way to one."""
        start = path.rstrip("/") + "/"
        return any(f"{name}/".startswith(start) for name in self._named)

    def _is_told_of(self, name: str, path: str, folder: _Folder) -> bool:
        """Whether nothing leaves a file out; what ``.*`` ignores with all others is in git if it is there to say so."""
        return not folder.ignored and (name == GITIGNORE or not folder.ignores.names(path))

    def _file(self, entry: os.DirEntry[str], path: str, folder: _Folder) -> None:
        if not entry.is_file(follow_symlinks=False):
            self.left_out[SPECIAL] += 1
            return
        if _GENERATED.fullmatch(entry.name):
            self.left_out[GENERATED] += 1
            return
        kind = kind_of(path)
        if kind in _UNREAD:
            with suppress(OSError):  # it went away since the folder was listed
                self._sizes[path] = entry.stat(follow_symlinks=False).st_size
        if path in self._tracked:
            self.files.append(Found(path, kind, tracked=True))
        elif path in self._named or self._is_told_of(entry.name, path, folder):
            self.files.append(Found(path, kind, tracked=not self.has_git))
        elif kind == "env":
            self.files.append(Found(path, kind, tracked=False, ignored=True))
        else:
            self.left_out[IGNORED] += 1


def is_own_code(path: str) -> bool:
    """Whether a path may be the project's own code, by its names alone; for what there is no folder to look into."""
    *folders, name = path.split("/")
    return not any(_reason(folder, set()) for folder in folders) and not _GENERATED.fullmatch(name)


def _reason(name: str, siblings: set[str]) -> str:
    """Why a folder of this name is not the project's own code; empty if it may be."""
    if name in _FOLDERS:
        return _FOLDERS[name]
    if name.endswith((".egg-info", ".dist-info", ".egg")):
        return BUILT
    if name in _BUILD_FOLDERS and not siblings.isdisjoint(_PACKAGING):
        return BUILT
    return ""


def _info_exclude(repository: Repository) -> Ignores:
    return Ignores().within("", _patterns(repository.common_dir / "info" / "exclude"))


def _patterns(file: Path) -> list[str]:
    try:
        return re.split(r"\r?\n", read_regular(file).decode("utf-8-sig", "surrogateescape"))
    except (OSError, ValueError):
        return []


_DATA = re.compile(
    r"(^|/)(locales?|i18n|translations?|lang|node_modules|vendor|third_party|static|assets|cassettes|snapshots?)/|"
    r"(^|[/._-])(lock|package|tsconfig|composer|manifest|messages|uv|poetry|pipfile|i18n)[.\w-]*\.(json|toml|yaml|lock)$",
    re.IGNORECASE,
)


def is_data(path: str) -> bool:
    """Whether a file holds words or digests where others hold credentials: translations, locks, recorded answers."""
    return bool(_DATA.search(path))
