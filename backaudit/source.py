"""One file's bytes as text: reading, decoding, and the name of its kind.

Nothing here raises on what a file holds: bad bytes, a size over the limit and a file that went away are Problems.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from backaudit.facts.problem import Problem
from backaudit.regular import Unfit, read_regular

Kind = Literal[
    "python",
    "toml",
    "yaml",
    "env",
    "requirements",
    "dockerfile",
    "compose",
    "workflow",
    "sql",
    "template",
    "ini",
    "json",
    "shell",
    "notebook",
    "text",
    "properties",
    "key",
    "terraform",
    "store",
    "xml",
    "csv",
    "other",
]

# Sizes in bytes. What is larger is data or generated, and is listed as a Problem instead of being read.
DEFAULT_LIMIT = 1_000_000
DEFAULT_LIMITS: Mapping[str, int] = {
    "python": 2_000_000,
    "sql": 4_000_000,
    "notebook": 4_000_000,
    "store": 64_000_000,
}

_BY_NAME: Mapping[str, Kind] = {
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "pipfile": "toml",
    "procfile": "shell",
    "jenkinsfile": "properties",
    ".flaskenv": "env",
    ".envrc": "shell",
    "setup.cfg": "ini",
    ".pypirc": "ini",
    ".gitignore": "text",
    ".netrc": "text",
    ".pgpass": "text",
    "package-lock.json": "other",
    "id_rsa": "key",
    "id_dsa": "key",
    "id_ecdsa": "key",
    "id_ed25519": "key",
}

_BY_SUFFIX: Mapping[str, Kind] = {
    ".py": "python",
    ".pyw": "python",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".env": "env",
    ".dockerfile": "dockerfile",
    ".sql": "sql",
    ".ddl": "sql",
    ".html": "template",
    ".htm": "template",
    ".xhtml": "template",
    ".jinja": "template",
    ".jinja2": "template",
    ".j2": "template",
    ".djhtml": "template",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".cnf": "ini",
    ".service": "ini",
    ".json": "json",
    ".sh": "shell",
    ".bash": "shell",
    ".zsh": "shell",
    ".ipynb": "notebook",
    ".md": "text",
    ".rst": "text",
    ".txt": "text",
    ".properties": "properties",
    ".pem": "key",
    ".key": "key",
    ".ppk": "key",
    # Key stores and databases: their names alone matter, nothing of them is read as text.
    ".p12": "store",
    ".pfx": "store",
    ".jks": "store",
    ".keystore": "store",
    ".kdbx": "store",
    ".sqlite3": "store",
    ".sqlite": "store",
    ".xml": "xml",
    ".tf": "terraform",
    ".tfvars": "terraform",
}

_COMPOSE = re.compile(r"(docker-)?compose([.-][\w.-]+)?\.ya?ml")
# A service's own variables beside its compose file: ``.db_env``, ``.pg-env``.
# (and ``web.env.dev``, ``env.prod``, ``env``).
_ENV_NAME = re.compile(
    r"\.[\w-]+[_-]env|([\w-]+\.)?env[._-](dev\w*|prod\w*|local|staging|stage|live|docker|test\w*|example|sample|template"
    r"|dist|defaults?)|env"
)
# Tables of people; others hold data and no credentials.
_PEOPLE = re.compile(
    r"([\w-]*[_-])?(users?|accounts?|members?|customers?|people|persons?|logins?|credentials?|passwords?|staff|admins?"
    r"|employees?|students?|teachers?)([_-][\w-]*)?\.(csv|tsv)"
)
_REQUIREMENTS = re.compile(r"([\w.-]*[-_.])?(requirements|constraints)([-_.][\w.-]*)?\.(txt|in)")
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?")
_LINE_END = re.compile(rb"\r\n|\n|\r")

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Source(msgspec.Struct, frozen=True):
    """One file as text. ``path`` is relative to the root, POSIX; ``digest`` is of the bytes (20 of them).

    A byte order mark is not part of ``text``; ``encoding`` is Python's name for how the bytes were read.
    """

    path: str
    kind: Kind
    text: str
    digest: bytes
    encoding: str


class Limits(msgspec.Struct, frozen=True):
    """The largest size in bytes that is read, by kind; a kind that is not named has the default."""

    by_kind: Mapping[str, int] = msgspec.field(default_factory=lambda: dict(DEFAULT_LIMITS))
    default: int = DEFAULT_LIMIT

    def of(self, kind: Kind) -> int:
        return self.by_kind.get(kind, self.default)


def kind_of(path: str) -> Kind:
    """The kind of a file, told from its POSIX path alone."""
    if path.endswith(".py"):
        return "python"
    folder, _, name = path.lower().rpartition("/")
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name == ".env" or name.startswith((".env.", ".env-", ".env_", "dotenv")) or _ENV_NAME.fullmatch(name):
        return "env"
    if name.startswith(("dockerfile.", "containerfile.")):
        return "dockerfile"
    if _REQUIREMENTS.fullmatch(name) or (name.endswith((".txt", ".in")) and folder.endswith("requirements")):
        return "requirements"
    if _COMPOSE.fullmatch(name):
        return "compose"
    if _PEOPLE.fullmatch(name):
        return "csv"
    kind = _BY_SUFFIX.get(os.path.splitext(name)[1], "other")
    return "workflow" if kind == "yaml" and _is_workflow(folder, name) else kind


def _is_workflow(folder: str, name: str) -> bool:
    return folder.endswith(".github/workflows") or name in ("action.yml", ".gitlab-ci.yml")


def lines(text: str) -> list[str]:
    """The lines of ``text`` without their ends, which are ``\\n``, ``\\r\\n`` and ``\\r`` and nothing else."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def digest_of(data: bytes) -> bytes:
    """The digest by which a file's bytes are known everywhere in the tool."""
    return hashlib.blake2b(data, digest_size=20).digest()


