"""What the files hold by themselves, and what earlier commits hold beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from backaudit import source
from backaudit.facts.files import FileFacts
from backaudit.facts.history import History
from backaudit.facts.problem import Problem
from backaudit.quoting import NO_LIMIT
from backaudit.source import Source
from backaudit.stages.inventory import HISTORY, Inventory
from backaudit.stages.run import Run


def extracted(run: Run, inventory: Inventory, needs: frozenset[str]) -> tuple[Sequence[FileFacts], Sequence[Problem]]:
    """What each file says, as far as it is needed, and what could not be read."""
    from backaudit.extract.pool import extract_all

    with run.times.stage("extract"):
        return extract_all(
            run.root,
            inventory.files,
            jobs=run.request.jobs,
            cache=run.open_cache,
            digests=inventory.digests,
            limits=run.config.source_limits(),
            wanted=needs - {HISTORY},
            progress=run.progress,
        )


def past(run: Run, inventory: Inventory, needs: frozenset[str], facts: Sequence[FileFacts]) -> History:
    """What earlier commits hold and today's files do not; nothing if that is not needed."""
    if inventory.history is None or HISTORY not in needs:
        return History((), ())
    present = _secret_values(run, facts)
    with run.times.stage("history"):
        return inventory.history.read(present)


def _secret_values(run: Run, facts: Iterable[FileFacts]) -> Collection[bytes]:
    """The secrets of today's files, as the history compares them."""
    from backaudit.history import value_of

    present: set[bytes] = set()
    for file in (file for file in facts if file.secrets and file.tracked):
        found = source.read(run.root, file.path, source.Limits({}, default=NO_LIMIT))
        if isinstance(found, Source) and found.digest.hex() == file.digest:
            present.update(value_of(found.text, hit) for hit in file.secrets)
    return present
