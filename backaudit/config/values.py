"""What a setting may be: each kind of value says how it is read, and how a JSON schema describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from backaudit.rulenames import suggestion

Schema = dict[str, Any]
OptionValue = bool | int | str | tuple[str, ...]
# What a schema calls the names of rules and families.
RULE_NAME = "rule"


class WrongValue(Exception):
    """What is wrong with a value; the text follows the setting's name."""


class Value(Protocol):
    """A kind of value."""

    def read(self, value: object) -> Any:
        """The value as the configuration holds it; :class:`WrongValue` where it is none of this kind."""

    def schema(self) -> Schema:
        """The same as JSON schema."""


class Flag(msgspec.Struct, frozen=True):
    """Yes or no."""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise WrongValue(" must be true or false.")
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Text(msgspec.Struct, frozen=True):
    """A text that is not empty."""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise WrongValue(" must be a text.")
        return value

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


class Texts(msgspec.Struct, frozen=True):
    """A list of texts; ``of`` names what they are, where a schema describes that."""

    of: str = ""

    def read(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise WrongValue(" must be a list of strings.")
        return tuple(value)

    def schema(self) -> Schema:
        return {"type": "array", "items": {"$ref": f"#/$defs/{self.of}"} if self.of else Text().schema()}


class OneOf(msgspec.Struct, frozen=True):
    """One of a few words."""

    allowed: tuple[str, ...]

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.allowed:
            near = suggestion(value, self.allowed) if isinstance(value, str) else ""
            raise WrongValue(f" must be one of {', '.join(self.allowed)}.{near}")
        return value

    def schema(self) -> Schema:
        return {"enum": list(self.allowed)}


class Size(msgspec.Struct, frozen=True):
    """A number of bytes."""

    def read(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise WrongValue(" must be a number of bytes above 0.")
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": 1}


class OfOption(msgspec.Struct, frozen=True):
    """The value of a rule's option, whose rule says more."""

    def read(self, value: object) -> OptionValue:
        if isinstance(value, (bool, int, str)):
            return value
        return Texts().read(value)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": ["boolean", "integer", "string"]}, Texts().schema()]}


class Table(msgspec.Struct, frozen=True):
    """A table of values; its keys are of ``keys`` if that names any, or what ``by`` names in a schema."""

    of: Value
    keys: Sequence[str] = ()
    by: str = ""

    def read(self, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise WrongValue(" must be a table.")
        return {key: self._read(key, item) for key, item in value.items()}

    def _read(self, key: str, item: object) -> Any:
        if self.keys and key not in self.keys:
            near = suggestion(key, self.keys)
            raise WrongValue(f': unknown key "{key}".{near} Known are {", ".join(self.keys)}.')
        try:
            return self.of.read(item)
        except WrongValue as error:
            raise WrongValue(f'."{key}"{error}') from None

    def schema(self) -> Schema:
        item = self.of.schema()
        if self.keys:
            return {"type": "object", "properties": dict.fromkeys(self.keys, item), "additionalProperties": False}
        names = {"propertyNames": {"$ref": f"#/$defs/{self.by}"}} if self.by else {}
        return {"type": "object", **names, "additionalProperties": item}


class Setting(msgspec.Struct, frozen=True):
    """A key of the configuration."""

    value: Value
    help: str


def read(settings: Mapping[str, Setting], table: Mapping[str, object]) -> dict[str, Any]:
    """The fields that a table sets; :class:`WrongValue` for the first that is wrong."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        setting = settings.get(key)
        if setting is None:
            raise WrongValue(f'unknown setting "{key}".{suggestion(key, settings)}')
        try:
            found[key.replace("-", "_")] = setting.value.read(value)
        except WrongValue as error:
            raise WrongValue(f"{key}{error}") from None
    return found
