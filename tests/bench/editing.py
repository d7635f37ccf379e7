"""What an editor waits for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.lsp.editor import Editor

OPENED = 20
_SECRET = 'STRIPE_SECRET_KEY = "sk_live_' + "4eC39HqLyjWDarjtT1zdp7dc" + '"'


class Waited(msgspec.Struct):
    """Seconds until an answer: the first of all, of files opened and edited then, and of one saved."""

    first: float
    opened: list[float]
    edited: list[float]
    saved: float


async def session(root: Path, files: Sequence[str]) -> Waited:
    """Open, edit and save files of a project, one after the other."""
    (root / "backaudit.toml").touch()
    editor = Editor(root)
    editor.patience = 3_600.0
    await editor.begin()
    try:
        several = files[:: max(1, len(files) // OPENED)][:OPENED]
        first = await _opened(editor, several[0])
        opened = [await _opened(editor, name) for name in several[1:]]
        edited = [await _edited(editor, name) for name in several[:5]]
        return Waited(first, opened, edited, await _saved(editor, several[0]))
    finally:
        await editor.end()


async def _opened(editor: Editor, name: str) -> float:
    start = time.perf_counter()
    editor.open(name)
    await editor.until(lambda: editor.codes(name) is not None)
    return time.perf_counter() - start


async def _edited(editor: Editor, name: str) -> float:
    text = (editor.root / name).read_text("utf-8")
    start = time.perf_counter()
    editor.edit(name, f"{text}\n\n{_SECRET}\n")
    await editor.until(lambda: _has_secret(editor, name))
    return time.perf_counter() - start


async def _saved(editor: Editor, name: str) -> float:
    text = "import hashlib\n\n\ndef save(user, password):\n    user.password = hashlib.md5(password).hexdigest()\n"
    editor.edit(name, text, 3)
    start = time.perf_counter()
    editor.save(name, text)
    await editor.until(lambda: ("passwords/weak-hash", 5) in (editor.codes(name) or ()))
    return time.perf_counter() - start


def _has_secret(editor: Editor, name: str) -> bool:
    return any(code == "secrets/hardcoded-secret" for code, _ in editor.codes(name) or ())
