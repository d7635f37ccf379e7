"""A private copy of a project, which can be changed and scanned again: the same files, seen the same way by git."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from backaudit import gitindex
from backaudit.discover import GITIGNORE, Found
from backaudit.gitindex import Repository
from backaudit.regular import read_regular

# As much as is read of any file of a project.
_LARGEST = 1 << 29


def copy(root: Path, files: Iterable[Found], folder: Path, *, use_git: bool = True) -> Path:
    """Copy the files of the project at ``root`` into the empty ``folder``; returned is the root of the copy.

    Of a file that nobody reads only the name is there, and of a repository only what says which files are tracked.
    """
    repository = gitindex.repository_of(root) if use_git else None
    target = folder / root.relative_to(repository.top) if repository is not None else folder
    target.mkdir(parents=True, exist_ok=True)
    folders: set[str] = set()
    for file in files:
        _copy(root / file.path, target / file.path, is_read=file.kind not in ("other", "store"))
        folders.update(_parents(file.path))
    if repository is not None:
        _copy_repository(repository, folder)
        for above in (repository.top / part for part in _between(repository.top, root)):
            _copy(above / GITIGNORE, folder / above.relative_to(repository.top) / GITIGNORE)
        for inner in sorted(folders):
            nested = gitindex.repository_at(root / inner)
            if nested is not None:
                _copy_repository(nested, target / inner)
    return target


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[:end]) for end in range(1, len(parts) + 1))


def _between(top: Path, root: Path) -> list[Path]:
    """The folders from the top to just above the root, relative to the top."""
    parts = root.relative_to(top).parts
    return [Path(*parts[:end]) for end in range(len(parts))]


def _copy_repository(repository: Repository, folder: Path) -> None:
    """What discovery asks of a repository: its index, its own ignores, and the width of its names."""
    git = folder / ".git"
    for name in ("index", *_shared_indexes(repository)):
        _copy(repository.git_dir / name, git / name)
    _copy(repository.common_dir / "info" / "exclude", git / "info" / "exclude")
    git.mkdir(parents=True, exist_ok=True)
    if gitindex.is_sha256(repository):
        (git / "config").write_text("[extensions]\n\tobjectformat = sha256\n", encoding="utf-8")


def _shared_indexes(repository: Repository) -> list[str]:
    with suppress(OSError):
        return sorted(name for name in os.listdir(repository.git_dir) if name.startswith("sharedindex."))
    return []


def _copy(source: Path, target: Path, *, is_read: bool = True) -> None:
    """A regular file's bytes; what cannot be read is not there, as it is for the scan."""
    with suppress(OSError):
        data = read_regular(source, _LARGEST, within=source.parent) if is_read else b""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
