"""Knowledge of libraries, as data: one TOML table per library beside this file, named as it is imported.

The standard library's is ``python.toml``. What belongs to no library (methods by their name alone, whoever has them)
stands in tables of topics. A table may hold (all keys are dotted names as code would spell them after its imports, see
``sqlalchemy.toml``):

``[aliases]``     other names of the same thing, to the name that the tables use; of all that a module has: ``module.*``
``[returns]``     what a call gives, in the notation of :mod:`backaudit.project.types`
``[attributes]``  what an attribute, or a name that is not a class, is an instance of
``[bases]``       a class, or a decorator of one, to those that it is derived from, where they matter: what holds of
                  these holds of it
``[parameters]``  ``name = {package = ..., type = ...}``: known by convention, see :class:`ParameterConvention`
``[sources]``     reads of client data: name to what it is called in a path ("the query string")
``[sinks.KIND]``  where data does harm: callee to the arguments that matter, by position or keyword
``[propagates]``  callee to the arguments whose text is in its result (``"*"`` for all, ``"self"`` for the receiver,
                  ``"same"``: each part of the first; ``"fields"``: its parts, but the keys are those of a schema)
``[cleans.KIND]`` callees whose result is harmless for a kind of sink (``*`` for every kind)
``[guards.KIND]`` callees that, asked in a condition, make their argument harmless
``[hashers]``     callee to ``strong`` or ``weak``: what ends the label *password*
``[raises]``      callee to the exceptions that it can raise on bad input; a mapping to those of a missing key
``[exceptions]``  exception class to its base class
``[bound]``       callee to how it marks bound values and is given them: a ``MarkStyle`` of ``facts/changes.py``
``[safer]``       a function or class that does harm to the one that takes its place
``[responses]``   what makes an answer: callee to ``{status, body, default, raises}``, see :class:`ResponseModel`
``[reads]``       reads of one thing of the request by its name, see :class:`ReadModel`
``[declares]``    decorators that declare statuses and models of answers, see :class:`DeclareModel`
``[handovers]``   calls that have a function run later or elsewhere, see :class:`backaudit.project.knowledge.Handover`
``[kinds]``       free groups of names that a rule or a framework's table asks for; ``kinds.toml`` declares them
``[words.GROUP]``  what libraries call things (columns, parts of a request, options), to what each means
``[forms.GROUP]``  look-ups and methods of columns, to the form of the condition that they make
``[lengths]``     types of columns, to the longest text that they hold where they are not told
``[settings]``    what a setting is where nobody sets it, and what is advised, see :class:`SettingModel`
``[brings]``      classes of libraries that bring columns to those derived from them, see :class:`BaseModel`
``[about]``       the groups that there are, and what each is for
``[schemas.NAME]``  the input schemas of a library, see :class:`SchemaModel`
``[shapes]``, ``[columns]``  names in annotations, and types of columns, to the JSON values that they admit
``[limits.keywords]``, ``[limits.validators]``  what a keyword or validator of a declaration limits
``[applies]``, ``[applies_around]``  calls and decorators that put a schema to what came in, see :class:`Applying`
``[security]``    how callers prove who they are, see :class:`SecurityModel`
``[orms.NAME]``   what tells an ORM from another, see :class:`OrmModel`
``[stores.NAME]``  what tells a library of documents from another, see :class:`StoreModel`
``[frameworks.NAME]``  what a web framework does of itself, see :class:`FrameworkModel`
``[clients.NAME]``  how a test asks an application of a framework, see :class:`ClientModel`
``[open_pages]``  pages that a library opens to everybody, and what closes them, see :class:`OpenPages`
``[library_forms.NAME]``  the fields of a form that a library brings, as ``[shapes]`` write them
``[callbacks.NAME]``  what is called with a client's data beside routes (events, resolvers), see :class:`Callback`
``[scalars]``     names of types in the declarations of such functions, to Python's types
``[platforms.NAME]``  a service that runs applications, see :class:`PlatformModel`
``[languages]``   endings of files, to the language that they are written in
``[advice]``      what is missing in a project (``tests/none``, ``tests/none/django`` for one framework, ORM or store),
                  to the next step
``[routing.NAME]``  how a class or module of a web framework declares routes, see ``backend.frameworks.tables``
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from backaudit.facts.changes import MarkStyle
from backaudit.project.knowledge import (
    Applying,
    Arguments,
    BaseModel,
    Callback,
    ClientModel,
    DeclareModel,
    FrameworkModel,
    Handover,
    Kinds,
    Knowledge,
    Models,
    OpenPages,
    OrmModel,
    ParameterConvention,
    PlatformModel,
    ReadModel,
    ResponseModel,
    SchemaModel,
    SecurityModel,
    SettingModel,
    StoreModel,
    Words,
)
from backaudit.sql import Form
from backaudit.toml import parse_toml

__all__ = [
    "Applying", "Arguments", "DeclareModel", "Models", "OpenPages", "OrmModel", "ReadModel", "ResponseModel",
    "SchemaModel", "SecurityModel", "checked", "load",
]  # fmt: skip

_SECTIONS = frozenset(
    "aliases returns attributes bases parameters sources sinks propagates cleans guards hashers raises "
    "exceptions responses reads declares handovers kinds schemas shapes columns limits applies applies_around "
    "security library_forms routing orms stores frameworks clients open_pages callbacks scalars platforms "
    "languages advice safer bound words forms lengths settings brings about".split()
)


def checked(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """A table of somebody else's, if it is one that can be used; ValueError with what is wrong with it."""
    for section, content in table.items():
        if section not in _SECTIONS:
            raise ValueError(f"there is no section [{section}]; known are {', '.join(sorted(_SECTIONS))}")
        if not isinstance(content, Mapping):
            raise ValueError(f"[{section}] must be a table")
    _check_sources(table)
    _check_kinds(table)
    _check_hashers(table)
    try:
        _join([table])
    except (msgspec.ValidationError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"an entry has not the form that its section asks for: {error}") from error
    return table


