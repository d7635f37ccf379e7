"""``map``: the back end as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backaudit.commands.common import ShowingCommand, exit_code

if TYPE_CHECKING:
    from backaudit.audit import Audit
    from backaudit.survey.records import Survey


class Map(ShowingCommand):
    """One run of the command ``map``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.report.map import SUFFIXES

        super().__init__(options, SUFFIXES)

    def run(self) -> int:
        from backaudit.report.map import renderer
        from backaudit.survey.records import within

        with self._audited(narrowed=True) as audit:
            found = within(self._reasoned(audit), audit.request.reported)
        self._deliver(found, renderer, f"{len(found.routes)} routes, {len(found.tables)} tables")
        return exit_code(found.problems)

    def _reasoned(self, audit: Audit) -> Survey:
        """The survey, with the reasons of its statuses and the failures that findings name, where they are wanted."""
        from msgspec.structs import replace

        from backaudit.audit import Audit
        from backaudit.survey.failures import with_failures

        found = audit.survey
        if not self.options["reasons"]:
            return replace(found, routes=tuple(replace(row, told=()) for row in found.routes))
        config = replace(audit.request.config, select=("errors",), ignore=(), strict=True)
        report = Audit(replace(audit.request, config=config), cache=audit.cache, progress=audit.progress).report()
        named = (issue.finding.request for issue in report.issues if issue.status != "suppressed")
        return with_failures(found, [one for one in named if one is not None])
