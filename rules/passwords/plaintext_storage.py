"""passwords/plaintext-storage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from backaudit.analyses.passwords.keeps import other_stores, saving_serializers
from backaudit.analyses.passwords.label import Password, is_unproven
from backaudit.analyses.passwords.stores import Store, password_stores
from backaudit.backend.data.queries import call_place
from backaudit.flow.trace import Trace
from backaudit.project import Project
from backaudit.project.code import first_line
from backaudit.rule import Finding, Step, rule


@rule(
    "passwords/plaintext-storage",
    severity="critical",
    cwe=256,
    owasp=("A04:2025", "A02:2021", "API2:2023"),
)
def plaintext_storage(project: Project) -> Iterator[Finding]:
    """A password is stored as it was typed.

    Whoever reads the table once, through an injection, a backup or a colleague's laptop, has every user's password, and
    as people use one password in many places, their mailbox and bank too. A password hash that is slow and salted
    turns the same leak into a nuisance.

    Mend: hash the password before it is stored, with Argon2id or bcrypt (`pwdlib`, `argon2-cffi`, `passlib`,
    Django's `set_password`, werkzeug's `generate_password_hash`), and store only the hash.

    Bad:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            password = db.Column(db.String(128))

        @app.post("/register")
        def register():
            db.session.add(User(password=request.form["password"]))
            db.session.commit()
            return "", 201

    Good:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy
        from werkzeug.security import generate_password_hash

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            password_hash = db.Column(db.String(256))

        @app.post("/register")
        def register():
            db.session.add(User(password_hash=generate_password_hash(request.form["password"])))
            db.session.commit()
            return "", 201

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """
    seen = set()
    for store in (*project.once(password_stores), *project.once(other_stores)):
        if store.at in seen:
            continue
        found = list(islice(Trace(project, Password(project)).origins(store.value, store.access, store.at.value), 8))
        proven = next((origin for origin in found if not is_unproven(project, origin.node)), None)
        if found:
            seen.add(store.at)
            finding = _finding(store, (proven or found[0]).steps)
            yield finding if proven is not None else msgspec.structs.replace(finding, shown="strict")
    for fields, name, serializer in saving_serializers(project):
        message = f"`{serializer}` saves the field `{name}` as it comes: nothing hashes the password."
        yield Finding(place=first_line(fields.place), message=message)


def _finding(store: Store, steps: tuple[Step, ...]) -> Finding:
    place = call_place(store.at) if store.at.call is not None else first_line(store.at.place)
    return Finding(
        place=place,
        message=f"The password is stored in {store.where} as `{store.column}` without being hashed.",
        trace=(*steps, Step(place, f"is stored in {store.where} as `{store.column}`")),
    )
