"""A rule for each of bandit's checks, made from the table; the facts hold what they found."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator

from backaudit.facts.bandit import BanditHit
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Check, Finding, Rule, Severity, Shown, assume, rule

from .table import TABLE, Row

_SEVERITY: dict[str, Severity] = {"HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
_ASSUMED: dict[str, Assumed] = {
    "HIGH": KNOWN,
    "MEDIUM": assume("tool", "bandit is right, which is not sure of it"),
    "LOW": assume("purpose", "bandit is right, which thinks it unlikely"),
}


def _rule(row: Row) -> Rule:
    """The rule of one row. None is shown by default: none has been measured to be right in 95 of 100 findings."""
    covered = bool(row.covered_by) and all(_exists(rule_id) for rule_id in row.covered_by)
    shown: Shown = "selected" if covered else "strict"
    return rule(
        f"bandit/{row.id}", severity=row.severity, shown=shown, cwe=row.cwe, owasp=row.owasp, needs=("bandit", "code")
    )(_check(row))


def _exists(rule_id: str) -> bool:
    """Whether the rule has a module, so that a check steps back by itself as soon as its successor is written."""
    family, _, name = rule_id.partition("/")
    package = f"{__name__.partition('.')[0]}.{family}"
    module = f"{package}.{name.replace('-', '_')}"
    return importlib.util.find_spec(package) is not None and importlib.util.find_spec(module) is not None


def _check(row: Row) -> Check:
    def found(project: Project) -> Iterator[Finding]:
        for path, hit in project.bandit(row.id):
            if project.role(path) not in ("test", *row.silent_in):
                yield _finding(row, path, hit)

    found.__doc__ = f"{inspect.cleandoc(row.doc)}\n\nLinks:\n    https://bandit.readthedocs.io/en/latest/{row.page}\n"
    return found


def _finding(row: Row, path: str, hit: BanditHit) -> Finding:
    severity = _SEVERITY[hit.severity]
    return Finding(
        place=Place(path, hit.span),
        message=_sentence(hit.text),
        assumed=_ASSUMED[hit.confidence],
        # Only where it differs: the rule's own is what the configuration changes.
        severity=severity if severity != row.severity else None,
        secrets=tuple(Place(path, span) for span in hit.secrets),
    )


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


# Rules are found as constants of their module.
globals().update({row.id: _rule(row) for row in TABLE})
