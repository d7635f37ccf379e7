"""validation/unbounded-field."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.limits import limitless
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule

_SHOWN = 6


@rule("validation/unbounded-field", severity="low", cwe=1284, owasp=("A06:2025", "API4:2023"), shown="strict")
def unbounded_field(project: Project) -> Iterator[Finding]:
    """A schema that clients fill has text or numbers without limits.

    A name of fifty megabytes is a valid string, and minus a million a valid amount. What the schema lets through, the
    database, the template and the invoice have to bear.

    Mend: say how long and how large: `Field(max_length=80)`, `Field(gt=0, le=10_000)`, `Length(max=80)`,
    `max_length=` on serializer fields.

    Bad:
        from fastapi import FastAPI
        from pydantic import BaseModel

        app = FastAPI()

        class NewNote(BaseModel):
            title: str
            text: str

        @app.post("/notes")
        def create_note(note: NewNote):
            return save(note)

    Good:
        from fastapi import FastAPI
        from pydantic import BaseModel, Field

        app = FastAPI()

        class NewNote(BaseModel):
            title: str = Field(max_length=100)
            text: str = Field(max_length=10_000)

        @app.post("/notes")
        def create_note(note: NewNote):
            return save(note)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Input_Validation_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/1284.html
    """
    for found in limitless(project):
        names = ", ".join(f"`{name}`" for name in found.fields[:_SHOWN])
        more = f" and {len(found.fields) - _SHOWN} more" if len(found.fields) > _SHOWN else ""
        yield Finding(
            place=found.place.first_line(),
            message=f"`{found.name}` takes {names}{more} of any length or size.",
            assumed=assume("network", "no proxy bounds what is sent"),
        )
