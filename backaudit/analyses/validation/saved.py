"""Uploads that a body of code puts into a file, and what reads them there again; archives that clients send."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import client_origin
from backaudit.flow.search import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.locate import behind
from backaudit.project.operands import same
from backaudit.project.types import split

_COPIERS = frozenset({"copyfileobj", "download_fileobj"})


def _saves(project: Project, code: Code) -> Iterator[tuple[Node, Node, Node]]:
    """(the call, where, what): the path or file that something is put into, and what that is."""
    for call in code.nodes(ops.Call):
        receiver, first, second = call.receiver, call.arg(0, "dst"), call.arg(1)
        if first is None:
            continue
        if call.method == "save" and receiver is not None:
            yield from [(call, first, receiver)] if _is_upload(project, receiver) else []
        elif call.method in _COPIERS and second is not None:
            yield call, _path_of(second) or second, first
        elif call.method in ("write", "write_bytes", "write_text") and receiver is not None:
            yield call, _path_of(receiver) or receiver, first


def _is_upload(project: Project, node: Node) -> bool:
    uploads = project.models.kinds["uploads"]
    return any(split(name)[0] in uploads for name in project.types(node))


def _path_of(file: Node) -> Node | None:
    """The path that a file was opened by."""
    made = file.origin
    made = made.to(made.op.value).origin if isinstance(made.op, ops.Enter) else made
    made = made.awaited
    return made.arg(0, "file") if made.method == "open" else None


def sent_into(project: Project, place: Node, use: Value) -> Origin | None:
    """Where what stands in a file at ``use`` comes from, if the same body put something of a client's into it."""
    for call, where, what in _saves(project, place.code):
        if call.value < use and same(place.code, where.value, place.value):
            found = client_origin(project, what)
            if found is not None:
                return found
    return None


def read_back(project: Project, call: Node) -> Origin | None:
    """The same for a call that opens or reads a file."""
    if call.func is None or project.models.kinds["file-readers"].isdisjoint(project.names(call.func)):
        return None
    place = call.receiver if call.method.startswith("read_") and not call.args() else call.arg(0)
    return sent_into(project, place, call.value) if place is not None else None


def archive_of_client(project: Project, archive: Node) -> Origin | None:
    """Where an archive comes from, if a client sent it."""
    for made in behind(project, archive):
        for name in ("file", "fileobj", "name"):
            given = made.arg(0 if name == "file" else None, name) if made.call is not None else None
            if given is None:
                continue
            found = client_origin(project, given) or sent_into(project, given, made.value)
            if found is not None:
                return found
    return None


def names_in_archive(project: Project, call: Node) -> Origin | None:
    """The origin of an archive whose list of names ``call`` gives."""
    receiver = call.receiver
    if receiver is None or project.models.kinds["archive-names"].isdisjoint(project.names(call.func or call)):
        return None
    return archive_of_client(project, receiver)


def unfiltered(project: Project) -> Iterator[tuple[Node, Origin]]:
    """Calls that unpack a client's tar archive wherever its names lead, and where the archive comes from."""
    for name in sorted(project.models.kinds["unpackers"]):
        for call in project.calls(name):
            told = call.arg(None, "filter")
            careless = told is None or told.const == "fully_trusted"
            if call.receiver is None or not careless or call.arg(None, "members") is not None:
                continue
            origin = archive_of_client(project, call.receiver)
            if origin is not None and not _names_are_checked(project, call):
                yield call, origin


def _names_are_checked(project: Project, unpack: Node) -> bool:
    """Whether the same body has a look at where each member would go."""
    for call in unpack.code.nodes(ops.Call):
        if call.method in ("is_relative_to", "startswith", "commonpath", "commonprefix", "relative_to"):
            return True
        if project.callees(call) and any(word in call.method for word in ("safe", "check", "valid")):
            return True
    return False