def _check_sources(table: Mapping[str, Any]) -> None:
    for name, said in table.get("sources", {}).items():
        if not isinstance(said, str):
            raise ValueError(f'[sources] "{name}" must be what the source is called, a string')


def _check_kinds(table: Mapping[str, Any]) -> None:
    for section in ("sinks", "cleans", "guards", "kinds"):
        for kind, names in table.get(section, {}).items():
            if not isinstance(names, (Mapping, list)):
                raise ValueError(f"[{section}] {kind} must be a list of names or a table from names to arguments")


def _check_hashers(table: Mapping[str, Any]) -> None:
    for name, strength in table.get("hashers", {}).items():
        if strength not in ("strong", "weak"):
            raise ValueError(f'[hashers] "{name}" must be "strong" or "weak"')


def load(extra: Iterable[Mapping[str, Any]] = ()) -> Models:
    """The built-in tables, with those of rule packages and of the configuration laid over them.

    ValueError, when a run begins, for a group of names that nobody declares: whoever asks would never ask for it.
    """
    built_in = _built_in()
    declared = frozenset(kind for table in built_in for kind in table.get("about", ()))
    groups = ("kinds", "words", "forms")
    unknown = {group for table in built_in for section in groups for group in table.get(section, ())} - declared
    if unknown:
        raise ValueError(f"models/kinds.toml does not say what is of the kinds {', '.join(sorted(unknown))}")
    return _join([*built_in, *extra])


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
            elif section in ("words", "forms"):
                for group, meanings in content.items():
                    flat.setdefault(section, {}).setdefault(group, {}).update(meanings)
            elif section == "parameters":
                for name, entries in content.items():
                    known = flat.setdefault(section, {}).setdefault(name, [])
                    known.extend(entries if isinstance(entries, list) else [entries])
            else:
                flat.setdefault(section, {}).update(content)
    return _models(flat, grouped)


def _models(flat: dict[str, dict[str, Any]], grouped: dict[str, dict[str, dict[str, Any]]]) -> Models:
    conventions = [
        msgspec.convert({"name": name, **entry}, ParameterConvention)
        for name, entries in flat.get("parameters", {}).items()
        for entry in entries
    ]
    parameters = tuple(sorted(conventions, key=lambda convention: not convention.over))
    knowledge = Knowledge(
        flat.get("returns", {}), flat.get("attributes", {}), flat.get("aliases", {}), parameters,
        {name: msgspec.convert(entry, Handover) for name, entry in flat.get("handovers", {}).items()},
        {name: tuple(bases) for name, bases in flat.get("bases", {}).items()},
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
        kinds=Kinds(
            dict.fromkeys(flat.get("about", {}), frozenset())
            | {kind: frozenset(names) for kind, names in grouped.get("kinds", {}).items()}
        ),
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
        open_pages=msgspec.convert(flat.get("open_pages", {}), dict[str, OpenPages]),
        orms=msgspec.convert(flat.get("orms", {}), dict[str, OrmModel]),
        stores=msgspec.convert(flat.get("stores", {}), dict[str, StoreModel]),
        frameworks=msgspec.convert(flat.get("frameworks", {}), dict[str, FrameworkModel]),
        clients=_clients(flat.get("clients", {})),
        callbacks=_callbacks(flat.get("callbacks", {})),
        scalars=flat.get("scalars", {}),
        platforms=msgspec.convert(flat.get("platforms", {}), dict[str, PlatformModel]),
        languages=flat.get("languages", {}),
        advice=flat.get("advice", {}),
        safer=flat.get("safer", {}),
        bound=msgspec.convert(flat.get("bound", {}), dict[str, MarkStyle]),
        words=Words(msgspec.convert(flat.get("words", {}), dict[str, dict[str, str]])),
        forms=msgspec.convert(flat.get("forms", {}), dict[str, dict[str, Form]]),
        lengths=msgspec.convert(flat.get("lengths", {}), dict[str, int]),
        settings=msgspec.convert(flat.get("settings", {}), dict[str, SettingModel]),
        brings=msgspec.convert(flat.get("brings", {}), dict[str, BaseModel]),
    )


def _callbacks(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Callback]:
    """Each with what the one that it is like says beside."""
    whole = {name: {**table.get(entry.get("like", ""), {}), **entry} for name, entry in table.items()}
    return msgspec.convert(whole, dict[str, Callback])


def _clients(table: Mapping[str, Any]) -> dict[str, ClientModel]:
    """Each by its framework, with what the one that it is ``like`` says beside."""
    whole = {name: {**table.get(entry.get("like", ""), {}), **entry} for name, entry in table.items()}
    told = {name: {key: value for key, value in entry.items() if key != "like"} for name, entry in whole.items()}
    return msgspec.convert(told, dict[str, ClientModel])


def _response(entry: Mapping[str, Any]) -> ResponseModel:
    status, body = _arguments(entry.get("status", [])), _arguments(entry.get("body", []))
    return ResponseModel(
        status, body, entry.get("default", 200), entry.get("raises", False), entry.get("writes", False)
    )


def _arguments(value: Any) -> Arguments:
    if value is True:
        return (0,)
    return tuple(value) if isinstance(value, list) else (value,)
