"""What is staged for commit: the index's own contents, written to a folder of their own."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from backaudit import git, gitindex, gittree
from backaudit.gitindex import Entry, Repository
from backaudit.gittree import CONFIGURATION
from backaudit.source import Limits
from backaudit.usage import UsageError


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
        if gittree.is_wanted(entry, prefix)
        and (not only_changed or entry.path in changed or PurePosixPath(entry.path).name in CONFIGURATION)
    ]
    gittree.write(asked, wanted, prefix, folder, limits or Limits())
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


def _changed(asked: git.Git, entries: list[Entry]) -> set[str]:
    """The paths whose entries are not what the last commit has; all of them where there is none yet."""
    if not asked.run(git.LAST_COMMIT, none=1):
        return {entry.path for entry in entries}
    committed = {entry.path: (entry.mode, entry.blob) for entry in gittree.entries(asked, "HEAD")}
    return {entry.path for entry in entries if committed.get(entry.path) != (entry.mode, entry.blob)}
