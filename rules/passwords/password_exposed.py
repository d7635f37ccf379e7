"""passwords/password-exposed."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.answered import answered, kept_in_cookies, printed
from backaudit.analyses.passwords.declared import admin_columns, response_fields, serializer_fields, texts_of_rows
from backaudit.project import Project
from backaudit.rule import Finding, Shown, capitalized, rule

_SOURCES = (response_fields, serializer_fields, answered, kept_in_cookies, printed, admin_columns, texts_of_rows)


@rule("passwords/password-exposed", severity="high", cwe=200, owasp=("A01:2025", "A01:2021", "API3:2023"))
def password_exposed(project: Project) -> Iterator[Finding]:
    """A password or its hash leaves the server.

    A hash in a response can be attacked offline, at billions of guesses a second, by everyone who may call the
    endpoint, and it stays in caches, browsers and logs on the way. No client needs it.

    Mend: answer with a schema of its own that names the fields that may leave (`response_model`, a serializer with
    `write_only` on the password, an explicit dict), and exclude the column from admin pages.

    Given:
        from fastapi import FastAPI
        from pydantic import BaseModel

        app = FastAPI()

    Bad:
        class User(BaseModel):
            id: int
            email: str
            hashed_password: str

        @app.get("/users/{user_id}", response_model=User)
        def read_user(user_id: int):
            return find_user(user_id)

    Good:
        class UserOut(BaseModel):
            id: int
            email: str

        @app.get("/users/{user_id}", response_model=UserOut)
        def read_user(user_id: int):
            return find_user(user_id)

    Links:
        https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/
        https://cwe.mitre.org/data/definitions/200.html
    """
    for source in _SOURCES:
        for exposure in source(project):
            shown: Shown | None = "strict" if exposure.own else None
            told = capitalized(f"{exposure.what}.")
            steps, fixes, assumed = exposure.trace, exposure.fixes, exposure.assumed
            yield Finding(place=exposure.place, message=told, trace=steps, shown=shown, fixes=fixes, assumed=assumed)
