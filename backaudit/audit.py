"""A whole run: discover, read and extract, link, check, triage. The stages know nothing of each other; this does."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from backaudit import asking, directives, plugins, results, source, triage
from backaudit import check as checking
from backaudit.baseline import Baseline, Entry, merged
from backaudit.cache import Cache
from backaudit.config import Config, by_id, check_names
from backaudit.config.folders import Folders, folders
from backaudit.crash import contained
from backaudit.discover import EXCLUDED, Discovery, Found, discover
from backaudit.facts.files import FileFacts
from backaudit.facts.history import History, PastFile
from backaudit.facts.problem import Problem, Told
from backaudit.issue import BackEnd, Before, Report
from backaudit.masking import Masks
from backaudit.quoting import NO_LIMIT, credentials, masks_of, sources_of, veiled_in
from backaudit.results import Commented, Result
from backaudit.rulenames import RuleNames
from backaudit.source import Source
from backaudit.times import Times

if TYPE_CHECKING:
    from backaudit.history import Reader
    from backaudit.portfolio.records import Portfolio
    from backaudit.project import Project
    from backaudit.rule import Finding, Rule
    from backaudit.survey.records import Survey

Progress = Callable[[int, int], None]
ToldT = TypeVar("ToldT", bound=Told)
# What a rule needs that is about earlier commits.
HISTORY = "history"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to analyse, and how. ``root`` is absolute; ``named`` and ``reported`` are relative to it, POSIX.

    ``named``: what the user asked for by name, nothing for the whole project; ``reported``: the only paths (files and
    folders) whose findings count, None for all. ``renamed``: path to the path by which its findings are known.
    ``history``: earlier commits too. ``folders``: what their configurations say, where that is known already.
    ``reraise`` is for tests: a crash of a rule ends the run.
    """

    root: Path
    config: Config
    loaded: plugins.Loaded
    named: tuple[str, ...] = ()
    reported: tuple[str, ...] | None = None
    root_name: str = ""
    git_prefix: str | None = None
    renamed: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    use_git: bool = True
    whole: bool = True
    history: bool = False
    jobs: int = 0
    reraise: bool = False
    folders: Folders | None = None


class Analysed(msgspec.Struct, frozen=True):
    """What the files hold, what could not be read of them, and the project that they make."""

    facts: Sequence[FileFacts]
    problems: Sequence[Problem]
    project: Project
    notes: tuple[str, ...] = ()


