"""deploy/allowed-hosts-any."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.hosts import By, open_hosts
from backaudit.analyses.deploy.mends import hosts_named
from backaudit.project import Project
from backaudit.rule import KNOWN, Finding, assume, rule

_ACCEPTS: dict[By, str] = {
    "setting": "`ALLOWED_HOSTS` accepts every host name",
    "middleware": "The middleware that should check host names accepts every one",
}
_NONE_NAMED = assume("settings", "the environment of what is deployed names none")


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
    for hosts in open_hosts(project):
        where = " wherever the environment names none" if hosts.by_default else ""
        yield Finding(
            place=hosts.value.place,
            message=f"{_ACCEPTS[hosts.by]}{where}.",
            assumed=_NONE_NAMED if hosts.by_default else KNOWN,
            fixes=tuple(hosts_named(project, hosts.value)),
        )
