"""Knowledge of libraries, as data: one TOML table per library beside this file.

A table may hold (all keys are dotted names as code would spell them after its imports, see ``sqlalchemy.toml``):

``[aliases]``     other names of the same thing, to the name that the tables use
``[returns]``     what a call gives, in the notation of :mod:`backaudit.project.types`
``[attributes]``  what an attribute, or a name that is not a class, is an instance of
``[parameters]``  ``name = {package = ..., type = ...}``: parameters known by convention
``[sources]``     reads of client data: name to what it is called in a path ("the query string")
``[sinks.KIND]``  where data does harm: callee to the arguments that matter, by position or keyword
``[propagates]``  callee to the arguments whose text is in its result (``"*"`` for all, ``"self"`` for the receiver)
``[cleans.KIND]`` callees whose result is harmless for a kind of sink (``*`` for every kind)
``[guards.KIND]`` callees that, asked in a condition, make their argument harmless
``[hashers]``     callee to ``strong`` or ``weak``: what ends the label *password*
``[raises]``      callee to the exceptions that it can raise on bad input
``[exceptions]``  exception class to its base class
``[responses]``   what makes an answer: callee to ``{status, body, default, raises}``, see :class:`ResponseModel`
``[reads]``       reads of one thing of the request by its name, see :class:`ReadModel`
``[declares]``    decorators that declare statuses and models of answers, see :class:`DeclareModel`
``[handovers]``   calls that have a function run later or elsewhere, see :class:`backaudit.project.knowledge.Handover`
``[kinds]``       free groups of names that a rule or a framework's table asks for
``[schemas.NAME]``  the input schemas of a library, see :class:`SchemaModel`
``[shapes]``, ``[columns]``  names in annotations, and types of columns, to the JSON values that they admit
``[limits.keywords]``, ``[limits.validators]``  what a keyword or validator of a declaration limits
``[applies]``, ``[applies_around]``  calls and decorators that put a schema to what came in, see :class:`Applying`
``[security]``    how callers prove who they are, see :class:`SecurityModel`
``[orms.NAME]``   what tells an ORM from another, see :class:`OrmModel`
``[library_forms.NAME]``  the fields of a form that a library brings, as ``[shapes]`` write them
``[routing.NAME]``  how a class or module of a web framework declares routes, see ``backend.frameworks.tables``
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from backaudit.project.knowledge import Handover, Knowledge, ParameterConvention
from backaudit.toml import parse_toml

Arguments = tuple[int | str, ...]


class ResponseModel(msgspec.Struct, frozen=True):
    """A call that makes an answer to the client, or an exception that becomes one.

    ``status`` and ``body`` are the arguments that give them, by position or keyword; ``default`` is the status if none
    is given. ``raises``: calling it ends the request (``flask.abort``), or it is an exception.
    """

    status: Arguments = ()
    body: Arguments = ()
    default: int = 200
    raises: bool = False


class ReadModel(msgspec.Struct, frozen=True):
    """A call (or attribute) that reads one thing of the request.

    ``where`` it stands (path, query, header, cookie, form, body, file); ``name``, ``default`` and ``type`` are the
    arguments that give them, by position or keyword; ``key``: a name that is always the same; ``converts``: the type
    that it gives; ``required``: the request fails without it, unless a default is given.
    """

    where: str
    name: Arguments = ()
    default: Arguments = ()
    type: Arguments = ()
    key: str = ""
    converts: str = ""
    required: bool = False


class DeclareModel(msgspec.Struct, frozen=True):
    """A decorator's arguments that declare an answer: ``status``, ``model``, and ``table`` from status to model."""

    status: Arguments = ()
    model: Arguments = ()
    table: Arguments = ()
    default: int = 0


class SchemaModel(msgspec.Struct, frozen=True):
    """How a library declares input schemas: classes below ``bases`` or under ``decorators``.

    ``style``: a field is an annotation, or a call of a class of ``fields`` (which map to shapes, in the notation of
    ``[shapes]``, with ``read``, ``private`` and ``column`` beside). ``extra``: what becomes of unknown fields.
    ``required``: whether fields made by calls have to be sent unless they say otherwise. ``form``: takes form data.
    ``meta``: inner classes that name a model and its columns; ``columns``: bases that take over all columns.
    """

    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    style: Literal["annotations", "calls"] = "annotations"
    extra: Literal["ignore", "forbid", "allow"] = "ignore"
    required: bool = False
    form: bool = False
    meta: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    fields: dict[str, str] = {}


class Applying(msgspec.Struct, frozen=True, rename={"notation": "as"}):
    """A call, or decorator, that checks input: ``schema``, the argument that gives the schema, in ``notation``.

    ``where`` it is looked for; ``places``: arguments, or parameters of the handler, that each give a schema for one
    place instead.
    """

    schema: Arguments = ()
    notation: str = "class"
    where: str = "body"
    places: dict[str, str] = {}


