"""What is in the store of a fleet, as a page, as a summary for a chat, and as a finding a line."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from backaudit.report.fleet.records import Summary

# Format -> its module here.
FORMATS: Mapping[str, str] = {
    "markdown": "backaudit.report.fleet.markdown",
    "html": "backaudit.report.fleet.html",
    "csv": "backaudit.report.fleet.table",
}
# What the ending of an output file says of its format.
SUFFIXES: Mapping[str, str] = {".html": "html", ".htm": "html", ".csv": "csv", ".md": "markdown"}


def renderer(format: str) -> Callable[[Summary], str]:
    """The function that renders a format of ``FORMATS``."""
    render: Callable[[Summary], str] = importlib.import_module(FORMATS[format]).render
    return render
