"""Keeps the scanned tree, and the folder that a command is typed in, out of Python's import path.

``python -m backaudit`` and a relative ``PYTHONPATH`` put the current folder on the path; a file ``click.py`` in a
scanned project would then be run. What the user installed, editable installs included, stays importable. Until the path
is clean, nothing may be imported here that the interpreter has not loaded at its start.
"""

from __future__ import annotations

import os
import sys


def isolate(root: str | os.PathLike[str] | None = None) -> None:
    """Drop from ``sys.path`` the current folder and whatever lies in ``root``, unless it was installed on purpose."""
    here = os.path.abspath("")
    tree = os.path.abspath(root) if root is not None else None
    before = list(sys.path)
    sys.path[:] = [entry for entry in before if not _is_unwanted(entry, here, tree)]
    if len(sys.path) < len(before):
        sites = _sites()
        sys.path[:] = [entry for entry in before if not _is_unwanted(entry, here, tree) or _is_installed(entry, sites)]


def _is_unwanted(entry: str, here: str, tree: str | None) -> bool:
    path = os.path.abspath(entry)
    return path == here or (tree is not None and _is_within(path, tree))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_installed(entry: str, sites: list[str]) -> bool:
    """Whether an entry is the interpreter's own, or named by a ``.pth`` file in its site folder."""
    path = os.path.abspath(entry)
    return bool(entry) and (
        any(_is_within(path, site) for site in sites) or any(path in _named_in(site) for site in sites)
    )


def _sites() -> list[str]:
    import site
    import sysconfig

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = [sysconfig.get_path(name) for name in names] + site.getsitepackages() + [site.getusersitepackages()]
    return [os.path.abspath(folder) for folder in found]


def _named_in(folder: str) -> list[str]:
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".pth"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                found += [os.path.abspath(os.path.join(folder, line.strip())) for line in file if line.strip()]
    return found
