"""Which tool and which rules: a digest of what they are made of, the same on every machine that has them installed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from backaudit.rule import Rule
from backaudit.stamp import folder_stamp, know_by_contents, library_stamp

_LIBRARIES = ("backaudit", "bandit", "detect-secrets", "libcst", "msgspec", "ruamel.yaml", "sqlglot", "tomli")


def stamp(rules: Iterable[Rule]) -> str:
    """The contents of the tool and of every package that rules come from, and the versions of the libraries.

    From then on all that is kept is known by contents: workers that share facts may have the tool anywhere.
    """
    know_by_contents()
    digest = hashlib.blake2b(library_stamp(_LIBRARIES), digest_size=16)
    for package in sorted({"backaudit", *(rule.module.partition(".")[0] for rule in rules)}):
        file = getattr(sys.modules.get(package), "__file__", None)
        if file is not None:
            digest.update(package.encode() + folder_stamp(str(Path(file).parent)))
    return digest.hexdigest()
