"""What is told of the whole: the survey and the scorecards, with nothing in them that may be a credential."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from backaudit.facts.problem import Problem, Told
from backaudit.quoting import credentials, masks_of, sources_of, veiled_in
from backaudit.stages.inventory import Inventory
from backaudit.stages.linking import Analysed, back_ends
from backaudit.stages.run import Run

if TYPE_CHECKING:
    from backaudit.portfolio.records import Portfolio
    from backaudit.survey.records import Survey

ToldT = TypeVar("ToldT", bound=Told)


def surveyed(run: Run, inventory: Inventory, analysed: Analysed) -> Survey:
    """The back ends of a project, side by side."""
    from backaudit.survey.compose import survey
    from backaudit.survey.merge import merged

    several: list[tuple[str, Survey]] = []
    bounds: set[Problem] = set()
    for name, project in back_ends(run, inventory, analysed):
        several.append((name or ".", project.once(survey)))
        bounds.update(project.bounds)
    found = msgspec.structs.replace(merged(several), files=len(analysed.project.facts))
    return _told(run, inventory, analysed, found, bounds)


def scored(run: Run, inventory: Inventory, analysed: Analysed) -> Portfolio:
    """The scorecards of a project's back ends."""
    from backaudit.portfolio.card import scorecard
    from backaudit.portfolio.records import Portfolio, Scorecard

    cards: list[Scorecard] = []
    bounds: set[Problem] = set()
    for name, project in back_ends(run, inventory, analysed):
        cards.append(msgspec.structs.replace(project.once(scorecard), application=name))
        bounds.update(project.bounds)
    shown = tuple(card for card in cards if card.routes) or tuple(cards[:1])
    found = Portfolio(cards=shown, languages=_languages(inventory, analysed))
    return _told(run, inventory, analysed, found, bounds)


def _languages(inventory: Inventory, analysed: Analysed) -> tuple[str, ...]:
    """What the repository is written in beside Python, the most first."""
    known: dict[str, str] = analysed.project.models.languages
    endings = (known.get(os.path.splitext(file.path)[1].lower()) for file in inventory.discovery.files)
    return tuple(name for name, _ in Counter(filter(None, endings)).most_common())


def _told(run: Run, inventory: Inventory, analysed: Analysed, found: ToldT, bounds: set[Problem]) -> ToldT:
    """Nothing that the extractors take for a credential leaves, whatever it is part of."""
    from backaudit.survey.masking import masked

    digests = {file.path: file.digest for file in analysed.facts if file.secrets}
    sources, changed = sources_of(run.root, digests)
    masks = masks_of((*credentials(analysed.facts), *veiled_in(sources)), sources)
    problems: Sequence[Problem] = (*inventory.discovery.problems, *analysed.problems, *changed, *bounds)
    return masked(msgspec.structs.replace(found, problems=tuple(sorted(set(problems)))), masks)
