"""An organisation's configuration, laid over what each repository says of itself.

What the policy sets holds. What it leaves open a repository may say only where that can hide nothing: with a policy,
its ``ignore``, ``exclude``, ``sanitizers`` and the like have no effect, unless ``[policy] allow`` names them. Comments
with a reason and the baseline of a repository hold always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from backaudit.config import SETTINGS, Config, parse
from backaudit.config.folders import Folders
from backaudit.rulenames import suggestion
from backaudit.toml import TomlError, parse_toml
from backaudit.usage import UsageError

SHOWN = "the policy"
_TABLE = "policy"
_ALLOW = "allow"
# Settings by which a repository can hide what would be found, and those by which it can only add to it.
WEAKENING = (
    *("select", "ignore", "per-path-ignores", "severities", "exclude", "options", "limits"),
    *("sanitizers", "hashers", "validators", "guards", "auth-guards"),
)
ADDING = ("sources", "sinks", "propagators")


class Policy(msgspec.Struct, frozen=True):
    """A configuration for all repositories; ``allow``: the settings by which one may still weaken it."""

    config: Config
    allow: frozenset[str] = frozenset()

    def over(self, own: Config) -> Config:
        """What holds for a repository whose own configuration is ``own``."""
        settings = {name: self._setting(name, own) for name in map(_field, SETTINGS)}
        origins = {**own.origins, **self.config.origins}
        kept = {name: origin for name, origin in origins.items() if name in settings}
        return msgspec.structs.replace(own, **settings, origins=kept)

    def over_folders(self, folders: Folders) -> Folders:
        """The same for a project whose folders have configurations of their own."""
        return folders.changed(self._own, self.over)

    def refused(self, own: Config) -> Iterator[str]:
        """The settings of a repository that have no effect."""
        for key in WEAKENING:
            if _field(key) in own.origins and key not in self.allow:
                yield f"{own.origins[_field(key)]}: {key} has no effect under the policy."

    def _own(self, own: Config) -> Config:
        """What a folder's file may say by itself."""
        fresh = Config()
        hidden = {_field(key): getattr(fresh, _field(key)) for key in WEAKENING if key not in self.allow}
        return msgspec.structs.replace(own, **hidden)

    def _setting(self, name: str, own: Config) -> Any:
        key = name.replace("_", "-")
        ours, theirs = getattr(self.config, name), getattr(own, name)
        if key == "strict":
            return ours or theirs
        if key in ADDING or (key in WEAKENING and key in self.allow):
            return _together(ours, theirs)
        if name in self.config.origins or key in WEAKENING:
            return ours
        return theirs


def read(text: str) -> Policy:
    """The policy in the text of a ``backaudit.toml``; UsageError if it is wrong."""
    try:
        table = parse_toml(text)
    except TomlError as error:
        raise UsageError(f"{SHOWN}: not valid TOML: {error}.") from error
    said = table.pop(_TABLE, {})
    if not isinstance(said, dict):
        raise UsageError(f"{SHOWN}: [{_TABLE}] must be a table.")
    return Policy(parse(table, SHOWN), frozenset(_allowed(said)))


def settings(text: str) -> Mapping[str, Any]:
    """The settings of one repository in a list: TOML, or JSON of the same."""
    try:
        table: Mapping[str, Any] = msgspec.json.decode(text) if text.lstrip().startswith("{") else parse_toml(text)
    except (TomlError, msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"The configuration in the list is not valid: {error}.") from error
    return table


def _allowed(said: Mapping[str, Any]) -> Sequence[str]:
    unknown = [key for key in said if key != _ALLOW]
    if unknown:
        raise UsageError(f'{SHOWN}: unknown setting "{_TABLE}.{unknown[0]}".{suggestion(unknown[0], [_ALLOW])}')
    allow = said.get(_ALLOW, [])
    if not isinstance(allow, list) or not all(isinstance(key, str) for key in allow):
        raise UsageError(f"{SHOWN}: {_TABLE}.{_ALLOW} must be a list of strings.")
    for key in allow:
        if key not in WEAKENING:
            raise UsageError(f'{SHOWN}: {_TABLE}.{_ALLOW}: unknown setting "{key}".{suggestion(key, WEAKENING)}')
    return allow


def _together(ours: Any, theirs: Any) -> Any:
    """Both, the policy's word first where they contradict each other."""
    if isinstance(ours, tuple):
        return tuple(dict.fromkeys((*ours, *theirs)))
    return {
        key: _together(ours[key], theirs[key])
        if key in ours and key in theirs and not _is_plain(ours[key])
        else ours.get(key, theirs.get(key))
        for key in dict.fromkeys((*ours, *theirs))
    }


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (tuple, Mapping))


def _field(key: str) -> str:
    return key.replace("-", "_")
