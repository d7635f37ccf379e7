"""``baseline``: what is accepted, and which of it is out of date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.commands.scan import Scan, exit_code
from backaudit.console import say, write

if TYPE_CHECKING:
    from backaudit.baseline import Baseline


class Accepted(Scan):
    """One run of the command ``baseline``: what the baseline accepts, held against a scan of all rules."""

    def __init__(self, options: dict[str, Any]) -> None:
        fixed: dict[str, Any] = {
            "formats": (), "outputs": (), "select": (), "ignore": (), "strict": True, "fail_on": "never",
            "fail_on_problem": None, "fail_on_stale": None, "write_baseline": None, "since": None, "staged": False,
            "history": False, "show_config": False, "jobs": 0, "verbose": False, "exclude": (),
        }  # fmt: skip
        super().__init__({**options, **fixed})

    def run(self) -> int:
        from backaudit.baseline import listing
        from backaudit.usage import UsageError

        root = self._located()
        config = self._config(root)
        loaded, _ = self._rules(config)
        file = self._baseline_file(root, config)
        if file is None:
            raise UsageError('There is no baseline: give --baseline FILE, or configure baseline = "FILE".')
        report = self._report(root, config, loaded)
        assert self.baseline is not None
        if self.options["prune"]:
            self._prune(file, self.baseline)
        else:
            write(listing(self.baseline, self.stale))
        return exit_code(report, config)

    def _prune(self, file: Path, baseline: Baseline) -> None:
        from backaudit.baseline import dump
        from backaudit.output import write_file

        kept = [entry for entry in baseline.entries if entry not in self.stale]
        write_file(file, dump(kept))
        say(f"{file}: {len(self.stale)} stale taken out, {len(kept)} accepted findings left")
