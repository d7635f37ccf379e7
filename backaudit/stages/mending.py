"""What rules want changed, as edits of the text that was analysed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from backaudit import source
from backaudit.crash import contained
from backaudit.facts.changes import changed_paths
from backaudit.facts.problem import Problem
from backaudit.rule import Finding, Fix
from backaudit.source import Source
from backaudit.stages.linking import Analysed
from backaudit.stages.run import Run
from backaudit.stamp import folder_stamp, library_stamp

if TYPE_CHECKING:
    from backaudit.cache import Cache
    from backaudit.fix import Fixer
    from backaudit.rule import Rule


class Mended(NamedTuple):
    """Findings with their fixes as edits, and a ``crash`` Problem for each that lost its fixes to a fault of ours."""

    findings: Sequence[tuple[Rule, Finding]]
    problems: Sequence[Problem] = ()


def worked_out(run: Run, findings: Sequence[tuple[Rule, Finding]], analysed: Analysed) -> Mended:
    """The findings with their fixes as edits."""
    with run.times.stage("fix"):
        wanting = [finding for _, finding in findings if finding.fixes]
        if not wanting:
            return Mended(findings)
        mending = _Mending(_Texts(run, analysed), run.open_cache, reraise=run.request.reraise)
        mended = iter(mending.of(wanting))
        with_edits = [(rule, next(mended) if finding.fixes else finding) for rule, finding in findings]
        return Mended(with_edits, mending.problems)


class _Mending:
    """Works out fixes, or finds how they were worked out on the very same texts: a file is parsed for those alone
    that are new.
    """

    def __init__(self, texts: _Texts, cache: Cache | None, *, reraise: bool) -> None:
        self._texts, self._cache, self._reraise = texts, cache, reraise
        self.problems: list[Problem] = []

    @cached_property
    def _fixer(self) -> Fixer:
        from backaudit.fix import Fixer

        return Fixer(self._texts.of)

    def of(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings, each with its fixes as edits."""
        cache = self._cache
        if cache is None:
            return [msgspec.structs.replace(finding, fixes=self._edits(finding) or ()) for finding in findings]
        stamp = b"".join((folder_stamp(str(Path(__file__).parents[1])), library_stamp(("libcst", "msgspec"))))
        keys = [self._key(stamp, finding) for finding in findings]
        known = cache.get_many(key for key in keys if key is not None)
        made: dict[bytes, bytes] = {}
        mended = []
        for finding, key in zip(findings, keys, strict=True):
            fixes = _decoded(known[key]) if key in known else None
            if fixes is None:
                fixes = self._edits(finding)
                if key is not None and fixes is not None:
                    made[key] = msgspec.msgpack.encode(fixes)
            mended.append(msgspec.structs.replace(finding, fixes=fixes or ()))
        cache.put_many(made)
        return mended

    def _edits(self, finding: Finding) -> tuple[Fix, ...] | None:
        """The fixes as edits; None, and a Problem, where working them out crashed: what was found is told without."""
        fixes: tuple[Fix, ...] | None = None
        rest = "The finding is told without it."
        with contained(self.problems, "Making a fix", path=finding.place.path, rest=rest, reraise=self._reraise):
            fixes = self._fixer.worked_out(finding).fixes
        return fixes

    def _key(self, stamp: bytes, finding: Finding) -> bytes | None:
        """All on which the edits of a finding depend; None where that is no text that was analysed."""
        changes = [change for fix in finding.fixes for change in fix.changes]
        paths = sorted(frozenset[str]().union(*map(changed_paths, changes)))
        digests = [self._texts.analysed(path) for path in paths]
        if None in digests:
            return None
        asked = msgspec.msgpack.encode((finding.fixes, paths, digests))
        return hashlib.blake2b(b"fixes" + stamp + asked, digest_size=32).digest()


def _decoded(data: bytes) -> tuple[Fix, ...] | None:
    try:
        return msgspec.msgpack.decode(data, type=tuple[Fix, ...])
    except (msgspec.MsgspecError, ValueError):
        return None


class _Texts:
    """The text of files as it was analysed."""

    def __init__(self, run: Run, analysed: Analysed) -> None:
        self._root, self._limits = run.root, run.config.source_limits()
        self._digests = {file.path: file.digest for file in analysed.facts}
        self._broken = {problem.path for problem in analysed.problems}

    def analysed(self, path: str) -> str | None:
        """The digest of a file that was analysed as a whole, else None."""
        return None if path in self._broken else self._digests.get(path)

    def of(self, path: str) -> Source | Problem | None:
        """A file's text; None if there is no such file, a Problem if it is not as it was analysed."""
        if not os.path.lexists(self._root / path):
            return None
        found = source.read(self._root, path, self._limits)
        if path in self._broken or not self._is_same(path, found):
            return Problem(path, "unreadable", "It was not analysed as it is now.")
        return found

    def _is_same(self, path: str, found: Source | Problem) -> bool:
        if isinstance(found, Problem):
            return True
        return self._digests.get(path, found.digest.hex()) == found.digest.hex()
