"""auth/csrf-disabled."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.attempts import is_login
from backaudit.analyses.auth.forgery import (
    exempted,
    forms_without_token,
    left_out,
    stays_at_home,
    unprotected_applications,
)
from backaudit.backend.deployment.django_settings import django_setting
from backaudit.backend.deployment.settings import is_literally, settings_named
from backaudit.backend.web.records import Route
from backaudit.project import Project
from backaudit.project.locate import strings
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume, capitalized, rule

_UNPROTECTED = assume("wrapper", "nothing else in front of the forms protects them")


@rule("auth/csrf-disabled", severity="medium", cwe=352, owasp=("A01:2025", "A01:2021"))
def csrf_disabled(project: Project) -> Iterator[Finding]:
    """Protection against forged requests is off where a cookie logs in.

    The browser sends the session's cookie with every request, also with one that another site's page makes. Without a
    token that only your own pages know, any page that a logged-in user visits can post forms in the user's name.

    Mend: leave the protection on. Views that are called by programs belong behind a token in a header instead of a
    cookie; for those the exemption does no harm.

    Given:
        # file: settings.py
        ROOT_URLCONF = "urls"
        INSTALLED_APPS = ["django.contrib.auth"]
        # file: urls.py
        from django.urls import path

        from views import close

        urlpatterns = [path("close/", close)]

    Bad:
        # file: views.py
        from django.contrib.auth.decorators import login_required
        from django.views.decorators.csrf import csrf_exempt

        @csrf_exempt
        @login_required
        def close(request):
            request.user.delete()

    Good:
        # file: views.py
        from django.contrib.auth.decorators import login_required

        @login_required
        def close(request):
            request.user.delete()

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    for name in sorted(project.models.kinds["csrf-settings"]):
        by_hand = name == "WTF_CSRF_CHECK_DEFAULT" and project.calls_of("protect")
        for setting in settings_named(project, name) if not by_hand else ():
            if is_literally(project, setting.value, False):
                message = f"`{setting.name} = False` turns the protection of every form off."
                yield Finding(place=setting.place, message=message)
    yield from _django_middleware(project)
    yield from _exempt(project)
    yield from _left_out(project)
    yield from _forms(project)
    yield from _never_on(project)


def _django_middleware(project: Project) -> Iterator[Finding]:
    setting = django_setting(project, "MIDDLEWARE") or django_setting(project, "MIDDLEWARE_CLASSES")
    listed = strings(project, setting.value) if setting is not None else ()
    sessions = not project.models.kinds["session-middleware"].isdisjoint(listed)
    if setting is not None and sessions and not any("csrf" in name.lower() for name in listed):
        protection = min(project.models.kinds["csrf-middleware"])
        yield Finding(
            place=setting.place,
            message=f"`{setting.name}` has sessions and lacks `{protection}`: no form is protected.",
            remedy=f'Put "{protection}" after the session middleware.',
        )


def _exempt(project: Project) -> Iterator[Finding]:
    """Views that are exempted although a cookie logs in to them."""
    for route, place in exempted(project):
        shown = capitalized(route.label)
        yield Finding(
            place=place,
            message=f"{shown} is exempted from the protection, and the session's cookie logs in to it.",
            scope=route.handler.function.qualname,
        )


def _left_out(project: Project) -> Iterator[Finding]:
    for code, place in left_out(project):
        yield Finding(
            place=place,
            message=f"`{code.function.name}` is written and not among the application's middlewares.",
            remedy=f"Add `{code.function.name}` to `middlewares`.",
        )


def _forms(project: Project) -> Iterator[Finding]:
    """``class Meta: csrf = False`` in a form."""
    for form, field in forms_without_token(project):
        message = f"The form `{form}` is made without its CSRF token."
        yield Finding(place=field.place, message=message, assumed=_UNPROTECTED)


def _never_on(project: Project) -> Iterator[Finding]:
    for call, first in unprotected_applications(project):
        yield Finding(
            place=call.place,
            message=f"No form is protected, and the session's cookie logs in: {first.label} can be posted by any site.",
            remedy="`CSRFProtect(app)` of Flask-WTF, and `{{ csrf_token() }}` in each form.",
            assumed=_UNPROTECTED + _doubts(project, first),
            related=(Step(first.handler.place, "takes a form for whoever the session names"),),
        )


def _doubts(project: Project, form: Route) -> Assumed:
    if stays_at_home(project):
        return assume("guard", "the browser sends the cookie with other sites' forms, although `SameSite` is set")
    if is_login(project, form):
        return assume("reach", "a form that is posted for somebody logged in changes something")
    return KNOWN
