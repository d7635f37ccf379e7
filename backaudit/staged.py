"""What is staged for commit: the index's own contents, written to a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from backaudit import git, gitindex
from backaudit.gitindex import Entry, Repository
from backaudit.regular import SMALL
from backaudit.source import Limits, kind_of
from backaudit.usage import UsageError

_CONFIGURATION = ("backaudit.toml", ".gitignore")


def export(root: Path, folder: Path, limits: Limits | None = None, *, only_changed: bool = False) -> tuple[str, ...]:
    """Write the staged content of the project at ``root`` into the empty ``folder``.

    Returns the paths, relative to the root, that differ from the last commit; ``only_changed`` writes these alone (and
    what configures the tool). UsageError without git or a repository.
    """
    repository = git.repository_for(root, "--staged")
    asked = git.Git(repository)
    prefix = git.prefix_of(root, repository)
    entries = _entries(repository)
    changed = _changed(asked, entries)
    wanted = [
        entry
        for entry in entries
        if _is_wanted(entry, prefix)
        and (not only_changed or entry.path in changed or PurePosixPath(entry.path).name in _CONFIGURATION)
    ]
    with asked.running(["cat-file", "--batch"]) as process:
        for entry in wanted:
            path = entry.path[len(prefix) :]
            limit = SMALL if PurePosixPath(path).name in _CONFIGURATION else (limits or Limits()).of(kind_of(path))
            data = git.blob(process, entry.blob, limit)
            if data is None:
                raise UsageError(f"Git does not have the staged object {entry.blob}.{asked.hint}")
            if len(data) <= limit:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    present = {entry.path for entry in wanted}
    return tuple(sorted(path[len(prefix) :] for path in changed if path in present))


def _entries(repository: Repository) -> list[Entry]:
    try:
        return gitindex.entries(repository, _index_name(repository))
    except gitindex.UnreadableIndex as error:
        raise UsageError(f"Git's index cannot be read: {error}.") from error


def _index_name(repository: Repository) -> str:
    """The index of the commit in the making: ``git commit --all`` and ``git commit FILE`` give hooks their own."""
    path = Path(os.path.abspath(os.environ.get("GIT_INDEX_FILE", "") or "."))
    is_ours = os.path.realpath(path.parent) == os.path.realpath(repository.git_dir)
    return path.name if is_ours and path.is_file() else "index"


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


def _changed(asked: git.Git, entries: Sequence[Entry]) -> set[str]:
    """The paths whose entries are not what the last commit has; all of them where there is none yet."""
    if not asked.run(["rev-parse", "--verify", "--quiet", "HEAD"], check=False):
        return {entry.path for entry in entries}
    committed: dict[str, tuple[int, str]] = {}
    for line in asked.run(["ls-tree", "-r", "-z", "--full-tree", "HEAD"]).split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            mode, _, id = about.split()
            committed[os.fsdecode(path)] = (int(mode, 8), id.decode())
    return {entry.path for entry in entries if committed.get(entry.path) != (entry.mode, entry.blob)}
