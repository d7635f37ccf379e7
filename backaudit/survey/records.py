"""What `map` shows, as plain data: it holds no code, so it can be cached, and rendered without the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backaudit.backend.web.inputs.records import Extra, Scalar, Shape
from backaudit.facts.problem import Told


class Spot(msgspec.Struct, frozen=True, order=True):
    """Where something stands: a path relative to the root, and a line that counts from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


# What a login asks of a caller whom it does not know yet.
PASSWORD_CHECK = "the password that is sent"


class Guarding(msgspec.Struct, frozen=True):
    """Something that turns callers away; ``name`` as code spells it, ``scheme`` a key of :attr:`Survey.security`."""

    name: str
    kinds: tuple[str, ...]
    at: Spot
    scheme: str = ""

    @property
    def proves(self) -> bool:
        """Whether it knows the caller: a rate limit and the check of a password that was sent do not."""
        return any(kind != "rate-limit" for kind in self.kinds)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a client sends. ``name`` on the wire, empty for a whole body (form, query string …).

    ``checked``: its type or a schema judges it; without, it is taken as it comes.
    """

    name: str
    where: str
    shape: Shape
    required: bool = False
    default: Scalar = None
    checked: bool = False


class StatusRow(msgspec.Struct, frozen=True):
    """A status that a route answers, why, and where that stands; ``method``: to that alone, where it has several."""

    status: int
    reason: str
    at: Spot
    method: str = ""


class RouteRow(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint. ``methods`` empty: any; ``path`` with placeholders as ``{name}``; ``at``: its declaration.

    ``group``: the router, blueprint or app it belongs to. ``answer``: what it answers on success, as far as declared.
    ``statuses`` ascending, ``told``: as far as it is known why. ``reads`` and ``writes``: names of tables.
    ``summary``: the handler's own first sentence.
    ``application``: the folders that its program is started from, where there are several programs.
    """

    methods: tuple[str, ...]
    path: str
    handler: str
    framework: str
    group: str
    at: Spot
    guards: tuple[Guarding, ...] = ()
    sent: tuple[Sent, ...] = ()
    answer: Shape | None = None
    status: int | None = None
    statuses: tuple[int, ...] = ()
    told: tuple[StatusRow, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    summary: str = ""
    application: str = ""

    @property
    def authenticates(self) -> bool:
        """Whether it knows its caller."""
        return any(guard.proves for guard in self.guards)

    @property
    def raw(self) -> tuple[Sent, ...]:
        """What of a body or form is taken as it comes."""
        return tuple(one for one in self.sent if one.where in ("body", "form") and not one.checked)


class FieldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a schema, see :class:`backaudit.backend.web.inputs.Field`."""

    name: str
    shape: Shape
    required: bool = False
    default: Scalar = None
    validated: bool = False
    read_only: bool = False
    write_only: bool = False


class SchemaRow(msgspec.Struct, frozen=True, kw_only=True):
    """A schema that routes take or answer with. ``name`` is unique; ``title`` is what the code calls it."""

    name: str
    title: str
    library: str
    at: Spot
    extra: Extra
    fields: tuple[FieldRow, ...] = ()
    model: str = ""


class ColumnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A column. ``type`` as the model or statement writes it; ``references``: ``table.column``, empty for no key."""

    name: str
    type: str = ""
    length: int | None = None
    nullable: bool = True
    primary: bool = False
    unique: bool = False
    default: bool = False
    references: str = ""


class IndexRow(msgspec.Struct, frozen=True, kw_only=True):
    """An index, or the one of a unique constraint; keys as SQL would write them. ``name`` is empty if not given."""

    keys: tuple[str, ...]
    name: str = ""
    unique: bool = False
    where: str = ""
    method: str = "btree"


class DifferenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What only the models or only the migrations say, see :class:`backaudit.backend.data.schema.disagreements`."""

    kind: str
    name: str
    only: str
    at: Spot | None = None


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A table with the class behind it, if there is one. The primary key is no index here: ``primary`` has it.

    ``differences``: where models and migrations disagree.
    """

    name: str
    source: str
    model: str = ""
    at: Spot | None = None
    columns: tuple[ColumnRow, ...] = ()
    primary: tuple[str, ...] = ()
    indexes: tuple[IndexRow, ...] = ()
    differences: tuple[DifferenceRow, ...] = ()
    application: str = ""


class DocumentFieldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a collection's documents, see :class:`backaudit.backend.data.documents.DocumentField`."""

    name: str
    type: str = ""
    required: bool = False
    references: str = ""


class CollectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A collection of a document store, with the class behind it, if there is one."""

    name: str
    source: str
    model: str = ""
    at: Spot | None = None
    fields: tuple[DocumentFieldRow, ...] = ()
    indexes: tuple[IndexRow, ...] = ()
    application: str = ""


class SecurityScheme(msgspec.Struct, frozen=True, kw_only=True):
    """How callers prove who they are. ``kind``: bearer, basic, oauth2 or key; a key is ``name`` in ``where``."""

    kind: str
    name: str = ""
    where: str = ""
    url: str = ""


class Survey(Told, frozen=True, kw_only=True):
    """The whole back end: routes by path, tables, collections and schemas by name."""

    files: int = 0
    routes: tuple[RouteRow, ...] = ()
    schemas: tuple[SchemaRow, ...] = ()
    tables: tuple[TableRow, ...] = ()
    collections: tuple[CollectionRow, ...] = ()
    security: Mapping[str, SecurityScheme] = msgspec.field(default_factory=dict)

    def schema(self, name: str) -> SchemaRow | None:
        return next((row for row in self.schemas if row.name == name), None)


def within(survey: Survey, paths: Sequence[str] | None) -> Survey:
    """What is declared below some paths (POSIX, relative to the root); all for None.

    Tables that kept routes touch stay, too.
    """
    if paths is None:
        return survey

    def inside(at: Spot | None) -> bool:
        return at is not None and any(f"{at.path}/".startswith(f"{path.strip('/')}/") for path in paths)

    routes = tuple(row for row in survey.routes if inside(row.at))
    touched = {name for row in routes for name in (*row.reads, *row.writes)}
    tables = tuple(row for row in survey.tables if inside(row.at) or row.name in touched)
    collections = tuple(row for row in survey.collections if inside(row.at))
    return msgspec.structs.replace(survey, routes=routes, tables=tables, collections=collections)
