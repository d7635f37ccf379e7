"""What is known of libraries: kinds that are asked for are defined, and names stand in their own table."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from backaudit import models
from backaudit.project.knowledge import Kinds, Models
from backaudit.toml import parse_toml
from tests.house import ROOT, sources

TABLES = {path.stem: parse_toml(path.read_text("utf-8")) for path in sorted((ROOT / "backaudit/models").glob("*.toml"))}
# Packages that come with another, in whose table they stand.
SHARED = {"attr": "attrs", "cattr": "cattrs", "Cryptodome": "Crypto", "playhouse": "peewee"}
# What is no package: the engine's words for a function, a list and bytes, programs with an
# ending, and keys of a request's environment.
NO_PACKAGES = {"function", "list", "bytes", "cmd", "powershell", "wsgi"}
# Rows whose names are parameters of a call that is known by its last name.
PARAMETERS = {"renderer-parameters"}

# Of Python itself, though not of every version that the suite runs under (PEP 594 took some away).
_OF_OTHER_VERSIONS = frozenset(
    ("builtins", "tomllib", "asynchat", "asyncore", "cgi", "crypt", "imp", "pipes", "smtpd", "telnetlib")
)


def asked() -> Iterator[str]:
    """The kinds that the code asks for by their name."""
    for path in sources("backaudit", "rules"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "models.kinds" in text or ".is_call_of(" in text else ():
            key = _key(node)
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value


def _key(node: ast.AST) -> ast.expr | None:
    """What stands for the kind in ``models.kinds[...]``, ``kinds.get(...)`` and ``node.is_call_of(...)``."""
    if isinstance(node, ast.Subscript):
        return node.slice if re.search(r"(^|models\.)kinds$", ast.unparse(node.value)) else None
    asks = isinstance(node, ast.Call) and re.search(r"(^|models\.)kinds\.get$|\.is_call_of$", ast.unparse(node.func))
    return node.args[0] if asks and isinstance(node, ast.Call) else None


def test_every_kind_that_is_asked_for_is_defined() -> None:
    assert set(asked()) - set(models.load().kinds) == set()


def test_a_kind_that_no_table_defines_is_told() -> None:
    with pytest.raises(KeyError, match="no table of a library defines the kind 'no-such'"):
        models.load().kinds["no-such"]
    assert Models().kinds["anything"] == frozenset()
    assert Kinds({"logs": frozenset({"logging.info"})}).get("logs") == {"logging.info"}


def test_a_kind_that_nobody_declares_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_built_in", lambda: ({"kinds": {"no-such": ["a.b"]}, "about": {"other": "…"}},))
    with pytest.raises(ValueError, match="does not say what is of the kinds no-such"):
        models.load()


def test_every_kind_is_asked_for() -> None:
    texts = "\n".join(path.read_text("utf-8") for path in sources("backaudit", "rules"))
    prefixes = tuple(re.findall(r"f\"([a-z-]+:)\{", texts))
    suffixes = tuple(re.findall(r"f\"\{\w+\}(-[a-z-]+)\"", texts))
    kinds = set(TABLES["kinds"]["about"])
    unasked = {kind for kind in kinds if f'"{kind}"' not in texts and kind.partition(":")[0] + ":" not in prefixes}
    assert {kind for kind in unasked if not kind.startswith("acts:") and not kind.endswith(suffixes)} == set()


def about(table: Any) -> Iterator[str]:
    """What the rows of a table are about: their keys, and the names in its groups."""
    for section, content in table.items():
        for key, value in content.items():
            if section in ("sinks", "cleans", "guards", "kinds"):
                yield from value if key not in PARAMETERS else ()
            else:
                yield key


def home(name: str) -> str:
    """The table that a name belongs in: its package's, or ``python``; empty where it belongs to none."""
    package, dot, _ = name.partition(".")
    if not dot or not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)+", name) or package.isupper() or package in NO_PACKAGES:
        return ""
    # Python 3.10 has no tomllib yet.
    if package in sys.stdlib_module_names or package in _OF_OTHER_VERSIONS:
        return "python"
    return SHARED.get(package, package)


def test_a_name_stands_in_the_table_of_its_own_library() -> None:
    strangers = [
        f"{table}: {name}"
        for table, content in TABLES.items()
        for name in about(content)
        if home(name) not in ("", table)
    ]
    assert strangers == []


def test_a_name_of_the_standard_library_is_told_from_a_package() -> None:
    assert [home(name) for name in ("os.environ", "builtins.str", "flask.g", "attr.s", "*.get", "get")] == [
        "python", "python", "flask", "attrs", "", "",
    ]  # fmt: skip


_EXPORTING = (
    "aiohttp",
    "falcon",
    "fastapi",
    "flask",
    "itsdangerous",
    "jwt",
    "marshmallow",
    "pydantic",
    "requests",
    "sanic",
    "werkzeug",
)


@pytest.mark.parametrize("package", _EXPORTING)
def test_a_name_is_known_where_it_is_defined_and_where_its_package_exports_it(package: str) -> None:
    top = pytest.importorskip(package)
    known = {name for table in TABLES.values() for name in _names_in(table)} | models.load().knowledge.aliases.keys()
    unknown = set()
    for name in sorted(name for name in known if name.startswith(f"{package}.")):
        found = _exported(name)
        last = name.rpartition(".")[2]
        homes = {f"{home}.{last}" for home in (package, getattr(found, "__module__", None) or package)}
        public = {home for home in homes if "._" not in home and home.startswith(f"{package}.")}
        unknown |= {home for home in public - known if found is not None and _exported(home) is found}
    assert top is not None
    assert unknown == set()


def _names_in(entry: Any) -> Iterator[str]:
    """All dotted names in a table, keys and values."""
    if isinstance(entry, dict):
        yield from (name for pair in entry.items() for part in pair for name in _names_in(part))
    elif isinstance(entry, list):
        yield from (name for item in entry for name in _names_in(item))
    elif isinstance(entry, str) and re.fullmatch(r"\w+(\.\w+)+", entry):
        yield entry


def _exported(name: str) -> Any:
    """What a module exports under a dotted name, where it is a class or a function."""
    module, _, last = name.rpartition(".")
    try:
        found = vars(importlib.import_module(module)).get(last)
    except ImportError:
        return None
    return found if callable(found) else None
