"""errors/unhandled-not-found."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import absences
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/unhandled-not-found", severity="medium", cwe=(755, 476), owasp=("A10:2025",), tags=("reliability",))
def unhandled_not_found(project: Project) -> Iterator[Finding]:
    """A look-up by what a client sent finds nothing, and ends as a 500.

    Any client can ask for a row that is not there. A look-up that raises then, or gives None that the next line reads
    an attribute of, turns that everyday question into a server error: the client is not told what it did wrong, and
    the log fills with tracebacks that hide the real ones.

    Mend: ask for the row in the way that answers 404 by itself (`get_object_or_404`, `get_or_404`), or check the result
    before it is used.

    Bad:
        # file: shop/models.py
        from django.db import models

        class Product(models.Model):
            slug = models.SlugField(unique=True)

        # file: shop/views.py
        from django.shortcuts import render
        from shop.models import Product

        def product(request, slug):
            return render(request, "product.html", {"product": Product.objects.get(slug=slug)})

        # file: shop/urls.py
        from django.urls import path
        from shop import views

        urlpatterns = [path("products/<slug:slug>/", views.product)]

    Bad:
        from fastapi import Depends, FastAPI
        from sqlalchemy.orm import Session
        from models import User

        app = FastAPI()

        @app.get("/users/{user_id}")
        def name_of(user_id: int, db: Session = Depends(get_db)):
            user = db.get(User, user_id)
            return {"name": user.name}

    Good:
        from fastapi import Depends, FastAPI, HTTPException
        from sqlalchemy.orm import Session
        from models import User

        app = FastAPI()

        @app.get("/users/{user_id}")
        def name_of(user_id: int, db: Session = Depends(get_db)):
            user = db.get(User, user_id)
            if user is None:
                raise HTTPException(status_code=404, detail="No such user")
            return {"name": user.name}

    Links:
        https://docs.djangoproject.com/en/stable/topics/http/shortcuts/#get-object-or-404
        https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html
    """
    yield from absences.findings(project)
