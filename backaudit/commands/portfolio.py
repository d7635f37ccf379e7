"""``portfolio``: the scorecard of a project that somebody shows to an employer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backaudit.commands import NOTHING
from backaudit.commands.common import ShowingCommand, exit_code
from backaudit.console import say

if TYPE_CHECKING:
    from backaudit.portfolio.records import Portfolio


class Scored(ShowingCommand):
    """One run of the command ``portfolio``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.report.portfolio import SUFFIXES

        super().__init__(options, SUFFIXES)

    def run(self) -> int:
        from backaudit.report.portfolio import renderer

        with self._audited() as audit:
            found = audit.portfolio
        if not found.is_back_end:
            say(_nothing(found))
            return NOTHING
        if self.options["prove"]:
            found = self._measured(found)
        self._deliver(found, renderer)
        return exit_code(found.problems)

    def _measured(self, found: Portfolio) -> Portfolio:
        """The portfolio with a planner's word on its slowest query."""
        from msgspec.structs import replace

        from backaudit.commands.prove import Prove
        from backaudit.portfolio.questions.growth import measured

        report = Prove({**self.options, "formats": (), "outputs": ()}).proved()
        claims = [(issue.finding.claim, issue.finding) for issue in report.issues if issue.finding.claim is not None]
        proofs = [(finding.place, claim.table, finding.proof) for claim, finding in claims if finding.proof is not None]
        return replace(found, cards=tuple(measured(card, proofs) for card in found.cards))


def _nothing(found: Portfolio) -> str:
    """Why there is nothing to judge: another language, or no back end."""
    if found.languages:
        named = " and ".join(found.languages[:2])
        return f"No Python back end was found in {found.root_name}: what is there is written in {named}."
    return f"No Python back end was found in {found.root_name}: no route of a web framework that backaudit knows."
