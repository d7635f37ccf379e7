"""Settings files that a module of settings loads and that are not in the tree: what is deployed may be said there."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.project import Project
from backaudit.project.code import SERVING
from backaudit.project.operands import operands

_ENDINGS = (".py", ".cfg", ".conf")


def loaded_besides(project: Project, path: str) -> str:
    """The file that the module at ``path`` lets have the last word, or empty: run as text, or all its names taken."""
    file = project.files.get(path)
    if file is None or file.role not in SERVING:
        return ""
    missing = project.missing_stars(file)
    if missing:
        return f"{missing[0]}.py"
    top = file.top
    for call in top.nodes(ops.Call):
        if call.func is not None and "builtins.exec" in project.names(call.func):
            texts = (part.text or "" for arg in call.args() for part in operands(arg))
            return next((text for text in texts if text.endswith(_ENDINGS)), "a file beside it")
    return ""
