"""What ``map`` writes: one module a format, each with ``render(survey, **options) -> str``, imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol

from backaudit.survey.records import Survey

# Format -> its module; adding one means adding a line here and a module beside the others.
FORMATS: Mapping[str, str] = {name: f"backaudit.report.map.{name}" for name in ("text", "json", "html", "openapi")}
# What the ending of an output file says of its format; the longest that fits counts.
SUFFIXES: Mapping[str, str] = {
    ".txt": "text",
    ".json": "json",
    "openapi.json": "openapi",
    ".html": "html",
    ".htm": "html",
}


class Render(Protocol):
    def __call__(self, survey: Survey, **options: object) -> str:
        """The survey as text that ends in a line break."""


def renderer(format: str) -> Render:
    """The function that renders a format of ``FORMATS``."""
    render: Render = importlib.import_module(FORMATS[format]).render
    return render
