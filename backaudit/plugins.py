"""Finds the rules: every package that an installed distribution names in the entry point group ``backaudit.rules``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import msgspec

from backaudit.crash import contained
from backaudit.declared import declared, keep
from backaudit.facts.problem import Problem
from backaudit.rule import Rule
from backaudit.rulenames import BUILT_IN_FAMILIES, is_built_in
from backaudit.toml import TomlError, parse_toml

if TYPE_CHECKING:
    from importlib.abc import Traversable  # its home moved in 3.11, and is gone from here in 3.14

    from backaudit.cache import Cache

GROUP = "backaudit.rules"
BUILT_IN_PACKAGE = "backaudit_rules"


class Loaded(msgspec.Struct, frozen=True):
    """Rules, sorted by id, what rule packages know of libraries (see :mod:`backaudit.models`), and what broke.

    ``is_partial``: only those of some families.
    """

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...] = ()
    tables: tuple[Mapping[str, Any], ...] = ()
    is_partial: bool = False


def load(*, reraise: bool = False, cache: Cache | None = None) -> Loaded:
    """The rules of every installed package, and the engine's own. A broken module costs only its own rules.

    With a ``cache`` the built-in ones are as they were kept there, and their questions are loaded when they are asked.
    """
    found = sorted(
        set(entry_points(group=GROUP)), key=lambda point: (point.value != BUILT_IN_PACKAGE, point.name, point.value)
    )
    return load_from(found, reraise=reraise, cache=cache)


def load_families(families: Collection[str]) -> Loaded:
    """The rules of some built-in families, and the engine's own; of other packages only what they know of libraries."""
    points = [EntryPoint(family, f"{BUILT_IN_PACKAGE}.{family}", GROUP) for family in sorted(families)]
    others = sorted(set(entry_points(group=GROUP)), key=lambda point: (point.name, point.value))
    return msgspec.structs.replace(load_from(points, others=others), is_partial=True)


def load_from(
    points: Sequence[EntryPoint],
    *,
    others: Sequence[EntryPoint] | None = None,
    reraise: bool = False,
    cache: Cache | None = None,
) -> Loaded:
    """The rules of the given entry points; the first to claim an id keeps it. Tables are those of ``others``, too."""
    from backaudit.directives import RULES as ENGINE_RULES

    rules: dict[str, Rule] = {rule.id: rule for rule in ENGINE_RULES}
    problems: list[Problem] = []
    for point in points:
        for rule in _declared_by(point, problems, reraise, cache):
            problem = _refusal(rule, point, rules)
            if problem:
                problems.append(problem)
            else:
                rules[rule.id] = rule
    given = points if others is None else others
    tables = [table for point in given for table in _tables_of(point, problems)]
    return Loaded(tuple(sorted(rules.values(), key=lambda rule: rule.id)), tuple(problems), tuple(tables))


def _tables_of(point: EntryPoint, problems: list[Problem]) -> Iterator[Mapping[str, Any]]:
    """What ``models/*.toml`` of a rule package say of libraries."""
    if point.value.partition(".")[0] == BUILT_IN_PACKAGE:
        return
    from backaudit import models  # only for such packages: a run whose result is kept needs none of it

    files: list[Traversable] = []
    with contained([], _named(point)):  # a package that cannot be imported is told of where its rules are loaded
        folder = resources.files(point.value) / "models"
        files = [file for file in folder.iterdir() if file.name.endswith(".toml")] if folder.is_dir() else []
    for file in sorted(files, key=lambda file: file.name):
        try:
            yield models.checked(parse_toml(file.read_text(encoding="utf-8")))
        except (TomlError, ValueError) as error:
            problems.append(_crash(point, f"its models/{file.name} cannot be used: {error}."))


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


def _declared_by(point: EntryPoint, problems: list[Problem], reraise: bool, cache: Cache | None) -> Iterable[Rule]:
    """The rules of a package; those of our own as they were kept, if they were."""
    if cache is None or not cache.usable or point.value != BUILT_IN_PACKAGE:
        return _rules_of(point, problems, reraise)
    kept: tuple[Rule, ...] | None = None
    with contained([], _named(point)):  # that it cannot be imported is told where its modules are walked
        kept = declared(cache, point.value)
    return _walked_and_kept(point, problems, reraise, cache) if kept is None else kept


def _walked_and_kept(point: EntryPoint, problems: list[Problem], reraise: bool, cache: Cache) -> tuple[Rule, ...]:
    """The rules of our own package, kept if nothing of it is broken."""
    broken = len(problems)
    rules = tuple(_rules_of(point, problems, reraise))
    if len(problems) == broken:
        keep(cache, point.value, rules)
    return rules


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
