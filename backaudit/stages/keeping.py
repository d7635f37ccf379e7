"""What is kept of a run, for those over the very same files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from backaudit import results
from backaudit.facts.problem import Told
from backaudit.results import Result
from backaudit.rule import Rule
from backaudit.stages.inventory import Inventory
from backaudit.stages.linking import options, own_names
from backaudit.stages.run import Run

if TYPE_CHECKING:
    from backaudit.project import Project
    from backaudit.stages.checking import Answered

KeptT = TypeVar("KeptT", bound="Result | Told | Answered")
ToldT = TypeVar("ToldT", bound=Told)


def result_kept(run: Run, inventory: Inventory, compute: Callable[[], Result]) -> Result:
    """What the rules found: as it was kept, or computed now."""

    def key() -> bytes:
        settings = [options(run, inventory), *_settings(run, inventory)]
        if inventory.history is not None:
            settings += [inventory.history.stamp(), run.config.exclude]
        return _key(inventory, inventory.selection.rules, settings)

    return _kept(run, key, Result, compute)


def answers_kept(
    run: Run, inventory: Inventory, project: Project, kind: type[KeptT], compute: Callable[[], KeptT]
) -> KeptT:
    """The rules' answers about one back end: those of a run in which all of its files said the same, or new ones.

    Rules ask the facts, never the bytes: a comment that is reworded, or another back end beside it, is none of theirs.
    """
    if project.past:
        return compute()

    def key() -> bytes:
        settings = [options(run, inventory), project.is_whole, *_settings(run, inventory)]
        return results.answers_key(project.facts.values(), inventory.selection.rules, settings)

    return _kept(run, key, kind, compute)


def told_kept(run: Run, inventory: Inventory, what: str, kind: type[ToldT], compute: Callable[[], ToldT]) -> ToldT:
    """What is told of the whole project, under its name of today: as it was kept, or computed now."""

    def key() -> bytes:
        return _key(inventory, (), [what, *_settings(run, inventory)])

    found = _kept(run, key, kind, compute)
    return msgspec.structs.replace(found, root_name=run.root_name, version=run.version)


def _kept(run: Run, key: Callable[[], bytes], kind: type[KeptT], compute: Callable[[], KeptT]) -> KeptT:
    cache = run.open_cache
    if cache is None:
        return compute()
    name = key()
    data = cache.get(name)
    found = results.decode(data, kind) if data is not None else None
    if found is None:
        found = compute()
        # A crash or a worker's death may be of this run alone: such a result is not kept.
        if not any(problem.kind == "crash" for problem in found.problems):
            cache.put(name, results.encode(found))
    return found


def _key(inventory: Inventory, rules: Sequence[Rule], settings: Sequence[object]) -> bytes:
    """A digest of all that a result depends on: the files, how git sees them, and what is asked of them."""
    flags = [(file.path, file.tracked, file.ignored) for file in inventory.discovery.files]
    return results.result_key(inventory.digests or {}, flags, rules, settings)


def _settings(run: Run, inventory: Inventory) -> list[object]:
    """What the linked project depends on beside its files."""
    limits = repr(run.config.source_limits())
    return [own_names(inventory.folders.whole), run.request.loaded.tables, limits, inventory.discovery.unread]
