"""Which files there are, which configurations and rules hold for them, and by which bytes they are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from backaudit.config.folders import Folders, folders
from backaudit.discover import EXCLUDED, Discovery, Found, discover
from backaudit.stages.run import Run
from backaudit.triage import Selection, select_any

if TYPE_CHECKING:
    from backaudit.history import Reader

# What rules need: the code of files, and what earlier commits hold.
CODE = "code"
HISTORY = "history"


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to analyse.

    ``discovery``: the files, without those that a folder's own configuration leaves out. ``folders``: the
    configurations. ``selection``: the rules that any of them asks for. ``digests``: of the bytes of files, None if
    nothing is kept by them. ``history``: what reads the earlier commits, if a rule asks about them.
    """

    discovery: Discovery
    folders: Folders
    selection: Selection
    digests: Mapping[str, bytes] | None
    history: Reader | None

    @property
    def files(self) -> list[Found]:
        """The files that are read."""
        return _read(self.discovery)

    @property
    def needs(self) -> frozenset[str]:
        """What the rules need to know."""
        return frozenset(need for rule in self.selection.rules for need in rule.needs)


def inventory(run: Run) -> Inventory:
    """What there is to analyse in the project of a run."""
    with run.times.stage("discover"):
        found = discover(run.root, exclude=run.config.exclude, named=run.request.named, use_git=run.request.use_git)
    configurations = _configurations(run, found)
    discovery = _without_excluded(found, configurations)
    selection = _selected(run, configurations)
    return Inventory(
        discovery=discovery,
        folders=configurations,
        selection=selection,
        digests=_digests(run, _read(discovery)),
        history=_history(run, selection),
    )


def _configurations(run: Run, found: Discovery) -> Folders:
    """The configurations of the project's folders."""
    request = run.request
    if request.folders is not None:
        return request.folders
    names = None if request.loaded.is_partial else run.names
    return folders(run.root, run.config, [file.path for file in found.files], names)


def _without_excluded(found: Discovery, configurations: Folders) -> Discovery:
    kept = tuple(file for file in found.files if not configurations.excludes(file.path))
    if len(kept) == len(found.files):
        return found
    left_out = Counter(dict(found.left_out)) + Counter({EXCLUDED: len(found.files) - len(kept)})
    return msgspec.structs.replace(found, files=kept, left_out=tuple(sorted(left_out.items())))


def _selected(run: Run, configurations: Folders) -> Selection:
    """The rules that may run: those about earlier commits only if these were asked for."""
    selection = select_any(run.names, configurations.all())
    rules = tuple(rule for rule in selection.rules if run.request.history or HISTORY not in rule.needs)
    return msgspec.structs.replace(selection, rules=rules)


def _read(discovery: Discovery) -> list[Found]:
    return [file for file in discovery.files if file.kind != "other"]


def _digests(run: Run, files: Sequence[Found]) -> Mapping[str, bytes] | None:
    if run.open_cache is None:
        return None
    from backaudit.extract.pool import fingerprints

    with run.times.stage("read"):
        return fingerprints(run.root, files, run.config.source_limits())


def _history(run: Run, selection: Selection) -> Reader | None:
    if not any(HISTORY in rule.needs for rule in selection.rules):
        return None
    from backaudit.history import Reader

    return Reader(
        run.root,
        limits=run.config.source_limits(),
        exclude=run.config.exclude,
        jobs=run.request.jobs,
        progress=run.progress,
    )
