"""A whole run: which files there are, what they say, the project they make, what rules find in it, the report.

The stages know nothing of each other; this does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from backaudit.baseline import Baseline, Entry, merged
from backaudit.cache import Cache
from backaudit.config import Config
from backaudit.config.folders import Folders
from backaudit.discover import Discovery
from backaudit.facts.problem import Told
from backaudit.issue import Before, Report
from backaudit.masking import Masks
from backaudit.quoting import masks_of
from backaudit.results import Result
from backaudit.stages.checking import answers
from backaudit.stages.inventory import CODE, Inventory, inventory
from backaudit.stages.keeping import result_kept, told_kept
from backaudit.stages.linking import Analysed, linked
from backaudit.stages.mending import worked_out
from backaudit.stages.reading import extracted, past
from backaudit.stages.recording import given_to_triage, recorded
from backaudit.stages.run import Progress, Request, Run, begun
from backaudit.stages.telling import scored, surveyed
from backaudit.times import Times
from backaudit.triage import Scan, accepted, judged, triage

if TYPE_CHECKING:
    from backaudit.portfolio.records import Portfolio
    from backaudit.project import Project
    from backaudit.survey.records import Survey

__all__ = ["Audit", "Progress", "Request"]

ToldT = TypeVar("ToldT", bound=Told)


# -- the stages, in order ----------------------------------------------------------------------------------------------


def analyse(run: Run, files: Inventory, needs: frozenset[str]) -> Analysed:
    """From the files to the project: what each file says, what earlier commits hold, and all of it linked."""
    facts, problems = extracted(run, files, needs)
    history = past(run, files, needs, facts)
    project = linked(run, files, facts, history.files)
    return Analysed(facts, problems, project, history.notes)


def examine(run: Run, files: Inventory, analysed: Analysed) -> Result:
    """From the project to what the rules find in it, with the fixes worked out."""
    said = answers(run, files, analysed)
    mended = worked_out(run, said.checked.findings, analysed)
    return recorded(files, analysed, said, mended)


def judge(run: Run, files: Inventory, scan: Scan, baseline: Baseline | None, before: Before | None) -> Report:
    """From what was found to the report, held against what is accepted and what an earlier commit had."""
    with run.times.stage("triage"):
        return triage(scan, run.names, files.folders, baseline, before)


# -- a run, asked for what it gives ------------------------------------------------------------------------------------


class Audit:
    """One run. It goes as far as it is asked to, and what more than one question needs is found out once."""

    def __init__(self, request: Request, *, cache: Cache | None = None, progress: Progress | None = None) -> None:
        self._run = begun(request, cache, progress)

    @cached_property
    def _files(self) -> Inventory:
        return inventory(self._run)

    @cached_property
    def _analysed(self) -> Analysed:
        """The project as far as the rules need it, with what earlier commits hold if one asks about them."""
        return analyse(self._run, self._files, self._files.needs)

    @cached_property
    def _whole(self) -> Analysed:
        """The project with the code of all its files, whatever the rules need."""
        if CODE in self._files.needs:
            return self._analysed
        return analyse(self._run, self._files, frozenset({CODE}))

    @cached_property
    def _scan(self) -> Scan:
        """What the rules found: as it was kept from a run over the very same files, or found out now."""
        result = result_kept(self._run, self._files, lambda: examine(self._run, self._files, self._analysed))
        return given_to_triage(self._run, self._files, result)

    def report(self, baseline: Baseline | None = None, before: Before | None = None) -> Report:
        """What the run found; it may be asked again with another baseline, and costs little then."""
        return judge(self._run, self._files, self._scan, baseline, before)

    def accepted(self, baseline: Baseline | None = None) -> list[Entry]:
        """A baseline that accepts today's findings; entries of ``baseline`` that this run could not judge stay."""
        met = accepted(triage(self._scan, self._run.names, self.folders.by_place()))
        if baseline is not None:
            met = merged(met, Baseline(baseline.entries), self._scan.paths)
        is_judged = judged(self._scan)
        kept = [entry for entry in baseline.entries if not is_judged(entry)] if baseline else []
        return sorted([*met, *kept])

    def stale(self, baseline: Baseline) -> tuple[Entry, ...]:
        """The entries of a baseline that :meth:`report` was asked with that met nothing."""
        return baseline.stale(judged(self._scan))

    @property
    def project(self) -> Project:
        """The linked project with the code of all its files."""
        return self._whole.project

    @cached_property
    def survey(self) -> Survey:
        """The back end as ``map`` shows it."""
        from backaudit.survey.records import Survey

        with self.times.stage("survey"):
            return told_kept(self._run, self._files, "survey", Survey, lambda: self._told(surveyed))

    @cached_property
    def portfolio(self) -> Portfolio:
        """The scorecards, as ``portfolio`` shows them."""
        from backaudit.portfolio.records import Portfolio

        return told_kept(self._run, self._files, "portfolio", Portfolio, lambda: self._told(scored))

    def _told(self, compose: Callable[[Run, Inventory, Analysed], ToldT]) -> ToldT:
        return compose(self._run, self._files, self._whole)

    # -- what goes along with it ---------------------------------------------------------------------------------------

    @property
    def request(self) -> Request:
        """What was asked, with rules by their ids."""
        return self._run.request

    @property
    def config(self) -> Config:
        """The configuration of the project's root."""
        return self._run.config

    @property
    def cache(self) -> Cache | None:
        """What keeps facts and results between runs."""
        return self._run.cache

    @property
    def progress(self) -> Progress | None:
        """What is told how far the run is."""
        return self._run.progress

    @property
    def times(self) -> Times:
        """What the stages and the rules took."""
        return self._run.times

    @property
    def folders(self) -> Folders:
        """The configurations of the project's folders."""
        return self._files.folders

    @property
    def discovery(self) -> Discovery:
        """The files of the project, without those that a folder's own configuration leaves out."""
        return self._files.discovery

    @cached_property
    def masks(self) -> Masks:
        """What hides the secrets of the findings in any text that is shown."""
        secrets = (place for _, finding in self._scan.findings for place in finding.secrets)
        return masks_of((*secrets, *self._scan.veiled), self._scan.sources)

    @property
    def quoted(self) -> Mapping[str, bytes]:
        """The digests of the files that findings quote, as they were analysed."""
        return {path: found.digest for path, found in self._scan.sources.items()}
