"""What the commands write: to standard output what was asked for, to standard error what is said beside it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from backaudit.usage import UsageError


def width() -> int:
    """Columns of the terminal; 100 where there is none."""
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def use_color(stream: Any) -> bool:
    """Whether a stream shows colours, and nobody has asked for none."""
    return bool(stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def write(text: str) -> None:
    """Write to standard output, as long as somebody reads it. UsageError where it cannot be written to."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise UsageError(f"Standard output cannot be written: {error.strerror}.") from error


def say(text: str) -> None:
    """A line on standard error."""
    with suppress(OSError):  # nobody reads it
        from backaudit.report.visible import visible_name  # --help says nothing and need not load it

        sys.stderr.write(f"backaudit: {visible_name(text)}\n")
        sys.stderr.flush()


def prepare_streams() -> None:
    """A console that lacks a character shows its escape instead of ending the run; one that is closed takes all."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # it lives as long as we do
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def abandon_stdout() -> None:
    """The reader has gone: whatever is still buffered must not be written, nor complained about at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def progress_shown(*, enabled: bool) -> Any:
    """What shows how far a run is, unless it is to be quiet."""
    from backaudit.progress import Progress

    return Progress(sys.stderr, enabled=enabled)
