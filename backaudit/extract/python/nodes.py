"""What the interpreter's ``ast`` lacks, by its version, and what goes wrong below it."""

from __future__ import annotations

import ast
from typing import Any

# Known from Python 3.11 and 3.12 on.
TryStar: Any = getattr(ast, "TryStar", None) or type("TryStar", (ast.stmt,), {"_fields": ast.Try._fields})
TypeAlias: Any = getattr(ast, "TypeAlias", None) or type(
    "TypeAlias", (ast.stmt,), {"_fields": ("name", "type_params", "value")}
)


class Malformed(Exception):
    """A literal that the parser passes and the interpreter does not: half an escape, a letter beyond ASCII in bytes."""
