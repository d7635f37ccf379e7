"""portfolio/unchecked-input."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/unchecked-input", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def unchecked_input(project: Project) -> Iterator[Finding]:
    """Bodies are taken as they come, or their texts have no limit.

    What no schema judges ends in the database as the client wrote it: with the wrong type, without a field, a
    megabyte long. The validation rules name each place; this row counts them.

    Mend: hold every body and form against a schema whose texts have a greatest length.

    Bad:
        from flask import Flask, request

        app = Flask(__name__)

        @app.post("/tasks")
        def add():
            data = request.get_json()
            return store(data["title"]), 201

    Good:
        from fastapi import FastAPI
        from pydantic import BaseModel, Field

        app = FastAPI()

        class NewTask(BaseModel):
            title: str = Field(max_length=200)

        @app.post("/tasks", status_code=201)
        def add(task: NewTask):
            return store(task.title)
    """
    yield from lacking(project, "inputs")
