"""Tests for pytest that send what findings name: they fail today, and pass when the mistakes are mended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from backaudit.facts.requests import FORM, JSON, Application, Request, Row, StandIn
from backaudit.issue import Issue
from backaudit.project.knowledge import ClientModel
from backaudit.report.requests import outcome, target

_WIDTH = 100
_WAITS = "log a caller in and make the rows that are named above, then take this line away"


class Case(msgspec.Struct, frozen=True):
    """A request that can be written as a test, with how its framework is asked."""

    request: Request
    application: Application
    client: ClientModel

    @property
    def waits(self) -> bool:
        """Whether a person has to put a caller or rows in before it can tell anything."""
        unknown = bool(self.request.caller) and not self.logs_in
        return unknown or (bool(self.request.rows) and not self._makes_rows)

    @property
    def _makes_rows(self) -> bool:
        return bool(self.client.row) and len(self.request.made) == len(self.request.rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that the test makes by itself."""
        return self.request.made if self._makes_rows else ()

    @property
    def logs_in(self) -> bool:
        """Whether the test lets a caller in."""
        return bool(self.request.caller and (self.client.login or self.stand_ins))

    @property
    def stand_ins(self) -> tuple[StandIn, ...]:
        """What the test replaces the guards by."""
        return self.request.stand_ins if self.client.stand_in and not self.client.login else ()


def cases(issues: Iterable[Issue], clients: Mapping[str, ClientModel]) -> tuple[Case, ...]:
    """The tests that findings give, one for each request."""
    found: dict[Request, Case] = {}
    for issue in issues:
        request = issue.finding.request
        client = clients.get(request.client) if request is not None and _can_fail(request) else None
        if request is not None and request.application is not None and client is not None:
            found.setdefault(request, Case(request, request.application, client))
    return tuple(found.values())


def _can_fail(request: Request) -> bool:
    """Whether the status tells today's answer from the one that is due: a refusal that says too much is one as well."""
    return not 400 <= request.status < 500


def render(several: Sequence[Case]) -> str:
    """A module of tests, complete as it stands."""
    written = _Module(several)
    return "\n".join(written.lines()) + "\n"


