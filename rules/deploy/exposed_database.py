"""deploy/exposed-database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.images import Service, services
from backaudit.backend.stages import stage_of
from backaudit.extract.yaml import YamlNode
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Confidence, Finding, rule

_LOOPBACK = re.compile(r"^(127\.|localhost:|\[?::1)")


@rule("deploy/exposed-database", severity="medium", cwe=668, owasp=("A02:2025", "A05:2021"))
def exposed_database(project: Project) -> Iterator[Finding]:
    """A compose file publishes a database to every network.

    `ports: ["5432:5432"]` listens on every address of the host, and Docker's rules go before the host's firewall. The
    other services do not need it: they reach the database over compose's own network.

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
    every = services(project)
    for service in every:
        stage = stage_of(project, service.path)
        if service.is_store and stage != "example" and service.node.get("network_mode") is None:
            for port in _published(service):
                yield Finding(
                    place=Place(service.path, port.span),
                    message=f"The service `{service.name}` listens on every address of the host.",
                    confidence=_confidence(service, every, stage),
                )


def _confidence(service: Service, every: tuple[Service, ...], stage: str) -> Confidence:
    """A file for development, or one that has nothing but stores for a developer's machine, is only worth a look."""
    beside = [other for other in every if other.path == service.path and not other.is_store]
    return "medium" if stage == "production" and beside and "test" not in service.name else "low"


def _published(service: Service) -> Iterator[YamlNode]:
    ports = service.node.get("ports")
    for port in ports.items if ports is not None else ():
        if port.text is not None:
            if ":" in port.text and not _LOOPBACK.match(port.text) and not port.text.startswith("${"):
                yield port
        elif port.get("published") is not None:
            host = port.get("host_ip")
            if host is None or not _LOOPBACK.match(f"{host.text}:"):
                yield port
