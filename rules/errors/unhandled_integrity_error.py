"""errors/unhandled-integrity-error."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import conflicts, nulls
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/unhandled-integrity-error", severity="medium", cwe=755, owasp=("A10:2025",), tags=("reliability",))
def unhandled_integrity_error(project: Project) -> Iterator[Finding]:
    """An insert or update can break a UNIQUE or foreign key, and no one catches it.

    A second account with the same address, or a reference to a row that is not there, is an everyday mistake of a
    client. The database refuses it, as it should; uncaught, the refusal ends as a 500, and the session may stay broken.

    Mend: catch the integrity error around the commit, roll back, and answer 409 (or 404 for the missing row). A check
    beforehand gives a better message, though two requests at once can still pass it.

    Given:
        # file: models.py
        from sqlalchemy import Column, Integer, String
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()

        class User(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True)
            email = Column(String(200), unique=True)

        # file: app.py
        from fastapi import Depends, FastAPI, HTTPException
        from sqlalchemy.exc import IntegrityError
        from sqlalchemy.orm import Session
        from models import User

        app = FastAPI()

    Bad:
        @app.post("/users")
        def add_user(email: str, db: Session = Depends(get_db)):
            user = User(email=email)
            db.add(user)
            db.commit()
            return {"id": user.id}

    Good:
        @app.post("/users")
        def add_user(email: str, db: Session = Depends(get_db)):
            user = User(email=email)
            db.add(user)
            try:
                db.commit()
            except IntegrityError as error:
                db.rollback()
                raise HTTPException(status_code=409, detail="This address is taken") from error
            return {"id": user.id}

    Links:
        https://docs.sqlalchemy.org/en/20/faq/sessions.html#this-session-s-transaction-has-been-rolled-back
        https://docs.djangoproject.com/en/stable/ref/exceptions/#database-exceptions
    """
    yield from conflicts.findings(project)
    yield from nulls.findings(project)
