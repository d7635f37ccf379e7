"""Which repositories a run is about: folders, URLs, paths, and files that list them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from backaudit.fleet.records import Source
from backaudit.gitremote import Remote, masked
from backaudit.regular import read_regular
from backaudit.usage import UsageError

# A list of a million repositories.
_LARGEST_LIST = 1 << 28


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a list in JSON. ``config``: the path of a configuration, or the settings themselves."""

    url: str
    ref: str = ""
    name: str = ""
    labels: list[str] | dict[str, str] = []
    config: str | dict[str, Any] = ""
    size: int = 0


def read(given: Sequence[str]) -> list[Source]:
    """The repositories that arguments name, each once, in their order; UsageError for what is none."""
    found: dict[str, Source] = {}
    for argument in given:
        for source in _named(argument, Path()):
            same = found.setdefault(source.name, source)
            if same != source:
                raise UsageError(
                    f'Two repositories are called "{source.name}": {masked(same.url)} and {masked(source.url)}. '
                    'Give one of them a "name" in a list of JSON lines.'
                )
    return list(found.values())


def is_repository(folder: Path) -> bool:
    """Whether a folder is a work tree's top, or a bare repository."""
    if (folder / ".git").exists():
        return True
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def title(url: str) -> str:
    """What a single scan of a clone would call the project: the last part of its address."""
    return re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git") or "repository"


def _named(argument: str, base: Path) -> Iterator[Source]:
    """What one argument, or one line of a plain list, names. ``base``: what its paths are relative to."""
    if _is_address(argument):
        yield _source(argument)
        return
    path = base / argument
    if path.is_dir():
        yield from _folder(path)
    elif path.is_file():
        yield from _listed(path)
    else:
        raise UsageError(f"{masked(argument)} is no folder, no URL that git knows, and no file that lists some.")


def _is_address(text: str) -> bool:
    if "://" in text:
        return True
    return re.match(r"[\w.-]+@[\w.-]+:[^:]", text) is not None and not os.path.exists(text)


def _folder(path: Path) -> Iterator[Source]:
    """A repository, a folder of repositories, or a project that is in none."""
    folder = Path(os.path.realpath(path))
    inner = [] if is_repository(folder) else [one for one in _folders(folder) if is_repository(one)]
    for one in inner or [folder]:
        yield _source(str(one))


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))


def _listed(path: Path) -> Iterator[Source]:
    try:
        text = read_regular(Path(os.path.realpath(path)), _LARGEST_LIST).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: it is no list of repositories.") from error
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if said and not said.startswith("#"):
            yield from _line(said, path, number)


def _line(said: str, path: Path, number: int) -> Iterator[Source]:
    base = path.parent
    where = f"{path}:{number}"
    if not said.startswith("{"):
        try:
            yield from _named(said, base)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
        return
    try:
        line = msgspec.json.decode(said, type=Line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"{where}: {masked(str(error))}") from None
    address = line.url if _is_address(line.url) else os.path.realpath(base / line.url)
    found = _source(address, line.name)
    labels = line.labels if isinstance(line.labels, list) else [f"{key}={value}" for key, value in line.labels.items()]
    yield msgspec.structs.replace(
        found, ref=line.ref, labels=tuple(sorted(labels)), config=_config(line.config, base, where), size=line.size
    )


def _config(given: str | dict[str, Any], base: Path, where: str) -> str:
    """The configuration of one repository, as JSON of its settings or as the text of a file."""
    if isinstance(given, dict):
        return msgspec.json.encode(given).decode() if given else ""
    if not given:
        return ""
    try:
        return read_regular(base / given, within=base).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: the configuration {given} cannot be read: {error}.") from error


def _source(url: str, name: str = "") -> Source:
    if _is_address(url):
        Remote(url)  # says what is wrong with it
        return Source(name=name or _address_name(url), url=url)
    folder = Path(url)
    if not folder.is_dir():
        raise UsageError(f"{url} does not exist.")
    return Source(name=name or folder.name.removesuffix(".git"), url=url, size=_size(folder))


def _address_name(url: str) -> str:
    """Host and path, as people say them; never who logs in."""
    if "://" in url:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    else:
        host, _, path = url.rpartition("@")[2].partition(":")
    return "/".join(filter(None, [host, *path.removesuffix("/").removesuffix(".git").split("/")]))


def _size(folder: Path) -> int:
    """About how large a repository on this machine is: that of its packs, else 0."""
    for base in (folder / ".git", folder):
        packs: Iterable[Path] = (base / "objects" / "pack").glob("*.pack")
        size = sum(pack.stat().st_size for pack in packs)
        if size:
            return size
    return 0
