"""A project that is open in the editor: what was found in it, and where that stands in the texts as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from backaudit.config import Root
from backaudit.lsp import scans
from backaudit.lsp.places import moved
from backaudit.report.json import Document, FindingRecord
from backaudit.source import Limits, Source, lines, read

_LARGEST = 1 << 29
Findings = Sequence[FindingRecord]


class Project:
    """What is known of the project at ``root``; ``arguments`` go to every scan of it."""

    def __init__(self, root: Root, arguments: Sequence[str] = ()) -> None:
        self.root = root
        self.arguments = arguments
        self.is_known = False
        self._found: Mapping[str, list[FindingRecord]] = {}
        self._scanned: dict[str, str] = {}
        self._alone: dict[str, tuple[str, list[FindingRecord]]] = {}
        self._scan: asyncio.Task[Document] | None = None

    @property
    def is_scanning(self) -> bool:
        return self._scan is not None and not self._scan.done()

    async def scan(self) -> bool:
        """Scan the project anew; False where a later scan has taken the place of this one."""
        if self._scan is not None:
            self._scan.cancel()
        self._scan = task = asyncio.ensure_future(scans.whole(self.root.folder, self.arguments))
        try:
            document = await task
        except asyncio.CancelledError:
            if task is self._scan:
                raise
            return False
        found: dict[str, list[FindingRecord]] = {}
        for finding in document.findings:
            if finding.status == "new":
                found.setdefault(finding.path, []).append(finding)
        self._found, self._scanned, self._alone = found, {}, {}
        self.is_known = True
        return True

    async def look(self, path: str, text: str) -> None:
        """Ask what needs no other file about the text of one, saved or not."""
        if path.endswith(".py") and text != self.scanned(path):
            with suppress(scans.Failed):
                document = await scans.alone(path, text, self.root.file)
                own = [finding for finding in document.findings if finding.status == "new" and finding.path == path]
                self._alone[path] = (text, [finding for finding in own if finding.rule in scans.ALONE_IDS])

    def findings(self, path: str, text: str) -> Findings:
        """What is to be said of a file whose text is ``text`` now."""
        known = self._found.get(path, [])
        scanned = self.scanned(path)
        if text != scanned:
            known = moved(known, lines(scanned), lines(text))
        looked_at, alone = self._alone.get(path, ("", []))
        if looked_at != text:
            return known
        return [*(finding for finding in known if finding.rule not in scans.ALONE_IDS), *alone]

    def scanned(self, path: str) -> str:
        """The text that the last scan speaks of."""
        if path not in self._scanned:
            self._scanned[path] = self.text(path)
        return self._scanned[path]

    def text(self, path: str) -> str:
        """A file's text as it was saved; empty where there is none."""
        found = read(self.root.folder, path, Limits({}, default=_LARGEST))
        return found.text if isinstance(found, Source) else ""

    def stop(self) -> None:
        """End what still runs."""
        if self._scan is not None:
            self._scan.cancel()


def relative(path: Path, root: Path) -> str | None:
    """The path as reports write it; None for one that is not in the project."""
    try:
        return path.resolve().relative_to(root).as_posix()
    except ValueError:
        return None
