"""portfolio/no-accounts."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-accounts", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_accounts(project: Project) -> Iterator[Finding]:
    """Nobody can register, log in, or is asked who they are.

    An API that somebody applies with is expected to have registration, a login, passwords under a slow hash, and
    routes that ask who is calling before they change data.

    Mend: write registration and login, hash with Argon2id, and put a guard in front of every route that changes
    data.

    Bad:
        from fastapi import FastAPI

        app = FastAPI()
        tasks = []

        @app.post("/tasks")
        def add(title: str):
            tasks.append(title)
            return {"title": title}

    Good:
        from argon2 import PasswordHasher
        from fastapi import Depends, FastAPI, HTTPException
        from fastapi.security import OAuth2PasswordBearer
        from pydantic import BaseModel

        app = FastAPI()
        hasher = PasswordHasher()
        bearer = OAuth2PasswordBearer(tokenUrl="/login")

        class Account(BaseModel):
            email: str
            password: str

        def current_user(token: str = Depends(bearer)):
            user = users.by_token(token)
            if user is None:
                raise HTTPException(status_code=401)
            return user

        @app.post("/register", status_code=201)
        def register(account: Account):
            users.add(account.email, hasher.hash(account.password))

        @app.post("/login")
        def login(account: Account):
            user = users.by_email(account.email)
            if user is None or not hasher.verify(user.password_hash, account.password):
                raise HTTPException(status_code=401)
            return {"token": users.token_of(user)}

        @app.post("/tasks", status_code=201)
        def add(title: str, user=Depends(current_user)):
            return users.add_task(user, title)
    """
    yield from lacking(project, "authentication")
