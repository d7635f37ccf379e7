"""The configuration as a JSON schema, for editors: derived from the settings and the rules' options themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backaudit.config import SETTINGS, Config
from backaudit.config.values import RULE_NAME, Schema
from backaudit.rule import Option, Rule
from backaudit.rulenames import RuleNames

DIALECT = "http://json-schema.org/draft-07/schema#"
_TYPES: Mapping[type, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    tuple: {"type": "array", "items": {"type": "string"}},
}


def schema(names: RuleNames) -> Schema:
    """What a ``backaudit.toml``, or ``[tool.backaudit]``, may hold.

    The names of rules are told to be completed, not to be enforced: another installation may have more of them.
    """
    return {
        "$schema": DIALECT,
        "title": "backaudit",
        "description": "backaudit.toml, or [tool.backaudit] of pyproject.toml.",
        "type": "object",
        "properties": {key: _property(key, names.rules) for key in SETTINGS},
        "additionalProperties": False,
        "$defs": {RULE_NAME: {"anyOf": [{"enum": names.called()}, {"type": "string", "minLength": 1}]}},
    }


def _property(key: str, rules: Iterable[Rule]) -> Schema:
    setting = SETTINGS[key]
    found: Schema = {"description": setting.help, **setting.value.schema()}
    default = _defaults()[key.replace("-", "_")]
    if default is not None:
        found["default"] = default
    if key == "options":
        found["properties"] = {rule.id: _options(rule) for rule in rules if rule.options}
    return found


def _options(rule: Rule) -> Schema:
    properties = {option.name: _option(option) for option in rule.options}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _option(option: Option) -> Schema:
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    return {"description": option.help, **_TYPES[type(option.default)], "default": default}


def _defaults() -> dict[str, Any]:
    """The defaults of the fields as JSON holds them; None where leaving the key out says more."""
    found = msgspec.to_builtins(Config())
    return {name: value if isinstance(value, (bool, str)) and value != "" else None for name, value in found.items()}
