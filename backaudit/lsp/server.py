"""The server: what the editor tells, and what it is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from backaudit.config import Root, find_root
from backaudit.isolation import isolate
from backaudit.lsp.project import Project, relative
from backaudit.lsp.scans import Failed
from backaudit.lsp.showing import Files, actions, diagnostic, page
from backaudit.report.json import FindingRecord
from backaudit.rule import Rule
from backaudit.source import lines

# After the last key: an edit is looked at when it rests.
REST = 0.3


class Server(LanguageServer):
    """Diagnostics of the open files; ``arguments`` go to every scan."""

    def __init__(self, version: str, arguments: Sequence[str] = ()) -> None:
        super().__init__("backaudit", version, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.arguments = list(arguments)
        self._projects: dict[Path, Project] = {}
        self._open: dict[Path, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, list[tuple[types.Diagnostic, FindingRecord]]] = {}

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """The installed rules by their ids."""
        from backaudit import plugins

        return {rule.id: rule for rule in plugins.load().rules}

    # -- what has happened ---------------------------------------------------------------------------------------------

    def opened(self, uri: str) -> None:
        found = self._project(uri)
        if found is None:
            return
        project, path = found
        self._open[project.root.folder / path] = uri
        if project.is_known:
            self._publish(uri)
        elif not project.is_scanning:
            self._soon(self._scan(project))

    def changed(self, uri: str) -> None:
        self._publish(uri)
        before = self._resting.pop(uri, None)
        if before is not None:
            before.cancel()
        self._resting[uri] = self._soon(self._look(uri, REST))

    def saved(self, uri: str) -> None:
        found = self._project(uri)
        if found is not None:
            self._soon(self._look(uri, 0))
            self._soon(self._scan(found[0]))

    def closed(self, uri: str) -> None:
        self._told.pop(uri, None)
        self._open = {file: one for file, one in self._open.items() if one != uri}
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    def changed_elsewhere(self) -> None:
        for project in self._projects.values():
            self._soon(self._scan(project))

    def stop(self) -> None:
        for project in self._projects.values():
            project.stop()

    # -- what is asked -------------------------------------------------------------------------------------------------

    def page_at(self, uri: str, position: types.Position) -> types.Hover | None:
        there = [(shown, one) for shown, one in self._told.get(uri, ()) if _holds(shown.range, position)]
        if not there:
            return None
        text = "\n\n---\n\n".join(page(one, self.rules.get(one.rule)) for _, one in there)
        content = types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)
        return types.Hover(contents=content, range=there[0][0].range)

    def actions_in(self, uri: str, asked: types.Range) -> list[types.CodeAction]:
        found = self._project(uri)
        if found is None:
            return []
        project, path = found
        files = self._files(project)
        is_current = self._text(uri) == project.scanned(path)
        there = [(shown, one) for shown, one in self._told.get(uri, ()) if _meet(shown.range, asked)]
        return [one for shown, finding in there for one in actions(finding, shown, files, is_current=is_current)]

    # -- what it takes -------------------------------------------------------------------------------------------------

    def _project(self, uri: str) -> tuple[Project, str] | None:
        """The project of a file, and its path in there."""
        name = uris.to_fs_path(uri)
        if name is None:
            return None
        root = self._root(Path(name))
        path = relative(Path(name), root.folder)
        if path is None:
            return None
        if root.folder not in self._projects:
            isolate(root.folder)
            self._projects[root.folder] = Project(root, self.arguments)
        return self._projects[root.folder], path

    def _root(self, file: Path) -> Root:
        """The project's root as a scan of the folder that is open in the editor would find it."""
        folders = [Path(path) for one in self.workspace.folders.values() if (path := uris.to_fs_path(one.uri))]
        holding = [folder for folder in folders if file.is_relative_to(folder)]
        found = find_root([max(holding, key=lambda folder: len(folder.parts)) if holding else file.parent])
        return Root(found.folder.resolve(), found.file, found.notes)

    def _soon(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _scan(self, project: Project) -> None:
        try:
            if not await project.scan():
                return
        except Failed as error:
            self.window_show_message(types.ShowMessageParams(type=types.MessageType.Error, message=str(error)))
            return
        for uri in [*self._open.values()]:
            self._publish(uri)

    async def _look(self, uri: str, rest: float) -> None:
        await asyncio.sleep(rest)
        found = self._project(uri)
        if found is not None and uri in self._open.values():
            project, path = found
            await project.look(path, self._text(uri))
            self._publish(uri)

    def _publish(self, uri: str) -> None:
        found = self._project(uri)
        if found is None or not found[0].is_known or uri not in self._open.values():
            return
        project, path = found
        files = self._files(project)
        findings = project.findings(path, self._text(uri))
        told = [(diagnostic(finding, self.rules.get(finding.rule), files), finding) for finding in findings]
        self._told[uri] = told
        shown = [one for one, _ in told]
        version = self.workspace.get_text_document(uri).version
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=shown)
        )

    def _text(self, uri: str) -> str:
        return self.workspace.get_text_document(uri).source

    def _files(self, project: Project) -> Files:
        def uri(path: str) -> str:
            file = project.root.folder / path
            return self._open.get(file) or uris.from_fs_path(str(file)) or ""

        def lines_of(path: str) -> Sequence[str]:
            open_one = self._open.get(project.root.folder / path)
            return lines(self._text(open_one) if open_one is not None else project.text(path))

        def is_there(path: str) -> bool:
            return os.path.lexists(project.root.folder / path)

        return Files(uri, lines_of, is_there, self.workspace.position_codec)


def _holds(range: types.Range, position: types.Position) -> bool:
    return range.start <= position <= range.end


def _meet(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def create(version: str, arguments: Sequence[str] = ()) -> Server:
    """A server that listens to what editors say."""
    server = Server(version, arguments)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        ls.opened(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        ls.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        ls.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.closed(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        ls.changed_elsewhere()

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        return ls.page_at(params.text_document.uri, params.position)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        return ls.actions_in(params.text_document.uri, params.range)

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: Server, params: None) -> None:
        ls.stop()

    return server