class Audit:
    """One run, stage by stage; each result is computed once, when it is first asked for."""

    def __init__(self, request: Request, *, cache: Cache | None = None, progress: Progress | None = None) -> None:
        self.names = RuleNames(request.loaded.rules)
        check_names(request.config, self.names)
        self.request = msgspec.structs.replace(request, config=by_id(request.config, self.names))
        self.config = self.request.config
        self.cache = cache
        self.progress = progress
        self.times = Times()

    @cached_property
    def selection(self) -> triage.Selection:
        """The rules that run: those that any folder asks for."""
        return _asked_for(triage.select_any(self.names, self.folders.all()), history=self.request.history)

    @cached_property
    def folders(self) -> Folders:
        """The configurations of the project's folders."""
        if self.request.folders is not None:
            return self.request.folders
        names = None if self.request.loaded.is_partial else self.names
        return folders(self.request.root, self.config, [file.path for file in self._found.files], names)

    # -- what there is: files, and what they hold ----------------------------------------------------------------------

    @cached_property
    def _found(self) -> Discovery:
        request = self.request
        with self.times.stage("discover"):
            return discover(request.root, exclude=self.config.exclude, named=request.named, use_git=request.use_git)

    @cached_property
    def discovery(self) -> Discovery:
        """The files of the project, without those that a folder's own configuration leaves out."""
        found = self._found
        kept = tuple(file for file in found.files if not self.folders.excludes(file.path))
        if len(kept) == len(found.files):
            return found
        left_out = Counter(dict(found.left_out)) + Counter({EXCLUDED: len(found.files) - len(kept)})
        return msgspec.structs.replace(found, files=kept, left_out=tuple(sorted(left_out.items())))

    @cached_property
    def _files(self) -> list[Found]:
        return [file for file in self.discovery.files if file.kind != "other"]

    @cached_property
    def _digests(self) -> dict[str, bytes]:
        from backaudit.extract.pool import fingerprints

        with self.times.stage("read"):
            return fingerprints(self.request.root, self._files, self.config.source_limits())

    # -- what the rules found, kept or computed ------------------------------------------------------------------------

    @cached_property
    def result(self) -> Result:
        """What the rules found: as it was kept from a run over the very same files, or computed now."""
        if self.cache is None or not self.cache.usable:
            return self._computed()
        key = self._result_key()
        kept = self.cache.get(key)
        result = results.decode(kept) if kept is not None else None
        if result is None:
            result = self._computed()
            # A crash or a worker's death may be of this run alone: such a result is not kept.
            if not any(problem.kind == "crash" for problem in result.problems):
                self.cache.put(key, results.encode(result))
        return result

    def _result_key(self) -> bytes:
        """What the result depends on beside the files: rules, options, settings, earlier commits."""
        settings = [self._options(), *self._settings()]
        if self._history is not None:
            settings += [self._history.stamp(), self.config.exclude]
        return results.result_key(self._digests, self._flags(), self.selection.rules, settings)

    def _flags(self) -> list[tuple[str, bool, bool]]:
        return [(file.path, file.tracked, file.ignored) for file in self.discovery.files]

    def _settings(self) -> list[object]:
        """What the linked project depends on beside its files."""
        tables, limits = self.request.loaded.tables, repr(self.config.source_limits())
        return [_own_names(self.folders.whole), tables, limits, self.discovery.unread]

    def _computed(self) -> Result:
        """From the files to what the rules found in them, stage by stage."""
        analysed = self._analysed
        checked, bounds, back_end = self._checked(analysed)
        with self.times.stage("fix"):
            findings = self._worked_out(checked.findings, analysed)
        now = [found for _, found in findings if not found.commit]
        quoted = {place.path for found in now for place in (found.place, *found.secrets)}
        return Result(
            findings=tuple((rule.id, finding) for rule, finding in findings),
            problems=(*analysed.problems, *checked.problems, *bounds),
            crashed=tuple(sorted(checked.crashed)),
            commented=tuple(Commented(f.path, f.comments, f.extents) for f in analysed.facts if f.comments),
            digests={file.path: file.digest for file in analysed.facts if file.path in quoted},
            files=len(analysed.facts),
            notes=(*analysed.notes, *self._strangers(analysed.project)),
            back_end=back_end,
        )

    # -- extract -------------------------------------------------------------------------------------------------------

    @cached_property
    def _analysed(self) -> Analysed:
        """The project as far as the rules need it, with what earlier commits hold if one asks about them."""
        facts, problems = self._extracted(self._wanted)
        history = self._past(facts)
        return Analysed(facts, problems, self._linked(facts, history.files), history.notes)

    @cached_property
    def _whole(self) -> Analysed:
        """The project with the code of all its files, whatever the rules need."""
        if "code" in self._wanted:
            return self._analysed
        facts, problems = self._extracted(frozenset({"code"}))
        return Analysed(facts, problems, self._linked(facts))

    @property
    def project(self) -> Project:
        """The linked project with the code of all its files."""
        return self._whole.project

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(need for rule in self.selection.rules for need in rule.needs) - {HISTORY}

    def _extracted(self, wanted: frozenset[str]) -> tuple[Sequence[FileFacts], Sequence[Problem]]:
        from backaudit.extract.pool import extract_all

        caching = self.cache is not None and self.cache.usable
        digests = self._digests if caching else None
        with self.times.stage("extract"):
            return extract_all(
                self.request.root,
                self._files,
                jobs=self.request.jobs,
                cache=self.cache if caching else None,
                digests=digests,
                limits=self.config.source_limits(),
                wanted=wanted,
                progress=self.progress,
            )

    # -- earlier commits -----------------------------------------------------------------------------------------------

    @cached_property
    def _history(self) -> Reader | None:
        """What reads the earlier commits, if a rule asks about them."""
        if not any(HISTORY in rule.needs for rule in self.selection.rules):
            return None
        from backaudit.history import Reader

        return Reader(
            self.request.root,
            limits=self.config.source_limits(),
            exclude=self.config.exclude,
            jobs=self.request.jobs,
            progress=self.progress,
        )

    def _past(self, facts: Sequence[FileFacts]) -> History:
        if self._history is None:
            return History((), ())
        from backaudit.history import value_of

        present: set[bytes] = set()
        for file in (file for file in facts if file.secrets and file.tracked):
            found = source.read(self.request.root, file.path, source.Limits({}, default=NO_LIMIT))
            if isinstance(found, Source) and found.digest.hex() == file.digest:
                present.update(value_of(found.text, hit) for hit in file.secrets)
        with self.times.stage("history"):
            return self._history.read(present)

    # -- link ----------------------------------------------------------------------------------------------------------

    def _linked(self, facts: Sequence[FileFacts], past: tuple[PastFile, ...] = ()) -> Project:
        from backaudit import models
        from backaudit.project import link

        whole = self.request.whole and not (self.discovery.git_prefix or self.request.git_prefix)
        with self.times.stage("link"):
            known = models.load([*self.request.loaded.tables, _own_names(self.folders.whole)])
            return link(facts, known.knowledge, known, self._options(), past, whole, self.discovery.unread)

    def _options(self) -> dict[str, dict[str, object]]:
        return {
            rule.id: {option.name: self.config.option(rule, option.name) for option in rule.options}
            for rule in self.selection.rules
            if rule.options
        }

    def _programs(self, analysed: Analysed) -> Iterator[tuple[str, Project]]:
        """The back ends of the repository, each with the folders that it is started from; the project if it is one."""
        from backaudit.project.parts import parts

        project = analysed.project
        found = parts(analysed.facts, project.models.kinds["starts"])
        if len(found) < 2:
            yield "", project
            return
        for part in found:
            past = tuple(f for f in project.past if part.has(f.file.path))
            yield part.name, self._linked([f for f in analysed.facts if part.has(f.path)], past)

    # -- check ---------------------------------------------------------------------------------------------------------

    def _checked(self, analysed: Analysed) -> tuple[checking.Checked, list[Problem], BackEnd | None]:
        """What the rules find, in each of several back ends by itself, and how much there is of them."""
        if "code" not in self._wanted:
            # Without code there is nothing that tells programs apart, nor a rule that mixes them up.
            return self._asked(analysed.project), sorted(analysed.project.bounds), None
        from backaudit.survey.compose import Extent, extent

        several: list[checking.Checked] = []
        bounds: set[Problem] = set()
        extents: list[Extent] = []
        for _, own in self._programs(analysed):
            several.append(self._asked(own))
            bounds.update(own.bounds)
            # A rule's crash has been told; what it crashed over must not end the run here.
            with contained([], "counting routes and tables"):
                extents.append(own.once(extent))
        back_end = Extent.of(extents).counted if len(extents) == len(several) else None
        checked = several[0] if len(several) == 1 else checking.joined(several)
        return checked, sorted(bounds), back_end

    def _asked(self, project: Project) -> checking.Checked:
        jobs = self.request.jobs or os.cpu_count() or 1
        rules, reraise = self.selection.rules, self.request.reraise
        with self.times.stage("check"):
            return asking.ask(project, rules, jobs=jobs, reraise=reraise, times=self.times.rules)

    def _strangers(self, project: Project) -> Iterable[str]:
        """What the configurations call functions of the project that it does not have."""
        from backaudit.config.functions import strangers

        return strangers(project, self.folders) if "code" in self._wanted else ()

    # -- fix -----------------------------------------------------------------------------------------------------------

    def _worked_out(
        self, findings: Sequence[tuple[Rule, Finding]], analysed: Analysed
    ) -> Sequence[tuple[Rule, Finding]]:
        """The findings with their fixes as edits of the text that was analysed."""
        if not any(finding.fixes for _, finding in findings):
            return findings
        from backaudit.fix import Fixer

        known = {file.path: file.digest for file in analysed.facts}
        broken = {problem.path for problem in analysed.problems}

        def text_of(path: str) -> Source | Problem | None:
            if not os.path.lexists(self.request.root / path):
                return None
            found = source.read(self.request.root, path, self.config.source_limits())
            is_same = isinstance(found, Problem) or known.get(path, found.digest.hex()) == found.digest.hex()
            if path in broken or not is_same:
                return Problem(path, "unreadable", "It was not analysed as it is now.")
            return found

        fixer = Fixer(text_of)
        return [(rule, fixer.worked_out(finding)) for rule, finding in findings]

    # -- what is told of the whole: survey and scorecards --------------------------------------------------------------

    @cached_property
    def survey(self) -> Survey:
        """The back end as ``map`` shows it: as it was kept from a run over the very same files, or composed now."""
        from backaudit.survey.records import Survey

        with self.times.stage("survey"):
            return self._kept("survey", Survey, self._surveyed)

    @cached_property
    def portfolio(self) -> Portfolio:
        """The scorecards, as `portfolio` shows them: as they were kept, or computed now."""
        from backaudit.portfolio.records import Portfolio

        return self._kept("portfolio", Portfolio, self._scored)

    def _kept(self, what: str, kind: type[ToldT], compute: Callable[[], ToldT]) -> ToldT:
        """What is told of the project, from a run over the very same files if it was kept, under the project's name."""
        cache = self.cache if self.cache is not None and self.cache.usable else None
        key = self._told_key(what) if cache is not None else b""
        kept = cache.get(key) if cache is not None else None
        found = results.decode_told(kept, kind) if kept is not None else None
        if found is None:
            found = compute()
            if cache is not None and not any(problem.kind == "crash" for problem in found.problems):
                cache.put(key, results.encode(found))
        return msgspec.structs.replace(
            found, root_name=self.request.root_name or self.request.root.name, version=version()
        )

    def _told_key(self, what: str) -> bytes:
        return results.result_key(self._digests, self._flags(), (), [what, *self._settings()])

    def _surveyed(self) -> Survey:
        from backaudit.survey.compose import survey
        from backaudit.survey.merge import merged

        project = self._whole.project
        several: list[tuple[str, Survey]] = []
        bounds: set[Problem] = set()
        for name, own in self._programs(self._whole):
            several.append((name or ".", own.once(survey)))
            bounds.update(own.bounds)
        return self._told(msgspec.structs.replace(merged(several), files=len(project.facts)), bounds)

    def _scored(self) -> Portfolio:
        from backaudit.portfolio.card import scorecard
        from backaudit.portfolio.records import Portfolio, Scorecard

        project = self._whole.project
        cards: list[Scorecard] = []
        bounds: set[Problem] = set()
        for name, own in self._programs(self._whole):
            cards.append(msgspec.structs.replace(own.once(scorecard), application=name))
            bounds.update(own.bounds)
        shown = tuple(card for card in cards if card.routes) or tuple(cards[:1])
        return self._told(Portfolio(cards=shown, languages=self._languages(project)), bounds)

    def _languages(self, project: Project) -> tuple[str, ...]:
        """What the repository is written in beside Python, the most first."""
        known: dict[str, str] = project.models.languages
        endings = (known.get(os.path.splitext(file.path)[1].lower()) for file in self.discovery.files)
        return tuple(name for name, _ in Counter(filter(None, endings)).most_common())

    def _told(self, found: ToldT, bounds: set[Problem]) -> ToldT:
        """Nothing that the extractors take for a credential leaves, whatever it is part of."""
        from backaudit.survey.masking import masked

        facts = self._whole.facts
        digests = {file.path: file.digest for file in facts if file.secrets}
        sources, changed = sources_of(self.request.root, digests)
        masks = masks_of((*credentials(facts), *veiled_in(sources)), sources)
        every = (*self.discovery.problems, *self._whole.problems, *changed, *bounds)
        return masked(msgspec.structs.replace(found, problems=tuple(sorted(set(every)))), masks)

    # -- triage --------------------------------------------------------------------------------------------------------

    @cached_property
    def _scan(self) -> triage.Scan:
        result = self.result
        rules = {rule.id: rule for rule in self.selection.rules}
        findings = [(rules[rule_id], finding) for rule_id, finding in result.findings]
        sources, changed = sources_of(self.request.root, result.digests)
        found = self.discovery
        return triage.Scan(
            root_name=self.request.root_name or self.request.root.name,
            version=version(),
            selection=self.selection,
            findings=findings,
            sources=sources,
            veiled=veiled_in(sources),
            directives=[directives.parse(file.path, file.comments, file.extents) for file in result.commented],
            problems=[*self.request.loaded.problems, *found.problems, *result.problems, *changed],
            crashed=frozenset(result.crashed),
            is_reported=_Reported(self.request.reported, found.files),
            files=result.files,
            paths=frozenset(file.path for file in found.files) if self.request.whole else None,
            renamed=self.request.renamed,
            left_out=found.left_out,
            notes=(*self.request.notes, *found.notes, *result.notes, *self.folders.notes),
            back_end=result.back_end,
            git_prefix=found.git_prefix if self.request.git_prefix is None else self.request.git_prefix,
        )

    def report(self, baseline: Baseline | None = None, before: Before | None = None) -> Report:
        """The last stage; it may be asked again with another baseline, and costs little."""
        scan = self._scan
        with self.times.stage("triage"):
            return triage.triage(scan, self.names, self.folders, baseline, before)

    def accepted(self, baseline: Baseline | None = None) -> list[Entry]:
        """A baseline that accepts today's findings; entries of ``baseline`` that this run could not judge stay."""
        met = triage.accepted(triage.triage(self._scan, self.names, self.folders.by_place()))
        if baseline is not None:
            met = merged(met, Baseline(baseline.entries), self._scan.paths)
        judged = triage.judged(self._scan)
        kept = [entry for entry in baseline.entries if not judged(entry)] if baseline else []
        return sorted([*met, *kept])

    def stale(self, baseline: Baseline) -> tuple[Entry, ...]:
        """The entries of a baseline that :meth:`report` was asked with that met nothing."""
        return baseline.stale(triage.judged(self._scan))

    @cached_property
    def masks(self) -> Masks:
        """What hides the secrets of the findings in any text that is shown."""
        secrets = (place for _, finding in self._scan.findings for place in finding.secrets)
        return masks_of((*secrets, *self._scan.veiled), self._scan.sources)

    @property
    def quoted(self) -> Mapping[str, bytes]:
        """The digests of the files that findings quote, as they were analysed."""
        return {path: found.digest for path, found in self._scan.sources.items()}


def _asked_for(selection: triage.Selection, *, history: bool) -> triage.Selection:
    """The rules that may run: those about earlier commits only if these were asked for."""
    rules = tuple(rule for rule in selection.rules if history or HISTORY not in rule.needs)
    return msgspec.structs.replace(selection, rules=rules)


def _own_names(config: Config) -> dict[str, Mapping[str, object]]:
    """What the configuration says of the project's own functions, as one more table of models."""
    return {
        "sources": {name: f"`{name}`" for name in config.sources},
        "sinks": config.sinks,
        "cleans": config.sanitizers,
        "hashers": dict.fromkeys(config.hashers, "strong"),
        "guards": {**config.guards, "any": config.validators},
        "propagates": {name: ["*"] for name in config.propagators},
        "kinds": {"auth-guards": config.auth_guards},
    }


def version() -> str:
    """The installed version of the tool."""
    return metadata.version("backaudit")


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
