"""Putting a request together: valid but for what it is to show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from backaudit.analyses.errors.requests.rows import Asked, referred, row_of_view
from backaudit.analyses.errors.requests.standing_in import stand_ins
from backaudit.analyses.errors.requests.wishes import Kind, Wish
from backaudit.backend.access.guards import steps
from backaudit.backend.endpoints import taken
from backaudit.backend.web.applications import application
from backaudit.backend.web.inputs.applied import applied_to
from backaudit.backend.web.inputs.examples import example
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Shape
from backaudit.backend.web.records import Route
from backaudit.facts.requests import FORM, JSON, Request, Row
from backaudit.project import Project
from backaudit.project.declarations import items
from backaudit.project.locate import class_field
from backaudit.survey.inputs import sent
from backaudit.survey.records import Sent
from backaudit.vocabulary.protocols import NOBODYS, UNSAFE

_PLACEHOLDER = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
_NOBODY = 999_999
_BROKEN = '{"broken'
_NO_KIND = Shape(kind="string")
_BODIES = ("body", "form")


class Draft:
    """The parts of a request as they are put together, each input by where it stands and its name."""

    def __init__(self, project: Project, route: Route, method: str) -> None:
        self.project = project
        self.route = route
        self.method = method
        self.known = sent(project, taken(project, route), applied_to(project, route))
        self.values: dict[tuple[str, str], Any] = {}
        self.whole: dict[str, Any] = {}
        self.raw: str | None = None
        self.told: list[str] = []
        self.rows: list[str] = []
        self.made: list[Row] = []
        self.wished: set[tuple[str, str]] = set()
        for one in self.known:
            self._fill(one)

    @property
    def has_null(self) -> bool:
        """Whether an input of the body is to be null, which a form has no way to write."""
        return any(value is None and where in _BODIES for (where, _), value in self.values.items())

    @property
    def can_be_sent(self) -> bool:
        """Whether all that has to be sent is known: files are not made up."""
        return not any(self._asks_for_file(one) for one in self.known)

    def _asks_for_file(self, one: Sent) -> bool:
        made = schema_named(self.project, one.shape.schema) if one.where in _BODIES and one.shape.schema else None
        inside = any(field.shape.kind == "file" and not field.optional for field in made.fields) if made else False
        return inside or (one.required and (one.where == "file" or one.shape.kind == "file"))

    def _fill(self, one: Sent) -> None:
        needed = one.required or one.where in _BODIES
        if one.where == "file" or not needed:
            return
        if one.where in _BODIES and not one.name:
            made = example(self.project, one.shape, "", 0)
            self.whole[one.where] = made if made is not None else {}
        else:
            self.values[one.where, one.name] = self._example(one.shape, one.name, one.where)

    def _example(self, shape: Shape, name: str, where: str) -> Any:
        value = example(self.project, shape, name)
        return value if where == "body" or not isinstance(value, (dict, list)) else "text"

    def shape(self, where: str, name: str) -> Shape:
        """What is declared of an input, by itself or by the schema of the whole."""
        for one in self.known:
            if one.where == where and one.name == name and name:
                return one.shape
            made = schema_named(self.project, one.shape.schema) if one.where == where and one.shape.schema else None
            field = made.field(name) if made is not None else None
            if field is not None:
                return field.shape
        return _NO_KIND

    def knows(self, where: str, name: str) -> bool:
        """Whether an input of that name is read, by itself or by the schema of the whole."""
        return any(one.where == where and one.name == name for one in self.known) or name in self.whole.get(where, ())

    # -- what is wished ---------------------------------------------------------------------------------------------

    def want(self, wish: Wish) -> None:
        """Makes an input what it has to be."""
        if wish.method or wish.kind == "twice":
            return
        if not wish.name:
            self._want_whole(wish)
            return
        where, name = wish.where, wish.name
        self.wished.add((where, name))
        if wish.kind == "absent":
            self.values.pop((where, name), None)
            if isinstance(self.whole.get(where), dict):
                self.whole[where].pop(name, None)
            self.values[where, name] = None if where == "path" else _ABSENT
        else:
            self.values[where, name] = self._wished(wish)

    def _want_whole(self, wish: Wish) -> None:
        if wish.kind == "malformed":
            self.raw = _BROKEN
        elif wish.kind == "null":
            self.raw = "null"
        elif wish.kind == "equal":
            self.raw = json.dumps(wish.value)
        elif wish.kind == "absent":
            self.raw = ""

    def _wished(self, wish: Wish) -> Any:
        shape = self.shape(wish.where, wish.name)
        if wish.kind == "equal":
            return wish.value
        if wish.kind == "long":
            length = wish.value if isinstance(wish.value, int) else 300
            return "x" * (length + 1)
        if wish.kind == "unknown":
            return _NOBODY if wish.value is not None and shape == Shape() else self._unknown(shape, wish.name)
        fixed: dict[Kind, Any] = {
            "malformed": "abc",
            "null": None,
            "negative": -1,
            "zero": 0,
            "pieces": "one",
            "listed": [],
        }
        if wish.kind in fixed:
            return fixed[wish.kind]
        untold = shape in (Shape(), _NO_KIND)
        value = wish.value if untold and wish.value is not None else self._example(shape, wish.name, wish.where)
        if wish.kind in ("known", "taken"):
            another = "another row" if wish.kind == "taken" else "a row"
            self._need(f"{another} whose `{wish.name}` is {value}", wish.row, value)
        return value

    def _need(self, said: str, asked: Asked | None, value: Any) -> None:
        """Remembers a row that has to be there before."""
        self.rows.append(said)
        row = asked.row(self.project, value) if asked is not None else None
        self.made += [row] if row is not None else []

    def need_rows(self) -> None:
        """Rows that nobody wished for, and without which the request comes to nothing: the view's, and references'."""
        of_view = row_of_view(self.project, self.route)
        if of_view is not None and ("path", of_view[0]) not in self.wished:
            self._need(
                f"a row whose `{of_view[0]}` is {self._in_path(of_view[0])}", of_view[1], self._in_path(of_view[0])
            )
        for where in _BODIES if self.method in UNSAFE else ():
            self._need_referred(where)

    def _need_referred(self, where: str) -> None:
        named = [one.shape.schema for one in self.known if one.where == where and one.shape.schema]
        for name, asked in (pair for schema in named for pair in referred(self.project, schema)):
            if self._value(where, name) not in (None, _ABSENT) and (where, name) not in self.wished:
                self._refer(where, name, asked)

    def _refer(self, where: str, name: str, asked: Asked) -> None:
        """Has an input name a row, by a key that the row may have: it stands beside the whole, and wins over it."""
        usual = asked.usual(self.project)
        if usual is not None and isinstance(self._value(where, name), str):
            self.values[where, name] = usual
        value = self._value(where, name)
        self._need(f"a row that `{name}` names ({value})", asked, value)

    def _value(self, where: str, name: str) -> Any:
        whole = self.whole.get(where)
        inside = isinstance(whole, dict) and name in whole and (where, name) not in self.values
        return whole[name] if inside and isinstance(whole, dict) else self.values.get((where, name))

    def _unknown(self, shape: Shape, name: str) -> Any:
        """A value that fits the declaration, and that no row has."""
        shape = next((part for part in shape.either if part.kind != "null"), shape)
        if shape.kind in ("integer", "number"):
            return _NOBODY
        if shape.format in NOBODYS:
            return NOBODYS[shape.format]
        usual = example(self.project, shape, name)
        if isinstance(usual, str) and usual.isdigit():
            return str(_NOBODY)
        if isinstance(usual, str) and "@" in usual:
            return NOBODYS["email"]
        return "no-such-one" if isinstance(usual, str) else usual

    def tell_apart(self, wish: Wish) -> None:
        """Makes an input another than it is, and still one that no row has."""
        known = self.values.get((wish.where, wish.name))
        if isinstance(known, int):
            self.values[wish.where, wish.name] = known - 1
        elif isinstance(known, str):
            head, at, tail = known.partition("@")
            self.values[wish.where, wish.name] = f"{head}-2{at}{tail}" if not known.isdigit() else str(int(known) - 1)

    # -- what is sent -----------------------------------------------------------------------------------------------

    def path(self) -> str | None:
        """The path with its placeholders filled; None where it is written in a way that cannot be filled."""
        filled = _PLACEHOLDER.sub(lambda found: quote(_as_text(self._in_path(found[1])), safe=""), self.route.path)
        return filled if not re.search(r"[{}<>^$\\*()]", filled) else None

    def _in_path(self, name: str) -> Any:
        value = self.values.get(("path", name))
        return "1" if value is None else value

    def pairs(self, where: str) -> tuple[tuple[str, str], ...]:
        """What is sent by name in the query string, or as headers."""
        return tuple(
            (n, _as_text(value)) for (w, n), value in self.values.items() if w == where and value is not _ABSENT
        )

    def body(self) -> tuple[str, str]:
        """The body's text and its type; both empty where nothing is sent."""
        where = next((w for w in _BODIES if w in self.whole or any(place == w for place, _ in self.values)), "")
        if self.raw is not None:
            return self.raw, JSON
        if not where:
            return ("", "")
        fields = {name: value for (w, name), value in self.values.items() if w == where}
        whole = self.whole.get(where)
        if isinstance(whole, list):
            return json.dumps(whole), JSON
        joined = {**(whole if isinstance(whole, dict) else {}), **fields}
        joined = {name: value for name, value in joined.items() if value is not _ABSENT}
        if where == "body" and not _takes_forms(self.project, self.route):
            return json.dumps(joined), JSON
        return urlencode([(name, _as_text(value)) for name, value in joined.items()]), FORM


