"""The records that triage makes and reports show: issues, and the report that holds them."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.problem import Problem
from backaudit.rule import Finding, Fix, Rule, Severity

# "before": the commit that the run is held against has it too.
Status = Literal["new", "baseline", "before", "suppressed"]


class ExcerptLine(msgspec.Struct, frozen=True):
    """One quoted source line, already masked; ``mark`` is the code-point range of the spot, end exclusive, or None."""

    number: int
    text: str
    mark: tuple[int, int] | None = None


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as the user meets it.

    ``fingerprint`` depends on rule, path, scope, masked snippet and occurrence, never on a line number.
    ``content`` is the same without the path, so that it is known in another file.
    ``line_hash`` is GitHub's primaryLocationLineHash, empty where it must not leave the tool (secrets).
    """

    rule: Rule
    finding: Finding
    severity: Severity
    status: Status
    fingerprint: str
    content: str = ""
    line_hash: str = ""
    excerpt: tuple[ExcerptLine, ...] = ()
    justification: str = ""

    def fix(self, *, unsafe: bool) -> Fix | None:
        """The fix that may be made without asking, if the finding counts and has one."""
        if self.status != "new":
            return None
        return next((fix for fix in self.finding.fixes if fix.safe or unsafe), None)


class Before(msgspec.Struct, frozen=True):
    """The findings of an earlier commit, by fingerprint; ``reference`` is what the user called it."""

    reference: str
    fingerprints: frozenset[str]


class BackEnd(msgspec.Struct, frozen=True, array_like=True):
    """How much of a back end was found."""

    routes: int
    tables: int
    collections: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.routes or self.tables or self.collections)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Issues and problems of one run, sorted; everything that any format may say.

    ``since`` is the commit whose findings do not count, as the user named it.
    ``back_end`` is None where no rule that ran needs the code.
    """

    root_name: str
    version: str
    rules: tuple[Rule, ...]
    issues: tuple[Issue, ...]
    problems: tuple[Problem, ...] = ()
    files: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    stale_baseline: tuple[str, ...] = ()
    expired_baseline: tuple[str, ...] = ()
    git_prefix: str = ""
    since: str = ""
    back_end: BackEnd | None = None