class _Module:
    def __init__(self, several: Sequence[Case]) -> None:
        self.cases = several
        self.applications = list(dict.fromkeys((case.application, case.client) for case in several))
        self.names: set[str] = set()
        self.models = _models(several)
        making = (case.client for case in several if _makes(case))
        self.making = {client.making: client.making_imports for client in making}
        self.body = [line for case in several for line in self._test(case)]

    def lines(self) -> Iterator[str]:
        yield '"""What a client may get wrong is no failure of the server\'s.'
        yield ""
        yield "The tests use the database that the application is configured with: let it be one for tests."
        yield '"""'
        yield ""
        yield from self._imports()
        for number, (application, client) in enumerate(self.applications):
            yield from self._fixture(number, application, client)
        for text in self.making:
            yield from ("", "", *text.strip().splitlines())
        yield from self.body

    def _imports(self) -> Iterator[str]:
        before = [line for application, client in self.applications for line in _before(application, client)]
        folders = self._folders()
        standard = list(_standard("\n".join([*self.making, *self.body]), before, folders))
        yield from standard
        yield from [""] if standard else []
        own = [line for _, client in self.applications for line in client.imports]
        for imports in self.making.values():
            own += imports
        yield from sorted({"import pytest", *own}, key=lambda line: (line.startswith("from"), line))
        yield ""
        yield from (f"sys.path.insert(0, {_quoted(folder)})" for folder in folders)
        yield from dict.fromkeys(before)
        yield from self._imported(late=bool(before or folders))

    def _folders(self) -> list[str]:
        """What has to be on the import path."""
        of_applications = {application.folder for application, _ in self.applications}
        return sorted((of_applications | {model.folder for model in self.models}) - {""})

    def _imported(self, *, late: bool) -> Iterator[str]:
        """The applications, under a name of their own each; ``late``: other statements stand before."""
        mark = "  # noqa: E402" if late else ""
        named = [(row.module, row.name, alias) for row, alias in self.models.items()]
        for number, (application, _) in enumerate(self.applications):
            if application.name:
                named.append((application.module, application.name, _of_number(application.name, number)))
        for module in dict.fromkeys(module for module, _, _ in reversed(named)):
            of_module = sorted((name, alias) for each, name, alias in named if each == module)
            listed = ", ".join(name if name == alias else f"{name} as {alias}" for name, alias in of_module)
            yield f"from {module} import {listed}{mark}"

    def _fixture(self, number: int, application: Application, client: ClientModel) -> Iterator[str]:
        yield from ("", "", "@pytest.fixture")
        name = _of_number("app" if application.called else application.name, number)
        made = [f"{name} = {_of_number(application.name, number)}()"] if application.called else []
        body = [*made, *(line.replace("{app}", name) for line in client.fixture)]
        yield f"def {_of_number('client', number)}({'request' if any('request.' in line for line in body) else ''}):"
        yield from (f"    {line}" for line in body)

    def _test(self, case: Case) -> Iterator[str]:
        number = self.applications.index((case.application, case.client))
        name = self._name(case.request)
        client = _of_number("client", number)
        given = ", ".join([client, "monkeypatch"] if case.stand_ins and not case.waits else [client])
        yield from ("", "", f"def {name}({given}):")
        yield from _comment(case.request)
        if case.waits:
            yield f"    pytest.skip({_quoted(_WAITS)})"
        yield from (f"    {line}" for line in self._login(case, client))
        for row in case.rows:
            values = "".join(f", {name}={_literal(value)}" for name, value in row.values)
            made = case.client.row.replace("{model}", self.models[_model(row)]).replace("{values}", values)
            yield f"    {made}"
        yield from self._asking(case, client)
        yield from (f"    {line}" for line in _assertions(case))

    def _login(self, case: Case, client: str) -> Iterator[str]:
        """What lets the caller in; a test that waits is not let in by anything."""
        if case.waits:
            return
        if case.logs_in and case.client.login:
            yield case.client.login.replace("client", client, 1)
        for one in case.stand_ins:
            caller = f"an_instance({self.models[one.gives]})" if one.gives is not None else "None"
            line = case.client.stand_in.replace("client", client, 1).replace("{guard}", self.models[_guard(one)])
            yield line.replace("{caller}", caller)

    def _asking(self, case: Case, client: str) -> Iterator[str]:
        if case.request.first is not None:
            yield from _asked(case.request.first, case.client, client, "")
        yield from _asked(case.request, case.client, client, "response = ")

    def _name(self, request: Request) -> str:
        words = re.sub(r"\W+", "_", f"{request.method} {request.route} {request.wrong}".lower()).strip("_")
        words = "_".join(words.split("_")[:12])
        numbered = (f"test_{words}", *(f"test_{words}_{number}" for number in range(2, 999)))
        chosen = next(name for name in numbered if name not in self.names)
        self.names.add(chosen)
        return chosen


def _standard(body: str, before: Sequence[str], folders: Sequence[str]) -> Iterator[str]:
    """What the tests need of the standard library."""
    if "contextlib." in body:
        yield "import contextlib"
    if "json.dumps(" in body:
        yield "import json"
    if any("os.environ" in line for line in before):
        yield "import os"
    if folders:
        yield "import sys"
    if "urlencode(" in body:
        yield "from urllib.parse import urlencode"


def _of_number(name: str, number: int) -> str:
    return name if number == 0 else f"{name}_{number + 1}"


def _before(application: Application, client: ClientModel) -> list[str]:
    return [line.replace("{module}", _quoted(application.module)) for line in client.before]


def _comment(request: Request) -> Iterator[str]:
    words = outcome(request).split()
    line = "    #"
    for word in words:
        if len(line) + len(word) + 1 > _WIDTH:
            yield line
            line = "    #"
        line += f" {word}"
    yield line


