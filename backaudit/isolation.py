"""Keeps the scanned tree, and the folder that a command is typed in, out of Python's import path.

``python -m backaudit`` and a relative ``PYTHONPATH`` put the current folder on the path; a file ``click.py`` in a
scanned project would then be run. What the user installed, editable installs included, stays importable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def isolate(root: Path | None = None) -> None:
    """Drop from ``sys.path`` the current folder and whatever lies in ``root``, unless it was installed on purpose."""
    unwanted = [Path(os.path.abspath(""))]
    if root is not None:
        unwanted.append(Path(os.path.abspath(root)))
    sys.path[:] = [entry for entry in sys.path if not _is_under(entry, unwanted) or _is_installed(entry)]


def _is_under(entry: str, folders: list[Path]) -> bool:
    path = Path(os.path.abspath(entry))
    return path == folders[0] or any(path.is_relative_to(folder) for folder in folders[1:])


def _is_installed(entry: str) -> bool:
    """Whether the entry is the interpreter's own, or named by a ``.pth`` file in its site folder."""
    if not entry:
        return False
    path = os.path.abspath(entry)
    sites = _sites()
    return any(path == site or path.startswith(site + os.sep) for site in sites) or path in _pth_entries(sites)


def _sites() -> list[str]:
    import site
    import sysconfig

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = [sysconfig.get_path(name) for name in names] + site.getsitepackages() + [site.getusersitepackages()]
    return [os.path.abspath(folder) for folder in found]


def _pth_entries(sites: list[str]) -> set[str]:
    found: set[str] = set()
    for folder in sites:
        for file in sorted(Path(folder).glob("*.pth")):
            lines = file.read_text("utf-8", "replace").split("\n")
            found.update(os.path.abspath(os.path.join(folder, line.strip())) for line in lines if line.strip())
    return found
