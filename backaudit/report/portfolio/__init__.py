"""What ``portfolio`` writes: one module a format, each with ``render(portfolio, **options) -> str``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol

from backaudit.portfolio.records import Portfolio

# Format -> its module; adding one means adding a line here and a module beside the others.
FORMATS: Mapping[str, str] = {
    name: f"backaudit.report.portfolio.{name}" for name in ("text", "html", "json", "markdown", "svg")
}
# What the ending of an output file says of its format.
SUFFIXES: Mapping[str, str] = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".svg": "svg",
}


class Render(Protocol):
    def __call__(self, portfolio: Portfolio, **options: object) -> str:
        """The scorecards as text that ends in a line break."""


def renderer(format: str) -> Render:
    """The function that renders a format of ``FORMATS``."""
    render: Render = importlib.import_module(FORMATS[format]).render
    return render
