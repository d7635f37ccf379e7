"""passwords/no-password-policy."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.longest import BCRYPT_BYTES, ENOUGH, badly_limited
from backaudit.analyses.passwords.policy import LEAST, unchecked
from backaudit.analyses.passwords.validators import unjudged
from backaudit.distinct import distinct
from backaudit.project import Project
from backaudit.rule import Finding, rule

_VALIDATORS = (
    'List `{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}}` '
    "and `CommonPasswordValidator` in `AUTH_PASSWORD_VALIDATORS`."
)


@rule(
    "passwords/no-password-policy", severity="low", cwe=521, owasp=("A07:2025", "A07:2021", "API2:2023"), shown="strict"
)
def no_password_policy(project: Project) -> Iterator[Finding]:
    """A new password may be as short as one likes.

    Short passwords are guessed within the number of tries that every login allows. NIST asks for at least 15
    characters where the password is the only factor, 8 where there is another, no rules about kinds of characters,
    and a look into a list of common passwords.

    Mend: ask for a least length where the password is set (`Field(min_length=15)`, WTForms' `Length(min=15)`, Django's
    `validate_password`), and allow at least 64 characters; 72 bytes where bcrypt hashes them.

    Bad:
        from fastapi import FastAPI
        from pydantic import BaseModel

        app = FastAPI()

        class Registration(BaseModel):
            email: str
            password: str

        @app.post("/register", status_code=201)
        def register(body: Registration):
            return create_user(body)

    Good:
        from fastapi import FastAPI
        from pydantic import BaseModel, Field

        app = FastAPI()

        class Registration(BaseModel):
            email: str
            password: str = Field(min_length=15, max_length=128)

        @app.post("/register", status_code=201)
        def register(body: Registration):
            return create_user(body)

    Links:
        https://pages.nist.gov/800-63-4/sp800-63b.html
        https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
    """
    for found in distinct(unchecked(project), lambda one: one.at.place.first_line()):
        place = found.at.place.first_line()
        asked = f"only {found.least} characters are asked of it" if found.least else "no length is asked of it"
        yield Finding(
            place=place,
            message=f"`{found.name}` of {found.where} sets a password, and {asked} (at least {LEAST}, better 15).",
        )
    for place, what in unjudged(project):
        yield Finding(place=place.first_line(), message=f"{what}.", remedy=_VALIDATORS)
    for limit in badly_limited(project):
        if limit.bcrypt:
            what = f"may be {limit.most} characters long, and bcrypt hashes only the first {BCRYPT_BYTES} bytes"
        else:
            what = f"may be {limit.most} characters long at most (allow at least {ENOUGH})"
        yield Finding(place=limit.at.place.first_line(), message=f"`{limit.name}` of {limit.where} {what}.")
