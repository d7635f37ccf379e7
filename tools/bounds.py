"""Requirements for trying the ends of what pyproject.toml allows: ``python -m tools.bounds oldest|newest``."""

from __future__ import annotations

import sys
from pathlib import Path

import tomli

ROOT = Path(__file__).resolve().parent.parent
# What runs the tests, in any version.
RUNNERS = ("hypothesis", "pytest", "pytest-xdist", "python-dotenv")


def requirements(end: str) -> list[str]:
    """The libraries that a scan needs: each at its lower bound, or free within its bounds."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounds: list[str] = project["dependencies"]
    return [*(_pinned(bound) if end == "oldest" else bound for bound in bounds), *RUNNERS]


def _pinned(bound: str) -> str:
    name, _, rest = bound.partition(">=")
    lowest = rest.partition(",")[0]
    return f"{name}=={lowest if '.' in lowest else lowest + '.0'}.*"


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
