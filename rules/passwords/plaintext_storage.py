"""passwords/plaintext-storage."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.keeps import saving_serializers
from backaudit.analyses.passwords.kept import hashed_later, kept_plainly
from backaudit.analyses.passwords.mends import hashed
from backaudit.analyses.passwords.services import of_a_service, table_of_store
from backaudit.analyses.passwords.stores import Store
from backaudit.backend.access.tables import meta_table
from backaudit.backend.data.queries import call_place
from backaudit.project import Project
from backaudit.rule import Finding, Shown, Step, assume, rule

_HASHED = assume("guard", "the row is written before its own method puts a hash in its place")


@rule("passwords/plaintext-storage", severity="critical", cwe=256, owasp=("A04:2025", "A02:2021", "API2:2023"))
def plaintext_storage(project: Project) -> Iterator[Finding]:
    """A password is stored as it was typed.

    Whoever reads the table once, through an injection, a backup or a colleague's laptop, has every user's password, and
    as people use one password in many places, their mailbox and bank too. A password hash that is slow and salted
    turns the same leak into a nuisance.

    Mend: hash the password before it is stored, with Argon2id or bcrypt (`pwdlib`, `argon2-cffi`, `passlib`,
    Django's `set_password`, werkzeug's `generate_password_hash`), and store only the hash.

    Given:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy
        from werkzeug.security import generate_password_hash

        app = Flask(__name__)
        db = SQLAlchemy(app)

    Bad:
        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            password = db.Column(db.String(128))

        @app.post("/register")
        def register():
            db.session.add(User(password=request.form["password"]))
            db.session.commit()
            return "", 201

    Good:
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
    for kept in project.once(kept_plainly):
        yield _finding(project, kept.store, kept.origin.steps, None if kept.proven else "strict")
    for fields, name, serializer, does in saving_serializers(project):
        message = f"`{serializer.cls.name}` {does} the field `{name}` as it comes: nothing hashes the password."
        elsewhere = of_a_service(meta_table(project, serializer.name))
        yield Finding(place=fields.place.first_line(), message=message, assumed=elsewhere)


def _finding(project: Project, store: Store, steps: tuple[Step, ...], shown: Shown | None) -> Finding:
    place = call_place(store.at) if store.at.call is not None else store.at.place.first_line()
    return Finding(
        place=place,
        message=f"The password is stored in {store.where} as `{store.column}` without being hashed.",
        assumed=_HASHED if hashed_later(project, store) else of_a_service(table_of_store(project, store)),
        trace=(*steps, Step(place, f"is stored in {store.where} as `{store.column}`")),
        shown=shown,
        fixes=tuple(hashed(project, store)),
    )
