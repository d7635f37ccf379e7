"""The project that the files make, and the back ends in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from backaudit.config import Config
from backaudit.facts.files import FileFacts
from backaudit.facts.history import PastFile
from backaudit.facts.problem import Problem
from backaudit.stages.inventory import Inventory
from backaudit.stages.run import Run

if TYPE_CHECKING:
    from backaudit.project import Project


class Analysed(msgspec.Struct, frozen=True):
    """What the files hold, what could not be read of them, and the project that they make."""

    facts: Sequence[FileFacts]
    problems: Sequence[Problem]
    project: Project
    notes: tuple[str, ...] = ()


def linked(run: Run, inventory: Inventory, facts: Sequence[FileFacts], past: tuple[PastFile, ...] = ()) -> Project:
    """The project of some files, with what is known of libraries and what the configuration says of its own names."""
    from backaudit import models
    from backaudit.project import link

    discovery, request = inventory.discovery, run.request
    whole = request.whole and not (discovery.git_prefix or request.git_prefix)
    with run.times.stage("link"):
        known = models.load([*request.loaded.tables, own_names(inventory.folders.whole)])
        return link(facts, known.knowledge, known, options(run, inventory), past, whole, discovery.unread)


def back_ends(run: Run, inventory: Inventory, analysed: Analysed) -> Iterator[tuple[str, Project]]:
    """The back ends of the repository, each with the folders that it is started from; the project if it is one."""
    from backaudit.project.parts import parts

    project = analysed.project
    found = parts(analysed.facts, project.models.kinds["starts"])
    if len(found) < 2:
        yield "", project
        return
    for part in found:
        past = tuple(f for f in project.past if part.has(f.file.path))
        yield part.name, linked(run, inventory, [f for f in analysed.facts if part.has(f.path)], past)


def options(run: Run, inventory: Inventory) -> dict[str, dict[str, object]]:
    """What the configuration sets of each rule."""
    return {
        rule.id: {option.name: run.config.option(rule, option.name) for option in rule.options}
        for rule in inventory.selection.rules
        if rule.options
    }


def own_names(config: Config) -> dict[str, Mapping[str, object]]:
    """What the configuration says of the project's own functions, as one more table of models."""
    return {
        "sources": {name: f"`{name}`" for name in config.sources},
        "sinks": config.sinks,
        "cleans": config.sanitizers,
        "hashers": dict.fromkeys(config.hashers, "strong"),
        "guards": {**config.guards, "any": config.validators},
        "propagates": {name: ["*"] for name in config.propagators},
        "kinds": {"auth-guards": config.auth_guards},
    }
