"""deploy/allowed-hosts-any."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.mends import hosts_named
from backaudit.backend.deployment.settings import settings_modules
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Finding, assume, rule


@rule("deploy/allowed-hosts-any", severity="medium", cwe=16, owasp=("A02:2025", "A05:2021", "API8:2023"))
def allowed_hosts_any(project: Project) -> Iterator[Finding]:
    """Every host name is accepted.

    The Host header is the client's to choose. Where any will do, links in password-reset mails lead to the attacker's
    host, and caches are filled with pages of it.

    Mend: list the names that the site has.

    Bad:
        # file: shop/settings.py
        ALLOWED_HOSTS = ["*"]
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]

    Bad:
        from fastapi import FastAPI
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        app = FastAPI()
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])

    Good:
        # file: shop/settings.py
        ALLOWED_HOSTS = ["shop.example", "www.shop.example"]
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["shop"]

    Links:
        https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts
    """
    reported: set[Node] = set()
    for module in project.once(settings_modules):
        value = module.names.get("ALLOWED_HOSTS") if module.production else None
        if value is not None and stage_of(project, value.code.path) == "production" and value.origin not in reported:
            reported.add(value.origin)
            yield from _any(project, value, "`ALLOWED_HOSTS` accepts every host name.")
    for call in project.calls_of("add_middleware"):
        given = call.arg(None, "allowed_hosts")
        if given is not None and stage_of(project, call.code.path) == "production":
            yield from _any(project, given, "The middleware that should check host names accepts every one.")


def _any(project: Project, value: Node, message: str) -> Iterator[Finding]:
    node = project.resolved(value)
    if _is_star(node):
        yield Finding(place=value.place, message=message, fixes=tuple(hosts_named(value)))
    elif _default_is_star(node):
        yield Finding(
            place=value.place,
            message=f"{message[:-1]} wherever the environment names none.",
            assumed=assume("settings", "the environment of what is deployed names none"),
            fixes=tuple(hosts_named(value)),
        )


def _is_star(node: Node) -> bool:
    op = node.origin.op
    if isinstance(op, ops.Build):
        return any(node.to(item).text == "*" for item in op.items)
    return False


def _default_is_star(node: Node) -> bool:
    """``config("ALLOWED_HOSTS", default="*")``, also split into a list afterwards."""
    call = node.origin
    if call.call is None:
        return False
    if call.method == "split" and call.receiver is not None:
        return _default_is_star(call.receiver)
    default = call.arg(1, "default")
    return default is not None and (default.text == "*" or _is_star(default))
