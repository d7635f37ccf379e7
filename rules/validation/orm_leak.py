"""validation/orm-leak."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.columns import choices
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("validation/orm-leak", severity="high", cwe=943, owasp=("A01:2025", "A01:2021", "API3:2023"))
def orm_leak(project: Project) -> Iterator[Finding]:
    """A client chooses the columns by which a query asks, sorts or shows.

    Whoever may name the column may name `password`, and over relations `owner__password__startswith`: rows come or
    stay away letter by letter until the value is known, though no answer shows it. Sorting by a hidden column tells
    its order.

    Mend: take the column from a fixed set of those that a client may name, and the value under a key of your own:
    `order_by(SORTS.get(sort, "created"))`, `filter(title=request.GET["title"])`; or let a filter class declare its
    fields.

    Given:
        from django.contrib.auth.models import User
        from django.http import JsonResponse
        from django.urls import path

    Bad:
        def people(request):
            found = User.objects.filter(**request.GET.dict())[:50]
            return JsonResponse({"names": [user.username for user in found]})

        urlpatterns = [path("people/", people)]

    Good:
        ASKED = {"name": "username__icontains"}

        def people(request):
            wanted = {ASKED[key]: text for key, text in request.GET.items() if key in ASKED}
            found = User.objects.filter(**wanted)[:50]
            return JsonResponse({"names": [user.username for user in found]})

        urlpatterns = [path("people/", people)]

    Links:
        https://www.elttam.com/blog/plormbing-your-django-orm/
        https://cwe.mitre.org/data/definitions/943.html
    """
    for choice in choices(project):
        of = f" of `{choice.table}`" if choice.table else ""
        secret = f", `{choice.secret}` among them" if choice.secret else ""
        called = choice.at.spelled or "the query"
        yield Finding(
            place=choice.at.place.first_line(),
            message=f"{capitalized(choice.origin.what)} and chooses which columns{of} `{called}` {choice.way}{secret}.",
            shown="core" if choice.secret else "strict",
            assumed=choice.assumed,
            trace=(*choice.origin.steps, Step(choice.at.place, f"{choice.way} the column that was named")),
        )
