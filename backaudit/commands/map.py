"""``map``: the back end as it is."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from backaudit.commands import CRASH, OK
from backaudit.commands.common import Command, load_rules
from backaudit.console import progress_shown, say, use_color, width, write

if TYPE_CHECKING:
    from backaudit.audit import Audit, Request
    from backaudit.output import Target
    from backaudit.survey.records import Survey


class Map(Command):
    """One run of the command ``map``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.output import targets
        from backaudit.report.map import SUFFIXES

        super().__init__(options)
        self.targets = targets(options["formats"], options["outputs"], SUFFIXES)

    def run(self) -> int:
        from backaudit.audit import Audit, Request
        from backaudit.survey.records import within

        root = self._located()
        loaded, _ = load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=self.options["jobs"])
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            request = self._narrowed(request)
            audit = Audit(request, cache=stack.enter_context(self._cache()), progress=progress)
            found = within(self._reasoned(audit, request), request.reported)
        for target in self.targets:
            self._deliver(found, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            files = ", ".join(str(target.path) for target in self.targets)
            say(f"{len(found.routes)} routes, {len(found.tables)} tables: {files}")
        return CRASH if any(problem.kind == "crash" for problem in found.problems) else OK

    def _reasoned(self, audit: Audit, request: Request) -> Survey:
        """The survey, with the reasons of its statuses and the failures that findings name, where they are wanted."""
        from msgspec.structs import replace

        from backaudit.audit import Audit
        from backaudit.survey.failures import with_failures

        found = audit.survey
        if not self.options["reasons"]:
            return replace(found, routes=tuple(replace(row, told=()) for row in found.routes))
        config = replace(request.config, select=("errors",), ignore=(), strict=True)
        report = Audit(replace(request, config=config), cache=audit.cache, progress=audit.progress).report()
        named = (issue.finding.request for issue in report.issues if issue.status != "suppressed")
        return with_failures(found, [one for one in named if one is not None])

    def _deliver(self, found: Survey, target: Target) -> None:
        from backaudit.output import write_file
        from backaudit.report.map import renderer

        options: dict[str, Any] = {}
        if target.format == "text":
            to_terminal = target.path is None
            options = {
                "color": to_terminal and use_color(sys.stdout),
                "width": width() if to_terminal else 100,
                "quiet": self.quiet,
            }
        text = renderer(target.format)(found, **options)
        if target.path is None:
            write(text)
        else:
            write_file(target.path, text)
