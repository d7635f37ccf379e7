"""The names by which people call rules: ``family/name``, an old id, a family, or a built-in's bare name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cached_property

from backaudit.rule import Rule

BUILT_IN_PACKAGES = ("backaudit_rules", "backaudit")
# Families that are ours even while no rule of theirs is loaded: a third party's rule must not look like one of them.
BUILT_IN_FAMILIES = frozenset(
    (
        *("passwords", "validation", "errors", "indexes", "secrets", "auth", "api", "deploy", "portfolio"),
        *("bandit", "directives"),
    )
)


def is_built_in(rule: Rule) -> bool:
    """Whether the rule comes with the tool, by the package that defines it."""
    return rule.module.partition(".")[0] in BUILT_IN_PACKAGES


class RuleNames:
    """A fixed set of rules, to be asked by name."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: rule.id))

    @cached_property
    def _by_name(self) -> dict[str, tuple[Rule, ...]]:
        single: dict[str, tuple[Rule, ...]] = {}
        families: dict[str, list[Rule]] = {}
        for rule in self.rules:
            families.setdefault(rule.family, []).append(rule)
            for name in (rule.id, *rule.aliases, *((rule.name,) if is_built_in(rule) else ())):
                single.setdefault(name, (rule,))
        return {**single, **{family: tuple(members) for family, members in families.items()}}

    def find(self, name: str) -> tuple[Rule, ...]:
        """The rules that ``name`` means: one, a family's, or none if it means nothing."""
        return self._by_name.get(name, ())

    def one(self, name: str) -> Rule | None:
        """The single rule that ``name`` means; a family's name is none."""
        found = self.find(name)
        return found[0] if found and not self.is_family(name) else None

    def is_family(self, name: str) -> bool:
        found = self.find(name)
        return bool(found) and found[0].family == name

    def called(self) -> list[str]:
        """Families and ids in order: what rules are best called, other names that mean the same left out."""
        return sorted({name for rule in self.rules for name in (rule.family, rule.id)})

    def suggestion(self, name: str) -> str:
        """`` Did you mean …?`` for a name that means nothing, or an empty string."""
        return suggestion(name, self._by_name)


def suggestion(name: str, known: Iterable[str]) -> str:
    """`` Did you mean "x"?``, with a leading space, or an empty string where nothing known is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""
