"""deploy/exposed-database."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.images import Service, is_restated, services
from backaudit.analyses.deploy.ports import Port, published
from backaudit.backend.deployment.developing import takes_developers_files
from backaudit.backend.deployment.stages import is_named_for_developing, stage_of
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Assumed, Finding, assume, rule


@rule("deploy/exposed-database", severity="medium", cwe=668, owasp=("A02:2025", "A05:2021"))
def exposed_database(project: Project) -> Iterator[Finding]:
    """A compose file publishes a database to every network.

    A port without an address before it listens on every address of the host, and Docker's rules go before the host's
    firewall. The other services do not need it: they reach the database over compose's own network.

    Mend: remove `ports`, or bind it to this machine: `127.0.0.1:5432:5432`.

    Bad:
        # file: docker-compose.yml
        services:
          web:
            build: .
          db:
            image: postgres:16
            ports:
              - "5432:5432"

    Good:
        # file: docker-compose.yml
        services:
          web:
            build: .
          db:
            image: postgres:16
            ports:
              - "127.0.0.1:5432:5432"

    Links:
        https://docs.docker.com/engine/network/packet-filtering-firewalls/
    """
    for service in services(project):
        stage = stage_of(project, service.path)
        skipped = stage == "example" or service.node.get("network_mode") is not None or is_restated(project, service)
        if service.is_store and not skipped:
            for port in published(service):
                if port.is_public:
                    yield Finding(
                        place=Place(service.path, port.node.span),
                        message=f"The service `{service.name}` listens on every address of the host.",
                        remedy=_remedy(port),
                        assumed=_assumed(project, service, stage),
                    )


def _remedy(port: Port) -> str:
    short = port.node.text
    bound = f"`127.0.0.1:{short}`" if short is not None and not port.address else "`127.0.0.1`"
    return f"Remove it, or bind it to this machine: {bound}."


def _assumed(project: Project, service: Service, stage: str) -> Assumed:
    """What is for development, or starts only when asked for, is worth a look and no more."""
    others = [other for other in services(project) if other.path == service.path]
    beside = [other for other in others if not other.is_store and not other.is_console]
    asked_for = service.node.get("profiles") is not None or is_named_for_developing(service.name)
    deployed = stage == "production" and not asked_for and not takes_developers_files(project, service.path)
    if deployed and beside:
        return assume("network", "no firewall stands before the host's port")
    return assume("stage", "this is what is deployed")
