"""Reports: one module a format, each with ``render(report, **options) -> str``, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from backaudit.issue import Report

# Format -> its module; adding one means adding a line here and a module beside the others.
FORMATS: Mapping[str, str] = {
    name: f"backaudit.report.{name.replace('-', '_')}"
    for name in (
        *("text", "concise", "json", "sarif", "html", "markdown"),
        *("github", "gitlab", "gitlab-sast", "junit", "rdjson"),
    )
}
# What the ending of an output file says of its format.
SUFFIXES: Mapping[str, str] = {
    ".txt": "text",
    ".json": "json",
    ".sarif": "sarif",
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".xml": "junit",
    "codequality.json": "gitlab",
    "code-quality-report.json": "gitlab",
    "sast-report.json": "gitlab-sast",
    ".rdjson": "rdjson",
}


class Render(Protocol):
    def __call__(self, report: Report, **options: object) -> str:
        """The report as text that ends in a line break, or empty text."""


def renderer(format: str) -> Render:
    """The function that renders a format of ``FORMATS``."""
    render: Render = importlib.import_module(FORMATS[format]).render
    return render
