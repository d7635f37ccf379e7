"""The ports of a compose service: on which addresses of the host they listen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.deploy.images import Service
from backaudit.extract.yaml import YamlNode
from backaudit.vocabulary.meaning import meaning

_VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?:(?P<operator>:?[-?+])(?P<rest>[^{}]*))?\}|\$(?P<bare>\w+)")
_ADDRESS_NAME = meaning("texts", "bind-address")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}|localhost|[0-9a-f]*:[0-9a-f:]+", re.IGNORECASE)
_LOOPBACK = re.compile(r"127\.|localhost$|::1$|0*(:0*)*:0*1$")
# Stands for a variable without a default, whose value only the machine knows.
_UNKNOWN, _UNKNOWN_ADDRESS = "?", "?address"


class Port(msgspec.Struct, frozen=True):
    """A published port. ``address``: the host's address it listens on, empty for all of them, ``?`` if unknown."""

    address: str
    node: YamlNode

    @property
    def is_public(self) -> bool:
        return not self.address.startswith(_UNKNOWN) and not _LOOPBACK.match(self.address)


def published(service: Service) -> Iterator[Port]:
    """The ports that the service opens on its host under a number of its own choice."""
    ports = service.node.get("ports")
    for node in ports.items if ports is not None else ():
        if node.text is not None:
            address = _short(substituted(node.text))
            if address is not None:
                yield Port(address, node)
        elif node.get("published") is not None:
            host = node.get("host_ip")
            yield Port(substituted(host.text).strip("[]") if host is not None and host.text else "", node)


def substituted(text: str) -> str:
    """Compose's variables replaced by their defaults; ``?`` where there is none (``?address`` if its name says so)."""
    count = 1
    while count:  # a default may hold variables itself; with each turn there are fewer
        text, count = _VARIABLE.subn(_default, text)
    return text


def _default(found: re.Match[str]) -> str:
    if found["operator"] in ("-", ":-"):
        return found["rest"]
    return _UNKNOWN_ADDRESS if _ADDRESS_NAME.holds(found["braced"] or found["bare"]) else _UNKNOWN


def _short(text: str) -> str | None:
    """The address of ``[address:][port:]port[/protocol]``; None if the host's port is left to Docker."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, rest = text.partition(":")
    if not rest:
        return None
    if text.count(":") > 1 or _ADDRESS.fullmatch(host) or host == _UNKNOWN_ADDRESS:
        return "" if host == "0.0.0.0" else host
    return ""
