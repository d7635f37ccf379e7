"""validation/mass-assignment."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.assignment import Assignment, assignments
from backaudit.analyses.validation.chosen import chosen_columns
from backaudit.analyses.validation.writable import exposed_fields
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("validation/mass-assignment", severity="high", cwe=915, owasp=("A01:2025", "A08:2021", "API3:2023"))
def mass_assignment(project: Project) -> Iterator[Finding]:
    """A client chooses which attributes of a stored object it sets.

    Whoever may name the keys may name `is_admin`, `owner_id` or `balance`, too. The form in the browser shows three
    fields; the request may carry any.

    Mend: copy the fields that a client may set, by name or through a schema that has only those. Set owner, role and
    status on the server, from the session or token.

    Bad:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String(80))
            is_admin = db.Column(db.Boolean, default=False)

        @app.post("/users")
        def create_user():
            user = User(**request.get_json())
            db.session.add(user)
            db.session.commit()
            return {"id": user.id}, 201

    Bad:
        # file: shop/models.py
        from django.contrib.auth.models import User
        from django.db import models

        class Order(models.Model):
            owner = models.ForeignKey(User, on_delete=models.CASCADE)
            note = models.CharField(max_length=200)
        # file: shop/serializers.py
        from rest_framework import serializers

        from shop.models import Order

        class OrderSerializer(serializers.ModelSerializer):
            class Meta:
                model = Order
                fields = "__all__"
        # file: shop/views.py
        from rest_framework import viewsets

        from shop.models import Order
        from shop.serializers import OrderSerializer

        class OrderViewSet(viewsets.ModelViewSet):
            queryset = Order.objects.all()
            serializer_class = OrderSerializer
        # file: shop/urls.py
        from rest_framework.routers import DefaultRouter

        from shop.views import OrderViewSet

        router = DefaultRouter()
        router.register("orders", OrderViewSet)
        urlpatterns = router.urls

    Good:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String(80))
            is_admin = db.Column(db.Boolean, default=False)

        @app.post("/users")
        def create_user():
            user = User(name=request.get_json()["name"])
            db.session.add(user)
            db.session.commit()
            return {"id": user.id}, 201

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Mass_Assignment_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/915.html
    """
    for assignment in project.once(assignments):
        yield _chosen_keys(assignment)
    yield from project.once(exposed_fields)
    yield from chosen_columns(project)


def _chosen_keys(assignment: Assignment) -> Finding:
    what = assignment.origin.what
    return Finding(
        place=assignment.at.place.first_line(),
        message=f"{capitalized(what)}, and its keys choose what is set on {assignment.target}.",
        assumed=assignment.assumed,
        trace=(*assignment.origin.steps, Step(assignment.at.place, "sets whatever keys it has")),
    )