_ABSENT = object()


def _takes_forms(project: Project, route: Route) -> bool:
    """Whether a view says which parsers it has, and they read forms alone."""
    said = class_field(project, route.view, "parser_classes") if route.view is not None else None
    parsers = items(project.resolved(said)) if said is not None else []
    known = project.models.kinds["form-parsers"]
    return bool(parsers) and all(not known.isdisjoint(project.names(parser)) for parser in parsers)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def composed(
    draft: Draft, *, wrong: str, raises: str, at: str, status: int, wanted: Iterable[int], apart: Iterable[Wish] | None
) -> Request | None:
    """The request that a draft is; None where it cannot be sent as it stands.

    ``apart``: a request goes before it, from which it differs in these inputs; None: none does.
    """
    path = draft.path()
    if path is None or not draft.can_be_sent:
        return None
    draft.need_rows()
    body, kind = draft.body() if draft.method not in ("GET", "HEAD") else ("", "")
    first = body if apart is not None else None
    for wish in apart or ():
        draft.tell_apart(wish)
    if apart is not None:
        body, kind = draft.body()
    if kind == FORM and draft.has_null:
        return None
    headers = [pair for pair in draft.pairs("header") if pair[0].lower() != "content-type"]
    cookies = draft.pairs("cookie")
    if cookies:
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
    if kind:
        headers.append(("Content-Type", kind))
    route = draft.route
    return Request(
        method=draft.method,
        path=path if path.startswith("/") else f"/{path}",
        route=route.path,
        framework=route.framework,
        query=draft.pairs("query"),
        headers=tuple(headers),
        body=body,
        wrong=wrong,
        raises=raises,
        at=at,
        status=status,
        wanted=tuple(wanted),
        before=first,
        caller=_callers(draft.project, route),
        stand_ins=stand_ins(draft.project, route),
        rows=tuple(draft.rows),
        application=application(draft.project, route),
        made=tuple(draft.made),
        client=_client(draft.project, route),
    )


def _client(project: Project, route: Route) -> str:
    """How a test asks a route: as its framework is asked, or as the library over it that serves the view."""
    lineage = project.lineage(route.view.name) if route.view is not None else ()
    names = (*lineage, *project.assumed(route.handler, "request"))
    served = {name.partition(".")[0] for name in names}
    clients = project.models.clients.items()
    over = (name for name, client in clients if client.over == route.framework and name in served)
    return next(over, route.framework)


def _callers(project: Project, route: Route) -> tuple[str, ...]:
    """The guards before a route that ask who calls; what a login asks of a caller is none."""
    asking = (step for step in steps(project, route) if step.how != "check" and set(step.kinds) - {"rate-limit"})
    return tuple(dict.fromkeys(step.name for step in asking))
