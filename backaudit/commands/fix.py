"""``scan --fix`` and ``scan --diff``: what can be mended by machine is, or is shown."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.commands import CRASH, FINDINGS, OK
from backaudit.commands.common import private_folder
from backaudit.commands.scan import Scan
from backaudit.console import is_for_people, say, write

if TYPE_CHECKING:
    from backaudit.audit import Audit
    from backaudit.config import Config
    from backaudit.fixing import Outcome
    from backaudit.issue import Before, Report

# What makes no sense beside a fix, and why.
_NOT_WITH = (
    ("history", "--history reads what was committed, which no fix changes"),
    ("write_baseline", "--write-baseline accepts what a fix would mend: fix first"),
)


class Fix(Scan):
    """One run of ``scan`` with ``--fix`` or ``--diff``."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.only_shown: bool = options["diff"]
        self.diff = ""

    def _check_together(self) -> None:
        from backaudit.usage import UsageError

        super()._check_together()
        for option, why in _NOT_WITH:
            if self.options[option]:
                raise UsageError(f"{why}.")
        if self.only_shown and (self.options["formats"] or self.options["outputs"]):
            raise UsageError("--diff writes the changes alone: --format and --output belong to a scan, or to --fix.")

    def _settled(self, audit: Audit, before: Before | None, stack: ExitStack) -> Audit:
        from backaudit.audit import Audit
        from backaudit.fixing import diff, write_changed

        report = audit.report(self.baseline, before)
        outcome = self._fixed(audit, report, before, stack)
        if self.only_shown:
            self.diff = diff(outcome.changed, audit.masks)
        else:
            write_changed(Path(self.root), outcome.changed)
        self._say(report, outcome)
        # What is staged is as it was: the mended files are still to be added.
        is_new = outcome.changed and not (self.only_shown or self.options["staged"])
        return Audit(audit.request, cache=audit.cache, progress=audit.progress) if is_new else audit

    def _fixed(self, audit: Audit, report: Report, before: Before | None, stack: ExitStack) -> Outcome:
        from msgspec.structs import replace

        from backaudit import workcopy
        from backaudit.audit import Audit
        from backaudit.fixing import Outcome, fixed

        unsafe = self.options["unsafe_fixes"]
        if not any(issue.fix(unsafe=unsafe) for issue in report.issues):
            return Outcome(changed=(), fixed=0, left=())
        request = audit.request
        copy = workcopy.copy(request.root, audit.discovery.files, private_folder(stack), use_git=request.use_git)
        inside = replace(request, root=copy, root_name=request.root_name or request.root.name)

        def again() -> Report:
            return Audit(inside, cache=audit.cache, progress=audit.progress).report(self.baseline, before)

        return fixed(
            report,
            root=request.root,
            copy=copy,
            again=again,
            unsafe=unsafe,
            original=Path(self.root),
            analysed=audit.quoted,
        )

    def _say(self, report: Report, outcome: Outcome) -> None:
        from backaudit.report.wording import counted

        done = "could be fixed" if self.only_shown else "fixed"
        files = f" in {counted(len(outcome.changed), 'file')}" if outcome.changed else ""
        for issue, why in outcome.left:
            place = issue.finding.place
            say(f"not fixed: {place.path}:{place.span.line}  {issue.rule.id}: {why}")
        more = 0
        if not self.options["unsafe_fixes"]:
            issues = [issue for issue in report.issues if issue.fix(unsafe=False) is None]
            more = sum(issue.fix(unsafe=True) is not None for issue in issues)
        hint = f"; {more} more with --unsafe-fixes, which want a look" if more else ""
        say(f"{counted(outcome.fixed, 'finding')} {done}{files}{hint}")

    def _delivered(self, report: Report, config: Config) -> int:
        if not self.only_shown:
            return super()._delivered(report, config)
        from backaudit.report.visible import shown

        write(shown(self.diff) if is_for_people() else self.diff)
        if any(problem.kind == "crash" for problem in report.problems):
            return CRASH
        return FINDINGS if self.diff else OK
