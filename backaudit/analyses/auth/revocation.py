"""Whether tokens can be taken back before they end."""

from __future__ import annotations

from backaudit.analyses.auth.tokens import signings
from backaudit.backend.deployment.django_settings import django_setting
from backaudit.project import Project
from backaudit.project.locate import strings
from backaudit.vocabulary.meaning import meaning

_REVOKES = meaning("tokens", "revocation")
_LOADERS = ("token_in_blocklist_loader", "token_in_blacklist_loader")


def revokes(project: Project) -> bool:
    """By an extension's list, an application for it, a class of its own, or an id in each token."""
    if any(project.calls_of(name) for name in _LOADERS):
        return True
    apps = django_setting(project, "INSTALLED_APPS")
    if apps is not None and any(_REVOKES.holds(name) for name in strings(project, apps.value)):
        return True
    named = [cls.cls.name for cls in project.classes() if cls.file.role == "production"]
    return any(_REVOKES.holds(name) for name in named) or any("jti" in s.claims.names for s in project.once(signings))
