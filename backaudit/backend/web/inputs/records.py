"""The records of input schemas: what a value may be, the fields of a schema, the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from backaudit.facts.place import Place
from backaudit.vocabulary.protocols import LIMITS, NARROW_FORMATS

Kind = Literal["any", "null", "boolean", "integer", "number", "string", "array", "object", "file"]
Extra = Literal["ignore", "forbid", "allow"]
Scalar = bool | int | float | str | None


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a value may be.

    ``schema``: the name of the input schema that an object follows. ``items``: the shape of an array's elements, or of
    an object's values where any key is allowed. ``limits``: by their names in JSON Schema, in the order of
    :data:`LIMITS`. ``choices``: the only values allowed. ``either``: the alternatives of a union, all else is unset.
    """

    kind: Kind = "any"
    format: str = ""
    schema: str = ""
    items: Shape | None = None
    limits: tuple[tuple[str, int | float | str | bool], ...] = ()
    choices: tuple[Scalar, ...] = ()
    nullable: bool = False
    either: tuple[Shape, ...] = ()

    def limit(self, name: str) -> int | float | str | bool | None:
        """One limit, None if there is none of that name."""
        return dict(self.limits).get(name)

    def with_limits(self, found: dict[str, int | float | str | bool]) -> Shape:
        """The shape with further limits, which win over its own; what has no order in :data:`LIMITS` is left out."""
        if not found:
            return self
        if self.either:
            return msgspec.structs.replace(self, either=tuple(part.with_limits(found) for part in self.either))
        joined = {**dict(self.limits), **found}
        ordered = tuple((name, joined[name]) for name in LIMITS if name in joined)
        return msgspec.structs.replace(self, limits=ordered)

    @property
    def bounded(self) -> bool:
        """Whether something says how much it may hold: texts, numbers and collections without a limit are not."""
        if self.either:
            return all(part.bounded for part in self.either)
        if self.kind in ("boolean", "null", "file") or self.choices or self.format in NARROW_FORMATS:
            return True
        if self.kind == "array":
            return self.limit("maxItems") is not None and (self.items is None or self.items.bounded)
        names = {name for name, _ in self.limits}
        return bool(names & {"maxLength", "pattern", "maximum", "exclusiveMaximum"}) or bool(self.schema)

    @property
    def free(self) -> bool:
        """Whether a value may be text as a client likes to word it: no number, no date, none of a known set."""
        if self.either:
            return any(part.free for part in self.either)
        is_narrow = self.format in NARROW_FORMATS and self.format != "email"
        return not (is_narrow or self.choices or self.kind in ("boolean", "integer", "null", "number"))

    def schemas(self) -> Iterator[str]:
        """The names of all schemas in it."""
        if self.schema:
            yield self.schema
        for part in (*self.either, *((self.items,) if self.items is not None else ())):
            yield from part.schemas()


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field. ``name``: as the client writes it; ``attribute``: as the code does.

    ``default``: the literal it has when the client is silent, None if it has none or one that cannot be written down
    (``optional`` tells whether the client may leave it out). ``validated``: code of the project judges it, too.
    ``read_only``: only shown; ``write_only``: only taken. ``omitted``: left out by the client it has no value at all;
    ``elsewhere``: the checked values have it under another key.
    """

    name: str
    attribute: str
    shape: Shape
    place: Place
    optional: bool = False
    default: Scalar = None
    validated: bool = False
    read_only: bool = False
    write_only: bool = False
    omitted: bool = False
    elsewhere: bool = False


class InputSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema, form or parser. ``name``: dotted for classes, else unique by place; ``title``: as a reader says it.

    ``library``: whose it is (a name of ``[schemas]`` in the models). ``extra``: what happens to fields it does not
    know. ``model``: the table whose columns it takes over. ``whole``: all its fields are known.
    """

    name: str
    title: str
    library: str
    place: Place
    fields: tuple[Field, ...] = ()
    extra: Extra = "ignore"
    model: str = ""
    whole: bool = True

    def field(self, name: str) -> Field | None:
        """A field by either of its names."""
        return next((f for f in self.fields if name in (f.name, f.attribute)), None)
