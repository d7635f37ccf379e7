"""What an earlier commit already had: its tree is read from git's objects, and what it has found there does not count.

No work tree is made and no checkout touched. Facts come from the same cache as today's, by content, so that what is
unchanged is not read twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from backaudit import git, gittree
from backaudit.audit import Audit, Progress, Request
from backaudit.cache import Cache
from backaudit.gitindex import Entry
from backaudit.issue import Before
from backaudit.regular import read_regular

OPTION = "--since"


def before(
    audit: Audit, root: Path, reference: str, folder: Path, *, cache: Cache | None, progress: Progress | None
) -> Before:
    """The findings of the commit ``reference`` of the project at ``root``, written into the empty ``folder``.

    They are known by the names that files have now: a file that git takes for renamed keeps its findings. UsageError
    without git, a repository, or that commit.
    """
    repository = git.repository_for(root, OPTION)
    asked = git.Git(repository)
    prefix = git.prefix_of(root, repository)
    commit = gittree.commit_of(asked, reference)
    held = [entry for entry in gittree.entries(asked, commit) if gittree.is_wanted(entry, prefix)]
    gittree.write(asked, held, prefix, folder, audit.config.source_limits())
    request = _request_at(audit, folder, _renamed(asked, held, prefix, audit))
    earlier = Audit(request, cache=cache, progress=progress)
    known = (issue.fingerprint for issue in earlier.report().issues if issue.status != "suppressed")
    return Before(reference, frozenset(known))


def _request_at(audit: Audit, folder: Path, renamed: Mapping[str, str]) -> Request:
    request = audit.request
    return msgspec.structs.replace(
        request,
        folders=audit.folders.by_place(),
        root=folder,
        root_name=request.root_name or request.root.name,
        named=(),
        reported=None,
        use_git=False,
        renamed=renamed,
    )


def _renamed(asked: git.Git, held: list[Entry], prefix: str, audit: Audit) -> dict[str, str]:
    """Old path to new one, relative to the root."""
    present = {file.path for file in audit.discovery.files if not file.ignored}
    gone = [entry for entry in held if entry.path[len(prefix) :] not in present]
    there = {entry.path[len(prefix) :] for entry in held}
    come: dict[str, bytes] = {}
    for path in sorted(present - there) if gone else ():
        with suppress(OSError):
            come[prefix + path] = read_regular(audit.request.root / path, audit.config.source_limits().default)
    found = gittree.renamed(asked, gone, come)
    return {old[len(prefix) :]: new[len(prefix) :] for new, old in found.items()}
