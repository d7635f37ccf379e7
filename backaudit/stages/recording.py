"""What a run has found out: the record that is kept, and what triage is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backaudit import directives
from backaudit.discover import Found
from backaudit.quoting import sources_of, veiled_in
from backaudit.results import Commented, Result
from backaudit.stages.checking import Answers
from backaudit.stages.inventory import CODE, Inventory
from backaudit.stages.linking import Analysed
from backaudit.stages.mending import Mended
from backaudit.stages.run import Run
from backaudit.triage import Scan


def recorded(inventory: Inventory, analysed: Analysed, said: Answers, mended: Mended) -> Result:
    """What the rules found, and what of the files the reports need beside it."""
    findings = mended.findings
    now = [found for _, found in findings if not found.commit]
    quoted = {place.path for found in now for place in (found.place, *found.secrets)}
    return Result(
        findings=tuple((rule.id, finding) for rule, finding in findings),
        problems=(*analysed.problems, *said.checked.problems, *mended.problems, *said.bounds),
        crashed=tuple(sorted(said.checked.crashed)),
        commented=tuple(Commented(f.path, f.comments, f.extents) for f in analysed.facts if f.comments),
        digests={file.path: file.digest for file in analysed.facts if file.path in quoted},
        files=len(analysed.facts),
        notes=(*analysed.notes, *_strangers(inventory, analysed)),
        back_end=said.back_end,
    )


def _strangers(inventory: Inventory, analysed: Analysed) -> Iterable[str]:
    """What the configurations call functions of the project that it does not have."""
    from backaudit.config.functions import strangers

    return strangers(analysed.project, inventory.folders) if CODE in inventory.needs else ()


def given_to_triage(run: Run, inventory: Inventory, result: Result) -> Scan:
    """The record of a run with the text of the files that it quotes, as they are now."""
    request, found = run.request, inventory.discovery
    rules = {rule.id: rule for rule in inventory.selection.rules}
    sources, changed = sources_of(run.root, result.digests)
    return Scan(
        root_name=run.root_name,
        version=run.version,
        selection=inventory.selection,
        findings=[(rules[rule_id], finding) for rule_id, finding in result.findings],
        sources=sources,
        veiled=veiled_in(sources),
        directives=[directives.parse(file.path, file.comments, file.extents) for file in result.commented],
        problems=[*request.loaded.problems, *found.problems, *result.problems, *changed],
        crashed=frozenset(result.crashed),
        is_reported=_Reported(request.reported, found.files),
        files=result.files,
        paths=frozenset(file.path for file in found.files) if request.whole else None,
        renamed=request.renamed,
        left_out=found.left_out,
        notes=(*request.notes, *found.notes, *result.notes, *inventory.folders.notes),
        back_end=result.back_end,
        git_prefix=found.git_prefix if request.git_prefix is None else request.git_prefix,
    )


class _Reported:
    """Whether findings in a path count: asked for, and not of a file that git neither tracks nor would now."""

    def __init__(self, reported: Sequence[str] | None, files: Iterable[Found]) -> None:
        self._unreported = {file.path for file in files if file.ignored}
        self._asked = None if reported is None else [path.strip("/") for path in reported]

    def __call__(self, path: str, past: bool = False) -> bool:
        if path in self._unreported and not past:
            return False
        if self._asked is None:
            return True
        return any(asked in ("", ".") or path == asked or path.startswith(asked + "/") for asked in self._asked)
