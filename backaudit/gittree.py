"""Trees of git written to folders: what a commit or the index holds, as files that can be read like a project's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from backaudit import git, gitindex
from backaudit.gitindex import Entry
from backaudit.regular import SMALL
from backaudit.source import Limits, kind_of
from backaudit.usage import UsageError

CONFIGURATION = ("backaudit.toml", ".gitignore")
# A tree of a few objects can stand for any number of files, and one object for all their contents.
MOST_FILES = 1_000_000
MOST_BYTES = 1 << 32


def commit_of(asked: git.Git, reference: str) -> str:
    """The id of the commit that a branch, tag or expression names; UsageError where there is none."""
    found = asked.run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"], none=1)
    if found.strip():
        return found.decode().strip()
    message = f"This repository has no commit {reference}."
    if (asked.repository.common_dir / "shallow").exists():
        remote, _, branch = reference.partition("/")
        named = f"{remote} {branch}" if branch else f"origin {reference}"
        message = f"{reference} is not in this shallow clone: fetch it first (git fetch --depth=1 {named})."
    raise UsageError(message)


def entries(asked: git.Git, commit: str) -> list[Entry]:
    """The files of a commit's tree; UsageError where they are more than any project has."""
    found: list[Entry] = []
    with asked.running(["ls-tree", "-r", "-z", "--full-tree", commit]) as process:
        for line in git.fields(process.stdout):
            about, _, path = line.partition(b"\t")
            mode, _, id = about.split()
            found.append(Entry(os.fsdecode(path), int(mode, 8), id.decode()))
            if len(found) > MOST_FILES:
                raise UsageError(f"The tree of {commit} has more than {MOST_FILES:,} files: it cannot be read.")
        if process.wait() != 0:
            raise UsageError(f"git ls-tree failed: the tree of {commit} cannot be read.{asked.hint}")
    return found


def is_wanted(entry: Entry, prefix: str) -> bool:
    """A regular file below ``prefix``, of a kind that is read, under a name that stays in the folder."""
    if not entry.path.startswith(prefix) or entry.mode & gitindex.FILE_TYPE != gitindex.REGULAR:
        return False
    path = entry.path[len(prefix) :]
    parts = path.split("/")
    is_safe = not os.path.isabs(path) and not any(
        part in ("", ".", "..", ".git") or ":" in part or "\\" in part for part in parts
    )
    return is_safe and (kind_of(path) != "other" or parts[-1] in CONFIGURATION)


def write(asked: git.Git, wanted: Iterable[Entry], prefix: str, folder: Path, limits: Limits) -> None:
    """Write files into the empty ``folder``, without their ``prefix``; those above the limits are left out."""
    written = 0
    with asked.running(["cat-file", "--batch"]) as process:
        blobs = git.Blobs(process)
        for entry in wanted:
            path = entry.path[len(prefix) :]
            limit = SMALL if PurePosixPath(path).name in CONFIGURATION else limits.of(kind_of(path))
            data = blobs.read(entry.blob, limit)
            if data is None:
                raise UsageError(f"Git does not have the object {entry.blob} of {path}.{asked.hint}")
            if len(data) <= limit:
                written += len(data)
                if written > MOST_BYTES:
                    raise UsageError(f"The files of the tree have more than {MOST_BYTES:,} bytes: they cannot be read.")
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)


def renamed(asked: git.Git, gone: Iterable[Entry], come: Mapping[str, bytes]) -> dict[str, str]:
    """New path to old one, by git's own judgement: ``gone`` are no more, ``come`` are there with these contents.

    What git needs for it is written to a folder of ours, never into the repository.
    """
    old = [f"{entry.mode:06o} {entry.blob}\t{entry.path}" for entry in gone]
    if not old or not come:
        return {}
    with asked.writing() as scratch:
        new = []
        for path, data in sorted(come.items()):
            blob = scratch.run(["hash-object", "-w", "--stdin"], data).decode().strip()
            new.append(f"100644 {blob}\t{path}")
        trees = [_tree(scratch, lines) for lines in (old, new)]
        found = scratch.run(["diff-tree", "-r", "-z", "--find-renames", "--diff-filter=R", "--name-status", *trees])
    fields = [os.fsdecode(field) for field in found.split(b"\0")]
    return {new: old for _, old, new in zip(*[iter(fields)] * 3, strict=False)}


def _tree(scratch: git.Git, lines: list[str]) -> str:
    scratch.run(["read-tree", "--empty"])
    scratch.run(["update-index", "-z", "--index-info"], b"".join(os.fsencode(line) + b"\0" for line in lines))
    return scratch.run(["write-tree", "--missing-ok"]).decode().strip()
