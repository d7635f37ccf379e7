"""deploy/insecure-settings."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.settings import SettingsModule, is_literally, settings_modules
from backaudit.backend.stages import stage_of
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step, rule

# A setting, whether its absence is the fault too, and what is wrong then.
_SWITCHES: tuple[tuple[str, bool, str], ...] = (
    ("SECURE_SSL_REDIRECT", True, "plain HTTP is not redirected"),
    ("SECURE_HSTS_SECONDS", True, "browsers are not told to use HTTPS only"),
    ("SECURE_CONTENT_TYPE_NOSNIFF", False, "browsers may guess content types"),
)
_MIDDLEWARE = (
    ("django.middleware.security.SecurityMiddleware", "its security headers are not sent"),
    ("django.middleware.clickjacking.XFrameOptionsMiddleware", "other sites may frame its pages"),
)


@rule("deploy/insecure-settings", severity="low", cwe=16, owasp=("A02:2025", "A05:2021", "API8:2023"), shown="strict")
def insecure_settings(project: Project) -> Iterator[Finding]:
    """Production settings leave security headers and HTTPS off.

    What `manage.py check --deploy` would say, without running the project: no redirect to HTTPS, no HSTS, no
    middleware that sets the headers.

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
        MIDDLEWARE = [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ]

    Links:
        https://docs.djangoproject.com/en/stable/howto/deployment/checklist/
    """
    for module in project.once(settings_modules):
        listed = module.names.get("MIDDLEWARE") if module.production else None
        if listed is not None and stage_of(project, module.file.path) == "production":
            missing = [*_switched_off(project, module), *_left_out(project, listed)]
            if missing:
                yield _finding(listed, missing)


def _switched_off(project: Project, module: SettingsModule) -> Iterator[tuple[str, str, Node | None]]:
    for name, needed, fault in _SWITCHES:
        value = module.names.get(name)
        if value is None and needed:
            yield name, fault, None
        elif value is not None and (is_literally(project, value, False) or is_literally(project, value, 0)):
            yield name, fault, value


def _left_out(project: Project, listed: Node) -> Iterator[tuple[str, str, Node | None]]:
    built = project.resolved(listed)
    op = built.op
    if not isinstance(op, ops.Build) or built.code.effects.get(built.value):
        return
    names = {built.to(item).text for item in op.items}
    for name, fault in _MIDDLEWARE:
        if name not in names and None not in names:
            yield name.rpartition(".")[2], fault, None


def _finding(listed: Node, missing: list[tuple[str, str, Node | None]]) -> Finding:
    first = next((node for _, _, node in missing if node is not None), listed)
    said = "; ".join(f"{fault} (`{name}`)" for name, fault, _ in missing)
    related = tuple(
        Step(node.place, f"`{name}` is off.") for name, _, node in missing if node is not None and node != first
    )
    return Finding(
        place=first.place, message=f"In the settings that are deployed, {said}.", confidence="medium", related=related
    )
