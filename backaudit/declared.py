"""What the built-in rules declare of themselves, kept: a run that asks none of them loads no code of theirs.

What is kept is plain data. A rule's question is loaded from its module when it is asked, and no other package's module
is ever loaded by what stands in a cache.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from backaudit.rule import Declaration, Finding, Rule
from backaudit.stamp import folder_stamp, library_stamp

if TYPE_CHECKING:
    from backaudit.cache import Cache
    from backaudit.project import Project

_LIBRARIES = ("backaudit", "msgspec")


class Later(msgspec.Struct, frozen=True):
    """A rule's question that is not loaded yet: ``module`` defines the rule ``id``."""

    module: str
    id: str

    def __call__(self, project: Project) -> Iterator[Finding]:
        yield from self.loaded().check(project)

    def loaded(self) -> Rule:
        """The rule itself; ImportError where its module has none of that id."""
        for value in vars(importlib.import_module(self.module)).values():
            if isinstance(value, Rule) and value.id == self.id:
                return value
        raise ImportError(f"{self.module} defines no rule {self.id}")


def declared(cache: Cache, package: str) -> tuple[Rule, ...] | None:
    """The rules of a package as they were kept of it; None if they are not, or it is another now."""
    data = cache.get(_key(package))
    if data is None:
        return None
    try:
        kept = msgspec.msgpack.decode(data, type=tuple[Declaration, ...])
    except (msgspec.MsgspecError, ValueError):
        return None
    if not all(each.module.startswith(f"{package}.") for each in kept):
        return None
    return tuple(Rule(**_fields(each), check=Later(each.module, each.id)) for each in kept)


def keep(cache: Cache, package: str, rules: Iterable[Rule]) -> None:
    """Keep what the rules of a package declare, until it is another."""
    cache.put(_key(package), msgspec.msgpack.encode([Declaration(**_fields(rule)) for rule in rules]))


def load(rules: Iterable[Rule]) -> None:
    """Load the questions of rules at once: those who ask them side by side need not each do so."""
    for rule in rules:
        if isinstance(rule.check, Later):
            # Whoever asks a rule that cannot be loaded tells of it.
            with suppress(Exception):
                rule.check.loaded()


def _fields(rule: Declaration) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in Declaration.__struct_fields__}


def _key(package: str) -> bytes:
    """All that decides what the rules of a package declare: its code, the engine's, and the libraries' versions."""
    folders: Sequence[str] = [*importlib.import_module(package).__path__, str(Path(__file__).parent)]
    stamps = (folder_stamp(folder) for folder in folders)
    return hashlib.blake2b(b"\0".join((b"declared", library_stamp(_LIBRARIES), *stamps)), digest_size=32).digest()
