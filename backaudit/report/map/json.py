"""The survey as JSON for programs, under stable names.

``format`` is the version of this layout; within one, names may be added and none is taken away or changes its meaning.

``routes``    ``methods`` (empty: any), ``path``, ``handler`` (dotted), ``framework``, ``group``, ``source``
              (path:line), ``guards`` (``name``, ``kinds``, ``source``, ``scheme``), ``authenticated``, ``inputs``
              (``name``, empty for a whole body; ``in``, ``required``, ``default``, ``checked``, ``schema``), ``raw``
              (a body or form is taken as it comes), ``response`` (a schema or null), ``statuses``, ``answers`` (with
              ``--reasons``: ``status``, ``reason``, ``source``, and ``method`` where it is of one alone), ``reads``,
              ``writes``, ``summary``, ``application`` (the folders of the program, empty where there is but one)
``schemas``   by title: ``name`` (dotted), ``library``, ``source``, ``extra``, ``model``, ``schema``
``tables``    ``name``, ``source``, ``kind``, ``model``, ``columns`` (``name``, ``type``, ``length``, ``nullable``,
              ``primary``, ``unique``, ``default``, ``references``), ``primary_key``, ``indexes`` (``keys``, ``name``,
              ``unique``, ``where``, ``method``), ``differences`` of models and migrations (``kind``: table, column,
              nullability or index; ``name``, ``only``: models or migrations; ``source``), ``application``
``collections``  of document stores: ``name``, ``source``, ``kind``, ``model``, ``fields`` (``name``, ``type``,
              ``required``, ``references``), ``indexes``, ``application``
``security``  by name: ``kind``, ``name``, ``where``, ``url``
``problems``  what could not be analysed: ``path``, ``kind``, ``message``, ``line``

Every ``schema`` is JSON Schema; references lead to ``#/schemas/TITLE/schema``.
"""

from __future__ import annotations

import msgspec

from backaudit.report.jsontext import json_text
from backaudit.report.map.schemas import Json, Schemas
from backaudit.survey.records import CollectionRow, RouteRow, Sent, Spot, StatusRow, Survey, TableRow

VERSION = 1


def render(survey: Survey, **options: object) -> str:
    """The survey as indented JSON."""
    schemas = _Referring(survey, "#/schemas/")
    data = {
        "format": VERSION,
        "tool": {"name": "backaudit", "version": survey.version},
        "root": survey.root_name,
        "files": survey.files,
        "routes": [_route(row, schemas) for row in survey.routes],
        "schemas": {
            row.title: {
                "name": row.name,
                "library": row.library,
                "source": str(row.at),
                "extra": row.extra,
                "model": row.model,
                "schema": schemas.of_row(row),
            }
            for row in survey.schemas
        },
        "tables": [_table(row) for row in survey.tables],
        "collections": [_collection(row) for row in survey.collections],
        "problems": [msgspec.structs.asdict(problem) for problem in survey.problems],
        "security": {name: msgspec.structs.asdict(scheme) for name, scheme in sorted(survey.security.items())},
    }
    return json_text(data)


class _Referring(Schemas):
    def reference(self, name: str) -> Json:
        row = self.row(name)
        return {"$ref": f"#/schemas/{row.title}/schema"} if row is not None else {"type": "object"}


def _route(row: RouteRow, schemas: Schemas) -> Json:
    return {
        "methods": list(row.methods),
        "path": row.path,
        "handler": row.handler,
        "framework": row.framework,
        "group": row.group,
        "source": str(row.at),
        "guards": [
            {"name": g.name, "kinds": list(g.kinds), "source": str(g.at), "scheme": g.scheme} for g in row.guards
        ],
        "authenticated": row.authenticates,
        "inputs": [_sent(one, schemas) for one in row.sent],
        "raw": bool(row.raw),
        "response": schemas.of_shape(row.answer) if row.answer is not None else None,
        "statuses": list(row.statuses),
        "answers": [_answer(one) for one in row.told],
        "reads": list(row.reads),
        "writes": list(row.writes),
        "summary": row.summary,
        "application": row.application,
    }


def _answer(one: StatusRow) -> Json:
    only = {"method": one.method} if one.method else {}
    return {"status": one.status, "reason": one.reason, "source": str(one.at), **only}


def _sent(one: Sent, schemas: Schemas) -> Json:
    return {
        "name": one.name,
        "in": one.where,
        "required": one.required,
        "default": one.default,
        "checked": one.checked,
        "schema": schemas.of_shape(one.shape),
    }


def _table(row: TableRow) -> Json:
    return {
        "name": row.name,
        "source": _source(row.at),
        "kind": row.source,
        "model": row.model,
        "columns": [msgspec.structs.asdict(column) for column in row.columns],
        "primary_key": list(row.primary),
        "indexes": [msgspec.structs.asdict(index) for index in row.indexes],
        "differences": [
            {"kind": one.kind, "name": one.name, "only": one.only, "source": _source(one.at)} for one in row.differences
        ],
        "application": row.application,
    }


def _collection(row: CollectionRow) -> Json:
    return {
        "name": row.name,
        "source": _source(row.at),
        "kind": row.source,
        "model": row.model,
        "fields": [msgspec.structs.asdict(field) for field in row.fields],
        "indexes": [msgspec.structs.asdict(index) for index in row.indexes],
        "application": row.application,
    }


def _source(at: Spot | None) -> str:
    return str(at) if at is not None else ""