def _assertions(case: Case) -> Iterator[str]:
    """What holds once the mistake is mended: no failure of the server's; a failure that was called a success is one.
    Before, that the request has come as far as the mistake: who is turned away shows nothing.
    """
    turned_away = [401, 403] if case.logs_in else []
    turned_away += [404] if case.rows and 404 not in case.request.wanted else []
    if turned_away:
        yield f'assert response.status_code not in {tuple(turned_away)!r}, "the caller, or a row, is another\'s"'
    least = ">= 400" if case.request.status < 400 else "< 500"
    yield f"assert response.status_code {least}, response.{case.client.text}"


def _model(row: Row) -> Row:
    """The model alone of which a row is."""
    return msgspec.structs.replace(row, values=())


def _makes(case: Case) -> bool:
    """Whether a test calls the functions that make rows."""
    if case.stand_ins:
        return not case.waits and any(one.gives is not None for one in case.stand_ins)
    return bool(case.rows or case.logs_in)


def _guard(one: StandIn) -> Row:
    """The guard that is replaced, as a name that is imported."""
    return Row(one.module, one.name, folder=one.folder)


def _needed(case: Case) -> Iterator[Row]:
    """What a test needs of the project, other than its application."""
    yield from (_model(row) for row in case.rows)
    for one in case.stand_ins if not case.waits else ():
        yield _guard(one)
        if one.gives is not None:
            yield one.gives


def _models(several: Sequence[Case]) -> dict[Row, str]:
    """The models and guards that tests name, each with the name by which its module knows it."""
    found: dict[Row, str] = {}
    for model in dict.fromkeys(row for case in several for row in _needed(case)):
        names = (model.name, *(f"{model.name}{number}" for number in range(2, 999)))
        found[model] = next(name for name in names if name not in found.values())
    return found


def _asked(request: Request, client: ClientModel, name: str, kept: str) -> Iterator[str]:
    called, arguments = _call(request, client)
    called = kept + called.replace("client", name, 1)
    line = f"    {called}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"    {called}("
    yield from (f"        {argument}," for argument in arguments)
    yield "    )"


def _call(request: Request, client: ClientModel) -> tuple[str, list[str]]:
    """What is called, and its arguments."""
    parts = [*_body(request, client)]
    headers = {name: value for name, value in request.headers if name != "Content-Type"}
    if request.content_type and request.content_type != _implied(request, client):
        if client.kind.isidentifier() or "=" not in client.kind:
            headers["Content-Type"] = request.content_type
        else:
            parts.append(client.kind.replace("{kind}", _quoted(request.content_type)))
    if headers:
        parts.append(client.headers.replace("{headers}", _literal(headers)))
    method, path = _quoted(request.method), _quoted(target(request))
    first = [path, client.method.replace("{method}", method)] if client.method else [method, path]
    return client.call, [*first, *parts]


def _body(request: Request, client: ClientModel) -> Iterator[str]:
    if request.content_type == JSON and _is_json(request.body):
        yield client.json.replace("{body}", _literal(json.loads(request.body)))
    elif request.content_type == FORM:
        yield client.form.replace("{body}", _literal(dict(parse_qsl(request.body, keep_blank_values=True))))
    elif request.content_type:
        yield client.raw.replace("{body}", _quoted(request.body))


def _implied(request: Request, client: ClientModel) -> str:
    """The content type that the client sends by itself for such a body: keywords named after a kind say it."""
    if request.content_type == JSON:
        return JSON if client.json.startswith("json=") and _is_json(request.body) else ""
    return FORM if client.form.startswith("data=") else ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _literal(value: Any) -> str:
    spelled = repr(value)
    return spelled if '"' in spelled or "\\" in spelled else spelled.replace("'", '"')


def _quoted(text: str) -> str:
    return json.dumps(text)


__all__ = ["Case", "cases", "render"]
