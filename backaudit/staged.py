"""What is staged for commit: the index's own contents, written to a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from backaudit import git, gitindex
from backaudit.gitindex import Entry, Repository
from backaudit.source import Limits, kind_of
from backaudit.usage import UsageError

_CONFIGURATION = ("backaudit.toml", ".gitignore")


def export(root: Path, folder: Path, limits: Limits | None = None, *, only_changed: bool = False) -> tuple[str, ...]:
    """Write the staged content of the project at ``root`` into the empty ``folder``.

    Returns the paths, relative to the root, that differ from the last commit; ``only_changed`` writes these alone (and
    what configures the tool). UsageError without git or a repository.
    """
    repository = git.repository_for(root, "--staged")
    prefix = git.prefix_of(root, repository)
    changed = set(_changed(repository))
    wanted = [
        entry
        for entry in _entries(repository)
        if _is_wanted(entry, prefix)
        and (not only_changed or entry.path in changed or PurePosixPath(entry.path).name in _CONFIGURATION)
    ]
    for entry, data in zip(wanted, _blobs(repository, [entry.blob for entry in wanted]), strict=True):
        path = entry.path[len(prefix) :]
        if len(data) <= (limits or Limits()).of(kind_of(path)) or PurePosixPath(path).name in _CONFIGURATION:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    present = {entry.path for entry in wanted}
    return tuple(sorted(path[len(prefix) :] for path in changed if path in present))


def _entries(repository: Repository) -> list[Entry]:
    try:
        return gitindex.entries(repository)
    except gitindex.UnreadableIndex as error:
        raise UsageError(f"Git's index cannot be read: {error}.") from error


def _is_wanted(entry: Entry, prefix: str) -> bool:
    """A regular file of the project, of a kind that is read, under a name that stays in the folder."""
    if not entry.path.startswith(prefix) or entry.mode & gitindex.FILE_TYPE != gitindex.REGULAR:
        return False
    path = entry.path[len(prefix) :]
    parts = path.split("/")
    is_safe = not os.path.isabs(path) and not any(
        part in ("", ".", "..", ".git") or ":" in part or "\\" in part for part in parts
    )
    return is_safe and (kind_of(path) != "other" or parts[-1] in _CONFIGURATION)


def _changed(repository: Repository) -> Iterable[str]:
    command = ["diff-index", "--cached", "--name-only", "--no-renames", "-z"]
    output = git.run(repository, [*command, "HEAD", "--"], check=False)
    if not output and not git.run(repository, ["rev-parse", "--verify", "--quiet", "HEAD"], check=False):
        output = git.run(repository, [*command, _empty_tree(repository), "--"])
    return [os.fsdecode(path) for path in output.split(b"\0") if path]


def _empty_tree(repository: Repository) -> str:
    return git.run(repository, ["hash-object", "-t", "tree", "--stdin"]).decode().strip()


def _blobs(repository: Repository, ids: Sequence[str]) -> list[bytes]:
    """The contents of blobs, in the order of their ids."""
    if not ids:
        return []
    output = git.run(repository, ["cat-file", "--batch"], "".join(f"{id}\n" for id in ids).encode())
    found, at = [], 0
    for _ in ids:
        end = output.index(b"\n", at)
        header = output[at:end].split()
        if len(header) != 3 or header[1] != b"blob":
            raise UsageError(f"Git does not have the staged object {header[0].decode()}.")
        size = int(header[2])
        found.append(output[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found
