"""Finds the rules: every package that an installed distribution names in the entry point group ``backaudit.rules``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from importlib.metadata import EntryPoint, entry_points

import msgspec

from backaudit.crash import contained
from backaudit.facts.problem import Problem
from backaudit.rule import Rule
from backaudit.rulenames import BUILT_IN_FAMILIES, is_built_in

GROUP = "backaudit.rules"
BUILT_IN_PACKAGE = "backaudit_rules"


class Loaded(msgspec.Struct, frozen=True):
    """All rules, sorted by id, and what kept others from being loaded."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...] = ()


def load(*, reraise: bool = False) -> Loaded:
    """The rules of every installed package, and the engine's own. A broken module costs only its own rules."""
    found = sorted(
        set(entry_points(group=GROUP)), key=lambda point: (point.value != BUILT_IN_PACKAGE, point.name, point.value)
    )
    return load_from(found, reraise=reraise)


def load_families(families: Collection[str]) -> Loaded:
    """The rules of some built-in families, and the engine's own, without looking for other packages or modules."""
    points = [EntryPoint(family, f"{BUILT_IN_PACKAGE}.{family}", GROUP) for family in sorted(families)]
    return load_from(points)


def load_from(points: list[EntryPoint], *, reraise: bool = False) -> Loaded:
    """The rules of the given entry points; the first to claim an id keeps it."""
    from backaudit.directives import RULES as ENGINE_RULES

    rules: dict[str, Rule] = {rule.id: rule for rule in ENGINE_RULES}
    problems: list[Problem] = []
    for point in points:
        for rule in _rules_of(point, problems, reraise):
            problem = _refusal(rule, point, rules)
            if problem:
                problems.append(problem)
            else:
                rules[rule.id] = rule
    return Loaded(tuple(sorted(rules.values(), key=lambda rule: rule.id)), tuple(problems))


def _named(point: EntryPoint) -> str:
    dist = point.dist.name if point.dist else point.name
    return f'The rule package "{point.value}" of the distribution "{dist}"'


def _refusal(rule: Rule, point: EntryPoint, taken: dict[str, Rule]) -> Problem | None:
    if not is_built_in(rule) and rule.family in BUILT_IN_FAMILIES:
        return _crash(point, f'its rule "{rule.id}" is refused: the family "{rule.family}" is built in.')
    if rule.id in taken and taken[rule.id] is not rule:
        return _crash(point, f'its rule "{rule.id}" is refused: {taken[rule.id].module} defines that id already.')
    if not all(rule.id.partition("/")):
        return _crash(point, f'its rule "{rule.id}" is refused: an id is written family/name.')
    return None


def _crash(point: EntryPoint, why: str) -> Problem:
    return Problem("", "crash", f"{_named(point)} is broken: {why}")


def _rules_of(point: EntryPoint, problems: list[Problem], reraise: bool) -> Iterator[Rule]:
    """The rules of a package, in order of module and name; a re-export counts where it was defined."""
    package = _named(point)
    pending = [point.value]
    while pending:
        name = pending.pop()
        found: list[Rule] = []
        with contained(problems, f"{package}: {name}", rest="Its rules are missing.", reraise=reraise):
            module = importlib.import_module(name)
            found = [rule for _, rule in sorted(vars(module).items()) if _is_own(rule, name)]
            inner = pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}.")
            pending += sorted((info.name for info in inner), reverse=True)
        yield from found


def _is_own(value: object, module: str) -> bool:
    return isinstance(value, Rule) and value.module == module
