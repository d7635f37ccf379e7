"""``init``: what a project lacks is shown, and written where the user agrees."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from backaudit.commands import OK
from backaudit.commands.common import Command, load_rules
from backaudit.console import progress_shown, say, write

if TYPE_CHECKING:
    from backaudit.config import Root
    from backaudit.starters import Starter


class Init(Command):
    """One run of the command ``init``: what the project lacks is shown, and written where the user agrees."""

    def run(self) -> int:
        from importlib.metadata import version

        from backaudit.starters import starters

        root = self._located()
        self._say_found(root)
        lacking = starters(root.folder, version("backaudit"))
        if not lacking:
            say("everything is there: configuration, hooks and pipeline.")
        for starter in lacking:
            self._offer(root.folder, starter)
        return OK

    def _say_found(self, root: Root) -> None:
        from collections import Counter

        from backaudit.audit import Audit, Request
        from backaudit.config import load

        loaded, _ = load_rules()
        request = Request(root=root.folder, config=load(root.file, root=root.folder, within=root.folder), loaded=loaded)
        with ExitStack() as stack:
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            found = Audit(request, cache=stack.enter_context(self._cache()), progress=progress).survey
        counts = Counter(route.framework for route in found.routes)
        by_framework = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        of = f" ({by_framework})" if by_framework else ""
        say(f"{root.folder}: {len(found.routes)} routes{of}, {len(found.tables)} tables")

    def _offer(self, root: Path, starter: Starter) -> None:
        from backaudit.output import write_file

        if starter.by_hand:
            say(f"{starter.path} is yours: add {starter.why} to it by hand:")
            write(starter.text)
            return
        ask = f"{'Add to' if starter.is_there else 'Write'} {starter.path} ({starter.why})?"
        if not (self.options["yes"] or self.options["confirm"](ask)):
            return
        target = root / starter.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, starter.text)
        say(f"wrote {starter.path}")
