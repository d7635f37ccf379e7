"""The language of the routing tables: how a framework lets a program say which function answers which path.

``[routing.NAME]`` in ``models/*.toml`` describes a class (or module) of a framework:

``like``        takes over all that another table says; ``framework`` names the framework in records
``path``        the style of path templates, see :mod:`backaudit.backend.web.paths`
``arguments``   ``injected`` (by annotation), ``path`` (placeholders by name) or ``request`` (the request comes first)
``names``       parameters that mean something by their name: name to where it comes from
``provides``    the keyword (or class attribute) of a dict that names further injected parameters
``prefix``      the constructor's argument for a path prefix; ``named``: position of a name that is the default prefix
``version``     the keyword of a version, which becomes a first segment ``/v1``
``parent``      the constructor's argument that is the router it belongs to; ``initialisers`` methods that pass it later
``decorators``  method to HTTP method, ``*`` (any), ``KEYWORD=GET`` or ``1|KEYWORD=GET`` (argument, default) or
                ``method`` (first argument)
``calls``       method that registers: ``path``, ``handler``, ``methods`` / ``method`` / ``default``, ``more`` paths,
                ``suffix`` (keyword that chooses among the handler's methods), ``route`` (name, see ``names_routes``),
                ``action`` (which method of the handler answers; else the path's ``{action}`` names it)
``mounts``      method that mounts: ``child`` (empty: what it returns), ``prefix``, ``replaces`` (the child's prefix)
``lists``       callee that is given a list of registrations, or of pairs of path and handler; ``""`` is the constructor
``includes``    method that calls a function with the router: ``child`` (the function, its module or their name),
                ``prefix``, ``entry`` (the function's name in a module)
``dispatch``    requests are told apart by hand, see :class:`Dispatching`; ``anywhere``: no import gives it away
``describes``   method that is given an OpenAPI document: ``document``, ``folder`` (keyword of the application),
                ``base``, ``resolver``, ``controllers`` (keys of an operation that name a module)
``names_routes``  method that gives a path a name, to which ``calls`` and ``decorators`` with ``route`` refer
``listed``      a decorated handler answers only where a list names it; ``slashes``: whether a last one counts
``guess``       whether methods of this table are looked for on receivers of which nothing is known
``permission``  the keyword of a registration that names a permission; ``login``: the one by which it asks that somebody
                is logged in; ``permission_default``: the method that names the permission of all others;
                ``request``: the type of handlers' requests
``controller``  the class's methods carry the decorators: where the class says its prefix
``classes``     decorators of a class whose methods carry the table's: the argument of the prefix

An argument is a position, a keyword, or a list of both.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.backend.web.paths import Style
from backaudit.backend.web.records import Where
from backaudit.project import Node, Project
from backaudit.project.locate import imported_packages

Argument = int | str | list[int | str]


class Registering(msgspec.Struct, frozen=True):
    """A method that registers a handler."""

    path: Argument = ""
    handler: Argument = 0
    methods: Argument = ""
    method: Argument = ""
    default: str = ""
    more: bool = False
    suffix: str = ""
    route: Argument = ""
    action: Argument = ""


class Mounting(msgspec.Struct, frozen=True):
    """A method that mounts a router."""

    child: Argument = 0
    prefix: Argument = ""
    replaces: bool = False


class Listing(msgspec.Struct, frozen=True):
    """A callee that is given many at once.

    ``items``: the list, ``*`` for all positional arguments; ``app``: one more child. ``path`` and ``handler`` are the
    places in an item that is a tuple.
    """

    items: Argument = ""
    app: Argument = ""
    prefix: Argument = ""
    path: int = 0
    handler: int = 1


class Including(msgspec.Struct, frozen=True):
    """A method that hands the router to a function."""

    child: Argument = 0
    prefix: Argument = ""
    entry: str = ""


class Describing(msgspec.Struct, frozen=True):
    """A method that is given an OpenAPI document whose operations name functions."""

    document: Argument = 0
    folder: str = ""
    base: Argument = ""
    resolver: str = ""
    controllers: tuple[str, ...] = ()


class Dispatching(msgspec.Struct, frozen=True):
    """Where hand-written code finds the path and the method: an attribute of ``self``, or ``mapping[KEY]``.

    ``prefix``: of the methods of a class that answer (``do_GET``); ``parameters``: of the functions that answer.
    """

    path: str
    method: str = ""
    prefix: str = ""
    parameters: tuple[str, ...] = ()


class Naming(msgspec.Struct, frozen=True):
    """A method that gives a path a name."""

    name: Argument = 0
    path: Argument = 1
    methods: Argument = ""


class Controlling(msgspec.Struct, frozen=True):
    """Where a class of handlers says its prefix: a class attribute, or an argument of its construction or decorator.

    ``field``: the class attribute; ``prefix``: the argument; ``names``: arguments whose text is one segment; ``after``:
    the position of a class after which it is called; ``own``: else its own name in lower case is the segment.
    ``root``: what stands before a segment, or what the router that holds it says by ``root_from``. ``views``: what the
    library's class answers by itself, path to methods. ``cut``: the end that is taken off its own name. ``actions``:
    the verbs of methods by their names, ``*`` for all other public ones, at their own names; a method's parameters are
    placeholders. Such a class is found without the call that registers it.
    """

    field: str = ""
    prefix: Argument = ""
    names: tuple[str, ...] = ()
    after: int | None = None
    own: bool = False
    root: str = ""
    root_from: str = ""
    views: dict[str, str] = {}
    cut: str = ""
    actions: dict[str, str] = {}


class Table(msgspec.Struct, frozen=True):
    """What a class of a framework declares; see the module's docstring."""

    framework: str = ""
    path: Style = "braces"
    arguments: Literal["injected", "path", "request"] = "path"
    like: str = ""
    names: dict[str, Where] = {}
    provides: str = ""
    prefix: Argument = ""
    default_prefix: str = ""
    named: int | None = None
    version: str = ""
    parent: Argument = ""
    decorators: dict[str, str | Registering] = {}
    calls: dict[str, Registering] = {}
    mounts: dict[str, Mounting] = {}
    lists: dict[str, Listing] = {}
    includes: dict[str, Including] = {}
    describes: dict[str, Describing] = {}
    listed: bool = False
    slashes: bool = True
    guess: bool = True
    permission: str = ""
    permission_default: str = ""
    login: str = ""
    request: str = ""
    names_routes: dict[str, Naming] = {}
    initialisers: dict[str, Argument] = {}
    controller: Controlling | None = None
    classes: dict[str, Argument] = {}
    dispatch: Dispatching | None = None
    anywhere: bool = False


def tables(project: Project) -> dict[str, Table]:
    """The routing tables of the frameworks that the project imports, by name, ``like`` resolved."""
    raw = project.models.routing
    imported = project.once(imported_packages)
    found: dict[str, Table] = {}
    for name in sorted(raw):
        known = name.partition(".")[0] in imported or raw[name].get("anywhere")
        if not known or raw[name].keys().isdisjoint({"framework", "like"}):
            continue
        merged: dict[str, object] = dict(raw[name])
        like = merged.get("like")
        while isinstance(like, str) and like in raw:
            merged = {**raw[like], **merged, "like": raw[like].get("like", "")}
            like = merged["like"]
        found[name] = msgspec.convert(merged, Table)
    return found


def pick(call: Node, argument: Argument) -> Node | None:
    """The argument of a call that a table means."""
    if argument == "":
        return None
    wanted = argument if isinstance(argument, list) else [argument]
    position = next((item for item in wanted if isinstance(item, int)), None)
    for keyword in (item for item in wanted if isinstance(item, str)):
        found = call.arg(None, keyword)
        if found is not None:
            return found
    return call.arg(position)
