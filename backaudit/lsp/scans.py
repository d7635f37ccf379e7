"""Runs ``backaudit scan`` in a process of its own, which neither slows the server down nor stays in its memory.

The cache is the warm model: of a project that was scanned once, a scan reads anew what has changed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from backaudit.config import FILE_NAME
from backaudit.report.json import Document
from backaudit.temporary import temporary_folder

# What a secret's rules find needs no other file than the one it stands in.
ALONE = ("hardcoded-secret", "jwt-secret", "db-url-password", "insecure-env-default")
ALONE_IDS = frozenset(f"secrets/{name}" for name in ALONE)

_DECODER = msgspec.json.Decoder(Document)
_START = "from backaudit.entry import main; main()"


class Failed(Exception):
    """What kept a scan from making a report, as it said itself."""


async def whole(root: Path, arguments: Sequence[str]) -> Document:
    """The report of a project."""
    with temporary_folder("lsp") as folder:
        return await _scan(Path(folder), [str(root), *arguments])


async def alone(path: str, text: str, config: Path | None) -> Document:
    """What is found in a file by itself, as its text is now; ``path`` is relative to the project's root."""
    with temporary_folder("lsp") as folder:
        root = Path(folder) / "project"
        file = root / path
        file.parent.mkdir(parents=True)
        file.write_text(text, "utf-8", "replace", newline="")
        (root / FILE_NAME).touch()
        given = ["--config", str(config)] if config is not None else []
        asked = ["--select", ",".join(ALONE), "--no-cache", "--jobs", "1", "--strict"]
        return await _scan(Path(folder), [str(root), *asked, *given])


async def _scan(folder: Path, arguments: Sequence[str]) -> Document:
    """Run a scan in ``folder``, which is ours: nothing of the project stands there to be imported."""
    report = folder / "report.json"
    command = ["scan", *arguments, "--format", "json", "--output", str(report), "--fail-on", "never", "--quiet"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _START, *command),
        cwd=folder,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    try:
        return _DECODER.decode(report.read_bytes())
    except (OSError, msgspec.MsgspecError):
        raise Failed(said.decode(errors="replace").strip() or f"exit code {process.returncode}") from None
