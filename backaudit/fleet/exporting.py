"""Where the reports of a store go: a file each, or a folder with a file for each repository."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from backaudit.fleet.scanning import FORMATS as KEPT
from backaudit.fleet.store import Store
from backaudit.fleet.summary import summary
from backaudit.output import STDOUT, Target, write_file
from backaudit.output import targets as file_targets
from backaudit.report.fleet import SUFFIXES, renderer
from backaudit.usage import UsageError

DEFAULT = "markdown"


def targets(formats: Sequence[str], outputs: Sequence[str]) -> list[Target]:
    """Which report goes where: the n-th output is the n-th format's; those of single repositories want a folder."""
    if not formats and not outputs:
        return [Target(DEFAULT)]
    asked = list(formats) or [""] * len(outputs)
    if len(outputs) > len(asked):
        raise UsageError("There are more --output than --format: the n-th output belongs to the n-th format.")
    padded = [*outputs, *([STDOUT] * (len(asked) - len(outputs)))]
    return [_target(format, output) for format, output in zip(asked, padded, strict=True)]


def exported(store: Store, target: Target) -> str:
    """Write a report where it goes; returned is the text of one that goes to standard output."""
    if target.format in KEPT:
        assert target.path is not None
        _write_each(store, target.format, target.path)
        return ""
    text = renderer(target.format)(summary(store))
    if target.path is not None:
        write_file(target.path, text)
    return text


def _target(format: str, output: str) -> Target:
    if format not in KEPT:
        (found,) = file_targets([format] if format else [], [output], SUFFIXES)
        return found
    if output == STDOUT or (Path(output).exists() and not Path(output).is_dir()):
        raise UsageError(f"--format {format} writes a file for each repository: give it a folder by --output.")
    return Target(format, Path(output))


def _write_each(store: Store, format: str, folder: Path) -> None:
    """The reports as single scans write them, under names that stay in the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from error
    for name, body in _bodies(store, format):
        write_file(folder / f"{name}.{format}", zlib.decompress(body).decode("utf-8"))


def _bodies(store: Store, format: str) -> Iterator[tuple[str, bytes]]:
    taken: set[str] = set()
    rows = store.rows("SELECT id, name FROM repositories JOIN reports ON repository = id WHERE format = ?", format)
    for row in sorted(rows, key=lambda row: str(row["name"])):
        name = _file_name(row["name"])
        if name.lower() in taken:
            name = f"{name}-{row['id']}"
        taken.add(name.lower())
        query = "SELECT body FROM reports WHERE repository = ? AND format = ?"
        yield name, store.rows(query, row["id"], format)[0]["body"]


def _file_name(name: str) -> str:
    """A repository's name as that of a file: host/team/api is host-team-api."""
    return re.sub(r"[^\w.@+-]+", "-", name).lstrip(".-")[:180] or "repository"
