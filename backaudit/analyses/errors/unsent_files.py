"""Files that a client may leave out of its form, asked for their name, type or content."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.missing_keys import is_key_known
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.backend.access.missing import asked
from backaudit.backend.web.catching import escapes, reached_functions
from backaudit.backend.web.reads import part_read
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import Finding, Step, assume

_LEFT_OUT = assume("caller", "nothing else has made sure that the file was sent")
_ATTRIBUTE_ERROR = ("builtins.AttributeError",)


def findings(project: Project) -> Iterator[Finding]:
    """The first thing that is asked of each file of which nobody asked whether it was sent."""
    for code in reached_functions(project):
        told: set[Node] = set()
        for node in code.nodes(ops.Attr):
            read = node.to(node.op.base).origin if isinstance(node.op, ops.Attr) else node
            if read in told or not _may_be_absent(project, read, node):
                continue
            found = _of_none(project, code, node, read)
            if found is not None:
                told.add(read)
                yield found


def _may_be_absent(project: Project, read: Node, use: Node) -> bool:
    """``request.files.get("image")``, which gives None where nothing of that name was sent; ``form.get("image")`` of a
    form that holds the files too, where a file's own attribute is asked for.
    """
    alone = read.method == "get" and len(read.args()) == 1 and not read.keywords()
    if not alone or read.receiver is None:
        return False
    part = part_read(project, _awaited(read.receiver))
    name = use.op.name if isinstance(use.op, ops.Attr) else ""
    return part == "file" or (part == "form" and name in project.models.kinds["attributes-of-files"])


def _awaited(node: Node) -> Node:
    op = node.origin.op
    return node.origin.to(op.value).origin if isinstance(op, ops.Await) else node


def _of_none(project: Project, code: Code, node: Node, read: Node) -> Finding | None:
    first = read.arg(0)
    key = first.text if first is not None else None
    known = key is not None and read.receiver is not None and is_key_known(read, read.receiver, key)
    if known or asked(code, read.value, node.value):
        return None
    path = escapes(project, node, _ATTRIBUTE_ERROR)
    if path is None:
        return None
    name = node.op.name if isinstance(node.op, ops.Attr) else ""
    return Finding(
        place=node.place.first_line(),
        message=f"`.{name}` is asked of a file that may not have been sent: AttributeError, a 500, not a 400.",
        remedy="Ask whether the file is there first, and answer 400 where it is not.",
        assumed=_LEFT_OUT,
        trace=(Step(read.place.first_line(), f"`{read.spelled}` gives None if nothing was sent"),),
        request=showing(project, node, path, wrong(project, "absent", read), raises=_ATTRIBUTE_ERROR[0]),
    )
