"""What rules want changed, as edits of the text that was analysed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backaudit import source
from backaudit.facts.problem import Problem
from backaudit.source import Source
from backaudit.stages.linking import Analysed
from backaudit.stages.run import Run

if TYPE_CHECKING:
    from backaudit.rule import Finding, Rule


def worked_out(
    run: Run, findings: Sequence[tuple[Rule, Finding]], analysed: Analysed
) -> Sequence[tuple[Rule, Finding]]:
    """The findings with their fixes as edits."""
    with run.times.stage("fix"):
        if not any(finding.fixes for _, finding in findings):
            return findings
        from backaudit.fix import Fixer

        fixer = Fixer(_Texts(run, analysed).of)
        return [(rule, fixer.worked_out(finding)) for rule, finding in findings]


class _Texts:
    """The text of files as it was analysed."""

    def __init__(self, run: Run, analysed: Analysed) -> None:
        self._root, self._limits = run.root, run.config.source_limits()
        self._digests = {file.path: file.digest for file in analysed.facts}
        self._broken = {problem.path for problem in analysed.problems}

    def of(self, path: str) -> Source | Problem | None:
        """A file's text; None if there is no such file, a Problem if it is not as it was analysed."""
        if not os.path.lexists(self._root / path):
            return None
        found = source.read(self._root, path, self._limits)
        if path in self._broken or not self._is_same(path, found):
            return Problem(path, "unreadable", "It was not analysed as it is now.")
        return found

    def _is_same(self, path: str, found: Source | Problem) -> bool:
        if isinstance(found, Problem):
            return True
        return self._digests.get(path, found.digest.hex()) == found.digest.hex()
