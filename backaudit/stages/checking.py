"""What the rules find in a project: in each of several back ends by itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from backaudit import declared
from backaudit.check import Checked, joined
from backaudit.crash import contained
from backaudit.facts.problem import Problem
from backaudit.issue import BackEnd
from backaudit.rule import Finding
from backaudit.stages.inventory import CODE, Inventory
from backaudit.stages.keeping import answers_kept
from backaudit.stages.linking import Analysed, back_ends
from backaudit.stages.run import Run
from backaudit.survey.extents import Extent

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


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """The answers of one back end as they are kept; rules by id."""

    findings: tuple[tuple[str, Finding], ...]
    problems: tuple[Problem, ...]
    crashed: frozenset[str]
    bounds: tuple[Problem, ...]
    extent: Extent | None


def _of_back_ends(run: Run, inventory: Inventory, analysed: Analysed) -> Answers:
    rules = {rule.id: rule for rule in inventory.selection.rules}
    found = [_of_back_end(run, inventory, project) for _, project in back_ends(run, inventory, analysed)]
    several = [
        Checked(tuple((rules[name], finding) for name, finding in one.findings), one.problems, one.crashed)
        for one in found
    ]
    checked = several[0] if len(several) == 1 else joined(several)
    extents = [one.extent for one in found if one.extent is not None]
    back_end = Extent.of(extents).counted if len(extents) == len(found) else None
    return Answers(checked, sorted({problem for one in found for problem in one.bounds}), back_end)


def _of_back_end(run: Run, inventory: Inventory, project: Project) -> Answered:
    """The answers of one back end: as they were kept of a run in which its files said the same, or found out now."""

    def compute() -> Answered:
        from backaudit.survey.compose import extent

        checked = _asked(run, inventory, project)
        counted: list[Extent] = []
        # A rule's crash has been told; what it crashed over must not end the run here.
        with contained([], "counting routes and tables"):
            counted.append(project.once(extent))
        findings = tuple((rule.id, finding) for rule, finding in checked.findings)
        bounds = tuple(project.bounds)
        return Answered(findings, checked.problems, checked.crashed, bounds, counted[0] if counted else None)

    return answers_kept(run, inventory, project, Answered, compute)


def _asked(run: Run, inventory: Inventory, project: Project) -> Checked:
    from backaudit import asking

    jobs = run.request.jobs or os.cpu_count() or 1
    with run.times.stage("check"):
        declared.load(inventory.selection.rules)
        return asking.ask(project, inventory.selection.rules, jobs=jobs, reraise=run.request.reraise, times=run.times)
