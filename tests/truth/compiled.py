"""``make compiled``: query sites of public projects against the SQL that their ORM compiles.

    python -m tests.truth.compiled [NAME ...]

``compiled.toml`` names the projects: what is installed of them, which packages are read, and Django's settings. Each is
installed in ``$COMPILED_DIR/NAME`` (``soak-data/compiled/NAME`` without that variable) and asked by a process of its
own (:mod:`tests.truth.asked`), which imports and evaluates its code. A site agrees if both ask the same columns in the
same roles: filter, join, sort. Exits with 1 if fewer than nine of ten agree; what cannot be installed is skipped, with
the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from backaudit.toml import parse_toml
from tests.bench.soak import DATA, ROOT
from tests.truth.asked import Agreement

LIST = Path(__file__).with_name("compiled.toml")
WANTED = 0.90
SECONDS = 1200
KEPT = ".installed"
SETTINGS = "backaudit_settings"


class Public(msgspec.Struct, forbid_unknown_fields=True):
    """A public project: requirements, the packages whose sites are compared, its ORM, and Django's settings."""

    install: tuple[str, ...]
    packages: tuple[str, ...]
    orm: str
    settings: str = ""


def listed() -> dict[str, Public]:
    """All that are known, by name."""
    return msgspec.convert(parse_toml(LIST.read_text("utf-8"))["projects"], dict[str, Public])


def installed(name: str, public: Public) -> Path:
    """The folder that holds a project and all that it needs; CalledProcessError where it cannot be installed."""
    folder = Path(os.environ.get("COMPILED_DIR") or DATA / "compiled").resolve() / name
    kept, wanted = folder / KEPT, "\n".join(public.install)
    if not kept.is_file() or kept.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            str(folder),
        ]
        subprocess.run([*pip, *public.install], check=True, capture_output=True, text=True, timeout=SECONDS)
        kept.write_text(wanted, "utf-8")
    (folder / f"{SETTINGS}.py").write_text(public.settings, "utf-8")
    return folder


def agreement(name: str, public: Public) -> Agreement:
    """How many of a project's sites agree; what differs is printed by the process that asks."""
    folder = installed(name, public)
    settings = SETTINGS if public.settings else "-"
    command = [sys.executable, "-m", "tests.truth.asked", str(folder), settings, *public.packages]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Agreement)


def main(wanted: Sequence[str]) -> int:
    known = listed()
    agreed = asked = 0
    for name in wanted or known:
        try:
            found = agreement(name, known[name])
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            told = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            print(f"{name}: skipped, {told[-1][:200]}", flush=True)
            continue
        agreed, asked = agreed + found.agreed, asked + found.asked
        rest = sum(found.skipped.values())
        said = f"{found.agreed} of {found.asked} sites agree ({found.share:.0%}), {rest} could not be evaluated"
        print(f"{name} ({known[name].orm}): {said}", flush=True)
    share = agreed / max(asked, 1)
    print(f"all: {agreed} of {asked} sites agree ({share:.1%})")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
