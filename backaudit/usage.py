"""The one exception that is the user's to mend. It stands alone so that ``--help`` loads nothing to know it."""

from __future__ import annotations


class UsageError(Exception):
    """The user's mistake, in a sentence that says how to mend it; the command exits with 2."""
