"""``portfolio``: the scorecard of a project that somebody shows to an employer."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from backaudit.commands import CRASH, NOTHING, OK
from backaudit.commands.common import Command, load_rules
from backaudit.console import progress_shown, say, use_color, width, write

if TYPE_CHECKING:
    from backaudit.output import Target
    from backaudit.portfolio.records import Portfolio


class Scored(Command):
    """One run of the command ``portfolio``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.output import targets
        from backaudit.report.portfolio import SUFFIXES

        super().__init__(options)
        self.targets = targets(options["formats"], options["outputs"], SUFFIXES)

    def run(self) -> int:
        from backaudit.audit import Audit, Request

        root = self._located()
        loaded, _ = load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=self.options["jobs"])
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            audit = Audit(request, cache=stack.enter_context(self._cache()), progress=progress)
            found = audit.portfolio
        if not found.is_back_end:
            say(_nothing(found))
            return NOTHING
        for target in self.targets:
            self._deliver(found, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            say(", ".join(str(target.path) for target in self.targets))
        return CRASH if any(problem.kind == "crash" for problem in found.problems) else OK

    def _deliver(self, found: Portfolio, target: Target) -> None:
        from backaudit.output import write_file
        from backaudit.report.portfolio import renderer

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


def _nothing(found: Portfolio) -> str:
    """Why there is nothing to judge: another language, or no back end."""
    if found.languages:
        named = " and ".join(found.languages[:2])
        return f"No Python back end was found in {found.root_name}: what is there is written in {named}."
    return f"No Python back end was found in {found.root_name}: no route of a web framework that backaudit knows."