class SecurityModel(msgspec.Struct, frozen=True):
    """A scheme: ``kind`` is bearer, basic, digest, oauth2 or key; a key stands in ``where`` under ``key``.

    ``name`` and ``url`` are the arguments of the call that give a key's name, and the address of tokens.
    """

    kind: str
    where: str = ""
    key: str = ""
    name: Arguments = ()
    url: Arguments = ()


class OrmModel(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What tells one ORM from another.

    How tables are declared, where a class of ``models`` does it by calls in its body: ``fields``, endings of the
    names of the calls that declare columns; ``keys``, ``many``, ``primary``: those of foreign keys, of many to many,
    of keys. ``key-suffix``: what the column of a foreign key has behind the attribute's name. ``options``: the inner
    class, or the field with a call, that holds the table's options, among them its name under one of ``named``;
    ``inherited-options`` are taken over from bases. ``bases-have-no-table``: a class that others extend and that
    names no table is none. ``snake-unless``: the option that, set to False, makes snake case of the class's name.
    ``text-length``: that of a text for which none is given. ``between``: how the table between many and many is named
    (``through`` an option, or ``sorted`` names of both), which has a key of its own in the latter case.

    How rows are asked for: ``queries`` by keywords or by expressions; ``operators`` beside comparisons, to the form
    of the look-up. ``asks-anew``: a call on a relation asks the database, whatever was fetched with the rows.
    ``lazy``: a single row is only asked for when it is awaited. ``indexes-keys``: foreign keys have an index by
    themselves. ``converts-compared``: what a column is compared with is made its type, or raises. ``complete``: its
    models say which tables there are, whatever migrations do.

    What is advised, with ``{model}``, ``{attribute}``, ``{fields}``, ``{columns}``, ``{index}``, ``{relation}``: an
    ``index`` over one column, ``index-many`` over several, ``index-foreign`` where the table is a library's, with
    ``descending`` before a field that is sorted downwards; how a relation is ``loaded`` with its rows; ``rollout``,
    how an index comes to a large table.
    """

    models: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("Field",)
    keys: frozenset[str] = frozenset({"ForeignKeyField", "OneToOneField"})
    many: frozenset[str] = frozenset({"ManyToManyField"})
    primary: frozenset[str] = frozenset()
    key_suffix: str = "_id"
    options: str = "Meta"
    named: tuple[str, ...] = ("table", "table_name", "db_table")
    inherited_options: frozenset[str] = frozenset()
    bases_have_no_table: bool = False
    snake_unless: str = ""
    text_length: int = 0
    between: Literal["through", "sorted"] = "through"
    queries: Literal["keywords", "expressions"] = "expressions"
    operators: dict[str, Literal["in", "like"]] = {}
    asks_anew: bool = False
    lazy: bool = False
    indexes_keys: bool = False
    converts_compared: bool = False
    complete: bool = False
    descending: str = ""
    index: str = ""
    index_many: str = ""
    index_foreign: str = ""
    loaded: str = ""
    rollout: str = ""


class Models(msgspec.Struct, frozen=True, dict=True):
    """All tables of all libraries, joined. Names map to what the sections above say."""

    knowledge: Knowledge
    sources: dict[str, str]
    sinks: dict[str, dict[str, Arguments]]
    propagates: dict[str, Arguments]
    cleans: dict[str, frozenset[str]]
    guards: dict[str, frozenset[str]]
    hashers: dict[str, str]
    raises: dict[str, tuple[str, ...]]
    kinds: dict[str, frozenset[str]]
    exceptions: dict[str, str] = {}
    responses: dict[str, ResponseModel] = {}
    routing: dict[str, Mapping[str, Any]] = {}
    reads: dict[str, ReadModel] = {}
    declares: dict[str, DeclareModel] = {}
    schemas: dict[str, SchemaModel] = {}
    shapes: dict[str, str] = {}
    columns: dict[str, str] = {}
    limits: dict[str, dict[str, str]] = {}
    applies: dict[str, Applying] = {}
    applies_around: dict[str, Applying] = {}
    security: dict[str, SecurityModel] = {}
    library_forms: dict[str, dict[str, str]] = {}
    orms: dict[str, OrmModel] = {}


_SECTIONS = frozenset(
    "aliases returns attributes parameters sources sinks propagates cleans guards hashers raises exceptions responses "
    "reads declares handovers kinds schemas shapes columns limits applies applies_around security library_forms "
    "routing orms".split()
)


def checked(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """A table of somebody else's, if it is one that can be used; ValueError with what is wrong with it."""
    for section, content in table.items():
        if section not in _SECTIONS:
            raise ValueError(f"there is no section [{section}]; known are {', '.join(sorted(_SECTIONS))}")
        if not isinstance(content, Mapping):
            raise ValueError(f"[{section}] must be a table")
    for name, said in table.get("sources", {}).items():
        if not isinstance(said, str):
            raise ValueError(f'[sources] "{name}" must be what the source is called, a string')
    for section in ("sinks", "cleans", "guards", "kinds"):
        for kind, names in table.get(section, {}).items():
            if not isinstance(names, (Mapping, list)):
                raise ValueError(f"[{section}] {kind} must be a list of names or a table from names to arguments")
    for name, strength in table.get("hashers", {}).items():
        if strength not in ("strong", "weak"):
            raise ValueError(f'[hashers] "{name}" must be "strong" or "weak"')
    try:
        _join([table])
    except (msgspec.ValidationError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"an entry has not the form that its section asks for: {error}") from error
    return table


def load(extra: Iterable[Mapping[str, Any]] = ()) -> Models:
    """The built-in tables, with those of rule packages and of the configuration laid over them."""
    return _join([*_built_in(), *extra])


@cache
def _built_in() -> tuple[Mapping[str, Any], ...]:
    folder = resources.files(__name__)
    tables = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)
    return tuple(parse_toml(item.read_text(encoding="utf-8")) for item in tables)


