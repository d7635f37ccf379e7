"""TOML text to plain data: the only home of tomli."""

from __future__ import annotations

from typing import Any


class TomlError(ValueError):
    """The text is not TOML; the message says where."""


def parse_toml(text: str) -> dict[str, Any]:
    """The data of a TOML document. Raises :class:`TomlError`."""
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise TomlError(str(error)) from error
    except RecursionError as error:
        raise TomlError("nested too deeply") from error
    except ValueError as error:  # a number of more digits than the interpreter reads
        raise TomlError("a number in it is too long") from error
