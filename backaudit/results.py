"""The checked result of a whole run, kept so that a run where nothing changed decodes only this."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from backaudit.facts.comments import Comment, Extent
from backaudit.facts.files import FileFacts
from backaudit.facts.problem import Problem
from backaudit.issue import BackEnd
from backaudit.rule import Finding, Rule
from backaudit.stamp import folder_stamp, library_stamp

KeptT = TypeVar("KeptT", bound=msgspec.Struct)
_LIBRARIES = ("backaudit", "bandit", "detect-secrets", "libcst", "msgspec", "ruamel.yaml", "sqlglot", "tomli")


class Commented(msgspec.Struct, frozen=True, array_like=True):
    """The comments of a file that speak to the tool."""

    path: str
    comments: tuple[Comment, ...]
    extents: tuple[Extent, ...]


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What the rules found and what could not be analysed; rules by id. ``digests``: the files that findings quote."""

    findings: tuple[tuple[str, Finding], ...]
    problems: tuple[Problem, ...]
    crashed: tuple[str, ...]
    commented: tuple[Commented, ...]
    digests: dict[str, str]
    files: int
    notes: tuple[str, ...] = ()
    back_end: BackEnd | None = None


def encode(result: msgspec.Struct) -> bytes:
    return msgspec.msgpack.encode(result)


def decode(data: bytes, kind: type[KeptT]) -> KeptT | None:
    """The record of some kind (a result, a survey, scorecards) that was kept.

    None if the bytes are none: of another build, or damaged.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError):
        return None


def result_key(
    files: Mapping[str, bytes], flags: Iterable[tuple[str, bool, bool]], rules: Sequence[Rule], settings: Any
) -> bytes:
    """A digest of all that a result depends on: files and how git sees them, rules, settings, and the running code."""
    digest = _asked(rules, settings)
    for path, tracked, ignored in flags:
        name = path.encode("utf-8", "surrogateescape")
        digest.update(msgspec.msgpack.encode((name, tracked, ignored, files.get(path))))
    return digest.digest()


def answers_key(facts: Iterable[FileFacts], rules: Sequence[Rule], settings: Any) -> bytes:
    """A digest of all that the rules' answers depend on: what the files say, rules, settings, and the running code.

    What is said to the tool in comments is heard after the rules, and of bytes they know what was made of them alone.
    """
    digest = _asked(rules, settings)
    digest.update(b"answers")
    for file in facts:
        heard = msgspec.structs.replace(file, digest="", comments=(), extents=(), problems=())
        digest.update(msgspec.msgpack.encode(heard))
    return digest.digest()


def _asked(rules: Sequence[Rule], settings: Any) -> hashlib.blake2b:
    """The beginning of a digest: what is asked, and by which code."""
    digest = hashlib.blake2b(digest_size=32)
    digest.update(library_stamp(_LIBRARIES))
    for folder in sorted({str(Path(__file__).parent), *map(_home, rules)}):
        digest.update(folder_stamp(folder))
    digest.update(msgspec.json.encode([rule.id for rule in rules]))
    digest.update(msgspec.json.encode(settings, order="deterministic"))
    return digest


def _home(rule: Rule) -> str:
    """The folder of the package that a rule came with."""
    import sys

    top = sys.modules.get(rule.module.partition(".")[0])
    file = getattr(top, "__file__", None) or __file__
    return str(Path(file).parent)
