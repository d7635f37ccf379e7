"""The commands, a module each. What a command needs is imported where it needs it: ``--help`` needs nothing."""

from __future__ import annotations

# What the command exits with.
OK, FINDINGS, USAGE, CRASH, NOTHING, INTERRUPTED = 0, 1, 2, 3, 4, 130

# Written out, so that --help needs none of the modules that define them; tests hold them equal.
SEVERITIES = ("critical", "high", "medium", "low")
