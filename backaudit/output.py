"""Where reports go: which format to which file, and files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from backaudit.report import SUFFIXES
from backaudit.usage import UsageError

STDOUT = "-"


class Target(msgspec.Struct, frozen=True):
    """A report to write; ``path`` is None for standard output."""

    format: str
    path: Path | None = None


def targets(
    formats: Sequence[str], outputs: Sequence[str], suffixes: Mapping[str, str] = SUFFIXES
) -> tuple[Target, ...]:
    """Which report goes where: the n-th output is the n-th format's, a format without one goes to standard output.

    ``suffixes``: what the ending of a name says of the format, the longest that fits. UsageError where there are more
    outputs than formats, or two reports would go to one place.
    """
    if not formats and outputs:
        formats = [_format_of(output, suffixes) for output in outputs]
    formats = list(formats) or ["text"]
    if len(outputs) > len(formats):
        raise UsageError("There are more --output than --format: the n-th output belongs to the n-th format.")
    padded = [*outputs, *([STDOUT] * (len(formats) - len(outputs)))]
    found = tuple(
        Target(format, None if output == STDOUT else Path(output))
        for format, output in zip(formats, padded, strict=True)
    )
    for target in found:
        _check(target, found, suffixes)
    return found


def write_file(path: Path, text: str) -> None:
    """Put ``text`` (as UTF-8, lines ending in a line feed) in place of what ``path`` held, whole or not at all."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        target = Path(os.path.realpath(path))
        if path.exists() and not path.is_file():
            with open(path, "wb") as device:  # a pipe or a device is written to, never replaced
                device.write(data)
        else:
            _replace(target, data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


def replace_files(files: Iterable[tuple[Path, bytes]]) -> None:
    """Put bytes in place of what regular files held, all or none; their permissions stay.

    All are written beside their targets before the first takes its place: where one cannot be, no file is changed.
    """
    with ExitStack() as stack:
        written: list[tuple[str, Path]] = []
        for target, data in files:
            try:
                written.append((stack.enter_context(_beside(target, data)), target))
            except OSError as error:
                raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from error
        for name, target in written:
            try:
                os.replace(name, target)
            except OSError as error:
                raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from error


def _replace(target: Path, data: bytes) -> None:
    with _beside(target, data) as name:
        os.replace(name, target)


@contextmanager
def _beside(target: Path, data: bytes) -> Iterator[str]:
    """A file in the target's folder with ``data`` and the target's permissions; gone with the block, if still there."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        yield name
    finally:
        with suppress(OSError):
            os.unlink(name)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _format_of(output: str, suffixes: Mapping[str, str]) -> str:
    if output == STDOUT:
        return "text"
    format = _told(output, suffixes)
    if format is None:
        known = "|".join(dict.fromkeys(suffixes.values()))
        raise UsageError(f"The ending of {output} tells no format: say --format {known}.")
    return format


def _told(output: str, suffixes: Mapping[str, str]) -> str | None:
    name = Path(output).name.lower()
    fitting = [ending for ending in suffixes if name.endswith(ending)]
    return suffixes[max(fitting, key=len)] if fitting else None


def _check(target: Target, others: Sequence[Target], suffixes: Mapping[str, str]) -> None:
    same = [other for other in others if other is not target and _is_same(other.path, target.path)]
    if same and target.path is None:
        names = ", ".join(other.format for other in others if other.path is None)
        raise UsageError(f"Only one report can go to standard output ({names}): give the others an --output each.")
    if same:
        raise UsageError(f"Two reports would be written to {target.path}.")
    if target.path is None:
        return
    told = _told(str(target.path), suffixes)
    if told in ("sarif", "html") and told != target.format:
        raise UsageError(f"{target.path} would hold {target.format}: the n-th --output belongs to the n-th --format.")
    if target.path.is_dir():
        raise UsageError(f"{target.path} is a folder: --output needs a file.")
    if not target.path.absolute().parent.is_dir():
        raise UsageError(f"{target.path} cannot be written: its folder does not exist.")


def _is_same(one: Path | None, other: Path | None) -> bool:
    if one is None or other is None:
        return one is other
    return os.path.realpath(one) == os.path.realpath(other)
