"""``repro``: tests that show the mistakes with errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.commands import OK
from backaudit.commands.scan import Scan
from backaudit.console import say, write

if TYPE_CHECKING:
    from backaudit.report.repro import Case


class Repro(Scan):
    """One run of the command ``repro``: a scan for mistakes with errors, and the tests that show them."""

    def __init__(self, options: dict[str, Any]) -> None:
        fixed: dict[str, Any] = {
            "formats": (), "outputs": (), "select": (("errors",),), "ignore": (), "strict": True, "fail_on": "never",
            "fail_on_problem": None, "fail_on_stale": None, "baseline": None, "write_baseline": None, "since": None,
            "staged": False, "history": False, "show_config": False, "jobs": 0, "verbose": False,
        }  # fmt: skip
        super().__init__({**options, **fixed})

    def run(self) -> int:
        from backaudit import models
        from backaudit.output import write_file
        from backaudit.report.repro import cases, render
        from backaudit.repro import chosen
        from backaudit.usage import UsageError

        root = self._located()
        config = self._config(root)
        loaded, _ = self._rules(config)
        report = self._report(root, config, loaded)
        asked = chosen(report.issues, self.options["finding"])
        found = cases(asked, models.load().clients)
        if not found:
            raise UsageError(_no_test(len(asked), self.options["finding"]))
        output: Path | None = self.options["output"]
        if output is None:
            write(render(found))
        else:
            write_file(output, render(found))
        self._say_how_many(found, len(asked))
        return OK

    def _say_how_many(self, found: Sequence[Case], findings: int) -> None:
        if self.quiet:
            return
        waiting = sum(case.waits for case in found)
        tests = f"{len(found)} test{'' if len(found) == 1 else 's'} of {findings} finding{'' if findings == 1 else 's'}"
        say(f"{tests}; {waiting} of them wait for a caller or rows" if waiting else tests)


def _no_test(findings: int, asked: str | None) -> str:
    """Why there is no test, for the user."""
    if asked is None:
        return f"none of the {findings} findings of errors/* names a request that a test can send."
    return f"what is found at {asked} names no request that a test can send: {_NO_REQUEST}."


_NO_REQUEST = (
    "it is of no route, the application is made in a way that a test cannot import, or no request is known to show it"
)
