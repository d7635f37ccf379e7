"""Routes of the model beside those of the framework itself: which are equal, missing, too many.

    python -m tests.truth.routes KIND SPEC FOLDER [PYTHON]

imports the application under PYTHON (by default this one) and compares. HEAD and OPTIONS, which frameworks add by
themselves, and what libraries answer (``/docs``, Django's admin, static files) are left out on both sides.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from backaudit import models
from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import UNMOUNTED, Endpoint
from backaudit.backend.web.routes import routes
from backaudit.discover import discover
from backaudit.extract.pool import extract_all
from backaudit.project import Project, link

SCRIPT = Path(__file__).with_name("introspect.py")
AUTOMATIC = ("HEAD", "OPTIONS")
Pair = tuple[str, str]


class Comparison(NamedTuple):
    """``missing``: the framework has it, the model has not; ``extra``: the reverse; ``library``: left out."""

    equal: frozenset[Pair]
    missing: frozenset[Pair]
    extra: frozenset[Pair]
    library: int

    @property
    def share(self) -> float:
        """Equal pairs of method and path in all that either side has, 0 to 1."""
        whole = len(self.equal) + len(self.missing) + len(self.extra)
        return len(self.equal) / whole if whole else 1.0

    def __str__(self) -> str:
        counts = f"{len(self.equal)} equal, {len(self.missing)} missing, {len(self.extra)} extra: {self.share:.1%}"
        return f"{counts} ({self.library} of libraries left out)"


def linked(folder: Path) -> Project:
    """The project in a folder."""
    known = models.load()
    files = [file for file in discover(folder).files if file.kind != "other"]
    facts, _ = extract_all(folder, files, jobs=1, cache=None, digests=None, wanted={"code"})
    return link(facts, known.knowledge, known)


def truth(kind: str, spec: str, folder: Path, python: str = sys.executable) -> list[dict[str, Any]]:
    """The framework's own word; RuntimeError with what the application said if it cannot be imported."""
    done = subprocess.run(
        [python, "-B", str(SCRIPT), kind, spec, str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def plain(path: str) -> str:
    """A path whose placeholders are nameless, with one slash where several stand."""
    return re.sub(r"/+", "/", re.sub(r"\{[^{}]*\}", "{}", path)) or "/"


def pairs(methods: Iterable[str], path: str) -> Iterator[Pair]:
    kept = [method for method in methods if method not in AUTOMATIC]
    yield from ((method, plain(path)) for method in kept or (() if list(methods) else ("*",)))


def modelled(project: Project) -> set[Pair]:
    """The pairs of the model, without tests and without URL modules that nothing mounts."""
    found: set[Pair] = set()
    for route in project.once(routes):
        role = project.role(route.place.path)
        if role not in ("test", "example") and UNMOUNTED not in route.tags:
            found.update(pairs(route.methods, route.path))
    return found


def compare(ours: set[Pair], rows: list[dict[str, Any]]) -> Comparison:
    """Both sides, pair by pair. A framework that does not know a handler's methods agrees with any."""
    own = {pair for row in rows if row["own"] for pair in pairs(row["methods"], row["path"])}
    library = {pair for row in rows if not row["own"] for pair in pairs(row["methods"], row["path"])} - own
    suffixed = {pair for row in rows if _FORMAT.search(row["path"]) for pair in pairs(row["methods"], row["path"])}
    own -= {pair for pair in suffixed if _without_format(pair) & own}
    paths = {path for _, path in ours}
    equal = {pair for pair in own if pair in ours or (pair[0] == "*" and pair[1] in paths)}
    any_path = {path for method, path in own if method == "*"}
    known = own | library
    extra = {(m, p) for m, p in ours - known if p not in any_path and ("*", p) not in library}
    # What a library's class answers for the project may be in the model or not.
    return Comparison(frozenset(equal), frozenset(own - equal), frozenset(extra), len(library - ours))


# REST framework's second path for each route, with a suffix that names the format.
_FORMAT = re.compile(r"\.?\{format\}/?$")


def _without_format(pair: Pair) -> set[Pair]:
    method, path = pair
    bare = re.sub(r"\.?\{\}/?$", "", path)
    return {(method, bare), (method, bare + "/")}


def parameters(project: Project, rows: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """How many operations have the parameters that ``openapi()`` names, and what differs."""
    ours = {pair: e for e in project.once(endpoints) for pair in pairs(e.route.methods, e.route.path)}
    equal, differing = 0, []
    for row in rows:
        for pair in pairs(row["methods"], row["path"]):
            if row["own"] and "inputs" in row and pair in ours:
                theirs = {(where, name.lower()) for where, name, _ in row["inputs"]}
                mine = set(_inputs(project, ours[pair]))
                equal += mine == theirs
                if mine != theirs:
                    differing.append(f"{pair}: only theirs {sorted(theirs - mine)}, only ours {sorted(mine - theirs)}")
    return equal, differing


def _inputs(project: Project, endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """What is declared, in OpenAPI's words."""
    for item in endpoint.inputs:
        if not item.declared:
            continue
        if item.where in ("body", "form", "file"):
            yield "body", ""
        elif item.schema and item.whole:
            for owner in project.lineage(item.schema):
                view = project.class_named(owner)
                yield from (
                    (item.where, name.lower())
                    for name in (view.fields if view is not None else ())
                    if name != "model_config"
                )
        else:
            yield item.where, item.name.lower()


def main() -> int:
    kind, spec, folder = sys.argv[1:4]
    python = sys.argv[4] if len(sys.argv) > 4 else sys.executable
    project = linked(Path(folder).resolve())
    rows = truth(kind, spec, Path(folder).resolve(), python)
    found = compare(modelled(project), rows)
    print(found)
    for title, listed in (("missing", found.missing), ("extra", found.extra)):
        for method, path in sorted(listed, key=lambda pair: pair[::-1]):
            print(f"  {title} {method} {path}")
    if kind == "fastapi":
        equal, differing = parameters(project, rows)
        print(f"parameters: {equal} operations equal, {len(differing)} differ")
        print("".join(f"  {line}\n" for line in differing), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
