"""The back end as an OpenAPI 3.1 document: what its code really offers, not what it says of itself.

What the standard has no word for stands in extensions: ``x-handler``, ``x-source``, ``x-guards``, ``x-reads``,
``x-writes`` of an operation, ``x-websockets`` and ``x-problems`` (what could not be analysed) of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from backaudit.backend.web.inputs.records import Shape
from backaudit.report.jsontext import json_text
from backaudit.report.map.schemas import Json, Schemas, admits, component_name
from backaudit.survey.records import RouteRow, SecurityScheme, Sent, Survey

VERSION = "3.1.0"
_METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
_WITH_BODY = frozenset({"PUT", "POST", "PATCH", "DELETE"})
_MULTIPART = "multipart/form-data"
# Headers that OpenAPI describes elsewhere: parameters of these names are to be ignored.
_NO_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
_TEXT = Shape(kind="string")
_EMPTY = frozenset({204, 205, 304})
# Frameworks that answer 422 themselves where what is sent does not fit its declaration.
_REFUSING = frozenset({"fastapi", "ninja"})


def render(survey: Survey, **options: object) -> str:
    """The document as indented JSON."""
    return json_text(_Document(survey).made())


class _Document:
    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.schemas = Schemas(survey, "#/components/schemas/")
        self.names: set[str] = set()

    def made(self) -> Json:
        survey = self.survey
        components: Json = {"schemas": {component_name(row.title): self.schemas.of_row(row) for row in survey.schemas}}
        if survey.security:
            schemes = sorted(survey.security.items())
            components["securitySchemes"] = {component_name(name): _scheme(scheme) for name, scheme in schemes}
        document: Json = {
            "openapi": VERSION,
            "info": {
                "title": survey.root_name or "API",
                "version": "0.0.0",
                "description": "What the code offers, read from it by backaudit.",
            },
            "paths": self._paths(),
            "components": components,
            "tags": [{"name": name} for name in sorted({row.group for row in survey.routes} - {""})],
        }
        sockets = [row for row in survey.routes if "WEBSOCKET" in row.methods]
        extensions = {
            "x-websockets": [{"path": _path(row.path), "x-handler": row.handler} for row in sockets],
            "x-problems": [msgspec.structs.asdict(problem) for problem in survey.problems],
        }
        return document | {name: listed for name, listed in extensions.items() if listed}

    # -- paths --------------------------------------------------------------------------------------------------------

    def _paths(self) -> Json:
        paths: dict[str, Json] = {}
        spelled: dict[str, str] = {}
        for row in self.survey.routes:
            path = _path(row.path)
            kept = spelled.setdefault(re.sub(r"\{[^}]*\}", "{}", path), path)
            renamed = dict(zip(_placeholders(path), _placeholders(kept), strict=True))
            for method in _methods(row):
                item = paths.setdefault(kept, {})
                known = item.get(method.lower())
                if known is None:
                    item[method.lower()] = self._operation(row, method, kept, renamed)
                else:
                    known.setdefault("x-also", []).append(row.handler)
        return {path: dict(sorted(item.items())) for path, item in sorted(paths.items()) if item}

    def _operation(self, row: RouteRow, method: str, path: str, renamed: dict[str, str]) -> Json:
        made: Json = {"operationId": self._id(row, method, path), "tags": [row.group] if row.group else []}
        schemes = dict.fromkeys(guard.scheme for guard in row.guards if guard.scheme)
        parts: Json = {
            "summary": row.summary,
            "parameters": list(self._parameters(row, path, renamed)),
            "requestBody": self._body(row) if method in _WITH_BODY else None,
            "responses": self._responses(row, method),
            "security": [{component_name(name): []} for name in schemes],
            "x-handler": row.handler,
            "x-source": str(row.at),
            "x-guards": [guard.name for guard in row.guards],
            "x-reads": list(row.reads),
            "x-writes": list(row.writes),
        }
        always = ("responses", "x-handler", "x-source")
        return made | {name: part for name, part in parts.items() if part or name in always}

    def _id(self, row: RouteRow, method: str, path: str) -> str:
        """The handler's name; with method and path where several operations have it."""
        parts = row.handler.split(".")
        name = "_".join(parts[-2:]) if parts[-2:-1] and parts[-2][:1].isupper() else parts[-1]
        name = re.sub(r"\W+", "_", name).strip("_") or "operation"
        candidates = [name, f"{name}_{method.lower()}", f"{name}{re.sub(r'[^A-Za-z0-9]+', '_', path)}_{method.lower()}"]
        candidates += [f"{candidates[-1]}_{number}" for number in range(2, 99)]
        chosen = next(candidate for candidate in candidates if candidate not in self.names)
        self.names.add(chosen)
        return chosen

    def _parameters(self, row: RouteRow, path: str, renamed: dict[str, str]) -> Iterator[Json]:
        known = {one.name: one for one in row.sent if one.where == "path"}
        for name in _placeholders(_path(row.path)):
            one = known.get(name, Sent(name=name, where="path", shape=_TEXT))
            yield {
                "name": renamed.get(name, name),
                "in": "path",
                "required": True,
                "schema": self.schemas.of_shape(one.shape),
            }
        for one in row.sent:
            if one.where in ("query", "header", "cookie") and one.name and one.name.lower() not in _NO_PARAMETERS:
                yield self._parameter(one)

    def _parameter(self, one: Sent) -> Json:
        schema = self.schemas.of_shape(one.shape)
        if one.default is not None and admits(one.shape, one.default):
            schema["default"] = one.default
        made: Json = {"name": one.name, "in": one.where, "required": one.required, "schema": schema}
        return made

    # -- bodies -------------------------------------------------------------------------------------------------------

    def _body(self, row: RouteRow) -> Json | None:
        bodies = [one for one in row.sent if one.where == "body"]
        forms = [one for one in row.sent if one.where in ("form", "file")]
        content: Json = {}
        for sent, kind in ((forms, "application/x-www-form-urlencoded"), (bodies, "application/json")):
            if sent:
                content[_MULTIPART if self._holds_files(sent) else kind] = {"schema": self._joined(sent)}
        required = not (bodies and forms) and any(one.required for one in (*bodies, *forms))
        return {"required": required, "content": content} if content else None

    def _holds_files(self, sent: list[Sent]) -> bool:
        return any(one.where == "file" or self.schemas.holds_files(one.shape) for one in sent)

    def _joined(self, sent: list[Sent]) -> Json:
        """One schema of a body's parts: whole schemas, and fields that are sent by themselves."""
        fields = [one for one in sent if one.name]
        # A whole that nothing checks is what the fields are read from; by itself it may be anything.
        wholes = [self._whole(one) for one in sent if not one.name and (one.checked or not fields)]
        wholes += [self._fields(fields)] if fields else []
        return wholes[0] if len(wholes) == 1 else {"allOf": wholes}

    def _fields(self, fields: list[Sent]) -> Json:
        made: Json = {"type": "object", "properties": {one.name: self._property(one) for one in fields}}
        required = [one.name for one in fields if one.required]
        return {**made, "required": required} if required else made

    def _whole(self, one: Sent) -> Json:
        told = one.checked or one.shape.kind in ("object", "array")
        return self.schemas.of_shape(one.shape) if told else {}

    def _property(self, one: Sent) -> Json:
        schema = self.schemas.of_shape(one.shape)
        if one.default is not None and admits(one.shape, one.default):
            schema["default"] = one.default
        return schema

    # -- answers ------------------------------------------------------------------------------------------------------

    def _responses(self, row: RouteRow, method: str) -> Json:
        own = tuple(one for one in row.told if one.method in ("", method))
        others = {one.status for one in row.told} - {one.status for one in own}
        row = msgspec.structs.replace(row, told=own)
        statuses = (set(row.statuses) - others) | ({row.status} if row.status else set())
        if row.framework in _REFUSING and any(one.checked for one in row.sent):
            statuses.add(422)
        if _is_silent(row, statuses):
            statuses.add(200)
        success = [status for status in statuses if 200 <= status < 300]
        shown = row.status if row.status in success else min(success, default=0)
        return {str(status): self._response(row, status, status == shown) for status in sorted(statuses)}

    def _response(self, row: RouteRow, status: int, shown: bool) -> Json:
        why = [f"{one.reason} ({one.at})" for one in row.told if one.status == status]
        made: Json = {"description": "; ".join([_phrase(status), *why])}
        if shown and row.answer is not None and status not in _EMPTY:
            made["content"] = {"application/json": {"schema": self.schemas.of_shape(row.answer)}}
        return made


