"""What a back end is, whatever the framework: the records that framework tables translate facts to."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.place import Place
from backaudit.project import Code, Node

Where = Literal["path", "query", "header", "cookie", "form", "body", "file", "request", "injected", "self", "other"]
GuardKind = Literal["authenticates", "role", "ownership", "rate-limit"]


class RouteParam(msgspec.Struct, frozen=True):
    """A parameter of a handler and where it comes from.

    ``types``: type names (see :mod:`backaudit.project.types`); empty means untyped text. ``schema`` tells whether the
    type is an input schema (its fields are validated). ``bounded``: limits on length or value are declared.
    """

    index: int
    name: str
    where: Where
    types: tuple[str, ...] = ()
    schema: bool = False
    bounded: bool = False


class Guard(msgspec.Struct, frozen=True):
    """Something that runs before (or in) a handler and turns some callers away; ``name`` is as the code spells it."""

    kind: GuardKind
    name: str
    place: Place


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint. ``methods`` upper case, empty for "any"; ``path`` with its prefixes, parameters as ``{name}``.

    ``place`` is where the route is declared (decorator or URL line); the handler has its own.
    ``response``: the declared response model's annotation, if any; ``status``: the declared success status.
    """

    methods: tuple[str, ...]
    path: str
    handler: Code
    framework: str
    place: Place
    params: tuple[RouteParam, ...] = ()
    guards: tuple[Guard, ...] = ()
    response: Node | None = None
    status: int | None = None
    tags: tuple[str, ...] = ()