def fingerprint(path: Path, limit: int) -> bytes:
    """What a file is, as a digest that changes with it; of one above the limit the size is all that is told."""
    size = os.stat(path).st_size
    return digest_of(read_regular(path, limit, within=path.parent) if size <= limit else b"larger:%d" % size)


def read(root: Path, path: str, limits: Limits | None = None) -> Source | Problem:
    """The file at ``root / path``, or the Problem that kept it from being read."""
    kind = kind_of(path)
    limit = (limits or Limits()).of(kind)
    try:
        data = _bytes(root / path, limit)
    except _TooLarge as error:
        return Problem(path, "too-large", f"{error.size:,} bytes, the limit is {limit:,}.")
    except _Changed:
        return _unreadable(path, "The file changed while it was read.")
    except FileNotFoundError:
        return _unreadable(path, "The file went away before it could be read.")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return _unreadable(path, f"The file cannot be read: {reason or type(error).__name__}.")
    return decode(path, data, kind)


def decode(path: str, data: bytes, kind: Kind | None = None) -> Source | Problem:
    """The text of ``data`` as the file at ``path`` means it, or the Problem that its bytes are not that encoding."""
    kind = kind or kind_of(path)
    if kind == "store":
        return Source(path, kind, "", digest_of(data), "latin-1")
    encoding = _encoding(data, kind)
    try:
        text = data.decode(encoding)
        if not encoding.startswith("utf-8"):
            text.encode("utf-8")
    except LookupError:
        return _unreadable(path, f"The coding line names an unknown encoding, {encoding!a}.")
    except ValueError:
        return _unreadable(path, f"The bytes are not {_spoken(encoding)}.")
    return Source(path, kind, text, digest_of(data), encoding)


class _TooLarge(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class _Changed(Exception):
    pass


def _bytes(path: Path, limit: int) -> bytes:
    before = os.stat(path)
    if before.st_size > limit:
        raise _TooLarge(before.st_size)
    # One byte more than promised shows a file that grows under our hands without reading all of it.
    try:
        data = read_regular(path, before.st_size, within=path.parent)
    except Unfit as error:
        raise _Changed from error
    after = os.stat(path)
    if len(data) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise _Changed
    return data


def _encoding(data: bytes, kind: Kind) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    return _cookie(data) if kind == "python" else "utf-8"


def _cookie(data: bytes) -> str:
    """The encoding of a Python file by its first two lines (PEP 263)."""
    start = 0
    for _ in range(2):
        end = _LINE_END.search(data, start)
        line = data[start : end.start() if end else len(data)]
        found = _COOKIE.match(line)
        if found:
            name = found.group(1).decode("ascii", "replace").lower()
            return "utf-8" if name.replace("_", "-") in ("utf-8", "utf8") else name
        if end is None or not _BLANK.fullmatch(line):
            break
        start = end.end()
    return "utf-8"


def _spoken(encoding: str) -> str:
    return "UTF-8" if encoding in ("utf-8", "utf-8-sig") else f"{encoding}, which the file says they are"


def _unreadable(path: str, message: str) -> Problem:
    return Problem(path, "unreadable", message)
