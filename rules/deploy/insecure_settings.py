"""deploy/insecure-settings."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.headers import weakened_headers
from backaudit.analyses.deploy.mends import set_to
from backaudit.backend.deployment.settings import SettingsModule, is_literally, settings_modules
from backaudit.backend.deployment.stages import stage_of
from backaudit.backend.web.frameworks.django_checks import DeployCheck, deploy_checks
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Finding, Fix, assume, rule

_BETTER = {
    "SECURE_SSL_REDIRECT": "True",
    "SECURE_HSTS_SECONDS": "31536000",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": "True",
    "SECURE_HSTS_PRELOAD": "True",
    "SECURE_CONTENT_TYPE_NOSNIFF": "True",
    "SESSION_COOKIE_SECURE": "True",
    "CSRF_COOKIE_SECURE": "True",
    "X_FRAME_OPTIONS": '"DENY"',
    "SECURE_REFERRER_POLICY": '"same-origin"',
    "SECURE_CROSS_ORIGIN_OPENER_POLICY": '"same-origin"',
}
_TALISMAN = (
    ("force_https", "plain HTTP is not redirected"),
    ("strict_transport_security", "browsers are not told to use HTTPS only"),
    ("session_cookie_secure", "the session cookie also goes over plain HTTP"),
    ("session_cookie_http_only", "scripts can read the session cookie"),
)
# What another rule reports: debug-on, hardcoded-secret, csrf-disabled; insecure-cookie where a cookie's setting is off.
_ELSEWHERE = frozenset(("security.W003", "security.W009", "security.W018", "security.W025"))

_SETTINGS = assume("settings", "neither another settings file nor a proxy sets it otherwise")


@rule("deploy/insecure-settings", severity="low", cwe=16, owasp=("A02:2025", "A05:2021", "API8:2023"), shown="strict")
def insecure_settings(project: Project) -> Iterator[Finding]:
    """Production settings leave security headers and HTTPS off.

    What `manage.py check --deploy` would say, without running the project: no redirect to HTTPS, no HSTS, no
    middleware that sets the headers, cookies that plain HTTP carries. What the environment decides is left to it.

    Mend: set `SECURE_SSL_REDIRECT = True` and `SECURE_HSTS_SECONDS`, and keep SecurityMiddleware first in `MIDDLEWARE`.

    Bad:
        # file: shop/settings.py
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]
        MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

    Good:
        # file: shop/settings.py
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]
        SECURE_SSL_REDIRECT = True
        SECURE_HSTS_SECONDS = 31536000
        SECURE_HSTS_INCLUDE_SUBDOMAINS = True
        SECURE_HSTS_PRELOAD = True
        ALLOWED_HOSTS = ["shop.example"]
        MIDDLEWARE = [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ]

    Links:
        https://docs.djangoproject.com/en/stable/howto/deployment/checklist/
    """
    reported: set[Place] = set()
    for module in project.once(settings_modules):
        if module.production and stage_of(project, module.file.path) == "production":
            for finding in _module(project, module):
                if finding.place not in reported:
                    reported.add(finding.place)
                    yield finding
    yield from _talisman(project)
    for at, fault in weakened_headers(project):
        if stage_of(project, at.code.path) == "production":
            yield Finding(place=at.place.first_line(), message=f"This header weakens: {fault}.", assumed=_SETTINGS)


def _module(project: Project, module: SettingsModule) -> Iterator[Finding]:
    """A finding for each setting that is wrong, and one for all that are absent."""
    listed = [module.names[name] for name in ("MIDDLEWARE", "INSTALLED_APPS", "ROOT_URLCONF") if name in module.names]
    found: dict[Place, list[DeployCheck]] = {}
    for check in deploy_checks(project, module):
        at = check.node or (listed[0] if listed else None)
        told_elsewhere = check.id in _ELSEWHERE or (check.node is not None and "COOKIE" in check.setting)
        if at is not None and not told_elsewhere:
            found.setdefault(at.place, []).append(check)
    for place, checks in found.items():
        yield _finding(place, checks)


def _finding(place: Place, checks: list[DeployCheck]) -> Finding:
    said = "; ".join(f"{check.fault} (`{check.setting}`, {check.id})" for check in checks)
    wrong = ", ".join(f"`{check.setting} = {_BETTER[check.setting]}`" for check in checks if check.setting in _BETTER)
    return Finding(
        place=place,
        message=f"In the settings that are deployed, {said}.",
        remedy=f"Set {wrong}." if wrong else "",
        assumed=_SETTINGS,
        fixes=tuple(fix for check in checks for fix in _fixes(check)) if len(checks) == 1 else (),
    )


def _fixes(check: DeployCheck) -> Iterator[Fix]:
    if check.node is not None and check.setting in _BETTER:
        yield from set_to(check.node, check.setting, _BETTER[check.setting])


def _talisman(project: Project) -> Iterator[Finding]:
    """Flask's headers, with a protection switched off."""
    for call in project.calls("flask_talisman.Talisman", "flask_talisman.Talisman.init_app"):
        if stage_of(project, call.code.path) == "production":
            for option, fault in _TALISMAN:
                given = call.arg(None, option)
                if given is not None and is_literally(project, given, False):
                    told, fixes = f"`{option}=False`: {fault}.", tuple(set_to(given, option, "True"))
                    yield Finding(place=given.place, message=told, assumed=_SETTINGS, fixes=fixes)
