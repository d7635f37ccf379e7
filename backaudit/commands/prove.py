"""``prove``: missing indexes put to a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from backaudit.commands import OK
from backaudit.commands.common import Command, load_rules
from backaudit.commands.scan import Scan
from backaudit.console import progress_shown, say, write

if TYPE_CHECKING:
    from backaudit.issue import Report
    from backaudit.prove.indexes import Question


class Prove(Scan):
    """One run of the command ``prove``: a scan for missing indexes alone, put to a planner."""

    def __init__(self, options: dict[str, Any]) -> None:
        fixed: dict[str, Any] = {
            "select": (("indexes/unindexed-filter", "indexes/unindexed-join", "indexes/unindexed-sort"),),
            "ignore": (), "strict": True, "fail_on": "never", "fail_on_problem": None, "baseline": None,
            "write_baseline": None, "since": None, "staged": False, "history": False, "show_config": False, "jobs": 0,
            "verbose": False, "prove": True,
        }  # fmt: skip
        super().__init__({**options, **fixed})

    def proved(self) -> Report:
        """The report itself, for who shows it in another way."""
        root = self._located()
        config = self._config(root)
        return self._report(root, config, load_rules()[0])


class Explain(Command):
    """One run of ``prove --at``: the queries of one line, whether an index is missing or not, in a learner's words."""

    def run(self) -> int:
        from backaudit.audit import Audit, Request
        from backaudit.prove.indexes import lines_with_queries, questions_at
        from backaudit.usage import UsageError

        path, _, line = self.options["at"].rpartition(":")
        if not path or not line.isdigit():
            raise UsageError("--at wants FILE:LINE, as app/users.py:18.")
        root = self._located()
        loaded, _names = load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=0)
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            project = Audit(request, cache=stack.enter_context(self._cache()), progress=progress).project
            asked = questions_at(project, path, int(line))
            known = lines_with_queries(project, path) if not asked else ()
        if not asked:
            lines = f"its queries stand on {', '.join(map(str, known))}" if known else "the file has none"
            raise UsageError(f"no query that can be told as SQL stands at {path}:{line}; {lines}.")
        return self._explained(asked)

    def _explained(self, asked: Sequence[Question]) -> int:
        from backaudit.prove import tried
        from backaudit.prove.trials import Refused, trials_on
        from backaudit.report.plans import explained
        from backaudit.report.visible import shown, visible_name

        with trials_on(self.options["database_url"], self.options["rows"]) as trials:
            for question in asked:
                place = f"{visible_name(question.place.path)}:{question.place.span.line}"
                try:
                    text = explained(place, tried(question.claim, trials), question.indexes)
                    write(shown(text))
                except Refused as error:
                    say(f"{place}: PostgreSQL cannot be asked: {error}.")
        return OK
