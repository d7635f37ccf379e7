"""deploy/insecure-settings."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.headers import weakened_headers
from backaudit.analyses.deploy.mends import set_to
from backaudit.backend.deployment.django_settings import SettingsModule, settings_modules
from backaudit.backend.deployment.settings import is_literally
from backaudit.backend.deployment.stages import stage_of
from backaudit.backend.web.frameworks.django_checks import DeployCheck, deploy_checks
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Finding, Fix, assume, rule

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
    yield from _headers_off(project)
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
        yield _finding(project, place, checks)


def _finding(project: Project, place: Place, checks: list[DeployCheck]) -> Finding:
    said = "; ".join(f"{check.fault} (`{check.setting}`, {check.id})" for check in checks)
    better = {check.setting: _better(project, check) for check in checks}
    wrong = ", ".join(f"`{setting} = {value}`" for setting, value in better.items() if value)
    return Finding(
        place=place,
        message=f"In the settings that are deployed, {said}.",
        remedy=f"Set {wrong}." if wrong else "",
        assumed=_SETTINGS,
        fixes=tuple(fix for check in checks for fix in _fixes(project, check)) if len(checks) == 1 else (),
    )


def _better(project: Project, check: DeployCheck) -> str:
    return project.models.settings[check.setting].better


def _fixes(project: Project, check: DeployCheck) -> Iterator[Fix]:
    if check.node is not None and _better(project, check):
        yield from set_to(check.node, check.setting, _better(project, check))


def _headers_off(project: Project) -> Iterator[Finding]:
    """Headers that an extension sends, with a protection switched off."""
    for call in project.calls(*sorted(project.models.kinds["protecting-extensions"])):
        if stage_of(project, call.code.path) == "production":
            for option, fault in project.models.words["protections"].items():
                given = call.arg(None, option)
                if given is not None and is_literally(project, given, False):
                    told, fixes = f"`{option}=False`: {fault}.", tuple(set_to(given, option, "True"))
                    yield Finding(place=given.place, message=told, assumed=_SETTINGS, fixes=fixes)
