"""Keeps the scanned tree, and the folder that a command is typed in, out of Python's import path.

``python -m backaudit`` and ``PYTHONPATH`` put folders of a project on the path; a file ``click.py`` in it would then be
run. What the user installed, editable installs included, stays importable. Until the path is clean, nothing may be
imported here that the interpreter has not loaded at its start: not even ``__future__``.
"""

import os
import sys

# What the interpreter itself runs before any program can say no, if PYTHONPATH leads to it.
_EARLY = ("sitecustomize", "usercustomize")


def begin() -> None:
    """Clean the path before anything is imported, for this process and for those that it starts."""
    given = os.environ.pop("PYTHONPATH", None)
    folders = [] if given is None or sys.flags.ignore_environment else given.split(os.pathsep)
    _drop({_absolute(entry) for entry in (*folders, os.path.dirname(sys.argv[0]))} - {_HOME})
    isolate()
    os.environ["PYTHONSAFEPATH"] = "1"


def isolate(root: "str | os.PathLike[str] | None" = None) -> None:
    """Drop from ``sys.path`` the current folder and whatever lies in ``root``, unless it was installed on purpose."""
    tree = os.path.realpath(root) if root is not None else None
    inside = {_absolute(entry) for entry in sys.path if tree is not None and is_within(_real(entry), tree)}
    _drop({_absolute(""), *inside})


def run_before(root: "str | os.PathLike[str]") -> list[str]:
    """The files in ``root`` that the interpreter had run before this program began."""
    tree = os.path.realpath(root)
    files = [getattr(sys.modules.get(name), "__file__", None) for name in _EARLY]
    found = [os.path.realpath(file) for file in files if file]
    return [file for file in found if is_within(file, tree) and not _is_installed(os.path.dirname(file), _installed())]


def is_within(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _drop(unwanted: set[str]) -> None:
    before = list(sys.path)
    if any(_absolute(entry) in unwanted for entry in before):
        installed = _installed()
        sys.path[:] = [
            entry for entry in before if _absolute(entry) not in unwanted or (entry and _is_installed(entry, installed))
        ]


def _absolute(entry: str) -> str:
    try:
        return os.path.abspath(entry)
    except OSError:  # the current folder is gone
        return entry


def _real(entry: str) -> str:
    return os.path.realpath(_absolute(entry))


def _is_installed(entry: str, folders: list[str]) -> bool:
    """Whether an entry is the interpreter's own, or named by a ``.pth`` file in its site folder."""
    path = _absolute(entry)
    if any(is_within(path, folder) for folder in folders):
        return True
    return any(path in _named_in(folder) for folder in folders)


def _installed() -> list[str]:
    """The interpreter's own folders, told without a module that may come from the path."""
    site = sys.modules.get("site")
    own = [
        getattr(sys, "_stdlib_dir", None) or os.path.dirname(os.__file__),
        *(os.path.join(prefix, *parts) for prefix in (sys.base_prefix, sys.base_exec_prefix) for parts in _LIBRARY),
    ]
    if site is not None:
        own += [*site.getsitepackages(), *([site.USER_SITE] if site.ENABLE_USER_SITE and site.USER_SITE else [])]
    return [os.path.abspath(folder) for folder in own]


_VERSION = sys.version_info[:2]
_LIBRARY = (
    (sys.platlibdir, "python{}.{}".format(*_VERSION)),
    (sys.platlibdir, "python{}{}.zip".format(*_VERSION)),
    ("DLLs",),
    ("python{}{}.zip".format(*_VERSION),),
)
# Where this package lies: whoever put that folder on the path meant this program to be found.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _named_in(folder: str) -> list[str]:
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".pth"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                found += [os.path.abspath(os.path.join(folder, line.strip())) for line in file if line.strip()]
    return found
