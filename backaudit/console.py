"""What the commands write: to standard output what was asked for, to standard error what is said beside it."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import Any

from backaudit.usage import UsageError


def width() -> int:
    """Columns of the terminal; 100 where there is none."""
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def use_color(stream: Any) -> bool:
    """Whether a stream shows colours, or is to get them in any case; ``NO_COLOR`` has the last word.

    https://no-color.org, https://bixense.com/clicolors
    """
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") != "0" for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return bool(stream.isatty() and os.environ.get("TERM") != "dumb" and os.environ.get("CLICOLOR") != "0")


def use_links(stream: Any) -> bool:
    """Whether a stream is a terminal that is known to show links (OSC 8)."""
    if not (stream.isatty() and use_color(stream)):
        return False
    programs = ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper")
    vte = os.environ.get("VTE_VERSION", "")
    is_known = os.environ.get("TERM_PROGRAM") in programs or any(map(os.environ.get, ("KITTY_WINDOW_ID", "WT_SESSION")))
    return is_known or (vte.isdecimal() and int(vte) >= 5_000)


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


def is_for_people() -> bool:
    """Whether what is written is shown, on a terminal or by a build that reads along: no file or program gets it."""
    if sys.stdout.isatty():
        return True
    is_build = any(os.environ.get(name) for name in ("GITHUB_ACTIONS", "TF_BUILD"))
    with suppress(OSError, ValueError):
        return is_build and not stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    return is_build


def say(text: str) -> None:
    """A line on standard error."""
    with suppress(OSError):  # nobody reads it
        from backaudit.report.visible import inert, visible_name  # --help says nothing and need not load it

        sys.stderr.write(inert(f"backaudit: {visible_name(text)}\n"))
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