def _methods(row: RouteRow) -> Iterable[str]:
    """The methods of a route; where it answers any, those that it has a use for."""
    if row.methods:
        return [method for method in _METHODS if method in row.methods]
    takes = any(one.where in ("body", "form", "file") for one in row.sent) or bool(row.writes)
    return ("GET", "POST") if takes else ("GET",)


def _path(path: str) -> str:
    """A path whose placeholders have names of their own."""
    seen: dict[str, int] = {}

    def put(found: re.Match[str]) -> str:
        name = re.sub(r"\W+", "_", found[1]) or "part"
        seen[name] = seen.get(name, 0) + 1
        return "{" + (name if seen[name] == 1 else f"{name}{seen[name]}") + "}"

    made = re.sub(r"\{([^{}]*)\}", put, path)
    return made if made.startswith("/") else f"/{made}"


def _placeholders(path: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", path)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _scheme(scheme: SecurityScheme) -> dict[str, Any]:
    if scheme.kind == "oauth2":
        return {"type": "oauth2", "flows": {"password": {"tokenUrl": scheme.url or "token", "scopes": {}}}}
    if scheme.kind == "key":
        return {"type": "apiKey", "in": scheme.where or "header", "name": scheme.name or "Authorization"}
    return {"type": "http", "scheme": scheme.kind}


def _is_silent(row: RouteRow, statuses: set[int]) -> bool:
    """Whether nothing says how a route succeeds, and it does more than lead elsewhere."""
    if any(200 <= status < 300 for status in statuses):
        return False
    return row.answer is not None or not any(300 <= status < 400 for status in statuses)
