"""Clients that are told to check no certificate."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.deploy.clients import unchecked_commands
from backaudit.backend.deployment.settings import is_literally
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import text_of
from backaudit.vocabulary.meaning import meaning

_REQUIREMENTS = ("ssl_cert_reqs", "cert_reqs")
_CLIENT = meaning("code", "server-client")
_NOT_CHECKED = "The certificate of this server is not checked"


class Unchecked(msgspec.Struct, frozen=True):
    """What accepts any certificate, and ``told``, in which words. ``switch``: the keyword of ``call`` that does it."""

    at: Node
    told: str
    call: Node | None = None
    switch: str = ""


def unchecked(project: Project) -> Iterator[Unchecked]:
    """Everything that accepts any certificate."""
    yield from _requests(project)
    yield from _options(project)
    for started, program in unchecked_commands(project):
        yield Unchecked(started, f"`{program}` is told to check no certificate")
    for call in project.calls("ssl._create_unverified_context", "ssl._create_stdlib_context"):
        yield Unchecked(call, "This context accepts any certificate")
    for call in project.calls(*sorted(project.models.kinds["connectors"])):
        for switch in ("ssl", "verify_ssl"):
            given = call.arg(None, switch)
            if given is not None and is_literally(project, given, False):
                yield Unchecked(given, "This connector checks no certificate", call, switch)
    for code in _mentioning(
        project, "CERT_NONE", "_create_unverified_context", "_create_default_https_context", "requests", "Session"
    ):
        yield from _stores(project, code)


def _requests(project: Project) -> Iterator[Unchecked]:
    switches = project.models.kinds["certificate-switches"]
    for last in sorted(project.models.kinds["http-callers"]):
        for call in project.calls_of(last):
            switch = next((name for name in call.keywords() if name in switches), None)
            given = call.arg(None, switch) if switch is not None else None
            if given is not None and _is_client(project, call) and is_literally(project, given, False):
                yield Unchecked(given, _NOT_CHECKED, call, switch or "")
            ssl = call.arg(None, "ssl")
            if ssl is not None and is_literally(project, ssl, False) and _is_aiohttp(project, call):
                yield Unchecked(ssl, _NOT_CHECKED, call, "ssl")


def _options(project: Project) -> Iterator[Unchecked]:
    """What drivers and clients call it: ``ssl_cert_reqs=None``, ``cert_reqs="CERT_NONE"``, ``tlsInsecure=True``."""
    kinds = project.models.kinds
    for call in project.calls(*sorted(kinds["certificate-checkers"])):
        for name, given in call.keywords().items():
            demanded = name in _REQUIREMENTS and _asks_for_none(project, given)
            insecure = name in kinds["insecure-switches"] and is_literally(project, given, True)
            unchecked = name in kinds["certificate-switches"] and is_literally(project, given, False)
            if demanded or insecure or unchecked:
                yield Unchecked(given, _NOT_CHECKED, call, name)


def _asks_for_none(project: Project, given: Node) -> bool:
    text = text_of(project, given)
    return (
        given.spelled.endswith("CERT_NONE")
        or is_literally(project, given, None)
        or (text is not None and text.lower().removeprefix("cert_") == "none")
    )


def _is_aiohttp(project: Project, call: Node) -> bool:
    """A request of aiohttp's session: elsewhere ``ssl=False`` means no TLS at all, which is the address's business."""
    receiver = call.receiver
    if receiver is None:
        return False
    names = project.types(receiver)
    return any(name.startswith("aiohttp.") for name in names) or (not names and "session" in receiver.spelled.lower())


def _is_client(project: Project, call: Node) -> bool:
    func = call.func
    names = project.names(func) if func is not None else ()
    spelled = (call.receiver.spelled if call.receiver is not None else call.method).lower()
    packages = {name.partition(".")[0] for name in names}
    return not project.models.kinds["http-packages"].isdisjoint(packages) or _CLIENT.holds(spelled)


def _mentioning(project: Project, *names: str) -> list[Code]:
    return list(dict.fromkeys(code for name in names for code in project.mentioning(name)))


def _stores(project: Project, code: Code) -> Iterator[Unchecked]:
    """``session.verify = False``, ``context.verify_mode = ssl.CERT_NONE``."""
    for node in code.nodes(ops.SetAttr):
        op = node.op
        assert isinstance(op, ops.SetAttr)
        value = node.to(op.value)
        if op.name == "verify" and is_literally(project, value, False) and _is_session(project, node.to(op.base)):
            yield Unchecked(node, "This session checks no certificate")
        elif (
            op.name == "verify_mode"
            and value.spelled.endswith("CERT_NONE")
            and not (_tightened(node) or _only_shown(code))
        ):
            yield Unchecked(node, "This context accepts any certificate")
        elif op.name == "_create_default_https_context" and "unverified" in value.spelled:
            yield Unchecked(node, "All HTTPS of this process accepts any certificate")


def _only_shown(code: Code) -> bool:
    """Whether the connection is there to look at the server's certificate, and nothing is sent or believed over it."""
    called = {f"*.{node.method}" for node in code.nodes(ops.Call)}
    kinds = code.project.models.kinds
    return not called.isdisjoint(kinds["certificate-reads"]) and called.isdisjoint(kinds["talks"])


def _tightened(store: Node) -> bool:
    """Whether the same context is set to check later in the body: what was off is the basis of stricter modes."""
    op = store.op
    base = store.to(op.base).origin if isinstance(op, ops.SetAttr) else store
    for later in store.code.nodes(ops.SetAttr):
        other = later.op
        assert isinstance(other, ops.SetAttr)
        same = other.name == "verify_mode" and later.to(other.base).origin == base and later.value > store.value
        if same and not later.to(other.value).spelled.endswith("CERT_NONE"):
            return True
    return False


def _is_session(project: Project, base: Node) -> bool:
    names = [*project.types(base), base.spelled.lower()]
    return any("session" in name.lower() or "client" in name.lower() or name.startswith("requests") for name in names)
