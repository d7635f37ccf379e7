"""bandit's own check functions, and a cheap way to know which of them a call could concern.

A gate may let a call through that its check then refuses; it must never hold back one that the check would report. The
checks themselves, their data and their messages are bandit's; its driver is not used.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache, partial
from types import FunctionType
from typing import Any, NamedTuple

BLACKLIST = "B001"

# The last part of the called name → the checks that ask for it.
LAST_PART: dict[str, tuple[str, ...]] = {
    "__import__": (BLACKLIST,),
    "run": ("B201",),
    "load": ("B506", "B614"),
    "set_missing_host_key_policy": ("B507",),
    "exec_command": ("B601",),
    "extra": ("B610",),
    "RawSQL": ("B611",),
    "from_pretrained": ("B615",),
    "load_dataset": ("B615",),
    "hf_hub_download": ("B615",),
    "snapshot_download": ("B615",),
    "repository_id": ("B615",),
    "Environment": ("B701",),
    "Template": ("B702",),
    "mark_safe": ("B703",),
    "SafeText": ("B703",),
    "SafeUnicode": ("B703",),
    "SafeString": ("B703",),
    "SafeBytes": ("B703",),
}

# Text inside the last part of the called name → the checks.
INSIDE_LAST_PART: dict[str, tuple[str, ...]] = {"chmod": ("B103",), "extractall": ("B202",)}

# The first part of the qualified name → the checks.
FIRST_PART: dict[str, tuple[str, ...]] = {"requests": ("B113", "B501"), "httpx": ("B113", "B501")}

# Any part of the qualified name → the checks.
ANY_PART: dict[str, tuple[str, ...]] = {"hashlib": ("B324",), "crypt": ("B324",)}

# How the qualified name begins → the checks.
BEGINNING: dict[str, tuple[str, ...]] = {
    "cryptography.hazmat.primitives.asymmetric.": ("B505",),
    "Crypto.PublicKey.": ("B505",),
    "Cryptodome.PublicKey.": ("B505",),
}

# The whole qualified name → the checks; bandit's blacklists and its lists of process starters join it when loaded.
WHOLE_NAME: dict[str, tuple[str, ...]] = {
    "exec": ("B102",),
    "importlib.import_module": (BLACKLIST,),
    "importlib.__import__": (BLACKLIST,),
    "ssl.wrap_socket": ("B504",),
    "pysnmp.hlapi.CommunityData": ("B508",),
    "pysnmp.hlapi.UsmUserData": ("B509",),
    "logging.config.listen": ("B612",),
    "torch.serialization.load": ("B614",),
    "markupsafe.Markup": ("B704",),
    "flask.Markup": ("B704",),
}

# Which of bandit's lists of process starters concerns which checks.
STARTERS: dict[str, tuple[str, ...]] = {
    "subprocess": ("B602", "B603", "B607", "B609"),
    "shell": ("B605", "B607", "B609"),
    "no_shell": ("B606", "B607"),
}

# A keyword argument of a call → the checks that report only calls which have it.
KEYWORDS: dict[str, tuple[str, ...]] = {"shell": ("B604",), "method": ("B502",), "ssl_version": ("B502",)}

# The checks of calls that look at what stands around the call.
NEED_PARENTS = frozenset({"B703"})

# What one check may raise on code that its author did not think of; bandit drops that check's answer, and so do we.
MISFIRES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


# Each kind of statement that bandit's SIMPLE_SQL_RE knows: how it begins, and what must follow anywhere later.
_STATEMENTS = tuple(
    (re.compile(begin, re.IGNORECASE), re.compile(rest, re.IGNORECASE))
    for begin, rest in (
        (r"select\s", r"from\s"),
        (r"delete\s+from\s", ""),
        (r"insert\s+into\s", r"values[\s(]"),
        (r"update\s", r"set\s"),
    )
)


class Check(NamedTuple):
    """One of bandit's test functions, its configuration bound: context to bandit's Issue or None."""

    test_id: str
    name: str
    run: Callable[[Any], Any]


class Checks:
    """The installed bandit's own checks, by id and by what calls them up (third parties' plugins are not run)."""

    def __init__(self, plugins: Mapping[str, Check], banned: Mapping[str, list[Mapping[str, Any]]]) -> None:
        self.by_id = plugins
        self.banned_imports = tuple(sorted({name for entry in banned["Import"] for name in entry["qualnames"]}))
        self.whole_names = _whole_names(banned["Call"], _settings("injection_shell", "shell_injection"))
        temporary = _settings("general_hardcoded_tmp", "hardcoded_tmp_directory")["tmp_dirs"]
        self.telling_beginnings = ("0.0.0.0", *temporary)
        self._password = importlib.import_module("bandit.plugins.general_hardcoded_password").RE_CANDIDATES
        # Names repeat within a project; the caches are bounded in number, and so are the strings kept.
        self.for_call = lru_cache(maxsize=65_536)(self._for_call)
        self._short_name = lru_cache(maxsize=16_384)(self._search)

    def names_password(self, name: str) -> bool:
        """Whether bandit takes ``name`` for the name of a password or token."""
        return self._short_name(name) if len(name) <= 80 else self._search(name)

    def _search(self, name: str) -> bool:
        return self._password.search(name) is not None

    def _for_call(self, qualname: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_gated(qualname, self.whole_names)))


def _gated(qualname: str, whole_names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    parts = qualname.split(".")
    yield from whole_names.get(qualname, ())
    yield from LAST_PART.get(parts[-1], ())
    yield from FIRST_PART.get(parts[0], ())
    for part in parts:
        yield from ANY_PART.get(part, ())
    for text, test_ids in INSIDE_LAST_PART.items():
        if text in parts[-1]:
            yield from test_ids
    for text, test_ids in BEGINNING.items():
        if qualname.startswith(text):
            yield from test_ids


def _whole_names(
    banned_calls: list[Mapping[str, Any]], starters: Mapping[str, list[str]]
) -> dict[str, tuple[str, ...]]:
    names = dict(WHOLE_NAME)
    for entry in banned_calls:
        for name in entry["qualnames"]:
            names[name] = (*names.get(name, ()), BLACKLIST)
    for group, test_ids in STARTERS.items():
        for name in starters[group]:
            names[name] = (*names.get(name, ()), *test_ids)
    return names


def _settings(module: str, name: str) -> Any:
    return importlib.import_module(f"bandit.plugins.{module}").gen_config(name)


@cache
def load_checks() -> Checks:
    """Import bandit (a quarter of a second, once per process) and take its checks."""
    kept = warnings.formatwarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own libraries
        from bandit.core import blacklisting
        from bandit.core.extension_loader import MANAGER
    warnings.formatwarning = kept  # bandit replaces it when imported
    banned = _banned()
    plugins = {plugin.plugin._test_id: _bound(plugin.plugin) for plugin in MANAGER.plugins if _own(plugin.plugin)}
    plugins[BLACKLIST] = Check(BLACKLIST, "blacklist", partial(blacklisting.blacklist, config=banned))
    return Checks(plugins, banned)


def looks_like_sql(text: str) -> bool:
    """What bandit's regular expression says of ``text``, in linear time (its own takes minutes for some 100 kB)."""
    return any((found := begin.search(text)) and rest.search(text, found.end()) for begin, rest in _STATEMENTS)


def _banned() -> dict[str, list[Mapping[str, Any]]]:
    banned: dict[str, list[Mapping[str, Any]]] = {}
    for module in ("calls", "imports"):
        for node_class, entries in importlib.import_module(f"bandit.blacklists.{module}").gen_blacklist().items():
            banned.setdefault(node_class, []).extend(entries)
    return banned


def _own(function: FunctionType) -> bool:
    return function.__module__.startswith("bandit.plugins.")


def _bound(function: Any) -> Check:
    run = function
    if "_check_string" in function.__code__.co_names:
        run = FunctionType(function.__code__, {**function.__globals__, "_check_string": looks_like_sql})
    if hasattr(function, "_takes_config"):
        settings = importlib.import_module(function.__module__).gen_config(function._takes_config)
        run = partial(function, config=settings)
    return Check(function._test_id, function.__name__, run)
