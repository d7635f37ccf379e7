"""A request that shows a mistake: what a client would send, what happens today, and what should be answered."""

from __future__ import annotations

import json

import msgspec

Pair = tuple[str, str]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Application(msgspec.Struct, frozen=True):
    """Where an application is made: ``name`` in ``module``, or what the function of that name returns (``called``).

    ``folder``: what has to be on the import path, relative to the root. Of Django the settings' module alone.
    """

    module: str
    name: str = ""
    called: bool = False
    folder: str = ""


class Row(msgspec.Struct, frozen=True):
    """A row that a test makes: ``name`` of the model in ``module``, and what is known of its values.

    ``folder``: what has to be on the import path for the module.
    """

    module: str
    name: str
    values: tuple[tuple[str, bool | int | float | str | None], ...] = ()
    folder: str = ""


class StandIn(msgspec.Struct, frozen=True):
    """What a test puts in the place of a guard: ``name`` in ``module`` is replaced by what gives a row of ``gives``.

    ``folder``: what has to be on the import path for the module. ``gives`` is None where nobody uses what it gives.
    """

    module: str
    name: str
    folder: str = ""
    gives: Row | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request, complete enough to be sent.

    ``path`` has its placeholders filled, ``query`` and ``headers`` are pairs as they are sent, ``body`` is text in the
    form that the header Content-Type says. ``route``: the path as it is declared. ``wrong`` says what is wrong with the
    request, ``raises`` what the code raises for it (empty: it answers by itself) at the line ``at``; ``status`` is what
    is answered today, and ``wanted`` what should be. ``before``: the body of a request that is sent first, and is like
    this one in all else: it puts the row there that this one collides with.
    ``caller``: the guards that have to let the caller pass, ``stand_ins``: what a test replaces them by, if it can all
    of them; ``rows``: what has to be there before, in words, and
    ``made``: the same as far as a test can make it. ``client``: how a test asks, a name of ``[clients]``.
    """

    method: str
    path: str
    route: str
    framework: str
    query: tuple[Pair, ...] = ()
    headers: tuple[Pair, ...] = ()
    body: str = ""
    wrong: str = ""
    raises: str = ""
    at: str = ""
    status: int = 500
    wanted: tuple[int, ...] = ()
    before: str | None = None
    caller: tuple[str, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    rows: tuple[str, ...] = ()
    application: Application | None = None
    made: tuple[Row, ...] = ()
    client: str = ""

    @property
    def content_type(self) -> str:
        """The header Content-Type, empty where nothing is sent."""
        return dict(self.headers).get("Content-Type", "")

    @property
    def first(self) -> Request | None:
        """The request that is sent before."""
        return msgspec.structs.replace(self, body=self.before, before=None) if self.before is not None else None

    @property
    def sent(self) -> object:
        """The body as data where it is JSON, else its text; None where there is none."""
        if self.content_type == JSON:
            try:
                return json.loads(self.body)
            except ValueError:
                return self.body
        return self.body or None
