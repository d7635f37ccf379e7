"""A setting of the program: its name, its value, and where it stands."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.place import Place
from backaudit.project import Node

Origin = Literal["django", "flask", "pydantic"]


class Setting(msgspec.Struct, frozen=True):
    """A name and the value it is given. ``production`` is False in what is only for development or tests."""

    name: str
    value: Node
    place: Place
    origin: Origin
    production: bool = True
