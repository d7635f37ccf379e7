"""What the rules find in a project: in each of several back ends by itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from backaudit import asking
from backaudit.check import Checked, joined
from backaudit.crash import contained
from backaudit.facts.problem import Problem
from backaudit.issue import BackEnd
from backaudit.stages.inventory import CODE, Inventory
from backaudit.stages.linking import Analysed, back_ends
from backaudit.stages.run import Run

if TYPE_CHECKING:
    from backaudit.project import Project


class Answers(msgspec.Struct, frozen=True):
    """What the rules said, the searches that were cut short meanwhile, and how much of a back end there is."""

    checked: Checked
    bounds: Sequence[Problem]
    back_end: BackEnd | None = None


def answers(run: Run, inventory: Inventory, analysed: Analysed) -> Answers:
    """What the rules say of a project."""
    if CODE in inventory.needs:
        return _of_back_ends(run, inventory, analysed)
    # Without code there is nothing that tells programs apart, nor a rule that mixes them up.
    checked = _asked(run, inventory, analysed.project)
    return Answers(checked, sorted(analysed.project.bounds))


def _of_back_ends(run: Run, inventory: Inventory, analysed: Analysed) -> Answers:
    from backaudit.survey.compose import Extent, extent

    several: list[Checked] = []
    bounds: set[Problem] = set()
    extents: list[Extent] = []
    for _, project in back_ends(run, inventory, analysed):
        several.append(_asked(run, inventory, project))
        bounds.update(project.bounds)
        # A rule's crash has been told; what it crashed over must not end the run here.
        with contained([], "counting routes and tables"):
            extents.append(project.once(extent))
    checked = several[0] if len(several) == 1 else joined(several)
    back_end = Extent.of(extents).counted if len(extents) == len(several) else None
    return Answers(checked, sorted(bounds), back_end)


def _asked(run: Run, inventory: Inventory, project: Project) -> Checked:
    jobs = run.request.jobs or os.cpu_count() or 1
    with run.times.stage("check"):
        return asking.ask(
            project, inventory.selection.rules, jobs=jobs, reraise=run.request.reraise, times=run.times.rules
        )
