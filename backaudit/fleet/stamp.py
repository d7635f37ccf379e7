"""Which tool and which rules: a digest of what they are made of, the same on every machine that has them installed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from backaudit.rule import Rule
from backaudit.stamp import library_stamp

_LIBRARIES = ("backaudit", "bandit", "detect-secrets", "libcst", "msgspec", "ruamel.yaml", "sqlglot", "tomli")
_DATA = frozenset((".py", ".toml", ".json", ".txt", ".j2"))


def stamp(rules: Iterable[Rule]) -> str:
    """The contents of the code and data of the tool and of every package that rules come from, and the libraries."""
    digest = hashlib.blake2b(library_stamp(_LIBRARIES), digest_size=16)
    packages = {"backaudit", *(rule.module.partition(".")[0] for rule in rules)}
    for package in sorted(packages):
        for name, data in _files(package):
            digest.update(f"{package}/{name}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return digest.hexdigest()


def _files(package: str) -> Iterator[tuple[str, bytes]]:
    file = getattr(sys.modules.get(package), "__file__", None)
    if file is None:
        return
    home = Path(file).parent
    for path in sorted(home.rglob("*")):
        if path.suffix in _DATA and path.is_file():
            yield path.relative_to(home).as_posix(), path.read_bytes()