def _join(tables: Iterable[Mapping[str, Any]]) -> Models:
    flat: dict[str, dict[str, Any]] = {}
    grouped: dict[str, dict[str, dict[str, Any]]] = {}
    for table in tables:
        for section, content in table.items():
            if section in ("sinks", "cleans", "guards", "kinds"):
                for kind, names in content.items():
                    inner = grouped.setdefault(section, {}).setdefault(kind, {})
                    inner.update(names if isinstance(names, Mapping) else dict.fromkeys(names, True))
            elif section == "parameters":
                for name, entries in content.items():
                    known = flat.setdefault(section, {}).setdefault(name, [])
                    known.extend(entries if isinstance(entries, list) else [entries])
            else:
                flat.setdefault(section, {}).update(content)
    return _models(flat, grouped)


def _models(flat: dict[str, dict[str, Any]], grouped: dict[str, dict[str, dict[str, Any]]]) -> Models:
    parameters = tuple(
        ParameterConvention(name, entry["package"], entry["type"])
        for name, entries in flat.get("parameters", {}).items()
        for entry in entries
    )
    knowledge = Knowledge(
        flat.get("returns", {}), flat.get("attributes", {}), flat.get("aliases", {}), parameters,
        {name: msgspec.convert(entry, Handover) for name, entry in flat.get("handovers", {}).items()},
    )  # fmt: skip
    return Models(
        knowledge=knowledge,
        sources=flat.get("sources", {}),
        sinks={kind: {n: _arguments(a) for n, a in names.items()} for kind, names in grouped.get("sinks", {}).items()},
        propagates={name: _arguments(args) for name, args in flat.get("propagates", {}).items()},
        cleans={kind: frozenset(names) for kind, names in grouped.get("cleans", {}).items()},
        guards={kind: frozenset(names) for kind, names in grouped.get("guards", {}).items()},
        hashers=flat.get("hashers", {}),
        raises={name: tuple(found) for name, found in flat.get("raises", {}).items()},
        kinds={kind: frozenset(names) for kind, names in grouped.get("kinds", {}).items()},
        exceptions=flat.get("exceptions", {}),
        responses={name: _response(entry) for name, entry in flat.get("responses", {}).items()},
        routing=flat.get("routing", {}),
        reads={name: msgspec.convert(entry, ReadModel) for name, entry in flat.get("reads", {}).items()},
        declares={name: msgspec.convert(entry, DeclareModel) for name, entry in flat.get("declares", {}).items()},
        schemas={name: msgspec.convert(entry, SchemaModel) for name, entry in flat.get("schemas", {}).items()},
        shapes=flat.get("shapes", {}),
        columns=flat.get("columns", {}),
        limits=flat.get("limits", {}),
        applies=msgspec.convert(flat.get("applies", {}), dict[str, Applying]),
        applies_around=msgspec.convert(flat.get("applies_around", {}), dict[str, Applying]),
        security=msgspec.convert(flat.get("security", {}), dict[str, SecurityModel]),
        library_forms=flat.get("library_forms", {}),
        orms=msgspec.convert(flat.get("orms", {}), dict[str, OrmModel]),
    )


def _response(entry: Mapping[str, Any]) -> ResponseModel:
    status, body = _arguments(entry.get("status", [])), _arguments(entry.get("body", []))
    return ResponseModel(status, body, entry.get("default", 200), entry.get("raises", False))


def _arguments(value: Any) -> Arguments:
    if value is True:
        return (0,)
    return tuple(value) if isinstance(value, list) else (value,)
