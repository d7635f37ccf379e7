"""``lsp``: findings in the editor."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from backaudit.commands import OK
from backaudit.isolation import isolate


def serve(*, strict: bool, config: Path | None) -> int:
    """Serve one editor until it hangs up."""
    from backaudit.usage import UsageError

    isolate()
    try:
        from backaudit.lsp.server import create
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise UsageError("the language server needs more packages: pip install 'backaudit[lsp]'.") from None
    arguments = [*(["--strict"] if strict else []), *(["--config", str(config.absolute())] if config else [])]
    server = create(version("backaudit"), arguments)
    server.start_io()
    return OK
