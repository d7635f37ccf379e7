"""What a back end is, whatever the framework: the records that framework tables translate facts to."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node

Where = Literal["path", "query", "header", "cookie", "form", "body", "file", "request", "injected", "self", "other"]
# "secret": beside "authenticates", where what is asked for is the server's own secret, which no account has.
# "scope": a right of the token, or key, that is shown; "role": one of the person.
GuardKind = Literal["authenticates", "role", "ownership", "rate-limit", "scope", "secret"]

# The tag of routes that nothing mounts, although the project has another root.
UNMOUNTED = "unmounted"
CLIENT: frozenset[Where] = frozenset({"path", "query", "header", "cookie", "form", "body", "file"})


class RouteParam(msgspec.Struct, frozen=True):
    """A parameter of a handler and where it comes from.

    ``types``: type names (see :mod:`backaudit.project.types`); empty means untyped text. ``schema`` tells whether the
    type is an input schema (its fields are validated). ``bounded``: limits on length or value are declared;
    ``pattern``: the regular expression that it has to match.
    """

    index: int
    name: str
    where: Where
    types: tuple[str, ...] = ()
    schema: bool = False
    bounded: bool = False
    pattern: str = ""


class Limits(msgspec.Struct, frozen=True):
    """What is declared of a value: bounds of numbers (``exclusive_*``: the bound itself is out), lengths, texts."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    choices: tuple[str, ...] = ()


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a client sends to an endpoint, declared or only read.

    ``name`` as it stands on the wire; empty for a whole body of no known name. ``whole``: it is the whole body (form,
    query string …), else one field of it. ``types`` as in :class:`RouteParam`; ``schema``: the dotted name of the class
    that checks it. ``default``: the literal that stands in for it, if one does. ``declared``: the framework takes it
    from the request by a declaration; else the code reads it itself.
    """

    name: str
    where: Where
    place: Place
    types: tuple[str, ...] = ()
    required: bool = False
    default: str | int | float | bool | None = None
    limits: Limits = Limits()
    schema: str = ""
    whole: bool = False
    declared: bool = False


How = Literal["middleware", "hook", "wrapper", "decorator", "class", "permission", "dependency", "check"]


class Step(msgspec.Struct, frozen=True):
    """Something that runs before a handler answers; ``kinds`` is empty where it turns nobody away.

    ``roles``: those that it lets by, as far as the code spells them. ``read``: whether it is known what it does.
    """

    how: How
    name: str
    place: Place
    kinds: tuple[GuardKind, ...] = ()
    roles: tuple[str, ...] = ()
    read: bool = True


class Guard(msgspec.Struct, frozen=True):
    """Something that runs before (or in) a handler and turns some callers away; ``name`` is as the code spells it.

    ``roles``: those that a check of roles lets by, as far as the code spells them.
    """

    kind: GuardKind
    name: str
    place: Place
    roles: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint. ``methods`` upper case, empty for "any"; ``path`` with its prefixes, parameters as ``{name}``.

    ``place`` is where the route is declared (decorator or URL line); the handler has its own. A generic class view
    without a method of its own has the class's body as handler; ``view`` is the class of every class view.
    ``response``: the declared response model's annotation, if any; ``status``: the declared success status.
    ``declared``: the decorator or registering call; ``around``: the constructions and mounts of the routers from the
    application inwards; ``wrappers``: calls that wrap the handler where it is registered. WebSockets have the method
    ``WEBSOCKET``. ``action``: the name by which a view that serves several knows it. ``converters``: placeholders of
    the path to the restriction that it writes (``int``, ``[a-z]+``). ``inputs``, ``statuses`` and ``first`` (steps):
    what a document beside the code declares. ``provided``: names of parameters to what gives their values, where a
    mapping says so.
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
    view: ClassView | None = None
    action: str = ""
    declared: Node | None = None
    around: tuple[Node, ...] = ()
    wrappers: tuple[Node, ...] = ()
    converters: tuple[tuple[str, str], ...] = ()
    inputs: tuple[Input, ...] = ()
    statuses: tuple[int, ...] = ()
    first: tuple[Step, ...] = ()
    provided: tuple[tuple[str, Node], ...] = ()

    @property
    def label(self) -> str:
        """What a message calls the route: ``GET /tasks``."""
        return f"{'/'.join(self.methods) or 'any method'} {self.path}"

    @property
    def names_one_thing(self) -> bool:
        """Whether the path ends in what names one thing: ``/tasks/{task_id}``."""
        return self.path.rstrip("/").endswith("}")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route with all that a client and a reader want to know of it. Ask with ``project.once(endpoints)``.

    ``steps``: what runs before the answer, in order. ``response``: type names of the declared response model.
    ``declared``: the statuses that the declaration names; ``returned``: those that the code gives; both ascending.
    """

    route: Route
    inputs: tuple[Input, ...] = ()
    steps: tuple[Step, ...] = ()
    response: tuple[str, ...] = ()
    declared: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()


class LibraryView(msgspec.Struct, frozen=True):
    """An endpoint that a library implements (Django's login view); ``name`` is the library's dotted name."""

    name: str
    path: str
    place: Place
    declared: Node
