"""An editor, as far as the language server can tell."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

START = "from backaudit.entry import main; main()"
# Of a busy machine; no answer is ever that late.
PATIENCE = 120.0


class Editor(LanguageClient):
    """A client that keeps what it is told."""

    def __init__(self, root: Path) -> None:
        super().__init__("editor", "1")
        self.root = root
        self.patience = PATIENCE
        self.command = [sys.executable, "-c", START]
        self.environment: dict[str, str] = dict(os.environ)
        self.told: dict[str, list[types.Diagnostic]] = {}
        self.messages: list[str] = []
        self._news = asyncio.Event()

        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda told: self._published(told))
        self.feature(types.WINDOW_SHOW_MESSAGE)(lambda told: self._shown(told))

    def _published(self, params: types.PublishDiagnosticsParams) -> None:
        self.told[params.uri] = list(params.diagnostics)
        self._news.set()

    def _shown(self, params: types.ShowMessageParams) -> None:
        self.messages.append(params.message)
        self._news.set()

    async def begin(self, *arguments: str) -> None:
        cache = {"BACKAUDIT_CACHE_DIR": str(self.root.parent / "cache")}
        await self.start_io(*self.command, "lsp", *arguments, cwd=self.root, env={**self.environment, **cache})
        folder = types.WorkspaceFolder(uri=self.root.as_uri(), name="shop")
        capabilities = types.ClientCapabilities()
        params = types.InitializeParams(capabilities=capabilities, workspace_folders=[folder], root_uri=folder.uri)
        await self.initialize_async(params)
        self.initialized(types.InitializedParams())

    async def end(self) -> None:
        await self.shutdown_async(None)
        self.exit(None)
        await self.stop()  # type: ignore[no-untyped-call]

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str) -> None:
        text = (self.root / name).read_text("utf-8")
        item = types.TextDocumentItem(uri=self.uri(name), language_id="python", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def edit(self, name: str, text: str, version: int = 2) -> None:
        document = types.VersionedTextDocumentIdentifier(uri=self.uri(name), version=version)
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        )

    def save(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, "utf-8")
        document = types.TextDocumentIdentifier(uri=self.uri(name))
        self.text_document_did_save(types.DidSaveTextDocumentParams(text_document=document))

    async def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not holds():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), self.patience)

    def codes(self, name: str) -> list[tuple[Any, int]] | None:
        told = self.told.get(self.uri(name))
        return None if told is None else [(one.code, one.range.start.line + 1) for one in told]

    async def actions(self, name: str, line: int) -> dict[str, types.CodeAction]:
        spot = types.Position(line=line - 1, character=12)
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=self.uri(name)),
            range=types.Range(start=spot, end=spot),
            context=types.CodeActionContext(diagnostics=[]),
        )
        found = await self.text_document_code_action_async(params)
        return {one.title: one for one in found or () if isinstance(one, types.CodeAction)}

    async def page(self, name: str, line: int, character: int) -> str:
        params = types.HoverParams(
            text_document=types.TextDocumentIdentifier(uri=self.uri(name)),
            position=types.Position(line=line - 1, character=character),
        )
        found = await self.text_document_hover_async(params)
        return found.contents.value if found and isinstance(found.contents, types.MarkupContent) else ""
