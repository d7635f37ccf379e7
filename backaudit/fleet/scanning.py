"""One repository, from its address to what is stored of it: the work of a process that may be ended at any time."""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from contextlib import suppress
from datetime import date
from pathlib import Path

import msgspec

from backaudit import git
from backaudit.audit import Audit, Request
from backaudit.baseline import Baseline
from backaudit.baseline import load as load_baseline
from backaudit.cache import Cache
from backaudit.config import Config, Root, find_root, load, parse
from backaudit.discover import discover
from backaudit.fleet import checkout, policy
from backaudit.fleet.clones import Clones
from backaudit.fleet.records import Job, Outcome, failed
from backaudit.fleet.sources import is_repository, title
from backaudit.gitremote import Remote, Unreachable, bare, masked
from backaudit.isolation import isolate
from backaudit.issue import Issue, Report
from backaudit.plugins import Loaded
from backaudit.report import renderer
from backaudit.report.fleet.records import FoundRecord, ProblemRecord
from backaudit.usage import UsageError

# The reports that are kept of each repository, as `backaudit scan` writes them.
FORMATS = ("json", "sarif")
# What is stored of a scan has this form; another form is another key.
_FORM = 1


def outcome(job: Job, loaded: Loaded, cache: Cache | None, folder: Path) -> Outcome:
    """Fetch and scan one repository; ``folder`` is empty and private. What is wrong with it is an outcome too."""
    started = time.monotonic()
    try:
        found = _outcome(job, loaded, cache, folder)
    except Unreachable as error:
        found = failed(str(error), passing=True)
    except UsageError as error:
        found = failed(masked(str(error)).replace(f"{folder}{os.sep}", ""))
    return msgspec.structs.replace(found, seconds=time.monotonic() - started)


def key_of(job: Job, commit: str) -> str:
    """All that a scan depends on: the commit, the tool and its rules, the configuration that is laid over it."""
    parts = [_FORM, commit, job.stamp, job.source.config, job.policy, job.strict]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def _outcome(job: Job, loaded: Loaded, cache: Cache | None, folder: Path) -> Outcome:
    url = job.source.url
    if os.path.isabs(url) and not is_repository(Path(url)):
        return _in_place(job, loaded, cache, Path(url))
    remote = Remote(url)
    resolved = remote.resolved(job.source.ref)
    if resolved is None:
        return Outcome(status="empty", reason="It has no commit yet.")
    commit, name = resolved
    if _is_known(job, commit):
        return _unchanged(job, commit)
    tree = folder / title(remote.shown)
    tree.mkdir()
    started = time.monotonic()
    with Clones(Path(job.clones)).holding(remote, commit, name) as (clone, commit):
        asked = git.Git(bare(clone))
        problems = checkout.lay_out(asked, commit, tree, job.limits.disk)
        for baseline in _baselines(tree, job):
            checkout.fill(asked, commit, baseline, tree)
    fetched = time.monotonic() - started
    found = _scanned(job, commit, loaded, cache, tree)
    return msgspec.structs.replace(found, problems=(*found.problems, *problems), fetch_seconds=fetched)


def _in_place(job: Job, loaded: Loaded, cache: Cache | None, folder: Path) -> Outcome:
    """A project that is in no repository: it is read where it stands, and known by the times of its files."""
    if not folder.is_dir():
        return failed(f"{folder} is no folder on this worker's machine.")
    digest = hashlib.sha256()
    for file in discover(folder).files:
        with suppress(OSError):
            state = os.stat(folder / file.path)
            digest.update(f"{file.path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    commit = f"files-{digest.hexdigest()[:33]}"
    return _unchanged(job, commit) if _is_known(job, commit) else _scanned(job, commit, loaded, cache, folder)


def _is_known(job: Job, commit: str) -> bool:
    return job.known is not None and job.known.key == key_of(job, commit)


def _unchanged(job: Job, commit: str) -> Outcome:
    return Outcome(status="unchanged", commit=commit, key=key_of(job, commit))


def _scanned(job: Job, commit: str, loaded: Loaded, cache: Cache | None, tree: Path) -> Outcome:
    report = scan(tree, job, loaded, cache)
    back_end = report.back_end
    issues = [issue for issue in report.issues if issue.status == "new"]
    return Outcome(
        status="ok",
        commit=commit,
        key=key_of(job, commit),
        files=report.files,
        routes=back_end.routes if back_end else 0,
        tables=back_end.tables if back_end else 0,
        collections=back_end.collections if back_end else 0,
        accepted=sum(issue.status in ("suppressed", "baseline") for issue in report.issues),
        findings=tuple(_found(issue) for issue in issues),
        problems=tuple(ProblemRecord(one.path, one.kind, one.line, one.message) for one in report.problems),
        notes=report.notes,
        reports={name: zlib.compress(renderer(name)(report).encode("utf-8", "backslashreplace")) for name in FORMATS},
    )


def scan(tree: Path, job: Job, loaded: Loaded, cache: Cache | None) -> Report:
    """What `backaudit scan` reports in a work tree, under the configuration of the list and the policy."""
    root = find_root([tree])
    isolate(root.folder)
    own = _configuration(root, job)
    request = Request(root=root.folder, config=own, loaded=loaded, notes=root.notes, jobs=1)
    if job.policy:
        request = _under_policy(request, policy.read(job.policy))
    baseline = _baseline(root.folder, request.config, date.fromisoformat(job.day))
    return Audit(request, cache=cache).report(baseline)


def _configuration(root: Root, job: Job) -> Config:
    asked = {"strict": True} if job.strict else {}
    if not job.source.config:
        return load(root.file, asked, root=root.folder, within=root.folder)
    listed = parse(policy.settings(job.source.config), "the list")
    return msgspec.structs.replace(listed, **asked)


def _under_policy(request: Request, over: policy.Policy) -> Request:
    folders = Audit(request).folders
    notes = [note for said in folders.said() for note in over.refused(said)]
    return msgspec.structs.replace(
        request, config=over.over(request.config), folders=over.over_folders(folders), notes=(*request.notes, *notes)
    )


def _baselines(tree: Path, job: Job) -> list[str]:
    """The files that may be the baseline: they have any name."""
    named = [_configuration(find_root([tree]), job).baseline]
    if job.policy:
        named.append(policy.read(job.policy).config.baseline)
    return list(filter(None, named))


def _baseline(root: Path, config: Config, day: date) -> Baseline | None:
    """What the repository accepts, of a file of its own."""
    return load_baseline(root / config.baseline, day, within=root) if config.baseline else None


def _found(issue: Issue) -> FoundRecord:
    finding = issue.finding
    span = finding.place.span
    return FoundRecord(
        fingerprint=issue.fingerprint,
        rule=issue.rule.id,
        family=issue.rule.family,
        severity=issue.severity,
        confidence=finding.confidence,
        path=finding.place.path,
        line=span.line,
        column=span.column + 1,
        scope=finding.scope,
        message=finding.message,
        remedy=finding.remedy,
    )
